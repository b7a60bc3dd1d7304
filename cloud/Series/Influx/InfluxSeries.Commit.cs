using System.Globalization;
using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>From the queue to the server or the spill. All of it runs on the committer's thread, which waits for the server: a group commit is one after the other.</summary>
internal sealed partial class InfluxSeries
{
    private readonly HashSet<(int Datastream, DateTime Time)> _unkept = [];

    private void Run()
    {
        var group = new List<PendingAppend>();
        while (_queue.Take(group, _options.GroupObservationsMax))
        {
            _jobs.RunAll();
            if (_abandon)
            {
                _group.Refuse(group, Stopping());
            }
            else if (!_loaded)
            {
                _group.Refuse(group, new SeriesUnavailableException(Problem ?? Stopping().Message));
            }
            else if (group.Count > 0)
            {
                Commit(group);
            }

            group.Clear();
        }

        _jobs.Close(Stopping());
        _stopped.SetResult();
    }

    private void Commit(List<PendingAppend> group)
    {
        var started = _time.GetTimestamp();
        var commit = LastCommit;
        try
        {
            if (!TryResolve(group))
            {
                return;
            }

            if (_resolver.Losers.Count > 0)
            {
                ExceptHistory();
            }

            if (_resolver.Appended.Count > 0 || _resolver.Losers.Count > 0)
            {
                commit++;
                Store(commit);
            }
        }
#pragma warning disable CA1031 // Whatever went wrong, the callers must hear that nothing is promised, and the store must go on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(group, e);
            return;
        }

        if (commit > LastCommit)
        {
            Publish(commit, _unkept.Count == 0 ? _resolver.Appended : _resolver.Appended.FindAll(row => !_unkept.Contains((row.Datastream, row.PhenomenonTime))));
            _instruments.Committed(_group.Observations.Length, _time.GetElapsedTime(started));
            _instruments.Lost(_resolver.Losers.Count + _resolver.Replaced.Count);
        }

        if (_unkept.Count == 0)
        {
            _keys.Committed(_resolver.Appended);
        }
        else
        {
            // Rare: what the server has of a row that it refused is not known without asking it.
            _keys.Clear();
        }

