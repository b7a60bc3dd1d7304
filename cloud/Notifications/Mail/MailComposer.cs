using System.Security.Cryptography;
using System.Text;
using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.SignUp;
using MimeKit;

namespace Hub.Cloud.Notifications.Mail;

/// <summary>Makes the whole mail: text and HTML, and the headers that keep the messages about one alarm in one thread. Pure, but for the MIME boundary.</summary>
internal static class MailComposer
{
    /// <summary>Makes the mail.</summary>
    /// <param name="outgoing">What to say, to whom.</param>
    /// <param name="options">Sender and link.</param>
    /// <param name="now">Time of this attempt.</param>
    /// <param name="acknowledgeUrl">Link by which the receiver acknowledges the alarm; null for none.</param>
    /// <param name="links">Links of somebody who signed up; null for a subscriber that an operator entered.</param>
    /// <param name="picture">How the value went; null for none.</param>
    public static MimeMessage Compose(
        Outgoing outgoing, NotificationsOptions options, DateTimeOffset now, string? acknowledgeUrl = null, MailLinks? links = null, AlarmPicture? picture = null)
    {
        var (message, subscriber) = (outgoing.Message, outgoing.Subscriber);
        var from = MailboxAddress.Parse(options.Mail.From);
        var (subject, text, html) = outgoing.Digest is { } digest
            ? DigestText.Write(digest, subscriber.Language, options.StationLink, links)
            : MailText.Write(message, subscriber.Language, options.StationLink(message), acknowledgeUrl, links, picture);
        var body = new BodyBuilder { TextBody = text, HtmlBody = html };
        if (picture is not null)
        {
            var part = body.LinkedResources.Add("course.png", picture.Png, new ContentType("image", "png"));
            part.ContentId = MailText.PictureId;
            part.ContentDisposition = new ContentDisposition(ContentDisposition.Inline) { FileName = "course.png" };
        }

        var mail = new MimeMessage
        {
            MessageId = IdOf(outgoing.Message.Key, subscriber.Id, from),
            Date = now,
            Subject = subject,
            Body = body.ToMessageBody(),
        };
        mail.From.Add(from);
        mail.To.Add(new MailboxAddress("", subscriber.Target));
        foreach (var earlier in outgoing.EarlierKeys)
        {
            mail.References.Add(IdOf(earlier, subscriber.Id, from));
        }

        if (mail.References.Count > 0)
        {
            mail.InReplyTo = mail.References[^1];
        }

        mail.Headers.Add(HeaderId.AutoSubmitted, "auto-generated");
        mail.Headers.Add(HeaderId.ContentLanguage, subscriber.Language == "pt" ? "pt-PT" : "en");
        if (outgoing.Digest is null)
        {
            mail.Headers.Add("X-Hub-Alarm", message.Alarm);
        }

        if (outgoing.Digest is null && message is { Kind: NotificationKind.Started, Severity: Severity.Alert })
        {
            mail.Importance = MessageImportance.High;
        }

        if (links is not null)
        {
            AddUnsubscribe(mail, links.Unsubscribe);
        }

        return mail;
    }

    /// <summary>Makes a mail that answers a request of somebody who signs up.</summary>
    /// <param name="stamp">Of the request: names the mail.</param>
    /// <param name="target">To whom.</param>
    /// <param name="language"><c>pt</c> or <c>en</c>.</param>
    /// <param name="words">Subject and body.</param>
    /// <param name="options">Sender.</param>
    /// <param name="now">Time of this attempt.</param>
    public static MimeMessage Letter(Guid stamp, string target, string language, (string Subject, string Text, string Html) words, NotificationsOptions options, DateTimeOffset now)
    {
        var from = MailboxAddress.Parse(options.Mail.From);
        var mail = new MimeMessage
        {
            MessageId = $"{stamp:N}@{from.Domain}",
            Date = now,
            Subject = words.Subject,
            Body = new BodyBuilder { TextBody = words.Text, HtmlBody = words.Html }.ToMessageBody(),
        };
        mail.From.Add(from);
        mail.To.Add(new MailboxAddress("", target));
        mail.Headers.Add(HeaderId.AutoSubmitted, "auto-generated");
        mail.Headers.Add(HeaderId.ContentLanguage, language == "pt" ? "pt-PT" : "en");
        return mail;
    }

    /// <summary>
    /// RFC 2369 and RFC 8058. The header stays on one physical line, for folding it has broken signatures (DKIM); one click is promised over https only, as the RFC demands.
    /// </summary>
    private static void AddUnsubscribe(MimeMessage mail, string address)
    {
        var header = new Header(HeaderId.ListUnsubscribe, "");
        header.SetRawValue(Encoding.ASCII.GetBytes($" <{address}>\r\n"));
        mail.Headers.Add(header);
        if (address.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            mail.Headers.Add(HeaderId.ListUnsubscribePost, "List-Unsubscribe=One-Click");
        }
    }

    /// <summary>Message-ID: a function of key and subscriber, so that a repeated mail is known as the same one.</summary>
    public static string IdOf(string key, int subscriber, MailboxAddress from) => $"{HashOf(key, subscriber)}@{from.Domain}";

    /// <summary>32 hexadecimal digits that stand for one message to one subscriber.</summary>
    public static string HashOf(string key, int subscriber) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{subscriber.ToString(System.Globalization.CultureInfo.InvariantCulture)}\n{key}")).AsSpan(0, 16));
}
