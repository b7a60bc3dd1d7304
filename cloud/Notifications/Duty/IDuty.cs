namespace Hub.Cloud.Notifications;

/// <summary>Who is on duty at a step.</summary>
/// <param name="Subscriber">A subscriber that an operator entered, of the same municipality; by mail, webhook, SMS or Telegram. One by role stands for all who hold it.</param>
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
public sealed record DutyRoster(string Municipality, Severity SeverityMin, IReadOnlyList<DutyStep> Steps)
{
    /// <summary>Most repetitions.</summary>
    public const int RepeatCountMax = 10;

    /// <summary>The pause before a repetition of a roster with a single step.</summary>
    public static readonly TimeSpan RepeatPauseAlone = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How often all steps are gone through again while nobody acknowledges: 0 to 10. 0 (default), as in a roster that was saved before there were repetitions and as on-call systems do unless they are told otherwise
    /// (PagerDuty's <c>num_loops</c>). Acknowledgement, end and withdrawal of the alarm end them.
    /// </summary>
    public int RepeatCount { get; init; }

    /// <summary>How long after its last step the roster begins again: as long as the last step comes after the one before it; <see cref="RepeatPauseAlone"/> where there is a single step.</summary>
    public TimeSpan RepeatPause => Steps.Count > 1 ? Steps[^1].After - Steps[^2].After : RepeatPauseAlone;

    /// <summary>Which state a roster is in, for <see cref="IDuty.SaveOverAsync"/>: the same for the same content; empty for none.</summary>
    public static string VersionOf(DutyRoster? roster) => roster is null
        ? ""
        : Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(roster)).AsSpan(0, 12));
}

/// <summary>How a call ended. Stored: never renumber.</summary>
public enum DutyCallEnd : byte
{
    /// <summary>Somebody acknowledged the alarm.</summary>
    Acknowledged = 1,

    /// <summary>The alarm ended or was withdrawn.</summary>
    Over = 2,

    /// <summary>Everybody was called, as often as the roster says, and nobody acknowledged.</summary>
    Unanswered = 3,

    /// <summary>The roster was removed.</summary>
    Removed = 4,
}

/// <summary>Somebody who was called.</summary>
/// <param name="Subscriber">Identifier; who it was may be gone.</param>
/// <param name="Channel">How.</param>
/// <param name="Target">Where, masked.</param>
/// <param name="At">When the message was queued, UTC.</param>
/// <param name="State">Where its delivery stands, as in the delivery log.</param>
public sealed record DutyTold(int Subscriber, ChannelKind Channel, string Target, DateTime At, string State);

/// <summary>A call about an alarm.</summary>
/// <param name="Message">The message that said the alarm started.</param>
/// <param name="BeganAt">UTC.</param>
/// <param name="Round">The round it is in, or got to; 0 for the first.</param>
/// <param name="NextAt">When the next step is called, UTC; null when the call is over.</param>
/// <param name="EndedAt">When it was over, UTC; null while it runs.</param>
/// <param name="End">How; null while it runs.</param>
/// <param name="By">Who acknowledged; empty otherwise.</param>
/// <param name="Told">Who was called, in order.</param>
public sealed record DutyCall(AlarmMessage Message, DateTime BeganAt, int Round, DateTime? NextAt, DateTime? EndedAt, DutyCallEnd? End, string By, IReadOnlyList<DutyTold> Told)
{
    /// <summary>The step whose turn is next, 0 or more; of a call that is over without meaning.</summary>
    public int NextStep { get; init; }
}

/// <summary>The rosters of the municipalities. Safe for concurrent callers.</summary>
public interface IDuty
{
    /// <summary>The roster of a municipality; null when it has none.</summary>
    ValueTask<DutyRoster?> FindAsync(string municipality, CancellationToken cancellationToken);

    /// <summary>Makes or replaces a roster. Alarms under way go on by it, from the step they have reached.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule; the message names it.</exception>
    ValueTask<DutyRoster> SaveAsync(DutyRoster roster, CancellationToken cancellationToken);

    /// <summary>Makes or replaces a roster unless somebody else has changed it meanwhile.</summary>
    /// <param name="roster">The roster.</param>
    /// <param name="version">State that the caller knows, of <see cref="DutyRoster.VersionOf"/>; empty when there was none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False when it is in another state; nothing is saved then.</returns>
    /// <exception cref="ArgumentException">A field breaks its rule; the message names it.</exception>
    ValueTask<bool> SaveOverAsync(DutyRoster roster, string version, CancellationToken cancellationToken);

    /// <summary>Calls of a municipality: those that run, the next one due first, then those that are over, newest first.</summary>
    /// <param name="municipality">Slug.</param>
    /// <param name="countMax">Most of each, 1 to 200.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<IReadOnlyList<DutyCall>> CallsAsync(string municipality, int countMax, CancellationToken cancellationToken);

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
