using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.SignUp;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Mail;

/// <summary>E-mail about alarms.</summary>
internal sealed partial class MailChannel(
    MailTransport transport,
    SignUpKey keys,
    TimeProvider time,
    IOptions<NotificationsOptions> options,
    IEnumerable<IAcknowledgeLinks> acknowledging,
    IEnumerable<IAlarmCourses> courses,
    ILogger<MailChannel> logger) : INotificationChannel
{
    private static readonly TimeSpan PictureTimeout = TimeSpan.FromSeconds(5);

    public ChannelKind Kind => ChannelKind.Mail;

    public async Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        var links = outgoing.Subscriber.Stamp is { } stamp
            ? MailLinks.Of(await keys.GetAsync(cancellationToken).ConfigureAwait(false), stamp, outgoing.CreatedAt, options.Value)
            : null;
        var acknowledge = links is null ? await AcknowledgeUrlAsync(outgoing, cancellationToken).ConfigureAwait(false) : null;
        var picture = await PictureAsync(outgoing, cancellationToken).ConfigureAwait(false);
        using var mail = MailComposer.Compose(outgoing, options.Value, time.GetUtcNow(), acknowledge, links, picture);
        return await transport.SendAsync(mail, MailComposer.HashOf(outgoing.Message.Key, outgoing.Subscriber.Id) + ".eml", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>How the value went; null when nobody knows, or the alarm never was. A mail does not wait for its picture: without one it says all it has to.</summary>
    private async ValueTask<AlarmPicture?> PictureAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        var message = outgoing.Message;
        if (outgoing.Digest is not null || message.Withdrawn || message.Datastream == 0 || courses.LastOrDefault() is not { } source)
        {
            return null;
        }

        var (from, to) = AlarmPicture.StretchOf(message, outgoing.CreatedAt);
        using var timeout = new CancellationTokenSource(PictureTimeout, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await source.OfAsync(message, from, to, over.Token).ConfigureAwait(false) is { } course ? AlarmPicture.Draw(course, message, AlarmWords.ZoneOf(message)) : null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // Whatever it is (store away, busy): the alarm is told.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            PictureMissing(logger, exception, message.Key);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mail about {Key} goes out without its picture.")]
    private static partial void PictureMissing(ILogger logger, Exception exception, string key);

    /// <summary>Link to acknowledge what has just begun; null when there is none for this subscriber.</summary>
    private async ValueTask<string?> AcknowledgeUrlAsync(Outgoing outgoing, CancellationToken cancellationToken) =>
        outgoing is { Digest: null, Message.Kind: NotificationKind.Started } && options.Value.PublicUrl.Length > 0 && acknowledging.LastOrDefault() is { } maker
        && await maker.ForAsync(outgoing.Message, outgoing.Subscriber.Target, cancellationToken).ConfigureAwait(false) is { } address
            ? options.Value.PublicUrl.TrimEnd('/') + address
            : null;
}
