namespace Hub.Cloud.Series;

/// <summary>Instants as microseconds since 1970 UTC, as the store keeps them.</summary>
internal static class EventTime
{
    public const long MicrosPerDay = 86_400_000_000;

    public static readonly long MinMicros = Micros(DateTime.MinValue);

    public static readonly long MaxMicros = Micros(DateTime.MaxValue);

    /// <summary>Whole microseconds, rounded down; also before 1970.</summary>
    public static long Micros(DateTime time)
    {
        var ticks = time.Ticks - DateTime.UnixEpoch.Ticks;
        return FloorDivide(ticks, TimeSpan.TicksPerMicrosecond);
    }

    /// <summary>The first microsecond at or after an instant. Bound of a question: unspecified kind is taken as UTC.</summary>
    /// <exception cref="ArgumentException">The kind is local.</exception>
    public static long Bound(DateTime time, string name)
    {
        if (time.Kind == DateTimeKind.Local)
        {
            throw new ArgumentException("A bound is given in UTC.", name);
        }

        var micros = Micros(time);
        return time.Ticks % TimeSpan.TicksPerMicrosecond == 0 ? micros : micros + 1;
    }

    public static DateTime Time(long micros) => new(DateTime.UnixEpoch.Ticks + (micros * TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);

    /// <summary>As <see cref="Time"/>, held within what <see cref="DateTime"/> can say.</summary>
    public static DateTime TimeClamped(long micros) =>
        micros <= MinMicros ? DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc)
        : micros > MaxMicros ? DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc)
        : Time(micros);

    /// <summary>Number of the UTC day since 1970-01-01.</summary>
    public static int Day(long micros) => (int)FloorDivide(micros, MicrosPerDay);

    /// <summary>Index of the first of ascending times that is not below a bound.</summary>
    public static int FirstAt(ReadOnlySpan<long> times, long bound)
    {
        var (low, high) = (0, times.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (times[middle] < bound)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    public static long FloorDivide(long dividend, long divisor)
    {
        var quotient = dividend / divisor;
        return dividend % divisor < 0 ? quotient - 1 : quotient;
    }
}
