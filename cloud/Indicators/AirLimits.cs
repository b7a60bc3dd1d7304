namespace Hub.Cloud.Indicators;

/// <summary>Over which time a limit of air is meant.</summary>
public enum AirLimitPeriod
{
    /// <summary>Mean of a clock hour.</summary>
    Hour = 0,

    /// <summary>Mean of a local day.</summary>
    Day = 1,

    /// <summary>The largest running mean of eight hours that ends on a day.</summary>
    EightHours = 2,

    /// <summary>Mean of a calendar year.</summary>
    Year = 3,
}

/// <summary>The law that a limit stands in.</summary>
public enum AirLaw
{
    /// <summary>Directive 2008/50/EC, Annexes VII and XI; in Portugal DL 102/2010. Its values are in force until the end of 2029: (EU) 2024/2881 keeps them until then.</summary>
    Directive2008 = 0,

    /// <summary>Directive (EU) 2024/2881, Annex I, values from 1 January 2030.</summary>
    Directive2024 = 1,
}

/// <summary>A limit or target value with how often a calendar year may exceed it.</summary>
/// <param name="Property">Quantity of the catalogue.</param>
/// <param name="Period">What must not exceed it.</param>
/// <param name="Limit">µg/m³; above it is an exceedance, equal to it none.</param>
/// <param name="Allowed">Exceedances that a year may have; 0 for a limit of a year's mean.</param>
/// <param name="Law">Where it stands.</param>
public sealed record AirLimit(string Property, AirLimitPeriod Period, double Limit, int Allowed, AirLaw Law)
{
    /// <summary>Whether it is a target value, met as a mean of three years, and not a limit value: ozone's.</summary>
    public bool IsTarget => Period == AirLimitPeriod.EightHours;
}

/// <summary>Limit values for people's health, as data with the years in which they hold. Pure; safe for concurrent callers.</summary>
public static class AirLimits
{
    /// <summary>First year of the values of (EU) 2024/2881.</summary>
    public const int NewFrom = 2030;

    private static readonly AirLimit[] Old =
    [
        new("pm2_5", AirLimitPeriod.Year, 25, 0, AirLaw.Directive2008),
        new("pm10", AirLimitPeriod.Day, 50, 35, AirLaw.Directive2008),
        new("pm10", AirLimitPeriod.Year, 40, 0, AirLaw.Directive2008),
        new("no2", AirLimitPeriod.Hour, 200, 18, AirLaw.Directive2008),
        new("no2", AirLimitPeriod.Year, 40, 0, AirLaw.Directive2008),
        new("o3", AirLimitPeriod.EightHours, 120, 25, AirLaw.Directive2008),
        new("so2", AirLimitPeriod.Hour, 350, 24, AirLaw.Directive2008),
        new("so2", AirLimitPeriod.Day, 125, 3, AirLaw.Directive2008),
    ];

    private static readonly AirLimit[] New =
    [
        new("pm2_5", AirLimitPeriod.Day, 25, 18, AirLaw.Directive2024),
        new("pm2_5", AirLimitPeriod.Year, 10, 0, AirLaw.Directive2024),
        new("pm10", AirLimitPeriod.Day, 45, 18, AirLaw.Directive2024),
        new("pm10", AirLimitPeriod.Year, 20, 0, AirLaw.Directive2024),
        new("no2", AirLimitPeriod.Hour, 200, 3, AirLaw.Directive2024),
        new("no2", AirLimitPeriod.Day, 50, 18, AirLaw.Directive2024),
        new("no2", AirLimitPeriod.Year, 20, 0, AirLaw.Directive2024),
        new("o3", AirLimitPeriod.EightHours, 120, 18, AirLaw.Directive2024),
        new("so2", AirLimitPeriod.Hour, 350, 3, AirLaw.Directive2024),
        new("so2", AirLimitPeriod.Day, 50, 18, AirLaw.Directive2024),
        new("so2", AirLimitPeriod.Year, 20, 0, AirLaw.Directive2024),
    ];

    /// <summary>The limits that hold in a calendar year, by pollutant.</summary>
    public static IReadOnlyList<AirLimit> Of(int year) => year < NewFrom ? Old : New;
}

/// <summary>Ozone's running means of eight hours. Pure; safe for concurrent callers.</summary>
public static class EightHourMeans
{
    private const int Window = 8;

    /// <summary>Hours of a window that must be there: three quarters (Directive 2008/50/EC, Annex VII).</summary>
    private const int WindowMin = 6;

    /// <summary>
    /// The largest running mean of each local day. A mean belongs to the day on which it ends: the first of a day is that from 17:00 of the day before to 01:00, the last that from 16:00 to 24:00. A mean needs 6 of its
    /// 8 hours. A day needs 18 of its 24 means: the coverage of the answer is the share of them that could be formed.
    /// </summary>
    /// <param name="hours">Valid means of clock hours, in order of time; hours that are missing are not there.</param>
    /// <param name="zone">Time zone of the place.</param>
    /// <returns>Per day with at least one mean its begin and end on the clock, the largest mean, and the coverage.</returns>
    public static IReadOnlyList<WindowMean> MaximaOf(IReadOnlyList<WindowMean> hours, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(hours);
        ArgumentNullException.ThrowIfNull(zone);
        if (hours.Count == 0)
        {
            return [];
        }

        var byStart = new Dictionary<DateTime, double>();
        foreach (var hour in hours)
        {
            byStart[hour.Start] = hour.Mean;
        }

        var days = new SortedDictionary<DateOnly, (double Largest, int Count, DateTime First, DateTime Last)>();
        for (var end = hours[0].Start.AddHours(1); end <= hours[^1].Start.AddHours(Window); end = end.AddHours(1))
        {
            var (sum, count) = (0.0, 0);
            for (var back = 1; back <= Window; back++)
            {
                if (byStart.TryGetValue(end.AddHours(-back), out var mean))
                {
                    sum += mean;
                    count++;
                }
            }

            // A mean that ends at midnight is the last of the day that ends there.
            var local = end.AddTicks(-1);
            var day = DateOnly.FromDateTime(local + zone.GetUtcOffset(local));
            if (count >= WindowMin)
            {
                var before = days.TryGetValue(day, out var found) ? found : (Largest: double.NegativeInfinity, Count: 0, First: end.AddHours(-1), Last: end);
                days[day] = (Math.Max(before.Largest, sum / count), before.Count + 1, before.First, end);
            }
        }

        return [.. days.Select(static day => new WindowMean(day.Value.First, day.Value.Last, day.Value.Largest, Math.Min(1, day.Value.Count / 24.0)))];
    }
}
