using System.Globalization;
using Hub.Edge.Outbox;
using Hub.Edge.Uplink;

namespace Hub.Edge.Agent;

/// <summary>The settings in force, for people: key as in the station file, value, and who gave it. Secrets are hidden.</summary>
internal static class EffectiveSettings
{
    public const string Hidden = "(hidden)";

    public static IEnumerable<string> List(AgentConfiguration configuration, AgentOptions agent, HubOptions hub, OutboxOptions outbox, UplinkOptions uplink)
    {
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
            ["outbox:writeDelay"] = Text(outbox.WriteDelay),
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

        foreach (var (key, value) in shown)
        {
            yield return $"{Dotted(key)} = {(IsSecret(key) ? Hidden : value)} ({configuration.Sources.GetValueOrDefault(key, "default")})";
        }
    }

    /// <summary>True for a key whose value nobody may see.</summary>
    public static bool IsSecret(string key)
    {
        var last = key[(key.LastIndexOf(':') + 1)..];
        return last.EndsWith("secret", StringComparison.OrdinalIgnoreCase) || last.EndsWith("password", StringComparison.OrdinalIgnoreCase)
            || last.EndsWith("token", StringComparison.OrdinalIgnoreCase);
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static string Text(bool value) => value ? "true" : "false";

    private static string Dotted(string key)
    {
        var parts = key.Split(':');
        return parts[0] + string.Concat(parts.Skip(1).Select(part => part.All(char.IsAsciiDigit) ? $"[{part}]" : $".{part}"));
    }
}
