using System.Runtime.CompilerServices;

namespace Hub.Cloud.Series;

/// <summary>
/// Questions about days of which only rollups are kept, and about buckets that may reach into some. Whoever condenses, takes rollups in or deletes them says so (<see cref="Changed"/>); what was read meanwhile is read
/// again, since it may have missed what went from the one place to the other.
/// </summary>
internal sealed class InfluxKept(InfluxRollups rollups, InfluxQueries queries, int bucketsMax)
{
    /// <summary>Times a question is asked again because of changes meanwhile.</summary>
    private const int AttemptsMax = 20;

    /// <summary>Days of which cells are read at once.</summary>
    private const int RunDaysMax = 31;

    private long _stamp;
    private volatile bool _mayHaveSome = true;

    /// <summary>Whether any day may be noted: where none is, questions about buckets are spared one about days.</summary>
    public bool MayHaveSome
    {
        get => _mayHaveSome;
        set => _mayHaveSome = value;
    }

    /// <summary>Other days are noted now than before. Called after notes were written and before their observations go, and after notes are deleted.</summary>
    public void Changed() => Interlocked.Increment(ref _stamp);

    public ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken) => WholeAsync(async () =>
    {
        var fold = new BucketFold(query, bucketsMax);
        await FoldAsync(fold, query.Datastream, cancellationToken).ConfigureAwait(false);
        return fold.Complete();
    });

    public async ValueTask<IReadOnlyDictionary<int, int>> CondensedAsync(long from, long to, CancellationToken cancellationToken)
    {
        (from, to) = InfluxRows.Clamp(from, to - 1);
        return from > to || !MayHaveSome ? [] : await queries.AskAsync(() => rollups.CountAsync(from, to, cancellationToken)).ConfigureAwait(false);
    }

    public async ValueTask<bool> IsCondensedAsync(int datastream, long from, long to, CancellationToken cancellationToken) =>
        from < to && (await DaysAsync(datastream, from, to, cancellationToken).ConfigureAwait(false)).Count > 0;

    public async IAsyncEnumerable<CondensedDay> CondensedDaysAsync(IReadOnlyCollection<int>? datastreams, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!MayHaveSome || await queries.AskAsync(() => rollups.SpanAsync(cancellationToken)).ConfigureAwait(false) is not { } span)
        {
            yield break;
        }

        var named = datastreams?.ToHashSet();
        (from, to) = (Math.Max(from, span.First), Math.Min(to, span.Last + 1));
        for (var month = RollupPlan.MonthOf(EventTime.Day(from)); from < to && month * EventTime.MicrosPerDay < to; month = RollupPlan.MonthAfter(month))
        {
            var (first, last) = (Math.Max(from, month * EventTime.MicrosPerDay), Math.Min(to, RollupPlan.MonthAfter(month) * EventTime.MicrosPerDay) - 1);
            foreach (var datastream in (await queries.AskAsync(() => rollups.DaysAsync(first, last, cancellationToken)).ConfigureAwait(false)).Keys)
            {
                if (named?.Contains(datastream) == false)
                {
                    continue;
                }

                foreach (var day in await WholeAsync(() => ReadAsync(datastream, first, last, cancellationToken)).ConfigureAwait(false))
                {
                    yield return day;
                }
            }
        }
    }

    /// <summary>Everything that is kept of a datastream of days that begin between two times, inclusive.</summary>
    private async Task<IReadOnlyList<CondensedDay>> ReadAsync(int datastream, long from, long to, CancellationToken cancellationToken)
    {
        var days = (await queries.AskAsync(() => rollups.DaysAsync(datastream, from, to, cancellationToken)).ConfigureAwait(false)).ToDictionary(static day => day, static _ => new List<CondensedCell>());
        if (days.Count == 0)
        {
            return [];
        }

        var (first, last) = (days.Keys.Min() * EventTime.MicrosPerDay, ((days.Keys.Max() + 1) * EventTime.MicrosPerDay) - 1);
        foreach (var width in Rollups.Resolutions.Reverse())
        {
            foreach (var withoutFlagged in new[] { false, true })
            {
                foreach (var row in await queries.AskAsync(() => rollups.CellsAsync(datastream, width, withoutFlagged, first, last, cancellationToken)).ConfigureAwait(false))
                {
                    if (days.TryGetValue(EventTime.Day(row.Start), out var cells))
                    {
                        cells.Add(CondensedCell.Of(row, width, withoutFlagged));
                    }
                }
            }
        }

        return [.. days.Where(static day => day.Value.Count > 0).OrderBy(static day => day.Key).Select(day => new CondensedDay(datastream, EventTime.Time(day.Key * EventTime.MicrosPerDay), day.Value))];
    }

    /// <summary>Noted days of a datastream that [from, to) reaches into.</summary>
    private async Task<List<int>> DaysAsync(int datastream, long from, long to, CancellationToken cancellationToken)
    {
        (from, to) = InfluxRows.Clamp(EventTime.Day(from) * EventTime.MicrosPerDay, to - 1);
        return from > to || !MayHaveSome ? [] : await queries.AskAsync(() => rollups.DaysAsync(datastream, from, to, cancellationToken)).ConfigureAwait(false);
    }

    private async Task FoldAsync(BucketFold fold, int datastream, CancellationToken cancellationToken)
    {
        var (at, end) = (fold.From, fold.To);
        var days = at < end ? await DaysAsync(datastream, at, end, cancellationToken).ConfigureAwait(false) : [];
        for (var i = 0; i < days.Count;)
        {
            var first = i;
            for (i++; i < days.Count && days[i] == days[i - 1] + 1 && i - first < RunDaysMax; i++)
            {
            }

            var (start, behind) = (days[first] * EventTime.MicrosPerDay, (days[i - 1] + 1) * EventTime.MicrosPerDay);
            await FoldRowsAsync(fold, datastream, at, start, cancellationToken).ConfigureAwait(false);
            if (fold.Cells is { } width)
            {
                await FoldCellsAsync(fold, datastream, width, Math.Max(start, fold.From), Math.Min(behind, fold.To) - 1, cancellationToken).ConfigureAwait(false);
            }

            at = behind;
        }

        await FoldRowsAsync(fold, datastream, at, end, cancellationToken).ConfigureAwait(false);
    }

    private async Task FoldRowsAsync(BucketFold fold, int datastream, long from, long to, CancellationToken cancellationToken)
    {
        if (from >= to)
        {
            return;
        }

        await foreach (var row in queries.RangeAsync(datastream, from, to - 1, cancellationToken).ConfigureAwait(false))
        {
            fold.Add(EventTime.Micros(row.PhenomenonTime), row.Result, row.Quality, row.Coverage);
        }
    }

    /// <summary>
    /// Folds kept cells that begin between two times, inclusive, as far as they lie in the question as a whole: they cannot be divided. One with flags to be left out is given by its observations without any flag; one
    /// that does not hold what is asked has no answer.
    /// </summary>
    private async Task FoldCellsAsync(BucketFold fold, int datastream, TimeSpan width, long from, long to, CancellationToken cancellationToken)
    {
        var rows = await queries.AskAsync(() => rollups.CellsAsync(datastream, width, withoutFlagged: false, from, to, cancellationToken)).ConfigureAwait(false);
        var unflagged = rows.Exists(row => (row.Quality & fold.Without) != 0)
            ? (await queries.AskAsync(() => rollups.CellsAsync(datastream, width, withoutFlagged: true, from, to, cancellationToken)).ConfigureAwait(false)).ToDictionary(static row => row.Start)
            : null;
        foreach (var row in rows)
        {
            var one = row;
            if (row.End > fold.To || ((row.Quality & fold.Without) != 0 && !unflagged!.TryGetValue(row.Start, out one)) || Lacks(fold.Statistic, one))
            {
                continue;
            }

            fold.TryAdd(one);
        }
    }

    private static bool Lacks(Statistic statistic, in RollupRow row) => statistic switch
    {
        Statistic.EnergyMean => double.IsNaN(row.EnergySum),
        Statistic.CircularMean => double.IsNaN(row.East),
        _ => false,
    };

    private async ValueTask<IReadOnlyList<T>> WholeAsync<T>(Func<Task<IReadOnlyList<T>>> read)
    {
        for (var attempt = 1; ; attempt++)
        {
            var stamp = Interlocked.Read(ref _stamp);
            var answer = await read().ConfigureAwait(false);
            if (Interlocked.Read(ref _stamp) == stamp)
            {
                return answer;
            }

            if (attempt == AttemptsMax)
            {
                throw new SeriesUnavailableException("The series store is condensing observations faster than the question can be answered: ask again later, or about a shorter time.");
            }
        }
    }
}
