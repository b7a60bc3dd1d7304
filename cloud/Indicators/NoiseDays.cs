namespace Hub.Cloud.Indicators;

/// <summary>The equivalent level of one hour of the local clock, or of a piece of one.</summary>
/// <param name="Start">UTC, inclusive.</param>
/// <param name="End">UTC, exclusive.</param>
/// <param name="Level">Energy mean of its levels, dB(A).</param>
/// <param name="Count">Levels it is made of, all standing for equal times; 1 or more.</param>
/// <param name="Coverage">Share of it that was measured, 0 to 1; NaN when not known.</param>
public readonly record struct HourLevel(DateTime Start, DateTime End, double Level, long Count, double Coverage);

/// <summary>One period of a noise day.</summary>
/// <param name="Level">Ld, Le or Ln, dB(A); NaN when nothing was measured in it.</param>
/// <param name="Coverage">Share of it, as long as it really lasted, that was measured, 0 to 1; NaN when not known.</param>
public readonly record struct NoisePeriodLevel(double Level, double Coverage)
{
    /// <summary>Whether at least so much of it was measured; a coverage that is not known is enough, as for the hub's rules.</summary>
    /// <param name="coverageMin">0 to 1.</param>
    public bool IsValid(double coverageMin) => double.IsFinite(Level) && (double.IsNaN(Coverage) || Coverage >= coverageMin - 1e-9);
}

/// <summary>The figures of one noise day, 07:00 to 07:00.</summary>
/// <param name="Date">Local date on which it begins.</param>
/// <param name="Day">Ld, 07:00 to 20:00.</param>
/// <param name="Evening">Le, 20:00 to 23:00.</param>
/// <param name="Night">Ln, 23:00 to 07:00 of the next date.</param>
/// <param name="Lden">Lden, dB(A); NaN when a period has no level.</param>
public sealed record NoiseDayFigures(DateOnly Date, NoisePeriodLevel Day, NoisePeriodLevel Evening, NoisePeriodLevel Night, double Lden)
{
    /// <summary>Whether enough of each period was measured for Lden to be valid.</summary>
    /// <param name="coverageMin">Share of each period by itself, 0 to 1.</param>
    public bool IsValid(double coverageMin) => Day.IsValid(coverageMin) && Evening.IsValid(coverageMin) && Night.IsValid(coverageMin);
}

/// <summary>Noise days made of hours. Pure; safe for concurrent callers.</summary>
public static class NoiseDays
{
    /// <summary>
    /// Share of a period that must have been measured for its level to be called valid: the hub's own choice, the same as of its rules; the regulation states none for a single day.
    /// </summary>
    public const double CoverageMin = 0.75;

    private static readonly NoisePeriod[] Periods = Enum.GetValues<NoisePeriod>();

    /// <summary>
    /// The noise days that hours reach into, in order of time. An hour belongs to the period in which the local clock stands at its begin; a night to the day on which it begins. Levels of a period are
    /// combined as energy, weighted by how many they are. Where the clock changes in a night it lasted 7 or 9 hours and its coverage is measured against that.
    /// </summary>
    /// <param name="hours">Hours of the local clock, each once, in any order.</param>
    /// <param name="zone">Time zone of the place.</param>
    public static IReadOnlyList<NoiseDayFigures> Of(IEnumerable<HourLevel> hours, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(hours);
        ArgumentNullException.ThrowIfNull(zone);
        var days = new SortedDictionary<DateOnly, (NoiseDay Levels, double[] Measured)>();
        foreach (var hour in hours)
        {
            if (!double.IsFinite(hour.Level) || hour.Count < 1)
            {
                continue;
            }

            var (date, period) = PeriodOf(hour.Start, zone);
            if (!days.TryGetValue(date, out var day))
            {
                days[date] = day = (new NoiseDay(), new double[3]);
            }

            day.Levels.Add(period, hour.Level, hour.Count);
            day.Measured[(int)period] += hour.Coverage * (hour.End - hour.Start).Ticks;
        }

        return
        [
            .. days.Select(one =>
            {
                var periods = Array.ConvertAll(Periods, period => new NoisePeriodLevel(
                    one.Value.Levels.LevelOf(period), one.Value.Levels.CountOf(period) == 0 ? 0 : Math.Min(1, one.Value.Measured[(int)period] / LengthOf(one.Key, period, zone).Ticks)));
                return new NoiseDayFigures(one.Key, periods[0], periods[1], periods[2], one.Value.Levels.Lden);
            }),
        ];
    }

