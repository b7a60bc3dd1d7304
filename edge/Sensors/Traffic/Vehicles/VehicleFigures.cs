namespace Hub.Edge.Sensors.Traffic.Vehicles;

/// <summary>Statistics of spot speeds. Pure; safe for concurrent callers.</summary>
internal static class VehicleFigures
{
    /// <summary>Metres a second to km/h.</summary>
    public const double KilometresPerHour = 3.6;

    /// <summary>Arithmetic mean: the time mean speed.</summary>
    /// <param name="speeds">One or more.</param>
    public static double TimeMean(IReadOnlyCollection<double> speeds) => speeds.Sum() / speeds.Count;

    /// <summary>Harmonic mean: the space mean speed, the one for flow = density x speed. Never above the time mean.</summary>
    /// <param name="speeds">One or more, all above 0.</param>
    public static double SpaceMean(IReadOnlyCollection<double> speeds) => speeds.Count / speeds.Sum(static speed => 1 / speed);

    /// <summary>
    /// A percentile by nearest rank: the smallest speed that was really driven and that at least this share of the vehicles did not exceed. Of 20 vehicles V85 is the 17th.
    /// </summary>
    /// <param name="speeds">One or more; sorted in place.</param>
    /// <param name="percent">1 to 100.</param>
    public static double Percentile(List<double> speeds, int percent)
    {
        speeds.Sort();

        // In whole numbers: 0.85 x 20 is a little more than 17 in binary.
        return speeds[((speeds.Count * percent) + 99) / 100 - 1];
    }
}
