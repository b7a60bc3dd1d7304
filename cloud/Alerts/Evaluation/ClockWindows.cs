using Hub.Cloud.Series;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>The windows of a municipality's clock: each begins where the one before it ends. Used by one caller at a time.</summary>
internal sealed class ClockWindows(TimeSpan window, TimeZoneInfo zone)
{
    private readonly BucketEdges edges = new(window, zone);

    /// <summary>The longest that such a window can be: a local day may have 25 hours, and some zones have moved by more.</summary>
    public static TimeSpan LongestOf(TimeSpan window) => window >= TimeSpan.FromDays(1) ? window + TimeSpan.FromHours(2) : window;

    /// <summary>The window that holds an instant: start inclusive, end exclusive. Before 1970 everything is one window.</summary>
    public (DateTime Start, DateTime End) Around(DateTime at)
    {
        if (at < DateTime.UnixEpoch)
        {
            return (DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc), DateTime.UnixEpoch);
        }

        var (start, end) = edges.Around((at.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond);
        return (Time(start), Time(end));
    }

    /// <summary>Whether a rule is in force, and its station where the rule concerns it, in all minutes of the window that ends at an instant.</summary>
    public static bool AllOf(Signal signal, DateTime end)
    {
        for (var at = new ClockWindows(signal.Window, signal.Zone).Around(end.AddTicks(-1)).Start; at < end; at = at.AddMinutes(1))
        {
            if (!signal.CoversInstant(at))
            {
                return false;
            }
        }

        return true;
    }

    private static DateTime Time(long micros) => new(DateTime.UnixEpoch.Ticks + (micros * TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);
}
