using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>A stretch of one datastream whose observations, all of them, carry flags that were found after they were stored.</summary>
/// <param name="From">UTC, inclusive: the phenomenon time of the first flagged observation.</param>
/// <param name="To">UTC, exclusive: one microsecond after the phenomenon time of the last.</param>
/// <param name="Flags">What was found; at least one flag.</param>
public readonly record struct FlagStretch(DateTime From, DateTime To, Quality Flags);

/// <summary>
/// Flags found after observations were stored: an overlay, which never changes what is stored. Answers from memory. Safe for concurrent callers; each answer is of one moment.
/// </summary>
public interface IFindings
{
    /// <summary>The flags at one phenomenon time of a datastream; <see cref="Quality.Good"/> when there are none.</summary>
    Quality At(int datastream, DateTime time);

    /// <summary>Stretches of a datastream that reach into [from, to), in order of time, without overlap, uncut. Empty, and nearly free, when nothing is flagged.</summary>
    IReadOnlyList<FlagStretch> Within(int datastream, DateTime from, DateTime to);
}

/// <summary>Takes findings away with the observations they are about. For whoever removes observations for good (retention): asked after the removal. Safe for concurrent callers.</summary>
public interface IFindingsRemoval
{
    /// <summary>Datastreams with a finding that begins before an instant, UTC; in no order, from memory. Also those of which nothing is stored any more.</summary>
    IReadOnlyList<int> DatastreamsBefore(DateTime before);

    /// <summary>
    /// Removes, of some datastreams, the findings with <paramref name="from"/> &lt;= time &lt; <paramref name="to"/> whose observations are gone; of one that still has some, what is left is kept. What flagged
    /// an observation that is kept stays found, also where it was compared with what is gone. Durable, and seen by readers, when the task completes; repeating it does no harm.
    /// </summary>
    /// <returns>Number of findings removed, those that became shorter not counted.</returns>
    ValueTask<long> RemoveAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken);
}
