namespace Hub.Cloud.Portal.Read;

/// <summary>An hour of the local clock of a station's uptime.</summary>
/// <param name="Start">UTC.</param>
/// <param name="Share">Observations that came of those that were due, 0 to 1, over all measures alike; NaN when none were due.</param>
internal sealed record UptimeHour(DateTime Start, double Share);

/// <summary>A time without any observation.</summary>
/// <param name="From">UTC, whole quarters of an hour.</param>
/// <param name="To">UTC; null when it goes on.</param>
internal sealed record UptimeGap(DateTime From, DateTime? To);

/// <summary>How much of what a station should have measured came.</summary>
/// <param name="Hours">In order of time.</param>
/// <param name="Share">Of the whole time; NaN when nothing was due.</param>
/// <param name="Gaps">The longest times without any observation, longest first.</param>
/// <param name="Measures">Measures that were looked at: those that say how often they come, or with values in this time.</param>
internal sealed record UptimeView(IReadOnlyList<UptimeHour> Hours, double Share, IReadOnlyList<UptimeGap> Gaps, int Measures);

/// <summary>What came of one measure, by quarters of an hour.</summary>
/// <param name="Period">Time from one observation to the next, more than zero.</param>
/// <param name="Since">Quarter from which on it is due: 0 when it had values before.</param>
/// <param name="Counts">Observations that begin in each quarter.</param>
internal sealed record UptimeMeasure(TimeSpan Period, int Since, long[] Counts);

/// <summary>Works out how much came. Pure.</summary>
internal static class UptimeMath
{
    /// <summary>Width of the counts.</summary>
    public static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);

    /// <summary>Gaps told at most.</summary>
    public const int GapsMax = 5;

    /// <summary>Shortest gap told: two quarters, since one may only be between two observations.</summary>
    private const int QuartersMin = 2;

    /// <summary>The uptime of a station.</summary>
    /// <param name="from">UTC, beginning of an hour: the first quarter begins here.</param>
    /// <param name="quarters">Quarters, whole hours of them.</param>
    /// <param name="measures">What came.</param>
    public static UptimeView Of(DateTime from, int quarters, IReadOnlyList<UptimeMeasure> measures)
    {
        var due = new double[quarters];
        var came = new double[quarters];
        var any = new bool[quarters];
        foreach (var measure in measures)
        {
            // An observation over an hour stands for four quarters; of one a minute fifteen are due in a quarter.
            var reach = (int)Math.Max(1, measure.Period.Ticks / Quarter.Ticks);
            var each = Math.Max(1, Quarter / measure.Period);
            for (var i = 0; i < quarters; i++)
            {
                if (i >= measure.Since)
                {
                    due[i]++;
                }

                for (var j = i; measure.Counts[i] > 0 && j < Math.Min(quarters, i + reach); j++)
                {
                    any[j] = true;
                    came[j] += j >= measure.Since ? Math.Min(1, measure.Counts[i] / each) : 0;
                }
            }
        }

        List<UptimeHour> hours = [];
        var (allDue, allCame) = (0.0, 0.0);
        for (var i = 0; i < quarters; i += 4)
        {
            var (hourDue, hourCame) = (0.0, 0.0);
            for (var j = i; j < Math.Min(i + 4, quarters); j++)
            {
                hourDue += due[j];
                hourCame += Math.Min(came[j], due[j]);
            }

            (allDue, allCame) = (allDue + hourDue, allCame + hourCame);
            hours.Add(new(from + (i * Quarter), hourDue > 0 ? hourCame / hourDue : double.NaN));
        }

        return new(hours, allDue > 0 ? allCame / allDue : double.NaN, GapsOf(from, due, any), measures.Count);
    }

    private static UptimeGap[] GapsOf(DateTime from, double[] due, bool[] any)
    {
        List<(int First, int End)> gaps = [];
        for (var i = 0; i < any.Length; i++)
        {
            var first = i;
            while (i < any.Length && !any[i] && due[i] > 0)
            {
                i++;
            }

            if (i - first >= QuartersMin)
            {
                gaps.Add((first, i));
            }
        }

        return [.. gaps.OrderByDescending(static gap => gap.End - gap.First).ThenByDescending(static gap => gap.First).Take(GapsMax).Select(gap => new UptimeGap(from + (gap.First * Quarter), gap.End == any.Length ? null : from + (gap.End * Quarter)))];
    }
}
