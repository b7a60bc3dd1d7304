using System.Net;
using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.Storage;
using Hub.Cloud.Notifications.Telegram;
using Hub.Edge.Contract.Topics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.SignUp;

/// <summary>Takes requests, confirms them, shows, changes and deletes what is kept. Mails are sent elsewhere, out of the database. Safe for concurrent callers.</summary>
internal sealed class SignUpDesk(
    IDbContextFactory<NotificationsContext> contexts, SignUpKey keys, TelegramBot bot, TimeProvider time, IOptions<NotificationsOptions> options, NotificationsInstruments instruments) : ISignUp
{
    /// <summary>Longest summary of a wish, characters.</summary>
    public const int SummaryLengthMax = 300;

    /// <summary>Stands for the chat that nobody knows yet.</summary>
    private const string AnyChat = "1";

    /// <summary>Time in which mails to one address are counted. No request is forgotten earlier, or it would not count.</summary>
    private static readonly TimeSpan TargetSpan = TimeSpan.FromHours(24);

    private readonly SourceLimit limit = new(options.Value.SignUp.RequestsPerSourceMax, time);

    /// <summary>Raised when there may be a mail to send; handlers return at once.</summary>
    public event Action? Requested;

    public SignUpOffer Offer { get; } = new(
        options.Value.SignUpEnabled, options.Value.SignUp.ConfirmWithin, options.Value.LogKeep, options.Value.SignUp.Controller,
        options.Value.SignUp.ControllerContact.Length > 0 ? options.Value.SignUp.ControllerContact : MimeKit.MailboxAddress.Parse(options.Value.Mail.From).Address,
        options.Value.MessagesPerHourMax);

    public IReadOnlyList<ChannelKind> Channels => [.. options.Value.SignUpChannels.Where(channel => channel != ChannelKind.Telegram || bot.Name is not null)];

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <summary>An address as it is compared.</summary>
    public static string KeyOf(string target) => target.ToUpperInvariant();

    public async ValueTask<RequestOutcome> RequestAsync(SignUpRequest request, IPAddress? source, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        RefuseUnlessOffered();
        RefuseUnlessSent(request.Channel);
        Check(request, request.Target);
        return await TakeAsync(RowOf(request), source, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<string?> RequestChatAsync(SignUpRequest request, IPAddress? source, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        RefuseUnlessOffered();
        Refuse.Unless(request.Channel == ChannelKind.Telegram && Channels.Contains(request.Channel), nameof(request.Channel), "must be Telegram, and the bot's name known");
        Refuse.Unless(request.Target.Length == 0, nameof(request.Target), "must be empty: the person comes from a chat");
        Check(request, AnyChat);
        var row = RowOf(request);
        return await TakeAsync(row, source, cancellationToken).ConfigureAwait(false) == RequestOutcome.Busy
            ? null
            : bot.LinkOf(SignedToken.Make(await keys.GetAsync(cancellationToken).ConfigureAwait(false), LinkPurpose.Confirm, row.Stamp, row.ExpiresAt));
    }

    /// <summary>Confirms a request from a chat, to which the messages go then.</summary>
    /// <returns>The outcome, and the language of the request when confirmed.</returns>
    public async ValueTask<(ConfirmOutcome Outcome, string? Language)> ConfirmChatAsync(string token, string chat, CancellationToken cancellationToken)
    {
        var (outcome, person) = await ConfirmAsync(token, chat, cancellationToken).ConfigureAwait(false);
        return (outcome, person?.Language);
    }

    /// <summary>Whether anybody gets alerts in a chat.</summary>
    public async ValueTask<bool> HasChatsAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await db.Subscribers.AnyAsync(row => row.Stamp != null && row.Channel == ChannelKind.Telegram, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The language of the person of a chat and the address of the preferences; null when no alerts go there.</summary>
    public async ValueTask<(string Language, string Preferences)?> ChatAsync(string chat, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await OfChat(db, chat).AsNoTracking().FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false) is { } person
            ? (person.Language, MailLinks.Of(await keys.GetAsync(cancellationToken).ConfigureAwait(false), person.Stamp!.Value, Now, options.Value).Preferences)
            : null;
    }

    /// <summary>Deletes everything that is kept about the person of a chat; returns the person's language, null when there is nothing.</summary>
    public async ValueTask<string?> ForgetChatAsync(string chat, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var address = await OfChat(db, chat).ToListAsync(cancellationToken).ConfigureAwait(false);
        await Forgetting.ForgetAsync(db, address, instruments, "forgotten", cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return address is [var first, ..] ? first.Language : null;
    }

    private static IQueryable<SubscriberRow> OfChat(NotificationsContext db, string chat)
    {
        var key = KeyOf(chat);
        return db.Subscribers.Where(row => row.Stamp != null && row.Channel == ChannelKind.Telegram && row.TargetKey == key).OrderBy(row => row.Id);
    }

    private void Check(SignUpRequest request, string target)
    {
        SubscriberValidation.Check(new(0, request.Municipality, request.Channel, target, request.Language, null, Severity.Information, ""), options.Value, rolesAreKnown: false);
        Refuse.Unless(request.MunicipalityName is { Length: >= 1 and <= 100 }, nameof(request.MunicipalityName), "must be 1 to 100 characters");
        Refuse.Unless(request.Summary is { Length: >= 1 and <= SummaryLengthMax }, nameof(request.Summary), $"must be 1 to {SummaryLengthMax} characters");
        request.Wish.Check();
        request.Quiet?.Check();
    }

    private static RequestRow RowOf(SignUpRequest request) => new()
    {
        Kind = RequestKind.Confirm,
        Municipality = request.Municipality,
        MunicipalityName = request.MunicipalityName,
        Channel = request.Channel,
        Target = request.Target,
        Language = request.Language,
        Summary = request.Summary,
        Wish = request.Wish,
        Quiet = request.Quiet,
    };

    public async ValueTask<RequestOutcome> RequestLinkAsync(ChannelKind channel, string target, string language, IPAddress? source, CancellationToken cancellationToken)
    {
        RefuseUnlessSent(channel);
        SubscriberValidation.Check(new(0, "any", channel, target, language, null, Severity.Information, ""), options.Value, rolesAreKnown: false);

        // Whether the address is known is asked when the mail is to be sent: the answer to who asks has gone by then.
        return await TakeAsync(new RequestRow { Kind = RequestKind.Link, Channel = channel, Target = target, Language = language, SeverityMin = Severity.Information }, source, cancellationToken)
            .ConfigureAwait(false);
    }

    public async ValueTask<PendingSignUp?> FindPendingAsync(string? token, CancellationToken cancellationToken)
    {
        if (await ReadAsync(LinkPurpose.Confirm, token, cancellationToken).ConfigureAwait(false) is not { } stamp)
        {
            return null;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var now = Now;
        var row = await db.Requests.AsNoTracking().SingleOrDefaultAsync(one => one.Stamp == stamp && one.ExpiresAt > now, cancellationToken).ConfigureAwait(false);
        return row is null ? null : new(row.Municipality, row.MunicipalityName, SubscriberValidation.Mask(row.Channel, row.Target), row.Language, row.Wish, row.Quiet, row.ExpiresAt);
    }

    public async ValueTask<(ConfirmOutcome Outcome, string? PreferencesToken)> ConfirmAsync(string? token, CancellationToken cancellationToken)
    {
        var (outcome, person) = await ConfirmAsync(token, null, cancellationToken).ConfigureAwait(false);
        if (person is null)
        {
            return (outcome, null);
        }

        var key = await keys.GetAsync(cancellationToken).ConfigureAwait(false);
        return (outcome, SignedToken.Make(key, LinkPurpose.Preferences, person.Stamp!.Value, Now + options.Value.SignUp.PreferencesLinkKeep));
    }

    private async ValueTask<(ConfirmOutcome Outcome, SubscriberRow? Person)> ConfirmAsync(string? token, string? chat, CancellationToken cancellationToken)
    {
        if (await ReadAsync(LinkPurpose.Confirm, token, cancellationToken).ConfigureAwait(false) is not { } stamp)
        {
            return (ConfirmOutcome.Unknown, null);
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);

        // Everything is read behind the write lock: of two clicks on one button the second finds the request gone.
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var now = Now;
        var request = await db.Requests.SingleOrDefaultAsync(row => row.Stamp == stamp && row.ExpiresAt > now, cancellationToken).ConfigureAwait(false);
        if (request is null || (request.Channel == ChannelKind.Telegram) != (chat is not null))
        {
            return (ConfirmOutcome.Unknown, null);
        }

        if (chat is not null)
        {
            (request.Target, request.TargetKey) = (chat, KeyOf(chat));
        }

        var address = await db.Subscribers.Include(row => row.Subscriptions)
            .Where(row => row.TargetKey == request.TargetKey && row.Channel == request.Channel).ToListAsync(cancellationToken).ConfigureAwait(false);
        var person = address.Find(row => row.Municipality == request.Municipality);
        if (person is null)
        {
            if (await db.Subscribers.CountAsync(row => row.Municipality == request.Municipality, cancellationToken).ConfigureAwait(false) >= options.Value.SubscriberCountMax)
            {
                return (ConfirmOutcome.Full, null);
            }

            person = NewPerson(request.Municipality, request.Channel, request.Target, request.TargetKey);
            db.Subscribers.Add(person);
            address.Add(person);
        }

        if (!person.Subscriptions.Exists(row => row.Wish == request.Wish))
        {
            if (person.Subscriptions.Count >= options.Value.SignUp.SubscriptionsPerPersonMax)
            {
                return (ConfirmOutcome.Full, null);
            }

            person.Subscriptions.Add(new SubscriptionRow { Stamp = Guid.NewGuid(), Since = now, Wish = request.Wish });
        }

        // What was chosen last holds for the whole address; who asks for messages does not want to go on pausing.
        foreach (var row in address)
        {
            (row.Language, row.Quiet, row.PausedUntil, row.DisabledBecause) = (request.Language, request.Quiet, null, null);
        }

        db.Requests.Remove(request);
        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        instruments.SignedUp("confirmed");
        return (ConfirmOutcome.Confirmed, person);
    }

    public async ValueTask<Unsubscription?> FindUnsubscriptionAsync(string? token, CancellationToken cancellationToken)
    {
        if (await ReadAsync(LinkPurpose.Unsubscribe, token, cancellationToken).ConfigureAwait(false) is not { } stamp)
        {
            return null;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var person = await db.Subscribers.AsNoTracking().Include(row => row.Subscriptions).SingleOrDefaultAsync(row => row.Stamp == stamp, cancellationToken).ConfigureAwait(false);
        return new(person?.Municipality, person?.Subscriptions.Count ?? 0);
    }

    public async ValueTask<bool> UnsubscribeAsync(string? token, CancellationToken cancellationToken)
    {
        if (await ReadAsync(LinkPurpose.Unsubscribe, token, cancellationToken).ConfigureAwait(false) is not { } stamp)
        {
            return false;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var persons = await db.Subscribers.Where(row => row.Stamp == stamp).ToListAsync(cancellationToken).ConfigureAwait(false);
        await Forgetting.ForgetAsync(db, persons, instruments, "unsubscribed", cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    public async ValueTask<Preferences?> FindPreferencesAsync(string? token, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var address = await AddressAsync(db, token, cancellationToken).ConfigureAwait(false);
        return address is not [var first, ..]
            ? null
            : new(
                first.Channel, first.Target, first.Language, first.Quiet, first.PausedUntil > Now ? first.PausedUntil : null,
                [
                    .. address.SelectMany(person => person.Subscriptions.Select(row => (person.Municipality, Row: row))).OrderBy(one => one.Row.Since).ThenBy(one => one.Row.Id)
                        .Select(one => new Subscription(one.Row.Stamp.ToString("N"), one.Municipality, one.Row.Wish, one.Row.Since)),
                ]);
    }

    public async ValueTask<bool> ChangeAsync(string? token, string language, QuietHours? quiet, DateTime? pausedUntil, CancellationToken cancellationToken)
    {
        Refuse.Unless(language is "pt" or "en", nameof(Preferences.Language), "must be 'pt' or 'en'");
        quiet?.Check();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var address = await AddressAsync(db, token, cancellationToken).ConfigureAwait(false);
        foreach (var person in address)
        {
            (person.Language, person.Quiet, person.PausedUntil) = (language, quiet, pausedUntil);
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return address.Count > 0;
    }

    public async ValueTask<(ConfirmOutcome Outcome, string? PreferencesToken)> ChangeSubscriptionAsync(string? token, string subscription, string municipality, Wish wish, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(wish);
        Refuse.Unless(HubTopic.IsSlug(municipality), nameof(Subscription.Municipality), "must be the slug of a municipality");
        wish.Check();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var address = await AddressAsync(db, token, cancellationToken).ConfigureAwait(false);
        if (address is not [var first, ..])
        {
            return (ConfirmOutcome.Unknown, null);
        }

        if (!Guid.TryParseExact(subscription, "N", out var stamp) || address.Find(person => person.Subscriptions.Exists(row => row.Stamp == stamp)) is not { } from)
        {
            return (ConfirmOutcome.Confirmed, token);
        }

        var row = from.Subscriptions.Find(one => one.Stamp == stamp)!;
        var to = address.Find(person => person.Municipality == municipality);
        if (to is null)
        {
            if (await db.Subscribers.CountAsync(one => one.Municipality == municipality, cancellationToken).ConfigureAwait(false) >= options.Value.SubscriberCountMax)
            {
                return (ConfirmOutcome.Full, null);
            }

            to = NewPerson(municipality, first.Channel, first.Target, first.TargetKey!);
            (to.Language, to.Quiet, to.PausedUntil) = (first.Language, first.Quiet, first.PausedUntil);
            db.Subscribers.Add(to);
        }

        var isKnown = to.Subscriptions.Exists(one => one.Stamp != stamp && one.Wish == wish);
        if (to != from && !isKnown && to.Subscriptions.Count >= options.Value.SignUp.SubscriptionsPerPersonMax)
        {
            return (ConfirmOutcome.Full, null);
        }

        if (to == from && !isKnown)
        {
            row.Wish = wish;
        }
        else
        {
            from.Subscriptions.Remove(row);
            if (!isKnown)
            {
                // A row of its own: one subscriber's does not become another's.
                to.Subscriptions.Add(new SubscriptionRow { Stamp = Guid.NewGuid(), Since = row.Since, Wish = wish });
            }
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        if (from.Subscriptions.Count == 0)
        {
            await Forgetting.ForgetAsync(db, [from], instruments, "unsubscribed", cancellationToken).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        var key = await keys.GetAsync(cancellationToken).ConfigureAwait(false);
        return (ConfirmOutcome.Confirmed, SignedToken.Make(key, LinkPurpose.Preferences, to.Stamp!.Value, Now + options.Value.SignUp.PreferencesLinkKeep));
    }

    public async ValueTask<bool> RemoveSubscriptionAsync(string? token, string subscription, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var address = await AddressAsync(db, token, cancellationToken).ConfigureAwait(false);
        if (Guid.TryParseExact(subscription, "N", out var stamp) && address.Find(person => person.Subscriptions.Exists(row => row.Stamp == stamp)) is { } person)
        {
            if (person.Subscriptions.Count == 1)
            {
                await Forgetting.ForgetAsync(db, [person], instruments, "unsubscribed", cancellationToken).ConfigureAwait(false);
            }
            else
            {
                person.Subscriptions.RemoveAll(row => row.Stamp == stamp);
                await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return address.Count > 0;
    }

    public async ValueTask<bool> ForgetAsync(string? token, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var address = await AddressAsync(db, token, cancellationToken).ConfigureAwait(false);
        if (address is not [var first, ..])
        {
            return false;
        }

        var (key, channel) = (first.TargetKey, first.Channel);
        await Forgetting.ForgetAsync(db, address, instruments, "forgotten", cancellationToken).ConfigureAwait(false);
        await db.Requests.Where(row => row.TargetKey == key && row.Channel == channel).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    private static SubscriberRow NewPerson(string municipality, ChannelKind channel, string target, string targetKey) => new()
    {
        Municipality = municipality,
        Channel = channel,
        Target = target,
        TargetKey = targetKey,
        SeverityMin = Severity.Information,
        Digest = true,
        Stamp = Guid.NewGuid(),
    };

    private async ValueTask<RequestOutcome> TakeAsync(RequestRow row, IPAddress? source, CancellationToken cancellationToken)
    {
        RefuseUnlessOffered();
        if (!limit.TryEnter(source))
        {
            instruments.SignedUp("busy");
            return RequestOutcome.Busy;
        }

        var now = Now;
        var since = now - TargetSpan;
        row.Stamp = Guid.NewGuid();

        // Who comes from a chat is written to by nobody: there is nothing to send, and no address whose messages are counted.
        (row.TargetKey, row.NextAt) = row.Target.Length == 0 ? (row.Stamp.ToString("N"), default(DateTime?)) : (KeyOf(row.Target), now);
        (row.CreatedAt, row.ExpiresAt) = (now, now + options.Value.SignUp.ConfirmWithin);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        if (await db.Requests.CountAsync(cancellationToken).ConfigureAwait(false) >= options.Value.SubscriberCountMax)
        {
            instruments.SignedUp("busy");
            return RequestOutcome.Busy;
        }

        if (await db.Requests.CountAsync(one => one.TargetKey == row.TargetKey && one.CreatedAt > since, cancellationToken).ConfigureAwait(false) >= options.Value.SignUp.RequestsPerTargetMax)
        {
            // Nobody is written to more often than that, and nobody is told that somebody else asked before.
            instruments.SignedUp("limited");
            return RequestOutcome.Taken;
        }

        db.Requests.Add(row);
        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        instruments.SignedUp("requested");
        Requested?.Invoke();
        return RequestOutcome.Taken;
    }

    /// <summary>All rows of the address that a preferences link speaks of; none when it does not hold.</summary>
    private async ValueTask<List<SubscriberRow>> AddressAsync(NotificationsContext db, string? token, CancellationToken cancellationToken)
    {
        if (await ReadAsync(LinkPurpose.Preferences, token, cancellationToken).ConfigureAwait(false) is not { } stamp)
        {
            return [];
        }

        return await db.Subscribers.Include(row => row.Subscriptions)
            .Where(row => row.Stamp != null && db.Subscribers.Any(one => one.Stamp == stamp && one.TargetKey == row.TargetKey && one.Channel == row.Channel))
            .OrderBy(row => row.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<Guid?> ReadAsync(LinkPurpose purpose, string? token, CancellationToken cancellationToken) =>
        SignedToken.Read(await keys.GetAsync(cancellationToken).ConfigureAwait(false), purpose, token, Now);

    private void RefuseUnlessSent(ChannelKind channel) => Refuse.Unless(
        channel != ChannelKind.Telegram && Channels.Contains(channel), nameof(SignUpRequest.Channel), $"must be {string.Join(" or ", Channels.Where(one => one != ChannelKind.Telegram))}");

    private void RefuseUnlessOffered()
    {
        if (!Offer.Enabled)
        {
            throw new InvalidOperationException($"Signing up is not offered: see {NotificationsOptions.Section}:SignUp:Enabled.");
        }
    }
}
