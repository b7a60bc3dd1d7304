using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Stations;

/// <summary>
/// How much of a period must be measured for a figure of it to be valid. What is below is still given, with its coverage, and said to be not valid. Pure.
/// </summary>
public static class DataCapture
{
    /// <summary>Coverages are sums of rounded shares: 45 of 60 minutes may come out a hair below 0.75.</summary>
    private const double Rounding = 1e-9;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // The shortest calendar year: 365 days.
    private static readonly TimeSpan Year = TimeSpan.FromDays(365);

    private static readonly HashSet<string> Pollutants = ["pm2_5", "pm10", "no2", "nox", "so2", "o3", "co"];

    /// <summary>
    /// Least share of a period, 0 to 1; null where the law states none: for other quantities than the regulated air pollutants, and for less than an hour.
    /// From one hour on 0.75 (45 minutes of an hour, 6 of 8 hours, 18 of 24 hours), of a year 0.90.
    /// </summary>
    /// <remarks>
    /// Directive 2008/50/EC, Annexes I and XI; the same 18 of 24 hours in Directive (EU) 2024/2881, whose Annex V asks 85 % of a year of fixed measurements: the stricter of the two is taken. The
    /// directives count values of the next shorter period (hours of a day); here it is the share of time, which is the same where hours are either measured or not.
    /// </remarks>
    /// <param name="quantity">What is measured.</param>
    /// <param name="period">Nominal length of the period: 1 day also where a change of the clock makes it 23 or 25 hours.</param>
    public static double? ShareMin(Quantity quantity, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(quantity);
        return !Pollutants.Contains(quantity.Id) || period < Hour ? null : period < Year ? 0.75 : 0.90;
    }

    /// <summary>Whether a figure is valid; null where the law states no least share, or the coverage is not known.</summary>
    /// <param name="quantity">What is measured.</param>
    /// <param name="period">Nominal length of the period.</param>
    /// <param name="coverage">Share of it that was measured, 0 to 1; NaN when not known.</param>
    public static bool? IsValid(Quantity quantity, TimeSpan period, double coverage) =>
        ShareMin(quantity, period) is { } least && !double.IsNaN(coverage) ? coverage >= least - Rounding : null;
}
