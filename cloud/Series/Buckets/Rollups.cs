using System.Runtime.CompilerServices;

namespace Hub.Cloud.Series;

/// <summary>Which rollup a question can be folded from. Pure.</summary>
internal static class Rollups
{
    private static readonly ConditionalWeakTable<TimeZoneInfo, StrongBox<long>> Steps = [];

    /// <summary>The resolutions of rollups, in UTC, ascending. Each is a whole multiple of the one before and goes into an hour, so that their cells make up local hours and days too.</summary>
    public static IReadOnlyList<TimeSpan> Resolutions { get; } = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1)];

    /// <summary>The coarsest of them.</summary>
    public static TimeSpan Coarsest => Resolutions[^1];

    /// <summary>
    /// The coarsest resolution whose cells make up the buckets asked for; null when the observations must be read. Depends on the question alone, so that its figures are the same to the last bit
    /// on every store, whatever is stored by now.
    /// </summary>
    public static TimeSpan? Serving(AggregateQuery query)
    {
        if (query.Statistic == Statistic.Percentile)
        {
            return null;
        }

        var every = query.Every.Width.Ticks;
        var step = query.Every.Zone is { } zone ? Step(zone) : 0;
        for (var i = Resolutions.Count - 1; i >= 0; i--)
        {
            var cell = Resolutions[i].Ticks;
            if (every >= cell && every % cell == 0 && step % cell == 0)
            {
                return Resolutions[i];
            }
        }

        return null;
    }

    /// <summary>
    /// The largest step, in ticks, of which all differences of a local clock from UTC since 1970 are whole multiples: edges of local buckets are edges of cells that go into it. Before 1970 clocks
    /// were minutes and seconds off; what lies there is folded from its observations where a cell reaches across an edge. Kept, since the rules of a zone are copied each time they are asked for.
    /// </summary>
    private static long Step(TimeZoneInfo zone) => Steps.GetValue(zone, static zone =>
    {
        var step = Math.Abs(zone.BaseUtcOffset.Ticks);
        foreach (var rule in zone.GetAdjustmentRules().Where(static rule => rule.DateEnd.Year >= 1970))
        {
            step = Common(Common(step, Math.Abs(rule.DaylightDelta.Ticks)), Math.Abs(rule.BaseUtcOffsetDelta.Ticks));
        }

        return new StrongBox<long>(step);
    }).Value;

    private static long Common(long a, long b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }

        return a;
    }
}
