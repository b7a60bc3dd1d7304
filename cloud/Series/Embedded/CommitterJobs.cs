namespace Hub.Cloud.Series;

/// <summary>Small pieces of work that must run on the committer's thread, between two groups.</summary>
internal sealed class CommitterJobs(Action wake)
{
    private readonly Lock _lock = new();
    private readonly Queue<Action<Exception?>> _jobs = new();
    private Exception? _closed;

    /// <summary>Runs a job on the committer's thread; what it throws ends the task.</summary>
    public Task<T> RunAsync<T>(Func<T> job)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_closed is { } reason)
            {
                return Task.FromException<T>(reason);
            }

            _jobs.Enqueue(refused => Do(job, done, refused));
        }

        wake();
        return done.Task;
    }

    /// <summary>Called by the committer: runs everything that waits.</summary>
    public void RunAll()
    {
        while (TryTake(out var job))
        {
            job(null);
        }
    }

    /// <summary>Called by the committer when it ends: what waits and what comes later is refused.</summary>
    public void Close(Exception reason)
    {
        lock (_lock)
        {
            _closed = reason;
        }

        while (TryTake(out var job))
        {
            job(reason);
        }
    }

    private static void Do<T>(Func<T> job, TaskCompletionSource<T> done, Exception? refused)
    {
        if (refused is not null)
        {
            done.SetException(refused);
            return;
        }

        try
        {
            done.SetResult(job());
        }
#pragma warning disable CA1031 // It belongs to whoever asked for the job; the committer goes on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            done.SetException(e);
        }
    }

    private bool TryTake(out Action<Exception?> job)
    {
        lock (_lock)
        {
            return _jobs.TryDequeue(out job!);
        }
    }
}
