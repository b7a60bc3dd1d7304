using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sampling;

/// <summary>
/// The one way into the outbox: one append at a time, offered again until the disk takes it. While it waits the sensors wait, and so do their sources.
/// </summary>
internal sealed partial class OutboxDoor(IOutbox outbox, SamplingOptions options, TimeProvider time, SamplingInstruments instruments, ILogger<OutboxDoor> logger) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);

    /// <summary>The last durable position of a sensor.</summary>
    public ReadOnlyMemory<byte> Cursor(string sensor) => outbox.Cursor(sensor);

    /// <summary>Appends readings with their source's position; when it completes the outbox has them.</summary>
    public async Task AppendAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            int failures = 0;
            while (true)
            {
                try
                {
                    await outbox.AppendAsync(readings, cursor, cancellationToken).ConfigureAwait(false);
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

                await Task.Delay(options.OutboxPause, time, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => turn.Dispose();

    [LoggerMessage(Level = LogLevel.Error, Message = "The outbox could not write: is the disk full? The sensors wait until it can.")]
    private static partial void LogRefuses(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "The outbox writes again after {Failures} failures.")]
    private static partial void LogTakesAgain(ILogger logger, int failures);
}
