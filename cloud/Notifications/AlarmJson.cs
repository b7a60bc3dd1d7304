using System.Text.Json;

namespace Hub.Cloud.Notifications;

/// <summary>An alarm message as programs get it: the payload of the MQTT topic, and the data of a webhook. README.md describes each field; fields are added, never changed.</summary>
internal static class AlarmJson
{
    /// <summary>The word for a kind.</summary>
    public static string Word(NotificationKind kind) => kind switch
    {
        NotificationKind.Started => "started",
        NotificationKind.Ended => "ended",
        NotificationKind.Past => "past",
        NotificationKind.Acknowledged => "acknowledged",
        _ => "corrected",
    };

    /// <summary>Payload of the MQTT topic.</summary>
    public static byte[] State(AlarmMessage message)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer, message);
        }

        return buffer.ToArray();
    }

    /// <summary>Body of a webhook: type, timestamp and data (Standard Webhooks 1.0.0). The same bytes for every attempt.</summary>
    public static byte[] Webhook(AlarmMessage message, DateTime createdAt)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("type", $"alarm.{Word(message.Kind)}");
            writer.WriteString("timestamp", createdAt);
            writer.WritePropertyName("data");
            Write(writer, message);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, AlarmMessage message)
    {
        writer.WriteStartObject();
        writer.WriteString("key", message.Key);
        writer.WriteString("alarm", message.Alarm);
        writer.WriteString("incident", message.Incident ?? message.Alarm);
        writer.WriteString("state", message.Kind == NotificationKind.Started ? "active" : Word(message.Kind));
        writer.WriteBoolean("active", message.Kind != NotificationKind.Past && message.EndedAt is null && !message.Withdrawn);
        writer.WriteBoolean("withdrawn", message.Withdrawn);
        writer.WriteString("severity", message.Severity.ToString().ToLowerInvariant());
        writer.WriteString("municipality", message.Municipality);
        writer.WriteString("municipalityName", message.MunicipalityName);
        writer.WriteString("station", message.Station);
        writer.WriteString("stationName", message.StationName);
        writer.WriteString("rule", message.Rule);
        writer.WriteString("ruleNamePt", message.RuleNamePt);
        writer.WriteString("ruleNameEn", message.RuleNameEn);
        writer.WriteString("observedProperty", message.Property);
        writer.WriteString("unit", message.Unit);
        writer.WriteNumber("value", message.Value);
        writer.WriteNumber("limit", message.Limit);
        writer.WriteNumber("peak", message.Peak);
        writer.WriteString("conditionAt", message.ConditionAt);
        writer.WriteString("startedAt", message.StartedAt);
        if (message.EndedAt is { } endedAt)
        {
            writer.WriteString("endedAt", endedAt);
        }
        else
        {
            writer.WriteNull("endedAt");
        }

        if (message.By.Length > 0)
        {
            writer.WriteString("acknowledgedBy", message.By);
        }

        if (message.UnacknowledgedFor is { } waited)
        {
            writer.WriteNumber("unacknowledgedForSeconds", (long)waited.TotalSeconds);
        }

        if (message.Overtaken)
        {
            writer.WriteBoolean("overtaken", true);
        }

        writer.WriteEndObject();
    }
}
