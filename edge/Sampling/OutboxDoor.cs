using System.Runtime.CompilerServices;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sampling;

/// <summary>
/// The one way into the outbox: one append at a time, offered again until the disk takes it. While it waits the sensors wait, and so do their sources.
/// </summary>
internal sealed partial class OutboxDoor(IOutbox outbox, SamplingOptions options, TimeProvider time, SamplingInstruments instruments, ILogger<OutboxDoor> logger) : IDisposable
{
    /// <summary>For <see cref="attemptAt"/>: no attempt runs.</summary>
    private const long None = long.MinValue;

    private readonly SemaphoreSlim turn = new(1, 1);
    private long attemptAt = None;
    private volatile SamplingOptions options = options;

    /// <summary>Other settings from now on.</summary>
    public void Use(SamplingOptions other) => options = other;

    /// <summary>How long the attempt that runs now has been running; zero when none does.</summary>
    public TimeSpan Busy => Interlocked.Read(ref attemptAt) is var at && at == None ? TimeSpan.Zero : time.GetElapsedTime(at);

    /// <summary>The last durable position of a sensor.</summary>
    public ReadOnlyMemory<byte> Cursor(string sensor) => outbox.Cursor(sensor);

    /// <summary>Appends readings with their source's position; when it completes the outbox has them.</summary>
    public ValueTask AppendAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        // The usual way: nobody is in front, the outbox takes it at once, and nothing is allocated.
        if (cancellationToken.IsCancellationRequested || !turn.Wait(0, CancellationToken.None))
        {
            return WaitAsync(readings, cursor, cancellationToken);
        }

        ValueTask attempt = Attempt(readings, cursor, cancellationToken);
        if (!attempt.IsCompletedSuccessfully)
        {
            return FinishAsync(attempt, readings, cursor, cancellationToken);
        }

        attempt.GetAwaiter().GetResult();
        Leave();
        return default;
    }

    private async ValueTask WaitAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        await FinishAsync(Attempt(readings, cursor, cancellationToken), readings, cursor, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits for an attempt, and makes further ones until the disk takes it.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FinishAsync(ValueTask attempt, ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        try
        {
            int failures = 0;
            while (true)
            {
                try
                {
                    await attempt.ConfigureAwait(false);
                    if (failures > 0)
                    {
                        LogTakesAgain(logger, failures);
                    }

                    return;
                }
                catch (IOException exception)
                {
                    instruments.AppendFailed();
                    if (failures++ == 0)
                    {
                        LogRefuses(logger, exception);
                    }
                }
                finally
                {
                    Interlocked.Exchange(ref attemptAt, None);
                }

                await Task.Delay(options.OutboxPause, time, cancellationToken).ConfigureAwait(false);
                attempt = Attempt(readings, cursor, cancellationToken);
            }
        }
        finally
        {
            Leave();
        }
    }

    private ValueTask Attempt(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        Interlocked.Exchange(ref attemptAt, time.GetTimestamp());
        try
        {
            return outbox.AppendAsync(readings, cursor, cancellationToken);
        }
#pragma warning disable CA1031 // However it fails, who waits for it hears it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return ValueTask.FromException(exception);
        }
    }

    private void Leave()
    {
        Interlocked.Exchange(ref attemptAt, None);
        turn.Release();
    }

    /// <inheritdoc/>
    public void Dispose() => turn.Dispose();

    [LoggerMessage(Level = LogLevel.Error, Message = "The outbox could not write: is the disk full? The sensors wait until it can.")]
    private static partial void LogRefuses(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "The outbox writes again after {Failures} failures.")]
    private static partial void LogTakesAgain(ILogger logger, int failures);
}
