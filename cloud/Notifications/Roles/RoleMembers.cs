using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Notifications.Roles;

/// <summary>
/// The people behind subscribers by role. Each has a row of their own, a member of the subscriber's, so that limits, order, threads and the log are theirs; the rows follow who holds the role: before each message
/// that concerns the subscriber, and before each attempt, for whoever has lost the role is sent nothing more. Safe for concurrent callers.
/// </summary>
internal sealed class RoleMembers(IDbContextFactory<NotificationsContext> contexts, IEnumerable<IRoleHolders> holders, NotificationsInstruments instruments)
{
    /// <summary>Whether this hub knows who holds a role.</summary>
    public bool AreKnown => holders.Any();

    /// <summary>Who holds a role now.</summary>
    public async ValueTask<RoleAudience> AudienceAsync(StaffRole role, string municipality, CancellationToken cancellationToken)
    {
        var names = holders.LastOrDefault() is { } known ? await known.HoldersAsync(role, municipality, cancellationToken).ConfigureAwait(false) : [];
        return new(
            [.. names.Where(SubscriberValidation.IsMailAddress).DistinctBy(Same).Order(StringComparer.OrdinalIgnoreCase)],
            [.. names.Where(static name => !SubscriberValidation.IsMailAddress(name)).Order(StringComparer.OrdinalIgnoreCase)]);
    }

    /// <summary>Brings the rows of members in step with who holds the roles now.</summary>
    /// <param name="subscribers">Subscribers by role, of one municipality.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task FollowAsync(IReadOnlyList<SubscriberRow> subscribers, CancellationToken cancellationToken)
    {
        foreach (var subscriber in subscribers)
        {
            var audience = await AudienceAsync(subscriber.Role!.Value, subscriber.Municipality, cancellationToken).ConfigureAwait(false);
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            if (await AreInStepAsync(db, subscriber, audience, cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            // The write lock before they are read again: of two messages at once one makes the rows, and the other finds them.
            await using var transaction = await db.Database.BeginTransactionAsync(System.Data.IsolationLevel.Serializable, cancellationToken).ConfigureAwait(false);
            if (await db.Subscribers.AsNoTracking().SingleOrDefaultAsync(row => row.Id == subscriber.Id && row.Role != null, cancellationToken).ConfigureAwait(false) is not { } current)
            {
                continue;
            }

            var members = await db.Subscribers.Where(row => row.MemberOf == current.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
            var wanted = audience.Addresses.ToDictionary(Same);
            foreach (var gone in members.Where(row => !wanted.ContainsKey(Same(row.Target))))
            {
                db.Subscribers.Remove(gone);
                await DropAsync(db, gone, cancellationToken).ConfigureAwait(false);
            }

            foreach (var (key, address) in wanted)
            {
                var member = members.Find(row => Same(row.Target) == key);
                if (member is null)
                {
                    db.Subscribers.Add(member = new SubscriberRow { MemberOf = current.Id, Target = address });
                }

                (member.Municipality, member.Channel, member.Language) = (current.Municipality, current.Channel, current.Language);
                (member.Rule, member.SeverityMin, member.Digest) = (current.Rule, current.SeverityMin, current.Digest);
            }

            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A subscriber by role was saved: what had been switched off of its members is on again; where it is by role no more, they are removed with everything that waits for them. The rest they follow at the next message.</summary>
    public async Task SavedAsync(NotificationsContext db, int subscriberId, bool byRole, CancellationToken cancellationToken)
    {
        if (byRole)
        {
            await db.Subscribers.Where(row => row.MemberOf == subscriberId).ExecuteUpdateAsync(set => set.SetProperty(row => row.DisabledBecause, (string?)null), cancellationToken).ConfigureAwait(false);
            return;
        }

        foreach (var member in await db.Subscribers.Where(row => row.MemberOf == subscriberId).ToListAsync(cancellationToken).ConfigureAwait(false))
        {
            db.Subscribers.Remove(member);
            await DropAsync(db, member, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether somebody is still to be told; a member who has lost the role is removed, with everything that waits for them.</summary>
    public async Task<bool> StandsAsync(SubscriberRow subscriber, CancellationToken cancellationToken)
    {
        if (subscriber.MemberOf is not { } of)
        {
            return true;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var whole = await db.Subscribers.AsNoTracking().SingleOrDefaultAsync(row => row.Id == of, cancellationToken).ConfigureAwait(false);
        if (whole?.Role is { } role && (await AudienceAsync(role, whole.Municipality, cancellationToken).ConfigureAwait(false)).Addresses.Any(address => Same(address) == Same(subscriber.Target)))
        {
            return true;
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await DropAsync(db, subscriber, cancellationToken).ConfigureAwait(false);
        await db.Subscribers.Where(row => row.Id == subscriber.Id).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return false;
    }

    /// <summary>Of several rows with one mail address, where a role brought one of them, leaves one: nobody gets a message twice for being somebody twice.</summary>
    /// <param name="db">Asked who was told before.</param>
    /// <param name="message">The message.</param>
    /// <param name="subscribers">Whom it goes to; people who signed up themselves are not touched, for their mails are others.</param>
    /// <param name="called">Who is called by the roster: these stay.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task OnceAsync(NotificationsContext db, AlarmMessage message, List<SubscriberRow> subscribers, IReadOnlyCollection<int> called, CancellationToken cancellationToken)
    {
        var twice = subscribers.Where(static row => row is { Stamp: null, Channel: ChannelKind.Mail }).GroupBy(static row => Same(row.Target)).Where(static rows => rows.Skip(1).Any() && rows.Any(static row => row.MemberOf is not null)).ToList();
        if (twice.Count == 0)
        {
            return;
        }

        List<int> ids = [.. twice.SelectMany(static rows => rows).Select(static row => row.Id)];
        var told = await db.Deliveries.Where(row => row.Alarm == message.Conversation && ids.Contains(row.SubscriberId)).Select(row => row.SubscriberId).Distinct().ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var rows in twice)
        {
            // What follows goes where the beginning went: there it is one thread.
            var stays = rows.OrderByDescending(row => called.Contains(row.Id)).ThenByDescending(row => told.Contains(row.Id)).ThenBy(static row => row.MemberOf is not null).ThenBy(static row => row.Id).First();
            subscribers.RemoveAll(row => rows.Contains(row) && row != stays);
        }
    }

    /// <summary>Addresses are one, whatever the case of their letters: user names are.</summary>
    public static string Same(string address) => address.ToUpperInvariant();

    private static async Task<bool> AreInStepAsync(NotificationsContext db, SubscriberRow subscriber, RoleAudience audience, CancellationToken cancellationToken)
    {
        var members = await db.Subscribers.AsNoTracking().Where(row => row.MemberOf == subscriber.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
        return members.Count == audience.Addresses.Count
            && members.Select(static row => Same(row.Target)).ToHashSet().SetEquals(audience.Addresses.Select(Same))
            && members.TrueForAll(row => row.Language == subscriber.Language && row.Rule == subscriber.Rule && row.SeverityMin == subscriber.SeverityMin && row.Digest == subscriber.Digest);
    }

    private async Task DropAsync(NotificationsContext db, SubscriberRow member, CancellationToken cancellationToken)
    {
        var dropped = await db.Deliveries.Where(row => row.SubscriberId == member.Id && row.State == DeliveryState.Waiting).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        instruments.Finished(member.Channel, "removed", dropped);
    }
}
