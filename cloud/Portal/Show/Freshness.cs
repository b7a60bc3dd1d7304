namespace Hub.Cloud.Portal.Show;

/// <summary>How a station or a value stands, from what is known of its time.</summary>
internal enum Status
{
    /// <summary>Values arrive as expected.</summary>
    Fresh = 0,

    /// <summary>The newest value is older than three periods.</summary>
    Stale = 1,

    /// <summary>No value for 24 h, or never.</summary>
    Silent = 2,

    /// <summary>At least one alarm is active.</summary>
    Alarm = 3,
}

/// <summary>Decides how old is too old. Pure: time is a parameter. The scripts in the page decide the same way (web/src/ages.ts).</summary>
internal static class Freshness
{
    /// <summary>A value is stale when more of its periods than this have passed since its period ended.</summary>
    public const int PeriodsMax = 3;

    /// <summary>Without a value for this long a station counts as silent.</summary>
    public static readonly TimeSpan SilentAfter = TimeSpan.FromHours(24);

    /// <summary>Shorter periods than this are treated like it: transmission itself takes a few seconds.</summary>
    public static readonly TimeSpan StepMin = TimeSpan.FromSeconds(20);

    /// <summary>Age past which a value of this averaging period is stale.</summary>
    /// <param name="period">Averaging period; zero for instantaneous values.</param>
    /// <param name="instantStep">Expected distance of instantaneous values.</param>
    public static TimeSpan StaleAfter(TimeSpan period, TimeSpan instantStep)
    {
        var step = period > TimeSpan.Zero ? period : instantStep;
        return PeriodsMax * (step < StepMin ? StepMin : step);
    }

    /// <summary>Instant from which the age of a value counts: the end of its averaging period.</summary>
    public static DateTime EndOf(DateTime phenomenonTime, TimeSpan period) => phenomenonTime + period;

    /// <summary>Whether a value is too old to be shown as the present.</summary>
    /// <param name="end">End of the value's averaging period, UTC.</param>
    /// <param name="staleAfter">From <see cref="StaleAfter"/>.</param>
    /// <param name="now">UTC.</param>
    public static bool IsStale(DateTime end, TimeSpan staleAfter, DateTime now) => now - end > staleAfter;

    /// <summary>Status from the newest value.</summary>
    /// <param name="newestEnd">End of the newest value's period, UTC; null when there never was one.</param>
    /// <param name="staleAfter">From <see cref="StaleAfter"/>.</param>
    /// <param name="alarms">Alarms active now.</param>
    /// <param name="now">UTC.</param>
    public static Status Of(DateTime? newestEnd, TimeSpan staleAfter, int alarms, DateTime now) =>
        alarms > 0 ? Status.Alarm
        : newestEnd is not { } end || now - end > SilentAfter ? Status.Silent
        : IsStale(end, staleAfter, now) ? Status.Stale
        : Status.Fresh;

    /// <summary>Name of a status in addresses, attributes and texts.</summary>
    public static string NameOf(Status status) => status switch
    {
        Status.Alarm => "alarm",
        Status.Silent => "silent",
        Status.Stale => "stale",
        _ => "fresh",
    };
}
