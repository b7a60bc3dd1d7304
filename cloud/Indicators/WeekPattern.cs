namespace Hub.Cloud.Indicators;

/// <summary>A figure of one hour of the local clock.</summary>
/// <param name="Start">UTC, inclusive.</param>
/// <param name="Value">The figure, canonical unit.</param>
/// <param name="Count">Observations it is made of, 1 or more: its weight in an energy mean.</param>
public readonly record struct HourFigure(DateTime Start, double Value, long Count);

/// <summary>What a group of hours says together.</summary>
/// <param name="Value">Energy mean or median, as asked; NaN without hours.</param>
/// <param name="Low">Lower quartile; NaN for an energy mean.</param>
/// <param name="High">Upper quartile; NaN for an energy mean.</param>
/// <param name="Hours">Hours it is made of, 0 or more.</param>
public readonly record struct PatternCell(double Value, double Low, double High, int Hours)
{
    /// <summary>A cell without hours.</summary>
    public static PatternCell None { get; } = new(double.NaN, double.NaN, double.NaN, 0);
}

/// <summary>Hours put together by the weekday and the hour of the local clock. Pure; safe for concurrent callers.</summary>
public static class WeekPattern
{
    private const int Hours = 24;

    /// <summary>Where an instant stands in the week: weekday from 0, Monday, to 6; hour from 0 to 23.</summary>
    /// <param name="at">UTC.</param>
    /// <param name="zone">Time zone of the place.</param>
    public static (int Weekday, int Hour) PlaceOf(DateTime at, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var local = at + zone.GetUtcOffset(at);
        return (((int)local.DayOfWeek + 6) % 7, local.Hour);
    }

    /// <summary>Energy means by weekday and hour, dB: 168 cells, Monday 00 first. The hour that comes twice when the clock goes back counts twice; the one left out is not there.</summary>
    /// <param name="hours">Levels, dB; those that are not finite say nothing.</param>
    /// <param name="zone">Time zone of the place.</param>
    public static IReadOnlyList<PatternCell> EnergyMeans(IEnumerable<HourFigure> hours, TimeZoneInfo zone) => Grouped(hours, zone, byDay: true, EnergyMean);

    /// <summary>Energy means by the hour of the day, dB: 24 cells.</summary>
    /// <param name="hours">Levels, dB.</param>
    /// <param name="zone">Time zone of the place.</param>
    public static IReadOnlyList<PatternCell> EnergyMeansByHour(IEnumerable<HourFigure> hours, TimeZoneInfo zone) => Grouped(hours, zone, byDay: false, EnergyMean);

    /// <summary>Medians and quartiles by weekday and hour: 168 cells, Monday 00 first. What is usual at that hour of that weekday: a single unusual week does not move it.</summary>
    /// <param name="hours">Figures.</param>
    /// <param name="zone">Time zone of the place.</param>
    public static IReadOnlyList<PatternCell> Medians(IEnumerable<HourFigure> hours, TimeZoneInfo zone) => Grouped(hours, zone, byDay: true, Middle);

    /// <summary>A quantile of values in order of size, by linear interpolation between the closest ranks (type 7 of Hyndman and Fan, as the series' percentiles); NaN of none.</summary>
    /// <param name="ordered">Ascending.</param>
    /// <param name="share">0 to 1.</param>
    public static double Quantile(IReadOnlyList<double> ordered, double share)
    {
        ArgumentNullException.ThrowIfNull(ordered);
        if (ordered.Count == 0)
        {
            return double.NaN;
        }

        var rank = (ordered.Count - 1) * share;
        var low = (int)Math.Floor(rank);
        return low + 1 >= ordered.Count ? ordered[^1] : ordered[low] + ((rank - low) * (ordered[low + 1] - ordered[low]));
    }

    private static PatternCell[] Grouped(IEnumerable<HourFigure> hours, TimeZoneInfo zone, bool byDay, Func<IReadOnlyList<HourFigure>, PatternCell> figure)
    {
        ArgumentNullException.ThrowIfNull(hours);
        ArgumentNullException.ThrowIfNull(zone);
        var cells = new PatternCell[byDay ? 7 * Hours : Hours];
        Array.Fill(cells, PatternCell.None);
        foreach (var group in hours.Where(static hour => double.IsFinite(hour.Value) && hour.Count > 0).GroupBy(hour => PlaceOf(hour.Start, zone) is var (weekday, at) && byDay ? (weekday * Hours) + at : at))
        {
            cells[group.Key] = figure([.. group]);
        }

        return cells;
    }

    private static PatternCell EnergyMean(IReadOnlyList<HourFigure> hours) => new(
        10 * Math.Log10(hours.Sum(static hour => hour.Count * Math.Pow(10, hour.Value / 10)) / hours.Sum(static hour => hour.Count)), double.NaN, double.NaN, hours.Count);

    private static PatternCell Middle(IReadOnlyList<HourFigure> hours)
    {
        double[] ordered = [.. hours.Select(static hour => hour.Value).Order()];
        return new(Quantile(ordered, 0.5), Quantile(ordered, 0.25), Quantile(ordered, 0.75), ordered.Length);
    }
}
