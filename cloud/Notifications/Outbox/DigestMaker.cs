using System.Text.Json;
using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Notifications.Outbox;

/// <summary>
/// Turns gathered deliveries that are due into one: in one transaction they become <c>gathered</c>, and a delivery of what they hold is queued under a key of its own. From then on it is a delivery like any other,
/// so that a crash at any moment neither loses nor repeats one.
/// </summary>
internal sealed class DigestMaker(IDbContextFactory<NotificationsContext> contexts, NotificationsInstruments instruments)
{
    /// <summary>Subscribers looked after in one pass: messages of others go out in between.</summary>
    public const int SubscribersMax = 64;

    /// <summary>Gathers what is due on a channel.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellationToken">Gives up; what was not gathered stays due.</param>
    /// <returns>Whether there may be more.</returns>
    public async Task<bool> GatherAsync(ChannelKind channel, DateTime now, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var due = await Due(db, now).Where(row => row.Channel == channel).Select(row => row.SubscriberId).Distinct().Order().Take(SubscribersMax).ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var subscriber in due)
        {
            await GatherAsync(subscriber, now, cancellationToken).ConfigureAwait(false);
        }

        return due.Count == SubscribersMax;
    }

    /// <summary>When the next gathered deliveries of a channel are due; null when there are none.</summary>
    public static Task<DateTime?> NextAsync(NotificationsContext db, ChannelKind channel, DateTime now, CancellationToken cancellationToken) =>
        db.Deliveries.Where(row => row.Channel == channel && row.State == DeliveryState.Waiting && row.Gathering != Gathering.Not && row.NextAt > now)
            .MinAsync(row => (DateTime?)row.NextAt, cancellationToken);

    /// <summary>Gathered deliveries whose time has come. One waits for an earlier message about the same alarm that goes out by itself and is tried again.</summary>
    private static IQueryable<DeliveryRow> Due(NotificationsContext db, DateTime now) => db.Deliveries
        .Where(row => row.State == DeliveryState.Waiting && row.Gathering != Gathering.Not && row.NextAt <= now)
        .Where(row => !db.Deliveries.Any(earlier =>
            earlier.SubscriberId == row.SubscriberId && earlier.OrderKey == row.OrderKey && earlier.State == DeliveryState.Waiting && earlier.Gathering == Gathering.Not && earlier.Id < row.Id));

    private async Task GatherAsync(int subscriber, DateTime now, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var rows = await Due(db, now).Where(row => row.SubscriberId == subscriber).Include(row => row.Message).OrderBy(row => row.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
        if (rows.Count == 0)
        {
            return;
        }

        var alarms = rows.ConvertAll(row => row.Alarm);
        var said = await db.Deliveries.Where(row => row.SubscriberId == subscriber && alarms.Contains(row.Alarm) && (row.State == DeliveryState.Delivered || row.State == DeliveryState.Gathered))
            .Select(row => row.Message!.Json).ToListAsync(cancellationToken).ConfigureAwait(false);

        // Levels of one rule share a conversation, and each is told or not by itself.
        var told = said.Select(json => JsonSerializer.Deserialize<AlarmMessage>(json)!.Alarm).ToHashSet();
        var plan = DigestPlan.Of(rows.ConvertAll(row => new Gathered(row.Id, row.Gathering, JsonSerializer.Deserialize<AlarmMessage>(row.Message!.Json)!)), told);
        var of = rows.ToDictionary(row => row.Id);
        foreach (var id in plan.Untold)
        {
            (of[id].State, of[id].Answer) = (DeliveryState.Suppressed, "Not sent: the alarm was withdrawn before it was told.");
        }

        var key = plan.Digest is null ? "" : DigestPlan.KeyOf(subscriber, plan.Merged.Select(id => of[id].Key));
        foreach (var id in plan.Merged)
        {
            (of[id].State, of[id].Answer) = (DeliveryState.Gathered, $"Told by {(plan.Released is { } teller ? of[teller].Key : key)}.");
        }

        if (plan.Released is { } released)
        {
            (of[released].Gathering, of[released].NextAt) = (Gathering.Not, now);
        }

        if (plan.Digest is { } digest)
        {
            var first = rows[0];
            db.Deliveries.Add(new DeliveryRow
            {
                Message = new MessageRow { Key = key, Json = JsonSerializer.Serialize(digest), CreatedAt = now },
                SubscriberId = subscriber,
                Key = key,
                Alarm = key,
                Municipality = first.Municipality,
                Channel = first.Channel,
                Kind = NotificationKind.Digest,
                Severity = digest.Messages.Max(message => message.Severity),
                TargetMasked = first.TargetMasked,
                OrderKey = key,
                Rank = DeliveryRow.RankMax,
                State = DeliveryState.Waiting,
                NextAt = now,
                CreatedAt = now,
            });
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        instruments.Finished(rows[0].Channel, nameof(DeliveryState.Suppressed), plan.Untold.Count);
        instruments.Finished(rows[0].Channel, nameof(DeliveryState.Gathered), plan.Merged.Count);
        if (plan.Digest is not null)
        {
            instruments.Queued(rows[0].Channel);
        }
    }
}
