namespace Hub.Cloud.Notifications.Outbox;

/// <summary>One message on its way to one subscriber.</summary>
/// <param name="Message">What to say.</param>
/// <param name="Subscriber">To whom.</param>
/// <param name="CreatedAt">When the message was queued, UTC; the same for every attempt.</param>
/// <param name="EarlierKeys">Keys of the messages about the same alarm that went to this subscriber before, oldest first.</param>
internal sealed record Outgoing(AlarmMessage Message, Subscriber Subscriber, DateTime CreatedAt, IReadOnlyList<string> EarlierKeys)
{
    /// <summary>Of the same messages, what the receiver called them, where it said so; oldest first.</summary>
    public IReadOnlyList<string> EarlierReceipts { get; init; } = [];

    /// <summary>Several alarms to tell in one message, of which <see cref="Message"/> only names the key; null for a message about one. Of channels that people read only: mail, SMS, Telegram.</summary>
    public DigestContent? Digest { get; init; }
}

/// <summary>What a digest holds. Stored: fields are added, never changed.</summary>
/// <param name="Messages">For each alarm its latest message, in the order the alarms began; at most <see cref="MessageCountMax"/>.</param>
/// <param name="AlarmCount">Alarms there were.</param>
internal sealed record DigestContent(IReadOnlyList<AlarmMessage> Messages, int AlarmCount)
{
    /// <summary>Most alarms named in one digest; beyond them it only says how many there were.</summary>
    public const int MessageCountMax = 100;
}

/// <summary>What the caller does next.</summary>
internal enum AttemptOutcome
{
    /// <summary>The receiver has it.</summary>
    Delivered,

    /// <summary>Swallowed on purpose.</summary>
    Suppressed,

    /// <summary>Try again later.</summary>
    Retry,

    /// <summary>Give this message up.</summary>
    GiveUp,

    /// <summary>Give the subscriber up: the receiver says that it is gone.</summary>
    Disable,
}

/// <summary>Outcome of one attempt.</summary>
/// <param name="Outcome">What the caller does next.</param>
/// <param name="Answer">The receiver's answer or the error, for the delivery log.</param>
/// <param name="RetryAfter">Earliest time for the next attempt, as the receiver asked for; null when it did not.</param>
internal sealed record Attempt(AttemptOutcome Outcome, string Answer, TimeSpan? RetryAfter = null)
{
    /// <summary>What the receiver calls the message, so that later ones can refer to it; empty when it does not say.</summary>
    public string Receipt { get; init; } = "";
}

/// <summary>A way to reach subscribers. Called concurrently, for one subscriber one message at a time.</summary>
internal interface INotificationChannel
{
    /// <summary>Which one it is.</summary>
    ChannelKind Kind { get; }

    /// <summary>Makes one attempt. Failures to deliver are answers, not exceptions; repeated with the same message after a crash.</summary>
    Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken);
}
