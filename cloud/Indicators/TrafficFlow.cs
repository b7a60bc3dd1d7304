namespace Hub.Cloud.Indicators;

/// <summary>What a counter says of one interval.</summary>
/// <param name="Start">UTC, inclusive.</param>
/// <param name="Vehicles">Vehicles counted, 0 or more.</param>
/// <param name="Measured">Time in which it counted, more than zero.</param>
/// <param name="Speed">Mean speed of these vehicles, km/h; NaN when not known, as when none passed.</param>
public readonly record struct TrafficInterval(DateTime Start, double Vehicles, TimeSpan Measured, double Speed);

/// <summary>A point of a flow-speed diagram.</summary>
/// <param name="Start">UTC, inclusive.</param>
/// <param name="Flow">Vehicles per hour.</param>
/// <param name="Speed">Mean speed, km/h.</param>
public readonly record struct FlowSpeed(DateTime Start, double Flow, double Speed);

/// <summary>How a mean speed was made, which decides how several are put together.</summary>
public enum SpeedMean
{
    /// <summary>Arithmetic mean of spot speeds (time mean speed).</summary>
    Time = 0,

    /// <summary>Harmonic mean of spot speeds, or length over mean travel time (space mean speed).</summary>
    Space = 1,
}

/// <summary>Flow and speed of traffic. Pure; safe for concurrent callers.</summary>
public static class TrafficFlow
{
    /// <summary>Flow: vehicles per hour of the time in which they were counted (q = 3600 n / T); NaN when nothing was measured.</summary>
    /// <param name="vehicles">Vehicles, 0 or more.</param>
    /// <param name="measured">Time in which they were counted.</param>
    public static double FlowOf(double vehicles, TimeSpan measured) => measured > TimeSpan.Zero ? vehicles / measured.TotalHours : double.NaN;

    /// <summary>
    /// Mean speed of several intervals, km/h, each weighted by its vehicles: time means arithmetically, space means harmonically (of as many vehicles at 10 and at 20 the time mean is 15, the space mean 13.33). Intervals
    /// without vehicles or speed do not count; NaN when none is left.
    /// </summary>
    /// <param name="intervals">The intervals.</param>
    /// <param name="mean">How their speeds were made.</param>
    public static double SpeedOf(IEnumerable<TrafficInterval> intervals, SpeedMean mean)
    {
        ArgumentNullException.ThrowIfNull(intervals);
        var (vehicles, sum) = (0.0, 0.0);
        foreach (var one in intervals.Where(static one => one.Vehicles > 0 && one.Speed > 0))
        {
            vehicles += one.Vehicles;
            sum += mean == SpeedMean.Time ? one.Vehicles * one.Speed : one.Vehicles / one.Speed;
        }

        return vehicles == 0 ? double.NaN : mean == SpeedMean.Time ? sum / vehicles : vehicles / sum;
    }

    /// <summary>Points of a flow-speed diagram: intervals put together to a width, one point for each with a speed and enough measured, in order of time.</summary>
    /// <param name="intervals">Intervals not longer than the width, in any order.</param>
    /// <param name="width">Usually 15 minutes, the shortest over which a flow is steady; more than zero.</param>
    /// <param name="mean">How the speeds were made.</param>
    /// <param name="coverageMin">Share of the width that must have been measured, 0 to 1.</param>
    public static IReadOnlyList<FlowSpeed> Diagram(IEnumerable<TrafficInterval> intervals, TimeSpan width, SpeedMean mean, double coverageMin)
    {
        ArgumentNullException.ThrowIfNull(intervals);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(width, TimeSpan.Zero);
        return
        [
            .. from one in intervals
               group one by one.Start.Ticks / width.Ticks into together
               orderby together.Key
               let measured = TimeSpan.FromTicks(together.Sum(static one => one.Measured.Ticks))
               where measured.Ticks >= (width.Ticks * coverageMin) - 1
               let speed = SpeedOf(together, mean)
               where double.IsFinite(speed)
               select new FlowSpeed(new DateTime(together.Key * width.Ticks, DateTimeKind.Utc), FlowOf(together.Sum(static one => one.Vehicles), measured), speed),
        ];
    }

    /// <summary>Shares of classes, 0 to 1, in their order; none when nothing was counted.</summary>
    /// <param name="counts">Vehicles of each class over the same time, 0 or more.</param>
    public static IReadOnlyList<double> Shares(IReadOnlyList<double> counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        var all = counts.Sum();
        return all > 0 ? [.. counts.Select(count => count / all)] : [];
    }
}
