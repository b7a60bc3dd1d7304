namespace Hub.Cloud.Series;

/// <summary>What one question about many datastreams reads of a version of the store, before it does.</summary>
internal static class ManyCost
{
    /// <summary>
    /// About so many observations, a cell of a rollup counted as <see cref="QuestionCost.Cell"/>. Of days that cells answer one for each datastream and step of the clock, where there are observations not more than those;
    /// of other days the part of their rows that the datastreams are likely to have. What is in memory does not count: it is bounded.
    /// </summary>
    public static long Of(StoreVersion version, AggregateQuery query, int datastreams)
    {
        var (from, to) = (EventTime.Bound(query.From, nameof(query)), EventTime.Bound(query.To, nameof(query)));
        var resolution = Rollups.Serving(query);
        var cost = 0L;
        for (var next = from < to ? version.NextDay(EventTime.Day(from)) : null; next is { } day && day * EventTime.MicrosPerDay < to; next = version.NextDay(day + 1))
        {
            var (asked, all) = (0L, 0L);
            foreach (var part in version.PartsOf(day)?.Observations ?? [])
            {
                var summary = part.Info.Summary;
                asked += datastreams >= summary.Datastreams ? summary.Rows : summary.Rows * datastreams / summary.Datastreams;
                all += summary.Rows;
            }

            if (version.HasRollups(day, resolution))
            {
                var cells = datastreams * (TimeSpan.TicksPerDay / (resolution ?? Rollups.Coarsest).Ticks);
                asked = QuestionCost.Cell * (all > 0 && version.KeptOf(RollupPlan.MonthOf(day), Rollups.Coarsest) is null ? Math.Min(cells, all) : cells);
            }

            cost += asked;
        }

        return cost;
    }
}
