using System.Globalization;
using System.Net;
using Hub.Cloud.Notifications.Cap;
using Hub.Cloud.Notifications.Sms;
using Hub.Cloud.Notifications.Telegram;
using MimeKit;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications;

/// <summary>How the connection to the mail server is protected.</summary>
public enum SmtpSecurity
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>STARTTLS, required.</summary>
    StartTls,

    /// <summary>TLS from the first byte.</summary>
    Tls,
}

/// <summary>Settings of the Notifications stage, under <c>Hub:Notifications</c>. Read at start; immutable afterwards.</summary>
public sealed class NotificationsOptions
{
    /// <summary>Section of the configuration.</summary>
    public const string Section = "Hub:Notifications";

    /// <summary>
    /// Waiting times before the second, third, ... attempt; up to a tenth is added at random. After the last one a delivery is given up. Empty (default): 5 s, 5 min, 30 min, 2, 5, 10, 14, 20
    /// and 24 h, the schedule of Standard Webhooks. At most 20 entries of at most 24 hours.
    /// </summary>
    public IList<TimeSpan> RetryDelays { get; } = [];

    /// <summary>Deliveries under way at the same time for each channel, at most one of them for each subscriber. 1 to 64; default 8.</summary>
    public int ConcurrencyPerChannel { get; set; } = 8;

    /// <summary>Most subscribers of one municipality. 1 to 100,000; default 10,000. Past it, a new one is refused.</summary>
    public int SubscriberCountMax { get; set; } = 10_000;

    /// <summary>How long the delivery log and the idempotency keys are kept, 40 to 3,650 days; default 400. Longer than the evaluation horizon of alarms, so that nothing old is sent again.</summary>
    public TimeSpan LogKeep { get; set; } = TimeSpan.FromDays(400);

    /// <summary>
    /// Messages to one person in an hour, 1 to 1,000; default 10. Past it they are gathered into one mail that is sent when the hour is over. Alarms of the highest severity are counted by themselves, so that many
    /// small ones do not hold a serious one back. For people who signed up, and subscribers with a digest.
    /// </summary>
    public int MessagesPerHourMax { get; set; } = 10;

    /// <summary>
    /// How often what is gathered goes out as a digest, at the whole multiples of it from midnight by the clock of the municipality: 1 h (default) is at every full hour. 5 seconds to 24 hours, a time that divides a day
    /// into whole parts. Messages of a person are counted by the hour whatever it is.
    /// </summary>
    public TimeSpan DigestEvery { get; set; } = TimeSpan.FromHours(1);

    /// <summary>People who sign up themselves.</summary>
    public SignUpOptions SignUp { get; } = new();

    /// <summary>Webhooks.</summary>
    public WebhookOptions Webhook { get; } = new();

    /// <summary>E-mail.</summary>
    public MailOptions Mail { get; } = new();

    /// <summary>SMS.</summary>
    public SmsOptions Sms { get; } = new();

    /// <summary>Telegram.</summary>
    public TelegramOptions Telegram { get; } = new();

    /// <summary>Public alerts.</summary>
    public CapOptions Cap { get; } = new();

    /// <summary>Where people reach the hub's pages, from <c>Hub:PublicUrl</c>; empty when not set: messages then carry no link.</summary>
    internal string PublicUrl { get; set; } = "";

    /// <summary>The hub's data folder, from <c>Hub:Data</c>.</summary>
    internal string DataFolder { get; set; } = "hub-data";

    /// <summary>Whether people may sign up: as set, otherwise when they could get mails and follow the links in them.</summary>
    internal bool SignUpEnabled => SignUp.Enabled ?? (Mail.Smtp.Host.Length > 0 && Uri.TryCreate(PublicUrl, UriKind.Absolute, out var address) && !address.IsLoopback);

