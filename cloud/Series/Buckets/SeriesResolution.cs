namespace Hub.Cloud.Series;

/// <summary>How finely a stretch of a series is shown when somebody says how many points they can use. Pure: who draws a chart and who answers one decide alike.</summary>
public static class SeriesResolution
{
    /// <summary>Fewest points that can be promised: a bucket's edges are where they are, so the shortest stretch may lie in two.</summary>
    public const int PointsMin = 2;

    private static readonly TimeSpan[] Widths =
    [
        .. Seconds(1, 2, 5, 10, 15, 30), .. Seconds(60, 120, 300, 600, 900, 1_800), .. Seconds(3_600, 7_200, 10_800, 21_600, 43_200), .. Seconds(86_400, 172_800, 604_800),
    ];

    /// <summary>
    /// The narrowest usual width (1 s to 30 min, 1 to 12 h, 1, 2 and 7 days and doublings of it) of which a stretch never holds more buckets than points are asked for, and not narrower than
    /// the cadence; where a slightly wider one, up to four times, is a whole multiple of the cadence, that one. Null: the observations themselves are few enough.
    /// </summary>
    /// <param name="span">Length of the stretch, more than zero.</param>
    /// <param name="cadence">Time from one observation to the next; zero when unknown: then null is returned whenever <paramref name="raw"/> allows, and the caller counts.</param>
    /// <param name="pointsMax">Points at most, <see cref="PointsMin"/> or more.</param>
    /// <param name="raw">Whether observations as they are stored will do.</param>
    /// <exception cref="ArgumentOutOfRangeException">The span is not more than zero, or there are too few points.</exception>
    public static TimeSpan? For(TimeSpan span, TimeSpan cadence, int pointsMax, bool raw = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(span, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(pointsMax, PointsMin);
        if (raw && (cadence <= TimeSpan.Zero || Ceiling(span, cadence) <= pointsMax))
        {
            return null;
        }

        TimeSpan? first = null;
        foreach (var width in Usual())
        {
            if (first is null)
            {
                if (width < cadence || BucketsMax(span, width) > pointsMax)
                {
                    continue;
                }

                first = width;
            }

            if (width.Ticks / 4 > first.Value.Ticks)
            {
                break;
            }

            if (cadence <= TimeSpan.Zero || width.Ticks % cadence.Ticks == 0)
            {
                return width;
            }
        }

        return first;
    }

    /// <summary>Buckets of a width that a stretch reaches into at most, wherever it begins; whole days may be local days.</summary>
    public static long BucketsMax(TimeSpan span, TimeSpan width)
    {
        // The clocks of a place are never set back by more than a day over any stretch.
        var slack = width.Ticks % TimeSpan.TicksPerDay == 0 ? TimeSpan.TicksPerDay : 0;
        return ((span.Ticks + slack + width.Ticks - 1) / width.Ticks) + 1;
    }

    /// <summary>Rows read for a stretch, about: its observations, or cells of the rollup that serves it.</summary>
    /// <param name="span">Length of the stretch; zero or less when it holds nothing.</param>
    /// <param name="cadence">Time from one observation to the next, more than zero.</param>
    /// <param name="width">Width of the buckets.</param>
    /// <param name="rollups">Resolutions of the rollups that are kept; empty when the store keeps none.</param>
    public static long Rows(TimeSpan span, TimeSpan cadence, TimeSpan width, IReadOnlyList<TimeSpan> rollups)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(cadence, TimeSpan.Zero);
        ArgumentNullException.ThrowIfNull(rollups);
        var step = rollups.Where(r => r > cadence && width.Ticks % r.Ticks == 0).DefaultIfEmpty(cadence).Max();
        return span <= TimeSpan.Zero ? 0 : Ceiling(span, step);
    }

    private static IEnumerable<TimeSpan> Usual()
    {
        foreach (var width in Widths)
        {
            yield return width;
        }

        // The last one is longer than all of time and so fits whatever is asked.
        for (var width = 2 * Widths[^1]; width.Ticks < long.MaxValue / 2; width *= 2)
        {
            yield return width;
        }
    }

    private static long Ceiling(TimeSpan span, TimeSpan step) => ((span.Ticks - 1) / step.Ticks) + 1;

    private static TimeSpan[] Seconds(params int[] seconds) => Array.ConvertAll(seconds, s => TimeSpan.FromSeconds(s));
}
