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

    /// <summary>
    /// The value below which <see cref="AggregateQuery.Percent"/> of the results lie, by linear interpolation between the closest ranks: of n results in order of size the one at place
    /// 1 + (n - 1) percent / 100 (type 7 of Hyndman and Fan, The American Statistician 50, 1996). In acoustics LA10, exceeded 10 % of the time, is the 90th percentile and LA90 the 10th.
    /// </summary>
    Percentile,
}

/// <summary>Width and alignment of buckets.</summary>
/// <param name="Width">
/// Length of a bucket: one microsecond or more, whole microseconds. In a time zone its edges are the multiples of the width on the local clock since local 1970-01-01 00:00; a width of whole weeks counts from Monday, 1969-12-29. A bucket
/// longer than one hour begins when the local clock first shows its edge or a later time (a local day has 23 or 25 h on change days); one of up to an hour never reaches across a change of the
/// clock, so the hour that comes twice is two buckets. Every instant is in exactly one bucket.
/// </param>
/// <param name="Zone">Time zone to align weeks, days and hours in; null for UTC, aligned to the same dates there.</param>
public readonly record struct BucketWidth(TimeSpan Width, TimeZoneInfo? Zone = null);

/// <summary>One bucket that holds at least one observation. Its edges are those of the whole bucket, also where the question began or ended inside it.</summary>
/// <param name="Start">UTC instant at which the bucket begins, inclusive.</param>
/// <param name="End">UTC instant at which it ends, exclusive.</param>
/// <param name="Value">The statistic asked for.</param>
/// <param name="Count">Observations in the bucket.</param>
/// <param name="Quality">All quality flags met in it.</param>
public readonly record struct Bucket(DateTime Start, DateTime End, double Value, long Count, Quality Quality)
{
    /// <summary>Smallest result in the bucket, whatever was asked for: with <see cref="Max"/> the envelope of a chart.</summary>
    public double Min { get; init; } = double.NaN;

    /// <summary>Largest result in the bucket.</summary>
    public double Max { get; init; } = double.NaN;

    /// <summary>
    /// Share of the whole bucket that its observations cover, 0 to 1: each covers <see cref="AggregateQuery.Cadence"/> times its own coverage (1 when not stated). Measured against the bucket as
    /// long as it really is (a local day may have 23 or 25 h), also where the question began or ended inside it or the bucket is not over yet: a figure may look incomplete, never complete too
    /// early. NaN when the cadence is unknown.
    /// </summary>
    public double Coverage { get; init; } = double.NaN;
}

/// <summary>What changed in one commit. It is only there while an observer is told: whoever wants to keep something of it copies that.</summary>
/// <param name="commit">Number of the commit.</param>
/// <param name="observations">What it stored or corrected.</param>
public readonly ref struct SeriesCommit(long commit, ReadOnlySpan<Observation> observations)
{
    /// <summary>Number of the commit.</summary>
    public long Commit { get; } = commit;

    /// <summary>
    /// The observations stored or corrected by it (duplicates left out, and values that lost within the same commit), in order of arrival. Empty when the commit only added to the history.
    /// </summary>
    public ReadOnlySpan<Observation> Observations { get; } = observations;
}

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
public sealed record AggregateQuery(int Datastream, DateTime From, DateTime To, BucketWidth Every, Statistic Statistic, Quality WithoutQuality = Quality.Good)
{
    /// <summary>For <see cref="Statistic.Percentile"/>: share of the results that lie below the value, 0 (the smallest) to 100 (the largest), percent. Default 50, the median.</summary>
    public double Percent { get; init; } = 50;

