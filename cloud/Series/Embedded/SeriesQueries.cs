using System.Runtime.CompilerServices;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>
/// Questions to the store. A long answer is read in steps, each a short synchronous piece of work on a version of the store taken for it, so a slow reader holds neither memory nor files nor a turn.
/// </summary>
internal sealed class SeriesQueries(PartStore store, SeriesOptions options, SeriesInstruments instruments, PartDamage damage) : IAsyncDisposable
{
    /// <summary>Rows of the first step; later ones are <see cref="StepRows"/>: a question for a few rows stays cheap.</summary>
    private const int FirstStepRows = 2_048;

    private const int StepRows = 32_768;

    /// <summary>Rows of one step of a question about many datastreams: some milliseconds.</summary>
    private const int ManyStepRows = 131_072;

    /// <summary>Times a question is asked again because observations were condensed meanwhile: a change of some days every few seconds, at night.</summary>
    private const int AttemptsMax = 20;

    /// <summary>Steps of one question about many datastreams that run at once.</summary>
    private const int ManyWorkersMax = 2;

    private readonly SemaphoreSlim _turns = new(options.QueriesMax, options.QueriesMax);
    private volatile bool _closed = true;

    /// <summary>Lets questions in.</summary>
    public void Open() => _closed = false;

    public async IAsyncEnumerable<Observation> RangeAsync(int datastream, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var steps = new RangeSteps(store, datastream, from, to);
        while (await RunAsync(steps.Next, steps.Rows.Count == 0 ? FirstStepRows : StepRows, cancellationToken).ConfigureAwait(false))
        {
            for (var i = 0; i < steps.Rows.Count; i++)
            {
                yield return steps.Rows.Get(i, datastream);
            }
        }
    }

    public async ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var kept = KeptStamp();
            var fold = new BucketFold(query, options.BucketsMax);
            var steps = new AggregateSteps(store, fold, query.Datastream, fold.From, fold.To, new RollupBuffers(isOfMany: false), instruments);
            while (await RunAsync(rowsWanted => steps.Next(ref rowsWanted), StepRows, cancellationToken).ConfigureAwait(false))
            {
            }

