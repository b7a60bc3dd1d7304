using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.SignUp;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Mail;

/// <summary>E-mail about alarms.</summary>
internal sealed class MailChannel(MailTransport transport, SignUpKey keys, TimeProvider time, IOptions<NotificationsOptions> options) : INotificationChannel
{
    public ChannelKind Kind => ChannelKind.Mail;

    public async Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        var links = outgoing.Subscriber.Stamp is { } stamp
            ? MailLinks.Of(await keys.GetAsync(cancellationToken).ConfigureAwait(false), stamp, outgoing.CreatedAt, options.Value)
            : null;
        using var mail = MailComposer.Compose(outgoing, options.Value, time.GetUtcNow(), links);
        return await transport.SendAsync(mail, MailComposer.HashOf(outgoing.Message.Key, outgoing.Subscriber.Id) + ".eml", cancellationToken).ConfigureAwait(false);
    }
}
