using System.Globalization;
using System.Text.Json;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;
using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Ingest.Adapters.Telraam;

/// <summary>
/// Reports of the Telraam API v1 (<c>POST /v1/reports/traffic</c>), whole or only their rows: counts by mode for an hour or a quarter, V85, and how much of the time the
/// counter saw. Counts are taken as they are, never scaled up: the share is their coverage. A row that is told again with a larger share replaces the earlier one.
/// </summary>
internal sealed class TelraamAdapter : IStationAdapter
{
    /// <summary>Below it Telraam itself calls an uptime poor (so in the downloads of two counters, 21,121 quarters).</summary>
    private const double UptimePoor = 0.6;

    private static readonly (string Field, string Property)[] Counts =
    [
        ("heavy", "vehicle_count_heavy"),
        ("car", "vehicle_count_car"),
        ("bike", "bicycle_count"),
        ("pedestrian", "pedestrian_count"),
        ("night", "vehicle_count_unclassified"),
    ];

    /// <summary>Observed properties of the counts.</summary>
    public static IReadOnlyList<string> CountProperties { get; } = [.. Counts.Select(c => c.Property)];

    /// <summary>Fields that say which row it is, or how good.</summary>
    private static readonly HashSet<string> Used = new(StringComparer.Ordinal) { "date", "interval", "uptime", "segment_id", "v85", "heavy", "car", "bike", "pedestrian", "night" };

    /// <summary>Known, and left out: parts of the counts above, shares of speed classes, and the camera's own state.</summary>
    private static readonly HashSet<string> LeftOut = new(StringComparer.Ordinal)
    {
        "instance_id", "device_id", "direction", "timezone", "car_speed_hist_0to70plus", "car_speed_hist_0to120plus", "speed_hist_car_lft", "speed_hist_car_rgt", "car_speed_bucket",
        "speed_buckets", "brightness", "sharpness", "uptime_quality", "hour", "day", "weekday",
    };

    public string Name => StationAdapters.Telraam;

    public bool TimeIsArrival => false;

    public IReadOnlyDictionary<string, string> ContextOf(HttpRequest request) => AdapterPush.NoContext;

    public void Translate(in AdapterPush push, JsonElement root, Translation into)
    {
        if (!TryRows(root, out var rows))
        {
            into.RefuseWhole(RefusalReason.Malformed, "report must be there and be a list of rows, as the API answers: {\"report\": [{\"date\": ..., \"interval\": \"hourly\", \"uptime\": ..., \"car\": ...}]}.");
            return;
        }

        if (into.RefuseTooMany(rows.GetArrayLength(), "report"))
        {
            return;
        }

        var index = -1;
        foreach (var row in rows.EnumerateArray())
        {
            Row(++index, row, push.Context.GetValueOrDefault("interval"), into);
        }
    }

    /// <summary>Finds the rows of an answer of the API, or a list of rows alone.</summary>
    public static bool TryRows(JsonElement root, out JsonElement rows)
    {
        rows = root;
        return root.ValueKind == JsonValueKind.Array || (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("report", out rows) && rows.ValueKind == JsonValueKind.Array);
    }

