using System.Text.Json;
using System.Threading.Channels;
using Hub.Cloud.Notifications.Roles;
using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Outbox;

/// <summary>
/// Delivers what waits in the database, a loop for each channel. What is waiting there is all that there is to know: after a crash the same deliveries are made again, under the same keys.
/// </summary>
internal sealed class DeliveryWorker(
    IEnumerable<INotificationChannel> channels,
    NotificationOutbox outbox,
    RoleMembers members,
    DigestMaker digests,
    IDbContextFactory<NotificationsContext> contexts,
    TimeProvider time,
    IOptions<NotificationsOptions> options,
    NotificationsInstruments instruments,
    ILogger<DeliveryWorker> logger) : BackgroundService
{
    /// <summary>Longest answer kept.</summary>
    public const int AnswerLengthMax = 500;

    private static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PruneEvery = TimeSpan.FromDays(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(channels.Select(channel => RunAsync(channel, stoppingToken)).Append(PruneAsync(stoppingToken)));

    private async Task RunAsync(INotificationChannel channel, CancellationToken stop)
    {
        await Task.Yield();
        var wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
        void Wake() => wake.Writer.TryWrite(true);
        outbox.Queued += Wake;
        var underWay = new Dictionary<int, Task>();
        var retry = RetryMin;
        Task<bool>? woken = null;
        ChannelRate? rate = null;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    foreach (var (subscriber, _) in underWay.Where(entry => entry.Value.IsCompleted).ToList())
                    {
                        underWay.Remove(subscriber, out var done);
                        await done!.ConfigureAwait(false);
                    }

                    rate ??= await RateAsync(channel.Kind, stop).ConfigureAwait(false);
                    var due = await StartDueAsync(channel, underWay, rate, Wake, stop).ConfigureAwait(false);
                    retry = RetryMin;
                    woken = await WaitAsync(wake.Reader, woken, due, stop).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    break;
                }
#pragma warning disable CA1031 // Whatever it is (database busy, disk full): what was not marked is still waiting in the database.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    instruments.Failed(channel.Kind);
                    DeliveryWorkerLog.PassFailed(logger, exception, channel.Kind, retry);
                    await Task.Delay(retry, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    retry = retry * 2 < RetryMax ? retry * 2 : RetryMax;
                }
            }
        }
        finally
        {
            outbox.Queued -= Wake;
            await Task.WhenAll(underWay.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The channel's limit with what was begun before a restart; an attempt that was repeated within the minute counts once of it.</summary>
    private async Task<ChannelRate> RateAsync(ChannelKind channel, CancellationToken stop)
    {
        var rate = new ChannelRate(options.Value.PerMinuteMaxOf(channel));
        if (rate.IsLimited)
        {
            await using var db = await contexts.CreateDbContextAsync(stop).ConfigureAwait(false);
            var since = time.GetUtcNow().UtcDateTime - ChannelRate.Span;
            var begun = await db.Deliveries.Where(row => row.Channel == channel && row.AttemptedAt > since).OrderBy(row => row.AttemptedAt).Select(row => row.AttemptedAt!.Value).ToListAsync(stop).ConfigureAwait(false);
            begun.ForEach(rate.Note);
        }

        return rate;
    }

    /// <summary>
    /// Starts deliveries that are due, at most one for each subscriber: all while there are few, otherwise calls of a roster first, then the more serious, the oldest of each; returns when the next one is due.
    /// </summary>
    private async Task<DateTime?> StartDueAsync(INotificationChannel channel, Dictionary<int, Task> underWay, ChannelRate rate, Action wake, CancellationToken stop)
    {
        await using var db = await contexts.CreateDbContextAsync(stop).ConfigureAwait(false);
        // One instant for all questions: what is not due in the first must be ahead in the last.
        var now = time.GetUtcNow().UtcDateTime;
        var moreToGather = await digests.GatherAsync(channel.Kind, now, stop).ConfigureAwait(false);

        // What was gathered of a lesser level of the rule waits for its hour; the more serious level does not wait with it.
        var ready = db.Deliveries.Where(row => row.Channel == channel.Kind && row.State == DeliveryState.Waiting && row.Gathering == Gathering.Not)
            .Where(row => !db.Deliveries.Any(earlier =>
                earlier.SubscriberId == row.SubscriberId && earlier.OrderKey == row.OrderKey && earlier.State == DeliveryState.Waiting && earlier.Id < row.Id
                && (earlier.Gathering == Gathering.Not || earlier.Severity == row.Severity)));
        var free = options.Value.ConcurrencyPerChannel - underWay.Count;
        DateTime? limited = null;
        if (free > 0)
        {
            var due = await DueAsync(ready, [.. underWay.Keys], now, stop).ConfigureAwait(false);
            List<DeliveryRow> starting = [.. due.Take(Math.Min(free, rate.AllowedAt(now)))];
            if (rate.IsLimited && starting.Count > 0)
            {
                // Before they begin: what a crash interrupts has been counted.
                List<long> ids = starting.ConvertAll(row => row.Id);
                await db.Deliveries.Where(row => ids.Contains(row.Id)).ExecuteUpdateAsync(set => set.SetProperty(row => row.AttemptedAt, now), stop).ConfigureAwait(false);
            }

            // Whoever has no turn for want of room is looked at when somebody is done; for want of allowance, when there is some.
            limited = due.Count > starting.Count && starting.Count < free ? now : null;
            foreach (var delivery in starting)
            {
                rate.Note(now);
                var started = Task.Run(() => DeliverAsync(channel, delivery, stop), CancellationToken.None);
                underWay[delivery.SubscriberId] = started;

                // Woken when it is over, not by its last line: a loop that looks in between would find the subscriber busy and wait for ever.
                _ = started.ContinueWith(_ => wake(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }

        var next = await ready.Where(row => row.NextAt > now).MinAsync(row => (DateTime?)row.NextAt, stop).ConfigureAwait(false);
        var gathered = moreToGather ? now : await DigestMaker.NextAsync(db, channel.Kind, now, stop).ConfigureAwait(false);
        limited = limited is null ? null : rate.NextAt(now);
        return new[] { next, gathered, limited }.Min();
    }

    /// <summary>Deliveries that are due, one for each subscriber, in the order of their turn: at least as many as may begin at once, where there are so many.</summary>
    private async Task<List<DeliveryRow>> DueAsync(IQueryable<DeliveryRow> ready, List<int> busy, DateTime now, CancellationToken stop)
    {
        var countMax = options.Value.ConcurrencyPerChannel * 8;
        var waiting = ready.Where(row => row.NextAt <= now && !busy.Contains(row.SubscriberId)).Include(row => row.Message).AsNoTracking();
        var found = await waiting.OrderBy(row => row.NextAt).ThenBy(row => row.Id).Take(countMax).ToListAsync(stop).ConfigureAwait(false);
        if (found.Count == countMax)
        {
            // There is more: rank by rank, so that each question ends with its first rows.
            found.Clear();
            for (var rank = DeliveryRow.CallRank; rank <= DeliveryRow.RankMax && found.Count < countMax; rank++)
            {
                found.AddRange(await waiting.Where(row => row.Rank == rank).OrderBy(row => row.NextAt).ThenBy(row => row.Id).Take(countMax - found.Count).ToListAsync(stop).ConfigureAwait(false));
            }
        }

        return [.. found.OrderBy(row => row.Rank).ThenBy(row => row.NextAt).ThenBy(row => row.Id).DistinctBy(row => row.SubscriberId)];
    }

    private async Task DeliverAsync(INotificationChannel channel, DeliveryRow delivery, CancellationToken stop)
    {
        await using var db = await contexts.CreateDbContextAsync(stop).ConfigureAwait(false);
        var subscriber = await db.Subscribers.AsNoTracking().SingleOrDefaultAsync(row => row.Id == delivery.SubscriberId, stop).ConfigureAwait(false);
        if (subscriber is null || !await members.StandsAsync(subscriber, stop).ConfigureAwait(false))
        {
            // Removed a moment ago, its deliveries with it; but one that was queued in the same moment would be due for ever.
            await db.Deliveries.Where(row => row.Id == delivery.Id && row.State == DeliveryState.Waiting).ExecuteDeleteAsync(stop).ConfigureAwait(false);
            return;
        }

        var earlier = await db.Deliveries.AsNoTracking()
            .Where(row => row.SubscriberId == delivery.SubscriberId && row.Alarm == delivery.Alarm && row.Id < delivery.Id && row.State == DeliveryState.Delivered)
            .OrderBy(row => row.Id).Select(row => new { row.Key, row.Receipt }).ToListAsync(stop).ConfigureAwait(false);
        var overtaken = delivery.Resent && await db.Deliveries
            .AnyAsync(later => later.SubscriberId == delivery.SubscriberId && later.OrderKey == delivery.OrderKey && later.Id > delivery.Id && later.State == DeliveryState.Delivered, stop).ConfigureAwait(false);
        Attempt attempt;
        try
        {
            attempt = subscriber.PausedUntil > time.GetUtcNow().UtcDateTime
                ? new Attempt(AttemptOutcome.Suppressed, "Not sent: the person has paused.")
                : await channel.SendAsync(
                    Read(delivery, overtaken, subscriber.ToSubscriber(), earlier.ConvertAll(row => row.Key), [.. earlier.Select(row => row.Receipt).Where(receipt => receipt.Length > 0)]), stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Nobody knows whether it arrived: it waits in the database and goes out again under the same key.
            throw;
        }
#pragma warning disable CA1031 // A fault in a channel must not stop the others' messages.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            DeliveryWorkerLog.ChannelBroke(logger, exception, channel.Kind, delivery.Key);
            attempt = new Attempt(AttemptOutcome.Retry, exception.Message);
        }

        await MarkAsync(db, channel, delivery, attempt).ConfigureAwait(false);
    }

    private static Outgoing Read(DeliveryRow delivery, bool overtaken, Subscriber subscriber, IReadOnlyList<string> earlier, IReadOnlyList<string> receipts)
    {
        if (delivery.Kind != NotificationKind.Digest)
        {
            var message = JsonSerializer.Deserialize<AlarmMessage>(delivery.Message!.Json)!;
            message = message with
            {
                Key = delivery.Key,
                UnacknowledgedFor = delivery.CalledAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                CalledAgain = delivery.Key != message.Key,
                Overtaken = overtaken,
            };
            return new(message, subscriber, delivery.CreatedAt, earlier) { EarlierReceipts = receipts };
        }

        var digest = JsonSerializer.Deserialize<DigestContent>(delivery.Message!.Json)!;
        return new(digest.Messages[0] with { Key = delivery.Key, Alarm = delivery.Alarm }, subscriber, delivery.CreatedAt, earlier) { Digest = digest };
    }

    /// <summary>Marks the outcome. Not cancelled by a stop: what the receiver has taken should not go out again.</summary>
    private async Task MarkAsync(NotificationsContext db, INotificationChannel channel, DeliveryRow delivery, Attempt attempt)
    {
        instruments.Attempted(channel.Kind, attempt.Outcome.ToString());
        var now = time.GetUtcNow().UtcDateTime;
        var attempts = delivery.Attempts + 1;

        // What a channel reports may quote whatever the other side sent, a broken status line for one: it is read on a terminal and in a page.
        var answer = string.Concat(attempt.Answer.Take(AnswerLengthMax).Select(c => char.IsControl(c) ? ' ' : c));
        var state = attempt.Outcome switch
        {
            AttemptOutcome.Delivered => DeliveryState.Delivered,
            AttemptOutcome.Suppressed => DeliveryState.Suppressed,
            AttemptOutcome.Retry => DeliveryState.Waiting,
            _ => DeliveryState.Dead,
        };
        var nextAt = delivery.NextAt;
        if (state == DeliveryState.Waiting)
        {
#pragma warning disable CA5394 // Jitter, not a secret.
            var wait = RetrySchedule.Next(attempts, options.Value.EffectiveRetryDelays, attempt.RetryAfter, Random.Shared.NextDouble());
#pragma warning restore CA5394
            state = wait is null ? DeliveryState.Dead : state;
            nextAt = now + (wait ?? TimeSpan.Zero);
        }

        DateTime? deliveredAt = state == DeliveryState.Delivered ? now : null;
        var marked = await db.Deliveries.Where(row => row.Id == delivery.Id).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.State, state).SetProperty(row => row.Attempts, attempts).SetProperty(row => row.Answer, answer)
            .SetProperty(row => row.Receipt, attempt.Receipt).SetProperty(row => row.NextAt, nextAt).SetProperty(row => row.DeliveredAt, deliveredAt)).ConfigureAwait(false);
        if (marked == 1 && state != DeliveryState.Waiting)
        {
            instruments.Finished(channel.Kind, state.ToString());
        }

        if (state == DeliveryState.Dead)
        {
            DeliveryWorkerLog.GivenUp(logger, delivery.Key, delivery.TargetMasked, channel.Kind, attempts, answer);
        }

        if (attempt.Outcome == AttemptOutcome.Disable)
        {
            DeliveryWorkerLog.SwitchedOff(logger, delivery.SubscriberId, delivery.TargetMasked, answer);
            await db.Subscribers.Where(row => row.Id == delivery.SubscriberId).ExecuteUpdateAsync(set => set.SetProperty(row => row.DisabledBecause, answer)).ConfigureAwait(false);
            var dropped = await db.Deliveries.Where(row => row.SubscriberId == delivery.SubscriberId && row.State == DeliveryState.Waiting)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.State, DeliveryState.Dead).SetProperty(row => row.Answer, $"Not sent: {answer}")).ConfigureAwait(false);
            instruments.Finished(channel.Kind, nameof(DeliveryState.Dead), dropped);
        }
    }

    /// <summary>Waits for a word or a time. A wait for a word that was not answered is given back, to be taken up again: to cancel one costs an exception.</summary>
    private async Task<Task<bool>?> WaitAsync(ChannelReader<bool> wake, Task<bool>? woken, DateTime? due, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        woken ??= wake.WaitToReadAsync(stop).AsTask();
        if (due is { } at)
        {
            var wait = at - time.GetUtcNow().UtcDateTime;
            var delay = Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, time, over.Token);

            // The clock may have gone on between the question and the wait.
            if (time.GetUtcNow().UtcDateTime < at)
            {
                await Task.WhenAny(woken, delay).ConfigureAwait(false);
            }
        }
        else
        {
            await woken.ConfigureAwait(false);
        }

        await over.CancelAsync().ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
        if (!woken.IsCompleted)
        {
            return woken;
        }

        wake.TryRead(out _);
        return null;
    }

    /// <summary>Forgets finished deliveries, keys and public alerts older than the log is kept, and secrets that are not used any more.</summary>
    private async Task PruneAsync(CancellationToken stop)
    {
        await Task.Yield();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var db = await contexts.CreateDbContextAsync(stop).ConfigureAwait(false);
                var now = time.GetUtcNow().UtcDateTime;
                var before = now - options.Value.LogKeep;
                await db.Deliveries.Where(row => row.State != DeliveryState.Waiting && row.CreatedAt < before).ExecuteDeleteAsync(stop).ConfigureAwait(false);
                await db.Messages.Where(row => row.CreatedAt < before && !db.Deliveries.Any(delivery => delivery.MessageId == row.Id)).ExecuteDeleteAsync(stop).ConfigureAwait(false);
                await db.PastCalls.Where(row => row.EndedAt < before).ExecuteDeleteAsync(stop).ConfigureAwait(false);
                await db.CapAlerts.Where(row => row.SentAt < before).ExecuteDeleteAsync(stop).ConfigureAwait(false);
                await db.Subscribers.Where(row => row.SecretPreviousUntil < now)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.SecretPrevious, "").SetProperty(row => row.SecretPreviousUntil, (DateTime?)null), stop).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException && exception is System.Data.Common.DbException)
            {
                DeliveryWorkerLog.PassFailed(logger, exception, ChannelKind.Off, PruneEvery);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(PruneEvery, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
