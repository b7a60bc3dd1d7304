using System.Globalization;
using Hub.Cloud.Series;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Api;

/// <summary>
/// Limits of what is asked of the series: rows of one question, time of the store, large questions at once. Safe for concurrent callers.
/// </summary>
internal sealed class QueryGuard(IOptions<ApiOptions> options, TimeProvider time, ApiInstruments instruments) : IDisposable
{
    /// <summary>A question that reads more observations than this is a large one and waits for its turn.</summary>
    public const long RowsSmall = 100_000;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim turns = new(options.Value.QueriesMax);
    private int waiting;

    /// <summary>Starts the clock of one request.</summary>
    /// <param name="aborted">Cancelled when the caller has gone.</param>
    public StoreClock Clock(CancellationToken aborted) => new(options.Value.QueryTimeout, time, aborted);

    /// <summary>Refuses what reads too much, with what to ask instead.</summary>
    /// <param name="rows">Observations read, about, or what as many cost (<see cref="QuestionCost"/>).</param>
    /// <param name="span">Stretch asked for.</param>
    public void Demand(long rows, TimeSpan span)
    {
        var most = options.Value.QueryRowsMax;
        if (rows > most)
        {
            var shorter = TimeSpan.FromDays(Math.Max(1, Math.Floor(span.TotalDays * most / rows)));
            throw new ProblemException(
                Problems.RangeTooLarge,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"This reads about {rows} observations, or cells of rollups that cost as much; {most} at once is the limit. Ask for at most {Words.Of(shorter)} at a time, or page through the observations as they are stored (without every, points and stat)."),
                "from");
        }
    }

    /// <summary>Waits for the turn of a question; dispose what is returned when it is answered. A small one is let in at once.</summary>
    /// <param name="rows">As for <see cref="Demand"/>.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ProblemException">Too many wait already.</exception>
    public async ValueTask<IDisposable?> TurnAsync(long rows, CancellationToken cancellationToken)
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
                throw new ProblemException(
                    Problems.TooManyQueries, $"{options.Value.QueriesMax} large questions are being answered and {4 * options.Value.QueriesMax} wait for their turn.") { RetryAfter = RetryAfter };
            }

            instruments.QueriesWaiting(1);
            try
            {
                await turns.WaitAsync(cancellationToken);
            }
            finally
            {
                instruments.QueriesWaiting(-1);
                Interlocked.Decrement(ref waiting);
            }
        }

        instruments.QueriesRunning(1);
        return new Turn(turns, instruments);
    }

    public void Dispose() => turns.Dispose();

    private sealed class Turn(SemaphoreSlim turns, ApiInstruments instruments) : IDisposable
    {
        public void Dispose()
        {
            instruments.QueriesRunning(-1);
            turns.Release();
        }
    }
}

/// <summary>Counts the time the store takes for one request, and leaves out what the caller takes to read. Used by one request.</summary>
internal sealed class StoreClock : IDisposable
{
    private readonly CancellationTokenSource late;
    private readonly CancellationTokenSource either;
    private readonly TimeSpan timeout;

    public StoreClock(TimeSpan timeout, TimeProvider time, CancellationToken aborted)
    {
        this.timeout = timeout;
        late = new CancellationTokenSource(timeout, time);
        either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, aborted);
    }

    /// <summary>Cancelled when the store has taken too long, or the caller has gone.</summary>
    public CancellationToken Token => either.Token;

    /// <summary>Whether the store has taken too long.</summary>
    public bool Late => late.IsCancellationRequested;

    /// <summary>The store is asked for more: it has the whole time again.</summary>
    public void Start() => late.CancelAfter(timeout);

    /// <summary>The caller reads: that may take as long as the server lets it.</summary>
    public void Stop() => late.CancelAfter(Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        either.Dispose();
        late.Dispose();
    }
}
