using System.Globalization;
using Hub.Cloud.Alerts;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Portal.Show;

/// <summary>A small drawing of a rule's area with the stations around it, for an SVG. Pure.</summary>
/// <param name="Width">Of the drawing, its own units.</param>
/// <param name="Height">Of the drawing.</param>
/// <param name="Corners">The polygon's corners as SVG writes them.</param>
/// <param name="Dots">The stations, with where they are in the drawing and whether they are in the area.</param>
internal sealed record AreaPicture(double Width, double Height, string Corners, IReadOnlyList<AreaDot> Dots)
{
    private const double Size = 320;
    private const double Margin = 16;

    /// <summary>Stations that the rule would look at.</summary>
    public IEnumerable<Station> Inside => Dots.Where(static dot => dot.IsInside).Select(static dot => dot.Station);

    /// <summary>Draws it, north up, a degree of longitude as much narrower as it is at that latitude.</summary>
    /// <param name="corners">Of the area; fewer than three are no area.</param>
    /// <param name="stations">Of the municipality.</param>
    /// <returns>Null when there is no area to draw.</returns>
    public static AreaPicture? Draw(IReadOnlyList<AreaPoint> corners, IReadOnlyList<Station> stations)
    {
        if (corners.Count < 3 || corners.Any(static one => Math.Abs(one.Longitude) > 180 || Math.Abs(one.Latitude) > 90))
        {
            return null;
        }

        var area = new Rule("", "", "", "", default, "", null, null, null, Crossing.Above, 0, 0, TimeSpan.Zero) { Area = corners };

        // What is far away would make the area too small to see: the drawing shows the area and as much again around it.
        var (west, east) = (corners.Min(static one => one.Longitude), corners.Max(static one => one.Longitude));
        var (south, north) = (corners.Min(static one => one.Latitude), corners.Max(static one => one.Latitude));
        var (wide, high) = (Math.Max(east - west, 0.002), Math.Max(north - south, 0.002));
        Station[] near = [.. stations.Where(one => one.Longitude >= west - wide && one.Longitude <= east + wide && one.Latitude >= south - high && one.Latitude <= north + high)];
        (west, east) = (Math.Min(west, near.Select(static one => one.Longitude).DefaultIfEmpty(west).Min()), Math.Max(east, near.Select(static one => one.Longitude).DefaultIfEmpty(east).Max()));
        (south, north) = (Math.Min(south, near.Select(static one => one.Latitude).DefaultIfEmpty(south).Min()), Math.Max(north, near.Select(static one => one.Latitude).DefaultIfEmpty(north).Max()));
        var narrow = Math.Max(0.01, Math.Cos((south + north) / 2 * Math.PI / 180));
        var scale = Size / Math.Max(Math.Max((east - west) * narrow, north - south), 1e-6);
        return new(
            Math.Round(((east - west) * narrow * scale) + (2 * Margin)), Math.Round(((north - south) * scale) + (2 * Margin)),
            string.Join(' ', corners.Select(one => string.Create(CultureInfo.InvariantCulture, $"{X(one.Longitude):0.#},{Y(one.Latitude):0.#}"))),
            [.. near.Select(one => new AreaDot(one, X(one.Longitude), Y(one.Latitude), area.IsAt(one.Longitude, one.Latitude)))]);

        double X(double longitude) => Math.Round(((longitude - west) * narrow * scale) + Margin, 1);

        double Y(double latitude) => Math.Round(((north - latitude) * scale) + Margin, 1);
    }
}

/// <summary>A station in the drawing.</summary>
/// <param name="Station">The station.</param>
/// <param name="X">To the right.</param>
/// <param name="Y">Down.</param>
/// <param name="IsInside">Whether it is in the area.</param>
internal sealed record AreaDot(Station Station, double X, double Y, bool IsInside);
