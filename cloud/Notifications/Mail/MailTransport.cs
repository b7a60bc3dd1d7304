using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hub.Cloud.Notifications.Outbox;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.Extensions.Options;
using MimeKit;

namespace Hub.Cloud.Notifications.Mail;

/// <summary>The way of every mail: to the mail server when one is configured, otherwise as .eml files to a folder where any program may pick them up. Called concurrently.</summary>
internal sealed class MailTransport(TimeProvider time, IOptions<NotificationsOptions> options)
{
    /// <summary>Makes one attempt. Failures are answers, not exceptions.</summary>
    /// <param name="mail">The mail.</param>
    /// <param name="name">Name of its file where there is no server: the same for every attempt at the same mail.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Attempt> SendAsync(MimeMessage mail, string name, CancellationToken cancellationToken) => options.Value.Mail.Smtp.Host.Length == 0
        ? await PickUpAsync(mail, name, cancellationToken).ConfigureAwait(false)
        : await SubmitAsync(mail, cancellationToken).ConfigureAwait(false);

    /// <summary>Writes the file beside its place, flushes it to disk and renames it: a reader sees all of it or nothing, and a repeated attempt the same file.</summary>
    private async Task<Attempt> PickUpAsync(MimeMessage mail, string name, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(options.Value.DataFolder, "mail");
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
            if (smtp.CertificateAuthorityFile.Length > 0)
            {
                TrustOnly(client, smtp.CertificateAuthorityFile);
            }

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
        catch (SmtpCommandException refused) when (IsForGood(refused))
        {
            return new Attempt(AttemptOutcome.GiveUp, $"{(int)refused.StatusCode} {refused.Message}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Attempt(AttemptOutcome.Retry, $"No answer within {smtp.Timeout:c}.");
        }
        catch (SmtpCommandException refused)
        {
            return new Attempt(AttemptOutcome.Retry, $"{(int)refused.StatusCode} {refused.Message}");
        }
        catch (AuthenticationException refused)
        {
            // Nobody's fault but the operator's: no subscriber loses a message to a password that is corrected within days.
            return new Attempt(AttemptOutcome.Retry, $"The mail server refused the login of {NotificationsOptions.Section}:Mail:Smtp:User '{smtp.User}': {refused.Message}");
        }
        catch (SslHandshakeException exception)
        {
            return new Attempt(
                AttemptOutcome.Retry,
                $"The certificate of {smtp.Host} is not accepted: see {NotificationsOptions.Section}:Mail:Smtp:CertificateAuthorityFile. {string.Join(' ', exception.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))}");
        }
        catch (Exception exception) when (exception is SmtpProtocolException or ServiceNotConnectedException or ServiceNotAuthenticatedException
            or NotSupportedException or SocketException or IOException or UnauthorizedAccessException or CryptographicException)
        {
            return new Attempt(AttemptOutcome.Retry, exception.Message);
        }
    }

    /// <summary>
    /// Whether the server will never take this mail for this recipient. What it refuses for reasons of who we are (53x: login wanted; 5.7.x: relaying or policy) is the
    /// operator's to put right, and would otherwise lose the messages to everybody meanwhile.
    /// </summary>
    private static bool IsForGood(SmtpCommandException refused) =>
        (int)refused.StatusCode is >= 500 and not (>= 530 and <= 539)
        && refused.ErrorCode is (SmtpErrorCode.RecipientNotAccepted or SmtpErrorCode.MessageNotAccepted)
        && !refused.Message.StartsWith("5.7.", StringComparison.Ordinal);

    /// <summary>Believes the authorities in the file and no others. They rarely publish revocation lists, and one that cannot be asked would keep every mail back.</summary>
    private static void TrustOnly(SmtpClient client, string file)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        if (authorities.Count == 0)
        {
            throw new IOException($"{NotificationsOptions.Section}:Mail:Smtp:CertificateAuthorityFile '{file}' holds no certificate: give the authority's in PEM form.");
        }

        client.CheckCertificateRevocation = false;
        client.ServerCertificateValidationCallback = (_, certificate, sent, errors) =>
        {
            if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
            {
                return false;
            }

            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            foreach (var element in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
            {
                chain.ChainPolicy.ExtraStore.Add(element.Certificate);
            }

            using var own = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
            return chain.Build(own);
        };
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
