using Hub.Cloud.Portal.Serving;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Portal;

/// <summary>The operator's own map, bound from <c>Hub:Portal:Map</c>. Nothing of it is needed: the hub carries a map. Checked before the server starts, files included, then never changed.</summary>
public sealed class MapOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Hub:Portal:Map";

    /// <summary>Raster tiles of a server, drawn over the hub's own map.</summary>
    public MapTilesOptions Tiles { get; set; } = new();

    /// <summary>A PMTiles archive, raster or vector, drawn over the hub's own map. Not together with <see cref="Tiles"/>.</summary>
    public MapArchiveOptions PmTiles { get; set; } = new();

    /// <summary>The operator's own areas (parishes, zones), outlined and named over every map.</summary>
    public MapBoundaryOptions Boundary { get; set; } = new();
}

/// <summary>Who made a layer: shown under the map.</summary>
public abstract class MapCreditOptions
{
    /// <summary>Who made the data and under which licence, as the licence asks, 1 to 300 characters. Needed with tiles and archives.</summary>
    public string Attribution { get; set; } = "";

    /// <summary>Address that the attribution leads to, http or https; empty (default) for none.</summary>
    public string AttributionUrl { get; set; } = "";
}

/// <summary>Raster tiles, from <c>Hub:Portal:Map:Tiles</c>.</summary>
public sealed class MapTilesOptions : MapCreditOptions
{
    /// <summary>Address of a tile, https (http also works), with <c>{z}</c>, <c>{x}</c> and <c>{y}</c>; the server must allow other origins (CORS). Empty (default) for none.</summary>
    public string Url { get; set; } = "";

    /// <summary>Zoom up to which the server has tiles, 1 to 24; nearer they are enlarged. Default 19.</summary>
    public int MaxZoom { get; set; } = 19;

    /// <summary>Width of a tile, 256 (default) or 512 pixels.</summary>
    public int Size { get; set; } = 256;
}

/// <summary>A PMTiles archive, from <c>Hub:Portal:Map:PmTiles</c>.</summary>
public sealed class MapArchiveOptions : MapCreditOptions
{
    /// <summary>Path of a file on the hub's disk, which the hub serves in ranges, or an https address whose server allows ranges and other origins (CORS). Empty (default) for none.</summary>
    public string Source { get; set; } = "";
}

/// <summary>Own areas, from <c>Hub:Portal:Map:Boundary</c>.</summary>
public sealed class MapBoundaryOptions : MapCreditOptions
{
    /// <summary>Path of a GeoJSON file, WGS84 (longitude, latitude), 20 MB at most. Empty (default) for none.</summary>
    public string File { get; set; } = "";

    /// <summary>Property of a feature that holds its name, 1 to 100 characters. Default <c>name</c>.</summary>
    public string Name { get; set; } = "name";
}

/// <summary>Checks <see cref="MapOptions"/> and the files it names; each message names the full key.</summary>
internal sealed class MapOptionsValidator : IValidateOptions<MapOptions>
{
    public ValidateOptionsResult Validate(string? name, MapOptions options)
    {
        List<string> wrong = [];
        var (tiles, archive, boundary) = (options.Tiles, options.PmTiles, options.Boundary);
        if (tiles.Url.Length > 0)
        {
            Check(IsTemplate(tiles.Url), "Tiles:Url", "an https or http address with {z}, {x} and {y}, for example https://tiles.example.org/{z}/{x}/{y}.png");
            Check(archive.Source.Length == 0, "Tiles:Url", $"empty while {MapOptions.Section}:PmTiles:Source is set: one map lies over the hub's own, not two");
            Credit(tiles, "Tiles", needed: true);
        }

        Check(tiles.MaxZoom is >= 1 and <= 24, "Tiles:MaxZoom", "1 to 24");
        Check(tiles.Size is 256 or 512, "Tiles:Size", "256 or 512");
        if (archive.Source.Length > 0)
        {
            if (OwnMap.IsAddress(archive.Source))
            {
                Check(Uri.TryCreate(archive.Source, UriKind.Absolute, out var uri) && uri.Scheme == "https" && uri.UserInfo.Length == 0, "PmTiles:Source", "an https address, or the path of a file on this machine");
            }
            else if (PmTilesFile.WhatIsWrong(archive.Source) is { } why)
            {
                wrong.Add($"{MapOptions.Section}:PmTiles:Source names {archive.Source}, {why}");
            }

            Credit(archive, "PmTiles", needed: true);
        }

        if (boundary.File.Length > 0)
        {
            if (BoundaryFile.WhatIsWrong(boundary.File) is { } why)
            {
                wrong.Add($"{MapOptions.Section}:Boundary:File names {boundary.File}, {why}");
            }

            Credit(boundary, "Boundary", needed: false);
        }

        Check(boundary.Name.Length is >= 1 and <= 100, "Boundary:Name", "1 to 100 characters");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);

        void Credit(MapCreditOptions credit, string of, bool needed)
        {
            Check(credit.Attribution.Length <= 300 && (!needed || credit.Attribution.Length > 0), of + ":Attribution", needed ? "1 to 300 characters: who made the map and under which licence" : "at most 300 characters");
            Check(credit.AttributionUrl.Length == 0 || (Uri.TryCreate(credit.AttributionUrl, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"), of + ":AttributionUrl", "an http or https address, or empty");
        }

        void Check(bool right, string key, string expected)
        {
            if (!right)
            {
                wrong.Add($"{MapOptions.Section}:{key} must be {expected}.");
            }
        }
    }

    private static readonly string[] Places = ["{z}", "{x}", "{y}"];

    private static bool IsTemplate(string url) =>
        Places.All(part => url.Split(part).Length == 2) && Uri.TryCreate(OwnMap.Filled(url), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0 && !uri.Host.Contains('{', StringComparison.Ordinal);
}
