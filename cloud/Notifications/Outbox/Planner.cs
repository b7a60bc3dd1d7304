using Hub.Cloud.Notifications.Roles;
using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Notifications.Outbox;

/// <summary>Finds whom a message concerns, and what has to be known of each to decide when it goes out.</summary>
internal static class Planner
{
    /// <summary>Subscribers whom a message concerns: those that operators entered, by rule and severity; people who signed up, by their wishes, once each however many of them match.</summary>
    public static async Task<List<SubscriberRow>> ConcernedAsync(NotificationsContext db, RoleMembers members, AlarmMessage message, DateTime now, CancellationToken cancellationToken)
    {
        var roles = await Wanting(db, message).Where(row => row.Role != null).ToListAsync(cancellationToken).ConfigureAwait(false);
        await members.FollowAsync(roles, cancellationToken).ConfigureAwait(false);
        var concerned = await EnteredAsync(db, message, cancellationToken).ConfigureAwait(false);
        if (message.Public && message.Kind != NotificationKind.Acknowledged)
        {
            var people = await db.Subscribers.AsNoTracking().Include(row => row.Subscriptions)
                .Where(row => row.Municipality == message.Municipality && row.Stamp != null && row.DisabledBecause == null && (row.PausedUntil == null || row.PausedUntil <= now))
                .Where(row => row.Subscriptions.Any(wish => wish.SeverityMin <= message.Severity && (wish.Station == null || wish.Station == message.Station)))
                .ToListAsync(cancellationToken).ConfigureAwait(false);
            concerned.AddRange(people.Where(person => person.Subscriptions.Exists(row => row.Wish.Wants(message))));
        }

        return [.. concerned.OrderBy(row => row.Id)];
    }

    /// <summary>Subscribers that operators entered whom a message concerns; in place of those by role, their members.</summary>
    public static Task<List<SubscriberRow>> EnteredAsync(NotificationsContext db, AlarmMessage message, CancellationToken cancellationToken) =>
        Wanting(db, message).Where(row => row.Role == null).ToListAsync(cancellationToken);

    private static IQueryable<SubscriberRow> Wanting(NotificationsContext db, AlarmMessage message) => db.Subscribers.AsNoTracking()
        .Where(row => row.Municipality == message.Municipality && row.Stamp == null && row.DisabledBecause == null && row.SeverityMin <= message.Severity && (row.Rule == null || row.Rule == message.Rule));

    /// <summary>When the message goes to each of the subscribers.</summary>
    public static async Task<Dictionary<int, DeliveryPlan>> PlanAsync(
        NotificationsContext db, AlarmMessage message, IReadOnlyList<SubscriberRow> subscribers, NotificationsOptions options, DateTime now, CancellationToken cancellationToken)
    {
        var gathering = subscribers.Where(row => row.Digest).Select(row => row.Id).ToList();
        Dictionary<int, int> sent = [];
        Dictionary<int, DeliveryPlan> waiting = [];
        if (gathering.Count > 0)
        {
            var hour = DeliveryPlan.HourOf(now);
            var counted = db.Deliveries.Where(row => gathering.Contains(row.SubscriberId) && row.CreatedAt >= hour && row.Gathering == Gathering.Not && row.Kind != NotificationKind.Digest);
            if (message.Severity == Severity.Alert)
            {
                counted = counted.Where(row => row.Severity == Severity.Alert);
            }

            sent = await counted.GroupBy(row => row.SubscriberId).Select(group => new { group.Key, Count = group.Count() })
                .ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken).ConfigureAwait(false);

            // Of a rule's levels each by itself: a more serious one does not wait with a lesser one.
            var earlier = await db.Deliveries.AsNoTracking()
                .Where(row => gathering.Contains(row.SubscriberId) && row.Alarm == message.Conversation && row.Severity == message.Severity && row.State == DeliveryState.Waiting && row.Gathering != Gathering.Not)
                .OrderBy(row => row.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
            foreach (var row in earlier)
            {
                waiting[row.SubscriberId] = new(row.NextAt, row.Gathering);
            }
        }

        return subscribers.ToDictionary(
            row => row.Id,
            row => DeliveryPlan.Of(message, row.Digest, row.Quiet, sent.GetValueOrDefault(row.Id), options.MessagesPerHourMax, waiting.TryGetValue(row.Id, out var plan) ? plan : null, options.DigestEvery, now));
    }
}
