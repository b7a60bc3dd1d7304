namespace Hub.Cloud.Series;

/// <summary>The keeper: one task that reads the server's state at start and after a failure, empties the spill, and tries again what the server refused.</summary>
internal sealed partial class InfluxSeries
{
    private int _keeperFailures;

    /// <summary>Attempts of the keeper that failed since the store was opened.</summary>
    public int KeeperFailures => Volatile.Read(ref _keeperFailures);

    private async Task KeepAsync()
    {
        var pause = _influx.RetryMin;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (await KeepOnceAsync().ConfigureAwait(false))
                {
                    SetBack();
                    pause = _influx.RetryMin;
                }

                _tried.TrySetResult();
                if (IsSettled && !_refusedDue)
                {
                    await _wake.WaitAsync(_stop.Token).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                break;
            }
#pragma warning disable CA1031 // Whatever went wrong, the keeper must go on: without it nothing leaves the spill.
            catch (Exception e)
#pragma warning restore CA1031
            {
                SetAway(e);
                Interlocked.Increment(ref _keeperFailures);
                _influxInstruments.Retried();
                _tried.TrySetResult();
                try
                {
                    await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    break;
                }

                pause = pause * 2 < _influx.RetryMax ? pause * 2 : _influx.RetryMax;
            }
        }

