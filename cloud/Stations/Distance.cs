namespace Hub.Cloud.Stations;

/// <summary>Distances between places of stations. Pure; from any thread.</summary>
public static class Distance
{
    /// <summary>Mean radius of the earth (IUGG), metres.</summary>
    private const double EarthRadiusMetres = 6_371_008.8;

    /// <summary>Great-circle distance by the haversine formula on the mean sphere; within 0.6 % of the ellipsoid's.</summary>
    /// <param name="latitude">WGS 84, degrees, -90 to 90.</param>
    /// <param name="longitude">WGS 84, degrees, -180 to 180.</param>
    /// <param name="otherLatitude">WGS 84, degrees, -90 to 90.</param>
    /// <param name="otherLongitude">WGS 84, degrees, -180 to 180.</param>
    /// <returns>Metres, 0 to half the earth's circumference.</returns>
    public static double Metres(double latitude, double longitude, double otherLatitude, double otherLongitude)
    {
        (latitude, otherLatitude) = (double.DegreesToRadians(latitude), double.DegreesToRadians(otherLatitude));
        var (north, east) = (Math.Sin((otherLatitude - latitude) / 2), Math.Sin(double.DegreesToRadians(otherLongitude - longitude) / 2));

        // Rounding may take the places of antipodes past 1.
        return 2 * EarthRadiusMetres * Math.Asin(Math.Min(1, Math.Sqrt((north * north) + (Math.Cos(latitude) * Math.Cos(otherLatitude) * east * east))));
    }

    /// <summary>Great-circle distance between two stations as they stand now; metres.</summary>
    /// <exception cref="ArgumentNullException">A station is missing.</exception>
    public static double Metres(Station one, Station other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        return Metres(one.Latitude, one.Longitude, other.Latitude, other.Longitude);
    }
}
