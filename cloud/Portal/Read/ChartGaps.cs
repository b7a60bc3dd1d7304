using Hub.Cloud.Series;

namespace Hub.Cloud.Portal.Read;

/// <summary>A point of a chart before the line is broken.</summary>
/// <param name="At">UTC.</param>
/// <param name="Value">Canonical unit; NaN where there is no figure, as of directions that cancel out.</param>
/// <param name="Quality">Quality flags.</param>
internal readonly record struct ChartPoint(DateTime At, double Value, int Quality)
{
    /// <summary>Smallest observation the point stands for; NaN when it is one itself.</summary>
    public double Low { get; init; } = double.NaN;

    /// <summary>Largest observation the point stands for; NaN when it is one itself.</summary>
    public double High { get; init; } = double.NaN;

    /// <summary>Share of its stretch that is covered, 0 to 1; NaN when not known.</summary>
    public double Coverage { get; init; } = double.NaN;

    /// <summary>Whether too little is covered for the figure to be valid by law.</summary>
    public bool Invalid { get; init; }
}

/// <summary>Where a chart's line must break. Pure.</summary>
internal static class ChartGaps
{
    /// <summary>A distance of more than this many steps is a gap.</summary>
    public const double StepsMax = 1.5;

    /// <summary>Median distance of instants in order; the fallback when there are fewer than three.</summary>
    public static TimeSpan UsualStep(IReadOnlyList<DateTime> times, TimeSpan fallback)
    {
        if (times.Count < 3)
        {
            return fallback;
        }

        var steps = times.Zip(times.Skip(1), static (a, b) => b - a).Order().ToArray();
        return steps[steps.Length / 2];
    }

    /// <summary>Points with an empty one put wherever the next is further than <see cref="StepsMax"/> steps away.</summary>
    public static ChartPoints Broken(IReadOnlyList<ChartPoint> points, TimeSpan step, TimeSpan? bucket, Statistic statistic)
    {
        ChartPoints chart = new(step, bucket, statistic);
        DateTime? last = null;
        foreach (var point in points)
        {
            if (last is { } before && point.At - before > step * StepsMax)
            {
                chart.Add(new(before + step, double.NaN, 0));
            }

            chart.Add(point);
            last = point.At;
        }

        return chart;
    }
}
