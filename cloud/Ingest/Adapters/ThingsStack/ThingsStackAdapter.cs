using System.Globalization;
using System.Text.Json;
using Hub.Edge.Contract.Encoding;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Ingest.Adapters.ThingsStack;

/// <summary>
/// Uplinks of The Things Stack v3 as its webhooks send them. What a decoded field means is declared for each model of device (devices.json), never guessed. The time is
/// the network's, so an uplink told twice is one. Which model it is: the device repository's name in the uplink (<c>version_ids</c>), else <c>?model=</c> in the address.
/// </summary>
internal sealed class ThingsStackAdapter(IOptions<IngestOptions> options) : IStationAdapter
{
    /// <summary>Longest period a report may stand for, seconds: a day.</summary>
    public const int PeriodSecondsMax = 86_400;

    /// <summary>Most characters added to a device's name.</summary>
    public const int SensorSuffixMax = 24;

    /// <summary>Most characters of a device's name: 36 in The Things Stack.</summary>
    private const int DeviceMax = 36;

    /// <summary>Most characters of model and period in the address.</summary>
    private const int ContextMax = 64;

    /// <summary>Messages of a webhook that are about other things than measurements.</summary>
    private static readonly string[] OtherMessages =
    [
        "join_accept", "downlink_ack", "downlink_nack", "downlink_sent", "downlink_failed", "downlink_queued", "downlink_queue_invalidated", "location_solved", "service_data", "uplink_normalized",
    ];

    private readonly DeviceTable _devices = DeviceTable.Load(options.Value.ThingsStackDevices);

    public string Name => StationAdapters.ThingsStack;

    public bool TimeIsArrival => false;

    public IReadOnlyDictionary<string, string> ContextOf(HttpRequest request)
    {
        var context = new Dictionary<string, string>(2);
        foreach (var name in (string[])["model", "period"])
        {
            if (request.Query[name].ToString() is { Length: > 0 and <= ContextMax } value && value.All(c => c is > ' ' and <= '~'))
            {
                context[name] = value;
            }
        }

        return context;
    }

