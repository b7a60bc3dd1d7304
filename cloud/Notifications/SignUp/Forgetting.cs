using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Notifications.SignUp;

/// <summary>Deletes people.</summary>
internal static class Forgetting
{
    /// <summary>
    /// Deletes persons with their subscriptions and what waits for them, and takes the address out of the log of what was sent: the masked one, and answers, in which mail servers like to repeat it. What is left
    /// says that a message went out, to nobody. The caller owns the transaction.
    /// </summary>
    public static async Task ForgetAsync(NotificationsContext db, IReadOnlyList<SubscriberRow> persons, NotificationsInstruments instruments, string how, CancellationToken cancellationToken)
    {
        foreach (var person in persons)
        {
            var waiting = await db.Deliveries.Where(row => row.SubscriberId == person.Id && row.State == DeliveryState.Waiting).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
            await db.Deliveries.Where(row => row.SubscriberId == person.Id)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.TargetMasked, "").SetProperty(row => row.Answer, ""), cancellationToken).ConfigureAwait(false);
            db.Subscribers.Remove(person);
            instruments.Finished(person.Channel, "removed", waiting);
            instruments.SignedUp(how);
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
    }
}
