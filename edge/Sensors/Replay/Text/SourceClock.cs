namespace Hub.Edge.Sensors.Replay.Text;

/// <summary>
/// Turns a publisher's time stamps into UTC, row after row. In the hour that local time has twice, the order of the rows decides: the first
/// of both instants that does not go back. A time that local time never had is no instant.
/// </summary>
/// <param name="zone">Zone of the stamps.</param>
/// <param name="newestFirst">True where the rows go back in time.</param>
internal sealed class SourceClock(TimeZoneInfo zone, bool newestFirst)
{
    private long previous = newestFirst ? long.MaxValue : long.MinValue;

    /// <summary>UTC ticks of a stamp; null for a time in the hour that a clock change left out.</summary>
    public long? ToUtc(DateTime stamp)
    {
        if (ReplayZone.Instants(stamp, zone) is not { } instants)
        {
            return null;
        }

        (long early, long late) = (instants.First.Ticks, instants.Last.Ticks);
        previous = newestFirst
            ? late < previous ? late : early
            : early > previous ? early : late;
        return previous;
    }
}
