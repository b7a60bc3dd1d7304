using System.Runtime.InteropServices;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>
/// What a file of rollups says of one datastream in its month, column by column: a year of a hundred datastreams is nearly a million cells, and each is only added up. Made once and filled again; used by one
/// caller at a time.
/// </summary>
/// <param name="isOfMany">Whether whole bundles are decoded and kept for the next datastream.</param>
internal sealed class RollupRows(bool isOfMany = false)
{
    private readonly List<int> _keys = [];
    private readonly ObservationColumns _columns = new();
    private readonly List<double> _values = [];
    private readonly List<double> _seconds = [];
    private readonly List<int> _lacking = [];
    private PartReader? _reader;
    private int _first;
    private int _last = -1;
    private int _begin;
    private long _width;
    private RollupCode _wanted;

    /// <summary>Cells, in order of time.</summary>
    public int Count { get; private set; }

    /// <summary>Begins of the cells, microseconds since 1970 UTC.</summary>
    public ReadOnlySpan<long> Starts => Of(_columns.Micros);

    /// <summary>All flags met in each cell.</summary>
    public ReadOnlySpan<int> Qualities => Of(_columns.Qualities);

    /// <summary>Days of the month that have cells: a bit each, the first day the lowest.</summary>
    public uint Days { get; private set; }

    /// <summary>Days of the month with a cell of which the file does not say what was wanted.</summary>
    public uint Lacking { get; private set; }

    /// <summary>Forgets what was read.</summary>
    public void Clear() => (_begin, Count, Days, Lacking) = (0, 0, 0, 0);

    /// <summary>Reads all cells of a datastream.</summary>
    /// <param name="reader">The file.</param>
    /// <param name="datastream">The datastream, no larger than <see cref="RollupCells.DatastreamMax"/>.</param>
    /// <param name="month">First day of the month.</param>
    /// <param name="width">Width of the cells, microseconds.</param>
    /// <param name="wanted">What is wanted besides the extents.</param>
    /// <param name="withoutFlags">Whether to read what is said of the observations without a flag.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public void Read(PartReader reader, int datastream, int month, long width, RollupCode wanted, bool withoutFlags = false)
    {
        Clear();
        var (extent, key) = (RollupCells.Key(datastream, RollupCode.Extent, withoutFlags), RollupCells.Key(datastream, wanted, withoutFlags));
        if (!ReferenceEquals(reader, _reader) || extent < _first || key > _last)
        {
            _reader = null;
            _keys.Clear();
            _columns.Clear();
            (_first, _last) = (extent, reader.Read(extent, key, isOfMany, _keys, _columns));
            _reader = reader;
        }

        var keys = CollectionsMarshal.AsSpan(_keys);
        _begin = FirstAt(keys, extent);
        Count = FirstAt(keys, extent + 1) - _begin;
        (_width, _wanted) = (width, wanted);
        var starts = Starts;
        for (var at = 0; at < starts.Length;)
        {
            var day = EventTime.Day(starts[at]);
            Days |= 1u << (day - month);
            at += EventTime.FirstAt(starts[at..], (day + 1) * EventTime.MicrosPerDay);
        }

        if (wanted == RollupCode.Extent)
        {
            return;
        }

        var first = FirstAt(keys, key);
        Take(first, FirstAt(keys, key + 1) - first, month);
    }

    /// <summary>Whether the file does not say of a cell what was wanted.</summary>
    public bool Lacks(int cell) => Lacking != 0 && _lacking.BinarySearch(cell) >= 0;