    /// <summary>
    /// Attempts of a channel in a minute, 1 to 60,000, evenly: in a second at most a sixtieth of them, rounded up. 0: no limit. What is over it waits in the database, calls of a roster and more serious
    /// alarms first; nothing is lost, and other channels do not wait.
    /// </summary>
    internal int PerMinuteMaxOf(ChannelKind channel) => channel switch
    {
        ChannelKind.Mail => Mail.PerMinuteMax,
        ChannelKind.Webhook => Webhook.PerMinuteMax,
        ChannelKind.Sms => Sms.PerMinuteMax,
        ChannelKind.Telegram => Telegram.PerMinuteMax,
        _ => 0,
    };

    internal const int PerMinuteMaxMax = 60_000;

    internal IReadOnlyList<TimeSpan> EffectiveRetryDelays => RetryDelays.Count > 0 ? [.. RetryDelays] : StandardDelays;

    /// <summary>Address of the page of the station that a message is about; null when <c>Hub:PublicUrl</c> is not set.</summary>
    internal string? StationLink(AlarmMessage message) => PublicUrl.Length == 0
        ? null
        : PublicUrl.TrimEnd('/') + Mail.StationPage
            .Replace("{municipality}", Uri.EscapeDataString(message.Municipality), StringComparison.Ordinal)
            .Replace("{station}", Uri.EscapeDataString(message.Station), StringComparison.Ordinal);

    private static IReadOnlyList<TimeSpan> StandardDelays { get; } =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];
}

/// <summary>Settings of signing up, under <c>Hub:Notifications:SignUp</c>.</summary>
public sealed class SignUpOptions
{
    /// <summary>Whether people may sign up. Default: when <c>Hub:PublicUrl</c> is an address that others reach and a mail server is set.</summary>
    public bool? Enabled { get; set; }

    /// <summary>Who is responsible for the data, as the preferences page names them; empty (default): the municipality.</summary>
    public string Controller { get; set; } = "";

    /// <summary>How people reach them about their data: mail address, telephone, web address. Empty (default): the sender of the mails.</summary>
    public string ControllerContact { get; set; } = "";

    /// <summary>How long a confirmation link holds; then the request is forgotten. 24 hours to 7 days; default 48 hours.</summary>
    public TimeSpan ConfirmWithin { get; set; } = TimeSpan.FromHours(48);

    /// <summary>How long the link to the preferences in a mail holds, 1 to 400 days; default 90 days. The link that ends the messages holds as long as there is something to end.</summary>
    public TimeSpan PreferencesLinkKeep { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Requests of one source (an IPv4 address, an IPv6 /64) in an hour, 1 to 1,000; default 10. Past it the page asks to try later.</summary>
    public int RequestsPerSourceMax { get; set; } = 10;

    /// <summary>Mails that answer requests to one address in 24 hours, 1 to 20; default 3. Past it nothing more is sent to it, and nobody is told.</summary>
    public int RequestsPerTargetMax { get; set; } = 3;

    /// <summary>Subscriptions of one person in one municipality, 1 to 100; default 20. Past it another one is not confirmed.</summary>
    public int SubscriptionsPerPersonMax { get; set; } = 20;
}

/// <summary>Settings of the webhook channel, under <c>Hub:Notifications:Webhook</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>Whether webhooks may go to private and loopback addresses and over plain HTTP. Default false: a subscriber must not reach into the operator's network.</summary>
    public bool AllowPrivateTargets { get; set; }

    /// <summary>Attempts in a minute to all webhooks together; see <see cref="NotificationsOptions.PerMinuteMaxOf"/>. Default 0: no limit.</summary>
    public int PerMinuteMax { get; set; }

    /// <summary>Time for one attempt, from the connection to the end of the answer. 1 to 60 seconds; default 15.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long messages are signed with a webhook's old secret too after it was changed. 0 to 30 days; default 24 hours.</summary>
    public TimeSpan SecretOverlap { get; set; } = TimeSpan.FromHours(24);

    internal static TimeSpan SecretOverlapMax { get; } = TimeSpan.FromDays(30);
}

