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

    /// <summary>Where the station is: degrees, WGS 84, -90 to 90; null when not known.</summary>
    public double? Latitude { get; init; }

    /// <summary>Where the station is: degrees, WGS 84, -180 to 180; null when not known.</summary>
    public double? Longitude { get; init; }

    /// <summary>Whether anybody may know of the station: people who signed up themselves are told of no other.</summary>
    public bool StationPublic { get; init; }
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
}

/// <summary>Who gets what.</summary>
/// <param name="Id">Identifier; 0 for a new one.</param>
/// <param name="Municipality">Slug of the municipality whose alarms are wanted.</param>
/// <param name="Channel">How.</param>
/// <param name="Target">E-mail address, webhook address; empty for MQTT.</param>
/// <param name="Language"><c>pt</c> or <c>en</c>.</param>
/// <param name="Rule">Only this rule, or null for all.</param>
/// <param name="SeverityMin">Only alarms at least this serious.</param>
/// <param name="Secret">Signing secret of a webhook, <c>whsec_</c> and base64 of 24 to 64 bytes; empty otherwise (when empty, generated for a new webhook and kept for a known one).</param>
/// <param name="DisabledBecause">Why nothing is sent to it any more (its endpoint answered 410), or null. Read only: saving a subscriber switches it on again.</param>
public sealed record Subscriber(int Id, string Municipality, ChannelKind Channel, string Target, string Language, string? Rule, Severity SeverityMin, string Secret, string? DisabledBecause = null)
{
    /// <summary>
    /// Whether messages past <see cref="NotificationsOptions.MessagesPerHourMax"/>, and all about the past, are gathered into one mail an hour. Mail only. Default false; always so for people who signed up themselves.
    /// </summary>
    public bool Digest { get; init; }

    /// <summary>Stamp of the links of somebody who signed up; null for a subscriber that an operator entered.</summary>
    internal Guid? Stamp { get; init; }
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

    /// <summary>Adds or changes a subscriber.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule; the message names it.</exception>
    ValueTask<Subscriber> SaveAsync(Subscriber subscriber, CancellationToken cancellationToken);

    /// <summary>All subscribers of a municipality that operators entered. People who signed up themselves are in no list: see SignUp.</summary>
    ValueTask<IReadOnlyList<Subscriber>> SubscribersAsync(string municipality, CancellationToken cancellationToken);

    /// <summary>Removes a subscriber and everything waiting for it; of somebody who signed up everything else as well.</summary>
    ValueTask RemoveAsync(int subscriberId, CancellationToken cancellationToken);

    /// <summary>The delivery log of a municipality, newest first.</summary>
    ValueTask<IReadOnlyList<Delivery>> LogAsync(string municipality, int countMax, CancellationToken cancellationToken);
}

/// <summary>Publishes an alarm message on the municipality's MQTT alarm topic; composed by the server from the ingest stage's broker.</summary>
public interface IAlarmTopic
{
    /// <summary>Publishes retained state on <c>hub/v1/{municipality}/alarms/{rule}/{station}</c> and completes when the broker has taken it.</summary>
    ValueTask PublishAsync(AlarmMessage message, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);
}
