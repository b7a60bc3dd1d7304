using Hub.Cloud.Notifications.Outbox;

namespace Hub.Cloud.Notifications;

/// <summary>What happened to an alarm.</summary>
public enum NotificationKind
{
    /// <summary>The alarm is active now.</summary>
    Started = 1,

    /// <summary>An alarm that had been notified has ended.</summary>
    Ended = 2,

    /// <summary>Late data revealed an alarm that began and ended in the past: never an emergency.</summary>
    Past = 3,

    /// <summary>Late data changed or removed an alarm that had been notified.</summary>
    Corrected = 4,

    /// <summary>Several alarms gathered into one message. Only in the delivery log: no alarm message is of this kind.</summary>
    Digest = 5,

    /// <summary>Somebody has acknowledged an active alarm: told to the people of the roster who were called for it.</summary>
    Acknowledged = 6,
}

/// <summary>How serious an alarm is.</summary>
public enum Severity
{
    /// <summary>Worth knowing.</summary>
    Information = 1,

    /// <summary>Worth acting on.</summary>
    Warning = 2,

    /// <summary>Needs somebody now.</summary>
    Alert = 3,
}

/// <summary>One message about one alarm, complete: a channel needs nothing else to write it. Times are UTC event times.</summary>
/// <param name="Key">Idempotency key, unique per alarm and transition, constant over retries and restarts; at most 200 characters.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Alarm">Identifier of the alarm episode: the thread that start, correction and end share.</param>
/// <param name="Municipality">Slug.</param>
/// <param name="MunicipalityName">Name shown to people.</param>
/// <param name="Station">Slug.</param>
/// <param name="StationName">Name shown to people.</param>
/// <param name="Rule">Slug of the rule.</param>
/// <param name="RuleNamePt">Name of the rule in Portuguese.</param>
/// <param name="RuleNameEn">Name of the rule in English.</param>
/// <param name="Severity">How serious.</param>
/// <param name="Property">Identifier of the observed property.</param>
/// <param name="Unit">Canonical unit as shown to people.</param>
/// <param name="Value">Value that made the transition.</param>
/// <param name="Limit">Limit crossed: the set level for a start, the clear level for an end.</param>
/// <param name="ConditionAt">When the condition began to hold.</param>
/// <param name="StartedAt">When it had held for the rule's duration: the alarm's start. The same as <paramref name="ConditionAt"/> for a rule without one.</param>
/// <param name="EndedAt">When it ended; null while active.</param>
/// <param name="Peak">Most extreme value so far.</param>
/// <param name="Zone">Time zone in which to write times, IANA name.</param>
/// <param name="Withdrawn">Of a correction: the alarm never was. False when its times or its peak came out differently.</param>
public sealed record AlarmMessage(
    string Key,
    NotificationKind Kind,
    string Alarm,
    string Municipality,
    string MunicipalityName,
    string Station,
    string StationName,
    string Rule,
    string RuleNamePt,
    string RuleNameEn,
    Severity Severity,
    string Property,
    string Unit,
    double Value,
    double Limit,
    DateTime ConditionAt,
    DateTime StartedAt,
    DateTime? EndedAt,
    double Peak,
    string Zone,
    bool Withdrawn = false)
{
    /// <summary>When the condition began to hold. A message that an earlier version left in the outbox has this time alone, as its start.</summary>
    public DateTime ConditionAt { get; init; } = ConditionAt == default ? StartedAt : ConditionAt;

    /// <summary>Identifier of the conversation that the alarms of several levels of a rule at the same time share: that of the first of them. Null: the alarm's own, as in a message of an earlier version.</summary>
    public string? Incident { get; init; }

    /// <summary>What messages are threaded and ordered by: the incident, or the alarm itself.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Conversation => Incident ?? Alarm;

    /// <summary>Where the station was when the message was written: WGS 84, degrees, -90 to 90. Null in a message of an earlier version.</summary>
    public double? Latitude { get; init; }

    /// <summary>Where the station was when the message was written: WGS 84, degrees, -180 to 180. Null in a message of an earlier version.</summary>
    public double? Longitude { get; init; }

    /// <summary>Of an acknowledgement: who acknowledged it, the user name; empty otherwise.</summary>
    public string By { get; init; } = "";

    /// <summary>How long nobody had acknowledged the alarm when this subscriber was called; null when it was told at once. Not stored with the message: it differs from one subscriber to the other.</summary>
    public TimeSpan? UnacknowledgedFor { get; init; }

    /// <summary>Whether this subscriber was called before and is called again, since nobody has acknowledged the alarm. Not stored with the message.</summary>
    public bool CalledAgain { get; init; }

    /// <summary>Whether it is sent again after it could not be delivered, and later news about the alarm (or, on a topic, about its rule and station) has been delivered meanwhile. Not stored with the message.</summary>
    public bool Overtaken { get; init; }

    /// <summary>The datastream that the alarm is about, a number of Stations. 0 in a message of an earlier version.</summary>
    public int Datastream { get; init; }

    /// <summary>The rule's set level, canonical unit, where it is a value of the quantity that a picture of its course can show; null where the rule is about something else: counts, sums, changes, silence.</summary>
    public double? DrawnLevel { get; init; }

    /// <summary>Whether everybody may see the station. False in a message of an earlier version: what is not known to be public is not published.</summary>
    public bool Public { get; init; }
}

