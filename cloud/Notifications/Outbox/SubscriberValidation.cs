using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Hub.Cloud.Notifications.Sms;
using Hub.Cloud.Notifications.Telegram;
using Hub.Cloud.Notifications.Webhook;
using Hub.Edge.Contract.Topics;
using MimeKit;

namespace Hub.Cloud.Notifications.Outbox;

/// <summary>What a subscriber must be.</summary>
internal static partial class SubscriberValidation
{
    /// <summary>Refuses a subscriber that breaks a rule, or whose channel is not configured, naming the field and the reason.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule.</exception>
    /// <param name="subscriber">As it is to be saved.</param>
    /// <param name="options">The channels' settings.</param>
    /// <param name="rolesAreKnown">Whether this hub knows who holds a role.</param>
    public static void Check(Subscriber subscriber, NotificationsOptions options, bool rolesAreKnown)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        Require(HubTopic.IsSlug(subscriber.Municipality), nameof(subscriber.Municipality), "must be the slug of a municipality");
        Require(Enum.IsDefined(subscriber.Channel), nameof(subscriber.Channel), "must be Mail, Webhook, Mqtt, Off, Sms or Telegram");
        Require(subscriber.Language is "pt" or "en", nameof(subscriber.Language), "must be 'pt' or 'en'");
        Require(subscriber.Rule is null || HubTopic.IsSlug(subscriber.Rule), nameof(subscriber.Rule), "must be the slug of a rule, or null for all rules");
        Require(Enum.IsDefined(subscriber.SeverityMin), nameof(subscriber.SeverityMin), "must be Information, Warning or Alert");
        Require(subscriber.Target is not null && subscriber.Secret is not null, nameof(subscriber.Target), "and Secret must not be null");
        Require(
            !subscriber.Digest || subscriber.Channel is ChannelKind.Mail or ChannelKind.Sms or ChannelKind.Telegram, nameof(subscriber.Digest), "must be false for a channel other than Mail, Sms and Telegram");
        if (subscriber.Role is { } role)
        {
            Require(Enum.IsDefined(role), nameof(subscriber.Role), "must be Viewer, Operator or Administrator");
            Require(rolesAreKnown, nameof(subscriber.Role), "cannot be told here: this hub does not know who holds a role");
            Require(subscriber.Channel == ChannelKind.Mail, nameof(subscriber.Channel), "must be Mail for a role: mail addresses are what the hub knows of people");
            Require(subscriber.Target!.Length == 0, nameof(subscriber.Target), "must be empty for a role: the mails go to whoever holds it");
            return;
        }

        switch (subscriber.Channel)
        {
            case ChannelKind.Mail:
                Require(IsMailAddress(subscriber.Target!), nameof(subscriber.Target), "must be one mail address of at most 254 characters");
                break;
            case ChannelKind.Webhook:
                CheckAddress(subscriber.Target!, options.Webhook.AllowPrivateTargets);
                Require(
                    subscriber.Secret!.Length == 0 || WebhookSignature.TryReadSecret(subscriber.Secret, out _), nameof(subscriber.Secret),
                    "must be 'whsec_' and the base64 form of 24 to 64 bytes, or empty to have one made");
                break;
            case ChannelKind.Sms:
                Require(options.Sms.IsConfigured, nameof(subscriber.Channel), $"Sms is not configured: set {NotificationsOptions.Section}:Sms:{nameof(SmsOptions.Url)} first");
                Require(Telephone().IsMatch(subscriber.Target!), nameof(subscriber.Target), "must be a telephone number in E.164 form: a plus sign and 7 to 15 digits with the country's code, such as +351912345678");
                break;
            case ChannelKind.Telegram:
                Require(options.Telegram.IsConfigured, nameof(subscriber.Channel), $"Telegram is not configured: set {NotificationsOptions.Section}:Telegram:{nameof(TelegramOptions.Token)} first");
                Require(Chat().IsMatch(subscriber.Target!), nameof(subscriber.Target), "must be the number of a Telegram chat, or the name of a channel such as @cidade_alarmes");
                break;
            default:
                Require(subscriber.Target!.Length == 0, nameof(subscriber.Target), "must be empty for this channel");
                break;
        }
    }

    /// <summary>A new signing secret: 256 random bits.</summary>
    public static string NewSecret() => WebhookSignature.SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>The target as the delivery log shows it.</summary>
    public static string Mask(ChannelKind channel, string target)
    {
        switch (channel)
        {
            case ChannelKind.Mail:
                var at = target.LastIndexOf('@');
                return at > 0 ? $"{target[0]}***{target[at..]}" : "***";
            case ChannelKind.Webhook:
                return Uri.TryCreate(target, UriKind.Absolute, out var url) ? $"{url.Scheme}://{url.Authority}/***" : "***";
            case ChannelKind.Sms:
                return target.Length > 6 ? $"{target[..4]}***{target[^2..]}" : "***";
            case ChannelKind.Telegram:
                return target.Length > 4 ? $"***{target[^3..]}" : "***";
            default:
                return "";
        }
    }

    /// <summary>Whether a text is one mail address that mails can go to.</summary>
    public static bool IsMailAddress(string target) =>
        target.Length is > 2 and <= 254 && !target.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is '<' or '>' or ',')
        && MailboxAddress.TryParse(target, out var parsed) && parsed.Address == target && target.LastIndexOf('@') > 0;

    private static void CheckAddress(string target, bool allowPrivateTargets)
    {
        Require(
            target.Length <= 2000 && Uri.TryCreate(target, UriKind.Absolute, out var url) && url.Scheme is "http" or "https",
            nameof(Subscriber.Target), "must be an http or https address of at most 2000 characters");
        var address = new Uri(target);
        Require(address.UserInfo.Length == 0, nameof(Subscriber.Target), "must not carry a user name or password");
        if (allowPrivateTargets)
        {
            return;
        }

        Require(address.Scheme == "https", nameof(Subscriber.Target), "must be an https address (Hub:Notifications:Webhook:AllowPrivateTargets allows http)");
        Require(
            !address.IsLoopback && !(IPAddress.TryParse(address.IdnHost.Trim('[', ']'), out var literal) && PrivateAddresses.Contains(literal)), nameof(Subscriber.Target),
            "must not be a private or loopback address (Hub:Notifications:Webhook:AllowPrivateTargets allows it)");
    }

    private static void Require(bool holds, string field, string reason)
    {
        if (!holds)
        {
            throw new ArgumentException($"{field} {reason}.", field);
        }
    }

    // E.164: at most 15 digits; no country's code begins with 0.
    [GeneratedRegex(@"^\+[1-9][0-9]{6,14}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Telephone();

    // Groups have negative numbers; none has more than 52 significant bits.
    [GeneratedRegex(@"^(-?[1-9][0-9]{0,15}|@[A-Za-z][A-Za-z0-9_]{3,31})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Chat();
}
