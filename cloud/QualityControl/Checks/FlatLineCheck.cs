using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.QualityControl.Checks;

/// <summary>
/// QARTOD flat line test: an observation is flat when some row of consecutive observations that holds it is long enough. Every such row holds a shortest one around the observation, so that a verdict
/// depends on a bounded stretch, however long the instrument has been stuck.
/// </summary>
internal static class FlatLineCheck
{
    /// <summary>Fewest observations of a row (QARTOD REP_CNT_FAIL).</summary>
    public const int CountMin = 5;

    /// <summary>Passed over: at an end of its range an instrument repeats itself by nature.</summary>
    public const Quality Ends = Quality.Saturated | Quality.UnderRange;

    /// <summary>A verdict depends on observations at most so far before and after it, microseconds.</summary>
    public static long Reach(FlatLineParameters parameters) => (parameters.ForSeconds + ((long)CountMin * parameters.GapSeconds)) * Instants.PerSecond;

    /// <summary>Verdicts in order of time; their value is the value that repeats, their limit the seconds it may.</summary>
    /// <param name="own">Observations fit to be judged.</param>
    /// <param name="parameters">Limits.</param>
    public static List<Verdict> Judge(Samples own, FlatLineParameters parameters)
    {
        var verdicts = new List<Verdict>();
        var (gap, length) = (parameters.GapSeconds * Instants.PerSecond, parameters.ForSeconds * Instants.PerSecond);

        // Of the row that ends here.
        var (smallest, largest) = (new SlidingExtreme(own.Values, isLargest: false), new SlidingExtreme(own.Values, isLargest: true));
        var begin = 0;
        var flatUntil = -1;
        for (var end = 0; end < own.Count; end++)
        {
            if (IsNatural(own, end, parameters))
            {
                begin = end + 1;
                smallest.Clear();
                largest.Clear();
                continue;
            }

            if (end > begin && own.Times[end] - own.Times[end - 1] > gap)
            {
                begin = end;
                smallest.Clear();
                largest.Clear();
            }

            smallest.Add(end);
            largest.Add(end);
            while (largest.Value - smallest.Value > parameters.Tolerance)
            {
                begin++;
                smallest.RemoveBefore(begin);
                largest.RemoveBefore(begin);
            }

            if (own.Times[end] - own.Times[begin] < length || end - begin + 1 < CountMin)
            {
                continue;
            }

            for (var at = Math.Max(begin, flatUntil + 1); at <= end; at++)
            {
                verdicts.Add(new Verdict(own.Times[at], own.Values[at], parameters.ForSeconds));
            }

            flatUntil = end;
        }

        return verdicts;
    }

    private static bool IsNatural(Samples own, int at, FlatLineParameters parameters) =>
        own.Values[at] <= parameters.NaturalBelow || own.Values[at] >= parameters.NaturalAbove;
}
