using System.Threading.Channels;
using Hub.Cloud.Notifications.Mail;
using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.Sms;
using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MimeKit;

namespace Hub.Cloud.Notifications.SignUp;

/// <summary>
/// Answers requests with one mail or SMS each, out of the database, and forgets them when they expire. After a crash the same goes out again under the same Message-ID or key.
/// </summary>
internal sealed class LetterWorker(
    SignUpDesk desk,
    SignUpKey keys,
    MailTransport transport,
    SmsGateway gateway,
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
        var attempt = await LetterAsync(db, request, stop).ConfigureAwait(false) is { } letter
            ? await SendAsync(request, letter, stop).ConfigureAwait(false)
            : new Attempt(AttemptOutcome.Suppressed, "");
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

    /// <summary>What to say, to whom and in which language; null when there is nothing to send to this address.</summary>
    private async Task<Letter?> LetterAsync(NotificationsContext db, RequestRow request, CancellationToken stop)
    {
        var key = await keys.GetAsync(stop).ConfigureAwait(false);
        var root = options.Value.PublicUrl.TrimEnd('/');
        if (request.Kind == RequestKind.Confirm)
        {
            return new(request.Target, request.Language, $"{root}{MailLinks.ConfirmPath}?t={SignedToken.Make(key, LinkPurpose.Confirm, request.Stamp, request.ExpiresAt)}");
        }

        var person = await db.Subscribers.AsNoTracking()
            .Where(row => row.Stamp != null && row.TargetKey == request.TargetKey && row.Channel == request.Channel).OrderBy(row => row.Id).FirstOrDefaultAsync(stop).ConfigureAwait(false);
        if (person is null)
        {
            return null;
        }

        var until = request.CreatedAt + options.Value.SignUp.PreferencesLinkKeep;
        return new(person.Target, person.Language, $"{root}{MailLinks.PreferencesPath}?t={SignedToken.Make(key, LinkPurpose.Preferences, person.Stamp!.Value, until)}");
    }

    private async Task<Attempt> SendAsync(RequestRow request, Letter letter, CancellationToken stop)
    {
        var isConfirmation = request.Kind == RequestKind.Confirm;
        if (request.Channel == ChannelKind.Sms)
        {
            var text = isConfirmation ? SmsText.Confirm(request.MunicipalityName, letter.Link, letter.Language) : SmsText.Preferences(letter.Link, letter.Language);
            return await gateway.SendAsync(letter.Target, text, $"{request.Stamp:N}", stop).ConfigureAwait(false);
        }

        var words = isConfirmation
            ? LetterText.Confirm(letter.Language, request.MunicipalityName, request.Summary, letter.Link, options.Value.SignUp.ConfirmWithin)
            : LetterText.Preferences(letter.Language, letter.Link);
        using var mail = MailComposer.Letter(request.Stamp, letter.Target, letter.Language, words, options.Value, time.GetUtcNow());
        return await transport.SendAsync(mail, $"{request.Stamp:N}.eml", stop).ConfigureAwait(false);
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

    private sealed record Letter(string Target, string Language, string Link);
}
