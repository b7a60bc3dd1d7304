namespace Hub.Edge.Contract.Encoding;

/// <summary>Seconds of SenML to instants and back, always by way of whole microseconds.</summary>
internal static class SenmlTime
{
    /// <summary>2^28: times from here on are absolute (RFC 8428 section 4.5.3).</summary>
    public const double AbsoluteFrom = 268_435_456;

    /// <summary>No sensible time is further from 1970 than this; keeps the arithmetic below within its types.</summary>
    private const double SecondsMax = 250_000_000_000;

    /// <summary>Resolves seconds to an instant with whole microseconds; false when outside what a date can say.</summary>
    public static bool TryResolve(double seconds, DateTime now, out DateTime instant)
    {
        instant = default;
        if (!(Math.Abs(seconds) < SecondsMax))
        {
            return false;
        }

        long micros = ToMicros(seconds) + (seconds < AbsoluteFrom ? Micros(now) : 0);
        long ticks = DateTime.UnixEpoch.Ticks + (micros * TimeSpan.TicksPerMicrosecond);
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks)
        {
            return false;
        }

        instant = new DateTime(ticks, DateTimeKind.Utc);
        return true;
    }

    /// <summary>Microseconds since 1970, rounded down.</summary>
    public static long Micros(DateTime instant)
    {
        (long micros, long rest) = Math.DivRem(instant.Ticks - DateTime.UnixEpoch.Ticks, TimeSpan.TicksPerMicrosecond);
        return rest < 0 ? micros - 1 : micros;
    }

    /// <summary>
    /// Rounds to the nearest microsecond. Whole and broken part apart: a double holds seconds of this century to a quarter of a
    /// microsecond, so only one further rounding may happen, and an instant written by us comes back as it was.
    /// </summary>
    public static long ToMicros(double seconds)
    {
        double whole = Math.Floor(seconds);
        return ((long)whole * 1_000_000) + (long)Math.Round((seconds - whole) * 1_000_000);
    }
}
