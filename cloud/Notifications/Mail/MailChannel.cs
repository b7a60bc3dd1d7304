using System.Net.Sockets;
using Hub.Cloud.Notifications.Outbox;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.Extensions.Options;
using MimeKit;

namespace Hub.Cloud.Notifications.Mail;

/// <summary>E-mail: to the mail server when one is configured, otherwise as .eml files to a folder where any program may pick them up.</summary>
internal sealed class MailChannel(TimeProvider time, IOptions<NotificationsOptions> options) : INotificationChannel
{
    public ChannelKind Kind => ChannelKind.Mail;

    public async Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        using var mail = MailComposer.Compose(outgoing, options.Value, time.GetUtcNow());
        return options.Value.Mail.Smtp.Host.Length == 0
            ? await PickUpAsync(outgoing, mail, cancellationToken).ConfigureAwait(false)
            : await SubmitAsync(mail, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the file beside its place, flushes it to disk and renames it: a reader sees all of it or nothing, and a repeated attempt the same file.</summary>
    private async Task<Attempt> PickUpAsync(Outgoing outgoing, MimeMessage mail, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(options.Value.DataFolder, "mail");
        var name = MailComposer.HashOf(outgoing.Message.Key, outgoing.Subscriber.Id) + ".eml";
        try
        {
            Directory.CreateDirectory(folder);
            var partial = Path.Combine(folder, name + ".part");
            await using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                await mail.WriteToAsync(stream, cancellationToken).ConfigureAwait(false);
                await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
                stream.Flush(flushToDisk: true);
            }

            File.Move(partial, Path.Combine(folder, name), overwrite: true);
            return new Attempt(AttemptOutcome.Delivered, $"written to mail/{name}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new Attempt(AttemptOutcome.Retry, exception.Message);
        }
    }

    private async Task<Attempt> SubmitAsync(MimeMessage mail, CancellationToken cancellationToken)
    {
        var smtp = options.Value.Mail.Smtp;
        using var timeout = new CancellationTokenSource(smtp.Timeout, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        using var client = new SmtpClient();
        try
        {
            var security = smtp.Security switch { SmtpSecurity.None => SecureSocketOptions.None, SmtpSecurity.Tls => SecureSocketOptions.SslOnConnect, _ => SecureSocketOptions.StartTls };
            await client.ConnectAsync(smtp.Host, smtp.Port, security, over.Token).ConfigureAwait(false);
            if (smtp.User.Length > 0)
            {
                await client.AuthenticateAsync(smtp.User, smtp.Password, over.Token).ConfigureAwait(false);
            }

            var answer = await client.SendAsync(mail, over.Token).ConfigureAwait(false);
            await GoodbyeAsync(client, over.Token).ConfigureAwait(false);
            return new Attempt(AttemptOutcome.Delivered, answer);
        }
        catch (SmtpCommandException refused) when ((int)refused.StatusCode >= 500 && refused.ErrorCode is SmtpErrorCode.RecipientNotAccepted or SmtpErrorCode.MessageNotAccepted)
        {
            return new Attempt(AttemptOutcome.GiveUp, $"{(int)refused.StatusCode} {refused.Message}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Attempt(AttemptOutcome.Retry, $"No answer within {smtp.Timeout:c}.");
        }
        catch (Exception exception) when (exception is SmtpCommandException or SmtpProtocolException or ServiceNotConnectedException or AuthenticationException or SslHandshakeException
            or NotSupportedException or SocketException or IOException)
        {
            return new Attempt(AttemptOutcome.Retry, exception.Message);
        }
    }

    /// <summary>The server has taken the message: a failure to say goodbye must not send it again.</summary>
    private static async Task GoodbyeAsync(SmtpClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.DisconnectAsync(quit: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is SmtpCommandException or SmtpProtocolException or SocketException or IOException or OperationCanceledException)
        {
        }
    }
}
