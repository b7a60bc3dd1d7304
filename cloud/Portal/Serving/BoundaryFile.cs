using System.Text.Json;

namespace Hub.Cloud.Portal.Serving;

/// <summary>A GeoJSON file (RFC 7946) with own areas on the disk.</summary>
internal static class BoundaryFile
{
    /// <summary>A larger file would keep a telephone busy for long.</summary>
    public const int BytesMax = 20 * 1024 * 1024;

    /// <summary>Why a file cannot be drawn, as the end of a sentence; null when it can.</summary>
    public static string? WhatIsWrong(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > BytesMax)
            {
                return $"which has {file.Length} bytes; {BytesMax} is the most that pages load: simplify it.";
            }

            using var document = JsonDocument.Parse(file);
            return WhatIsWrong(document.RootElement);
        }
        catch (JsonException exception)
        {
            return $"which is not JSON (line {exception.LineNumber + 1}): {exception.Message}";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return "which cannot be read: " + exception.Message;
        }
    }

    private static string? WhatIsWrong(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || TypeOf(root) != "FeatureCollection" || !root.TryGetProperty("features", out var features) || features.ValueKind != JsonValueKind.Array)
        {
            return "which is no GeoJSON FeatureCollection: \"type\": \"FeatureCollection\" and \"features\": [...] are expected.";
        }

        if (features.GetArrayLength() == 0)
        {
            return "which has no features.";
        }

        var number = 0;
        foreach (var feature in features.EnumerateArray())
        {
            if (feature.ValueKind != JsonValueKind.Object || TypeOf(feature) != "Feature" || !feature.TryGetProperty("geometry", out var geometry) || geometry.ValueKind != JsonValueKind.Object)
            {
                return $"whose feature {number} (counted from 0) has no geometry.";
            }

            if (TypeOf(geometry) is not ("Polygon" or "MultiPolygon" or "LineString" or "MultiLineString") || !geometry.TryGetProperty("coordinates", out var coordinates))
            {
                return $"whose feature {number} (counted from 0) is a {TypeOf(geometry)}: areas and lines are expected (Polygon, MultiPolygon, LineString, MultiLineString).";
            }

            if (!AreOnTheGlobe(coordinates))
            {
                return $"whose feature {number} (counted from 0) has coordinates that are no longitude (-180 to 180) and latitude (-90 to 90): convert it to WGS84 (EPSG:4326), for example with ogr2ogr -t_srs EPSG:4326.";
            }

            number++;
        }

        return null;
    }

    private static string TypeOf(JsonElement element) => element.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString()! : "";

    private static bool AreOnTheGlobe(JsonElement coordinates)
    {
        if (coordinates.ValueKind != JsonValueKind.Array)
        {
            return false;
        }

        if (coordinates.GetArrayLength() >= 2 && coordinates[0].ValueKind == JsonValueKind.Number)
        {
            return coordinates[1].ValueKind == JsonValueKind.Number && Math.Abs(coordinates[0].GetDouble()) <= 180 && Math.Abs(coordinates[1].GetDouble()) <= 90;
        }

        foreach (var inner in coordinates.EnumerateArray())
        {
            if (!AreOnTheGlobe(inner))
            {
                return false;
            }
        }

        return coordinates.GetArrayLength() > 0;
    }
}