    private static void Row(int index, JsonElement row, string? asked, Translation into)
    {
        var alone = (Action<Utf8JsonWriter>)(writer => Write(writer, row, null));
        var field = $"report[{index}]";
        if (row.ValueKind != JsonValueKind.Object)
        {
            into.Refuse(index, RefusalReason.FieldType, $"{field} must be a row; it is {Translation.Quote(row)}.", alone);
            return;
        }

        var date = row.TryGetProperty("date", out var dateElement) ? dateElement : default;
        if (date.ValueKind != JsonValueKind.String
            || !DateTimeOffset.TryParse(date.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var start))
        {
            into.Refuse(index, RefusalReason.Time, $"{field}.date is {Translation.Quote(date)}: it must be the UTC start of the row, such as 2024-10-15T06:00:00.000Z.", alone);
            return;
        }

        var intervalElement = row.TryGetProperty("interval", out var given) ? given : default;
        if ((Period(intervalElement.ValueKind == JsonValueKind.String ? intervalElement.GetString() : null) ?? Period(asked)) is not { } period)
        {
            into.Refuse(index, RefusalReason.FieldType, $"{field}.interval is {Translation.Quote(intervalElement)}: it must be hourly or quarterly (days are sums of these, which the hub makes itself).", alone);
            return;
        }

        var uptimeElement = row.TryGetProperty("uptime", out given) ? given : default;
        if (uptimeElement.ValueKind != JsonValueKind.Number || !uptimeElement.TryGetDouble(out var uptime) || !(uptime is >= 0 and <= 100))
        {
            // Without it nobody can know whether 0 cars is an empty street or a counter that slept.
            into.Refuse(index, RefusalReason.FieldType, $"{field}.uptime is {Translation.Quote(uptimeElement)}: it must be the share of the interval that was measured, such as 0.78.", alone);
            return;
        }

        if (uptime == 0)
        {
            into.Ignore("rows with uptime 0");
            return;
        }

        var segment = row.TryGetProperty("segment_id", out given) && given.ValueKind == JsonValueKind.Number && given.TryGetInt64(out var id) && id > 0
            ? string.Create(CultureInfo.InvariantCulture, $"telraam-{id}")
            : "telraam";
        var stamp = new RowStamp(index, field, segment, start.UtcDateTime, period, uptime);
        foreach (var (name, property) in Counts)
        {
            if (row.TryGetProperty(name, out var count) && count.ValueKind != JsonValueKind.Null)
            {
                Value(stamp, name, new FieldTarget(segment, property, "count"), count, row, into);
            }
        }

        // With no car there is no speed; what stands there then is a filling.
        if (row.TryGetProperty("v85", out var v85) && v85.ValueKind != JsonValueKind.Null && row.TryGetProperty("car", out var cars) && cars.ValueKind == JsonValueKind.Number && cars.TryGetDouble(out var number) && number > 0)
        {
            Value(stamp, "v85", new FieldTarget(segment, "v85", "km/h"), v85, row, into);
        }

        var unknown = new List<(int, string)>();
        foreach (var property in row.EnumerateObject())
        {
            if (LeftOut.Contains(property.Name) || IsPart(property.Name))
            {
                into.Ignore(property.Name);
            }
            else if (!Used.Contains(property.Name))
            {
                unknown.Add((index, property.Name));
            }
        }

        into.RefuseUnknown(unknown, $"They stand in {field}, beside the counts that were taken.", alone);
    }

    private static void Value(in RowStamp stamp, string name, FieldTarget target, JsonElement element, JsonElement row, Translation into)
    {
        var alone = (Action<Utf8JsonWriter>)(writer => Write(writer, row, name));
        if (element.ValueKind != JsonValueKind.Number || !element.TryGetDouble(out var value) || !(value >= 0) || !double.IsFinite(value))
        {
            into.Refuse(stamp.Index, RefusalReason.Value, $"{stamp.Field}.{name} is {Translation.Quote(element)}: it must be a number, 0 or more.", alone);
            return;
        }

        into.Take(
            stamp.Index,
            $"{stamp.Field}.{name}",
            target,
            value,
            stamp.Start,
            alone,
            stamp.Period,
            Math.Min(stamp.Uptime, 1),
            stamp.Uptime < UptimePoor ? Quality.Incomplete : Quality.Good,

            // While an interval goes on its share grows: so the later statement of a row wins, in whatever order they come.
            (int)Math.Round(stamp.Uptime * 1_000));
    }

    /// <summary>What a row says of itself; where it says nothing we know, what was asked for.</summary>
    private static TimeSpan? Period(string? interval) => interval switch
    {
        "hourly" or "hour" or "per-hour" => TimeSpan.FromHours(1),
        "quarterly" or "quarter" or "per-quarter" or "15min" => TimeSpan.FromMinutes(15),
        _ => null,
    };

    /// <summary>The two directions of a count, and the finer modes of a Telraam S2, which are parts of the four above.</summary>
    private static bool IsPart(string name) => name.EndsWith("_lft", StringComparison.Ordinal) || name.EndsWith("_rgt", StringComparison.Ordinal) || name.StartsWith("mode_", StringComparison.Ordinal);

    /// <summary>A report of one row; with a field named, of that field of it.</summary>
    private static void Write(Utf8JsonWriter writer, JsonElement row, string? only)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("report");
        if (only is null)
        {
            row.WriteTo(writer);
        }
        else
        {
            writer.WriteStartObject();
            foreach (var property in row.EnumerateObject())
            {
                if (property.Name is "date" or "interval" or "uptime" or "segment_id" || property.Name == only || (only == "v85" && property.Name == "car"))
                {
                    property.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private readonly record struct RowStamp(int Index, string Field, string Segment, DateTime Start, TimeSpan Period, double Uptime);
}
