using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hub.Edge.Contract.Twin;

/// <summary>What became of a desired document.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TwinOutcome>))]
public enum TwinOutcome
{
    /// <summary>Nothing was ever asked for.</summary>
    [JsonStringEnumMemberName("none")]
    None = 0,

    /// <summary>In force, not yet proven: the trial time runs.</summary>
    [JsonStringEnumMemberName("trial")]
    Trial = 1,

    /// <summary>In force for good.</summary>
    [JsonStringEnumMemberName("applied")]
    Applied = 2,

    /// <summary>Wrong; the one before is still in force.</summary>
    [JsonStringEnumMemberName("refused")]
    Refused = 3,

    /// <summary>It was in force and cut the station off from the hub, or kept it from starting; the one before is in force again.</summary>
    [JsonStringEnumMemberName("rolled-back")]
    RolledBack = 4,
}

/// <summary>How far an update of the agent has come.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UpdateStep>))]
public enum UpdateStep
{
    /// <summary>The bundle is being fetched; goes on where it broke off.</summary>
    [JsonStringEnumMemberName("downloading")]
    Downloading = 1,

    /// <summary>Fetched, checked and unpacked beside the agent that runs; the switch comes next.</summary>
    [JsonStringEnumMemberName("ready")]
    Ready = 2,

    /// <summary>The new agent runs and is on trial.</summary>
    [JsonStringEnumMemberName("trial")]
    Trial = 3,

    /// <summary>The new agent has reached the hub and stays.</summary>
    [JsonStringEnumMemberName("installed")]
    Installed = 4,

    /// <summary>Not installed: signature, version, runtime or file are wrong. The old agent runs on.</summary>
    [JsonStringEnumMemberName("refused")]
    Refused = 5,

    /// <summary>The new agent did not start or did not reach the hub within the trial time; the old one runs again.</summary>
    [JsonStringEnumMemberName("rolled-back")]
    RolledBack = 6,
}

/// <summary>What the station says of itself in answer to <see cref="DesiredState"/>: the retained JSON on <c>config/reported</c>. Immutable.</summary>
/// <param name="Version">Version of the desired document last acted on; 0 before the first.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="InForce">Version of the desired document whose settings are in force; 0 when the station file stands alone.</param>
/// <param name="At">UTC instant of the outcome.</param>
/// <param name="Problems">Why it was refused or rolled back, a line each, with the key it is about; at most <see cref="ProblemsMax"/>.</param>
/// <param name="Agent">The agent that runs.</param>
public sealed record ReportedState(long Version, TwinOutcome Outcome, long InForce, DateTime At, IReadOnlyList<string>? Problems = null, ReportedAgent? Agent = null)
{
    /// <summary>Most problems told.</summary>
    public const int ProblemsMax = 20;

    /// <summary>Reads what a station reported; unknown members are passed over.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out ReportedState? state, [NotNullWhen(false)] out string? problem) =>
        TwinJson.TryRead(utf8, TwinJson.Default.ReportedState, out state, out problem);

    /// <summary>The document as it stands on the wire.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, TwinJson.Default.ReportedState);
}

/// <summary>The agent at a station.</summary>
/// <param name="Version">Version that runs.</param>
/// <param name="Runtime">Machine it runs on, e.g. <c>linux-arm64</c>.</param>
/// <param name="Update">The update last asked for; null when none was.</param>
public sealed record ReportedAgent(string Version, string Runtime, ReportedUpdate? Update = null);

/// <summary>An update and how far it has come.</summary>
/// <param name="Version">Version asked for.</param>
/// <param name="Step">How far it has come.</param>
/// <param name="At">UTC instant of the step.</param>
/// <param name="Problem">Why it did not come further; null while it goes well.</param>
/// <param name="Bytes">Bytes fetched so far, while downloading.</param>
public sealed record ReportedUpdate(string Version, UpdateStep Step, DateTime At, string? Problem = null, long? Bytes = null);
