using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>A reading the hub has accepted.</summary>
/// <param name="Datastream">Identifier of the datastream, given by the Stations stage; 1 or more.</param>
/// <param name="PhenomenonTime">UTC, whole microseconds; start of the averaging period.</param>
/// <param name="Result">Finite value in the canonical unit of the datastream's quantity.</param>
/// <param name="Quality">What is known against the value.</param>
public readonly record struct Observation(int Datastream, DateTime PhenomenonTime, double Result, Quality Quality)
{
    /// <summary>Value before calibration; NaN when no calibration was applied.</summary>
    public double Raw { get; init; } = double.NaN;

    /// <summary>Version of the calibration that made <see cref="Result"/>; 0 when none.</summary>
    public int Calibration { get; init; }

    /// <summary>Share of the averaging period really measured, 0 to 1; NaN when not stated.</summary>
    public double Coverage { get; init; } = double.NaN;

    /// <summary>Revision by the source: of two values for the same key the larger revision wins.</summary>
    public int Revision { get; init; }
}

/// <summary>What became of one appended observation.</summary>
public enum AppendOutcome : byte
{
    /// <summary>New: stored.</summary>
    Stored,

    /// <summary>The key (datastream, phenomenonTime) was there already with the same or a winning value. A losing value that is new goes to the history.</summary>
    Duplicate,

    /// <summary>The key was there with a losing value: replaced, the loser kept in the history.</summary>
    Corrected,
}

/// <summary>Outcome of one append. Arrays run parallel to the appended observations.</summary>
/// <param name="Commit">Number of the group commit that made it durable; commits are numbered 1, 2, 3, ... over the life of the store.</param>
/// <param name="Outcomes">One outcome per observation, same order.</param>
public sealed record AppendReceipt(long Commit, AppendOutcome[] Outcomes);

/// <summary>Figure asked of a bucket of observations.</summary>
public enum Statistic
{
    /// <summary>Number of observations.</summary>
    Count,

    /// <summary>Sum of results.</summary>
    Sum,

    /// <summary>Smallest result.</summary>
    Min,

    /// <summary>Largest result.</summary>
    Max,

    /// <summary>Arithmetic mean.</summary>
    Mean,

    /// <summary>10 lg of the mean of 10^(L/10).</summary>
    EnergyMean,

    /// <summary>Result with the earliest phenomenon time.</summary>
    First,

    /// <summary>Result with the latest phenomenon time.</summary>
    Last,

    /// <summary>Direction of the mean unit vector, degrees from 0 to below 360; NaN when the directions cancel out (mean vector shorter than 1e-9).</summary>
    CircularMean,
}

/// <summary>Width and alignment of buckets.</summary>
/// <param name="Width">
/// Length of a bucket: one microsecond or more, whole microseconds. In a time zone its edges are the multiples of the width on the local clock since local 1970-01-01 00:00. A bucket
/// longer than one hour begins when the local clock first shows its edge or a later time (a local day has 23 or 25 h on change days); one of up to an hour never reaches across a change of the
/// clock, so the hour that comes twice is two buckets. Every instant is in exactly one bucket.
/// </param>
/// <param name="Zone">Time zone to align days and hours in; null for UTC, aligned to the epoch.</param>
public readonly record struct BucketWidth(TimeSpan Width, TimeZoneInfo? Zone = null);

/// <summary>One bucket that holds at least one observation. Its edges are those of the whole bucket, also where the question began or ended inside it.</summary>
/// <param name="Start">UTC instant at which the bucket begins, inclusive.</param>
/// <param name="End">UTC instant at which it ends, exclusive.</param>
/// <param name="Value">The statistic asked for.</param>
/// <param name="Count">Observations in the bucket.</param>
/// <param name="Quality">All quality flags met in it.</param>
public readonly record struct Bucket(DateTime Start, DateTime End, double Value, long Count, Quality Quality);

/// <summary>What changed in one commit.</summary>
/// <param name="Commit">Number of the commit.</param>
/// <param name="Observations">
/// The observations stored or corrected by it (duplicates left out, and values that lost within the same commit), in order of arrival. Empty when the commit only added to the history.
/// </param>
public sealed record SeriesCommit(long Commit, IReadOnlyList<Observation> Observations);