        _tried.TrySetResult();
    }

    /// <summary>Does the next thing that is to be done; true when it shows that the server serves.</summary>
    private async Task<bool> KeepOnceAsync()
    {
        var takes = !_lease!.IsHeldFor(_influx.RequestTimeout);
        if (takes)
        {
            await TakeLeaseAsync().ConfigureAwait(false);
        }

        if (!_loaded)
        {
            await LoadAsync().ConfigureAwait(false);
        }
        else if (!_spill!.IsEmpty)
        {
            await DrainAsync().ConfigureAwait(false);
        }
        else if (_refusedDue)
        {
            _refusedDue = false;
            await RetryRefusedAsync().ConfigureAwait(false);
        }
        else if (Volatile.Read(ref _away) is not null)
        {
            await _rows.LastNoteAsync(_stop.Token).ConfigureAwait(false);
        }
        else
        {
            return takes;
        }

        return true;
    }

    /// <summary>Reads the number of the last commit and the latest values. Appends are refused meanwhile, so the committer touches none of it.</summary>
    private async Task LoadAsync()
    {
        var started = _time.GetTimestamp();
        var (second, commit, _) = await _rows.LastNoteAsync(_stop.Token).ConfigureAwait(false);
        foreach (var row in await _rows.LatestAsync(_stop.Token).ConfigureAwait(false))
        {
            Advance(row);
        }

        foreach (var row in _pending.Latest())
        {
            Advance(row);
        }

        _kept.MayHaveSome = CanCondense && await _rollups.SpanAsync(_stop.Token).ConfigureAwait(false) is not null;
        await CatchUpAsync(commit).ConfigureAwait(false);
        _writer.StartAfter(second);
        var last = Math.Max(Math.Max(commit, _spill!.LastCommit), _refused.Rows.Select(row => row.Commit).DefaultIfEmpty().Max());
        Interlocked.Exchange(ref _lastCommit, Math.Max(last, LastCommit));
        Volatile.Write(ref _cannotCommit, null);

        // Before anybody is let in: who saw that it can commit would be refused late observations by a server that is back.
        SetBack();
        _loaded = true;
        LogOpened(_client.Address, LastCommit, _streams.Count, _spill.Observations, _time.GetElapsedTime(started));
    }

    /// <summary>
    /// A commit that failed for its callers may have reached the server all the same. Then it counts: it is published like any other, so that observers miss nothing when the callers' second attempt
    /// turns out to be a duplicate.
    /// </summary>
    private async Task CatchUpAsync(long noted)
    {
        if (_unsureFrom is not { } earliest)
        {
            return;
        }

        var rows = await _rows.RowsAfterAsync(LastCommit, earliest, _stop.Token).ConfigureAwait(false);
        if (rows.Count > 0 || noted > LastCommit)
        {
            Publish(Math.Max(noted, LastCommit + 1), rows);
        }

        _unsureFrom = null;
    }

    private async Task DrainAsync()
    {
        var groups = _spill!.Peek(_influx.BatchLinesMax);
        if (groups.Count > 0)
        {
            await _sending.WaitAsync(_stop.Token).ConfigureAwait(false);
            try
            {
                ThrowIfNotOurs();

                // Of several values for one key the winner is sent; the others are among the losers.
                var rows = new Dictionary<(int, DateTime), (Observation Row, long Commit)>();
                foreach (var (row, its) in groups.SelectMany(group => group.Rows.Select(row => (row, group.Commit))))
                {
                    if (!rows.TryGetValue((row.Datastream, row.PhenomenonTime), out var other) || ObservationOrder.Compare(row, other.Row) > 0)
                    {
                        rows[(row.Datastream, row.PhenomenonTime)] = (row, its);
                    }
                }

                var commit = groups[^1].Commit;
                var losers = groups.SelectMany(group => group.Losers).ToHashSet(ObservationOrder.Same.Instance);
                if (_compare)
                {
                    await CompareAsync(rows, losers).ConfigureAwait(false);
                }

                var refused = await _writer.SendAsync(commit, losers, rows.Values, whole: true, _stop.Token).ConfigureAwait(false);
                if (refused.Count > 0 && !TryKeep(commit, refused))
                {
                    throw new InfluxAwayException($"refuses acknowledged observations ({refused[0].Reason}), and {_refused.Path} has no room for them: mend what the reasons there name, or raise {InfluxOptions.Section}:RefusedObservationsMax.");
                }
            }
            finally
            {
                _sending.Release();
            }
        }

        _spill.Complete(groups.Count);
        if (_spill.IsEmpty)
        {
            _compare = false;
            LogDrained(_client.Address);
        }
    }

    /// <summary>Another hub has written meanwhile: of its value and ours the winner stays, and the other goes to the history.</summary>
    private async Task CompareAsync(Dictionary<(int, DateTime), (Observation Row, long Commit)> rows, HashSet<Observation> losers)
    {
        var keys = rows.Values.Select(row => (row.Row.Datastream, EventTime.Micros(row.Row.PhenomenonTime))).ToHashSet();
        foreach (var stored in await _rows.RowsOfKeysAsync(keys, _stop.Token).ConfigureAwait(false))
        {
            var key = (stored.Datastream, stored.PhenomenonTime);
            var order = ObservationOrder.Compare(rows[key].Row, stored);
            if (order > 0)
            {
                losers.Add(stored);
            }
            else if (order < 0)
            {
                losers.Add(rows[key].Row);
                rows.Remove(key);
            }
        }
    }

    /// <summary>What was refused may be taken now: the operator has mended the cause. Meanwhile newer values may have come, so each is compared with what the server has.</summary>
    private async Task RetryRefusedAsync()
    {
        await _sending.WaitAsync(_stop.Token).ConfigureAwait(false);
        try
        {
            ThrowIfNotOurs();
            var all = _refused.Rows.ToList();
            if (all.Count == 0)
            {
                return;
            }

            // A commit of 0 marks what the server has already.
            var winners = new Dictionary<(int, DateTime), (Observation Row, long Commit)>();
            var losers = all.Where(row => row.Lost).Select(row => row.Row).ToHashSet(ObservationOrder.Same.Instance);
            var rows = all.Where(row => !row.Lost).Select(row => (row.Row, row.Commit)).ToList();
            var keys = rows.Select(row => (row.Row.Datastream, EventTime.Micros(row.Row.PhenomenonTime))).ToHashSet();
            var stored = keys.Count == 0 ? [] : await _rows.RowsOfKeysAsync(keys, _stop.Token).ConfigureAwait(false);
            foreach (var (row, its) in stored.Select(row => (row, 0L)).Concat(rows))
            {
                var key = (row.Datastream, row.PhenomenonTime);
                if (!winners.TryGetValue(key, out var other))
                {
                    winners[key] = (row, its);
                }
                else if (ObservationOrder.Compare(row, other.Row) is var order && order != 0)
                {
                    losers.Add(order > 0 ? other.Row : row);
                    winners[key] = order > 0 ? (row, its) : other;
                }
            }

            List<(Observation, long)> sent = [.. winners.Values.Where(winner => winner.Commit > 0)];
            var refused = await _writer.SendAsync(LastCommit, losers, sent, whole: true, _stop.Token).ConfigureAwait(false);
            var still = refused.Select(r => new RefusedRow(r.Row, r.Lost, all.Find(row => ObservationOrder.Same.Instance.Equals(row.Row, r.Row))?.Commit ?? LastCommit, r.Reason)).ToList();
            _refused.Replace(still, _time.GetUtcNow());

            // What stays refused is here all the time: readers that look here meanwhile find it nowhere else.
            still.ForEach(Keep);
            var kept = still.ToLookup(row => row.Lost, row => row.Row);
            _pending.Unkeep(all.Where(row => !kept[row.Lost].Contains(row.Row, ObservationOrder.Same.Instance)).Select(row => (row.Row, row.Lost)));
            LogRetried(all.Count - still.Count, still.Count, _client.Address);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Notes that the server is away and lets the keeper look after it; returns the reason that holds.</summary>
    private InfluxAwayException SetAway(Exception cause)
    {
        var reason = cause as InfluxAwayException
            ?? new InfluxAwayException(cause is InfluxQueryException ? $"could not answer a question: {cause.Message}" : $"cannot be used ({cause.GetType().Name}): see the log.", cause);
        AwayState? before;
        AwayState now;
        do
        {
            // Once more if the keeper set back meanwhile: it may be asleep by now, and who finds nothing set wakes it.
            before = Volatile.Read(ref _away);
            now = new AwayState(reason, before?.Since ?? _time.GetUtcNow());
        }
        while (Interlocked.CompareExchange(ref _away, now, before) != before);
        if (before is null)
        {
            _influxInstruments.Away();
            LogAway(cause, _client.Address, reason.Message);
            Wake();
        }

        return reason;
    }

    private void SetBack()
    {
        if (Interlocked.Exchange(ref _away, null) is { } before)
        {
            LogBack(_client.Address, before.Since);
        }
    }
}
