namespace Hub.Cloud.Series;

/// <summary>Deletion, with or without the rollups: what is in memory goes into parts first, then the parts are rewritten, then the committer forgets.</summary>
internal sealed partial class EmbeddedSeries
{
    public async ValueTask<long> DeleteAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(datastreams);
        var (start, end) = (EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)));
        var named = datastreams.ToHashSet();
        cancellationToken.ThrowIfCancellationRequested();
        if (!_open)
        {
            throw NotOpen();
        }

        if (named.Count == 0 || start >= end)
        {
            return 0;
        }

        // One at a time: a second one would have to wait for the same thread anyway.
        await _deleting.WaitAsync(cancellationToken).ConfigureAwait(false);
        _makingRoom = true;
        try
        {
            await MakeFlushedAsync(cancellationToken).ConfigureAwait(false);
            long count = 0;
            foreach (var datastream in named)
            {
                count += await _queries.CountAsync(datastream, start, end, cancellationToken).ConfigureAwait(false);
            }

            // From here on it runs to its end.
            await _compactor.RunAsync(merger =>
            {
                DeleteInSteps(start, end, (from, to) => new Deletion(_store, named, from, to).Run(merger, _compactor.Months));
                _compactor.DropOutdatedRollups();
                return true;
            }).ConfigureAwait(false);
            await _jobs.RunAsync(() => Forget(named, start, end)).ConfigureAwait(false);
            _instruments.Deleted(count);
            return count;
        }
        finally
        {
            _makingRoom = false;
            _deleting.Release();
        }
    }

    public bool CanCondense => true;

    public async ValueTask<long> CondenseAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(datastreams);
        var (start, end) = (EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)));
        var named = datastreams.ToHashSet();
        if (named.FirstOrDefault(static datastream => datastream > RollupCells.DatastreamMax) is > 0 and var large)
        {
            throw new ArgumentException(FormattableString.Invariant($"No rollups are kept of datastream {large}: numbers up to {RollupCells.DatastreamMax} have some. Delete its observations instead."), nameof(datastreams));
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (!_open)
        {
            throw NotOpen();
        }

        // Whole UTC days: what is not kept yet of the first and the last one waits until all of it may go.
        var (firstDay, lastDay) = (EventTime.Day(start + EventTime.MicrosPerDay - 1), EventTime.Day(end));
        if (named.Count == 0 || firstDay >= lastDay)
        {
            return 0;
        }

        (start, end) = (firstDay * EventTime.MicrosPerDay, lastDay * EventTime.MicrosPerDay);
        await _deleting.WaitAsync(cancellationToken).ConfigureAwait(false);
        _makingRoom = true;
        try
        {
            await MakeFlushedAsync(cancellationToken).ConfigureAwait(false);

            // From here on it runs to its end.
            var count = await _compactor.RunAsync(merger =>
            {
                var removed = WithRoom(() => new Condensation(_store, named, firstDay, lastDay).Run(merger, _compactor.Months));
                _compactor.DropOutdatedRollups();
                return removed;
            }).ConfigureAwait(false);
            await _jobs.RunAsync(() => Forget(named, start, end)).ConfigureAwait(false);
            _instruments.Condensed(count);
            return count;
        }
        finally
        {
            _makingRoom = false;
            _deleting.Release();
        }
    }

    public ValueTask<IReadOnlyDictionary<int, int>> CondensedAsync(DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _queries.CondensedAsync(EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)), cancellationToken);

    public ValueTask<bool> IsCondensedAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _queries.IsCondensedAsync(datastream, EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)), cancellationToken);

    public ValueTask<long> CountAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _queries.CountAsync(datastream, EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)), cancellationToken);

    /// <summary>Returns when everything committed before the call is in parts and its log is gone.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        var waiting = await _jobs.RunAsync(() =>
        {
            if (_fault is { } fault)
            {
                throw fault.ToException();
            }

            return _store.Active.Rows == 0 ? _store.NewestFrozen() : Freeze();
        }).ConfigureAwait(false);
        if (waiting is not null)
        {
            await waiting.Flushed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>On the committer's thread: latest values and keys in memory follow a deletion.</summary>
    private bool Forget(HashSet<int> datastreams, long from, long to)
    {
        _keys.Clear();
        Interlocked.Increment(ref _deletions);
        var concerned = datastreams.Where(datastream => _streams.TryGetValue(datastream, out var state) && state.LatestMicros >= from && state.LatestMicros < to).ToHashSet();
        if (concerned.Count == 0)
        {
            return true;
        }

        // The latest of the parts, then what is in memory on top. Nothing is committed meanwhile, and a flush moves rows from the one to the other under the lock of changes.
        var latest = _store.Read(manifest =>
        {
            var rows = new LatestFile(_store).Read(manifest.Latest).Where(row => concerned.Contains(row.Datastream)).ToList();
            using var version = _store.Take();
            foreach (var table in version.Tables)
            {
                rows.AddRange(concerned.Select(table.Latest).OfType<Observation>());
            }

            return rows;
        });
        foreach (var datastream in concerned)
        {
            _streams[datastream].Reset();
        }

        foreach (var row in latest)
        {
            Advance(row);
        }

        return true;
    }
}
