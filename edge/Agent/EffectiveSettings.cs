using System.Globalization;
using Hub.Edge.Outbox;
using Hub.Edge.Uplink;
using Microsoft.Extensions.Configuration;

namespace Hub.Edge.Agent;

/// <summary>The settings in force, for people: key as in the station file, value, and who gave it. Secrets are hidden.</summary>
internal static class EffectiveSettings
{
    public const string Hidden = "(hidden)";

    public static IReadOnlyList<string> List(AgentConfiguration configuration)
    {
        var section = configuration.Configuration.GetSection(AgentOptions.Section);
        var (agent, hub, outbox, uplink) = (new AgentOptions(), new HubOptions(), new OutboxOptions(), new UplinkOptions());
        section.Bind(agent);
        configuration.Configuration.GetSection(HubOptions.Section).Bind(hub);
        configuration.Configuration.GetSection(OutboxOptions.Section).Bind(outbox);
        configuration.Configuration.GetSection(UplinkOptions.Section).Bind(uplink);

        // What the stages really use, defaults included, and after it whatever else was given.
        var shown = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["municipality"] = agent.Municipality,
            ["station"] = agent.Station,
            ["data"] = configuration.Data,
            ["report:interval"] = Text(agent.Report.Interval),
            ["clock:trust"] = agent.Clock.Trust.ToString().ToLowerInvariant(),
            ["hub:address"] = hub.Address,
            ["hub:port"] = Text(hub.Port),
            ["hub:tls"] = Text(hub.Tls),
            ["outbox:folder"] = outbox.Folder,
            ["outbox:bytesMax"] = Text(outbox.BytesMax),
            ["outbox:ageMax"] = Text(outbox.AgeMax),
            ["outbox:writeDelay"] = outbox.WriteDelay is { } delay ? Text(delay) : "00:15:00 with a journal, 00:00:00 without",
            ["outbox:journalFolder"] = outbox.JournalFolder,
            ["outbox:segmentBytesMax"] = Text(outbox.SegmentBytesMax),
            ["uplink:packReadings"] = Text(uplink.PackReadings),
            ["uplink:window"] = Text(uplink.Window),
            ["uplink:backlogReadingsPerSecond"] = Text(uplink.BacklogReadingsPerSecond),
            ["uplink:encoding"] = uplink.Encoding.ToString().ToLowerInvariant(),
            ["uplink:keepAlive"] = Text(uplink.KeepAlive),
            ["uplink:sessionExpiry"] = Text(uplink.SessionExpiry),
            ["uplink:willDelay"] = Text(uplink.WillDelay),
            ["uplink:ackTimeout"] = Text(uplink.AckTimeout),
            ["uplink:retryDelayMax"] = Text(uplink.RetryDelayMax),
        };
        foreach (var key in configuration.Sources.Keys.Order(StringComparer.OrdinalIgnoreCase))
        {
            var value = configuration.Configuration[$"{AgentOptions.Section}:{key}"];
            if (!string.IsNullOrEmpty(value))
            {
                shown.TryAdd(key, value);
            }
        }

        return [.. shown.Select(setting => $"{Dotted(setting.Key)} = {(IsSecret(setting.Key) ? Hidden : setting.Value)} ({configuration.Sources.GetValueOrDefault(setting.Key, "default")})")];
    }

    /// <summary>True for a key whose value nobody may see: by the schema, and by its name where the schema does not know it.</summary>
    public static bool IsSecret(string key) => StationSchema.IsSecret(key) || IsSecretByName(key);

    /// <summary>True for a name that secrets bear; a test sees to it that the schema marks every such key.</summary>
    public static bool IsSecretByName(string key)
    {
        var last = key[(key.LastIndexOf(':') + 1)..];
        return last.EndsWith("secret", StringComparison.OrdinalIgnoreCase) || last.EndsWith("password", StringComparison.OrdinalIgnoreCase)
            || last.EndsWith("token", StringComparison.OrdinalIgnoreCase);
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static string Text(bool value) => value ? "true" : "false";

    /// <summary>A configuration key as people write it: <c>sensors[0].name</c>.</summary>
    public static string Dotted(string key)
    {
        var parts = key.Split(':');
        return parts[0] + string.Concat(parts.Skip(1).Select(part => part.All(char.IsAsciiDigit) ? $"[{part}]" : $".{part}"));
    }
}
