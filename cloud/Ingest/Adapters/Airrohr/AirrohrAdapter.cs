using System.Globalization;
using System.Text.Json;
using Hub.Edge.Contract.Encoding;
using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Ingest.Adapters.Airrohr;

/// <summary>
/// What sensor.community (airrohr) stations push: <c>{"software_version": ..., "sensordatavalues": [{"value_type": "SDS_P1", "value": "0.40"}, ...]}</c>. Values are
/// texts, there is no time, and a sensor that failed is simply absent. Two forms: to an API of one's own everything in one push, each type with its sensor
/// in front; as to sensor.community itself a push for each sensor, its types bare and the sensor in the header X-PIN.
/// </summary>
internal sealed class AirrohrAdapter : IStationAdapter
{
    /// <summary>How often a station sends when it does not say: the firmware's default.</summary>
    private static readonly TimeSpan IntervalDefault = TimeSpan.FromSeconds(145);

    public string Name => StationAdapters.Airrohr;

    public bool TimeIsArrival => true;

    public IReadOnlyDictionary<string, string> ContextOf(HttpRequest request) =>
        request.Headers["X-PIN"].ToString() is { Length: 1 or 2 } pin && pin.All(char.IsAsciiDigit)
            ? new Dictionary<string, string>(1) { ["pin"] = pin }
            : AdapterPush.NoContext;

    public void Translate(in AdapterPush push, JsonElement root, Translation into)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("sensordatavalues", out var values) || values.ValueKind != JsonValueKind.Array)
        {
            into.RefuseWhole(RefusalReason.Malformed, "sensordatavalues must be there and be a list: {\"sensordatavalues\": [{\"value_type\": \"SDS_P1\", \"value\": \"12.3\"}]}.");
            return;
        }

        if (into.RefuseTooMany(values.GetArrayLength(), "sensordatavalues"))
        {
            return;
        }

        var pin = push.Context.GetValueOrDefault("pin");
        var interval = Interval(values);
        var unknown = new List<(int Index, string Name)>();
        var unknownValues = new List<JsonElement>();
        var index = -1;
        foreach (var item in values.EnumerateArray())
        {
            index++;
            var field = $"sensordatavalues[{index}]";
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("value_type", out var typeElement) || typeElement.ValueKind != JsonValueKind.String)
            {
                into.Refuse(index, RefusalReason.FieldType, $"{field}.value_type must be there and be a text.", Alone(item));
                continue;
            }

            var type = typeElement.GetString()!;
            switch (AirrohrFields.Find(type, pin, out var found))
            {
                case AirrohrField.Unknown:
                    unknown.Add((index, type));
                    unknownValues.Add(item);
                    continue;
                case AirrohrField.LeftOut:
                    into.Ignore(type);
                    continue;
            }

            if (!item.TryGetProperty("value", out var text) || !TryNumber(text, out var value))
            {
                into.Refuse(index, RefusalReason.Value, $"{field}.value of {Translation.Quote(type)} is {Translation.Quote(text)}: it must be a number.", Alone(item));
                continue;
            }

            // Concentrations and weather are of the moment; a sound level is of the time since the last push.
            var period = found.Property == "laeq" ? interval : TimeSpan.Zero;
            into.Take(index, $"{field} ({type})", found, value, push.ReceivedAt - period, Alone(item), period);
        }

        into.RefuseUnknown(unknown, "No sensor of airrohr is known to say this" + (pin is null ? "." : $" with X-PIN {pin}."), writer => Write(writer, unknownValues));
    }

    private static bool TryNumber(JsonElement element, out double value)
    {
        value = double.NaN;
        return (element.ValueKind switch
        {
            JsonValueKind.String => double.TryParse(element.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out value),
            JsonValueKind.Number => element.TryGetDouble(out value),
            _ => false,
        }) && double.IsFinite(value);
    }

    private static TimeSpan Interval(JsonElement values)
    {
        foreach (var item in values.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.Object && item.TryGetProperty("value_type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("interval")
                && item.TryGetProperty("value", out var text) && TryNumber(text, out var milliseconds) && milliseconds is >= 1_000 and <= 86_400_000)
            {
                return TimeSpan.FromSeconds(Math.Round(milliseconds / 1_000));
            }
        }

        return IntervalDefault;
    }

    private static Action<Utf8JsonWriter> Alone(JsonElement item) => writer => Write(writer, [item]);

    private static void Write(Utf8JsonWriter writer, List<JsonElement> items)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("sensordatavalues");
        items.ForEach(item => item.WriteTo(writer));
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