    /// <summary>Declared time from one observation to the next, which is how long each stands for; zero (default) when unknown. Only <see cref="Bucket.Coverage"/> depends on it.</summary>
    public TimeSpan Cadence { get; init; }
}

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

    /// <summary>The earliest and the latest phenomenon time that the store can hold, UTC, both inclusive; an append outside is refused with <see cref="ArgumentException"/>.</summary>
    (DateTime Earliest, DateTime Latest) Times => (DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc), DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc));

    /// <summary>The observation with the latest phenomenon time of a datastream, from memory.</summary>
    bool TryGetLatest(int datastream, out Observation latest);

    /// <summary>Observations of one datastream with <paramref name="from"/> &lt;= phenomenonTime &lt; <paramref name="to"/>, in order of time.</summary>
    IAsyncEnumerable<Observation> RangeAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken);

    /// <summary>How much of [from, to) can hold observations at most: the UTC days in which anything of any datastream is stored. For telling what a question may cost; a store that does not know says all of it.</summary>
    TimeSpan HeldWithin(DateTime from, DateTime to) => to > from ? to - from : TimeSpan.Zero;

    /// <summary>Datastreams with an observation in [from, to), ascending. For export, migration and retention; may read much.</summary>
    ValueTask<IReadOnlyList<int>> DatastreamsAsync(DateTime from, DateTime to, CancellationToken cancellationToken);

    /// <summary>
    /// Values of one datastream that lost against another value for their key, with <paramref name="from"/> &lt;= phenomenonTime &lt; <paramref name="to"/>, each once, in order of time and, within
    /// one time, the better value first.
    /// </summary>
    IAsyncEnumerable<Observation> HistoryAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken);

    /// <summary>
    /// Buckets that hold data, in order of time. The figures are a function of the question and the set of observations, to the last bit, on every store: sums are taken in order of time into cells
    /// of 1 h, 15 min or 1 min (the longest that makes up the buckets asked for; none for percentiles and other widths), and of the cells in order of time into the bucket.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The width is below one microsecond or not whole, the percentage is outside 0 to 100, the cadence is negative, the answer would have more buckets than the store allows, or a percentile is
    /// asked of a bucket of more than 1,000,000 observations.
    /// </exception>
    ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// One question about many datastreams, a city's stations for instance: for each the buckets that <see cref="AggregateAsync"/> gives, to the last bit; those without a bucket are left out. Much
    /// cheaper than asking for one after the other where the store keeps neighbours together.
    /// </summary>
    /// <param name="datastreams">100,000 at most, in any order; one that comes twice is answered once.</param>
    /// <param name="query">The question; its <see cref="AggregateQuery.Datastream"/> does not matter.</param>
    /// <param name="cancellationToken">Ends the question soon.</param>
    /// <exception cref="ArgumentException">As for <see cref="AggregateAsync"/>; there are more datastreams than 100,000, more buckets in all than the store allows in an answer, or more to read for it than the store allows (cells of rollups included).</exception>
    ValueTask<IReadOnlyDictionary<int, IReadOnlyList<Bucket>>> AggregateManyAsync(IReadOnlyCollection<int> datastreams, AggregateQuery query, CancellationToken cancellationToken) =>
        ManyDatastreams.EachAsync(this, datastreams, query, SeriesOptions.BucketsMaxDefault, cancellationToken);

    /// <summary>Number of the last durable commit; 0 for an empty store. An append that changes nothing makes no commit and reports this number.</summary>
    long LastCommit { get; }

    /// <summary>
    /// For every datastream changed by commits after <paramref name="commit"/>: the earliest phenomenon time that changed. Lets a reader that was away catch up. For commits of long ago a store may
    /// name an earlier time than necessary, or a datastream that did not change since; it never misses a change.
    /// </summary>
    ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken);

    /// <summary>
    /// Removes the observations of some datastreams with <paramref name="from"/> &lt;= phenomenonTime &lt; <paramref name="to"/>, with their history. When the task completes this is durable and
    /// the space is given back; latest values follow; the same observations may be appended again. What is appended meanwhile may stay or go. It makes no commit and observers do not hear of it.
    /// For retention and corrections of mistakes; may rewrite much. Once begun it runs to its end; repeating it does no harm.
    /// </summary>
    /// <returns>Number of observations removed, without history.</returns>
    /// <exception cref="SeriesUnavailableException">The store cannot write now: some or none of it is removed; try again.</exception>
    ValueTask<long> DeleteAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken);

    /// <summary>Whether <see cref="CondenseAsync"/> and <see cref="TakeCondensedAsync"/> can be asked.</summary>
    bool CanCondense => false;

    /// <summary>True while appends wait for a commit: whoever works in the background gives way. Changes all the time; read concurrently.</summary>
    bool AppendsWait => false;

    /// <summary>
    /// Removes the observations of some datastreams in the whole UTC days of [from, to), with their history, and keeps their rollups of 1 h, 15 min and, on days with more than 2,880 observations, 1 min. When
    /// the task completes this is durable and the space is given back. From then on those rollups are all that counts for figures of these days: they stay as they are to the last bit; what comes later for such a
    /// day is stored and read, changes no figure, and goes when this is asked again. Figures that cannot be made of the rollups are not given: percentiles, widths without cells (7 min), minutes where none are kept,
    /// sums that do not suit the quantity (<see cref="IDatastreamStatistics"/>), a cell that an end of the question divides. Flags found since (<see cref="IFindings"/>) are kept with them. With <see cref="AggregateQuery.WithoutQuality"/> a cell in which one of those flags
    /// occurs is given by its observations without any flag. <see cref="DeleteAsync"/> removes kept rollups too: of every hour that its stretch touches. It makes no commit and observers do not hear of it.
    /// For retention; may rewrite much. Once begun it runs to its end; repeating it does no harm.
    /// </summary>
    /// <returns>Number of observations removed, without history.</returns>
    /// <exception cref="NotSupportedException">The store keeps no rollups without their observations (<see cref="CanCondense"/>).</exception>
    /// <exception cref="SeriesUnavailableException">The store cannot write now: some or none of it is done; try again.</exception>
    ValueTask<long> CondenseAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        throw new NotSupportedException($"This store keeps no rollups without their observations: give policies that keep both equally long, or use the embedded store ({SeriesOptions.Section}:Store).");

    /// <summary>For each datastream the number of UTC days beginning in [from, to) of which rollups are kept without their observations; those with none are left out. For retention; may read much.</summary>
    ValueTask<IReadOnlyDictionary<int, int>> CondensedAsync(DateTime from, DateTime to, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<int, int>>(new Dictionary<int, int>());

    /// <summary>Whether rollups are kept without their observations of a UTC day of a datastream that [from, to) reaches into.</summary>
    ValueTask<bool> IsCondensedAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) => ValueTask.FromResult(false);

    /// <summary>
    /// What is kept without its observations of UTC days that begin in [from, to): month by month, in a month datastream by datastream, of each day by day. Every day is as it was at some moment of the question. For
    /// migration and export; may read much.
    /// </summary>
    /// <param name="datastreams">Those asked about; null for all.</param>
    /// <param name="from">UTC, inclusive.</param>
    /// <param name="to">UTC, exclusive.</param>
    /// <param name="cancellationToken">Ends the question soon.</param>
    /// <exception cref="SeriesUnavailableException">The store cannot be asked now.</exception>
    IAsyncEnumerable<CondensedDay> CondensedDaysAsync(IReadOnlyCollection<int>? datastreams, DateTime from, DateTime to, CancellationToken cancellationToken) => AsyncEnumerable.Empty<CondensedDay>();

    /// <summary>
    /// Takes in rollups that another store keeps without their observations, as if this one had condensed those days itself. When the task completes this is durable; killed before, each day is taken or is not. A day of
    /// which rollups are kept already stays as it is, so giving the same again changes nothing. A day with observations and no rollups is not taken, since its figures would lose them: give rollups first and
    /// what came later for these days afterwards. It makes no commit and observers do not hear of it. Many days of one month in one call are much cheaper than one after the other. Once begun it runs to its end.
    /// </summary>
    /// <param name="days">Each datastream and day once; a few million cells at most, they are held in memory.</param>
    /// <param name="cancellationToken">Withdraws the call before it has begun.</param>
    /// <returns>One outcome for each, same order.</returns>
    /// <exception cref="ArgumentException">One of them is no day of rollups (<see cref="CondensedDay"/>), or comes twice: nothing is taken.</exception>
    /// <exception cref="NotSupportedException">The store keeps no rollups without their observations (<see cref="CanCondense"/>).</exception>
    /// <exception cref="SeriesUnavailableException">The store cannot write now: some or none of them are taken; try again.</exception>
    ValueTask<IReadOnlyList<CondensedOutcome>> TakeCondensedAsync(IReadOnlyList<CondensedDay> days, CancellationToken cancellationToken) =>
        throw new NotSupportedException($"This store keeps no rollups without their observations: use the embedded store ({SeriesOptions.Section}:Store).");

    /// <summary>Number of observations of a datastream that are stored with <paramref name="from"/> &lt;= phenomenonTime &lt; <paramref name="to"/>. A count by <see cref="AggregateAsync"/> is one of figures: it counts those of kept rollups too.</summary>
    async ValueTask<long> CountAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        var count = 0L;
        await foreach (var _ in RangeAsync(datastream, from, to, cancellationToken).ConfigureAwait(false))
        {
            count++;
        }

        return count;
    }

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