    /// <summary>
    /// Ld, Le, Ln and Lden over several days: each period's energies averaged over its valid days (Directive 2002/49/EC, Annex I, asks this of all days of a year), Lden of the three means. The coverage
    /// of a period is the share of the days in which it is valid.
    /// </summary>
    /// <param name="days">The days; the date of the result is that of the first.</param>
    /// <param name="coverageMin">Share of a period that must have been measured, 0 to 1.</param>
    /// <returns>Null without days.</returns>
    public static NoiseDayFigures? Overall(IReadOnlyList<NoiseDayFigures> days, double coverageMin = CoverageMin)
    {
        ArgumentNullException.ThrowIfNull(days);
        if (days.Count == 0)
        {
            return null;
        }

        var all = new NoiseDay();
        foreach (var day in days)
        {
            Add(NoisePeriod.Day, day.Day);
            Add(NoisePeriod.Evening, day.Evening);
            Add(NoisePeriod.Night, day.Night);
        }

        return new NoiseDayFigures(days[0].Date, Mean(NoisePeriod.Day), Mean(NoisePeriod.Evening), Mean(NoisePeriod.Night), all.Lden);

        void Add(NoisePeriod period, NoisePeriodLevel level)
        {
            if (level.IsValid(coverageMin))
            {
                all.Add(period, level.Level);
            }
        }

        NoisePeriodLevel Mean(NoisePeriod period) => new(all.LevelOf(period), (double)all.CountOf(period) / days.Count);
    }

    /// <summary>The period that an instant lies in, and the date on which its noise day begins.</summary>
    /// <param name="at">UTC.</param>
    /// <param name="zone">Time zone of the place.</param>
    public static (DateOnly Date, NoisePeriod Period) PeriodOf(DateTime at, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var local = at + zone.GetUtcOffset(at);
        var date = DateOnly.FromDateTime(local);
        return local.TimeOfDay < NoiseDay.BeginOf(NoisePeriod.Day) ? (date.AddDays(-1), NoisePeriod.Night)
            : (date, local.TimeOfDay < NoiseDay.BeginOf(NoisePeriod.Evening) ? NoisePeriod.Day : local.TimeOfDay < NoiseDay.BeginOf(NoisePeriod.Night) ? NoisePeriod.Evening : NoisePeriod.Night);
    }

    /// <summary>How long a period of a date really lasts: 13, 3 and 8 hours, a night on which the clock changes 7 or 9.</summary>
    /// <param name="date">Local date on which the noise day begins.</param>
    /// <param name="period">The period.</param>
    /// <param name="zone">Time zone of the place.</param>
    public static TimeSpan LengthOf(DateOnly date, NoisePeriod period, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var end = period switch { NoisePeriod.Day => At(date, NoisePeriod.Evening), NoisePeriod.Evening => At(date, NoisePeriod.Night), _ => At(date.AddDays(1), NoisePeriod.Day) };
        return end - At(date, period);

        DateTime At(DateOnly day, NoisePeriod begin)
        {
            // The offset of an instant is what a zone says rightly: the guess is corrected once, which is enough where clocks change by less than the 7 hours to the nearest begin.
            var local = DateTime.SpecifyKind(day.ToDateTime(TimeOnly.MinValue), DateTimeKind.Utc) + NoiseDay.BeginOf(begin);
            return local - zone.GetUtcOffset(local - zone.GetUtcOffset(local));
        }
    }
}