/// <summary>Settings of the mail channel, under <c>Hub:Notifications:Mail</c>.</summary>
public sealed class MailOptions
{
    /// <summary>Sender. Default <c>Hub &lt;hub@localhost&gt;</c>; its domain also names the messages.</summary>
    public string From { get; set; } = "Hub <hub@localhost>";

    /// <summary>Mails about alarms in a minute; see <see cref="NotificationsOptions.PerMinuteMaxOf"/>. Default 0: no limit. Letters that answer a sign-up have limits of their own and are not counted.</summary>
    public int PerMinuteMax { get; set; }

    /// <summary>Page of a station below <c>Hub:PublicUrl</c>; <c>{municipality}</c> and <c>{station}</c> stand for the two slugs.</summary>
    public string StationPage { get; set; } = "/stations/{municipality}/{station}";

    /// <summary>The mail server; without a host, mail is written as .eml files to the folder <c>mail</c> in <c>Hub:Data</c>.</summary>
    public SmtpOptions Smtp { get; } = new();
}

/// <summary>Settings of the mail server, under <c>Hub:Notifications:Mail:Smtp</c>.</summary>
public sealed class SmtpOptions
{
    /// <summary>Name or address of the server; empty (default): no server.</summary>
    public string Host { get; set; } = "";

    /// <summary>TCP port, 1 to 65535; default 587.</summary>
    public int Port { get; set; } = 587;

    /// <summary>Protection of the connection; default STARTTLS.</summary>
    public SmtpSecurity Security { get; set; } = SmtpSecurity.StartTls;

    /// <summary>PEM file with the authorities to trust instead of the system's; empty (default) for the system's.</summary>
    public string CertificateAuthorityFile { get; set; } = "";

    /// <summary>User name; empty: no login.</summary>
    public string User { get; set; } = "";

    /// <summary>Password of the user.</summary>
    public string Password { get; set; } = "";