        Complete(group, commit);
        Volatile.Write(ref _cannotCommit, null);
    }

    /// <summary>
    /// Resolves the group. When the server cannot be asked, only calls can be taken in which every observation is newer than all of its datastream; the others are refused. False when none is left.
    /// </summary>
    private bool TryResolve(List<PendingAppend> group)
    {
        _group.Gather(group);
        try
        {
            _resolver.Resolve(_group.Observations, _group.Outcomes);
            return true;
        }
        catch (Exception e) when (e is InfluxAwayException or InfluxQueryException)
        {
            var away = SetAway(e);
            var late = group.FindAll(pending => HasLate(pending.Observations.Span));
            if (late.Count == 0)
            {
                throw;
            }

            _group.Refuse(late, new SeriesUnavailableException($"{Sentence(away)} Until it can be asked, only observations newer than those before them can be taken.", e));
            group.RemoveAll(late.Contains);
            if (group.Count == 0)
            {
                return false;
            }
        }

        // Asks nothing any more.
        _group.Gather(group);
        _resolver.Resolve(_group.Observations, _group.Outcomes);
        return true;
    }

    private bool HasLate(ReadOnlySpan<Observation> observations)
    {
        foreach (ref readonly var observation in observations)
        {
            if (_streams.TryGetValue(observation.Datastream, out var state) && EventTime.Micros(observation.PhenomenonTime) <= state.LatestMicros)
            {
                return true;
            }
        }

        return false;
    }

    private void ExceptHistory()
    {
        try
        {
            _lookup.ExceptHistory(_resolver.Losers);
        }
        catch (InfluxAwayException e)
        {
            // Whether the history has them is found out when they are handed over.
            SetAway(e);
        }
    }

    /// <summary>Returns when the commit is on the server, or else on disk here.</summary>
    private void Store(long commit)
    {
        _unkept.Clear();
        Observation[] losers = [.. _resolver.Replaced, .. _resolver.Losers];
        Exception? reason = Volatile.Read(ref _away)?.Reason;
        if (reason is InfluxInUseException)
        {
            throw reason;
        }

        if (reason is null && _spill!.IsEmpty)
        {
            _sending.Wait();
            try
            {
                ThrowIfNotOurs();

                // Where a stored row was replaced, the server must not keep any of its fields.
                var refused = _writer.SendAsync(commit, losers, _resolver.Appended.ConvertAll(row => (row, commit)), whole: _resolver.Replaced.Count > 0, _stop.Token).GetAwaiter().GetResult();
                if (refused.Count > 0)
                {
                    KeepOrGiveUp(commit, refused);
                }

                return;
            }
            catch (Exception e) when (e is (InfluxAwayException and not InfluxInUseException) or InfluxQueryException or OperationCanceledException)
            {
                reason = SetAway(e);
            }
            finally
            {
                _sending.Release();
            }
        }

        Observation[] rows = [.. _resolver.Appended];
        if (!TrySpill(commit, losers, rows))
        {
            throw new InfluxAwayException(string.Create(
                CultureInfo.InvariantCulture,
                $"{(reason is InfluxAwayException ? reason.Message : "is behind.")} The spill in {_folder} is full with {_spill!.Observations} observations: nothing more is acknowledged until the server takes them ({InfluxOptions.Section}:SpillObservationsMax, SpillMegabytesMax)."));
        }

        _influxInstruments.Spilled(losers.Length + rows.Length);
        Wake();
    }

    private bool TrySpill(long commit, Observation[] losers, Observation[] rows)
    {
        try
        {
            return _spill!.TryAdd(commit, losers, rows);
        }
        catch (IOException e)
        {
            throw new InfluxAwayException($"is away, and the spill in {_folder} cannot be written: see that the disk is not full.", e);
        }
    }

    /// <summary>Rows that the server refuses are kept here and count as stored; those for which there is no room are not acknowledged.</summary>
    private void KeepOrGiveUp(long commit, List<(Observation Row, bool Lost, string Reason)> refused)
    {
        if (!TryKeep(commit, refused))
        {
            foreach (var (row, _, _) in refused)
            {
                _unkept.Add((row.Datastream, row.PhenomenonTime));
            }
        }
    }

    private bool TryKeep(long commit, List<(Observation Row, bool Lost, string Reason)> refused)
    {
        _influxInstruments.Refused(refused.Count);
        LogRefused(refused.Count, _client.Address, refused[0].Reason, _refused.Path);
        var rows = refused.ConvertAll(r => new RefusedRow(r.Row, r.Lost, commit, r.Reason));
        bool kept;
        try
        {
            kept = _refused.TryAdd(rows, _time.GetUtcNow());
        }
        catch (IOException e)
        {
            LogNotKept(e, _refused.Path);
            kept = false;
        }

        if (kept)
        {
            rows.ForEach(Keep);
        }

        return kept;
    }

    private void Keep(RefusedRow refused) => _pending.Add(refused.Commit, refused.Lost ? [refused.Row] : [], refused.Lost ? [] : [refused.Row], kept: true);

    /// <summary>Nothing of the group is promised. Some of it may be on the server all the same, so memory is not believed until the keeper has asked.</summary>
    private void Fail(List<PendingAppend> group, Exception cause)
    {
        _instruments.Failed();
        var reason = cause as InfluxAwayException ?? new InfluxAwayException($"cannot commit ({cause.GetType().Name}): see the log.", cause);
        LogCommitFailed(cause, _client.Address, group.Sum(pending => pending.Observations.Length));
        Volatile.Write(ref _cannotCommit, Volatile.Read(ref _cannotCommit) ?? new AwayState(reason, _time.GetUtcNow()));
        _keys.Clear();
        var earliest = group.Min(pending => MemoryMarshal.ToEnumerable(pending.Observations).Min(row => EventTime.Micros(row.PhenomenonTime)));
        _unsureFrom = Math.Min(_unsureFrom ?? long.MaxValue, earliest);
        _loaded = false;
        SetAway(reason);
        _group.Refuse(group, new SeriesUnavailableException(Sentence(reason), cause));
    }

    /// <summary>Makes a durable commit visible: latest values, number, observers, in this order.</summary>
    private void Publish(long commit, List<Observation> appended)
    {
        foreach (ref readonly var observation in CollectionsMarshal.AsSpan(appended))
        {
            Advance(observation);
        }

        Interlocked.Exchange(ref _lastCommit, commit);
        _observers.Tell(commit, appended);
    }

    private void Complete(List<PendingAppend> group, long commit)
    {
        _group.Complete(group, commit, _unkept.Count == 0 ? null : pending => HasUnkept(pending.Observations.Span)
            ? new SeriesUnavailableException(
                $"InfluxDB at {_client.Address} refuses observations of this call, and {_refused.Path} has no room for more: see the reasons there, mend what they name, and restart the hub or wait for the next attempt.")
            : null);
        _unkept.Clear();
    }

    private bool HasUnkept(ReadOnlySpan<Observation> observations)
    {
        foreach (ref readonly var observation in observations)
        {
            if (_unkept.Contains((observation.Datastream, observation.PhenomenonTime)))
            {
                return true;
            }
        }

        return false;
    }

    private void Advance(in Observation observation) => _streams.GetOrAdd(observation.Datastream, static _ => new StreamState()).Advance(observation);
}
