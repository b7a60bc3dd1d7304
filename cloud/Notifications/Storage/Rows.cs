using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.SignUp;

namespace Hub.Cloud.Notifications.Storage;

/// <summary>Why a delivery is not made by itself but gathered with others. Stored: never renumber.</summary>
internal enum Gathering : byte
{
    /// <summary>It goes out by itself.</summary>
    Not = 0,

    /// <summary>It came in the quiet hours.</summary>
    Quiet = 1,

    /// <summary>There were too many in the hour.</summary>
    Storm = 2,

    /// <summary>It tells of the past.</summary>
    Past = 3,
}

/// <summary>A subscriber as stored.</summary>
internal sealed class SubscriberRow
{
    public int Id { get; set; }
    public string Municipality { get; set; } = "";
    public ChannelKind Channel { get; set; }
    public string Target { get; set; } = "";
    public string Language { get; set; } = "";
    public string? Rule { get; set; }
    public Severity SeverityMin { get; set; }
    public string Secret { get; set; } = "";

    /// <summary>The secret before, empty when there is none; used until <see cref="SecretPreviousUntil"/>.</summary>
    public string SecretPrevious { get; set; } = "";

    public DateTime? SecretPreviousUntil { get; set; }
    public string? DisabledBecause { get; set; }
    public bool Digest { get; set; }

    /// <summary>Set for a subscriber by role, which has no target of its own: its members are told.</summary>
    public StaffRole? Role { get; set; }

    /// <summary>Of somebody told for a role: the subscriber by role that they belong to.</summary>
    public int? MemberOf { get; set; }

    /// <summary>The subscriber that an operator entered and a roster names.</summary>
    public int Entered => MemberOf ?? Id;

    /// <summary>Set for a person who signed up, one row for each municipality; null for a subscriber that an operator entered, to which nothing below applies.</summary>
    public Guid? Stamp { get; set; }

    /// <summary>The target as it is compared: lower case.</summary>
    public string? TargetKey { get; set; }

    /// <summary>Local minute of the day; null: no quiet hours.</summary>
    public int? QuietFrom { get; set; }
    public int? QuietUntil { get; set; }
    public bool QuietExceptHighest { get; set; }
    public DateTime? PausedUntil { get; set; }
    public List<SubscriptionRow> Subscriptions { get; set; } = [];

    public QuietHours? Quiet
    {
        get => Minutes.ToQuiet(QuietFrom, QuietUntil, QuietExceptHighest);
        set => (QuietFrom, QuietUntil, QuietExceptHighest) = (Minutes.Of(value?.From), Minutes.Of(value?.Until), value?.ExceptHighest ?? false);
    }

    public Subscriber ToSubscriber() => new(Id, Municipality, Channel, Target, Language, Rule, SeverityMin, Secret, DisabledBecause)
    {
        SecretPrevious = SecretPrevious,
        SecretPreviousUntil = SecretPreviousUntil,
        Digest = Digest,
        Role = Role,
        Stamp = Stamp,
    };
}

/// <summary>A wish as stored.</summary>
internal abstract class WishRow
{
    public string? Station { get; set; }
    public double? Latitude { get; set; }
    public double? Longitude { get; set; }
    public double? RadiusMetres { get; set; }
    public string? Property { get; set; }
    public string? Rule { get; set; }
    public Severity SeverityMin { get; set; }

    public Wish Wish
    {
        get => new(Station, Latitude is { } latitude && Longitude is { } longitude && RadiusMetres is { } radius ? new Circle(latitude, longitude, radius) : null, Property, Rule, SeverityMin);
        set
        {
            (Station, Property, Rule, SeverityMin) = (value.Station, value.Property, value.Rule, value.SeverityMin);
            (Latitude, Longitude, RadiusMetres) = (value.Area?.Latitude, value.Area?.Longitude, value.Area?.RadiusMetres);
        }
    }
}

/// <summary>One wish of a person who signed up.</summary>
internal sealed class SubscriptionRow : WishRow
{
    public int Id { get; set; }
    public int SubscriberId { get; set; }
    public Guid Stamp { get; set; }
    public DateTime Since { get; set; }
}

