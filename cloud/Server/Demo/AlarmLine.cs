using System.Globalization;
using System.Text.Json;
using Hub.Edge.Contract.Topics;

namespace Hub.Cloud.Server.Demo;

/// <summary>A webhook about an alarm, told in one line to the person at the terminal.</summary>
internal static class AlarmLine
{
    /// <summary>The line: when it was sent, what and where, what happened, and where else the same message went.</summary>
    /// <param name="webhook">Body of the webhook: type, timestamp and data.</param>
    /// <param name="zone">Zone of the person's clock.</param>
    public static string Of(JsonElement webhook, TimeZoneInfo zone)
    {
        var data = webhook.GetProperty("data");
        var rule = Text(data, "ruleNameEn");
        var station = Text(data, "stationName");
        var where = rule.Contains(station, StringComparison.OrdinalIgnoreCase) ? rule : $"{rule} at {station}";
        var at = TimeZoneInfo.ConvertTime(webhook.GetProperty("timestamp").GetDateTimeOffset(), zone);
        var topic = HubTopic.Alarm(Text(data, "municipality"), Text(data, "rule"), Text(data, "station"));
        return string.Create(CultureInfo.InvariantCulture, $"{at:HH:mm:ss}  {where} ({Text(data, "municipalityName")}): {Happened(data)}  -> webhook, mail, MQTT topic {topic}");
    }

    private static string Happened(JsonElement data) => Text(data, "state") switch
    {
        "active" => $"started, {Value(data, "value")}",
        "ended" => $"ended, {Value(data, "value")}, peak {Value(data, "peak")}",
        "corrected" when data.GetProperty("withdrawn").GetBoolean() => "corrected, late data showed that it never was",
        "corrected" => $"corrected by late data, peak {Value(data, "peak")}",
        var other => other,
    };

    private static string Value(JsonElement data, string name) =>
        string.Create(CultureInfo.InvariantCulture, $"{data.GetProperty(name).GetDouble():0.#} {Text(data, "unit")}").TrimEnd();

    private static string Text(JsonElement data, string name) => data.GetProperty(name).GetString() ?? "";
}
