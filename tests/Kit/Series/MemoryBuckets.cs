using Hub.Cloud.Series;

namespace Hub.Tests.Kit;

/// <summary>
/// Edges of the bucket around an instant, found the slow and obvious way. UTC: multiples of the width since 1970. In a time zone: multiples of the width on the local clock since
/// local 1970-01-01 00:00; a bucket of up to one hour never reaches across a change of the clock, a longer one follows the local clock and so is longer or shorter on that day.
/// </summary>
internal static class MemoryBuckets
{
    public static (DateTime Start, DateTime End) Around(DateTime instant, BucketWidth every)
    {
        if (every.Zone is not { } zone)
        {
            var start = Floor(instant, every.Width);
            return (start, start + every.Width);
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
        while (FirstReached(wall + width, zone) <= instant)
        {
            wall += width;
        }

        return (FirstReached(wall, zone), FirstReached(wall + width, zone));
    }

    /// <summary>The first instant at which the local clock shows this time or a later one.</summary>
    private static DateTime FirstReached(DateTime wall, TimeZoneInfo zone)
    {
        wall = DateTime.SpecifyKind(wall, DateTimeKind.Unspecified);
        while (zone.IsInvalidTime(wall))
        {
            wall += TimeSpan.FromMinutes(1);
        }

        var offset = zone.IsAmbiguousTime(wall) ? zone.GetAmbiguousTimeOffsets(wall).Max() : zone.GetUtcOffset(wall);
        return DateTime.SpecifyKind(wall - offset, DateTimeKind.Utc);
    }

    private static DateTime Floor(DateTime time, TimeSpan width)
    {
        var sinceEpoch = (time - DateTime.UnixEpoch).Ticks;
        var into = sinceEpoch % width.Ticks;
        return time - TimeSpan.FromTicks(into < 0 ? into + width.Ticks : into);
    }
}
