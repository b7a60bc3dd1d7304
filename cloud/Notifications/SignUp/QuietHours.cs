namespace Hub.Cloud.Notifications.SignUp;

/// <summary>
/// Hours of every day in which nothing is sent, by the clock on the wall of the municipality. In the night the clock goes back the hour that happens twice is quiet, or not, both times; a time that is left
/// out when it goes forward is passed in the moment of the change. Pure.
/// </summary>
/// <param name="From">Local time at which they begin, whole minutes; quiet from then on.</param>
/// <param name="Until">Local time at which they end, whole minutes; no longer quiet then. Before <paramref name="From"/> they go past midnight. At most 22 hours later, so that no change of the clock swallows what is left of a day.</param>
/// <param name="ExceptHighest">Whether alarms of the highest severity come all the same, unless they are past.</param>
public sealed record QuietHours(TimeOnly From, TimeOnly Until, bool ExceptHighest = true)
{
    /// <summary>Minutes in a day.</summary>
    private const int Day = 24 * 60;

    private static readonly TimeSpan LengthMax = TimeSpan.FromHours(22);

    /// <summary>Whether a local time of day is quiet.</summary>
    public bool Holds(TimeOnly local) => From < Until ? local >= From && local < Until : local >= From || local < Until;

    /// <summary>When the quiet hours end in which an instant lies.</summary>
    /// <param name="utc">The instant, UTC.</param>
    /// <param name="zone">The municipality's.</param>
    /// <returns>UTC, a whole minute, at most 23 hours later; null when the instant is not quiet.</returns>
    public DateTime? HeldUntil(DateTime utc, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var offset = zone.GetUtcOffset(utc);
        var local = TimeOnly.FromTimeSpan((utc + offset).TimeOfDay);
        if (!Holds(local))
        {
            return null;
        }

        var minute = utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerMinute));
        var minutes = (MinuteOf(Until) - MinuteOf(local) + Day) % Day;
        var end = minute.AddMinutes(minutes);
        if (zone.GetUtcOffset(end) == offset)
        {
            return end;
        }

        // The clock changes in between, two nights a year: minute by minute, so that a time that is left out or happens twice is what the clock on the wall says.
        for (end = minute.AddMinutes(1); Holds(TimeOnly.FromTimeSpan((end + zone.GetUtcOffset(end)).TimeOfDay)) && end - minute < TimeSpan.FromDays(1); end = end.AddMinutes(1))
        {
        }

        return end;
    }

    /// <summary>Refuses hours that are none or all of the day.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule.</exception>
    internal void Check()
    {
        Refuse.Unless(From.Ticks % TimeSpan.TicksPerMinute == 0, nameof(From), "must be a whole minute");
        Refuse.Unless(Until.Ticks % TimeSpan.TicksPerMinute == 0, nameof(Until), "must be a whole minute");
        Refuse.Unless(From != Until && Until - From <= LengthMax, nameof(Until), "must be at most 22 hours after From, and not the same: quiet hours leave two hours of the day");
    }

    private static int MinuteOf(TimeOnly time) => (time.Hour * 60) + time.Minute;
}
