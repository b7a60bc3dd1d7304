using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Thresholds;

/// <summary>
/// Keeps one output as its rule wants it: switches on a change, tries again after a failure, tells again what does not hold any more, and leaves it off at an orderly end. No failure escapes.
/// </summary>
/// <param name="rule">Slug of the rule.</param>
/// <param name="onlyWithoutHub">True to be on only while the hub is out of reach.</param>
/// <param name="output">The output.</param>
/// <param name="book">Where the alarm stands.</param>
/// <param name="reach">Whether the hub is out of reach.</param>
/// <param name="options">Pauses.</param>
/// <param name="instruments">Counters.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Log.</param>
internal sealed partial class ActionRunner(
    string rule, bool onlyWithoutHub, IOutput output, ThresholdBook book, HubReach reach, ThresholdsOptions options, ThresholdsInstruments instruments, TimeProvider time, ILogger logger)
{
    // A look at the connection, and at whether what was set still holds.
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(1);

    private readonly Channel<bool> wakes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private bool? applied;
    private bool attempted;
    private int failures;

    /// <summary>Look again now. From any thread; never waits.</summary>
    public void Wake() => wakes.Writer.TryWrite(true);

    /// <summary>Runs until cancelled, then leaves the output off.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                TimeSpan pause = await ApplyAsync(cancellationToken).ConfigureAwait(false) ? LookInterval : ThresholdsDecisions.RetryPause(failures, options);
                await WaitAsync(pause, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await StopAsync().ConfigureAwait(false);
        }
        finally
        {
            await output.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<bool> ApplyAsync(CancellationToken cancellationToken)
    {
        AlarmWord word = book.Word(rule);
        word = word with { On = ThresholdsDecisions.IsOn(word.On, onlyWithoutHub, reach.IsOutOfReach) };
        if (applied == word.On && output.Holds)
        {
            return true;
        }

        // An attempt that was broken off may have done it.
        attempted = true;
        try
        {
            await output.SetAsync(word, stopping: false, cancellationToken).ConfigureAwait(false);
            if (failures > 0)
            {
                LogWorksAgain(logger, rule, output.What, failures);
            }

            // The first word of off only makes sure of it.
            if (applied != word.On && (word.On || applied is not null))
            {
                instruments.Switched(rule, word.On);
                LogSwitched(logger, rule, output.What, word.On ? "on" : "off");
            }

            (applied, failures) = (word.On, 0);
            return true;
        }
        catch (OutputException exception)
        {
            instruments.ActionFailed(rule);
            if (failures++ == 0)
            {
                LogFailed(logger, rule, exception.Message, exception);
            }

            return false;
        }
    }

    private async Task WaitAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<bool> woken = wakes.Reader.WaitToReadAsync(either.Token).AsTask();

        // After a failure only the pause counts: readings must not drive the attempts.
        await Task.WhenAny(Task.Delay(pause, time, either.Token), failures > 0 ? Task.Delay(Timeout.InfiniteTimeSpan, time, either.Token) : woken).ConfigureAwait(false);
        await either.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        wakes.Reader.TryRead(out _);
    }

    private async Task StopAsync()
    {
        if (!attempted)
        {
            // Never touched: left alone.
            return;
        }

        using var limit = new CancellationTokenSource(StopPatience, time);
        try
        {
            await output.SetAsync(book.Word(rule) with { On = false }, stopping: true, limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is OutputException or OperationCanceledException)
        {
            instruments.ActionFailed(rule);
            LogLeft(logger, rule, output.What, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Threshold {Rule}: {Output} is {State}.")]
    private static partial void LogSwitched(ILogger logger, string rule, string output, string state);

    [LoggerMessage(Level = LogLevel.Error, Message = "Threshold {Rule}: {Problem} It is tried again; further failures are only counted.")]
    private static partial void LogFailed(ILogger logger, string rule, string problem, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Threshold {Rule}: {Output} works again after {Failures} failures.")]
    private static partial void LogWorksAgain(ILogger logger, string rule, string output, int failures);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Threshold {Rule}: {Output} could not be switched off at the end.")]
    private static partial void LogLeft(ILogger logger, string rule, string output, Exception exception);
}
