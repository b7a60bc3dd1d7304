using Hub.Cloud.Series;

namespace Hub.Tests.Kit;

/// <summary>
/// Edges of the bucket around an instant, found the slow and obvious way. UTC: multiples of the width since 1970, of whole weeks since a Monday. In a time zone: multiples of the width on the local clock since
/// local 1970-01-01 00:00; a bucket of up to one hour never reaches across a change of the clock, a longer one follows the local clock and so is longer or shorter on that day.
/// </summary>
internal static class MemoryBuckets
{
    public static (DateTime Start, DateTime End) Around(DateTime instant, BucketWidth every)
    {
        if (every.Zone is not { } zone)
        {
            var start = Floor(instant, every.Width);
            return (start, Later(start, every.Width));
        }

        return every.Width <= TimeSpan.FromHours(1) ? Short(instant, every.Width, zone) : Long(instant, every.Width, zone);
    }

    private static (DateTime Start, DateTime End) Short(DateTime instant, TimeSpan width, TimeZoneInfo zone)
    {
        var offset = zone.GetUtcOffset(instant);
        var start = Floor(instant + offset, width) - offset;
        var end = start + width;
        var second = TimeSpan.FromSeconds(1);
        while (zone.GetUtcOffset(start) != offset)
        {
            start += second;
        }

        while (zone.GetUtcOffset(end - TimeSpan.FromTicks(1)) != offset)
        {
            end -= second;
        }

        return (start, end);
    }

    private static (DateTime Start, DateTime End) Long(DateTime instant, TimeSpan width, TimeZoneInfo zone)
    {
        var wall = Floor(instant + zone.GetUtcOffset(instant), width);
        while (FirstReached(Later(wall, width), zone) <= instant)
        {
            wall += width;
        }

        return (FirstReached(wall, zone), FirstReached(Later(wall, width), zone));
    }

    /// <summary>
    /// The first instant at which the local clock shows this time or a later one, found by watching the clock minute by minute. Never asks for the instant of a local time: the
    /// system's answers to that (IsInvalidTime, IsAmbiguousTime, the offset of a local time) are wrong around the changes of many zones, Europe/Dublin and Africa/Casablanca among them.
    /// </summary>
    private static DateTime FirstReached(DateTime wall, TimeZoneInfo zone)
    {
        // At the ends of what a time can say there is no clock to watch.
        if (wall - DateTime.MinValue < TimeSpan.FromDays(2) || DateTime.MaxValue - wall < TimeSpan.FromDays(2))
        {
            return DateTime.SpecifyKind(wall, DateTimeKind.Utc);
        }

        // No clock is more than 14 h ahead of UTC, and clocks change on whole minutes.
        var minute = TimeSpan.FromMinutes(1);
        var now = new DateTime(wall.Ticks - TimeSpan.FromHours(14).Ticks, DateTimeKind.Utc);
        now = now.AddTicks(-(now.Ticks % minute.Ticks)) - minute;
        while (now + zone.GetUtcOffset(now) < wall)
        {
            now += minute;
        }

        var reached = wall.Ticks - zone.GetUtcOffset(now - minute).Ticks;
        return reached < now.Ticks ? new DateTime(reached, DateTimeKind.Utc) : now;
    }

    private static DateTime Later(DateTime time, TimeSpan width) => DateTime.MaxValue - time > width ? time + width : DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);

    private static DateTime Floor(DateTime time, TimeSpan width)
    {
        // A week begins on a Monday: this one was.
        var origin = width.Ticks % TimeSpan.FromDays(7).Ticks == 0 ? new DateTime(1969, 12, 29, 0, 0, 0, DateTimeKind.Utc).Ticks : DateTime.UnixEpoch.Ticks;
        var into = (time.Ticks - origin) % width.Ticks;
        into = into < 0 ? into + width.Ticks : into;
        return into > time.Ticks ? DateTime.SpecifyKind(DateTime.MinValue, time.Kind) : time - TimeSpan.FromTicks(into);
    }
}
