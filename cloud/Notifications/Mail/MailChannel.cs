using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.SignUp;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Mail;

/// <summary>E-mail about alarms.</summary>
internal sealed class MailChannel(MailTransport transport, SignUpKey keys, TimeProvider time, IOptions<NotificationsOptions> options, IEnumerable<IAcknowledgeLinks> acknowledging) : INotificationChannel
{
    public ChannelKind Kind => ChannelKind.Mail;

    public async Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        var links = outgoing.Subscriber.Stamp is { } stamp
            ? MailLinks.Of(await keys.GetAsync(cancellationToken).ConfigureAwait(false), stamp, outgoing.CreatedAt, options.Value)
            : null;
        var acknowledge = links is null ? await AcknowledgeUrlAsync(outgoing, cancellationToken).ConfigureAwait(false) : null;
        using var mail = MailComposer.Compose(outgoing, options.Value, time.GetUtcNow(), acknowledge, links);
        return await transport.SendAsync(mail, MailComposer.HashOf(outgoing.Message.Key, outgoing.Subscriber.Id) + ".eml", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Link to acknowledge what has just begun; null when there is none for this subscriber.</summary>
    private async ValueTask<string?> AcknowledgeUrlAsync(Outgoing outgoing, CancellationToken cancellationToken) =>
        outgoing is { Digest: null, Message.Kind: NotificationKind.Started } && options.Value.PublicUrl.Length > 0 && acknowledging.LastOrDefault() is { } maker
        && await maker.ForAsync(outgoing.Message, outgoing.Subscriber.Target, cancellationToken).ConfigureAwait(false) is { } address
            ? options.Value.PublicUrl.TrimEnd('/') + address
            : null;
}