/// <summary>How a subscriber is reached.</summary>
public enum ChannelKind
{
    /// <summary>E-mail (SMTP, or a pickup folder when none is configured).</summary>
    Mail = 1,

    /// <summary>Signed HTTP POST (Standard Webhooks).</summary>
    Webhook = 2,

    /// <summary>The municipality's MQTT alarm topic.</summary>
    Mqtt = 3,

    /// <summary>Nowhere: counted as suppressed.</summary>
    Off = 4,

    /// <summary>SMS, through an HTTP gateway.</summary>
    Sms = 5,

    /// <summary>Message of a Telegram bot.</summary>
    Telegram = 6,
}

/// <summary>Who gets what.</summary>
/// <param name="Id">Identifier; 0 for a new one.</param>
/// <param name="Municipality">Slug of the municipality whose alarms are wanted.</param>
/// <param name="Channel">How.</param>
/// <param name="Target">E-mail address, webhook address, telephone number in E.164 form (<c>+351912345678</c>), Telegram chat (its number, or a channel's <c>@name</c>); empty for MQTT, and for a role.</param>
/// <param name="Language"><c>pt</c> or <c>en</c>.</param>
/// <param name="Rule">Only this rule, or null for all.</param>
/// <param name="SeverityMin">Only alarms at least this serious.</param>
/// <param name="Secret">Signing secret of a webhook, <c>whsec_</c> and base64 of 24 to 64 bytes; empty otherwise (when empty, generated for a new webhook and kept for a known one).</param>
/// <param name="DisabledBecause">Why nothing is sent to it any more (its endpoint answered 410), or null. Read only: saving a subscriber switches it on again.</param>
public sealed record Subscriber(int Id, string Municipality, ChannelKind Channel, string Target, string Language, string? Rule, Severity SeverityMin, string Secret, string? DisabledBecause = null)
{
    /// <summary>Of a webhook whose secret was changed: the one before, with which messages are signed as well. Empty otherwise. Read only.</summary>
    public string SecretPrevious { get; init; } = "";

    /// <summary>Until when <see cref="SecretPrevious"/> is used, UTC; null when there is none. Read only.</summary>
    public DateTime? SecretPreviousUntil { get; init; }

    /// <summary>
    /// Whether messages past <see cref="NotificationsOptions.MessagesPerHourMax"/>, and all about the past, are gathered into one message an hour. Mail, SMS and Telegram only. Default false; always so for people who signed up themselves.
    /// </summary>
    public bool Digest { get; init; }

    /// <summary>
    /// Set: the mails go to whoever holds the role in the municipality, or one with more rights, at the moment of each; to their user names that are mail addresses. The channel is mail, and the target empty. Null: to the target.
    /// </summary>
    public StaffRole? Role { get; init; }

    /// <summary>The target as logs show it: enough to know it by, for who knows it.</summary>
    public string TargetMasked => SubscriberValidation.Mask(Channel, Target);

    /// <summary>Stamp of the links of somebody who signed up; null for a subscriber that an operator entered.</summary>
    internal Guid? Stamp { get; init; }
}

/// <summary>Where a delivery stands. Stored: never renumber.</summary>
public enum DeliveryState : byte
{
    /// <summary>It goes out, or goes out again.</summary>
    Waiting = 0,

    /// <summary>The receiver has it.</summary>
    Delivered = 1,

    /// <summary>Swallowed on purpose.</summary>
    Suppressed = 2,

    /// <summary>Given up.</summary>
    Dead = 3,

    /// <summary>Not made by itself: told with others in one message.</summary>
    Gathered = 4,
}

/// <summary>One line of the delivery log: what, to whom (masked), when, which answer.</summary>
/// <param name="Id">Identifier, in order of creation.</param>
/// <param name="Key">Idempotency key of the message.</param>
/// <param name="Municipality">Slug.</param>
/// <param name="Channel">How.</param>
/// <param name="Target">To whom, masked.</param>
/// <param name="Kind">What.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="DeliveredAt">UTC, null while waiting or given up.</param>
/// <param name="Attempts">Attempts so far.</param>
/// <param name="State"><c>waiting</c>, <c>delivered</c>, <c>suppressed</c>, <c>dead</c>, or <c>gathered</c>: told by another message, which the answer names.</param>
/// <param name="Answer">Last answer or error, at most 500 characters.</param>
public sealed record Delivery(long Id, string Key, string Municipality, ChannelKind Channel, string Target, NotificationKind Kind, DateTime CreatedAt, DateTime? DeliveredAt, int Attempts, string State, string Answer);

