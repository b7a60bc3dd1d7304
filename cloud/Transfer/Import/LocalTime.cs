using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Hub.Cloud.Transfer.Import;

/// <summary>Zones by name, and the instants a local clock shows a time at.</summary>
internal static class LocalTime
{
    /// <summary>Understands <c>UTC</c>, a fixed offset (<c>+01:00</c>) and IANA names; false for anything else or where the machine lacks the zone.</summary>
    public static bool TryFind(string name, [NotNullWhen(true)] out TimeZoneInfo? zone)
    {
        zone = null;
        if (name is "UTC" or "Z")
        {
            zone = TimeZoneInfo.Utc;
        }
        else if (name.Length == 6 && name[0] is '+' or '-' && TimeSpan.TryParseExact(name.AsSpan(1), @"hh\:mm", CultureInfo.InvariantCulture, out var offset) && offset <= TimeSpan.FromHours(14))
        {
            zone = TimeZoneInfo.CreateCustomTimeZone(name, name[0] == '-' ? -offset : offset, name, name);
        }
        else
        {
            TimeZoneInfo.TryFindSystemTimeZoneById(name, out zone);
        }

        return zone is not null;
    }

    /// <summary>
    /// The first and the last instant at which the local clock shows a time, the same one on all but the days of change; null for a time that a change leaves out. Asks the zone
    /// for offsets at instants only: what TimeZoneInfo says of local times is wrong around the changes of many zones (cloud/Series/README.md).
    /// </summary>
    public static (DateTime First, DateTime Last)? Instants(DateTime local, TimeZoneInfo zone)
    {
        // No offset is more than 14 hours, and no zone changes twice within two days.
        var before = zone.GetUtcOffset(Utc(local.Ticks - TimeSpan.TicksPerDay));
        var after = zone.GetUtcOffset(Utc(local.Ticks + TimeSpan.TicksPerDay));
        var early = Utc(local.Ticks - before.Ticks);
        if (before == after)
        {
            return (early, early);
        }

        var late = Utc(local.Ticks - after.Ticks);
        var shownBefore = zone.GetUtcOffset(early) == before;
        var shownAfter = zone.GetUtcOffset(late) == after;
        return shownBefore || shownAfter ? (shownBefore ? early : late, shownAfter ? late : early) : null;
    }

    private static DateTime Utc(long ticks) => new(Math.Clamp(ticks, 0, DateTime.MaxValue.Ticks), DateTimeKind.Utc);
}

/// <summary>
/// Turns the local time stamps of a file into UTC. In the hour that a local clock shows twice, the order of a series' own rows decides: the first of both instants that does not go back. So each
/// series has a place of its own in time, kept by the caller.
/// </summary>
/// <param name="zone">Zone of the stamps.</param>
/// <param name="newestFirst">True where the rows go back in time.</param>
internal sealed class SourceClock(TimeZoneInfo zone, bool newestFirst)
{
    private readonly bool _isFixed = !zone.SupportsDaylightSavingTime && zone.GetAdjustmentRules().Length == 0;
    private DateTime _day = DateTime.MinValue;
    private TimeSpan? _offset;

    /// <summary>Place in time before the first row.</summary>
    public long Start => newestFirst ? long.MaxValue : long.MinValue;

    /// <summary>UTC ticks of a stamp; null for a time in the hour that a clock change left out.</summary>
    /// <param name="stamp">The stamp, as the local clock showed it.</param>
    /// <param name="previous">Where the series stands; moved on.</param>
    public long? ToUtc(DateTime stamp, ref long previous)
    {
        if (_isFixed)
        {
            return Math.Max(0, stamp.Ticks - zone.BaseUtcOffset.Ticks);
        }

        // Most days have one offset from before to after; asking for it costs more than all the rest.
        if (stamp.Date != _day)
        {
            _day = stamp.Date;
            var first = LocalTime.Instants(_day, zone);
            var last = LocalTime.Instants(_day.AddDays(1), zone);
            _offset = first is { } a && last is { } b && a.First == a.Last && b.First == b.Last && a.First - _day == b.First - _day.AddDays(1) && IsOneOffset(_day) ? _day - a.First : null;
        }

        if (_offset is { } offset)
        {
            return previous = stamp.Ticks - offset.Ticks;
        }

        if (LocalTime.Instants(stamp, zone) is not { } instants)
        {
            return null;
        }

        var (early, late) = (instants.First.Ticks, instants.Last.Ticks);
        return previous = newestFirst
            ? late < previous ? late : early
            : early > previous ? early : late;
    }

    private bool IsOneOffset(DateTime day)
    {
        if (day.Ticks < 2 * TimeSpan.TicksPerDay || day.Ticks > DateTime.MaxValue.Ticks - (3 * TimeSpan.TicksPerDay))
        {
            return false;
        }

        var before = zone.GetUtcOffset(new DateTime(day.Ticks - TimeSpan.TicksPerDay, DateTimeKind.Utc));
        return before == zone.GetUtcOffset(new DateTime(day.Ticks + (2 * TimeSpan.TicksPerDay), DateTimeKind.Utc));
    }
}