            if (!HasCondensed(kept, attempt))
            {
                return fold.Complete();
            }
        }
    }

    public async ValueTask<IReadOnlyDictionary<int, IReadOnlyList<Bucket>>> AggregateManyAsync(IReadOnlyCollection<int> datastreams, AggregateQuery query, CancellationToken cancellationToken)
    {
        // The question is checked also when it is about no datastream at all.
        _ = new BucketFold(query, options.BucketsMax);
        var asked = ManyDatastreams.Ascending(datastreams);
        cancellationToken.ThrowIfCancellationRequested();
        using (var version = store.Take())
        {
            QuestionCost.ThrowIfTooMuch(ManyCost.Of(version, query, asked.Length), options.QuestionRowsMax);
        }

        // Half of the turns at most, so that other questions never wait for all of this one.
        var workers = Math.Clamp(options.QueriesMax / 2, 1, ManyWorkersMax);
        var length = ManySteps.ChunkOf(asked.Length, workers, query.Statistic);
        var next = 0;
        long buckets = 0;
        var stop = false;
        var answers = await Task.WhenAll(Enumerable.Range(0, Math.Min(workers, (asked.Length + length - 1) / length)).Select(_ => WorkAsync())).ConfigureAwait(false);
        return new Dictionary<int, IReadOnlyList<Bucket>>(answers.SelectMany(static part => part));

        async Task<List<KeyValuePair<int, IReadOnlyList<Bucket>>>> WorkAsync()
        {
            var found = new List<KeyValuePair<int, IReadOnlyList<Bucket>>>();
            var steps = new ManySteps(store, query, options.BucketsMax, instruments);
            try
            {
                for (var at = Interlocked.Add(ref next, length) - length; at < asked.Length && !Volatile.Read(ref stop); at = Interlocked.Add(ref next, length) - length)
                {
                    for (var attempt = 1; ; attempt++)
                    {
                        var (kept, first) = (KeptStamp(), found.Count);
                        steps.Begin(asked.AsSpan(at, Math.Min(length, asked.Length - at)));
                        for (var more = true; more && !Volatile.Read(ref stop);)
                        {
                            var before = steps.Buckets;
                            more = await RunAsync(rows => steps.Next(rows, cancellationToken), ManyStepRows, cancellationToken).ConfigureAwait(false);
                            ManyDatastreams.ThrowIfTooMany(Interlocked.Add(ref buckets, steps.Buckets - before), options.BucketsMax);
                        }

                        // The last bucket of each is complete only now.
                        var known = steps.Buckets;
                        steps.Complete(found);
                        var all = found.Skip(first).Sum(static answer => (long)answer.Value.Count);
                        ManyDatastreams.ThrowIfTooMany(Interlocked.Add(ref buckets, all - known), options.BucketsMax);
                        if (!HasCondensed(kept, attempt))
                        {
                            break;
                        }

                        Interlocked.Add(ref buckets, -all);
                        found.RemoveRange(first, found.Count - first);
                    }
                }
            }
            catch
            {
                Volatile.Write(ref stop, true);
                throw;
            }

            return found;
        }
    }

    public async IAsyncEnumerable<Observation> HistoryAsync(int datastream, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var steps = new RangeSteps(store, datastream, from, to);
        while (await RunAsync(steps.NextHistory, StepRows, cancellationToken).ConfigureAwait(false))
        {
            foreach (var row in steps.History)
            {
                yield return row;
            }
        }
    }

    public async ValueTask<IReadOnlyList<int>> DatastreamsAsync(long from, long to, CancellationToken cancellationToken)
    {
        var found = new SortedSet<int>();
        var day = from < to ? EventTime.Day(from) : int.MaxValue;
        while (await RunAsync(ScanNext, 0, cancellationToken).ConfigureAwait(false))
        {
        }

        return [.. found];

        bool ScanNext(int unused)
        {
            using var version = store.Take();
            if (day == int.MaxValue || version.NextDay(day) is not { } next || next * EventTime.MicrosPerDay >= to)
            {
                return false;
            }

            var start = Math.Max(from, next * EventTime.MicrosPerDay);
            var end = Math.Min(to, (next + 1) * EventTime.MicrosPerDay);
            foreach (var table in version.Tables)
            {
                table.AddDatastreams(start, end, found);
            }

            foreach (var part in version.PartsOf(next)?.Observations ?? [])
            {
                AddDatastreams(part, start, end, found, cancellationToken);
            }

            day = next + 1;
            return true;
        }
    }

    public async ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken)
    {
        var earliest = new Dictionary<int, long>();
        await RunAsync(Gather, 0, cancellationToken).ConfigureAwait(false);
        return earliest.ToDictionary(change => change.Key, change => EventTime.Time(change.Value));

        bool Gather(int unused)
        {
            using var version = store.Take();
            version.Changes.AddChangedSince(commit, earliest);
            foreach (var table in version.Tables)
            {
                table.AddChangedSince(commit, earliest);
            }

            return true;
        }
    }

    /// <summary>How much of [from, to) lies in UTC days in which anything is stored; from what is in memory of the parts.</summary>
    public TimeSpan HeldWithin(long from, long to)
    {
        using var version = store.Take();
        var held = 0L;
        for (var day = from < to ? version.NextDay(EventTime.Day(from)) : null; day is { } number && number * EventTime.MicrosPerDay < to; day = version.NextDay(number + 1))
        {
            held += Math.Min(to, (number + 1) * EventTime.MicrosPerDay) - Math.Max(from, number * EventTime.MicrosPerDay);
        }

        return TimeSpan.FromMicroseconds(held);
    }

    /// <summary>For each datastream the number of UTC days that begin in [from, to) of which only rollups are kept.</summary>
    public async ValueTask<IReadOnlyDictionary<int, int>> CondensedAsync(long from, long to, CancellationToken cancellationToken)
    {
        var (days, month) = (new Dictionary<int, int>(), int.MinValue);
        while (await RunAsync(ScanNext, 0, cancellationToken).ConfigureAwait(false))
        {
        }

        return days;

        bool ScanNext(int unused)
        {
            using var version = store.Take();
            if (version.Kept.FirstOrDefault(part => part.Info.Rollup!.Minutes == (int)Rollups.Coarsest.TotalMinutes && part.Info.Day > month) is not { } part)
            {
                return false;
            }

            month = part.Info.Day;
            if (RollupPlan.MonthAfter(month) * EventTime.MicrosPerDay <= from || month * EventTime.MicrosPerDay >= to)
            {
                return true;
            }

            foreach (var (datastream, day) in KeptDays(part, cancellationToken))
            {
                if (day * EventTime.MicrosPerDay >= from && day * EventTime.MicrosPerDay < to)
                {
                    days[datastream] = days.GetValueOrDefault(datastream) + 1;
                }
            }

            return true;
        }
    }

    /// <summary>What is kept without its observations of days that begin in [from, to), by month, datastream and day; of all datastreams when none are named.</summary>
    public async IAsyncEnumerable<CondensedDay> CondensedDaysAsync(IReadOnlySet<int>? datastreams, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var steps = new KeptSteps(store, datastreams, from, to);
        while (await RunAsync(_ => steps.Next(), 0, cancellationToken).ConfigureAwait(false))
        {
            foreach (var day in steps.Days)
            {
                yield return day;
            }
        }
    }

    /// <summary>Whether rollups are kept without their observations of a UTC day of a datastream that [from, to) reaches into.</summary>
    public async ValueTask<bool> IsCondensedAsync(int datastream, long from, long to, CancellationToken cancellationToken)
    {
        if (from >= to || datastream > RollupCells.DatastreamMax)
        {
            return false;
        }

        var (start, end) = (EventTime.Day(from) * EventTime.MicrosPerDay, (EventTime.Day(to - 1) + 1) * EventTime.MicrosPerDay);
        return await RunAsync(IsKept, 0, cancellationToken).ConfigureAwait(false);

        bool IsKept(int unused)
        {
            using var version = store.Take();
            var (key, rows) = (RollupCells.Key(datastream, RollupCode.Extent), new ObservationColumns());
            foreach (var part in version.Kept.Where(part => part.Info.Rollup!.Minutes == (int)Rollups.Coarsest.TotalMinutes && part.Info.Summary.MaxMicros >= start && part.Info.Summary.MinMicros < end))
            {
                using var lease = store.Cache.Rent(part);
                if (lease.Reader.MayContain(key, start, end))
                {
                    lease.Reader.Read(key, start, end, rows);
                    if (rows.Count > 0)
                    {
                        return true;
                    }
                }
            }

            return false;
        }
    }

    /// <summary>The datastreams and days of a file of kept rows, each once, in order.</summary>
    public static IEnumerable<(int Datastream, int Day)> KeptDays(LivePart part, CancellationToken cancellationToken)
    {
        // A reader of its own: scanning a whole part is rare and must not push others out of the cache.
        using var walk = new PartWalk(PartReader.Open(part.Path));
        var last = (Datastream: -1, Day: 0);
        while (walk.Datastream is { } key)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (key % RollupCells.CodesPerDatastream == (int)RollupCode.Extent)
            {
                foreach (var micros in walk.Rows.Micros)
                {
                    var next = (key / RollupCells.CodesPerDatastream, EventTime.Day(micros));
                    if (next != last)
                    {
                        yield return last = next;
                    }
                }
            }

            walk.MoveNext(key);
        }
    }

    /// <summary>Number of observations of a datastream with from &lt;= time &lt; to.</summary>
    public async ValueTask<long> CountAsync(int datastream, long from, long to, CancellationToken cancellationToken)
    {
        var steps = new RangeSteps(store, datastream, from, to);
        long count = 0;
        while (await RunAsync(steps.Next, StepRows, cancellationToken).ConfigureAwait(false))
        {
            count += steps.Rows.Count;
        }

        return count;
    }

    /// <summary>Lets no more questions in and waits for the steps that run.</summary>
    public async ValueTask DisposeAsync()
    {
        _closed = true;
        for (var i = 0; i < options.QueriesMax; i++)
        {
            await _turns.WaitAsync().ConfigureAwait(false);
        }

        _turns.Release(options.QueriesMax);
    }

    private long KeptStamp()
    {
        using var version = store.Take();
        return version.KeptStamp;
    }

    /// <summary>Whether observations were condensed, or rollups deleted, while a question was read: it is asked again, since it may have missed what went from the one place to the other.</summary>
    private bool HasCondensed(long before, int attempt)
    {
        if (KeptStamp() == before)
        {
            return false;
        }

        return attempt < AttemptsMax
            ? true
            : throw new SeriesUnavailableException($"The series store in {options.Folder} is condensing observations faster than the question can be answered: ask again later, or about a shorter time.");
    }

    private static void AddDatastreams(LivePart part, long from, long to, SortedSet<int> into, CancellationToken cancellationToken)
    {
        var summary = part.Info.Summary;
        if (summary.MaxMicros < from || summary.MinMicros >= to)
        {
            return;
        }

        // A reader of its own: scanning a whole part is rare and must not push others out of the cache.
        using var reader = PartReader.Open(part.Path);
        if (summary.MinMicros >= from && summary.MaxMicros < to)
        {
            into.UnionWith(reader.Datastreams);
            return;
        }

        using var cursor = reader.ReadAll();
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var at = cursor.Rows.Micros.BinarySearch(from);
            at = at < 0 ? ~at : at;
            if (at < cursor.Rows.Count && cursor.Rows.Micros[at] < to)
            {
                into.Add(cursor.Datastream);
            }
        }
    }

    /// <summary>Runs one step when it is its turn, off the caller's thread.</summary>
    private async Task<bool> RunAsync(Func<int, bool> step, int rowsWanted, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_closed)
            {
                throw new SeriesUnavailableException($"The series store in {options.Folder} is not open.");
            }

            return await Task.Run(() => step(rowsWanted), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (PartDamage.PathOf(e) is not null)
        {
            throw new SeriesUnavailableException(damage.Note(PartDamage.PathOf(e)!, e), e);
        }
        finally
        {
            _turns.Release();
        }
    }
}