/// <summary>Durable outbox of notifications. Safe for concurrent callers.</summary>
public interface INotifications
{
    /// <summary>
    /// Queues a message for every subscriber it concerns; durable when the task completes. Idempotent: a key queued before is not queued again, whoever subscribes meanwhile.
    /// </summary>
    ValueTask EnqueueAsync(AlarmMessage message, CancellationToken cancellationToken);

    /// <summary>
    /// Adds or changes a subscriber. A webhook saved with another secret is signed for with both for <c>Hub:Notifications:Webhook:SecretOverlap</c>.
    /// </summary>
    /// <exception cref="ArgumentException">A field breaks its rule, or the channel is not configured; the message names the field, and the setting.</exception>
    ValueTask<Subscriber> SaveAsync(Subscriber subscriber, CancellationToken cancellationToken);

    /// <summary>All subscribers of a municipality that operators entered. People who signed up themselves are in no list: see SignUp.</summary>
    ValueTask<IReadOnlyList<Subscriber>> SubscribersAsync(string municipality, CancellationToken cancellationToken);

    /// <summary>A subscriber that an operator entered; null when there is none, or it is somebody who signed up.</summary>
    ValueTask<Subscriber?> FindSubscriberAsync(int subscriberId, CancellationToken cancellationToken);

    /// <summary>Whom a subscriber by role would reach now. Without the stage that knows people: nobody.</summary>
    ValueTask<RoleAudience> AudienceAsync(StaffRole role, string municipality, CancellationToken cancellationToken);

    /// <summary>Removes a subscriber and everything waiting for it; of somebody who signed up everything else as well.</summary>
    ValueTask RemoveAsync(int subscriberId, CancellationToken cancellationToken);

    /// <summary>The delivery log of a municipality, newest first.</summary>
    ValueTask<IReadOnlyList<Delivery>> LogAsync(string municipality, int countMax, CancellationToken cancellationToken);

    /// <summary>Replaces a webhook's secret by a new one and returns the subscriber with both; messages are signed with both until the overlap is over, and then with the new one alone.</summary>
    /// <param name="subscriberId">The webhook.</param>
    /// <param name="overlap">How long the old secret is used as well, 0 to 30 days; zero when it has become known to others. Null: <c>Hub:Notifications:Webhook:SecretOverlap</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KeyNotFoundException">There is no such subscriber.</exception>
    /// <exception cref="ArgumentException">It is no webhook, or the overlap is out of range.</exception>
    ValueTask<Subscriber> RotateSecretAsync(int subscriberId, TimeSpan? overlap, CancellationToken cancellationToken);

    /// <summary>Searches the delivery log of a municipality, newest first.</summary>
    /// <param name="municipality">Slug.</param>
    /// <param name="state">Only deliveries that stand there; null: all.</param>
    /// <param name="before">Only identifiers below this one; null: from the newest.</param>
    /// <param name="countMax">Most lines, 1 or more; 10,000 at most are returned.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<IReadOnlyList<Delivery>> SearchAsync(string municipality, DeliveryState? state, long? before, int countMax, CancellationToken cancellationToken);

    /// <summary>Finds a line of the delivery log; null when there is none, or none any more.</summary>
    ValueTask<Delivery?> FindAsync(long deliveryId, CancellationToken cancellationToken);

    /// <summary>
    /// Makes a dead delivery wait again, under its key and as if it had never been tried; durable when the task completes. Where later news has been delivered meanwhile, it says so of itself, and on a topic it does
    /// not take the place of what is retained.
    /// </summary>
    /// <exception cref="KeyNotFoundException">There is no such delivery.</exception>
    /// <exception cref="InvalidOperationException">It is not dead, or its subscriber is gone or switched off; the message says which, and what to do.</exception>
    ValueTask<Delivery> ResendAsync(long deliveryId, CancellationToken cancellationToken);
}

/// <summary>Makes the link by which somebody acknowledges an alarm from a mail; composed by the server from the pages. Without one, mails carry none.</summary>
public interface IAcknowledgeLinks
{
    /// <summary>Address below <c>Hub:PublicUrl</c>, good for this alarm and this person alone; null when the person with the mail address may not acknowledge it.</summary>
    ValueTask<string?> ForAsync(AlarmMessage message, string mailAddress, CancellationToken cancellationToken);
}

/// <summary>Publishes an alarm message on the municipality's MQTT alarm topic; composed by the server from the ingest stage's broker.</summary>
public interface IAlarmTopic
{
    /// <summary>
    /// Publishes on <c>hub/v1/{municipality}/alarms/{rule}/{station}</c> and completes when the broker has taken it. Retained, for it is the state from then on; a message that is
    /// <see cref="AlarmMessage.Overtaken"/> or tells of the past is not.
    /// </summary>
    ValueTask PublishAsync(AlarmMessage message, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);
}
