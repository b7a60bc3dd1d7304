using System.Text.Json;

namespace Hub.Edge.Uplink;

/// <summary>The retained JSON on the <c>status</c> topic.</summary>
internal static class StatusMessages
{
    public const string ContentType = "application/json";

    /// <summary>Last will: the broker says it when the line stays broken.</summary>
    public static byte[] Lost(StationBirth birth) => Write(json =>
    {
        json.WriteString("state", "offline");
        json.WriteString("reason", "lost");
        json.WriteString("started", birth.Started.UtcDateTime);
    });

    /// <summary>Said at an orderly stop.</summary>
    public static byte[] Stopped(StationBirth birth, DateTimeOffset now) => Write(json =>
    {
        json.WriteString("state", "offline");
        json.WriteString("reason", "stopped");
        json.WriteString("started", birth.Started.UtcDateTime);
        json.WriteString("at", now.UtcDateTime);
    });

    /// <summary>Said at every connection.</summary>
    public static byte[] Online(StationBirth birth, DateTimeOffset now) => Write(json =>
    {
        json.WriteString("state", "online");
        json.WriteString("agent", birth.Agent);
        json.WriteString("started", birth.Started.UtcDateTime);
        json.WriteString("at", now.UtcDateTime);
        if (birth.Name is not null)
        {
            json.WriteString("name", birth.Name);
        }

        if (birth.Latitude is { } latitude && birth.Longitude is { } longitude)
        {
            json.WriteStartObject("location");
            json.WriteNumber("latitude", latitude);
            json.WriteNumber("longitude", longitude);
            json.WriteEndObject();
        }

        if (birth.Attribution is not null)
        {
            json.WriteString("attribution", birth.Attribution);
        }

        WriteSensors(json, birth);
    });

    /// <summary>What the birth says besides its own time, as text to compare: when it changes, it is said again.</summary>
    public static string Comparable(StationBirth birth)
    {
        var said = Write(json =>
        {
            json.WriteString("name", birth.Name);
            json.WriteString("attribution", birth.Attribution);
            json.WriteString("at", FormattableString.Invariant($"{birth.Latitude} {birth.Longitude}"));
            WriteSensors(json, birth);
        });
        return System.Text.Encoding.UTF8.GetString(said);
    }

    private static void WriteSensors(Utf8JsonWriter json, StationBirth birth)
    {
        json.WriteStartArray("sensors");
        foreach (var sensor in birth.Sensors)
        {
            json.WriteStartObject();
            json.WriteString("name", sensor.Name);
            json.WriteString("kind", sensor.Kind);
            if (sensor.Condition is { } condition)
            {
                json.WriteString("condition", condition);
            }

            json.WriteStartArray("quantities");
            foreach (var quantity in sensor.Quantities)
            {
                json.WriteStringValue(quantity);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static byte[] Write(Action<Utf8JsonWriter> content)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }
}
