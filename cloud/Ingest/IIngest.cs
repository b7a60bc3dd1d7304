using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;

namespace Hub.Cloud.Ingest;

/// <summary>What became of one pack. Always <c>Received = Stored + Corrected + Duplicate + Quarantined</c>.</summary>
/// <param name="Received">Records seen.</param>
/// <param name="Stored">New observations, durable.</param>
/// <param name="Corrected">Observations that replaced a losing value, durable.</param>
/// <param name="Duplicate">Observations that were there already.</param>
/// <param name="Quarantined">Records refused and kept in the quarantine, durable.</param>
public readonly record struct PackReceipt(int Received, int Stored, int Corrected, int Duplicate, int Quarantined)
{
    /// <summary>The first refusals, at most 20, for an answer to the sender.</summary>
    public IReadOnlyList<Refusal> Refusals { get; init; } = [];

    /// <summary>False when the quarantine had to cut what was refused (more than 64 KiB): then the sender's bytes are the only whole ones.</summary>
    public bool Complete { get; init; } = true;

    /// <summary>True when nothing of the pack was taken.</summary>
    public bool AllRefused => Quarantined > 0 && Quarantined == Received;
}

/// <summary>One pack as it arrived.</summary>
/// <param name="Station">The authenticated station.</param>
/// <param name="Format">Encoding; null when the content type was not recognised: the pack is quarantined whole.</param>
/// <param name="Payload">The bytes; valid until the task completes.</param>
/// <param name="ReceivedAt">UTC instant of arrival.</param>
/// <param name="Transport">Where it came in: <c>mqtt</c>, <c>mqtt-client</c>, <c>http</c>, or the name of an adapter.</param>
public readonly record struct ArrivedPack(Station Station, PackFormat? Format, ReadOnlyMemory<byte> Payload, DateTime ReceivedAt, string Transport);

/// <summary>The one way in: every transport hands its packs here, and acknowledges only when the task completes. Safe for concurrent callers.</summary>
public interface IIngest
{
    /// <summary>Decodes, validates, resolves, de-duplicates and commits a pack; refused records go to the quarantine. On completion everything is on disk.</summary>
    /// <exception cref="Series.SeriesUnavailableException">Nothing may be acknowledged; the sender will send again.</exception>
    ValueTask<PackReceipt> AcceptAsync(ArrivedPack pack, CancellationToken cancellationToken);
}

/// <summary>One refused record, or a whole refused pack.</summary>
/// <param name="Id">Identifier, 1 or more, in order of arrival.</param>
/// <param name="Municipality">Slug as claimed by the sender's credentials or topic.</param>
/// <param name="Station">Slug likewise.</param>
/// <param name="ReceivedAt">UTC.</param>
/// <param name="Transport">Where it came in.</param>
/// <param name="Format">Encoding of <see cref="Payload"/>, null when unknown.</param>
/// <param name="Refusal">What, where and why.</param>
/// <param name="Payload">
/// The refused bytes, cut to 64 KiB; for a single record a pack of its own, with the base fields that applied to it, so that it can be released.
/// </param>
/// <param name="PayloadLength">Length before cutting.</param>
public sealed record QuarantinedRecord(long Id, string Municipality, string Station, DateTime ReceivedAt, string Transport, PackFormat? Format, Refusal Refusal, byte[] Payload, long PayloadLength);

/// <summary>What the quarantine holds of one station for one reason.</summary>
/// <param name="Municipality">Slug.</param>
/// <param name="Station">Slug.</param>
/// <param name="Reason">Why it was refused.</param>
/// <param name="Entries">Entries, 1 or more.</param>
/// <param name="Arrivals">How often they came in all: the same bytes again are the same entry.</param>
/// <param name="FirstAt">When the oldest came first, UTC.</param>
/// <param name="LastAt">When any came last, UTC.</param>
/// <param name="Bytes">Bytes kept.</param>
/// <param name="NewestId">Identifier of the newest entry: what comes in later has a larger one.</param>
public sealed record QuarantineGroup(string Municipality, string Station, RefusalReason Reason, long Entries, long Arrivals, DateTime FirstAt, DateTime LastAt, long Bytes, long NewestId);

/// <summary>Which entries are meant. Entries that come in after somebody has looked are never meant: they have a larger identifier than <paramref name="UpTo"/>.</summary>
/// <param name="Municipality">Slug.</param>
/// <param name="Station">Slug; null for all.</param>
/// <param name="Reason">Null for all.</param>
/// <param name="After">Only identifiers above this one; 0 from the oldest.</param>
/// <param name="UpTo">Only identifiers up to this one.</param>
public sealed record QuarantineScope(string Municipality, string? Station, RefusalReason? Reason, long After, long UpTo);

/// <summary>What became of many entries that were released together.</summary>
/// <param name="Tried">Entries sent through ingest again.</param>
/// <param name="Released">Entries of which everything was taken; they are gone.</param>
/// <param name="Receipt">The records in them, added up; the first refusals.</param>
/// <param name="Kept">Entries that were refused again, by the reason given now; they are kept.</param>
/// <param name="Left">Entries of the scope that were not tried.</param>
/// <param name="LastId">Identifier of the last entry tried: those left are above it; that of the scope's beginning when none was.</param>
/// <param name="Stopped">Why it ended before its limit, one line in English; null when nothing went wrong. Entries that were not taken are still there.</param>
public sealed record QuarantineRelease(
    int Tried, int Released, PackReceipt Receipt, IReadOnlyDictionary<RefusalReason, int> Kept, long Left, long LastId, string? Stopped);

