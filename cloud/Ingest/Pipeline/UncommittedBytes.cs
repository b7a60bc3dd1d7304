namespace Hub.Cloud.Ingest.Pipeline;

/// <summary>A place in the line for uncommitted bytes: one for each connection or pack, for one request at a time.</summary>
/// <param name="granted">Called once when a request that had to wait is granted, from the thread that gave bytes back: must return at once.</param>
internal sealed class BytesClaim(Action granted)
{
    /// <summary>Where the request is; belongs to the lock of <see cref="UncommittedBytes"/>.</summary>
    public BytesClaimState State { get; set; }

    /// <summary>Bytes asked for.</summary>
    public long Bytes { get; set; }

    /// <summary>Tells that the request is granted.</summary>
    public void Grant() => granted();
}

/// <summary>Where a request for uncommitted bytes is.</summary>
internal enum BytesClaimState
{
    /// <summary>Nothing is asked for.</summary>
    Idle,

    /// <summary>Stands in the line.</summary>
    Waiting,

    /// <summary>Granted and counted, not yet fetched.</summary>
    Granted,
}

/// <summary>
/// The hub-wide bound on what has been received and is not yet committed: packs as they came and the observations made of them. Who finds it full waits in one line, first come, first
/// served, with one request each, so that a busy connection cannot starve a quiet one. Safe for concurrent callers.
/// </summary>
internal sealed class UncommittedBytes(long bytesMax)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<BytesClaim> _line = new();
    private long _used;

    /// <summary>Bytes counted now. May pass the bound by what the packs being decoded at that moment need beyond what was expected of them.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>Requests that wait.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_gate)
            {
                return _line.Count;
            }
        }
    }

    /// <summary>True while nobody new would be let in.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate)
            {
                return _line.Count > 0 || _used >= bytesMax;
            }
        }
    }

    /// <summary>
    /// Asks for bytes. False when they have to be waited for: the claim then stands in the line, and asking again (always for the same number) is true once it was granted.
    /// One request larger than the bound is let in when nothing else is there.
    /// </summary>
    public bool TryTake(BytesClaim claim, long bytes)
    {
        lock (_gate)
        {
            switch (claim.State)
            {
                case BytesClaimState.Granted:
                    claim.State = BytesClaimState.Idle;
                    return true;
                case BytesClaimState.Waiting:
                    return false;
            }

            if (_line.Count == 0 && Fits(bytes))
            {
                Interlocked.Add(ref _used, bytes);
                return true;
            }

            (claim.State, claim.Bytes) = (BytesClaimState.Waiting, bytes);
            _line.AddLast(claim);
            return false;
        }
    }

    /// <summary>Waits for bytes.</summary>
    public async ValueTask TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        var granted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var claim = new BytesClaim(granted.SetResult);
        if (TryTake(claim, bytes))
        {
            return;
        }

        try
        {
            await granted.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            TryTake(claim, bytes);
        }
        catch
        {
            Withdraw(claim);
            throw;
        }
    }

    /// <summary>Counts what a granted pack turned out to need beyond its own bytes, without waiting.</summary>
    public void Add(long bytes) => Interlocked.Add(ref _used, bytes);

    /// <summary>Gives bytes back and lets in who waits.</summary>
    public void Return(long bytes)
    {
        Interlocked.Add(ref _used, -bytes);
        LetIn();
    }

    /// <summary>Leaves the line, or gives back what was granted and never fetched.</summary>
    public void Withdraw(BytesClaim claim)
    {
        lock (_gate)
        {
            if (claim.State == BytesClaimState.Granted)
            {
                Interlocked.Add(ref _used, -claim.Bytes);
            }
            else if (claim.State == BytesClaimState.Waiting)
            {
                _line.Remove(claim);
            }

            claim.State = BytesClaimState.Idle;
        }

        LetIn();
    }

    private void LetIn()
    {
        while (true)
        {
            BytesClaim claim;
            lock (_gate)
            {
                if (_line.First is not { } first || !Fits(first.Value.Bytes))
                {
                    return;
                }

                claim = first.Value;
                _line.RemoveFirst();
                Interlocked.Add(ref _used, claim.Bytes);
                claim.State = BytesClaimState.Granted;
            }

            claim.Grant();
        }
    }

    private bool Fits(long bytes)
    {
        var used = Interlocked.Read(ref _used);
        return used <= 0 || used + bytes <= bytesMax;
    }
}
