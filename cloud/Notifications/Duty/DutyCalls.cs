using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.Roles;
using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Notifications.Duty;

/// <summary>
/// Calls the people of the roster: those of the first step when an alarm starts, in the transaction that queues the message; the next ones each in a transaction that queues their deliveries and moves the call on. An
/// acknowledgement, the end or a withdrawal ends the call, in the transaction that queues their message. So a crash at any moment neither loses a call nor makes one twice.
/// </summary>
internal sealed class DutyCalls(IDbContextFactory<NotificationsContext> contexts, IEnumerable<IDutyHours> hours, RoleMembers members, NotificationsInstruments instruments, TimeProvider time)
{
    /// <summary>Calls moved on in one pass.</summary>
    public const int CountMax = 64;

    /// <summary>Begins or ends the call about an alarm, as its message asks for, and says which of the people of the roster the message goes to.</summary>
    /// <param name="db">Receives the changes; saved by the caller.</param>
    /// <param name="message">The message.</param>
    /// <param name="subscribers">Whom it concerns by rule and severity; those of the roster whose turn it is not are taken out.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whose turn it is: they are called at once, whatever else is gathered for them.</returns>
    public async Task<IReadOnlyCollection<int>> HeedAsync(NotificationsContext db, AlarmMessage message, List<SubscriberRow> subscribers, DateTime now, CancellationToken cancellationToken)
    {
        var roster = await DutyBook.ReadAsync(db, message.Municipality, cancellationToken).ConfigureAwait(false);
        var isOver = message.Kind is NotificationKind.Ended or NotificationKind.Acknowledged or NotificationKind.Past || message.Withdrawn || message.EndedAt is not null;
        if (isOver)
        {
            await EndAsync(db, message, now, cancellationToken).ConfigureAwait(false);
        }

        if (roster is null || message.Severity < roster.SeverityMin)
        {
            if (message.Kind == NotificationKind.Acknowledged)
            {
                subscribers.Clear();
            }

            return [];
        }

        var people = roster.Steps.SelectMany(step => step.Entries).Select(entry => entry.Subscriber).ToHashSet();
        if (message.Kind == NotificationKind.Started)
        {
            var turn = DutySteps.Of(roster, 0, 0, now, IsThere((_, entry) => subscribers.Exists(row => row.Entered == entry), message, now));
            subscribers.RemoveAll(row => people.Contains(row.Entered) && !turn.Subscribers.Contains(row.Entered));

            // Told again, when a more serious level is over, it is the same call, and none when somebody has acknowledged the alarm before.
            db.Calls.RemoveRange(await db.Calls.Where(row => row.Alarm == message.Alarm).ToListAsync(cancellationToken).ConfigureAwait(false));
            db.PastCalls.RemoveRange(await db.PastCalls.Where(row => row.Alarm == message.Alarm && row.End == DutyCallEnd.Unanswered).ToListAsync(cancellationToken).ConfigureAwait(false));
            var acknowledged = message.Key.Split(':')[0] + ":acknowledged";
            if (!await db.Messages.AnyAsync(row => row.Key == acknowledged, cancellationToken).ConfigureAwait(false))
            {
                var call = new CallRow { Municipality = message.Municipality, Alarm = message.Alarm, Key = message.Key, BeganAt = now };
                if (turn.Next is { } next)
                {
                    (call.Step, call.Round, call.DueAt) = (next.Step, next.Round, next.At);
                    db.Calls.Add(call);
                }
                else
                {
                    db.PastCalls.Add(Past(call, turn.Round, DutyCallEnd.Unanswered, "", now));
                }
            }

            return [.. subscribers.Where(row => turn.Subscribers.Contains(row.Entered)).Select(row => row.Id)];
        }

        if (message.Kind == NotificationKind.Past)
        {
            // No emergency, so no call: they are told as everybody is.
            return [];
        }

        List<int> rostered = [.. subscribers.Where(row => people.Contains(row.Entered)).Select(row => row.Id)];
        var told = await db.Deliveries.Where(row => row.Alarm == message.Conversation && rostered.Contains(row.SubscriberId)).Select(row => row.SubscriberId).Distinct().ToListAsync(cancellationToken).ConfigureAwait(false);
        subscribers.RemoveAll(row => message.Kind == NotificationKind.Acknowledged ? !told.Contains(row.Id) : people.Contains(row.Entered) && !told.Contains(row.Id));
        return [];
    }

