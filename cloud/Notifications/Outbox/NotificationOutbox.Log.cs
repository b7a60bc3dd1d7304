using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Notifications.Outbox;

/// <summary>The delivery log, and what an operator can put right in it.</summary>
internal sealed partial class NotificationOutbox
{
    public ValueTask<IReadOnlyList<Delivery>> LogAsync(string municipality, int countMax, CancellationToken cancellationToken) => SearchAsync(municipality, null, null, countMax, cancellationToken);

    public async ValueTask<IReadOnlyList<Delivery>> SearchAsync(string municipality, DeliveryState? state, long? before, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var found = db.Deliveries.AsNoTracking().Where(row => row.Municipality == municipality);
        found = state is { } wanted ? found.Where(row => row.State == wanted) : found;
        found = before is { } bound ? found.Where(row => row.Id < bound) : found;
        var rows = await found.OrderByDescending(row => row.Id).Take(Math.Min(countMax, LogCountMax)).ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(row => row.ToDelivery());
    }

    public async ValueTask<Delivery?> FindAsync(long deliveryId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var row = await db.Deliveries.AsNoTracking().SingleOrDefaultAsync(row => row.Id == deliveryId, cancellationToken).ConfigureAwait(false);
        return row?.ToDelivery();
    }

    public async ValueTask<Delivery> ResendAsync(long deliveryId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var row = await db.Deliveries.AsNoTracking().SingleOrDefaultAsync(row => row.Id == deliveryId, cancellationToken).ConfigureAwait(false)
            ?? throw new KeyNotFoundException($"{deliveryId} is not a delivery.");
        var subscriber = await db.Subscribers.AsNoTracking().SingleOrDefaultAsync(known => known.Id == row.SubscriberId, cancellationToken).ConfigureAwait(false);
        if (row.State != DeliveryState.Dead)
        {
            throw NotDead(row.ToDelivery());
        }

        if (subscriber is null || subscriber.Channel != row.Channel)
        {
            throw new InvalidOperationException($"Delivery {deliveryId} went to a subscriber that is gone or reached otherwise now: there is nobody to send it to.");
        }

        if (subscriber.DisabledBecause is { } reason)
        {
            throw new InvalidOperationException($"Delivery {deliveryId} goes to a subscriber that is switched off ({reason}): save the subscriber first.");
        }

        var (now, target) = (time.GetUtcNow().UtcDateTime, SubscriberValidation.Mask(subscriber.Channel, subscriber.Target));
        var marked = await db.Deliveries.Where(known => known.Id == deliveryId && known.State == DeliveryState.Dead).ExecuteUpdateAsync(
            set => set.SetProperty(known => known.State, DeliveryState.Waiting).SetProperty(known => known.Resent, true).SetProperty(known => known.Attempts, 0).SetProperty(known => known.NextAt, now)
                .SetProperty(known => known.TargetMasked, target),
            cancellationToken).ConfigureAwait(false);
        var sent = await db.Deliveries.AsNoTracking().SingleAsync(known => known.Id == deliveryId, cancellationToken).ConfigureAwait(false);
        if (marked == 0)
        {
            // Somebody else was faster.
            throw NotDead(sent.ToDelivery());
        }

        instruments.Queued(row.Channel);
        Queued?.Invoke();
        return sent.ToDelivery();
    }

    private static InvalidOperationException NotDead(Delivery delivery) => new($"Delivery {delivery.Id} is {delivery.State}: only a dead one is sent again.");
}
