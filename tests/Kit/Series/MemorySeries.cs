using System.Runtime.CompilerServices;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Tests.Kit;

/// <summary>
/// Reference implementation of <see cref="ISeries"/> in memory: the plainest code that keeps every promise of the seam, shares none with the real store, and so serves as its
/// model. Also stands in for the store in tests of other stages. Every append that changes something is a commit of its own; callers and observers see it before the append returns.
/// </summary>
public sealed partial class MemorySeries : ISeries, IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _commitTurn = new(1, 1);
    private readonly Dictionary<int, SortedDictionary<DateTime, (Observation Observation, long Commit)>> _streams = [];
    private readonly Dictionary<int, Observation> _latest = [];
    private readonly Dictionary<(int, DateTime, (int, long, Quality, int, long, long)), Observation> _history = [];
    private readonly List<ISeriesObserver> _observers = [];
    private long _lastCommit;
    private long _rangesRead;

    /// <summary>While set, every append throws <see cref="SeriesUnavailableException"/> with this text and stores nothing.</summary>
    public string? UnavailableBecause { get; set; }

    /// <summary>Awaited before each commit: lets a test hold a commit back, or count them.</summary>
    public Func<CancellationToken, Task>? BeforeCommit { get; set; }

    /// <summary>Whether the kept rollups of a datastream hold what a statistic needs; null when they hold all.</summary>
    public Func<int, Statistic, bool>? Keeps { get; set; }

    public bool CanCondense { get; set; } = true;

    /// <summary>As a test says: nothing ever waits here.</summary>
    public bool AppendsWait { get; set; }

    /// <summary>Stretches read so far, whatever their length.</summary>
    public long RangesRead => Interlocked.Read(ref _rangesRead);

    /// <summary>Every value that lost against another one for the same key.</summary>
    public IReadOnlyList<Observation> History
    {
        get
        {
            lock (_lock)
            {
                return [.. _history.Values];
            }
        }
    }

    public long LastCommit => Volatile.Read(ref _lastCommit);

    public async ValueTask<AppendReceipt> AppendAsync(ReadOnlyMemory<Observation> observations, CancellationToken cancellationToken)
    {
        foreach (var observation in observations.Span)
        {
            Refuse(observation);
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (observations.IsEmpty)
        {
            return new AppendReceipt(LastCommit, []);
        }

        await _commitTurn.WaitAsync(cancellationToken);
        try
        {
            if (BeforeCommit is { } before)
            {
                await before(cancellationToken);
            }

            if (UnavailableBecause is { } reason)
            {
                throw new SeriesUnavailableException(reason);
            }

            return Commit(observations.Span);
        }
        finally
        {
            _commitTurn.Release();
        }
    }

    public bool TryGetLatest(int datastream, out Observation latest)
    {
        lock (_lock)
        {
            return _latest.TryGetValue(datastream, out latest);
        }
    }

    public async IAsyncEnumerable<Observation> RangeAsync(int datastream, DateTime from, DateTime to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        Interlocked.Increment(ref _rangesRead);
        foreach (var observation in Select(datastream, from, to))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return observation;
        }
    }

    public ValueTask<IReadOnlyList<int>> DatastreamsAsync(DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ValueTask.FromResult<IReadOnlyList<int>>([.. _streams.Where(stream => stream.Value.Keys.Any(time => time >= from && time < to)).Select(stream => stream.Key).Order()]);
        }
    }

    public async IAsyncEnumerable<Observation> HistoryAsync(int datastream, DateTime from, DateTime to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var lost in History.Where(o => o.Datastream == datastream && o.PhenomenonTime >= from && o.PhenomenonTime < to).OrderBy(o => o.PhenomenonTime).ThenByDescending(o => Rank(o)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return lost;
        }
    }

    public ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (query.Every.Width < TimeSpan.FromMicroseconds(1) || query.Every.Width.Ticks % TimeSpan.TicksPerMicrosecond != 0)
        {
            throw new ArgumentException("The width of a bucket is one microsecond or more, in whole microseconds.", nameof(query));
        }

        if (!(query.Percent >= 0 && query.Percent <= 100) || query.Cadence < TimeSpan.Zero)
        {
            throw new ArgumentException($"Not a question: {query}", nameof(query));
        }

        var buckets = new List<Bucket>();
        var members = new List<Piece>();
        (DateTime Start, DateTime End) edges = default;
        foreach (var piece in Pieces(query))
        {
            if (members.Count > 0 && piece.Time >= edges.End)
            {
                buckets.Add(Close(edges, members, query));
                members.Clear();
            }

            if (members.Count == 0)
            {
                edges = MemoryBuckets.Around(piece.Time, query.Every);
            }

            members.Add(piece);
        }

        if (members.Count > 0)
        {
            buckets.Add(Close(edges, members, query));
        }

        return ValueTask.FromResult<IReadOnlyList<Bucket>>(buckets);
    }

    public ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var changed = new Dictionary<int, DateTime>();
            foreach (var (datastream, stream) in _streams)
            {
                foreach (var (time, row) in stream)
                {
                    if (row.Commit > commit)
                    {
                        changed[datastream] = time;
                        break;
                    }
                }
            }

            return ValueTask.FromResult<IReadOnlyDictionary<int, DateTime>>(changed);
        }
    }

    public async ValueTask<long> DeleteAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        long removed = 0;
        foreach (var datastream in datastreams.Distinct().Where(_ => from < to))
        {
            removed += await RemoveAsync(datastream, from, to, cancellationToken);
            lock (_lock)
            {
                // Kept cells are not divided: whole hours go.
                foreach (var (key, kept) in _condensed.Where(kept => kept.Key.Datastream == datastream).ToList())
                {
                    kept.Rows.RemoveAll(o => Goes(o.PhenomenonTime));
                    kept.Cells.RemoveAll(cell => Goes(cell.Start));
                    if (kept.Rows.Count + kept.Cells.Count == 0)
                    {
                        _condensed.Remove(key);
                    }
                }
            }
        }

        return removed;

        bool Goes(DateTime time) => time.Date.AddHours(time.Hour) < to && time.Date.AddHours(time.Hour + 1) > from;
    }

    private async ValueTask<long> RemoveAsync(int only, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        int[] datastreams = [only];
        cancellationToken.ThrowIfCancellationRequested();
        await _commitTurn.WaitAsync(cancellationToken);
        try
        {
            if (UnavailableBecause is { } reason)
            {
                throw new SeriesUnavailableException(reason);
            }

            lock (_lock)
            {
                long removed = 0;
                foreach (var (datastream, stream) in _streams.Where(stream => datastreams.Contains(stream.Key)).ToList())
                {
                    foreach (var time in stream.Keys.Where(time => time >= from && time < to).ToList())
                    {
                        stream.Remove(time);
                        removed++;
                    }

                    _latest.Remove(datastream);
                    if (stream.Count > 0)
                    {
                        _latest[datastream] = stream.Values.Last().Observation;
                    }
                }

                foreach (var (key, _) in _history.Where(lost => datastreams.Contains(lost.Value.Datastream) && lost.Value.PhenomenonTime >= from && lost.Value.PhenomenonTime < to).ToList())
                {
                    _history.Remove(key);
                }

                return removed;
            }
        }
        finally
        {
            _commitTurn.Release();
        }
    }

    public IDisposable Subscribe(ISeriesObserver observer)
    {
        lock (_lock)
        {
            _observers.Add(observer);
        }

        return new Subscription(this, observer);
    }

    public void Dispose() => _commitTurn.Dispose();

    private AppendReceipt Commit(ReadOnlySpan<Observation> observations)
    {
        HeardCommit? commit = null;
        AppendReceipt receipt;
        ISeriesObserver[] observers;
        lock (_lock)
        {
            var number = _lastCommit + 1;
            var outcomes = new AppendOutcome[observations.Length];
            var survivors = new List<Observation>();
            var lost = false;
            for (var i = 0; i < observations.Length; i++)
            {
                var observation = observations[i];
                if (!_streams.TryGetValue(observation.Datastream, out var stream))
                {
                    _streams[observation.Datastream] = stream = [];
                }

                if (!stream.TryGetValue(observation.PhenomenonTime, out var stored))
                {
                    outcomes[i] = AppendOutcome.Stored;
                }
                else
                {
                    var order = Rank(observation).CompareTo(Rank(stored.Observation));
                    outcomes[i] = order > 0 ? AppendOutcome.Corrected : AppendOutcome.Duplicate;
                    var loser = order > 0 ? stored.Observation : observation;
                    lost |= order != 0 && _history.TryAdd((loser.Datastream, loser.PhenomenonTime, Rank(loser)), loser);
                }

                if (outcomes[i] != AppendOutcome.Duplicate)
                {
                    stream[observation.PhenomenonTime] = (observation, number);
                    if (outcomes[i] == AppendOutcome.Corrected)
                    {
                        survivors.RemoveAll(o => o.Datastream == observation.Datastream && o.PhenomenonTime == observation.PhenomenonTime);
                    }

                    survivors.Add(observation);
                    if (!_latest.TryGetValue(observation.Datastream, out var latest) || observation.PhenomenonTime >= latest.PhenomenonTime)
                    {
                        _latest[observation.Datastream] = observation;
                    }
                }
            }

            if (survivors.Count > 0 || lost)
            {
                Volatile.Write(ref _lastCommit, number);
                commit = new HeardCommit(number, survivors);
            }

            receipt = new AppendReceipt(_lastCommit, outcomes);
            observers = [.. _observers];
        }

        if (commit is not null)
        {
            foreach (var observer in observers)
            {
                Tell(observer, commit);
            }
        }

        return receipt;
    }

    private static void Tell(ISeriesObserver observer, HeardCommit commit)
    {
        try
        {
            observer.OnCommitted(new SeriesCommit(commit.Commit, [.. commit.Observations]));
        }
#pragma warning disable CA1031 // The contract: what an observer throws never reaches the appender.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private static void Refuse(in Observation o)
    {
        if (o.Datastream < 1 || o.PhenomenonTime.Kind != DateTimeKind.Utc || o.PhenomenonTime.Ticks % TimeSpan.TicksPerMicrosecond != 0
            || !double.IsFinite(o.Result) || double.IsInfinity(o.Raw) || o.Coverage is < 0 or > 1)
        {
            throw new ArgumentException($"Not an observation: {o}", nameof(o));
        }
    }

    private static (int, long, Quality, int, long, long) Rank(in Observation o) =>
        (o.Revision, Total(o.Result), o.Quality, o.Calibration, Total(o.Raw), Total(o.Coverage));

    /// <summary>IEEE 754 total order as an integer, with every NaN as one value below all others.</summary>
    private static long Total(double value)
    {
        if (double.IsNaN(value))
        {
            return long.MinValue;
        }

        var bits = BitConverter.DoubleToInt64Bits(value);
        return bits >= 0 ? bits : long.MinValue - bits - 1;
    }

    private List<Observation> Select(int datastream, DateTime from, DateTime to)
    {
        lock (_lock)
        {
            return _streams.TryGetValue(datastream, out var stream)
                ? [.. stream.Values.Select(row => row.Observation).Where(o => o.PhenomenonTime >= from && o.PhenomenonTime < to)]
                : [];
        }
    }

    private static Bucket Close((DateTime Start, DateTime End) edges, List<Piece> members, AggregateQuery query)
    {
        var count = members.Sum(piece => piece.Count);
        var value = query.Statistic switch
        {
            Statistic.Count => count,
            Statistic.Sum => SumInCells(members, query.Every, result => result, cell => cell.Sum),
            Statistic.Min => members.Min(piece => piece.Min),
            Statistic.Max => members.Max(piece => piece.Max),
            Statistic.Mean => SumInCells(members, query.Every, result => result, cell => cell.Sum) / count,
            Statistic.EnergyMean => 10 * Math.Log10(SumInCells(members, query.Every, Energy, cell => cell.EnergySum) / count),
            Statistic.First => members[0].First,
            Statistic.Last => members[^1].Last,
            Statistic.CircularMean => MeanDirection(SumInCells(members, query.Every, East, cell => cell.East) / count, SumInCells(members, query.Every, North, cell => cell.North) / count),
            Statistic.Percentile => Percentile([.. members.Select(piece => piece.First).Order()], query.Percent),
            _ => throw new ArgumentOutOfRangeException(nameof(query)),
        };
        var covered = members.Sum(piece => piece.Covered * query.Cadence.TotalSeconds);
        return new Bucket(edges.Start, edges.End, value, count, members.Aggregate(Quality.Good, (all, piece) => all | piece.Quality))
        {
            Min = members.Min(piece => piece.Min),
            Max = members.Max(piece => piece.Max),
            Coverage = query.Cadence == TimeSpan.Zero ? double.NaN : Math.Min(1, covered / (edges.End - edges.Start).TotalSeconds),
        };
    }

    private static double Energy(double level) => Math.Pow(10, level / 10);

    private static double East(double degrees) => Math.Sin(degrees * Math.PI / 180);

    private static double North(double degrees) => Math.Cos(degrees * Math.PI / 180);

    /// <summary>
    /// The promised order of additions: in order of time into the cells that make up the bucket, those in order of time into the bucket. Cells are of an hour, a quarter of an hour or a minute in UTC:
    /// the longest of which the width is a whole multiple, and by which the local clock was always set. Where there are none, one after the other.
    /// </summary>
    private static double SumInCells(List<Piece> members, BucketWidth every, Func<double, double> of, Func<CondensedCell, double> kept)
    {
        if (Cell(every) is not { } cell)
        {
            return members.Aggregate(0.0, (sum, piece) => sum + of(piece.First));
        }

        // A cell that is kept is one already.
        var sums = members.GroupBy(piece => MemoryBuckets.Around(piece.Time, new BucketWidth(cell)))
            .Select(group => group.First().Cell is { } one ? kept(one) : group.Aggregate(0.0, (sum, piece) => sum + of(piece.First))).ToList();
        return sums.Skip(1).Aggregate(sums[0], (sum, next) => sum + next);
    }

    private static TimeSpan? Cell(BucketWidth every)
    {
        foreach (var cell in new[] { TimeSpan.FromHours(1), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(1) })
        {
            if (every.Width >= cell && every.Width.Ticks % cell.Ticks == 0 && Offsets(every.Zone).All(offset => offset.Ticks % cell.Ticks == 0))
            {
                return cell;
            }
        }

        return null;
    }

    private static IEnumerable<TimeSpan> Offsets(TimeZoneInfo? zone) => zone is null
        ? []
        : zone.GetAdjustmentRules().Where(rule => rule.DateEnd.Year >= 1970).SelectMany(rule => new[] { rule.DaylightDelta, rule.BaseUtcOffsetDelta }).Append(zone.BaseUtcOffset);

    /// <summary>Place 1 + (n - 1) p / 100 of n results in order of size; between two of them in proportion.</summary>
    private static double Percentile(double[] ascending, double percent)
    {
        if (ascending.Length > 1_000_000)
        {
            throw new ArgumentException("A percentile is taken of at most 1,000,000 observations.");
        }

        var place = 1 + ((ascending.Length - 1) * percent / 100);
        var rank = (int)place;
        return rank >= ascending.Length ? ascending[^1] : (ascending[rank - 1] * (rank + 1 - place)) + (ascending[rank] * (place - rank));
    }

    private static double MeanDirection(double east, double north)
    {
        if (double.Hypot(east, north) < 1e-9)
        {
            return double.NaN;
        }

        var mean = Math.Atan2(east, north) * 180 / Math.PI;
        mean = mean < 0 ? mean + 360 : mean;
        return mean >= 360 ? 0 : mean;
    }

    private sealed class Subscription(MemorySeries series, ISeriesObserver observer) : IDisposable
    {
        public void Dispose()
        {
            lock (series._lock)
            {
                series._observers.Remove(observer);
            }
        }
    }
}
