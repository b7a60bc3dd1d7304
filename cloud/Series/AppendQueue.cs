namespace Hub.Cloud.Series;

/// <summary>One call of <see cref="ISeries.AppendAsync"/> on its way to a group commit. Its fields other than the completion belong to the queue's lock.</summary>
internal sealed class PendingAppend(ReadOnlyMemory<Observation> observations)
{
    public ReadOnlyMemory<Observation> Observations { get; } = observations;

    /// <summary>Continuations never run on the committer's thread.</summary>
    public TaskCompletionSource<AppendReceipt> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PendingState State { get; set; }
}

/// <summary>Where a call is.</summary>
internal enum PendingState
{
    /// <summary>The queue is full: waits for its turn to be admitted.</summary>
    Waiting,

    /// <summary>Counts against the queue's limit, waits for the next group.</summary>
    Queued,

    /// <summary>Belongs to a group commit: can no longer be withdrawn.</summary>
    Taken,

    /// <summary>Cancelled before it was taken.</summary>
    Withdrawn,
}

/// <summary>
/// Between many callers and the one committer: first come, first served, bounded by observations. Callers beyond the bound wait outside with their own data. The committer takes everything
/// admitted, up to the size of a group, so a lone call is committed at once and a busy time makes large groups without any waiting time to tune.
/// </summary>
internal sealed class AppendQueue(int observationsMax)
{
    private readonly object _lock = new();
    private readonly Queue<PendingAppend> _queued = new();
    private readonly Queue<PendingAppend> _waiting = new();
    private long _queuedObservations;
    private int _waitingCalls;
    private bool _woken;
    private bool _closed;

    public long QueuedObservations => Interlocked.Read(ref _queuedObservations);

    public int WaitingCalls => Volatile.Read(ref _waitingCalls);

    /// <summary>False when the queue is closed.</summary>
    public bool TryAdd(PendingAppend pending)
    {
        lock (_lock)
        {
            if (_closed)
            {
                return false;
            }

            if (_waitingCalls == 0 && Fits(pending))
            {
                Admit(pending);
            }
            else
            {
                pending.State = PendingState.Waiting;
                _waiting.Enqueue(pending);
                _waitingCalls++;
            }

            return true;
        }
    }

    /// <summary>Withdraws a call that no group has taken; false when it is too late.</summary>
    public bool TryWithdraw(PendingAppend pending)
    {
        lock (_lock)
        {
            switch (pending.State)
            {
                case PendingState.Waiting:
                    _waitingCalls--;
                    break;
                case PendingState.Queued:
                    _queuedObservations -= pending.Observations.Length;
                    break;
                default:
                    return false;
            }

            // Its place in the line stays until the line moves; it no longer counts.
            pending.State = PendingState.Withdrawn;
            AdmitWaiting();
            return true;
        }
    }

    /// <summary>
    /// Called by the committer only. Blocks until there is something to commit, somebody calls <see cref="Wake"/> (then the group may be empty), or the queue is closed and empty (then false).
    /// </summary>
    public bool Take(List<PendingAppend> group, int groupObservationsMax)
    {
        lock (_lock)
        {
            while (true)
            {
                TakeQueued(group, groupObservationsMax);
                if (group.Count > 0 || _woken)
                {
                    _woken = false;
                    return true;
                }

                if (_closed)
                {
                    return false;
                }

                Monitor.Wait(_lock);
            }
        }
    }

    /// <summary>Lets the committer return from <see cref="Take"/> although nothing may be queued.</summary>
    public void Wake()
    {
        lock (_lock)
        {
            _woken = true;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Lets nobody else in; what is inside can still be taken.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Takes out everything no group has taken.</summary>
    public List<PendingAppend> TakeAll()
    {
        var all = new List<PendingAppend>();
        lock (_lock)
        {
            do
            {
                TakeQueued(all, int.MaxValue);
            }
            while (_queued.Count > 0);
        }

        return all;
    }

    private void TakeQueued(List<PendingAppend> group, int groupObservationsMax)
    {
        long taken = 0;
        while (_queued.TryPeek(out var next))
        {
            if (next.State == PendingState.Withdrawn)
            {
                _queued.Dequeue();
                continue;
            }

            if (group.Count > 0 && taken + next.Observations.Length > groupObservationsMax)
            {
                break;
            }

            _queued.Dequeue();
            next.State = PendingState.Taken;
            taken += next.Observations.Length;
            _queuedObservations -= next.Observations.Length;
            group.Add(next);
        }

        AdmitWaiting();
    }

    private void AdmitWaiting()
    {
        while (_waiting.TryPeek(out var next))
        {
            if (next.State == PendingState.Withdrawn)
            {
                _waiting.Dequeue();
                continue;
            }

            if (!Fits(next))
            {
                break;
            }

            _waiting.Dequeue();
            _waitingCalls--;
            Admit(next);
        }
    }

    /// <summary>A call larger than the whole queue is let in when the queue is empty: its memory is the caller's in any case.</summary>
    private bool Fits(PendingAppend pending) => _queuedObservations == 0 || _queuedObservations + pending.Observations.Length <= observationsMax;

    private void Admit(PendingAppend pending)
    {
        pending.State = PendingState.Queued;
        _queued.Enqueue(pending);
        _queuedObservations += pending.Observations.Length;
        Monitor.PulseAll(_lock);
    }
}
