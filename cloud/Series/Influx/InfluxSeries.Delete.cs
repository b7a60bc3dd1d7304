namespace Hub.Cloud.Series;

/// <summary>Deletion: on the committer's thread, between two commits, and only when nothing waits that would bring back what was deleted.</summary>
internal sealed partial class InfluxSeries
{
    public async ValueTask<long> DeleteAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(datastreams);
        var (start, end) = (EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)) - 1);
        cancellationToken.ThrowIfCancellationRequested();
        if (!_loaded)
        {
            throw new SeriesUnavailableException(Problem ?? Stopping().Message);
        }

        List<int> named = [.. datastreams.Distinct().Order()];
        if (named.Count == 0 || start > end)
        {
            return 0;
        }

        long count = 0;
        foreach (var datastream in named)
        {
            await foreach (var row in _queries.RangeAsync(datastream, start, end, cancellationToken).ConfigureAwait(false))
            {
                count++;
            }
        }

        // From here on it runs to its end.
        await _jobs.RunAsync(() => Delete(named, start, end)).ConfigureAwait(false);
        _instruments.Deleted(count);
        return count;
    }

    private bool Delete(List<int> datastreams, long from, long to) => Change(
        () =>
        {
            if (_kept.MayHaveSome && CanCondense)
            {
                try
                {
                    _rollups.CutAsync(datastreams, from, to, _stop.Token).GetAwaiter().GetResult();
                }
                finally
                {
                    _kept.Changed();
                }
            }

            _rows.DeleteAsync(datastreams, from, to, _stop.Token).GetAwaiter().GetResult();
            DropRefused(datastreams, from, to);
            Forget(datastreams, from, to);
            return true;
        },
        "deleted",
        datastreams,
        from,
        to);

    private void DropRefused(List<int> datastreams, long from, long to)
    {
        var named = datastreams.ToHashSet();
        var gone = _refused.Rows.Where(refused => named.Contains(refused.Row.Datastream) && EventTime.Micros(refused.Row.PhenomenonTime) is var micros && micros >= from && micros <= to).ToList();
        if (gone.Count > 0)
        {
            _refused.Replace([.. _refused.Rows.Except(gone)], _time.GetUtcNow());
            _pending.Unkeep(gone.Select(refused => (refused.Row, refused.Lost)));
        }
    }

    /// <summary>Latest values and keys in memory follow.</summary>
    private void Forget(List<int> datastreams, long from, long to)
    {
        _keys.Clear();
        var concerned = datastreams.FindAll(datastream => _streams.TryGetValue(datastream, out var state) && state.LatestMicros >= from && state.LatestMicros <= to);
        if (concerned.Count == 0)
        {
            return;
        }

        var latest = _rows.LatestAsync(concerned, _stop.Token).GetAwaiter().GetResult();
        foreach (var state in Concerned(concerned, from, to))
        {
            state.Reset();
        }

        foreach (var row in latest.Concat(_pending.Latest()))
        {
            Advance(row);
        }
    }

    private IEnumerable<StreamState> Concerned(IEnumerable<int> datastreams, long from, long to)
    {
        foreach (var datastream in datastreams)
        {
            if (_streams.TryGetValue(datastream, out var state) && state.LatestMicros >= from && state.LatestMicros <= to)
            {
                yield return state;
            }
        }
    }
}
