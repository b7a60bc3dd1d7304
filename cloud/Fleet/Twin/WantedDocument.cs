using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hub.Cloud.Fleet.Storage;
using Hub.Edge.Contract.Twin;

namespace Hub.Cloud.Fleet.Twin;

/// <summary>The parts that what is wanted is made of. Settings come from people, rules from Alerts, the agent from campaigns; each changes alone.</summary>
internal sealed record WantedParts(string? Settings, string Rules, string? Agent, int? TrialSeconds)
{
    public static readonly WantedParts None = new(null, "[]", null, null);

    public static WantedParts Of(WantedRow? row) => row is null ? None : new(row.Settings, row.Rules, row.Agent, row.TrialSeconds);
}

/// <summary>From rows to the document on the wire and back. Pure functions.</summary>
internal static class WantedDocument
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string RulesText(IReadOnlyList<EdgeRule> rules) => JsonSerializer.Serialize(rules, Json);

    public static string? AgentText(AgentTarget? agent) => agent is null ? null : JsonSerializer.Serialize(agent, Json);

    /// <summary>Settings as they are stored: without white space, in the order given.</summary>
    public static string? SettingsText(JsonElement? settings) => settings is { } given ? JsonSerializer.Serialize(given, Json) : null;

    public static IReadOnlyList<EdgeRule> Rules(string text) => JsonSerializer.Deserialize<EdgeRule[]>(text, Json) ?? [];

    public static AgentTarget? Agent(string? text) => text is null ? null : JsonSerializer.Deserialize<AgentTarget>(text, Json);

    /// <summary>The document of a version, if there can be one.</summary>
    /// <param name="version">Its version.</param>
    /// <param name="parts">What it is made of.</param>
    /// <param name="utf8">The document; empty when there is a problem.</param>
    /// <returns>What is wrong with it by the rules of the contract, beginning with the key; null when it is good.</returns>
    public static string? TryCompose(long version, WantedParts parts, out byte[] utf8)
    {
        var rules = Rules(parts.Rules);
        var settings = parts.Settings is { } text ? JsonElement.Parse(text) : (JsonElement?)null;
        var state = new DesiredState(version, settings, rules.Count > 0 ? rules : null, Agent(parts.Agent), parts.TrialSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        utf8 = state.ToUtf8();

        // Read as a station will: what goes out is what an agent takes.
        if (DesiredState.TryRead(utf8, out _, out var problem))
        {
            return null;
        }

        utf8 = [];
        return problem;
    }

    public static Wanted Read(WantedRow row) => new(
        row.Version,
        row.Settings is { } text ? JsonElement.Parse(text) : null,
        Rules(row.Rules),
        Agent(row.Agent),
        row.TrialSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        row.ChangedBy,
        row.ChangedAt,
        row.Change,
        row.UndoneTo);
}
