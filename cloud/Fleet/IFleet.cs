using System.Text.Json;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Twin;

namespace Hub.Cloud.Fleet;

/// <summary>Why there is a version of what is wanted of a station. Stored: never renumber.</summary>
public enum WantedChange
{
    /// <summary>Somebody set other settings.</summary>
    Settings = 1,

    /// <summary>Somebody put the settings of an earlier version in force again.</summary>
    Undo = 2,

    /// <summary>The rules marked for the edge have changed.</summary>
    Rules = 3,

    /// <summary>Another agent is wanted.</summary>
    Agent = 4,
}

/// <summary>One version of what is wanted of a station. Immutable.</summary>
/// <param name="Version">1 or more, counted up for each station.</param>
/// <param name="Settings">Keys of the station file that go over it; null for the station file alone.</param>
/// <param name="Rules">Thresholds the station watches itself.</param>
/// <param name="Agent">The agent that should run; null for the one that does.</param>
/// <param name="Trial">Trial time; null for the contract's default.</param>
/// <param name="ChangedBy">User name, or <c>hub</c> for changes that follow from others.</param>
/// <param name="ChangedAt">UTC.</param>
/// <param name="Change">Why.</param>
/// <param name="UndoneTo">Version whose settings were put in force again, for <see cref="WantedChange.Undo"/>; otherwise null.</param>
public sealed record Wanted(
    long Version, JsonElement? Settings, IReadOnlyList<EdgeRule> Rules, AgentTarget? Agent, TimeSpan? Trial, string ChangedBy, DateTime ChangedAt, WantedChange Change, long? UndoneTo);

/// <summary>Whether a station is there.</summary>
public enum Presence
{
    /// <summary>It has never said anything of itself.</summary>
    Unknown = 0,

    /// <summary>It said so, and the time for which that holds has not passed.</summary>
    Online = 1,

    /// <summary>It, or its last will, said that it has gone; or it has not renewed its word in time.</summary>
    Offline = 2,
}

/// <summary>One sensor as the station speaks of it.</summary>
/// <param name="Name">Name of the instrument.</param>
/// <param name="Kind">Kind of device; empty when not said.</param>
/// <param name="Condition"><c>starting</c>, <c>running</c>, <c>failing</c> or <c>dead</c>; null when not said (older agents), any other word as it came.</param>
/// <param name="Quantities">Identifiers of what it observes.</param>
public sealed record StatusSensor(string Name, string Kind, string? Condition, IReadOnlyList<string> Quantities);

/// <summary>What a station said of itself last: its birth, or its last will. Texts are the station's own and bounded.</summary>
/// <param name="Online">Whether it said it is there.</param>
/// <param name="Reason">Why it has gone: <c>lost</c>, <c>stopped</c>; null when it is there.</param>
/// <param name="Agent">Name and version of the agent; null when not said.</param>
/// <param name="Started">When the agent started, UTC; null when not said.</param>
/// <param name="Sensors">Its sensors; empty when not said.</param>
public sealed record StationStatus(bool Online, string? Reason, string? Agent, DateTime? Started, IReadOnlyList<StatusSensor> Sensors);

/// <summary>What is known of the agent at a station. Immutable.</summary>
/// <param name="Presence">Whether it is there now.</param>
/// <param name="Status">What it said last; null when it never did.</param>
/// <param name="StatusAt">When that arrived, UTC; null when it never did.</param>
/// <param name="Reported">What became of what is wanted; null when it never said.</param>
/// <param name="ReportedAt">When that arrived, UTC; null when it never did.</param>
public sealed record AgentView(Presence Presence, StationStatus? Status, DateTime? StatusAt, ReportedState? Reported, DateTime? ReportedAt)
{
    /// <summary>What the sensors, all that is known of them, were last said to be: those of the newest birth, also after the station has gone.</summary>
    public IReadOnlyList<StatusSensor> Sensors => Status?.Sensors ?? [];
}

/// <summary>How far a command has come. Stored: never renumber.</summary>
public enum CommandStep
{
    /// <summary>Not sent yet.</summary>
    Waiting = 1,

    /// <summary>Sent; the answer is awaited.</summary>
    Sent = 2,

    /// <summary>The station did it.</summary>
    Done = 3,

    /// <summary>The station, or the hub in its place, will not: sending it again as it is helps nobody.</summary>
    Refused = 4,

    /// <summary>It was tried and went wrong.</summary>
    Failed = 5,

