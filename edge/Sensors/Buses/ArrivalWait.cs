using System.Threading.Tasks.Sources;

namespace Hub.Edge.Sensors.Buses;

/// <summary>
/// Waits for something to arrive, again and again, without allocating for it: a lidar's port is waited for a hundred times a second, for years. One wait at a time; everything but the
/// wait itself happens under the owner's lock.
/// </summary>
/// <param name="gate">The owner's lock.</param>
/// <param name="time">Clock of the patience.</param>
internal sealed class ArrivalWait(Lock gate, TimeProvider time) : IValueTaskSource, IDisposable
{
    private ManualResetValueTaskSourceCore<bool> core = new() { RunContinuationsAsynchronously = true };
    private ITimer? timer;
    private CancellationTokenRegistration registration;
    private CancellationToken token;
    private TimeSpan patience;
    private long startedAt;
    private bool waits;

    /// <summary>Begins a wait, which ends with <see cref="End"/>, when the patience is over, or with an <see cref="OperationCanceledException"/>. Called with the lock held.</summary>
    /// <exception cref="InvalidOperationException">Somebody waits already.</exception>
    public ValueTask BeginAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (waits)
        {
            throw new InvalidOperationException("One reader at a time.");
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        if (patience == TimeSpan.Zero)
        {
            return ValueTask.CompletedTask;
        }

        core.Reset();
        (waits, this.patience, token, startedAt) = (true, patience, cancellationToken, time.GetTimestamp());
        timer ??= time.CreateTimer(static self => ((ArrivalWait)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(patience, Timeout.InfiniteTimeSpan);
        registration = cancellationToken.UnsafeRegister(static self => ((ArrivalWait)self!).OnCancelled(), this);
        return new ValueTask(this, core.Version);
    }

    /// <summary>Something has arrived. Called with the lock held.</summary>
    public void End()
    {
        if (waits)
        {
            waits = false;
            core.SetResult(true);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => timer?.Dispose();

    /// <inheritdoc/>
    public void GetResult(short token)
    {
        // Before the next wait may begin: a cancellation of this one must not end that. What cancels holds no lock that is needed here.
        registration.Dispose();
        core.GetResult(token);
    }

    /// <inheritdoc/>
    public ValueTaskSourceStatus GetStatus(short token) => core.GetStatus(token);

    /// <inheritdoc/>
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => core.OnCompleted(continuation, state, token, flags);

    private void OnTimer()
    {
        lock (gate)
        {
            if (!waits)
            {
                return;
            }

            // The timer of a wait before this one may come late.
            TimeSpan left = patience - time.GetElapsedTime(startedAt);
            if (left > TimeSpan.Zero)
            {
                timer!.Change(left < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : left, Timeout.InfiniteTimeSpan);
                return;
            }

            End();
        }
    }

    private void OnCancelled()
    {
        lock (gate)
        {
            if (waits)
            {
                waits = false;
                core.SetException(new OperationCanceledException(token));
            }
        }
    }
}
