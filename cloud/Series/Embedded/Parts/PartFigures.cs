using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Hub.Cloud.Series;

/// <summary>
/// What figures are made of (times, results, flags, coverages), for many datastreams of one part in ascending order: a bundle is decoded once for all datastreams asked for in it, and no other column
/// is read. Made once, begun anew for each part and ended after it. Used by one caller at a time.
/// </summary>
internal sealed class PartFigures(bool withCoverage)
{
    private readonly List<int> _datastreams = [];
    private readonly List<int> _ends = [];
    private string _path = "";
    private SafeFileHandle? _file;
    private PartIndex? _index;
    private int _bundle = -1;
    private int _start;
    private long[] _micros = [];
    private double[] _results = [];
    private int[] _qualities = [];
    private double[] _coverages = [];
    private int _first;
    private int _last;

    /// <summary>Number of rows found.</summary>
    public int Count => _last - _first;

    /// <summary>Phenomenon times of the rows found, microseconds since 1970 UTC, ascending.</summary>
    public ReadOnlySpan<long> Micros => _micros.AsSpan(_first, Count);

    /// <summary>Their results.</summary>
    public ReadOnlySpan<double> Results => _results.AsSpan(_first, Count);

    /// <summary>Their flags.</summary>
    public ReadOnlySpan<int> Qualities => _qualities.AsSpan(_first, Count);

    /// <summary>Their coverages; empty when they were not wanted.</summary>
    public ReadOnlySpan<double> Coverages => withCoverage ? _coverages.AsSpan(_first, Count) : default;

    /// <summary>Turns to a part; called by its reader, which has to stay open.</summary>
    public void Begin(string path, SafeFileHandle file, PartIndex index) => (_path, _file, _index, _bundle, _first, _last) = (path, file, index, -1, 0, 0);

    /// <summary>Finds the rows of a datastream with from &lt;= time &lt; to; none is an answer too.</summary>
    /// <param name="scratch">Buffers.</param>
    /// <param name="asked">The datastream, and behind it those that are asked for later, ascending.</param>
    /// <param name="from">Microseconds since 1970 UTC.</param>
    /// <param name="to">Microseconds since 1970 UTC.</param>
    /// <returns>False when its rows reach over several bundles, which this does not read.</returns>
    /// <exception cref="InvalidDataException">A page is damaged; the message names file, page and what is wrong.</exception>
    public bool TryFind(PartScratch scratch, ReadOnlySpan<int> asked, long from, long to)
    {
        (_first, _last) = (0, 0);
        var datastream = asked[0];
        var bundles = _index!.Bundles;
        var at = _index.FirstBundle(datastream);
        if (at == bundles.Length || bundles[at].MinDatastream > datastream)
        {
            return true;
        }

        if (at + 1 < bundles.Length && bundles[at + 1].MinDatastream == datastream)
        {
            return false;
        }

        if (bundles[at].MaxMicros < from || bundles[at].MinMicros >= to)
        {
            return true;
        }

        if (at != _bundle)
        {
            _bundle = -1;
            try
            {
                Load(scratch, bundles[at], asked);
            }
            catch (InvalidDataException error)
            {
                throw PartReader.Damaged(_path, error);
            }

            _bundle = at;
        }

        var run = _datastreams.BinarySearch(datastream);
        if (run >= 0)
        {
            var (start, end) = ((run == 0 ? 0 : _ends[run - 1]) - _start, _ends[run] - _start);
            var times = _micros.AsSpan(start, end - start);
            (_first, _last) = (start + EventTime.FirstAt(times, from), start + EventTime.FirstAt(times, to));
        }

        return true;
    }

    /// <summary>Gives the memory of the rows back.</summary>
    public void End()
    {
        (_bundle, _first, _last) = (-1, 0, 0);
        Exchange(ref _micros, 0);
        Exchange(ref _results, 0);
        Exchange(ref _qualities, 0);
        Exchange(ref _coverages, 0);
    }

    private static void Exchange<T>(ref T[] array, int length)
    {
        if (array.Length > 0)
        {
            ArrayPool<T>.Shared.Return(array);
        }

        array = length == 0 ? [] : ArrayPool<T>.Shared.Rent(length);
    }

    /// <summary>Decodes from the first row that is asked for to the last one.</summary>
    private void Load(PartScratch scratch, in PartBundleBounds bundle, ReadOnlySpan<int> asked)
    {
        scratch.Runs(_file!, bundle, _datastreams, _ends);
        var (start, end) = (bundle.Rows, 0);
        foreach (var datastream in asked)
        {
            if (datastream > bundle.MaxDatastream)
            {
                break;
            }

            if (_datastreams.BinarySearch(datastream) is >= 0 and var run)
            {
                start = Math.Min(start, run == 0 ? 0 : _ends[run - 1]);
                end = _ends[run];
            }
        }

        var rows = Math.Max(0, end - start);
        if (_micros.Length < rows)
        {
            Exchange(ref _micros, rows);
            Exchange(ref _results, rows);
            Exchange(ref _qualities, rows);
            if (withCoverage)
            {
                Exchange(ref _coverages, rows);
            }
        }

        _start = start;
        if (rows > 0)
        {
            scratch.Figures(
                _file!, bundle, start, end, _micros.AsSpan(0, rows), _results.AsSpan(0, rows), _qualities.AsSpan(0, rows), withCoverage ? _coverages.AsSpan(0, rows) : default);
        }
    }
}
