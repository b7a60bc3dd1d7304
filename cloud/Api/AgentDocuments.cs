using System.ComponentModel;
using System.Text.Json;
using Hub.Edge.Contract.Twin;

namespace Hub.Cloud.Api;

[Description("The agent at a station.")]
internal sealed record AgentDocument(
    [property: Description("online, offline, or unknown when it has never said anything of itself.")] string Presence,
    [property: Description("When it, or its last will, spoke last, UTC; null when never.")] DateTime? StatusAt,
    [property: Description("Why it has gone (lost, stopped); null when it is there.")] string? Reason,
    [property: Description("Name and version of the agent, in its own words.")] string? Agent,
    [property: Description("When the agent started, UTC.")] DateTime? StartedAt,
    [property: Description("Its sensors as it spoke of them last.")] IReadOnlyList<AgentSensorDocument> Sensors,
    [property: Description("Version of the settings wanted; 0 for none.")] long WantedVersion,
    [property: Description("What became of them; null when it has not said yet.")] ReportedDocument? Reported,
    [property: Description("Its newest commands, newest first, without their results.")] IReadOnlyList<CommandDocument> Commands,
    [property: Description("Its newest claim code; null when there is none.")] ClaimStateDocument? ClaimCode);

[Description("A sensor as the station speaks of it.")]
internal sealed record AgentSensorDocument(
    string Sensor,
    string Kind,
    [property: Description("starting, running, failing or dead; null when the agent does not say.")] string? Condition,
    [property: Description("Observed properties.")] IReadOnlyList<string> Properties);

[Description("What the station reported of the settings wanted of it.")]
internal sealed record ReportedDocument(
    [property: Description("Version it last acted on.")] long Version,
    [property: Description("none, trial, applied, refused or rolled-back.")] string Outcome,
    [property: Description("Version whose settings hold; 0 for the station file alone.")] long InForce,
    [property: Description("When, by the station's clock, UTC.")] DateTime At,
    [property: Description("When the hub heard, UTC.")] DateTime? ReceivedAt,
    IReadOnlyList<string> Problems,
    [property: Description("The agent that runs, and how far an update has come.")] ReportedAgent? Agent);

[Description("One version of what is wanted of a station.")]
internal sealed record WantedDocument(
    [property: Description("Counted up for each station; 0 when nothing was ever wanted.")] long Version,
    [property: Description("Keys of the station file that go over it; null for the station file alone.")] JsonElement? Settings,
    [property: Description("Rules marked for the edge.")] IReadOnlyList<EdgeRule> Rules,
    [property: Description("The agent wanted; null for the one that runs.")] AgentTarget? Agent,
    [property: Description("Trial time, ISO 8601; null for the usual five minutes.")] string? Trial,
    string? ChangedBy,
    DateTime? ChangedAt,
    [property: Description("settings, undo, rules or agent: what changed.")] string? Change,
    [property: Description("Version whose settings were put in force again.")] long? UndoneTo)
{
    public static readonly WantedDocument Nothing = new(0, null, [], null, null, null, null, null, null);
}

[Description("Settings to be wanted of a station.")]
internal sealed record SettingsRequest(
    [property: Description("Keys of the station file that go over it; null for the station file alone.")] JsonElement? Settings,
    [property: Description("Trial time, 30 s to 1 day, ISO 8601; five minutes when absent.")] string? Trial);

[Description("A command and what became of it.")]
internal sealed record CommandDocument(
    long Command,
    string Name,
    string AskedBy,
    DateTime AskedAt,
    [property: Description("When the station will not do it any more, UTC.")] DateTime ExpiresAt,
    [property: Description("waiting, sent, done, refused, failed, or expired when no answer came.")] string Outcome,
    DateTime? AnsweredAt,
    string? Problem,
    [property: Description("What was asked for.")] JsonElement? Result);

[Description("A claim code: shown now and never again.")]
internal sealed record ClaimCodeDocument(string Code, string? Profile, [property: Description("UTC.")] DateTime ExpiresAt);

[Description("A claim code that was made, without the code.")]
internal sealed record ClaimStateDocument(
    string? Profile,
    string IssuedBy,
    DateTime IssuedAt,
    DateTime ExpiresAt,
    [property: Description("When a station used it, UTC; null before.")] DateTime? UsedAt,
    [property: Description("Agent and machine that used it, in their own words.")] string? UsedBy);
