using Hub.Cloud.Notifications.Mail;
using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.SignUp;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Sms;

/// <summary>SMS about alarms. To somebody who signed up each carries the link that ends them.</summary>
internal sealed class SmsChannel(SmsGateway gateway, SignUpKey keys, IOptions<NotificationsOptions> options) : INotificationChannel
{
    public ChannelKind Kind => ChannelKind.Sms;

    public async Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        var (subscriber, unaccented) = (outgoing.Subscriber, options.Value.Sms.Unaccented);
        var stop = subscriber.Stamp is { } stamp
            ? MailLinks.Of(await keys.GetAsync(cancellationToken).ConfigureAwait(false), stamp, outgoing.CreatedAt, options.Value).Unsubscribe
            : null;
        var text = outgoing.Digest is { } digest
            ? SmsText.Digest(digest, subscriber.Language, unaccented, stop)
            : SmsText.Write(outgoing.Message, subscriber.Language, unaccented, stop);
        return await gateway.SendAsync(subscriber.Target, text, MailComposer.HashOf(outgoing.Message.Key, subscriber.Id), cancellationToken).ConfigureAwait(false);
    }
}
