using System.Diagnostics.Metrics;

namespace Hub.Cloud.Notifications;

/// <summary>Counters of the Notifications stage, meter <c>Hub.Cloud.Notifications</c>: deliveries queued, those sent again included = delivered + suppressed + dead + gathered + removed + waiting.</summary>
internal sealed class NotificationsInstruments : IDisposable
{
    private readonly Meter meter;
    private readonly Counter<long> messages;
    private readonly Counter<long> duplicates;
    private readonly Counter<long> queued;
    private readonly Counter<long> attempts;
    private readonly Counter<long> finished;
    private readonly Counter<long> failures;
    private readonly Counter<long> signUps;

    public NotificationsInstruments(IMeterFactory? factory = null)
    {
        meter = factory?.Create("Hub.Cloud.Notifications") ?? new Meter("Hub.Cloud.Notifications");
        messages = meter.CreateCounter<long>("hub.notifications.messages", "{message}", "Messages taken.");
        duplicates = meter.CreateCounter<long>("hub.notifications.duplicates", "{message}", "Messages whose key had been taken before.");
        queued = meter.CreateCounter<long>("hub.notifications.queued", "{delivery}", "Deliveries queued, by channel.");
        attempts = meter.CreateCounter<long>("hub.notifications.attempts", "{attempt}", "Attempts, by channel and outcome.");
        finished = meter.CreateCounter<long>("hub.notifications.finished", "{delivery}", "Deliveries that ended, by channel and state: delivered, suppressed, dead, gathered or removed.");
        failures = meter.CreateCounter<long>("hub.notifications.failures", "{pass}", "Passes of a channel's worker that failed and are tried again.");
        signUps = meter.CreateCounter<long>("hub.notifications.sign_ups", "{event}", "People who sign up: requested, limited (enough mails to that address), busy, confirmed, expired, unsubscribed, forgotten.");
    }

    public void Taken() => messages.Add(1);

    public void Duplicate() => duplicates.Add(1);

    public void Queued(ChannelKind channel) => queued.Add(1, Of(channel));

    public void Attempted(ChannelKind channel, string outcome) => attempts.Add(1, Of(channel), new KeyValuePair<string, object?>("outcome", outcome));

    public void Finished(ChannelKind channel, string state, int count = 1) => finished.Add(count, Of(channel), new KeyValuePair<string, object?>("state", state));

    public void Failed(ChannelKind channel) => failures.Add(1, Of(channel));

    public void SignedUp(string what, int count = 1) => signUps.Add(count, new KeyValuePair<string, object?>("what", what));

    public void Dispose() => meter.Dispose();

    private static KeyValuePair<string, object?> Of(ChannelKind channel) => new("channel", channel.ToString());
}
