using Hub.Edge.Contract.Commands;

namespace Hub.Edge.Uplink;

/// <summary>What the station has to say on <c>config/reported</c>.</summary>
/// <param name="Number">Counts up with every change, so that an acknowledgement can be told from one of an earlier report.</param>
/// <param name="Utf8">The JSON.</param>
public readonly record struct ReportedDocument(long Number, ReadOnlyMemory<byte> Utf8);

/// <summary>
/// Who takes what the hub wants of the station, and says what became of it. Where one is registered, <c>config/desired</c> is subscribed to and <c>config/reported</c> said, retained,
/// at every connection and whenever it changes.
/// </summary>
public interface ITwinLink
{
    /// <summary>The report now; from any thread.</summary>
    ReportedDocument Reported { get; }

    /// <summary>Completes when the report is no longer the one with this number; from any thread.</summary>
    Task ReportedChangedAsync(long number);

    /// <summary>The hub has acknowledged the report with this number, on a connection that was alive then. One call at a time.</summary>
    void ReportedAcknowledged(long number);

    /// <summary>A document came. One call at a time, never while a command is being done; the same document comes again at every connection.</summary>
    /// <param name="document">The payload as it came, at most 262,144 bytes; never empty.</param>
    /// <param name="cancellationToken">The agent stops.</param>
    Task DesiredAsync(ReadOnlyMemory<byte> document, CancellationToken cancellationToken);
}

/// <summary>What a command brought.</summary>
/// <param name="Reply">The answer.</param>
/// <param name="Afterwards">What is to be done once the hub has the answer, or could not be told within a few seconds; null for nothing.</param>
public sealed record CommandAnswer(CommandReply Reply, Action? Afterwards = null);

/// <summary>Who does what the hub commands. Where one is registered, <c>command/+</c> is subscribed to.</summary>
public interface ICommandLink
{
    /// <summary>
    /// Does a command. One call at a time, each command once: one that is delivered twice gets the answer it got. What it throws is told to the hub as failed.
    /// </summary>
    /// <param name="name">Name of the command, a slug; never <c>time</c>.</param>
    /// <param name="payload">Its arguments, as they came; may be empty.</param>
    /// <param name="cancellationToken">The agent stops, or the command took too long.</param>
    Task<CommandAnswer> CommandAsync(string name, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);
}

/// <summary>What the station says of itself, where it changes while the agent runs.</summary>
public interface IStationSelf
{
    /// <summary>The birth now; asked every few seconds, from one thread at a time.</summary>
    StationBirth Birth { get; }
}

/// <summary>What became of a new secret.</summary>
public enum RotationOutcome
{
    /// <summary>The hub has accepted it; it is kept and used from now on.</summary>
    Accepted = 1,

    /// <summary>The hub has refused it; the old one is used again.</summary>
    Refused = 2,

    /// <summary>The hub could not be reached in time; the old one is used again.</summary>
    Unreachable = 3,

    /// <summary>The uplink has no folder to keep it in.</summary>
    NoFolder = 4,
}
