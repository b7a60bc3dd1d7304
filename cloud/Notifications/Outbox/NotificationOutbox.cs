using System.Text.Json;
using Hub.Cloud.Database;
using Hub.Cloud.Notifications.Cap;
using Hub.Cloud.Notifications.Duty;
using Hub.Cloud.Notifications.Roles;
using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Outbox;

/// <summary>The front door: takes messages and subscribers into the database; delivery happens elsewhere, out of the database. Safe for concurrent callers.</summary>
internal sealed partial class NotificationOutbox(
    IDbContextFactory<NotificationsContext> contexts, TimeProvider time, IOptions<NotificationsOptions> options, NotificationsInstruments instruments, CapAlerts alerts, DutyCalls calls, RoleMembers members) : INotifications
{
    /// <summary>Longest key.</summary>
    public const int KeyLengthMax = 200;

    /// <summary>Largest answer of <see cref="LogAsync"/>.</summary>
    public const int LogCountMax = 10_000;

    /// <summary>Raised when there may be something to deliver; handlers return at once.</summary>
    public event Action? Queued;

    /// <summary>Says that something was queued by others.</summary>
    public void WakeUp() => Queued?.Invoke();

    public async ValueTask EnqueueAsync(AlarmMessage message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message.Key is not { Length: >= 1 and <= KeyLengthMax })
        {
            throw new ArgumentException($"Key must be 1 to {KeyLengthMax} characters.", nameof(message));
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        if (await db.Messages.AnyAsync(row => row.Key == message.Key, cancellationToken).ConfigureAwait(false))
        {
            instruments.Duplicate();
            return;
        }

        var now = time.GetUtcNow().UtcDateTime;
        var stored = new MessageRow { Key = message.Key, Json = JsonSerializer.Serialize(message), CreatedAt = now };
        db.Messages.Add(stored);
        var subscribers = await Planner.ConcernedAsync(db, members, message, now, cancellationToken).ConfigureAwait(false);
        var called = await calls.HeedAsync(db, message, subscribers, now, cancellationToken).ConfigureAwait(false);
        await RoleMembers.OnceAsync(db, message, subscribers, called, cancellationToken).ConfigureAwait(false);
        var plans = await Planner.PlanAsync(db, message, subscribers, options.Value, now, cancellationToken).ConfigureAwait(false);
        foreach (var subscriber in subscribers)
        {
            var isCalled = called.Contains(subscriber.Id);
            var delivery = DeliveryRow.Of(stored, message, subscriber, isCalled ? new DeliveryPlan(now, Gathering.Not) : plans[subscriber.Id], now);
            delivery.Rank = isCalled ? DeliveryRow.CallRank : delivery.Rank;
            db.Deliveries.Add(delivery);
        }

        if (message.Kind != NotificationKind.Acknowledged)
        {
            await alerts.AddAsync(db, message, now, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (DbUpdateConcurrencyException)
        {
            // The call that this message ends was over in the same moment: nothing was stored, and now it is known.
            await EnqueueAsync(message, cancellationToken).ConfigureAwait(false);
            return;
        }
        catch (DbUpdateException exception) when (DatabaseFault.IsRefusedByRule(exception))
        {
            if (!await db.Messages.AnyAsync(row => row.Key == message.Key, cancellationToken).ConfigureAwait(false))
            {
                throw;
            }

            // Somebody queued the same key at the same moment.
            instruments.Duplicate();
            return;
        }

        instruments.Taken();
        foreach (var subscriber in subscribers)
        {
            instruments.Queued(subscriber.Channel);
        }

        Queued?.Invoke();
    }

    public async ValueTask<Subscriber> SaveAsync(Subscriber subscriber, CancellationToken cancellationToken)
    {
        SubscriberValidation.Check(subscriber, options.Value, members.AreKnown);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        SubscriberRow? row;
        if (subscriber.Id == 0)
        {
            var count = await db.Subscribers.CountAsync(known => known.Municipality == subscriber.Municipality && known.MemberOf == null, cancellationToken).ConfigureAwait(false);
            if (count >= options.Value.SubscriberCountMax)
            {
                throw new ArgumentException($"Municipality has reached its limit of {options.Value.SubscriberCountMax} subscribers (Hub:Notifications:SubscriberCountMax).", nameof(subscriber));
            }

            row = new SubscriberRow();
            db.Subscribers.Add(row);
        }
        else
        {
            row = await db.Subscribers.SingleOrDefaultAsync(known => known.Id == subscriber.Id && known.MemberOf == null, cancellationToken).ConfigureAwait(false)
                ?? throw new ArgumentException($"Id {subscriber.Id} is not a subscriber.", nameof(subscriber));
            if (row.Stamp is not null)
            {
                throw new ArgumentException($"Id {subscriber.Id} is a person who signed up: only that person changes it.", nameof(subscriber));
            }
        }

        if (subscriber.Id != 0 && (row.Channel != subscriber.Channel || row.Target != subscriber.Target))
        {
            // Elsewhere nobody has the messages that later ones would refer to.
            await db.Deliveries.Where(delivery => delivery.SubscriberId == row.Id && delivery.Receipt != "")
                .ExecuteUpdateAsync(set => set.SetProperty(delivery => delivery.Receipt, ""), cancellationToken).ConfigureAwait(false);
        }

        var known = row.Channel == ChannelKind.Webhook ? row.Secret : "";
        (row.Municipality, row.Channel, row.Target, row.Language) = (subscriber.Municipality, subscriber.Channel, subscriber.Target, subscriber.Language);
        (row.Rule, row.SeverityMin, row.DisabledBecause, row.Digest) = (subscriber.Rule, subscriber.SeverityMin, null, subscriber.Digest);
        if (row.Role is not null)
        {
            await members.SavedAsync(db, row.Id, subscriber.Role is not null, cancellationToken).ConfigureAwait(false);
        }

        row.Role = subscriber.Role;
        if (subscriber.Channel != ChannelKind.Webhook)
        {
            (row.Secret, row.SecretPrevious, row.SecretPreviousUntil) = ("", "", null);
        }
        else if (subscriber.Secret.Length > 0 || known.Length == 0)
        {
            Replace(row, known, subscriber.Secret.Length > 0 ? subscriber.Secret : SubscriberValidation.NewSecret(), options.Value.Webhook.SecretOverlap);
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        return row.ToSubscriber();
    }

    public async ValueTask<IReadOnlyList<Subscriber>> SubscribersAsync(string municipality, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Subscribers.AsNoTracking().Where(row => row.Municipality == municipality && row.Stamp == null && row.MemberOf == null).OrderBy(row => row.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(row => row.ToSubscriber());
    }

    public async ValueTask<Subscriber?> FindSubscriberAsync(int subscriberId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return (await db.Subscribers.AsNoTracking().SingleOrDefaultAsync(row => row.Id == subscriberId && row.Stamp == null && row.MemberOf == null, cancellationToken).ConfigureAwait(false))?.ToSubscriber();
    }

    public ValueTask<RoleAudience> AudienceAsync(StaffRole role, string municipality, CancellationToken cancellationToken) => members.AudienceAsync(role, municipality, cancellationToken);

    public async ValueTask RemoveAsync(int subscriberId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var row = await db.Subscribers.FindAsync([subscriberId], cancellationToken).ConfigureAwait(false);
        if (row is null)
        {
            return;
        }

        if (row.Stamp is not null)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await Forgetting.ForgetAsync(db, [row], instruments, "forgotten", cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        var rows = await db.Subscribers.Where(one => one.Id == subscriberId || one.MemberOf == subscriberId).ToListAsync(cancellationToken).ConfigureAwait(false);
        List<int> ids = rows.ConvertAll(one => one.Id);
        var waiting = await db.Deliveries.Where(delivery => ids.Contains(delivery.SubscriberId) && delivery.State == DeliveryState.Waiting).ToListAsync(cancellationToken).ConfigureAwait(false);
        db.Deliveries.RemoveRange(waiting);
        db.Subscribers.RemoveRange(rows);
        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        instruments.Finished(row.Channel, "removed", waiting.Count);
    }

    public async ValueTask<Subscriber> RotateSecretAsync(int subscriberId, TimeSpan? overlap, CancellationToken cancellationToken)
    {
        var wanted = overlap ?? options.Value.Webhook.SecretOverlap;
        if (wanted < TimeSpan.Zero || wanted > WebhookOptions.SecretOverlapMax)
        {
            throw new ArgumentException($"The overlap must be 0 to {WebhookOptions.SecretOverlapMax.Days} days.", nameof(overlap));
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var row = await db.Subscribers.FindAsync([subscriberId], cancellationToken).ConfigureAwait(false) ?? throw new KeyNotFoundException($"{subscriberId} is not a subscriber.");
        if (row.Channel != ChannelKind.Webhook)
        {
            throw new ArgumentException($"Subscriber {subscriberId} is no webhook: only webhooks have a secret.", nameof(subscriberId));
        }

        Replace(row, row.Secret, SubscriberValidation.NewSecret(), wanted);
        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        return row.ToSubscriber();
    }

    /// <summary>Puts a secret in the place of the known one, which is kept for a while. A third within that while ends the first one's at once: two signatures are enough for a message.</summary>
    private void Replace(SubscriberRow row, string known, string secret, TimeSpan overlap)
    {
        if (known.Length > 0 && known != secret)
        {
            (row.SecretPrevious, row.SecretPreviousUntil) = overlap > TimeSpan.Zero ? (known, time.GetUtcNow().UtcDateTime + overlap) : ("", default(DateTime?));
        }

        row.Secret = secret;
    }
}
