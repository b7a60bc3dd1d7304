using System.Globalization;
using System.Text;
using System.Xml;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Notifications.Cap;

/// <summary>
/// Writes a CAP alert (OASIS Common Alerting Protocol 1.2, 2010). The order of elements is the schema's. Times are UTC with <c>-00:00</c>, in whole seconds: the schema takes neither <c>Z</c> nor fractions. Pure.
/// </summary>
internal static class CapWriter
{
    /// <summary>Namespace of CAP 1.2.</summary>
    public const string Namespace = "urn:oasis:names:tc:emergency:cap:1.2";

    private static readonly XmlWriterSettings Form = new() { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), Indent = true, NewLineChars = "\n" };

    /// <summary>Writes it.</summary>
    /// <param name="alert">The choices.</param>
    /// <param name="message">What it is about; with its place.</param>
    /// <param name="options">Status, radius and the hub's address.</param>
    public static string Write(CapMessage alert, AlarmMessage message, NotificationsOptions options)
    {
        using var buffer = new MemoryStream();
        using (var writer = XmlWriter.Create(buffer, Form))
        {
            writer.WriteStartElement("alert", Namespace);
            Write(writer, "identifier", alert.Identifier);
            Write(writer, "sender", alert.Sender);
            Write(writer, "sent", Time(alert.SentAt));
            Write(writer, "status", options.Cap.Status.ToString());
            Write(writer, "msgType", alert.Type);
            Write(writer, "source", $"{message.Municipality}/{message.Station}");
            Write(writer, "scope", "Public");
            if (alert.Type == "Cancel")
            {
                Write(writer, "note", $"{AlarmText.Of(message, AlarmWords.Portuguese).Note} / {AlarmText.Of(message, AlarmWords.English).Note}");
            }

            if (alert.References.Count > 0)
            {
                Write(writer, "references", string.Join(' ', alert.References.Select(earlier => $"{earlier.Sender},{earlier.Identifier},{Time(earlier.SentAt)}")));
            }

            Write(writer, "incidents", message.Incident ?? message.Alarm);
            Info(writer, "pt-PT", AlarmWords.Portuguese, alert, message, options);
            Info(writer, "en-GB", AlarmWords.English, alert, message, options);
            writer.WriteEndElement();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>An instant as CAP writes it.</summary>
    public static string Time(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss'-00:00'", CultureInfo.InvariantCulture);

    /// <summary>What an observed property is about; more than one where it concerns more than one.</summary>
    public static IReadOnlyList<string> CategoriesOf(string property) => property switch
    {
        "temperature" or "relative_humidity" or "pressure" or "rain" or "rain_duration" or "wind_speed" or "wind_gust" or "wind_direction" or "solar_radiation" => ["Met"],
        "mean_speed" or "space_mean_speed" or "v85" or "occupancy" or "headway" or "travel_time" or "bicycle_count" or "pedestrian_count" => ["Transport"],
        _ when property.StartsWith("vehicle_count", StringComparison.Ordinal) => ["Transport"],
        "battery" or "battery_level" or "cpu_temperature" or "link_quality" or "outbox_depth" or "uptime" or "supply_current" or "supply_power" or "undervoltage" or "throttled"
            or "disk_free" or "disk_wear" or "clock_state" or "clock_sync_age" or "clock_step" => ["Infra"],
        "co2" or "particle_number" => ["Env"],
        _ => ["Env", "Health"],
    };

    private static void Info(XmlWriter writer, string language, AlarmWords words, CapMessage alert, AlarmMessage message, NotificationsOptions options)
    {
        var said = AlarmText.Of(message, words);
        writer.WriteStartElement("info", Namespace);
        Write(writer, "language", language);
        foreach (var category in CategoriesOf(message.Property))
        {
            Write(writer, "category", category);
        }

        Write(writer, "event", words.Of(message.RuleNamePt, message.RuleNameEn));
        Write(writer, "responseType", alert.Response);
        Write(writer, "urgency", alert.Urgency);
        Write(writer, "severity", alert.Severity);
        Write(writer, "certainty", alert.Certainty);
        Pair(writer, "eventCode", "hub:rule", message.Rule);
        Write(writer, "onset", Time(message.ConditionAt));
        if (alert.ExpiresAt is { } expires)
        {
            Write(writer, "expires", Time(expires));
        }

        Write(writer, "senderName", message.MunicipalityName);
        Write(writer, "headline", said.Title);
        Write(writer, "description", Description(said));
        if (options.StationLink(message) is { } link)
        {
            Write(writer, "web", link);
        }

        if (message.Property.Length > 0)
        {
            Pair(writer, "parameter", "hub:observedProperty", message.Property);
        }

        Pair(writer, "parameter", "hub:unit", QuantityCatalogue.TryGet(message.Property, out var quantity) ? quantity.SenmlUnit : message.Unit);
        Pair(writer, "parameter", "hub:value", Number(message.Value));
        Pair(writer, "parameter", "hub:limit", Number(message.Limit));
        Pair(writer, "parameter", "hub:peak", Number(message.Peak));
        Pair(writer, "parameter", "hub:startedAt", Time(message.StartedAt));
        if (message.EndedAt is { } endedAt)
        {
            Pair(writer, "parameter", "hub:endedAt", Time(endedAt));
        }

        writer.WriteStartElement("area", Namespace);
        Write(writer, "areaDesc", $"{message.StationName}, {message.MunicipalityName}");
        Write(writer, "circle", string.Create(CultureInfo.InvariantCulture, $"{message.Latitude:0.######},{message.Longitude:0.######} {options.Cap.RadiusMetres / 1000.0:0.###}"));
        writer.WriteEndElement();
        writer.WriteEndElement();
    }

    private static string Description(AlarmText said)
    {
        var text = new StringBuilder(said.Sentence);
        foreach (var (label, value) in said.Rows)
        {
            text.Append('\n').Append(label).Append(": ").Append(value);
        }

        return said.Note is { } note ? text.Append('\n').Append(note).ToString() : text.ToString();
    }

    private static void Pair(XmlWriter writer, string element, string name, string value)
    {
        writer.WriteStartElement(element, Namespace);
        Write(writer, "valueName", name);
        Write(writer, "value", value);
        writer.WriteEndElement();
    }

    private static void Write(XmlWriter writer, string element, string text) => writer.WriteElementString(element, Namespace, Xml.Safe(text));

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
