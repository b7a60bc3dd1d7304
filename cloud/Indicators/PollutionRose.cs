namespace Hub.Cloud.Indicators;

/// <summary>An hour's concentration with the wind that brought it.</summary>
/// <param name="Concentration">Mean of the hour, canonical unit.</param>
/// <param name="Direction">Where the wind came from, degrees clockwise from true north, 0 to 360.</param>
/// <param name="Speed">Mean wind speed, m/s; NaN when not measured.</param>
public readonly record struct WindHour(double Concentration, double Direction, double Speed);

/// <summary>One sector of a pollution rose.</summary>
/// <param name="Direction">Its middle, degrees clockwise from true north.</param>
/// <param name="Counts">Hours by class of concentration, the lowest first.</param>
/// <param name="Mean">Mean concentration of its hours; NaN without any.</param>
public sealed record RoseSector(double Direction, IReadOnlyList<int> Counts, double Mean)
{
    /// <summary>Hours in it.</summary>
    public int Hours => Counts.Sum();
}

/// <summary>
/// A pollution rose: how often the wind came from each direction, and how much of the pollutant it brought (as openair's pollutionRose: Carslaw and Ropkins, Environmental Modelling and Software 27-28, 2012). Pure.
/// </summary>
/// <param name="Sectors">Sectors clockwise, north first.</param>
/// <param name="Calm">Hours with wind below <see cref="CalmBelow"/>, which have no direction worth the name.</param>
/// <param name="Total">Hours in all, the calm ones included.</param>
public sealed record PollutionRose(IReadOnlyList<RoseSector> Sectors, int Calm, int Total)
{
    /// <summary>Wind below this is calm, m/s (WMO-No. 8: less than one knot).</summary>
    public const double CalmBelow = 0.5;

    /// <summary>The rose of hours.</summary>
    /// <param name="hours">Hours; those with a concentration or direction that is not finite do not count.</param>
    /// <param name="bounds">Upper bounds of all classes of concentration but the last, ascending, inclusive.</param>
    /// <param name="sectors">Number of sectors, 4 to 36.</param>
    public static PollutionRose Of(IEnumerable<WindHour> hours, IReadOnlyList<double> bounds, int sectors = 16)
    {
        ArgumentNullException.ThrowIfNull(hours);
        ArgumentNullException.ThrowIfNull(bounds);
        ArgumentOutOfRangeException.ThrowIfLessThan(sectors, 4);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sectors, 36);
        var width = 360.0 / sectors;
        var counts = Enumerable.Range(0, sectors).Select(_ => new int[bounds.Count + 1]).ToArray();
        var sums = new double[sectors];
        var (calm, total) = (0, 0);
        foreach (var hour in hours.Where(static hour => double.IsFinite(hour.Concentration) && double.IsFinite(hour.Direction)))
        {
            total++;
            if (hour.Speed < CalmBelow)
            {
                calm++;
                continue;
            }

            // A sector reaches half its width to either side of its middle, the lower edge belonging to it.
            var at = (int)Math.Floor((((hour.Direction % 360) + 360 + (width / 2)) % 360) / width) % sectors;
            var band = 0;
            while (band < bounds.Count && hour.Concentration > bounds[band])
            {
                band++;
            }

            counts[at][band]++;
            sums[at] += hour.Concentration;
        }

        return new([.. Enumerable.Range(0, sectors).Select(i => new RoseSector(i * width, counts[i], counts[i].Sum() is var n && n == 0 ? double.NaN : sums[i] / n))], calm, total);
    }
}
