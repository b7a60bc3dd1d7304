using System.Threading.Channels;
using Hub.Cloud.Notifications.Mail;
using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MimeKit;

namespace Hub.Cloud.Notifications.SignUp;

/// <summary>
/// Answers requests with one mail each, out of the database, and forgets them when they expire. After a crash the same mail goes out again under the same Message-ID.
/// </summary>
internal sealed class LetterWorker(
    SignUpDesk desk,
    SignUpKey keys,
    MailTransport transport,
    IDbContextFactory<NotificationsContext> contexts,
    TimeProvider time,
    IOptions<NotificationsOptions> options,
    NotificationsInstruments instruments,
    ILogger<LetterWorker> logger) : BackgroundService
{
    private const int BatchMax = 32;
    private static readonly TimeSpan FailedWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
        void Wake() => wake.Writer.TryWrite(true);
        desk.Requested += Wake;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                try
                {
                    var next = await PassAsync(stoppingToken).ConfigureAwait(false);
                    await WaitAsync(wake.Reader, next, stoppingToken).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
                {
                    break;
                }
#pragma warning disable CA1031 // Whatever it is (database busy, disk full): what was not marked is still due in the database.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    LetterWorkerLog.PassFailed(logger, exception, FailedWait);
                    await Task.Delay(FailedWait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
        finally
        {
            desk.Requested -= Wake;
        }
    }

    /// <summary>Forgets what has expired and sends what is due; returns when to look again.</summary>
    private async Task<DateTime> PassAsync(CancellationToken stop)
    {
        await using var db = await contexts.CreateDbContextAsync(stop).ConfigureAwait(false);
        var now = time.GetUtcNow().UtcDateTime;
        instruments.SignedUp("expired", await db.Requests.Where(row => row.ExpiresAt <= now).ExecuteDeleteAsync(stop).ConfigureAwait(false));
        var due = await db.Requests.Where(row => row.NextAt <= now).AsNoTracking().OrderBy(row => row.NextAt).ThenBy(row => row.Id).Take(BatchMax).ToListAsync(stop).ConfigureAwait(false);
        foreach (var request in due)
        {
            await AnswerAsync(db, request, stop).ConfigureAwait(false);
        }

        if (due.Count == BatchMax)
        {
            return now;
        }

        var next = await db.Requests.MinAsync(row => row.NextAt, stop).ConfigureAwait(false);
        var expires = await db.Requests.MinAsync(row => (DateTime?)row.ExpiresAt, stop).ConfigureAwait(false);
        return new[] { next, expires, now + LookEvery }.Min()!.Value;
    }

    private async Task AnswerAsync(NotificationsContext db, RequestRow request, CancellationToken stop)
    {
        using var mail = await ComposeAsync(db, request, stop).ConfigureAwait(false);
        var attempt = mail is null
            ? new Attempt(AttemptOutcome.Suppressed, "")
            : await transport.SendAsync(mail, $"{request.Stamp:N}.eml", stop).ConfigureAwait(false);
        var attempts = request.Attempts + 1;
        DateTime? nextAt = null;
        if (attempt.Outcome == AttemptOutcome.Retry && RetrySchedule.Next(attempts, options.Value.EffectiveRetryDelays, attempt.RetryAfter, 0) is { } wait)
        {
            nextAt = time.GetUtcNow().UtcDateTime + wait;
        }
        else if (attempt.Outcome is not (AttemptOutcome.Delivered or AttemptOutcome.Suppressed))
        {
            LetterWorkerLog.GivenUp(logger, request.Id, attempts);
        }

        // Not cancelled by a stop: what the receiver has taken should not go out again. The row stays until it expires, for what went to an address within a day is counted.
        await db.Requests.Where(row => row.Id == request.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.NextAt, nextAt).SetProperty(row => row.Attempts, attempts), CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>The mail; null when there is nothing to send to this address.</summary>
    private async Task<MimeMessage?> ComposeAsync(NotificationsContext db, RequestRow request, CancellationToken stop)
    {
        var key = await keys.GetAsync(stop).ConfigureAwait(false);
        var root = options.Value.PublicUrl.TrimEnd('/');
        if (request.Kind == RequestKind.Confirm)
        {
            var token = SignedToken.Make(key, LinkPurpose.Confirm, request.Stamp, request.ExpiresAt);
            var link = $"{root}{MailLinks.ConfirmPath}?t={token}";
            return MailComposer.Letter(
                request.Stamp, request.Target, request.Language, LetterText.Confirm(request.Language, request.MunicipalityName, request.Summary, link, options.Value.SignUp.ConfirmWithin),
                options.Value, time.GetUtcNow());
        }

        var person = await db.Subscribers.AsNoTracking()
            .Where(row => row.Stamp != null && row.TargetKey == request.TargetKey && row.Channel == request.Channel).OrderBy(row => row.Id).FirstOrDefaultAsync(stop).ConfigureAwait(false);
        if (person is null)
        {
            return null;
        }

        var until = request.CreatedAt + options.Value.SignUp.PreferencesLinkKeep;
        var preferences = $"{root}{MailLinks.PreferencesPath}?t={SignedToken.Make(key, LinkPurpose.Preferences, person.Stamp!.Value, until)}";
        return MailComposer.Letter(request.Stamp, person.Target, person.Language, LetterText.Preferences(person.Language, preferences), options.Value, time.GetUtcNow());
    }

    private async Task WaitAsync(ChannelReader<bool> wake, DateTime due, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var woken = wake.WaitToReadAsync(over.Token).AsTask();
        var wait = due - time.GetUtcNow().UtcDateTime;
        var delay = Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, time, over.Token);

        // The clock may have gone on between the question and the wait.
        if (time.GetUtcNow().UtcDateTime < due)
        {
            await Task.WhenAny(woken, delay).ConfigureAwait(false);
        }

        await over.CancelAsync().ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
        wake.TryRead(out _);
    }
}
