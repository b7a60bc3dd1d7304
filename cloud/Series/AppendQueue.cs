namespace Hub.Cloud.Series;

/// <summary>One call of <see cref="ISeries.AppendAsync"/> on its way to a group commit. What it says of its way belongs to the queue's lock.</summary>
internal sealed class PendingAppend(ReadOnlyMemory<Observation> observations, AppendQueue queue)
{
    // What waits goes on where it is completed: the calls of a group have a thread of the pool woken for many of them, not one for each.
    private readonly TaskCompletionSource<AppendReceipt> _completion = new();
    private CancellationTokenRegistration _cancelling;

    public ReadOnlyMemory<Observation> Observations { get; } = observations;

    /// <summary>Ends with the receipt, or with why there is none.</summary>
    public Task<AppendReceipt> Task => _completion.Task;

    public PendingState State { get; set; }

    /// <summary>What the parts hold of its late keys; null while nobody has looked. Set while it is set aside, read by the committer.</summary>
    public LateKeys? Late { get; set; }

    /// <summary>Times its keys were looked up ahead.</summary>
    public int LookedAhead { get; set; }

    /// <summary>Lets a token withdraw it. To be called before it is in the queue, by whoever looks at the token once more when it is.</summary>
    public void WithdrawnBy(CancellationToken token) => _cancelling = token.UnsafeRegister(static (pending, token) => ((PendingAppend)pending!).Withdraw(token), this);

    /// <summary>Ends it, if no group has taken it.</summary>
    public void Withdraw(CancellationToken token)
    {
        if (queue.TryWithdraw(this))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static state => state.Completion.TrySetCanceled(state.Token), (Completion: _completion, Token: token), preferLocal: false);
        }
    }

    /// <summary>Ends it with a receipt. What waits for it runs at once, on the caller's thread: never the committer's (<see cref="AppendReceipts"/>).</summary>
    public void Complete(AppendReceipt receipt)
    {
        _cancelling.Unregister();
        _completion.TrySetResult(receipt);
    }

    /// <summary>Ends it with a reason, on a thread of the pool.</summary>
    public void Fail(Exception reason)
    {
        _cancelling.Unregister();
        ThreadPool.UnsafeQueueUserWorkItem(static state => state.Completion.TrySetException(state.Reason), (Completion: _completion, Reason: reason), preferLocal: false);
    }
}

/// <summary>Where a call is.</summary>
internal enum PendingState
{
    /// <summary>Not in the queue yet.</summary>
    New,

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
    private readonly Queue<PendingAppend> _returned = new();
    private long _queuedObservations;
    private long _asideObservations;
    private int _aside;
    private int _waitingCalls;
    private bool _woken;
    private bool _closed;

    public long QueuedObservations => Interlocked.Read(ref _queuedObservations);

    public int WaitingCalls => Volatile.Read(ref _waitingCalls);

    /// <summary>Observations of calls that were set aside and have not been taken again.</summary>
    public long AsideObservations => Interlocked.Read(ref _asideObservations);

    /// <summary>Puts a call in the queue and waits until its commit ends. Cancelling withdraws it while no group has taken it; later it has no effect.</summary>
    /// <param name="observations">What is appended.</param>
    /// <param name="closed">Makes the exception for a queue that is closed.</param>
    /// <param name="cancellationToken">Withdraws the call.</param>
    public ValueTask<AppendReceipt> AppendAsync(ReadOnlyMemory<Observation> observations, Func<SeriesUnavailableException> closed, CancellationToken cancellationToken)
    {
        // No state machine: there are 200,000 calls a second.
        var pending = new PendingAppend(observations, this);
        pending.WithdrawnBy(cancellationToken);
        if (!TryAdd(pending))
        {
            pending.Fail(closed());
        }
        else if (cancellationToken.IsCancellationRequested)
        {
            // Perhaps cancelled before it was in the queue, where it was not found then.
            pending.Withdraw(cancellationToken);
        }

        return new ValueTask<AppendReceipt>(pending.Task);
    }

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

                if (_closed && _aside == 0)
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

    /// <summary>Called by the committer: a call it has taken comes back later (<see cref="Return"/>). Until then the queue is not empty.</summary>
    public void SetAside(PendingAppend pending)
    {
        lock (_lock)
        {
            _aside++;
            _asideObservations += pending.Observations.Length;
        }
    }

    /// <summary>Brings calls back that were set aside: they are taken before all others.</summary>
    public void Return(IEnumerable<PendingAppend> calls)
    {
        lock (_lock)
        {
            foreach (var call in calls)
            {
                _returned.Enqueue(call);
            }

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
            while (_queued.Count > 0 || _returned.Count > 0);
        }

        return all;
    }

    private void TakeQueued(List<PendingAppend> group, int groupObservationsMax)
    {
        long taken = 0;
        while (_returned.TryPeek(out var back) && (group.Count == 0 || taken + back.Observations.Length <= groupObservationsMax))
        {
            _returned.Dequeue();
            _aside--;
            _asideObservations -= back.Observations.Length;
            taken += back.Observations.Length;
            group.Add(back);
        }

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
