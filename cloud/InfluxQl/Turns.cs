using System.Globalization;
using Hub.Cloud.InfluxQl.Language;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.InfluxQl;

/// <summary>
/// Turns of questions that read much: a few are answered at once, some wait, more are refused; small ones are let in at once. So whoever asks for years of everything holds up neither those who look at a day nor what
/// is being stored. The same rule as the API's (cloud/Api/QueryGuard.cs), with turns of its own. Safe for concurrent callers.
/// </summary>
internal sealed class Turns(IOptions<InfluxQlOptions> options, InfluxQlInstruments instruments) : IDisposable
{
    /// <summary>A question that reads more observations than this waits for its turn.</summary>
    public const long RowsSmall = 100_000;

    private readonly SemaphoreSlim turns = new(options.Value.QueriesMax);
    private int waiting;

    /// <summary>Waits for a turn; dispose what is returned when the question is answered. Null for a small one.</summary>
    /// <exception cref="RefusedException">Too many wait already.</exception>
    public async ValueTask<IDisposable?> TakeAsync(long rows, CancellationToken cancellationToken)
    {
        if (rows <= RowsSmall)
        {
            return null;
        }

        if (!turns.Wait(0, CancellationToken.None))
        {
            if (Interlocked.Increment(ref waiting) > 4 * options.Value.QueriesMax)
            {
                Interlocked.Decrement(ref waiting);
                throw new RefusedException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{options.Value.QueriesMax} large questions are being answered ({InfluxQlOptions.Section}:{nameof(options.Value.QueriesMax)}) and {4 * options.Value.QueriesMax} wait for their turn: ask again in a few seconds, or for less"));
            }

            try
            {
                await turns.WaitAsync(cancellationToken);
            }
            finally
            {
                Interlocked.Decrement(ref waiting);
            }
        }

        instruments.LargeRunning(1);
        return new Turn(turns, instruments);
    }

    public void Dispose() => turns.Dispose();

    private sealed class Turn(SemaphoreSlim turns, InfluxQlInstruments instruments) : IDisposable
    {
        public void Dispose()
        {
            instruments.LargeRunning(-1);
            turns.Release();
        }
    }
}
