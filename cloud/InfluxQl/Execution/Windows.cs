namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>A stretch of time, nanoseconds since 1970, both ends inclusive.</summary>
internal readonly record struct Span(long Start, long End)
{
    /// <summary>The earliest and the latest time that InfluxDB knows.</summary>
    public const long Earliest = long.MinValue + 2;

    public const long Latest = long.MaxValue - 1;

    public static Span All => new(Earliest, Latest);

    public bool IsEmpty => End < Start;

    public bool Contains(long time) => time >= Start && time <= End;

    public Span Intersect(Span other) => new(Math.Max(Start, other.Start), Math.Min(End, other.End));
}

/// <summary>
/// Buckets of GROUP BY time(), as InfluxDB 1.6 lays them: multiples of the width since 1970-01-01 00:00 of the clock of the zone, moved by the offset. So a week begins on a Thursday; around changes of the clock
/// the edges are those that InfluxDB finds, which is why its arithmetic is followed step by step (query/iterator.go, IteratorOptions.Window).
/// </summary>
/// <param name="Width">Nanoseconds; 0 for one bucket that is the whole span.</param>
/// <param name="Offset">Nanoseconds, less than the width.</param>
/// <param name="Zone">Time zone; null for UTC.</param>
/// <param name="Span">What is asked about.</param>
internal sealed record Windows(long Width, long Offset, TimeZoneInfo? Zone, Span Span)
{
    /// <summary>Begin, and end exclusive, of the bucket that holds an instant.</summary>
    public (long Start, long End) Of(long time)
    {
        if (Width == 0)
        {
            return (Span.Start, Span.End + 1);
        }

        var t = time - Offset;
        var zone = ZoneOffset(t);
        var into = unchecked(t + zone) % Width;
        if (into < 0)
        {
            into += Width;
        }

        var start = Span.Earliest + into >= t ? Span.Earliest : t - into;
        if (Zone is not null)
        {
            var moved = zone - ZoneOffset(start);
            if (moved != 0 && Math.Abs(moved) < Width)
            {
                start += moved;
            }
        }

        var rest = Width - into;
        var end = Span.Latest - rest <= t ? Span.Latest : t + rest;
        if (Zone is not null)
        {
            var after = ZoneOffset(end);
            var moved = zone - after;
            if (moved != 0 && Math.Abs(moved) < Width && (moved > 0 || ZoneOffset(end + moved) == after))
            {
                end += moved;
            }
        }

        return (unchecked(start + Offset), unchecked(end + Offset));
    }

    /// <summary>Offset of the zone from UTC at an instant, nanoseconds.</summary>
    public long ZoneOffset(long time) => Zone?.GetUtcOffset(Nanoseconds.ToDateTime(time)).Ticks * 100 ?? 0;
}

/// <summary>Nanoseconds since 1970, in which InfluxDB counts time.</summary>
internal static class Nanoseconds
{
    public const long PerTick = 100;
    public const long PerSecond = 1_000_000_000;
    public const long PerDay = 86_400 * PerSecond;

    public static long Of(DateTime utc) => (utc.Ticks - DateTime.UnixEpoch.Ticks) * PerTick;

    /// <summary>The instant, rounded down to 100 ns.</summary>
    public static DateTime ToDateTime(long time) => DateTime.UnixEpoch.AddTicks(Math.DivRem(time, PerTick) is var (ticks, rest) && rest < 0 ? ticks - 1 : time / PerTick);

    /// <summary>First whole microsecond that is not before an instant.</summary>
    public static DateTime CeilingMicrosecond(long time)
    {
        var (micros, rest) = Math.DivRem(time, 1_000);
        return DateTime.UnixEpoch.AddTicks((rest > 0 ? micros + 1 : micros) * 10);
    }
}