    /// <summary>Whether a cell has any of some flags.</summary>
    public bool HasAny(Quality flags)
    {
        foreach (var quality in Qualities)
        {
            if ((quality & (int)flags) != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Cells [from, to); valid until the next reading.</summary>
    public RollupSpan Cells(int from, int to)
    {
        var (at, count) = (_begin + from, to - from);
        return new RollupSpan(
            _width,
            CollectionsMarshal.AsSpan(_columns.Micros).Slice(at, count),
            CollectionsMarshal.AsSpan(_columns.Revisions).Slice(at, count),
            CollectionsMarshal.AsSpan(_columns.Calibrations).Slice(at, count),
            CollectionsMarshal.AsSpan(_columns.Qualities).Slice(at, count),
            CollectionsMarshal.AsSpan(_columns.Coverages).Slice(at, count),
            CollectionsMarshal.AsSpan(_columns.Results).Slice(at, count),
            CollectionsMarshal.AsSpan(_columns.Raws).Slice(at, count),
            _wanted == RollupCode.Extent ? [] : CollectionsMarshal.AsSpan(_values).Slice(from, count),
            _wanted is RollupCode.Direction or RollupCode.Ends ? CollectionsMarshal.AsSpan(_seconds).Slice(from, count) : []);
    }

    /// <summary>A cell with its extent and what was wanted besides; the rest of it is NaN.</summary>
    public RollupRow At(int cell)
    {
        var cells = Cells(cell, cell + 1);
        var value = cells.Values.IsEmpty ? double.NaN : cells.Values[0];
        var second = cells.Seconds.IsEmpty ? double.NaN : cells.Seconds[0];
        var row = new RollupRow(
            cells.Starts[0], cells.Starts[0] + _width, cells.CountOf(0), (Quality)cells.Qualities[0], cells.CoveredOf(0), double.NaN, cells.Mins[0], cells.Maxs[0], double.NaN, double.NaN, double.NaN, double.NaN, double.NaN);
        return _wanted switch
        {
            RollupCode.Sum => row with { Sum = value },
            RollupCode.Energy => row with { EnergySum = value },
            RollupCode.Direction => row with { East = value, North = second },
            RollupCode.Ends => row with { First = value, Last = second },
            _ => row,
        };
    }

    /// <summary>Takes what rows of another code say of the cells.</summary>
    private void Take(int first, int count, int month)
    {
        _values.Clear();
        _seconds.Clear();
        _lacking.Clear();
        var starts = Starts;
        var times = CollectionsMarshal.AsSpan(_columns.Micros).Slice(first, count);
        if (times.SequenceEqual(starts))
        {
            TakeAll(first, count);
            return;
        }

        for (int cell = 0, next = 0; cell < starts.Length; cell++)
        {
            next += EventTime.FirstAt(times[next..], starts[cell]);
            if (next < times.Length && times[next] == starts[cell])
            {
                TakeAll(first + next, 1);
                continue;
            }

            Lacking |= 1u << (EventTime.Day(starts[cell]) - month);
            _lacking.Add(cell);
            _values.Add(double.NaN);
            _seconds.Add(double.NaN);
        }
    }

    /// <summary>Takes rows, one for each of the next cells.</summary>
    private void TakeAll(int first, int count)
    {
        var results = CollectionsMarshal.AsSpan(_columns.Results).Slice(first, count);
        var raws = CollectionsMarshal.AsSpan(_columns.Raws).Slice(first, count);
        if (_wanted != RollupCode.Sum)
        {
            _values.AddRange(results);
            _seconds.AddRange(raws);
            return;
        }

        var differences = CollectionsMarshal.AsSpan(_columns.Calibrations).Slice(first, count);
        var at = _values.Count;
        CollectionsMarshal.SetCount(_values, at + count);
        var values = CollectionsMarshal.AsSpan(_values)[at..];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = RollupCells.Join(results[i], raws[i], differences[i]);
        }
    }

    private ReadOnlySpan<T> Of<T>(List<T> column) => CollectionsMarshal.AsSpan(column).Slice(_begin, Count);

    /// <summary>Index of the first of ascending keys that is not below one.</summary>
    private static int FirstAt(ReadOnlySpan<int> keys, int key)
    {
        var (low, high) = (0, keys.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            (low, high) = keys[middle] < key ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