    public void Translate(in AdapterPush push, JsonElement root, Translation into)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("uplink_message", out var uplink) || uplink.ValueKind != JsonValueKind.Object)
        {
            if (root.ValueKind == JsonValueKind.Object && OtherMessages.FirstOrDefault(m => root.TryGetProperty(m, out _)) is { } other)
            {
                into.Ignore(other);
                return;
            }

            into.RefuseWhole(RefusalReason.Malformed, "uplink_message must be there and be an object: only uplinks of The Things Stack v3 are understood (format JSON).");
            return;
        }

        if (root.TryGetProperty("simulated", out var simulated) && simulated.ValueKind == JsonValueKind.True)
        {
            // Made up in the console to try the way here: it arrived, and measures nothing.
            into.Ignore("simulated uplink");
            return;
        }

        if (Device(root) is not { } device)
        {
            into.RefuseWhole(RefusalReason.Name, "end_device_ids.device_id must be there and be 1 to 36 of a-z 0-9 -.");
            return;
        }

        if ((Time(uplink) ?? Time(root)) is not { } at || at < ReadingRules.TimeMin || at - push.ReceivedAt > ReadingRules.FutureMax)
        {
            into.RefuseWhole(RefusalReason.Time, "uplink_message.received_at must be there and be a time such as 2023-05-19T05:33:35.641841782Z, at most 24 h after the arrival.");
            return;
        }

        LinkQuality(uplink, device, at, into);
        if (Model(push, uplink, into) is not { } model)
        {
            return;
        }

        var port = uplink.TryGetProperty("f_port", out var portElement) && portElement.ValueKind == JsonValueKind.Number && portElement.TryGetInt32(out var number) ? number : 0;
        if (model.Ports.Count > 0 && !model.Ports.Contains(port))
        {
            into.Ignore(string.Create(CultureInfo.InvariantCulture, $"f_port {port}"));
            return;
        }

        if (ReportPeriod(push, model, into) is { } period)
        {
            Fields(new Uplink(uplink, device, at, period), model, into);
        }
    }

    private static void Fields(in Uplink uplink, DeviceModel model, Translation into)
    {
        if (uplink.Message.TryGetProperty("decoded_payload", out var decoded) && decoded.ValueKind == JsonValueKind.Object && decoded.EnumerateObject().Any())
        {
            if (into.RefuseTooMany(decoded.EnumerateObject().Count(), "decoded_payload"))
            {
                return;
            }

            var unknown = new List<(int Index, string Name)>();
            var index = -1;
            foreach (var property in decoded.EnumerateObject())
            {
                index++;
                Field(uplink, model, index, property.Name, property.Value, null, unknown, into);
            }

            into.RefuseUnknown(unknown, $"{model.Model} is not declared to say this in decoded_payload.", Only(uplink, unknown));
            return;
        }

        var raw = uplink.Message.TryGetProperty("frm_payload", out var given) ? given : default;
        if (model.Codec is null || raw.ValueKind != JsonValueKind.String)
        {
            into.RefuseWhole(
                RefusalReason.UnknownQuantity,
                $"decoded_payload is missing, and {(model.Codec is null ? $"there is no decoder for {model.Model} here" : "so is frm_payload")}: switch on the payload formatter of the device in The Things Stack.");
            return;
        }

        if (!raw.TryGetBytesFromBase64(out var bytes))
        {
            into.RefuseWhole(RefusalReason.FieldType, $"uplink_message.frm_payload is {Translation.Quote(raw)}: it must be base64.");
            return;
        }

        var fields = new List<(string Name, double Value)>();
        var rest = model.Codec.Decode(bytes, fields);
        var none = new List<(int, string)>();
        for (var i = 0; i < fields.Count; i++)
        {
            Field(uplink, model, i, fields[i].Name, default, fields[i].Value, none, into);
        }

        if (none.Count > 0 || rest is not null)
        {
            into.Refuse(fields.Count, RefusalReason.UnknownQuantity, $"frm_payload of {model.Model}: {rest ?? "it has fields the table does not declare."}", Only(uplink, null));
        }
    }

    private static void Field(in Uplink uplink, DeviceModel model, int index, string name, JsonElement element, double? read, List<(int, string)> unknown, Translation into)
    {
        if (!model.Fields.TryGetValue(name, out var field))
        {
            unknown.Add((index, name));
            return;
        }

        if (field is null)
        {
            into.Ignore(name);
            return;
        }

        var alone = Only(uplink, read is null ? [(index, name)] : null);

        // Some decoders say {"value": 3.9, "unit": "..."}.
        var number = element.ValueKind == JsonValueKind.Object && element.TryGetProperty("value", out var inner) ? inner : element;
        if (read is not { } value && !(number.ValueKind == JsonValueKind.Number && number.TryGetDouble(out value) && double.IsFinite(value)))
        {
            into.Refuse(index, RefusalReason.Value, $"decoded_payload.{name} is {Translation.Quote(number)}: it must be a number.", alone);
            return;
        }

        var period = field.OverReport ? uplink.Period : TimeSpan.Zero;
        var target = new FieldTarget(field.Sensor is null ? uplink.Device : $"{uplink.Device}-{field.Sensor}", field.Property, field.Unit);
        into.Take(index, name, target, value, uplink.At - period, alone, period);
    }

    private DeviceModel? Model(in AdapterPush push, JsonElement uplink, Translation into)
    {
        var repository = uplink.TryGetProperty("version_ids", out var ids) && ids.ValueKind == JsonValueKind.Object && Text(ids, "brand_id") is { } brand && Text(ids, "model_id") is { } name
            ? $"{brand}/{name}"
            : null;
        var declared = push.Context.GetValueOrDefault("model");
        var model = (repository is null ? null : _devices.Find(repository)) ?? (declared is null ? null : _devices.Find(declared));
        if (model is null)
        {
            var said = repository is null && declared is null
                ? "The uplink does not name its model (version_ids), and the address has no ?model=."
                : $"The model {Translation.Quote(declared ?? repository!)} is not declared.";
            into.RefuseWhole(RefusalReason.UnknownQuantity, $"{said} Known are {string.Join(", ", _devices.Models.Select(m => m.Model))}; more can be declared in a file ({IngestOptions.Section}:{nameof(IngestOptions.ThingsStackDevices)}).");
        }

        return model;
    }

    private static TimeSpan? ReportPeriod(in AdapterPush push, DeviceModel model, Translation into)
    {
        if (push.Context.GetValueOrDefault("period") is not { } text)
        {
            return model.Report ?? TimeSpan.Zero;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 1 and <= PeriodSecondsMax)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        into.RefuseWhole(RefusalReason.FieldType, $"The address says period={Translation.Quote(text)}: it must be the seconds between reports, 1 to {PeriodSecondsMax}.");
        return null;
    }

    /// <summary>The strongest gateway's level is the link's: the network needs only one.</summary>
    private static void LinkQuality(JsonElement uplink, string device, DateTime at, Translation into)
    {
        double? best = null;
        if (uplink.TryGetProperty("rx_metadata", out var gateways) && gateways.ValueKind == JsonValueKind.Array)
        {
            foreach (var gateway in gateways.EnumerateArray())
            {
                if (gateway.ValueKind == JsonValueKind.Object && gateway.TryGetProperty("rssi", out var rssi) && rssi.ValueKind == JsonValueKind.Number && rssi.TryGetDouble(out var level) && double.IsFinite(level))
                {
                    best = Math.Max(best ?? level, level);
                }
            }
        }

        if (best is { } found)
        {
            into.Take(0, "rx_metadata.rssi", new FieldTarget(device, "link_quality", "dBm"), found, at, Only(new Uplink(uplink, device, at, default), []));
        }
    }

    private static string? Device(JsonElement root)
    {
        if (!root.TryGetProperty("end_device_ids", out var ids) || ids.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        return Text(ids, "device_id") is { Length: <= DeviceMax } device && ReadingRules.IsSensor(device) ? device : null;
    }

    private static DateTime? Time(JsonElement element) =>
        Text(element, "received_at") is { } text && DateTimeOffset.TryParse(Trimmed(text), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.UtcDateTime
            : null;

    /// <summary>The network writes nanoseconds, of which the parser takes seven digits.</summary>
    private static string Trimmed(string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        var end = dot < 0 ? -1 : text.AsSpan(dot + 1).IndexOfAnyExceptInRange('0', '9');
        return end > 6 ? string.Concat(text.AsSpan(0, dot + 7), text.AsSpan(dot + 1 + end)) : text;
    }

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>The uplink with some of its decoded fields only; null keeps its bytes instead.</summary>
    private static Action<Utf8JsonWriter> Only(Uplink uplink, IReadOnlyCollection<(int Index, string Name)>? fields) => writer =>
    {
        writer.WriteStartObject();
        writer.WritePropertyName("end_device_ids");
        writer.WriteStartObject();
        writer.WriteString("device_id", uplink.Device);
        writer.WriteEndObject();
        writer.WriteStartObject("uplink_message");
        foreach (var name in (string[])["received_at", "f_port", "f_cnt", "version_ids"])
        {
            if (uplink.Message.TryGetProperty(name, out var value))
            {
                writer.WritePropertyName(name);
                value.WriteTo(writer);
            }
        }

        if (!uplink.Message.TryGetProperty("received_at", out _))
        {
            writer.WriteString("received_at", uplink.At);
        }

        if (fields is null)
        {
            if (uplink.Message.TryGetProperty("frm_payload", out var raw))
            {
                writer.WritePropertyName("frm_payload");
                raw.WriteTo(writer);
            }
        }
        else if (uplink.Message.TryGetProperty("decoded_payload", out var decoded) && decoded.ValueKind == JsonValueKind.Object)
        {
            writer.WriteStartObject("decoded_payload");
            foreach (var property in decoded.EnumerateObject())
            {
                if (fields.Any(f => f.Name == property.Name))
                {
                    property.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    };

    private readonly record struct Uplink(JsonElement Message, string Device, DateTime At, TimeSpan Period);
}
