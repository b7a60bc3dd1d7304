using System.Security.Cryptography;
using System.Text;
using Hub.Cloud.Notifications.Outbox;
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
    public static MimeMessage Compose(Outgoing outgoing, NotificationsOptions options, DateTimeOffset now, string? acknowledgeUrl = null)
    {
        var (message, subscriber) = (outgoing.Message, outgoing.Subscriber);
        var from = MailboxAddress.Parse(options.Mail.From);
        var (subject, text, html) = MailText.Write(message, subscriber.Language, options.StationLink(message), acknowledgeUrl);
        var mail = new MimeMessage
        {
            MessageId = IdOf(outgoing.Message.Key, subscriber.Id, from),
            Date = now,
            Subject = subject,
            Body = new BodyBuilder { TextBody = text, HtmlBody = html }.ToMessageBody(),
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
        mail.Headers.Add("X-Hub-Alarm", message.Alarm);
        if (message is { Kind: NotificationKind.Started, Severity: Severity.Alert })
        {
            mail.Importance = MessageImportance.High;
        }

        return mail;
    }

    /// <summary>Message-ID: a function of key and subscriber, so that a repeated mail is known as the same one.</summary>
    public static string IdOf(string key, int subscriber, MailboxAddress from) => $"{HashOf(key, subscriber)}@{from.Domain}";

    /// <summary>32 hexadecimal digits that stand for one message to one subscriber.</summary>
    public static string HashOf(string key, int subscriber) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{subscriber.ToString(System.Globalization.CultureInfo.InvariantCulture)}\n{key}")).AsSpan(0, 16));
}