    /// <summary>No answer came in time. The station may have done it or not.</summary>
    Expired = 6,
}

/// <summary>A command and what became of it. Immutable.</summary>
/// <param name="Id">Identifier, 1 or more.</param>
/// <param name="Name">Name in the contract.</param>
/// <param name="AskedBy">User name.</param>
/// <param name="AskedAt">UTC.</param>
/// <param name="ExpiresAt">When the station will not do it any more, UTC.</param>
/// <param name="Step">How far it has come.</param>
/// <param name="AnsweredAt">UTC; null before.</param>
/// <param name="Problem">Why not, one line in English; null while it goes well.</param>
/// <param name="Result">What was asked for; null when there is none. Never holds a secret of the hub's making.</param>
public sealed record AgentCommand(
    long Id, string Name, string AskedBy, DateTime AskedAt, DateTime ExpiresAt, CommandStep Step, DateTime? AnsweredAt, string? Problem, JsonElement? Result)
{
    /// <summary>Whether nothing more will come of it (except, after <see cref="CommandStep.Expired"/>, a late answer).</summary>
    public bool IsOver => Step is not (CommandStep.Waiting or CommandStep.Sent);
}

/// <summary>A claim code just made: the only time it can be seen.</summary>
/// <param name="Code">Twelve characters in three groups.</param>
/// <param name="Profile">Station profile that the installer should use; null for none.</param>
/// <param name="ExpiresAt">UTC.</param>
public sealed record IssuedClaim(string Code, string? Profile, DateTime ExpiresAt);

/// <summary>What is known of a station's newest claim code.</summary>
/// <param name="Profile">Station profile; null for none.</param>
/// <param name="IssuedBy">User name.</param>
/// <param name="IssuedAt">UTC.</param>
/// <param name="ExpiresAt">UTC.</param>
/// <param name="UsedAt">When a station used it, UTC; null before.</param>
/// <param name="UsedBy">Agent and machine that used it, in their own words; null before.</param>
public sealed record ClaimState(string? Profile, string IssuedBy, DateTime IssuedAt, DateTime ExpiresAt, DateTime? UsedAt, string? UsedBy);

/// <summary>What a list of many stations says of one, read for all of them at once.</summary>
/// <param name="WantedVersion">Version wanted now; 0 when nothing ever was.</param>
/// <param name="WantedAgent">Version of the agent wanted; null for the one that runs.</param>
/// <param name="LastCommand">The newest command, without its result; null when there was none.</param>
/// <param name="Claim">The newest claim code; null when there was none.</param>
public sealed record FleetLine(long WantedVersion, string? WantedAgent, AgentCommand? LastCommand, ClaimState? Claim)
{
    /// <summary>Of a station of which nothing is known.</summary>
    public static readonly FleetLine Empty = new(0, null, null, null);
}

/// <summary>
/// Looks after the agents at the stations: what is wanted of them and what they say of it, commands, and how new ones become ours. Callers have checked that whoever asks may: nothing here
/// knows people but by name. Changes are durable when the task completes; a running hub carries them to the station within moments, also those of another process on the same database.
/// Safe for concurrent callers.
/// </summary>
public interface IFleet
{
    /// <summary>What is known of the agent; from memory.</summary>
    AgentView AgentOf(int stationId);

    /// <summary>What is wanted of a station now; null when nothing ever was.</summary>
    ValueTask<Wanted?> WantedAsync(int stationId, CancellationToken cancellationToken);

    /// <summary>The newest versions, newest first, at most <paramref name="countMax"/>.</summary>
    ValueTask<IReadOnlyList<Wanted>> HistoryAsync(int stationId, int countMax, CancellationToken cancellationToken);

    /// <summary>Sets the settings wanted of a station. The same as before makes no new version.</summary>
    /// <param name="station">The station.</param>
    /// <param name="settings">An object with keys of the station file; null for the station file alone.</param>
    /// <param name="trial">Trial time, 30 s to 1 day; null for the contract's default.</param>
    /// <param name="expectedVersion">Version the caller has seen, 0 for none; null to put it through whatever happened meanwhile.</param>
    /// <param name="by">Who wants it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SettingsRefusedException">They cannot be; each problem names its key.</exception>
    /// <exception cref="WantedChangedException">Somebody else was faster.</exception>
    ValueTask<Wanted> WantSettingsAsync(Station station, JsonElement? settings, TimeSpan? trial, long? expectedVersion, string by, CancellationToken cancellationToken);