/// <summary>Everything refused, with the reason, bounded per station (oldest evicted and counted). Safe for concurrent callers.</summary>
public interface IQuarantine
{
    /// <summary>Newest first; at most <paramref name="countMax"/> with an identifier below <paramref name="before"/>.</summary>
    /// <param name="municipality">Slug, or null for all.</param>
    /// <param name="station">Slug, or null for all.</param>
    /// <param name="reason">Only this reason, or null for all.</param>
    /// <param name="before">Only identifiers below this one; null starts at the newest.</param>
    /// <param name="countMax">1 to 1,000.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    ValueTask<IReadOnlyList<QuarantinedRecord>> ListAsync(string? municipality, string? station, RefusalReason? reason, long? before, int countMax, CancellationToken cancellationToken);

    /// <summary>One entry, or null.</summary>
    ValueTask<QuarantinedRecord?> FindAsync(long id, CancellationToken cancellationToken);

    /// <summary>
    /// Sends an entry through ingest again (its cause having been fixed) and removes it if all of it is taken; the receipt says what became of it. What is refused
    /// again stays in the entry.
    /// </summary>
    /// <exception cref="KeyNotFoundException">There is no such entry.</exception>
    /// <exception cref="Series.SeriesUnavailableException">The store cannot commit now; the entry stays.</exception>
    ValueTask<PackReceipt> ReleaseAsync(long id, CancellationToken cancellationToken);

    /// <summary>Removes an entry for good.</summary>
    ValueTask<bool> DiscardAsync(long id, CancellationToken cancellationToken);

    /// <summary>What there is of a municipality (null: of all), by station and reason, those that came in last first.</summary>
    ValueTask<IReadOnlyList<QuarantineGroup>> SummaryAsync(string? municipality, CancellationToken cancellationToken);

    /// <summary>
    /// Releases entries, the oldest first, each as <see cref="ReleaseAsync"/> does. An entry goes only after everything of it is stored, so one that could not be taken, or was not reached because the
    /// store went away in between, is still there, and nothing is stored twice.
    /// </summary>
    /// <param name="scope">Which.</param>
    /// <param name="countMax">At most so many, 1 to 5,000.</param>
    /// <param name="cancellationToken">Ends it between entries.</param>
    ValueTask<QuarantineRelease> ReleaseAllAsync(QuarantineScope scope, int countMax, CancellationToken cancellationToken);

    /// <summary>Removes entries for good, all or none; how many there were.</summary>
    /// <exception cref="Series.SeriesUnavailableException">The quarantine cannot be written now; all are still there.</exception>
    ValueTask<long> DiscardAllAsync(QuarantineScope scope, CancellationToken cancellationToken);
}

/// <summary>A message of the hub's own. Immutable.</summary>
/// <param name="Topic">Full topic.</param>
/// <param name="Payload">The bytes; empty and retained clears what is retained.</param>
/// <param name="ContentType">Media type of the payload.</param>
/// <param name="Retain">Whether the broker keeps it for those who come later.</param>
public sealed record HubMessage(string Topic, ReadOnlyMemory<byte> Payload, string ContentType, bool Retain = false)
{
    /// <summary>Where an answer is expected; null for a message that asks nothing.</summary>
    public string? ResponseTopic { get; init; }

    /// <summary>What the answer must carry, 1 to 64 bytes; empty for a message that asks nothing.</summary>
    public ReadOnlyMemory<byte> Correlation { get; init; }

    /// <summary>How long it may wait for its receiver, in whole seconds; then it is not delivered any more. Null for ever.</summary>
    public TimeSpan? Expiry { get; init; }
}

/// <summary>Publishes the hub's own messages (alarms, configuration, commands) on whichever broker is configured.</summary>
public interface IHubPublisher
{
    /// <summary>Publishes with QoS 1; completes when the broker has taken it. Safe for concurrent callers.</summary>
    /// <exception cref="BrokerUnavailableException">There is no broker to take it now: try again later.</exception>
    ValueTask PublishAsync(HubMessage message, CancellationToken cancellationToken);

    /// <inheritdoc cref="PublishAsync(HubMessage, CancellationToken)"/>
    ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload, string contentType, bool retain, CancellationToken cancellationToken) =>
        PublishAsync(new HubMessage(topic, payload, contentType, retain), cancellationToken);
}

/// <summary>The broker cannot be used now; the message says why. Transient.</summary>
public sealed class BrokerUnavailableException(string message, Exception? innerException = null) : Exception(message, innerException);

/// <summary>The embedded broker cannot start; the message is one line that names the setting and says what to do. Permanent until the setting is changed.</summary>
public sealed class BrokerStartException(string message, Exception? innerException = null) : Exception(message, innerException);

/// <summary>Counters of the ingest stage since start. Always <c>Received = Stored + Corrected + Duplicate + Quarantined</c> once nothing is in flight.</summary>
public readonly record struct IngestCounters(long Packs, long Received, long Stored, long Corrected, long Duplicate, long Quarantined, long RefusedLogins, long RefusedTopics, long Unavailable);

/// <summary>Reads the counters.</summary>
public interface IIngestCounters
{
    /// <summary>A consistent snapshot.</summary>
    IngestCounters Snapshot();
}
