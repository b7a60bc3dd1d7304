namespace Hub.Cloud.Series;

/// <summary>A commit that waits for the server.</summary>
/// <param name="Commit">Its number.</param>
/// <param name="Losers">Values for the history.</param>
/// <param name="Rows">Values that won.</param>
/// <param name="Segment">Segment of the log it is in.</param>
internal sealed record SpilledGroup(long Commit, Observation[] Losers, Observation[] Rows, long Segment)
{
    public int Count => Losers.Length + Rows.Length;
}

/// <summary>
/// Commits that the server could not take, on disk in order of commit and acknowledged, until it can. One thread adds (the committer), another takes out; what is on disk is also in memory, to be read.
/// While anything is here, every later commit goes here too, so the server always gets them in order.
/// </summary>
internal sealed class InfluxSpill : IDisposable
{
    /// <summary>The log numbers its records by one number: the commit, and below it how many of the rows lost.</summary>
    private const int LosersBits = 23;

    private const long SegmentBytesMax = 16 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Queue<SpilledGroup> _groups = new();
    private readonly PendingRows _pending;
    private readonly long _bytesMax;
    private readonly int _observationsMax;
    private readonly WriteAheadLog _log;
    private long _observations;
    private bool _mustRelease;

    /// <summary>Opens it and reads back what waits.</summary>
    /// <exception cref="IOException">The folder cannot be used.</exception>
    /// <exception cref="InvalidDataException">What was acknowledged is damaged.</exception>
    public InfluxSpill(string folder, long bytesMax, int observationsMax, PendingRows pending, LogDisk? disk)
    {
        (_bytesMax, _observationsMax, _pending) = (bytesMax, observationsMax, pending);
        _log = WriteAheadLog.Open(folder, SegmentBytesMax, Replay, disk);
        if (_groups.Count == 0)
        {
            // Begins anew: the numbers of commits are the server's, and a database that was emptied begins with 1 again.
            _log.Dispose();
            Directory.Delete(folder, recursive: true);
            _log = WriteAheadLog.Open(folder, SegmentBytesMax, Replay, disk);
        }
    }

    /// <summary>Nothing waits, and nothing that has been handed over could come back after a crash.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return _groups.Count == 0 && !_mustRelease;
            }
        }
    }

    /// <summary>Observations that wait.</summary>
    public long Observations => Interlocked.Read(ref _observations);

    /// <summary>Bytes on disk.</summary>
    public long Bytes => _log.Bytes;

    /// <summary>Number of the last commit here; 0 when nothing waits.</summary>
    public long LastCommit
    {
        get
        {
            lock (_lock)
            {
                return _groups.Count == 0 ? 0 : _groups.Last().Commit;
            }
        }
    }

    /// <summary>Puts a commit on disk and then among the pending rows; false when there is no room for it.</summary>
    /// <exception cref="IOException">The disk does not take it: nothing of it counts.</exception>
    public bool TryAdd(long commit, Observation[] losers, Observation[] rows)
    {
        lock (_lock)
        {
            var count = losers.Length + rows.Length;

            // 64 bytes are more than a row takes on disk.
            if (losers.Length >= 1 << LosersBits || (_groups.Count > 0 && (_observations + count > _observationsMax || _log.Bytes + (64L * count) > _bytesMax)))
            {
                return false;
            }

            var segment = _log.Append((commit << LosersBits) | (long)losers.Length, losers.Length == 0 ? rows : [.. losers, .. rows]);
            Enqueue(new SpilledGroup(commit, losers, rows, segment));
            return true;
        }
    }

    /// <summary>The next commits that wait, in order, up to so many observations but at least one commit; empty when none does.</summary>
    public List<SpilledGroup> Peek(int observationsMax)
    {
        lock (_lock)
        {
            var (next, count) = (new List<SpilledGroup>(), 0);
            foreach (var group in _groups)
            {
                if (next.Count > 0 && count + group.Count > observationsMax)
                {
                    break;
                }

                next.Add(group);
                count += group.Count;
            }

            return next;
        }
    }

    /// <summary>The server has the first so many of them. May be called with 0, to give back space that could not be given back before.</summary>
    /// <exception cref="IOException">Space cannot be given back: the spill is not empty until it is, so nothing gets past what could be sent again.</exception>
    public void Complete(int groups)
    {
        lock (_lock)
        {
            for (var i = 0; i < groups; i++)
            {
                var group = _groups.Dequeue();
                _mustRelease = true;
                Interlocked.Add(ref _observations, -group.Count);
                _pending.Remove(group.Commit, group.Losers, group.Rows);
            }

            if (!_mustRelease)
            {
                return;
            }

            if (_groups.TryPeek(out var next))
            {
                if (next.Segment > 1)
                {
                    _log.Release(next.Segment - 1);
                }
            }
            else
            {
                _log.Release(_log.Roll());
                _mustRelease = false;
            }
        }
    }

    public void Dispose() => _log.Dispose();

    private void Replay(long segment, LogGroup group)
    {
        var losers = (int)(group.Commit & ((1 << LosersBits) - 1));
        Enqueue(new SpilledGroup(group.Commit >> LosersBits, group.Rows[..losers].ToArray(), group.Rows[losers..].ToArray(), segment));
    }

    private void Enqueue(SpilledGroup group)
    {
        _groups.Enqueue(group);
        Interlocked.Add(ref _observations, group.Count);
        _pending.Add(group.Commit, group.Losers, group.Rows);
    }
}