/// <summary>One walk over the days of a datastream, in steps. Used by one caller at a time.</summary>
internal sealed class RangeSteps(PartStore store, int datastream, long from, long to)
{
    /// <summary>Rows of one datastream read at once from one day; a day with more is read in shorter stretches.</summary>
    private const int StretchRowsMax = 65_536;

    /// <summary>Days looked at in one step, also when the datastream has nothing in them.</summary>
    private const int StepDaysMax = 64;

    private static readonly ObservationColumns None = new();
    private RowBuffers? _buffers;
    private long _from = from;
    private long _stretch = EventTime.MicrosPerDay;

    /// <summary>Rows of the last step, in order of time; none after the last one.</summary>
    public ObservationColumns Rows => _buffers?.Rows ?? None;

    /// <summary>Values that lost, of the last step.</summary>
    public List<Observation> History { get; } = [];

    /// <summary>Reads on until there are enough rows; false when nothing was left.</summary>
    public bool Next(int rowsWanted)
    {
        var buffers = _buffers ??= store.Buffers.Rent();
        buffers.Rows.Clear();
        return Walk((version, start, end) =>
        {
            var before = buffers.Rows.Count;
            buffers.Reader.Read(version, datastream, start, end, buffers.Rows);
            Adapt(buffers.Rows.Count - before);
            return buffers.Rows.Count < rowsWanted;
        });
    }

