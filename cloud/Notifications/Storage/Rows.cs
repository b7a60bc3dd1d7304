namespace Hub.Cloud.Notifications.Storage;

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

    public Subscriber ToSubscriber() => new(Id, Municipality, Channel, Target, Language, Rule, SeverityMin, Secret, DisabledBecause)
    {
        SecretPrevious = SecretPrevious,
        SecretPreviousUntil = SecretPreviousUntil,
    };
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
    public int Attempts { get; set; }
    public DateTime NextAt { get; set; }
    public DateTime CreatedAt { get; set; }
    public DateTime? DeliveredAt { get; set; }
    public string Answer { get; set; } = "";

    /// <summary>What the receiver calls the message, for replies to it; empty when it does not say.</summary>
    public string Receipt { get; set; } = "";

    public Delivery ToDelivery() => new(
        Id, Key, Municipality, Channel, TargetMasked, Kind, CreatedAt, DeliveredAt, Attempts,
        State switch { DeliveryState.Waiting => "waiting", DeliveryState.Delivered => "delivered", DeliveryState.Suppressed => "suppressed", _ => "dead" },
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
