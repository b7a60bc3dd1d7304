using System.Globalization;
using NetTopologySuite.Algorithm;
using NetTopologySuite.Geometries;
using NetTopologySuite.Operation.Valid;

namespace Hub.Cloud.Alerts.Rules;

/// <summary>The area of a rule: a simple polygon in the plane of degrees, its border included. Immutable; safe for concurrent callers.</summary>
internal sealed class RuleArea
{
    /// <summary>Fewest corners.</summary>
    public const int CountMin = 3;

    /// <summary>Most corners.</summary>
    public const int CountMax = 200;

    private readonly Coordinate[] _ring;

    private RuleArea(Coordinate[] ring) => _ring = ring;

    /// <summary>The area of corners that have been checked; null when there are none, which is everywhere.</summary>
    public static RuleArea? Of(IReadOnlyList<AreaPoint> corners) => corners.Count == 0 ? null : new RuleArea(RingOf(corners));

    /// <summary>Whether a place lies in it or on its border.</summary>
    public bool Contains(double longitude, double latitude) => PointLocation.IsInRing(new Coordinate(longitude, latitude), _ring);

    /// <summary>What is wrong with corners, and with which of them (-1: with all of it); null when nothing is.</summary>
    public static (int Corner, string Reason)? WrongOf(IReadOnlyList<AreaPoint> corners)
    {
        if (corners.Count is < CountMin or > CountMax)
        {
            return (-1, string.Create(CultureInfo.InvariantCulture, $"must have {CountMin} to {CountMax} corners, but has {corners.Count}"));
        }

        for (var i = 0; i < corners.Count; i++)
        {
            if (!(corners[i].Longitude is >= -180 and <= 180 && corners[i].Latitude is >= -90 and <= 90))
            {
                return (i, string.Create(
                    CultureInfo.InvariantCulture, $"must be longitude and latitude, -180 to 180 and -90 to 90 degrees, but is {corners[i].Longitude}, {corners[i].Latitude}"));
            }
        }

        var ring = RingOf(corners);
        var wrong = new IsValidOp(new Polygon(new LinearRing(ring))).ValidationError;
        if (wrong is not null)
        {
            return (-1, string.Create(
                CultureInfo.InvariantCulture, $"must be a polygon whose border neither crosses nor touches itself, but does near {wrong.Coordinate.X}, {wrong.Coordinate.Y}"));
        }

        return null;
    }

    private static Coordinate[] RingOf(IReadOnlyList<AreaPoint> corners) => [.. corners.Append(corners[0]).Select(corner => new Coordinate(corner.Longitude, corner.Latitude))];
}