/// <summary>What a request asks for. Stored: never renumber.</summary>
internal enum RequestKind : byte
{
    Confirm = 1,
    Link = 2,
}

/// <summary>What somebody asked for on a page and one mail answers. Deleted when it is confirmed, and when it expires.</summary>
internal sealed class RequestRow : WishRow
{
    public int Id { get; set; }
    public Guid Stamp { get; set; }
    public RequestKind Kind { get; set; }
    public string Municipality { get; set; } = "";
    public string MunicipalityName { get; set; } = "";
    public ChannelKind Channel { get; set; }
    public string Target { get; set; } = "";
    public string TargetKey { get; set; } = "";
    public string Language { get; set; } = "";
    public string Summary { get; set; } = "";
    public int? QuietFrom { get; set; }
    public int? QuietUntil { get; set; }
    public bool QuietExceptHighest { get; set; }
    public DateTime CreatedAt { get; set; }
    public DateTime ExpiresAt { get; set; }

    /// <summary>When the next attempt to answer it is due; null when there is nothing more to send.</summary>
    public DateTime? NextAt { get; set; }
    public int Attempts { get; set; }

    public QuietHours? Quiet
    {
        get => Minutes.ToQuiet(QuietFrom, QuietUntil, QuietExceptHighest);
        set => (QuietFrom, QuietUntil, QuietExceptHighest) = (Minutes.Of(value?.From), Minutes.Of(value?.Until), value?.ExceptHighest ?? false);
    }
}

/// <summary>The key that signs links: one row.</summary>
internal sealed class KeyRow
{
    public const int OnlyId = 1;

    public int Id { get; set; }
    public byte[] Secret { get; set; } = [];
    public DateTime CreatedAt { get; set; }
}

/// <summary>Somebody on a step of a roster, as stored.</summary>
internal sealed class DutyRow
{
    public int Id { get; set; }
    public string Municipality { get; set; } = "";
    public Severity SeverityMin { get; set; }
    public int Step { get; set; }
    public int AfterSeconds { get; set; }
    public int SubscriberId { get; set; }
    public string Schedule { get; set; } = "";
    public int RepeatCount { get; set; }
}

/// <summary>A call about an alarm that nobody has acknowledged yet.</summary>
internal sealed class CallRow
{
    public long Id { get; set; }
    public string Municipality { get; set; } = "";
    public string Alarm { get; set; } = "";

    /// <summary>Key of the message that said it started.</summary>
    public string Key { get; set; } = "";

    /// <summary>The step whose turn is next.</summary>
    public int Step { get; set; }

    /// <summary>Its round: 0 for the first, up to the roster's repetitions.</summary>
    public int Round { get; set; }

    public DateTime BeganAt { get; set; }
    public DateTime DueAt { get; set; }
}

/// <summary>A call that is over.</summary>
internal sealed class PastCallRow
{
    public long Id { get; set; }
    public string Municipality { get; set; } = "";
    public string Alarm { get; set; } = "";

    /// <summary>Key of the message that said it started.</summary>
    public string Key { get; set; } = "";

    /// <summary>Round that was reached.</summary>
    public int Round { get; set; }

    public DateTime BeganAt { get; set; }
    public DateTime EndedAt { get; set; }
    public DutyCallEnd End { get; set; }

    /// <summary>Who acknowledged; empty otherwise.</summary>
    public string By { get; set; } = "";
}

/// <summary>Times of day as they are stored: minutes from midnight.</summary>
internal static class Minutes
{
    public static int? Of(TimeOnly? time) => time is { } at ? (at.Hour * 60) + at.Minute : null;

    public static QuietHours? ToQuiet(int? from, int? until, bool exceptHighest) =>
        from is { } begin && until is { } end ? new QuietHours(TimeOnly.MinValue.AddMinutes(begin), TimeOnly.MinValue.AddMinutes(end), exceptHighest) : null;
}

/// <summary>A message as stored; its key makes queueing idempotent.</summary>
internal sealed class MessageRow
{
    public long Id { get; set; }
    public string Key { get; set; } = "";
    public string Json { get; set; } = "";
    public DateTime CreatedAt { get; set; }
}

