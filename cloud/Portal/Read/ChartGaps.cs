using Hub.Cloud.Series;

namespace Hub.Cloud.Portal.Read;

/// <summary>Where a chart's line must break, and how wide its buckets are. Pure.</summary>
internal static class ChartGaps
{
    /// <summary>A distance of more than this many steps is a gap.</summary>
    public const double StepsMax = 1.5;

    private static readonly TimeSpan[] Widths =
    [
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(15),
        TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(3), TimeSpan.FromHours(6),
    ];

    /// <summary>Narrowest bucket of which a span needs at most so many, and at least as wide as the observations' own period.</summary>
    public static TimeSpan BucketFor(TimeSpan span, int pointsMax, TimeSpan period)
    {
        foreach (var width in Widths)
        {
            if (width >= period && span / width <= pointsMax - 1)
            {
                return width;
            }
        }

        return Widths[^1];
    }

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
    public static ChartPoints Broken(IReadOnlyList<(DateTime At, double Value, int Quality)> points, TimeSpan step, TimeSpan? bucket, Statistic statistic)
    {
        List<long> times = new(points.Count);
        List<double?> values = new(points.Count);
        List<int> qualities = new(points.Count);
        DateTime? last = null;
        foreach (var (at, value, quality) in points)
        {
            if (last is { } before && at - before > step * StepsMax)
            {
                Add(before + step, null, 0);
            }

            Add(at, Math.Round(value, 4), quality);
            last = at;
        }

        return new(times, values, qualities, step, bucket, statistic);

        void Add(DateTime at, double? value, int quality)
        {
            times.Add((long)(at - DateTime.UnixEpoch).TotalSeconds);
            values.Add(value);
            qualities.Add(quality);
        }
    }
}