    /// <summary>Moves on the calls that are due; returns when the next one is, null when there is none, and whether anything was queued.</summary>
    public async Task<(DateTime? Next, bool Queued)> MoveOnAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var now = time.GetUtcNow().UtcDateTime;
        var due = await db.Calls.AsNoTracking().Where(row => row.DueAt <= now).OrderBy(row => row.DueAt).Select(row => new { row.Id, row.Municipality }).Take(CountMax).ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var municipality in due.Select(call => call.Municipality).Distinct())
        {
            await members.FollowAsync(await db.Subscribers.AsNoTracking().Where(row => row.Municipality == municipality && row.Role != null).ToListAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }

        var queued = false;
        foreach (var call in due)
        {
            queued |= await MoveOnAsync(call.Id, now, cancellationToken).ConfigureAwait(false);
        }

        var next = due.Count == CountMax ? now : await db.Calls.MinAsync(row => (DateTime?)row.DueAt, cancellationToken).ConfigureAwait(false);
        return (next, queued);
    }

    private async Task<bool> MoveOnAsync(long id, DateTime now, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);

        // The write lock first: what ends a call must not come between its reading and its deliveries.
        await using var transaction = await db.Database.BeginTransactionAsync(System.Data.IsolationLevel.Serializable, cancellationToken).ConfigureAwait(false);
        var call = await db.Calls.SingleOrDefaultAsync(row => row.Id == id, cancellationToken).ConfigureAwait(false);
        if (call is null)
        {
            return false;
        }

        var stored = await db.Messages.SingleOrDefaultAsync(row => row.Key == call.Key, cancellationToken).ConfigureAwait(false);
        var roster = await DutyBook.ReadAsync(db, call.Municipality, cancellationToken).ConfigureAwait(false);
        List<SubscriberRow> called = [];
        if (stored is null || roster is null)
        {
            db.Calls.Remove(call);
            db.PastCalls.Add(Past(call, call.Round, DutyCallEnd.Removed, "", now));
        }
        else
        {
            var message = JsonSerializer.Deserialize<AlarmMessage>(stored.Json)!;
            var concerned = await Planner.EnteredAsync(db, message, cancellationToken).ConfigureAwait(false);
            string[] keys = [KeyOf(call.Key, call.Round), KeyOf(call.Key, call.Round + 1)];
            var told = (await db.Deliveries.Where(row => keys.Contains(row.Key)).Select(row => new { row.Key, row.SubscriberId }).ToListAsync(cancellationToken).ConfigureAwait(false))
                .Join(concerned, delivery => delivery.SubscriberId, row => row.Id, (delivery, row) => (delivery.Key, At: WhereOf(row))).ToHashSet();

            // Who is on two steps, or on one of them by role, is told once in a round; with nobody else there it goes on to the next step.
            bool IsToTell(int round, SubscriberRow row) => !told.Contains((KeyOf(call.Key, round), WhereOf(row)));
            var turn = DutySteps.Of(roster, call.Step, call.Round, now, IsThere((round, entry) => concerned.Exists(row => row.Entered == entry && IsToTell(round, row)), message, now));
            called = [.. concerned.Where(row => turn.Subscribers.Contains(row.Entered) && IsToTell(turn.Round, row)).DistinctBy(WhereOf)];
            foreach (var subscriber in called)
            {
                var delivery = DeliveryRow.Of(stored, message, subscriber, new DeliveryPlan(now, Gathering.Not), now);
                (delivery.Key, delivery.Rank, delivery.CalledAfterSeconds) = (KeyOf(call.Key, turn.Round), DeliveryRow.CallRank, (int)(now - call.BeganAt).TotalSeconds);
                db.Deliveries.Add(delivery);
            }

            if (turn.Next is { } next)
            {
                (call.Step, call.Round, call.DueAt) = (next.Step, next.Round, next.At);
            }
            else
            {
                db.Calls.Remove(call);
                db.PastCalls.Add(Past(call, turn.Round, DutyCallEnd.Unanswered, "", now));
            }
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        foreach (var subscriber in called)
        {
            instruments.Queued(subscriber.Channel);
        }

        return called.Count > 0;
    }

    /// <summary>Key under which somebody is called in a round: that of the message, then one of its own for each repetition, or a receiver would take the repetition for the first call.</summary>
    public static string KeyOf(string key, int round) => round == 0 ? key : string.Create(CultureInfo.InvariantCulture, $"{key}:repeat:{round}");

    /// <summary>Ends the call about an alarm; one that nobody had answered has its answer now.</summary>
    private static async Task EndAsync(NotificationsContext db, AlarmMessage message, DateTime now, CancellationToken cancellationToken)
    {
        var (end, by) = message.Kind == NotificationKind.Acknowledged ? (DutyCallEnd.Acknowledged, message.By) : (DutyCallEnd.Over, "");
        foreach (var call in await db.Calls.Where(row => row.Alarm == message.Alarm).ToListAsync(cancellationToken).ConfigureAwait(false))
        {
            db.Calls.Remove(call);
            db.PastCalls.Add(Past(call, call.Step == 0 && call.Round > 0 ? call.Round - 1 : call.Round, end, by, now));
        }

        foreach (var call in await db.PastCalls.Where(row => row.Alarm == message.Alarm && row.End == DutyCallEnd.Unanswered).ToListAsync(cancellationToken).ConfigureAwait(false))
        {
            (call.End, call.By, call.EndedAt) = (end, by, now);
        }
    }

    private static PastCallRow Past(CallRow call, int round, DutyCallEnd end, string by, DateTime now) =>
        new() { Municipality = call.Municipality, Alarm = call.Alarm, Key = call.Key, Round = round, BeganAt = call.BeganAt, EndedAt = now, End = end, By = by };

    /// <summary>Where somebody is told: the same for a mail address however it came to be on the roster.</summary>
    private static string WhereOf(SubscriberRow row) =>
        row.Channel == ChannelKind.Mail ? RoleMembers.Same(row.Target) : row.Id.ToString(CultureInfo.InvariantCulture);

    private Func<int, DutyEntry, bool> IsThere(Func<int, int, bool> can, AlarmMessage message, DateTime now)
    {
        var clock = hours.LastOrDefault();
        return (round, entry) => can(round, entry.Subscriber) && (entry.Schedule.Length == 0 || clock is null || clock.IsWithin(entry.Schedule, message.Zone, now));
    }
}
