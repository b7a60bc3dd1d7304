using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>
/// One question about many datastreams, a chunk of them at a time: the days of the chunk one after the other, in each day its datastreams in ascending order, so that a bundle of a part is decoded once
/// for all of them. Like <see cref="RangeSteps"/> it works in short steps, each on a version of the store taken for it. Used by one caller at a time; several work on one question side by side.
/// </summary>
internal sealed class ManySteps(PartStore store, AggregateQuery query, int bucketsMax, SeriesInstruments instruments)
{
    /// <summary>Days looked at in one step, also when nothing is in them.</summary>
    private const int StepDaysMax = 64;

    /// <summary>Datastreams of a chunk at most: at its ends two workers may decode the same bundle.</summary>
    private const int ChunkMax = 128;

    /// <summary>The same for percentiles, whose buckets hold their results until they end.</summary>
    private const int ChunkPercentilesMax = 4;

    private readonly bool _withCoverage = query.Cadence > TimeSpan.Zero;
    private readonly List<PartFigures> _figures = [];
    private readonly List<ObservationColumns> _memory = [];
    private readonly List<Source> _sources = [];
    private readonly BucketFold?[] _folds = new BucketFold?[ChunkMax];
    private int[] _chunk = [];
    private long _from;
    private long _to;
    private int _at;
    private RangeSteps? _single;
    private readonly TimeSpan? _resolution = Rollups.Serving(query);
    private readonly BucketEdges _edges = new(query.Every.Width, query.Every.Zone);
    private readonly RollupBuffers _cells = new(isOfMany: true);
    private AggregateSteps? _rollups;
    private long? _rollupsTo;
    private int _memoryUsed;

    /// <summary>Length of the chunks into which to divide a question.</summary>
    public static int ChunkOf(int datastreams, int workers, Statistic statistic) =>
        statistic == Statistic.Percentile ? ChunkPercentilesMax : Math.Clamp((datastreams + workers - 1) / workers, 1, ChunkMax);

    /// <summary>Buckets of the chunk so far.</summary>
    public long Buckets { get; private set; }

    /// <summary>Turns to a chunk: datastreams in ascending order.</summary>
    public void Begin(ReadOnlySpan<int> chunk)
    {
        _chunk = chunk.ToArray();
        Array.Clear(_folds);
        (_from, _to) = (EventTime.Bound(query.From, nameof(query)), EventTime.Bound(query.To, nameof(query)));
        (_at, _single, Buckets, _rollups, _rollupsTo) = (0, null, 0, null, null);
    }

    /// <summary>Reads on until so many rows are folded; false when nothing is left of the chunk.</summary>
    /// <exception cref="ArgumentException">An answer has more buckets than allowed, or a bucket more results than a percentile is taken of.</exception>
    /// <exception cref="InvalidDataException">A part is damaged.</exception>
    public bool Next(int rowsWanted, CancellationToken cancellationToken)
    {
        using var version = store.Take();
        var more = true;
        for (var days = 0; more && days < StepDaysMax && rowsWanted > 0; days++)
        {
            more = NextDay(version, ref rowsWanted, cancellationToken);
        }

        Buckets = 0;
        foreach (var fold in _folds)
        {
            Buckets += fold?.Buckets ?? 0;
        }

        return more;
    }

    /// <summary>The answers of the chunk, after the last step: those that have buckets.</summary>
    public void Complete(List<KeyValuePair<int, IReadOnlyList<Bucket>>> into)
    {
        for (var i = 0; i < _chunk.Length; i++)
        {
            if (_folds[i]?.Complete() is { Count: > 0 } buckets)
            {
                into.Add(new(_chunk[i], buckets));
            }
        }
    }

    private bool NextDay(StoreVersion version, ref int rowsWanted, CancellationToken cancellationToken)
    {
        if (_rollupsTo is { } stretch)
        {
            ReadRollups(stretch, ref rowsWanted, cancellationToken);
            return true;
        }

        // A day that was begun goes on, also if nothing is left in it by now.
        int? next = _at > 0 || _single is not null ? EventTime.Day(_from) : _from < _to ? version.NextDay(EventTime.Day(_from)) : null;
        if (next is not { } day || day * EventTime.MicrosPerDay >= _to)
        {
            return false;
        }

        var start = Math.Max(_from, day * EventTime.MicrosPerDay);
        var end = Math.Min(_to, (day + 1) * EventTime.MicrosPerDay);
        _from = start;
        if (_at == 0 && _single is null && UsesRollups(version, day))
        {
            _rollupsTo = Math.Min(_to, RollupsEnd(version, day) * EventTime.MicrosPerDay);
            return true;
        }

        ReadDay(version, start, end, ref rowsWanted, cancellationToken);
        if (_at == _chunk.Length)
        {
            (_from, _at) = (end, 0);
        }

        return true;
    }

    /// <summary>The day behind those from a day on that rollups answer, in the same month.</summary>
    private int RollupsEnd(StoreVersion version, int day)
    {
        var month = RollupPlan.MonthAfter(RollupPlan.MonthOf(day));
        int? next = day;
        while (next is { } at && at < month && UsesRollups(version, at))
        {
            next = version.NextDay(at + 1);
        }

        return Math.Min(next ?? month, month);
    }

    /// <summary>Whether cells answer for a day. Where an end of the question divides one, reading the observations of that day for all together is cheaper than those of the divided cell one datastream after the other.</summary>
    private bool UsesRollups(StoreVersion version, int day) =>
        version.HasRollups(day, _resolution) && (!IsDivided(day) || version.KeptOf(RollupPlan.MonthOf(day), Rollups.Coarsest) is not null);

