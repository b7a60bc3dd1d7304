namespace Hub.Cloud.Series;

/// <summary>
/// Rollups without their observations. Pieces of work on the committer's thread, some days of some datastreams each, between two commits: cells are written, then the notes that make them count, and only then the
/// observations go. Broken off anywhere, the same again comes to the same: a noted day only loses its observations.
/// </summary>
internal sealed partial class InfluxSeries
{
    /// <summary>Datastreams, and days of them, condensed between two commits: some seconds, and some MB of cells where observations are fine.</summary>
    private const int CondenseDatastreams = 16;

    internal const int CondenseDays = 4;

    /// <summary>Cells taken in between two commits.</summary>
    private const int TakeCells = 20_000;

    /// <summary>The first and the last day that the server can hold as a whole.</summary>
    private static readonly (int First, int Last) WholeDays = (EventTime.Day(InfluxLines.MinMicros) + 1, EventTime.Day(InfluxLines.MaxMicros) - 1);

    /// <summary>Observations are deleted by InfluxQL, which only 1.x can.</summary>
    public bool CanCondense => _influx.Api == InfluxApi.V1;

    public async ValueTask<long> CondenseAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(datastreams);
        ThrowIfCannotCondense();

        // Whole UTC days: what is not kept yet of the first and the last one waits until all of it may go.
        var firstDay = Math.Max(EventTime.Day(EventTime.Bound(from, nameof(from)) + EventTime.MicrosPerDay - 1), WholeDays.First);
        var lastDay = Math.Min(EventTime.Day(EventTime.Bound(to, nameof(to))), WholeDays.Last + 1);
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfNotLoaded();
        var count = 0L;
        foreach (var some in datastreams.Distinct().Order().Chunk(CondenseDatastreams))
        {
            for (var day = firstDay; day < lastDay;)
            {
                if (await _jobs.RunAsync(() => Change(() => CondenseNext(some, day, lastDay), "condensed", some, firstDay * EventTime.MicrosPerDay, lastDay * EventTime.MicrosPerDay)).ConfigureAwait(false) is not { } done)
                {
                    break;
                }

                day = done.Day;
                count += done.Count;
            }
        }

