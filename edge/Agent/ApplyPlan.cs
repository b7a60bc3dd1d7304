using Microsoft.Extensions.Configuration;

namespace Hub.Edge.Agent;

/// <summary>What other settings take.</summary>
[Flags]
internal enum ApplyParts
{
    /// <summary>Nothing: no value differs.</summary>
    None = 0,

    /// <summary>The limit of the log is moved.</summary>
    Log = 1,

    /// <summary>The agent's report on itself has another rhythm.</summary>
    Report = 2,

    /// <summary>Sensors whose own settings changed are stopped and started.</summary>
    Sampling = 4,

    /// <summary>The connection to the hub is made again.</summary>
    Uplink = 8,

    /// <summary>The birth says it from now on.</summary>
    Birth = 16,

    /// <summary>All stages are built anew.</summary>
    Rebuild = 32,
}

/// <summary>Decides what other settings take; pure.</summary>
internal static class ApplyPlan
{
    // Whatever is not here has the stages built anew: a key that is forgotten costs a restart and is not passed over.
    private static readonly (string Key, ApplyParts Part)[] Live =
    [
        ("logLevel", ApplyParts.Log),
        ("report:interval", ApplyParts.Report),
        ("sensors", ApplyParts.Sampling | ApplyParts.Birth),
        ("sampling", ApplyParts.Sampling),
        ("replay", ApplyParts.Sampling),
        // Agents are fetched from there, too.
        ("hub:address", ApplyParts.Rebuild),
        ("hub:pages", ApplyParts.Rebuild),
        ("hub:plainAllowed", ApplyParts.Rebuild),
        ("hub", ApplyParts.Uplink),
        ("uplink", ApplyParts.Uplink),
        ("name", ApplyParts.Birth),
        ("location", ApplyParts.Birth),
        ("attribution", ApplyParts.Birth),
    ];

    /// <summary>What changing one configuration into another takes.</summary>
    public static ApplyParts Of(AgentConfiguration before, AgentConfiguration after)
    {
        var (old, next) = (Settings(before), Settings(after));
        return old.Keys.Union(next.Keys, StringComparer.OrdinalIgnoreCase)
            .Where(key => old.GetValueOrDefault(key) != next.GetValueOrDefault(key))
            .Aggregate(ApplyParts.None, (parts, key) => parts | Of(key));
    }

    /// <summary>What a change of one key takes.</summary>
    public static ApplyParts Of(string key)
    {
        foreach (var (live, part) in Live)
        {
            if (key.Equals(live, StringComparison.OrdinalIgnoreCase) || key.StartsWith(live + ":", StringComparison.OrdinalIgnoreCase))
            {
                return part;
            }
        }

        return ApplyParts.Rebuild;
    }

    private static Dictionary<string, string> Settings(AgentConfiguration configuration) => configuration.Configuration.GetSection(AgentOptions.Section).AsEnumerable(makePathsRelative: true)
        .Where(setting => !string.IsNullOrEmpty(setting.Key) && setting.Value is not null).ToDictionary(setting => setting.Key, setting => setting.Value!, StringComparer.OrdinalIgnoreCase);
}