/// <summary>One message to one subscriber.</summary>
internal sealed class DeliveryRow
{
    public long Id { get; set; }
    public long MessageId { get; set; }
    public MessageRow? Message { get; set; }
    public int SubscriberId { get; set; }
    public string Key { get; set; } = "";
    public string Alarm { get; set; } = "";
    public string Municipality { get; set; } = "";
    public ChannelKind Channel { get; set; }
    public NotificationKind Kind { get; set; }

    /// <summary>Masked: the log outlives the subscriber.</summary>
    public string TargetMasked { get; set; } = "";

    /// <summary>Deliveries of one subscriber with the same value go out one after the other.</summary>
    public string OrderKey { get; set; } = "";

    public DeliveryState State { get; set; }
    public Severity Severity { get; set; }
    public Gathering Gathering { get; set; }
    public int Attempts { get; set; }
    public DateTime NextAt { get; set; }
    public DateTime CreatedAt { get; set; }
    public DateTime? DeliveredAt { get; set; }
    public string Answer { get; set; } = "";

    /// <summary>What the receiver calls the message, for replies to it; empty when it does not say.</summary>
    public string Receipt { get; set; } = "";

    /// <summary>Which goes first where not all can go at once: 0 for a call by the roster, then by severity, at last what tells of the past.</summary>
    public int Rank { get; set; }

    /// <summary>When the last attempt began, UTC; kept for channels with a limit of their own.</summary>
    public DateTime? AttemptedAt { get; set; }

    /// <summary>Whether an operator had it sent again after it was dead.</summary>
    public bool Resent { get; set; }

    /// <summary>Of a call by the roster: how long nobody had acknowledged the alarm; null otherwise.</summary>
    public int? CalledAfterSeconds { get; set; }

    /// <summary>Rank of a call by the roster.</summary>
    public const int CallRank = 0;

    /// <summary>Rank of what nobody needs at once.</summary>
    public const int RankMax = 4;

    /// <summary>Rank of a message that is no call.</summary>
    public static int RankOf(NotificationKind kind, Severity severity) => kind is NotificationKind.Past or NotificationKind.Digest ? RankMax : RankMax - (int)severity;

    /// <summary>A message to one subscriber.</summary>
    public static DeliveryRow Of(MessageRow stored, AlarmMessage message, SubscriberRow subscriber, DeliveryPlan plan, DateTime now) => new()
    {
        Message = stored,
        SubscriberId = subscriber.Id,
        Key = message.Key,
        Alarm = message.Conversation,
        Municipality = message.Municipality,
        Channel = subscriber.Channel,
        Kind = message.Kind,
        TargetMasked = SubscriberValidation.Mask(subscriber.Channel, subscriber.Target),
        // One topic holds one state: there, alarms of one rule at one station must not overtake each other.
        OrderKey = subscriber.Channel == ChannelKind.Mqtt ? $"{message.Rule}/{message.Station}" : message.Conversation,
        State = DeliveryState.Waiting,
        Severity = message.Severity,
        Gathering = plan.Gathering,
        Rank = RankOf(message.Kind, message.Severity),
        NextAt = plan.NextAt,
        CreatedAt = now,
    };

    public Delivery ToDelivery() => new(
        Id, Key, Municipality, Channel, TargetMasked, Kind, CreatedAt, DeliveredAt, Attempts,
        State switch { DeliveryState.Waiting => "waiting", DeliveryState.Delivered => "delivered", DeliveryState.Suppressed => "suppressed", DeliveryState.Gathered => "gathered", _ => "dead" },
        Answer);
}

/// <summary>A CAP alert as published.</summary>
internal sealed class CapRow
{
    public long Id { get; set; }
    public string Municipality { get; set; } = "";
    public string Station { get; set; } = "";
    public string Alarm { get; set; } = "";
    public string Identifier { get; set; } = "";
    public string Sender { get; set; } = "";
    public DateTime SentAt { get; set; }
    public DateTime? ExpiresAt { get; set; }
    public string TitlePt { get; set; } = "";
    public string TitleEn { get; set; } = "";
    public string SummaryPt { get; set; } = "";
    public string SummaryEn { get; set; } = "";
    public string Xml { get; set; } = "";
}
