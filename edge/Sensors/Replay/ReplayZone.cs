using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Hub.Edge.Sensors.Replay;

/// <summary>Zones by name, and the instant of a local midnight.</summary>
internal static class ReplayZone
{
    /// <summary>Understands <c>UTC</c>, a fixed offset (<c>+01:00</c>) and IANA names; false for anything else or where the machine lacks the zone.</summary>
    public static bool TryFind(string name, [NotNullWhen(true)] out TimeZoneInfo? zone)
    {
        zone = null;
        if (name is "UTC" or "Z")
        {
            zone = TimeZoneInfo.Utc;
        }
        else if (name.Length == 6 && name[0] is '+' or '-'
            && TimeSpan.TryParseExact(name.AsSpan(1), @"hh\:mm", CultureInfo.InvariantCulture, out TimeSpan offset)
            && offset <= TimeSpan.FromHours(14))
        {
            zone = TimeZoneInfo.CreateCustomTimeZone(name, name[0] == '-' ? -offset : offset, name, name);
        }
        else
        {
            TimeZoneInfo.TryFindSystemTimeZoneById(name, out zone);
        }

        return zone is not null;
    }

    /// <summary>What to say of a name that is not understood.</summary>
    public static string Failure(string key, string zone) =>
        $"{key} is '{zone}', which this machine does not know: give UTC, an offset such as +01:00 or an IANA name such as Europe/Lisbon (the package tzdata holds them).";

    /// <summary>As <see cref="TryFind"/>, for names that were validated before.</summary>
    /// <exception cref="SensorException">The zone is not known on this machine.</exception>
    public static TimeZoneInfo Find(string name) => TryFind(name, out TimeZoneInfo? zone)
        ? zone
        : throw new SensorException($"The time zone '{name}' is not known on this machine. Give UTC, an offset such as +01:00 or an IANA name; for names the package tzdata must be installed.");

    /// <summary>
    /// The instants at which the local clock shows a time: the first and the last, the same one on all but the days of change; null for a time that a change leaves out. Asks the zone
    /// for offsets at instants only: what TimeZoneInfo says of local times (invalid, ambiguous, their offset) is wrong around the changes of many zones, Europe/Dublin among them.
    /// </summary>
    public static (DateTime First, DateTime Last)? Instants(DateTime local, TimeZoneInfo zone)
    {
        // No offset is more than 14 hours, and no zone changes twice within two days.
        long day = TimeSpan.TicksPerDay;
        TimeSpan before = zone.GetUtcOffset(Utc(local.Ticks - day));
        TimeSpan after = zone.GetUtcOffset(Utc(local.Ticks + day));
        DateTime early = Utc(local.Ticks - before.Ticks);
        if (before == after)
        {
            return (early, early);
        }

        DateTime late = Utc(local.Ticks - after.Ticks);
        bool shownBefore = zone.GetUtcOffset(early) == before;
        bool shownAfter = zone.GetUtcOffset(late) == after;
        return shownBefore || shownAfter ? (shownBefore ? early : late, shownAfter ? late : early) : null;
    }

    /// <summary>First instant of a local date, UTC: midnight, or the end of the gap where a clock change skips midnight.</summary>
    public static DateTime DayStart(DateOnly date, TimeZoneInfo zone)
    {
        DateTime local = date.ToDateTime(TimeOnly.MinValue);
        (DateTime First, DateTime Last)? midnight;
        while ((midnight = Instants(local, zone)) is null)
        {
            local = local.AddMinutes(1);
        }

        return midnight.Value.First;
    }

    /// <summary>Local date of an instant.</summary>
    public static DateOnly DateOf(DateTime utc, TimeZoneInfo zone) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTimeFromUtc(utc, zone));

    private static DateTime Utc(long ticks) => new(Math.Clamp(ticks, 0, DateTime.MaxValue.Ticks), DateTimeKind.Utc);
}
