namespace Hub.Cloud.Series;

/// <summary>Directions in degrees, clockwise from north, are averaged as unit vectors.</summary>
internal static class Direction
{
    /// <summary>Shorter than this, what is left of a mean vector is rounding.</summary>
    private const double LengthMin = 1e-9;

    public static double East(double degrees) => Math.Sin(double.DegreesToRadians(degrees));

    public static double North(double degrees) => Math.Cos(double.DegreesToRadians(degrees));

    /// <summary>Direction of a mean vector, 0 to below 360; NaN when the directions cancel out.</summary>
    public static double Of(double east, double north)
    {
        if (double.Hypot(east, north) < LengthMin)
        {
            return double.NaN;
        }

        var degrees = double.RadiansToDegrees(Math.Atan2(east, north));
        degrees = degrees < 0 ? degrees + 360 : degrees;
        return degrees >= 360 ? 0 : degrees;
    }
}