    /// <summary>Time for one message. 1 second to 5 minutes; default 30 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>Checks <see cref="NotificationsOptions"/> before the hub starts.</summary>
internal sealed class NotificationsOptionsValidator : IValidateOptions<NotificationsOptions>
{
    public ValidateOptionsResult Validate(string? name, NotificationsOptions options)
    {
        var failures = new List<string>();
        var smtp = options.Mail.Smtp;
        Require(options.RetryDelays.Count <= 20 && options.RetryDelays.All(delay => delay > TimeSpan.Zero && delay <= TimeSpan.FromHours(24)), "RetryDelays", "must be at most 20 times of more than zero and at most 24 hours");
        Require(options.ConcurrencyPerChannel is >= 1 and <= 64, "ConcurrencyPerChannel", "must be 1 to 64");
        Require(options.SubscriberCountMax is >= 1 and <= 100_000, "SubscriberCountMax", "must be 1 to 100000");
        Require(options.MessagesPerHourMax is >= 1 and <= 1000, "MessagesPerHourMax", "must be 1 to 1000");
        Require(
            options.DigestEvery >= TimeSpan.FromSeconds(5) && options.DigestEvery <= TimeSpan.FromDays(1) && TimeSpan.TicksPerDay % options.DigestEvery.Ticks == 0,
            "DigestEvery", "must be 5 seconds to 24 hours and divide a day, such as 00:15:00 or 01:00:00");
        foreach (var channel in new[] { ChannelKind.Mail, ChannelKind.Webhook, ChannelKind.Sms, ChannelKind.Telegram })
        {
            Require(options.PerMinuteMaxOf(channel) is >= 0 and <= NotificationsOptions.PerMinuteMaxMax, $"{channel}:PerMinuteMax", $"must be 0 (no limit) to {NotificationsOptions.PerMinuteMaxMax}");
        }

        CheckSignUp();
        Require(options.LogKeep >= TimeSpan.FromDays(40) && options.LogKeep <= TimeSpan.FromDays(3650), "LogKeep", "must be 40 to 3650 days");
        Require(options.Webhook.Timeout >= TimeSpan.FromSeconds(1) && options.Webhook.Timeout <= TimeSpan.FromSeconds(60), "Webhook:Timeout", "must be 1 to 60 seconds");
        Require(options.Webhook.SecretOverlap >= TimeSpan.Zero && options.Webhook.SecretOverlap <= WebhookOptions.SecretOverlapMax, "Webhook:SecretOverlap", "must be 0 to 30 days");
        Require(MailboxAddress.TryParse(options.Mail.From, out var from) && from.Address.Contains('@', StringComparison.Ordinal), "Mail:From", "must be a mail address such as Hub <hub@example.org>");
        Require(options.Mail.StationPage.StartsWith('/'), "Mail:StationPage", "must begin with /");
        Require(smtp.Port is >= 1 and <= 65535, "Mail:Smtp:Port", "must be 1 to 65535");
        Require(Enum.IsDefined(smtp.Security), "Mail:Smtp:Security", "must be None, StartTls or Tls");
        Require(
            smtp.CertificateAuthorityFile.Length == 0 || File.Exists(smtp.CertificateAuthorityFile),
            "Mail:Smtp:CertificateAuthorityFile", $"'{smtp.CertificateAuthorityFile}' does not exist: name a PEM file, or none for the system's authorities");
        Require(smtp.Timeout >= TimeSpan.FromSeconds(1) && smtp.Timeout <= TimeSpan.FromMinutes(5), "Mail:Smtp:Timeout", "must be 1 second to 5 minutes");
        Require(
            smtp.User.Length == 0 || smtp.Security != SmtpSecurity.None || smtp.Host is "localhost" || (IPAddress.TryParse(smtp.Host, out var address) && IPAddress.IsLoopback(address)),
            "Mail:Smtp:Security", "must not be None when a user is set: the password would travel readable by anyone");
        failures.AddRange(new[] { ("Sms", options.Sms.Faults()), ("Telegram", options.Telegram.Faults()), ("Cap", options.Cap.Faults()) }
            .SelectMany(part => part.Item2.Select(fault => $"{NotificationsOptions.Section}:{part.Item1}:{fault.Setting} {fault.Reason}.")));
        if (options.PublicUrl.Length > 0 && !(Uri.TryCreate(options.PublicUrl, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
        {
            failures.Add($"Hub:PublicUrl must be an http or https address, but is '{options.PublicUrl}'.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void CheckSignUp()
        {
            var signUp = options.SignUp;
            Require(signUp.Enabled != true || options.PublicUrl.Length > 0, "SignUp:Enabled", "must not be true without Hub:PublicUrl: the links in mails lead there");
            Require(signUp.Controller.Length <= 200 && signUp.ControllerContact.Length <= 200, "SignUp:Controller", "and SignUp:ControllerContact must have at most 200 characters");
            Require(signUp.ConfirmWithin >= TimeSpan.FromHours(24) && signUp.ConfirmWithin <= TimeSpan.FromDays(7), "SignUp:ConfirmWithin", "must be 24 hours to 7 days");
            Require(signUp.PreferencesLinkKeep >= TimeSpan.FromDays(1) && signUp.PreferencesLinkKeep <= TimeSpan.FromDays(400), "SignUp:PreferencesLinkKeep", "must be 1 to 400 days");
            Require(signUp.RequestsPerSourceMax is >= 1 and <= 1000, "SignUp:RequestsPerSourceMax", "must be 1 to 1000");
            Require(signUp.RequestsPerTargetMax is >= 1 and <= 20, "SignUp:RequestsPerTargetMax", "must be 1 to 20");
            Require(signUp.SubscriptionsPerPersonMax is >= 1 and <= 100, "SignUp:SubscriptionsPerPersonMax", "must be 1 to 100");
        }

        void Require(bool holds, string key, string reason)
        {
            if (!holds)
            {
                failures.Add(string.Create(CultureInfo.InvariantCulture, $"{NotificationsOptions.Section}:{key} {reason}."));
            }
        }
    }
}