    private bool IsDivided(int day)
    {
        if (_resolution is not { } resolution)
        {
            return false;
        }

        var (first, last, width) = (EventTime.Bound(query.From, nameof(query)), EventTime.Bound(query.To, nameof(query)), resolution.Ticks / TimeSpan.TicksPerMicrosecond);
        return (EventTime.Day(first) == day && !IsEdge(first)) || (EventTime.Day(last - 1) == day && !IsEdge(last));

        bool IsEdge(long micros) => EventTime.FloorDivide(micros, width) * width == micros;
    }

    /// <summary>A stretch of days that rollups answer, one datastream after the other.</summary>
    private void ReadRollups(long end, ref int rowsWanted, CancellationToken cancellationToken)
    {
        while (_at < _chunk.Length && rowsWanted > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _rollups ??= new AggregateSteps(store, Fold(), _chunk[_at], _from, end, _cells, instruments);
            if (!_rollups.Next(ref rowsWanted))
            {
                _rollups = null;
                _at++;
            }
        }

        if (_at == _chunk.Length)
        {
            (_from, _at, _rollupsTo) = (end, 0, null);
        }
    }

    private void ReadDay(StoreVersion version, long start, long end, ref int rowsWanted, CancellationToken cancellationToken)
    {
        var leases = new List<PartCache.Lease>();
        var scratch = PartScratch.Spare.Rent();
        try
        {
            foreach (var part in version.PartsOf(EventTime.Day(start))?.Observations ?? [])
            {
                if (part.Info.Summary.MaxMicros < start || part.Info.Summary.MinMicros >= end)
                {
                    continue;
                }

                leases.Add(store.Cache.Rent(part));
                if (_figures.Count < leases.Count)
                {
                    _figures.Add(new PartFigures(_withCoverage));
                }

                leases[^1].Reader.Begin(_figures[leases.Count - 1]);
            }

            while (_at < _chunk.Length && rowsWanted > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_single is not null || !TryReadTogether(version, scratch, leases.Count, start, end, ref rowsWanted))
                {
                    ReadSingle(start, end, ref rowsWanted);
                }

                _at += _single is null ? 1 : 0;
            }
        }
        finally
        {
            PartScratch.Spare.Return(scratch);
            foreach (var lease in leases)
            {
                lease.Dispose();
            }

            // Whoever waits for a turn holds no decoded bundles.
            foreach (var figures in _figures)
            {
                figures.End();
            }
        }
    }

    /// <summary>
    /// Folds the rows of the datastream at hand straight from where they stand. That is right when no two sources overlap in time, as is usual: each flush holds what came later. False, and nothing
    /// folded, when they do, or when the datastream is too long for it.
    /// </summary>
    private bool TryReadTogether(StoreVersion version, PartScratch scratch, int parts, long start, long end, ref int rowsWanted)
    {
        _sources.Clear();
        _memoryUsed = 0;
        foreach (var table in version.Frozen)
        {
            ReadTable(table, start, end);
        }

        ReadTable(version.Active, start, end);
        for (var i = 0; i < parts; i++)
        {
            if (!_figures[i].TryFind(scratch, _chunk.AsSpan(_at), start, end))
            {
                return false;
            }

            if (_figures[i] is { Count: > 0 } found)
            {
                _sources.Add(new Source(found.Micros[0], found.Micros[^1], found, null));
            }
        }

        if (_sources.Count > 1)
        {
            _sources.Sort(static (a, b) => a.First.CompareTo(b.First));
            for (var i = 1; i < _sources.Count; i++)
            {
                if (_sources[i].First <= _sources[i - 1].Last)
                {
                    return false;
                }
            }
        }

        foreach (var source in _sources)
        {
            rowsWanted -= source.AddTo(Fold());
        }

        return true;
    }

    private void ReadTable(MemoryTable table, long start, long end)
    {
        if (_memoryUsed == _memory.Count)
        {
            _memory.Add(new ObservationColumns());
        }

        var rows = _memory[_memoryUsed];
        rows.Clear();
        table.Read(_chunk[_at], start, end, rows);
        if (rows.Count > 0)
        {
            _sources.Add(new Source(rows.Micros[0], rows.Micros[^1], null, rows));
            _memoryUsed++;
        }
    }

    /// <summary>The datastream at hand by itself, all columns of it, merged: a stretch of the day in each call.</summary>
    private void ReadSingle(long start, long end, ref int rowsWanted)
    {
        _single ??= new RangeSteps(store, _chunk[_at], start, end);
        while (rowsWanted > 0)
        {
            if (!_single.Next(rowsWanted))
            {
                _single = null;
                return;
            }

            rowsWanted -= new Source(0, 0, null, _single.Rows).AddTo(Fold());
        }
    }

    private BucketFold Fold() => _folds[_at] ??= new BucketFold(query with { Datastream = _chunk[_at] }, bucketsMax, _edges);

    /// <summary>Rows of one datastream in a part or in memory, with the times of the first and the last.</summary>
    private readonly record struct Source(long First, long Last, PartFigures? Part, ObservationColumns? Memory)
    {
        /// <summary>Folds them; their number.</summary>
        public int AddTo(BucketFold fold)
        {
            if (Part is not null)
            {
                fold.Add(Part.Micros, Part.Results, Part.Qualities, Part.Coverages);
                return Part.Count;
            }

            fold.Add(
                CollectionsMarshal.AsSpan(Memory!.Micros), CollectionsMarshal.AsSpan(Memory.Results), CollectionsMarshal.AsSpan(Memory.Qualities), CollectionsMarshal.AsSpan(Memory.Coverages));
            return Memory.Count;
        }
    }
}
