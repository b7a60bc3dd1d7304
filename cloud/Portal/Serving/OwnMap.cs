using System.Globalization;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Portal.Serving;

/// <summary>The operator's own map as pages need it. Immutable.</summary>
internal sealed class OwnMap
{
    /// <summary>Address under which the hub serves an archive on its disk.</summary>
    public const string ArchivePath = "/map/tiles.pmtiles";

    /// <summary>Address under which the hub serves the own areas.</summary>
    public const string BoundaryPath = "/map/boundary.geojson";

    public OwnMap(IOptions<MapOptions> options)
    {
        Options = options.Value;
        Archive = Options.PmTiles.Source.Length == 0 ? "" : IsAddress(Options.PmTiles.Source) ? Options.PmTiles.Source : ArchivePath;
        Boundary = Options.Boundary.File.Length == 0 ? "" : BoundaryPath;
        var origins = new[] { Filled(Options.Tiles.Url), Archive }.Where(IsAddress).Select(static one => OriginOf(new Uri(one))).Distinct(StringComparer.Ordinal).ToArray();
        Origins = origins.Length == 0 ? "" : " " + string.Join(' ', origins);
    }

    public MapOptions Options { get; }

    /// <summary>Address of the archive; empty without one.</summary>
    public string Archive { get; }

    /// <summary>Address of the own areas; empty without them.</summary>
    public string Boundary { get; }

    /// <summary>What the content policy opens beside the hub itself, each with a space before it; empty for nothing.</summary>
    public string Origins { get; }

    /// <summary>Those who made something of it, in the order drawn.</summary>
    public IEnumerable<MapCreditOptions> Credits =>
        new (bool Used, MapCreditOptions Credit)[] { (Options.Tiles.Url.Length > 0, Options.Tiles), (Archive.Length > 0, Options.PmTiles), (Boundary.Length > 0, Options.Boundary) }
            .Where(static one => one.Used && one.Credit.Attribution.Length > 0).Select(static one => one.Credit);

    /// <summary>As a header can carry it: names in other letters in their ASCII form.</summary>
    private static string OriginOf(Uri uri) =>
        uri.HostNameType == UriHostNameType.Dns ? $"{uri.Scheme}://{uri.IdnHost}{(uri.IsDefaultPort ? "" : string.Create(CultureInfo.InvariantCulture, $":{uri.Port}"))}" : uri.GetLeftPart(UriPartial.Authority);

    /// <summary>Whether a text is an address and not a path.</summary>
    public static bool IsAddress(string source) => source.Contains("://", StringComparison.Ordinal);

    /// <summary>A tile's address with places filled, so that it can be read as one.</summary>
    public static string Filled(string template) => template.Replace("{z}", "0", StringComparison.Ordinal).Replace("{x}", "0", StringComparison.Ordinal).Replace("{y}", "0", StringComparison.Ordinal);
}
