using System.Globalization;
using System.Text.Json;

namespace Hub.Cloud.InfluxQl.Tests;

/// <summary>Whether two answers are the same: series, tags, columns, times, and values within 1e-9. Rows of one time may come in any order, because InfluxDB promises none.</summary>
internal static class Comparison
{
    /// <summary>What differs; null when nothing does.</summary>
    public static string? Difference(JsonElement hub, JsonElement influx)
    {
        var (ours, theirs) = (Error(hub), Error(influx));
        if (ours is not null || theirs is not null)
        {
            return (ours is null) == (theirs is null) ? null : $"hub: {ours ?? "answers"}; InfluxDB: {theirs ?? "answers"}";
        }

        var (results, expected) = (hub.GetProperty("results"), influx.GetProperty("results"));
        if (results.GetArrayLength() != expected.GetArrayLength())
        {
            return "number of statements";
        }

        for (var i = 0; i < results.GetArrayLength(); i++)
        {
            if (Statement(Series(results[i]), Series(expected[i])) is { } difference)
            {
                return difference;
            }
        }

        return null;
    }

    private static string? Error(JsonElement document) => document.TryGetProperty("error", out var error)
        ? error.GetString()
        : document.GetProperty("results").EnumerateArray().Select(result => result.TryGetProperty("error", out var inner) ? inner.GetString() : null).FirstOrDefault(text => text is not null);

    private static JsonElement[] Series(JsonElement result) => result.TryGetProperty("series", out var series) ? [.. series.EnumerateArray()] : [];

    private static string? Statement(JsonElement[] ours, JsonElement[] theirs)
    {
        for (var i = 0; i < Math.Max(ours.Length, theirs.Length); i++)
        {
            if (i == ours.Length || i == theirs.Length || Head(ours[i]) != Head(theirs[i]))
            {
                return $"series {i} of {ours.Length} is {(i < ours.Length ? Head(ours[i]) : "missing")}, InfluxDB's of {theirs.Length} {(i < theirs.Length ? Head(theirs[i]) : "is missing")}";
            }

            var (rows, expected) = (Rows(ours[i]), Rows(theirs[i]));
            for (var j = 0; j < Math.Max(rows.Length, expected.Length); j++)
            {
                if (j == rows.Length || j == expected.Length || !Same(rows[j], expected[j]))
                {
                    return $"{Head(ours[i])} row {j} of {rows.Length} is {(j < rows.Length ? rows[j] : "missing")}, InfluxDB's of {expected.Length} {(j < expected.Length ? expected[j] : "is missing")}";
                }
            }
        }

        return null;
    }

    private static string Head(JsonElement series) => string.Join(
        ' ', series.TryGetProperty("name", out var name) ? name.GetString() : "",
        series.TryGetProperty("tags", out var tags) ? string.Join(',', tags.EnumerateObject().Select(tag => $"{tag.Name}={tag.Value}")) : "", series.GetProperty("columns"));

    /// <summary>In the order of the answer, but those of one time in an order of their own.</summary>
    private static JsonElement[] Rows(JsonElement series)
    {
        var rows = series.GetProperty("values").EnumerateArray().ToArray();
        for (var begin = 0; begin < rows.Length;)
        {
            var end = begin + 1;
            while (end < rows.Length && rows[end][0].ValueKind == JsonValueKind.Number && rows[end][0].GetRawText() == rows[begin][0].GetRawText())
            {
                end++;
            }

            Array.Sort(rows, begin, end - begin, Comparer<JsonElement>.Create(static (a, b) => string.CompareOrdinal(Key(a), Key(b))));
            begin = end;
        }

        return rows;
    }

    private static string Key(JsonElement row) => string.Join(
        ' ', row.EnumerateArray().Select(value => value.ValueKind == JsonValueKind.Number ? value.GetDouble().ToString("E6", CultureInfo.InvariantCulture) : value.ToString()));

    private static bool Same(JsonElement ours, JsonElement theirs)
    {
        if (ours.GetArrayLength() != theirs.GetArrayLength())
        {
            return false;
        }

        for (var i = 0; i < ours.GetArrayLength(); i++)
        {
            var (a, b) = (ours[i], theirs[i]);
            if (a.ValueKind == JsonValueKind.Number && b.ValueKind == JsonValueKind.Number && a.GetRawText() != b.GetRawText())
            {
                // Differences of nearly equal numbers have few digits left: of values around 50 what is below 1e-11 is nothing.
                var (x, y) = (a.GetDouble(), b.GetDouble());
                if (i == 0 || Math.Abs(x - y) > Math.Max(1e-9 * Math.Max(Math.Abs(x), Math.Abs(y)), 1e-11))
                {
                    return false;
                }
            }
            else if (a.ValueKind != b.ValueKind || (a.ValueKind != JsonValueKind.Number && a.ToString() != b.ToString()))
            {
                return false;
            }
        }

        return true;
    }
}
