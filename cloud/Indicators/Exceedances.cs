namespace Hub.Cloud.Indicators;

/// <summary>The mean of one hour or one local day.</summary>
/// <param name="Start">UTC, inclusive.</param>
/// <param name="End">UTC, exclusive.</param>
/// <param name="Mean">Mean as the quantity combines, canonical unit.</param>
/// <param name="Coverage">Share of it that was measured, 0 to 1; NaN for instantaneous values, of which one is enough.</param>
public readonly record struct WindowMean(DateTime Start, DateTime End, double Mean, double Coverage);

/// <summary>How often a limit has been exceeded in a local calendar year.</summary>
/// <param name="Year">The year; 0 before the first window.</param>
/// <param name="Count">Windows of it above the limit so far, 0 or more.</param>
public readonly record struct YearCount(int Year, int Count);

/// <summary>
/// Exceedances of a calendar year, as the air directives count them (2008/50/EC, Annex XI; (EU) 2024/2881, Annex I): how many hours or days had a mean above the limit. Pure; safe for concurrent callers.
/// </summary>
public static class Exceedances
{
    /// <summary>Coverages are sums of rounded shares: 45 of 60 minutes may come out a hair below 0.75.</summary>
    private const double Rounding = 1e-9;

    /// <summary>The count after one more window, the next in order of time; false when too little of it was measured, so that it says nothing.</summary>
    /// <param name="before">The count before it; default before the first.</param>
    /// <param name="window">The window. It belongs to the local year in which it begins.</param>
    /// <param name="limit">A mean above it is an exceedance, one equal to it is none; means are compared as they are, without rounding. Canonical unit.</param>
    /// <param name="coverageMin">Share of the window that must have been measured, 0 to 1; the law asks 0.75.</param>
    /// <param name="zone">Time zone whose years are counted.</param>
    /// <param name="after">The count after it; a new year begins at 0.</param>
    public static bool TryCount(in YearCount before, in WindowMean window, double limit, double coverageMin, TimeZoneInfo zone, out YearCount after)
    {
        ArgumentNullException.ThrowIfNull(zone);
        after = before;
        if (!double.IsFinite(window.Mean) || window.Coverage < coverageMin - Rounding)
        {
            return false;
        }

        var year = YearOf(window.Start, zone);
        after = new YearCount(year, (year == before.Year ? before.Count : 0) + (window.Mean > limit ? 1 : 0));
        return true;
    }

    /// <summary>The local year of an instant.</summary>
    /// <param name="at">UTC.</param>
    /// <param name="zone">Time zone.</param>
    public static int YearOf(DateTime at, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        return new DateTime(Math.Clamp(at.Ticks + zone.GetUtcOffset(at).Ticks, 0, DateTime.MaxValue.Ticks)).Year;
    }
}