    /// <summary>The same for the values that lost.</summary>
    public bool NextHistory(int rowsWanted)
    {
        var buffers = _buffers ??= store.Buffers.Rent();
        History.Clear();
        return Walk((version, start, end) =>
        {
            buffers.Reader.ReadHistory(version, datastream, start, end, History);
            return History.Count < rowsWanted;
        });
    }

    private bool Walk(Func<StoreVersion, long, long, bool> read)
    {
        using var version = store.Take();
        if (_from >= to || version.NextDay(EventTime.Day(_from)) is null)
        {
            store.Buffers.Return(_buffers!);
            _buffers = null;
            return false;
        }

        for (var days = 0; days < StepDaysMax && _from < to && version.NextDay(EventTime.Day(_from)) is { } day; days++)
        {
            var start = Math.Max(_from, day * EventTime.MicrosPerDay);
            if (start >= to)
            {
                _from = to;
                break;
            }

            if (start == day * EventTime.MicrosPerDay)
            {
                Fit(RowReader.RowsExpected(version, day));
            }

            var end = Math.Min(Math.Min(to, (day + 1) * EventTime.MicrosPerDay), start + _stretch);
            _from = end;
            if (!read(version, start, end))
            {
                break;
            }
        }

        return true;
    }

    private void Fit(long rowsExpected)
    {
        if (rowsExpected > StretchRowsMax)
        {
            _stretch = Math.Min(_stretch, Math.Max(1, EventTime.MicrosPerDay * StretchRowsMax / rowsExpected));
        }
    }

    /// <summary>Where one datastream has far more rows than its neighbours, the manifest does not tell: the next stretch is shorter.</summary>
    private void Adapt(int rows)
    {
        if (rows > StretchRowsMax)
        {
            _stretch = Math.Max(1, _stretch / 4);
        }
        else if (rows < StretchRowsMax / 8 && _stretch < EventTime.MicrosPerDay)
        {
            _stretch = Math.Min(EventTime.MicrosPerDay, _stretch * 2);
        }
    }
}
