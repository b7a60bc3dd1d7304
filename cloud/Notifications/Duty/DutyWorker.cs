using System.Threading.Channels;
using Hub.Cloud.Notifications.Outbox;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Notifications.Duty;

/// <summary>Waits for the calls that nobody has answered, and moves them on.</summary>
internal sealed partial class DutyWorker(DutyCalls calls, NotificationOutbox outbox, TimeProvider time, ILogger<DutyWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WaitMax = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
        void Wake() => wake.Writer.TryWrite(true);
        outbox.Queued += Wake;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var next = time.GetUtcNow().UtcDateTime + WaitMax;
                try
                {
                    var (due, queued) = await calls.MoveOnAsync(stoppingToken).ConfigureAwait(false);
                    next = due < next ? due.Value : next;
                    if (queued)
                    {
                        outbox.WakeUp();
                    }
                }
                catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
                {
                    return;
                }
#pragma warning disable CA1031 // Whatever it is (database busy, disk full): the calls are still there.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    CallsFailed(logger, exception, Retry);
                    next = time.GetUtcNow().UtcDateTime + Retry;
                }

                await WaitAsync(wake.Reader, next, stoppingToken).ConfigureAwait(false);
            }
        }
        finally
        {
            outbox.Queued -= Wake;
        }
    }

    private async Task WaitAsync(ChannelReader<bool> wake, DateTime until, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var wait = until - time.GetUtcNow().UtcDateTime;
        var delay = Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, time, over.Token);

        // The clock may have gone on between the question and the wait.
        if (time.GetUtcNow().UtcDateTime < until)
        {
            var woken = wake.WaitToReadAsync(over.Token).AsTask();
            await Task.WhenAny(woken, delay).ConfigureAwait(false);
        }

        wake.TryRead(out _);
        await over.CancelAsync().ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The roster's calls could not be moved on; tried again in {Retry}.")]
    private static partial void CallsFailed(ILogger logger, Exception exception, TimeSpan retry);
}
