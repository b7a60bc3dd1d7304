namespace Hub.Cloud.QualityControl.Checks;

/// <summary>A figure for one hour.</summary>
/// <param name="Hour">Number of the UTC hour since 1970-01-01 00:00.</param>
/// <param name="Value">Its average, as is right for the quantity.</param>
internal readonly record struct HourFigure(long Hour, double Value);

/// <summary>Rolling comparison with a reference station (as in CEN/TS 17660-1, which judges sensors by hourly means beside a reference instrument). Medians, so that an episode at one of the two does not count.</summary>
internal static class DriftCheck
{
    /// <summary>Share of the hours that must have both figures.</summary>
    public const double ShareMin = 0.75;

    /// <summary>The median difference and its limit on a day; null when too few hours have both, or the difference is within the limit.</summary>
    /// <param name="own">Hourly figures of the datastream in order of time.</param>
    /// <param name="reference">Hourly figures of the reference in order of time.</param>
    /// <param name="day">UTC day that ends the window.</param>
    /// <param name="parameters">Limits.</param>
    public static (double Difference, double Limit)? Judge(IReadOnlyList<HourFigure> own, IReadOnlyList<HourFigure> reference, int day, DriftParameters parameters)
    {
        var (from, to) = ((day + 1L - parameters.Days) * 24, (day + 1L) * 24);
        var (differences, levels) = (new List<double>(), new List<double>());
        for (int at = 0, other = 0; at < own.Count; at++)
        {
            var hour = own[at].Hour;
            while (other < reference.Count && reference[other].Hour < hour)
            {
                other++;
            }

            if (hour >= from && hour < to && other < reference.Count && reference[other].Hour == hour)
            {
                differences.Add(own[at].Value - reference[other].Value);
                levels.Add(reference[other].Value);
            }
        }

        if (differences.Count < ShareMin * 24 * parameters.Days)
        {
            return null;
        }

        var window = new List<double>(differences.Count);
        var difference = SpikeCheck.Median([.. differences], window);
        var limit = Math.Max(parameters.Difference, parameters.Relative * Math.Abs(SpikeCheck.Median([.. levels], window)));
        return Math.Abs(difference) > limit ? (difference, limit) : null;
    }
}
