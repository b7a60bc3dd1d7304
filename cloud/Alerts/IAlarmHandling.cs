using Hub.Cloud.Notifications;

namespace Hub.Cloud.Alerts;

/// <summary>State of an alarm by ISA-18.2 and IEC 62682. Whether it is shelved or out of service is said beside it: those are flags of their own.</summary>
public enum AlarmState
{
    /// <summary>Nothing asks for anybody: over and acknowledged, over when it became known, or withdrawn.</summary>
    Normal = 1,

    /// <summary>Active, and nobody has said that they know.</summary>
    ActiveUnacknowledged = 2,

    /// <summary>Active, and somebody knows.</summary>
    ActiveAcknowledged = 3,

    /// <summary>Over before anybody said that they knew.</summary>
    ReturnedUnacknowledged = 4,
}

/// <summary>Why nothing new is told of a rule at a station. Stored: never renumber.</summary>
public enum SuppressionKind
{
    /// <summary>An operator does not want to hear of it for a while; always with an end.</summary>
    Shelved = 1,

    /// <summary>Under maintenance, until somebody returns it.</summary>
    OutOfService = 2,
}

/// <summary>Something of which nothing new is told, though it is evaluated as ever.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Municipality">Slug.</param>
/// <param name="Station">Slug of the station.</param>
/// <param name="Rule">Slug of the rule; null for every rule at the station (out of service only).</param>
/// <param name="Since">UTC instant from which on.</param>
/// <param name="Until">UTC instant at which it ends by itself; null when somebody has to end it.</param>
/// <param name="By">Who did it.</param>
/// <param name="Comment">What they said of it; null when nothing.</param>
public sealed record Suppression(SuppressionKind Kind, string Municipality, string Station, string? Rule, DateTime Since, DateTime? Until, string By, string? Comment);

/// <summary>How an alarm stands with the people who look after it.</summary>
/// <param name="State">By ISA-18.2.</param>
/// <param name="AcknowledgedAt">When somebody acknowledged it, UTC; null before.</param>
/// <param name="AcknowledgedBy">Who; null before.</param>
/// <param name="AssignedTo">Who looks after it; null for nobody.</param>
/// <param name="Shelved">The shelving of its rule at its station; null for none.</param>
/// <param name="OutOfService">What of it is out of service, the whole station before the rule at it; null for nothing.</param>
public sealed record AlarmHandling(AlarmState State, DateTime? AcknowledgedAt, string? AcknowledgedBy, string? AssignedTo, Suppression? Shelved, Suppression? OutOfService)
{
    /// <summary>Identifier of the active alarm at its station that suppresses it by design (<see cref="Rule.SuppressedBy"/>); null for none, and for an alarm that is over.</summary>
    public string? SuppressedBy { get; init; }

    /// <summary>Whether nothing new is told of it.</summary>
    public bool IsSilent => Shelved is not null || OutOfService is not null || SuppressedBy is not null;
}

/// <summary>What happened to an alarm. Those of people are stored: never renumber.</summary>
public enum AlarmEventKind
{
    /// <summary>It became known.</summary>
    Found = 1,

    /// <summary>It ended.</summary>
    Ended = 2,

    /// <summary>Its times or its peak came out differently.</summary>
    Changed = 3,

    /// <summary>It never was.</summary>
    Withdrawn = 4,

    /// <summary>It was after all.</summary>
    Restored = 5,

    /// <summary>Subscribers are told.</summary>
    Told = 6,

    /// <summary>Somebody knows.</summary>
    Acknowledged = 11,

    /// <summary>Somebody said something.</summary>
    Commented = 12,

    /// <summary>Somebody, or nobody, looks after it from now on.</summary>
    Assigned = 13,

    /// <summary>Its rule at its station is shelved, or shelved until another time.</summary>
    Shelved = 14,

    /// <summary>It is not shelved any more.</summary>
    Unshelved = 15,

    /// <summary>The station, or the rule at it, is out of service.</summary>
    OutOfService = 16,

    /// <summary>It is back in service.</summary>
    Returned = 17,
}

/// <summary>Why something happened to an alarm. Those of people are stored: never renumber.</summary>
public enum AlarmEventCause
{
    /// <summary>An observation in order of time.</summary>
    Observation = 1,

    /// <summary>Late or corrected observations.</summary>
    LateData = 2,

    /// <summary>The rule was added, changed or switched on.</summary>
    RuleChanged = 3,

    /// <summary>The rule was removed.</summary>
    RuleRemoved = 4,

    /// <summary>Nothing came for longer than a rule allows.</summary>
    Silence = 5,

    /// <summary>A person who was signed in.</summary>
    Person = 11,

    /// <summary>A person who followed the link in a mail to them.</summary>
    MailLink = 12,

    /// <summary>Its time was over.</summary>
    TimeOver = 13,
}

