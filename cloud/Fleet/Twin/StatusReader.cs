using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Hub.Cloud.Fleet.Twin;

/// <summary>Reads what a station says on <c>status</c>. Whatever it does not know is passed over; texts and lists are cut, since they end up on pages. Pure functions.</summary>
internal static class StatusReader
{
    /// <summary>Most sensors looked at.</summary>
    public const int SensorsMax = 200;

    /// <summary>Most quantities of a sensor looked at.</summary>
    public const int QuantitiesMax = 50;

    /// <summary>Longest text kept, characters.</summary>
    public const int TextMax = 200;

    public static bool TryRead(ReadOnlyMemory<byte> utf8, [NotNullWhen(true)] out StationStatus? status)
    {
        status = null;
        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = 16 });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || Text(root, "state") is not ("online" or "offline") || Text(root, "state") is not { } state)
            {
                return false;
            }

            status = new StationStatus(state == "online", Text(root, "reason"), Text(root, "agent"), Instant(root, "started"), Sensors(root));
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static List<StatusSensor> Sensors(JsonElement root)
    {
        List<StatusSensor> sensors = [];
        if (root.TryGetProperty("sensors", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var one in list.EnumerateArray().Take(SensorsMax))
            {
                if (one.ValueKind == JsonValueKind.Object && Text(one, "name") is { Length: > 0 } name)
                {
                    sensors.Add(new StatusSensor(name, Text(one, "kind") ?? "", Text(one, "condition"), Quantities(one)));
                }
            }
        }

        return sensors;
    }

    private static List<string> Quantities(JsonElement sensor) =>
        sensor.TryGetProperty("quantities", out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Take(QuantitiesMax).Where(q => q.ValueKind == JsonValueKind.String).Select(q => Cut(q.GetString()!))]
            : [];

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? Cut(value.GetString()!) : null;

    private static DateTime? Instant(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var at) ? at.UtcDateTime : null;

    private static string Cut(string text)
    {
        var plain = text.Any(char.IsControl) ? new string([.. text.Select(c => char.IsControl(c) ? ' ' : c)]) : text;
        return plain.Length <= TextMax ? plain : plain[..TextMax];
    }
}
