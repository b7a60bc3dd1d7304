namespace Hub.Cloud.Notifications.Storage;

/// <summary>Where a delivery stands. Stored: never renumber.</summary>
internal enum DeliveryState : byte
{
    Waiting = 0,
    Delivered = 1,
    Suppressed = 2,
    Dead = 3,
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
    public string? DisabledBecause { get; set; }

    public Subscriber ToSubscriber() => new(Id, Municipality, Channel, Target, Language, Rule, SeverityMin, Secret, DisabledBecause);
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

    public Delivery ToDelivery() => new(
        Id, Key, Municipality, Channel, TargetMasked, Kind, CreatedAt, DeliveredAt, Attempts,
        State switch { DeliveryState.Waiting => "waiting", DeliveryState.Delivered => "delivered", DeliveryState.Suppressed => "suppressed", _ => "dead" },
        Answer);
}
