namespace Hub.Cloud.QualityControl;

/// <summary>One at a time writes findings: the worker judges and stores in one turn, and what takes findings away with their observations does so between two.</summary>
internal sealed class JudgeTurn : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private long _removals;

    /// <summary>How often observations were removed: what was read before is no longer what is stored.</summary>
    public long Removals => Volatile.Read(ref _removals);

    /// <summary>Waits for the turn; dispose what is returned to give it back.</summary>
    public async ValueTask<IDisposable> TakeAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Taken(_turn);
    }

    /// <summary>Observations were removed. Called in the turn.</summary>
    public void Removed() => Interlocked.Increment(ref _removals);

    public void Dispose() => _turn.Dispose();

    private sealed class Taken(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
