using System.Globalization;
using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>The committer: everything here runs on its thread and needs no lock.</summary>
internal sealed partial class EmbeddedSeries
{
    /// <summary>Frozen tables in memory at most; while there are as many, the committer keeps the pace of the flusher (<see cref="FlushPace"/>).</summary>
    private const int FrozenMax = 1;

    private readonly List<Observation> _record = [];
    private Fault? _fault;
    private long _tableSince;
    private long _logged;

    private void Run()
    {
        var group = new List<PendingAppend>();
        while (_queue.Take(group, _options.GroupObservationsMax))
        {
            if (_abandon)
            {
                _group.Refuse(group, Stopping());
            }
            else if (_fault is { } fault && !TryRecover(fault))
            {
                _group.Refuse(group, fault.ToException());
            }
            else
            {
                Commit(group);
            }

            _jobs.RunAll();
            group.Clear();
        }

        _jobs.Close(Stopping());
        FreezeAtStop();
        _stopped.SetResult();
    }

    private void Commit(List<PendingAppend> group)
    {
        var started = _time.GetTimestamp();
        var (last, commit) = (LastCommit, LastCommit);
        try
        {
            // Before anything of the group is promised: a table that cannot be frozen fails the group, like a log that cannot be written.
            FreezeIfDue();
            if (group.Count == 0)
            {
                return;
            }

            KeepPace();
            if (!TryResolve(group))
            {
                return;
            }

            if (_resolver.Appended.Count > 0 || _resolver.Losers.Count > 0)
            {
                // A number that once reached the log is not used again.
                commit = Math.Max(last, _logged) + 1;
                Write(commit);
            }
        }
#pragma warning disable CA1031 // Whatever went wrong, the callers must hear that nothing is promised, and the store must go on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(group, e);
            return;
        }

        if (commit > last)
        {
            Publish(commit, _resolver.Appended);
            _instruments.Committed(_group.Observations.Length, _time.GetElapsedTime(started));
            _instruments.Lost(_resolver.Losers.Count + _resolver.Replaced.Count);
        }

        _keys.Committed(_resolver.Appended);
        _group.Complete(group, commit);
    }

    /// <summary>Log, then memory. Stored rows that lost are in the log or in parts already; replaying the winner finds them.</summary>
    private void Write(long commit)
    {
        var rows = _resolver.Appended;
        if (_resolver.Losers.Count > 0)
        {
            _record.Clear();
            _record.AddRange(_resolver.Appended);
            _record.AddRange(_resolver.Losers);
            rows = _record;
        }

        // Returns after the fsync.
        _wal!.Append(commit, CollectionsMarshal.AsSpan(rows));
        _logged = commit;
        var table = _store.Active;
        var wasEmpty = table.Rows == 0;
        table.Insert(commit, CollectionsMarshal.AsSpan(_resolver.Appended), _resolver.Losers);
        if (wasEmpty)
        {
            NoteAge(table);
        }
    }

    /// <summary>Freezes the active table when it is full or old, or the log is long.</summary>
    private void FreezeIfDue()
    {
        var rows = _store.Active.Rows;
        if (rows == 0)
        {
            return;
        }

        // While frozen tables wait, the log is theirs too.
        var longLog = _wal!.Bytes > _options.LogMegabytesMax * 1024L * 1024 && _store.FrozenCount == 0;
        if (rows >= _options.FlushObservationsMax || longLog || _time.GetElapsedTime(_tableSince) >= _options.FlushAfter)
        {
            Freeze();
        }
    }

    private MemoryTable Freeze()
    {
        WaitForRoom();
        var table = _store.Active;
        table.Segment = _wal!.Roll();
        _store.Freeze();
        return table;
    }

    /// <summary>While as many tables as may be are frozen, the active one fills no faster than the flusher writes: many short waits instead of one for a whole table.</summary>
    private void KeepPace()
    {
        if (IsInPace())
        {
            return;
        }

        var started = _time.GetTimestamp();
        _store.WaitUntil(() => IsInPace() || _flusher.Problem is not null || _abandon);
        _instruments.WaitedForFlush(_time.GetElapsedTime(started));

        bool IsInPace() =>
            _store.FrozenCount < FrozenMax
            || _store.OldestFrozen() is not { } oldest
            || _store.Active.Rows <= FlushPace.RowsMax(_options.FlushObservationsMax, oldest.RowsWritten, oldest.Rows);
    }

    /// <summary>Nothing else may grow while the flusher is behind: memory is bounded, callers wait in the queue.</summary>
    private void WaitForRoom()
    {
        if (_store.FrozenCount < FrozenMax)
        {
            return;
        }

        var started = _time.GetTimestamp();
        _store.WaitUntil(() => _store.FrozenCount < FrozenMax || _flusher.Problem is not null || _abandon);
        _instruments.WaitedForFlush(_time.GetElapsedTime(started));
        if (_store.FrozenCount >= FrozenMax)
        {
            throw new IOException(_flusher.Problem ?? "The store stops.");
        }
    }

    /// <summary>A clean stop leaves nothing in memory; what cannot be written now stays in the log.</summary>
    private void FreezeAtStop()
    {
        if (_abandon || _fault is not null || _store.Active.Rows == 0)
        {
            return;
        }

        try
        {
            Freeze();
        }
        catch (IOException e)
        {
            LogNotFlushed(e, _options.Folder);
        }
    }

    /// <summary>The table's age counts from its first row.</summary>
    private void NoteAge(MemoryTable table)
    {
        _tableSince = _time.GetTimestamp();
        if (table.Rows > 0)
        {
            _flushTimer!.Change(_options.FlushAfter, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Makes a durable commit visible: latest values, number, observers, in this order.</summary>
    private void Publish(long commit, List<Observation> appended)
    {
        foreach (var observation in appended)
        {
            Advance(observation);
        }

        Interlocked.Exchange(ref _lastCommit, commit);
        _observers.Tell(commit, appended);
    }

    private void Advance(in Observation observation) => _streams.GetOrAdd(observation.Datastream, static _ => new StreamState()).Advance(observation);
}
