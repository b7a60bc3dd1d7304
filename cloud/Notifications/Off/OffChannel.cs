using Hub.Cloud.Notifications.Outbox;

namespace Hub.Cloud.Notifications.Off;

/// <summary>The channel that is off: swallows everything, and says so.</summary>
internal sealed class OffChannel : INotificationChannel
{
    public ChannelKind Kind => ChannelKind.Off;

    public Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken) => Task.FromResult(new Attempt(AttemptOutcome.Suppressed, "The channel is off."));
}
