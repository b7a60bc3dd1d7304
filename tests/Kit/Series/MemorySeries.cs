using System.Runtime.CompilerServices;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Tests.Kit;

/// <summary>
/// Reference implementation of <see cref="ISeries"/> in memory: the plainest code that keeps every promise of the seam, shares none with the real store, and so serves as its
/// model. Also stands in for the store in tests of other stages. Every append that changes something is a commit of its own; callers and observers see it before the append returns.
/// </summary>
public sealed class MemorySeries : ISeries, IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _commitTurn = new(1, 1);
    private readonly Dictionary<int, SortedDictionary<DateTime, (Observation Observation, long Commit)>> _streams = [];
    private readonly Dictionary<int, Observation> _latest = [];
    private readonly Dictionary<(int, DateTime, (int, long, Quality, int, long, long)), Observation> _history = [];
    private readonly List<ISeriesObserver> _observers = [];
    private long _lastCommit;

    /// <summary>While set, every append throws <see cref="SeriesUnavailableException"/> with this text and stores nothing.</summary>
    public string? UnavailableBecause { get; set; }

    /// <summary>Awaited before each commit: lets a test hold a commit back, or count them.</summary>
    public Func<CancellationToken, Task>? BeforeCommit { get; set; }

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
        foreach (var observation in Select(datastream, from, to))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return observation;
        }
    }

    public ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (query.Every.Width < TimeSpan.FromMicroseconds(1) || query.Every.Width.Ticks % TimeSpan.TicksPerMicrosecond != 0)
        {
            throw new ArgumentException("The width of a bucket is one microsecond or more, in whole microseconds.", nameof(query));
        }

        var buckets = new List<Bucket>();
        var members = new List<Observation>();
        (DateTime Start, DateTime End) edges = default;
        foreach (var observation in Select(query.Datastream, query.From, query.To).Where(o => (o.Quality & query.WithoutQuality) == 0))
        {
            if (members.Count > 0 && observation.PhenomenonTime >= edges.End)
            {
                buckets.Add(Close(edges, members, query.Statistic));
                members.Clear();
            }

            if (members.Count == 0)
            {
                edges = MemoryBuckets.Around(observation.PhenomenonTime, query.Every);
            }

            members.Add(observation);
        }

        if (members.Count > 0)
        {
            buckets.Add(Close(edges, members, query.Statistic));
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
        SeriesCommit? commit = null;
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
                commit = new SeriesCommit(number, survivors);
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

    private static void Tell(ISeriesObserver observer, SeriesCommit commit)
    {
        try
        {
            observer.OnCommitted(commit);
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

    private static Bucket Close((DateTime Start, DateTime End) edges, List<Observation> members, Statistic statistic)
    {
        var results = members.ConvertAll(o => o.Result);
        var value = statistic switch
        {
            Statistic.Count => results.Count,
            Statistic.Sum => results.Sum(),
            Statistic.Min => results.Min(),
            Statistic.Max => results.Max(),
            Statistic.Mean => results.Average(),
            Statistic.EnergyMean => 10 * Math.Log10(results.Average(level => Math.Pow(10, level / 10))),
            Statistic.First => results[0],
            Statistic.Last => results[^1],
            Statistic.CircularMean => MeanDirection(results),
            _ => throw new ArgumentOutOfRangeException(nameof(statistic)),
        };
        return new Bucket(edges.Start, edges.End, value, members.Count, members.Aggregate(Quality.Good, (all, o) => all | o.Quality));
    }

    private static double MeanDirection(List<double> degrees)
    {
        var east = degrees.Average(d => Math.Sin(d * Math.PI / 180));
        var north = degrees.Average(d => Math.Cos(d * Math.PI / 180));
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
