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

    /// <summary>First instant of a local date, UTC: midnight, or the end of the gap where a clock change skips midnight.</summary>
    public static DateTime DayStart(DateOnly date, TimeZoneInfo zone)
    {
        DateTime local = date.ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        TimeSpan offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return DateTime.SpecifyKind(local - offset, DateTimeKind.Utc);
    }

    /// <summary>Local date of an instant.</summary>
    public static DateOnly DateOf(DateTime utc, TimeZoneInfo zone) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTimeFromUtc(utc, zone));
}