/// <summary>Hears of each commit after it is durable.</summary>
public interface ISeriesObserver
{
    /// <summary>Called on the committer's thread, in commit order: must return at once (note it, wake somebody) and must not throw.</summary>
    void OnCommitted(SeriesCommit commit);
}

/// <summary>A bucket-by-bucket question about one datastream.</summary>
/// <param name="Datastream">The datastream.</param>
/// <param name="From">UTC, inclusive.</param>
/// <param name="To">UTC, exclusive.</param>
/// <param name="Every">Buckets.</param>
/// <param name="Statistic">Figure asked for.</param>
/// <param name="WithoutQuality">Observations with any of these flags are left out.</param>
public sealed record AggregateQuery(int Datastream, DateTime From, DateTime To, BucketWidth Every, Statistic Statistic, Quality WithoutQuality = Quality.Good);

/// <summary>
/// The city's time series in event time. Safe for concurrent callers. Replay equals live: the content is a function of the set of observations appended.
/// </summary>
public interface ISeries
{
    /// <summary>
    /// Appends observations; when the task completes they are on disk (one fsync per group commit, shared by all callers waiting). An observation is
    /// identified by (datastream, phenomenonTime); between two values for one key the larger <see cref="Observation.Revision"/> wins, then the larger result by
    /// total order, then the larger quality flags, calibration, raw value and coverage (not stated is smallest): never the order of arrival. The loser goes to the history.
    /// All of one call becomes durable in one commit, or none of it. Do not change the memory before the task completes. Cancelling before the commit has begun withdraws the call;
    /// later it has no effect. Callers wait while the queue is full.
    /// </summary>
    /// <exception cref="ArgumentException">An observation is not one (datastream below 1, time not UTC in whole microseconds, result not finite, raw infinite, coverage outside 0 to 1): nothing of this call is stored.</exception>
    /// <exception cref="SeriesUnavailableException">The store cannot commit now (disk full, server away): nothing of this call is promised; do not acknowledge, try again.</exception>
    ValueTask<AppendReceipt> AppendAsync(ReadOnlyMemory<Observation> observations, CancellationToken cancellationToken);

    /// <summary>The observation with the latest phenomenon time of a datastream, from memory.</summary>
    bool TryGetLatest(int datastream, out Observation latest);

    /// <summary>Observations of one datastream with <paramref name="from"/> &lt;= phenomenonTime &lt; <paramref name="to"/>, in order of time.</summary>
    IAsyncEnumerable<Observation> RangeAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken);

    /// <summary>Buckets that hold data, in order of time. The figures are a function of the set of observations, to the last bit.</summary>
    /// <exception cref="ArgumentException">The width is below one microsecond or not whole, or the answer would have more buckets than the store allows.</exception>
    ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken);

    /// <summary>Number of the last durable commit; 0 for an empty store. An append that changes nothing makes no commit and reports this number.</summary>
    long LastCommit { get; }

    /// <summary>For every datastream changed by commits after <paramref name="commit"/>: the earliest phenomenon time that changed. Lets a reader that was away catch up.</summary>
    ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken);

    /// <summary>Hears every later commit until disposed. To miss nothing: subscribe first, then ask <see cref="ChangedSinceAsync"/>.</summary>
    IDisposable Subscribe(ISeriesObserver observer);
}

/// <summary>The store cannot commit now; the message says why and what the operator can do. Transient: the caller must not acknowledge.</summary>
public sealed class SeriesUnavailableException : Exception
{
    /// <summary>Creates the exception.</summary>
    public SeriesUnavailableException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }
}

/// <summary>Which statistic represents a quantity over a longer period.</summary>
public static class Statistics
{
    /// <summary>The statistic that is right for an averaging rule; <see cref="AveragingRule.None"/> shows the maximum.</summary>
    public static Statistic Of(AveragingRule rule) => rule switch
    {
        AveragingRule.EnergyMean => Statistic.EnergyMean,
        AveragingRule.Sum => Statistic.Sum,
        AveragingRule.Max => Statistic.Max,
        AveragingRule.Min => Statistic.Min,
        AveragingRule.CircularMean => Statistic.CircularMean,
        AveragingRule.None => Statistic.Max,
        _ => Statistic.Mean,
    };
}
