namespace Hub.Cloud.Portal.Read;

/// <summary>Pages that read much of the series are made a few at a time, so that they hold up neither each other nor what is being stored. Safe for concurrent callers.</summary>
internal sealed class LongReads : IDisposable
{
    /// <summary>Pages made at once.</summary>
    public const int RunningMax = 2;

    /// <summary>Pages that wait for their turn at most.</summary>
    public const int WaitingMax = 8;

    private readonly SemaphoreSlim _turns = new(RunningMax);
    private int _waiting;

    /// <summary>Waits for a turn; dispose what is returned when the page is made. Null: too many wait already.</summary>
    public async ValueTask<IDisposable?> TurnAsync(CancellationToken cancellationToken)
    {
        if (!_turns.Wait(0, CancellationToken.None))
        {
            try
            {
                if (Interlocked.Increment(ref _waiting) > WaitingMax)
                {
                    return null;
                }

                await _turns.WaitAsync(cancellationToken);
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }
        }

        return new Turn(_turns);
    }

    public void Dispose() => _turns.Dispose();

    private sealed class Turn(SemaphoreSlim turns) : IDisposable
    {
        public void Dispose() => turns.Release();
    }
}