/// <summary>One line of the history of an alarm.</summary>
/// <param name="Kind">What.</param>
/// <param name="Cause">Why.</param>
/// <param name="EventAt">UTC instant at which it happened.</param>
/// <param name="ProcessedAt">UTC instant at which the hub knew or did it.</param>
/// <param name="By">The person; null when it was none.</param>
/// <param name="Comment">What the person said; null when nothing.</param>
/// <param name="Until">Of a shelving: its end, UTC.</param>
/// <param name="AssignedTo">Of an assignment: to whom; null for nobody.</param>
/// <param name="Told">Of a message to subscribers: what they are told.</param>
/// <param name="WholeStation">Of out of service and back: whether the whole station is meant.</param>
public sealed record AlarmEvent(
    AlarmEventKind Kind,
    AlarmEventCause Cause,
    DateTime EventAt,
    DateTime ProcessedAt,
    string? By = null,
    string? Comment = null,
    DateTime? Until = null,
    string? AssignedTo = null,
    NotificationKind? Told = null,
    bool WholeStation = false);

/// <summary>One alarm with all that happened to it.</summary>
/// <param name="Alarm">The alarm asked for.</param>
/// <param name="GoesOnAs">Identifier of the alarm that goes on in its place since late data moved its start; null when there is none.</param>
/// <param name="Handling">How it stands.</param>
/// <param name="Events">What happened to it, and to its rule and station meanwhile, in order of processing.</param>
public sealed record AlarmStory(Alarm Alarm, string? GoesOnAs, AlarmHandling Handling, IReadOnlyList<AlarmEvent> Events);

/// <summary>Who does something to an alarm.</summary>
/// <param name="Person">User name, or the mail address of a subscriber; 1 to 256 characters.</param>
/// <param name="Cause">How they came: signed in, or by the link in a mail.</param>
public sealed record HandledBy(string Person, AlarmEventCause Cause = AlarmEventCause.Person);

/// <summary>What was asked makes no sense as the alarm stands; the message says why.</summary>
public sealed class HandlingRefusedException(string message) : Exception(message);

/// <summary>
/// What people do with alarms. Every change is stored with person, cause and time, and is durable when the task completes; asked for again, it changes nothing and the answer is false.
/// What is done to an alarm belongs to its thread: it holds for the alarm that goes on in its place when late data moves its start. An identifier of an alarm in the thread stands for
/// the one that lives. Safe for concurrent callers.
/// </summary>
/// <remarks>
/// All changes throw <see cref="KeyNotFoundException"/> for an alarm, rule or station that is not there, <see cref="ArgumentException"/> for a field that breaks its rule, and
/// <see cref="HandlingRefusedException"/> for what makes no sense.
/// </remarks>
public interface IAlarmHandling
{
    /// <summary>Longest a shelving may last.</summary>
    TimeSpan ShelveMax { get; }

    /// <summary>How alarms stand, in the order given. From memory, except for those that people handled long ago.</summary>
    ValueTask<IReadOnlyList<AlarmHandling>> OfAsync(IReadOnlyList<Alarm> alarms, CancellationToken cancellationToken);

    /// <summary>An alarm with its history; null when there is none of the identifier.</summary>
    ValueTask<AlarmStory?> FindAsync(string alarm, CancellationToken cancellationToken);

    /// <summary>What is shelved and out of service now, in order of station and rule.</summary>
    IReadOnlyList<Suppression> Suppressions(string? municipality);

    /// <summary>Notes that somebody knows of the alarm.</summary>
    ValueTask<bool> AcknowledgeAsync(string alarm, HandledBy by, string? comment, CancellationToken cancellationToken);

    /// <summary>Adds a comment, 1 to 1,000 characters.</summary>
    ValueTask<bool> CommentAsync(string alarm, HandledBy by, string comment, CancellationToken cancellationToken);

    /// <summary>Says who looks after the alarm; null for nobody.</summary>
    ValueTask<bool> AssignAsync(string alarm, HandledBy by, string? person, string? comment, CancellationToken cancellationToken);

    /// <summary>Shelves a rule at a station until an instant (UTC), for this episode and for the next; shelved already, its end is changed.</summary>
    ValueTask<bool> ShelveAsync(string municipality, string rule, string station, DateTime until, HandledBy by, string? comment, CancellationToken cancellationToken);

    /// <summary>Ends a shelving. What is active then and was not told is told.</summary>
    ValueTask<bool> UnshelveAsync(string municipality, string rule, string station, HandledBy by, string? comment, CancellationToken cancellationToken);

    /// <summary>Takes a station, or (rule not null) a rule at it, out of service.</summary>
    ValueTask<bool> TakeOutOfServiceAsync(string municipality, string station, string? rule, HandledBy by, string? comment, CancellationToken cancellationToken);

    /// <summary>Returns it to service. What is active then and was not told is told.</summary>
    ValueTask<bool> ReturnToServiceAsync(string municipality, string station, string? rule, HandledBy by, string? comment, CancellationToken cancellationToken);
}
