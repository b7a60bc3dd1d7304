using System.Text.Json;
using Hub.Cloud.Fleet;

namespace Hub.Cloud.Portal.Read;

/// <summary>In what two versions of what is wanted of a station differ. Pure functions.</summary>
internal static class SettingsDrift
{
    /// <summary>Word for thresholds that the station watches itself.</summary>
    public const string Rules = "rules";

    /// <summary>Word for the agent that should run.</summary>
    public const string Agent = "agent";

    /// <summary>Keys that differ, with dots between the levels, in order: of the settings, then <see cref="Rules"/> and <see cref="Agent"/>.</summary>
    /// <param name="wanted">The version wanted.</param>
    /// <param name="inForce">The version in force; null for the station file alone.</param>
    public static IReadOnlyList<string> Keys(Wanted wanted, Wanted? inForce)
    {
        List<string> keys = [];
        Compare("", wanted.Settings, inForce?.Settings, keys);
        if (JsonSerializer.Serialize(wanted.Rules) != JsonSerializer.Serialize(inForce?.Rules ?? []))
        {
            keys.Add(Rules);
        }

        if (wanted.Agent?.Version != inForce?.Agent?.Version)
        {
            keys.Add(Agent);
        }

        return keys;
    }

    private static void Compare(string path, JsonElement? left, JsonElement? right, List<string> keys)
    {
        if (left is not { ValueKind: JsonValueKind.Object } && right is not { ValueKind: JsonValueKind.Object })
        {
            if (left is { } one && right is { } other ? !JsonElement.DeepEquals(one, other) : left.HasValue != right.HasValue)
            {
                keys.Add(path);
            }

            return;
        }

        foreach (var name in Names(left).Union(Names(right), StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            Compare(path.Length == 0 ? name : path + "." + name, Member(left, name), Member(right, name), keys);
        }
    }

    private static IEnumerable<string> Names(JsonElement? element) =>
        element is { ValueKind: JsonValueKind.Object } found ? found.EnumerateObject().Select(static member => member.Name) : [];

    private static JsonElement? Member(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } found && found.TryGetProperty(name, out var member) ? member : null;
}
