using Hub.Cloud.Notifications.Outbox;

namespace Hub.Cloud.Notifications.Mqtt;

/// <summary>Publishes alarms on the municipality's alarm topic, through the broker of the Ingest stage.</summary>
internal sealed class MqttChannel(IAlarmTopic topic) : INotificationChannel
{
    public ChannelKind Kind => ChannelKind.Mqtt;

    public async Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        try
        {
            await topic.PublishAsync(outgoing.Message, AlarmJson.State(outgoing.Message), cancellationToken).ConfigureAwait(false);
            return new Attempt(AttemptOutcome.Delivered, "published");
        }
#pragma warning disable CA1031 // Whatever keeps the broker from taking it, it is tried again.
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            return new Attempt(AttemptOutcome.Retry, exception.Message);
        }
    }
}