    /// <summary>Puts the settings of an earlier version in force again, as a new version. Rules and agent stay as they are now.</summary>
    /// <exception cref="KeyNotFoundException">There is no such version (any more).</exception>
    /// <exception cref="WantedChangedException">Somebody else was faster.</exception>
    ValueTask<Wanted> RestoreSettingsAsync(Station station, long version, long? expectedVersion, string by, CancellationToken cancellationToken);

    /// <summary>Sets the agent wanted at a station; null for the one that runs.</summary>
    /// <exception cref="SettingsRefusedException">The target breaks a rule of the contract, or the document would become too large.</exception>
    ValueTask<Wanted> WantAgentAsync(Station station, AgentTarget? agent, string by, CancellationToken cancellationToken);

    /// <summary>Sends a command and waits for its answer.</summary>
    /// <param name="station">The station.</param>
    /// <param name="name">Name in the contract (<c>CommandNames</c>). For <c>rotate-credentials</c> the hub makes the secret; no arguments are taken.</param>
    /// <param name="arguments">An object, at most 16 KiB; null for none.</param>
    /// <param name="patience">Longest wait for the answer; what has come until then is returned.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="cancellationToken">Ends the wait, not the command.</param>
    /// <exception cref="ArgumentException">No such command, or wrong arguments.</exception>
    /// <exception cref="StationAwayException">The station is not there; nothing was sent.</exception>
    /// <exception cref="FleetBusyException">Too many commands are under way; nothing was sent.</exception>
    ValueTask<AgentCommand> CommandAsync(Station station, string name, JsonElement? arguments, TimeSpan patience, string by, CancellationToken cancellationToken);

    /// <summary>A command of a station; null when there is none (any more).</summary>
    ValueTask<AgentCommand?> FindCommandAsync(int stationId, long id, CancellationToken cancellationToken);

    /// <summary>The newest commands of a station, newest first, at most <paramref name="countMax"/>.</summary>
    ValueTask<IReadOnlyList<AgentCommand>> CommandsAsync(int stationId, int countMax, CancellationToken cancellationToken);

    /// <summary>Makes a code with which one new agent becomes this station, once. One made before and not used yet ends.</summary>
    /// <param name="station">The station.</param>
    /// <param name="profile">Name of a station profile, 1 to 64 of <c>a-z 0-9 -</c>; null for none.</param>
    /// <param name="by">Who makes it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">The profile breaks its rule.</exception>
    ValueTask<IssuedClaim> IssueClaimAsync(Station station, string? profile, string by, CancellationToken cancellationToken);

    /// <summary>Ends a station's code that has not been used yet; false when there is none.</summary>
    ValueTask<bool> RevokeClaimAsync(Station station, string by, CancellationToken cancellationToken);

    /// <summary>What is known of the newest code of a station; null when there is none.</summary>
    ValueTask<ClaimState?> ClaimOfAsync(int stationId, CancellationToken cancellationToken);

    /// <summary>The lines of all stations of which there is one, by station: three questions to the database, however many stations there are.</summary>
    ValueTask<IReadOnlyDictionary<int, FleetLine>> LinesAsync(CancellationToken cancellationToken);
}

/// <summary>Gives the rules that stations watch themselves: the bridge to whoever owns rules. Safe for concurrent callers.</summary>
public interface IEdgeRules
{
    /// <summary>The rules that concern a station, in order of slug.</summary>
    IReadOnlyList<EdgeRule> For(Station station);

    /// <summary>Raised after any rule changed; handlers return at once.</summary>
    event Action? Changed;
}

/// <summary>What is wanted cannot be; each problem is one line that begins with the key it is about.</summary>
public sealed class SettingsRefusedException(IReadOnlyList<string> problems) : Exception(string.Join(' ', problems))
{
    /// <summary>What is wrong, in order; at least one.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}

/// <summary>What is wanted has changed since the caller read it: read again, and decide again.</summary>
public sealed class WantedChangedException(long version) : Exception($"Meanwhile version {version} is wanted.")
{
    /// <summary>The version wanted now; 0 for none.</summary>
    public long Version { get; } = version;
}

/// <summary>The station is not there to take a command.</summary>
public sealed class StationAwayException(string message) : Exception(message);

/// <summary>A limit of commands under way is reached; try again when one has ended.</summary>
public sealed class FleetBusyException(string message) : Exception(message);