        _instruments.Condensed(count);
        return count;
    }

    public ValueTask<IReadOnlyDictionary<int, int>> CondensedAsync(DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _kept.CondensedAsync(EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)), cancellationToken);

    public ValueTask<bool> IsCondensedAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _kept.IsCondensedAsync(datastream, EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)), cancellationToken);

    public IAsyncEnumerable<CondensedDay> CondensedDaysAsync(IReadOnlyCollection<int>? datastreams, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _kept.CondensedDaysAsync(datastreams, EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)), cancellationToken);

    public async ValueTask<IReadOnlyList<CondensedOutcome>> TakeCondensedAsync(IReadOnlyList<CondensedDay> days, CancellationToken cancellationToken)
    {
        ThrowIfCannotCondense();
        CondensedDay.ThrowIfNot(days);
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfNotLoaded();
        var outcomes = new CondensedOutcome[days.Count];
        var (some, cells) = (new List<int>(), 0);
        for (var i = 0; i < days.Count; i++)
        {
            some.Add(i);
            cells += days[i].Cells.Count;
            if (cells >= TakeCells || i == days.Count - 1)
            {
                await _jobs.RunAsync(() => Change(() => Take(days, some, outcomes), "taken in", [], 0, 0)).ConfigureAwait(false);
                (some, cells) = ([], 0);
            }
        }

        return outcomes;
    }

    private void ThrowIfCannotCondense()
    {
        if (!CanCondense)
        {
            throw new NotSupportedException($"Rollups without their observations are kept on InfluxDB 1.x only: give policies that keep both equally long, or use the embedded store ({SeriesOptions.Section}:Store).");
        }
    }

    private void ThrowIfNotLoaded()
    {
        if (!_loaded)
        {
            throw new SeriesUnavailableException(Problem ?? Stopping().Message);
        }
    }

    /// <summary>Condenses the next days that have observations; null when there are none.</summary>
    private (int Day, long Count)? CondenseNext(int[] datastreams, int firstDay, int lastDay)
    {
        var (from, to) = (firstDay * EventTime.MicrosPerDay, (lastDay * EventTime.MicrosPerDay) - 1);
        var earliest = _rows.EarliestAsync(datastreams, from, to, _stop.Token).GetAwaiter().GetResult() ?? long.MaxValue;
        foreach (var datastream in datastreams)
        {
            earliest = _pending.Range(datastream, from, to) is [var row, ..] ? Math.Min(earliest, EventTime.Micros(row.PhenomenonTime)) : earliest;
        }

        if (earliest == long.MaxValue)
        {
            return null;
        }

        var first = EventTime.Day(earliest);
        var behind = Math.Min(lastDay, first + CondenseDays);
        return (behind, Condense(datastreams, first, behind));
    }

    private long Condense(int[] datastreams, int firstDay, int lastDay)
    {
        var (from, to) = (firstDay * EventTime.MicrosPerDay, (lastDay * EventTime.MicrosPerDay) - 1);
        var (days, count) = (new List<CondensedDay>(), 0L);
        foreach (var datastream in datastreams)
        {
            count += FoldAsync(datastream, from, to, days).GetAwaiter().GetResult();
        }

        Note(days);
        ThrowIfNotOurs();
        List<int> named = [.. datastreams];
        _rows.DeleteAsync(named, from, to, _stop.Token).GetAwaiter().GetResult();
        DropRefused(named, from, to);
        Forget(named, from, to);
        return count;
    }

    /// <summary>Adds what is to be kept of a datastream's days that are not noted yet; the number of observations that go.</summary>
    private async Task<long> FoldAsync(int datastream, long from, long to, List<CondensedDay> days)
    {
        var noted = (await _rollups.DaysAsync(datastream, from, to, _stop.Token).ConfigureAwait(false)).ToHashSet();
        var fold = new CondensedFold(RollupCells.Worth(_statistics?.Of(datastream)) | RollupColumns.Ends);
        var (count, folding) = (0L, (int?)null);
        await foreach (var row in _found.RangeAsync(datastream, EventTime.Time(from), EventTime.TimeClamped(to + 1), _stop.Token).ConfigureAwait(false))
        {
            count++;
            var day = EventTime.Day(EventTime.Micros(row.PhenomenonTime));
            if (folding is { } before && before != day)
            {
                days.Add(fold.Complete(datastream, before));
                folding = null;
            }

            if (!noted.Contains(day))
            {
                fold.Add(row);
                folding = day;
            }
        }

        if (folding is { } last)
        {
            days.Add(fold.Complete(datastream, last));
        }

        return count;
    }

    private bool Take(IReadOnlyList<CondensedDay> days, List<int> some, CondensedOutcome[] outcomes)
    {
        var noted = new HashSet<(int, int)>();
        foreach (var group in some.Select(i => days[i]).GroupBy(static day => day.Datastream))
        {
            var (from, to) = InfluxRows.Clamp(group.Min(static day => day.Number) * EventTime.MicrosPerDay, group.Max(static day => day.Number) * EventTime.MicrosPerDay);
            noted.UnionWith(_rollups.DaysAsync(group.Key, from, to, _stop.Token).GetAwaiter().GetResult().Select(day => (group.Key, day)));
        }

        var observed = _rows.DaysWithRowsAsync(some.Select(i => (days[i].Datastream, days[i].Number)), _stop.Token).GetAwaiter().GetResult();
        var taken = new List<CondensedDay>();
        foreach (var i in some)
        {
            var (datastream, day) = (days[i].Datastream, days[i].Number);
            var start = day * EventTime.MicrosPerDay;
            outcomes[i] = day < WholeDays.First || day > WholeDays.Last ? CondensedOutcome.Outside
                : noted.Contains((datastream, day)) ? CondensedOutcome.There
                : observed.Contains((datastream, day)) || _pending.Range(datastream, start, start + EventTime.MicrosPerDay - 1).Count > 0 ? CondensedOutcome.Observed
                : CondensedOutcome.Taken;
            if (outcomes[i] == CondensedOutcome.Taken)
            {
                taken.Add(days[i]);
            }
        }

        Note(taken);
        return true;
    }

    /// <summary>Writes what is kept of days; when it returns they are condensed.</summary>
    private void Note(List<CondensedDay> days)
    {
        if (days.Count > 0)
        {
            _kept.MayHaveSome = true;
            try
            {
                _rollups.WriteAsync(days, _stop.Token).GetAwaiter().GetResult();
            }
            finally
            {
                _kept.Changed();
            }
        }
    }

    /// <summary>Does a piece of work that writes or deletes outside of commits, on the committer's thread, and only when nothing waits that would come behind it.</summary>
    /// <param name="change">The work.</param>
    /// <param name="done">What cannot be done now, in a sentence.</param>
    /// <param name="datastreams">Datastreams of which observations may go, whose latest values are not known when it fails.</param>
    /// <param name="from">From when on.</param>
    /// <param name="to">Until when.</param>
    private T Change<T>(Func<T> change, string done, IEnumerable<int> datastreams, long from, long to)
    {
        if (!_spill!.IsEmpty || Volatile.Read(ref _away) is not null)
        {
            throw new SeriesUnavailableException($"{Warning ?? $"Observations wait for InfluxDB at {_client.Address}."} Nothing can be {done} until they are handed over.");
        }

        // One that failed while the keeper loads would be forgotten when it has loaded.
        ThrowIfNotLoaded();
        _sending.Wait();
        try
        {
            ThrowIfNotOurs();
            return change();
        }
        catch (InfluxRefusedException e)
        {
            throw new SeriesUnavailableException(
                $"InfluxDB at {_client.Address} refuses rollups ({e.Message}): see that its retention policy keeps as long as those of the hub, and that no other program writes the measurements {InfluxRollups.Measurement}*. Their observations are still there.", e);
        }
        catch (Exception e) when (e is InfluxAwayException or InfluxQueryException or IOException or OperationCanceledException)
        {
            // Some of it may be done: memory is not believed until the keeper has asked. It is woken last: otherwise it finds everything loaded and goes to sleep again, or what it loads is reset here.
            _keys.Clear();
            foreach (var state in Concerned(datastreams, from, to))
            {
                state.Reset();
            }

            _loaded = false;
            var reason = SetAway(e);
            throw new SeriesUnavailableException(Sentence(reason), e);
        }
        finally
        {
            _sending.Release();
        }
    }
}
