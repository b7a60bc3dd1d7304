namespace Hub.Cloud.Notifications;

/// <summary>Who is on duty at a step.</summary>
/// <param name="Subscriber">A subscriber that an operator entered, of the same municipality; by mail, webhook, SMS or Telegram.</param>
/// <param name="Schedule">When they are on duty by the municipality's clock, as a rule's schedule is written (<c>mo-fr 08:00-18:30; no holidays</c>); empty for always. At most 200 characters.</param>
public sealed record DutyEntry(int Subscriber, string Schedule);

/// <summary>One step of a roster.</summary>
/// <param name="After">How long after the alarm was told first it is this step's turn, if nobody has acknowledged it: zero for the first step, then longer each, at most a day.</param>
/// <param name="Entries">1 to 50.</param>
public sealed record DutyStep(TimeSpan After, IReadOnlyList<DutyEntry> Entries);

/// <summary>
/// Who is told of a municipality's serious alarms, and who next while nobody acknowledges them. A subscriber who is on it is told of the start of such an alarm by the roster alone; of what follows, those who were told of it.
/// </summary>
/// <param name="Municipality">Slug.</param>
/// <param name="SeverityMin">Alarms at least this serious go by the roster; of others its people are told as all subscribers are.</param>
/// <param name="Steps">1 to 10.</param>
public sealed record DutyRoster(string Municipality, Severity SeverityMin, IReadOnlyList<DutyStep> Steps);

/// <summary>The rosters of the municipalities. Safe for concurrent callers.</summary>
public interface IDuty
{
    /// <summary>The roster of a municipality; null when it has none.</summary>
    ValueTask<DutyRoster?> FindAsync(string municipality, CancellationToken cancellationToken);

    /// <summary>Makes or replaces a roster. Alarms under way go on by it, from the step they have reached.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule; the message names it.</exception>
    ValueTask<DutyRoster> SaveAsync(DutyRoster roster, CancellationToken cancellationToken);

    /// <summary>Removes a roster; its people are told as all subscribers are. Nothing happens when there is none.</summary>
    ValueTask RemoveAsync(string municipality, CancellationToken cancellationToken);
}

/// <summary>Knows the local times that a schedule means. Alerts writes the rules' schedules and fills this; without it only the empty schedule can be used.</summary>
public interface IDutyHours
{
    /// <summary>Refuses a schedule that cannot be read.</summary>
    /// <exception cref="FormatException">The message says what is wrong.</exception>
    void Check(string schedule);

    /// <summary>Whether an instant is within a schedule by the clock of a zone.</summary>
    /// <param name="schedule">One that <see cref="Check"/> takes.</param>
    /// <param name="zone">IANA name of the zone.</param>
    /// <param name="instant">UTC.</param>
    bool IsWithin(string schedule, string zone, DateTime instant);
}
