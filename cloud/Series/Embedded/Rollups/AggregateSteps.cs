using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>
/// One question about one datastream, or a stretch of it, in steps, each on a version of the store taken for it: cells of rollups where there are some that count, observations elsewhere. A cell is
/// folded from one or the other as a whole, so the answer is that of the observations at some time while it was asked, to the last bit. Where only rollups are kept of a day, they are all there is: what came
/// later for it does not count. Used by one caller at a time.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="fold">Receives everything in order of time.</param>
/// <param name="datastream">The datastream.</param>
/// <param name="from">First microsecond.</param>
/// <param name="to">First microsecond no longer wanted. Neither bound divides a day, unless it is one of the question.</param>
/// <param name="buffers">Buffers, for one question at a time.</param>
/// <param name="instruments">Counters.</param>
internal sealed class AggregateSteps(PartStore store, BucketFold fold, int datastream, long from, long to, RollupBuffers buffers, SeriesInstruments instruments)
{
    /// <summary>What looking at a month costs, in rows.</summary>
    private const int MonthRows = 512;

    /// <summary>Observations of a short question that are sooner read themselves than their cells are found among those of a month.</summary>
    private const int FewRows = 2_880;

    /// <summary>A question this short or shorter is about few days.</summary>
    private const long FewDaysMicros = 2 * EventTime.MicrosPerDay;

    /// <summary>What a step over observations costs at least, in rows: it may have looked at 64 days in vain.</summary>
    private const int StretchRows = 512;

    private readonly List<Run> _runs = [];
    private readonly List<Stretch> _stretches = [];
    private readonly long _begin = from;
    private long _from = from;
    private int _run;
    private int _cell;
    private int _stretch;
    private int _served;
    private RangeSteps? _observations;

    /// <summary>Reads on until so many rows are folded; false when nothing is left.</summary>
    /// <exception cref="ArgumentException">The answer has more buckets than allowed, or a bucket more results than a percentile is taken of.</exception>
    /// <exception cref="InvalidDataException">A part is damaged.</exception>
    public bool Next(ref int rowsWanted)
    {
        while (rowsWanted > 0)
        {
            if (_observations is not null)
            {
                FoldObservations(ref rowsWanted);
            }
            else if (_stretch < _stretches.Count && _stretches[_stretch].Run == _run)
            {
                var stretch = _stretches[_stretch++];
                _observations = new RangeSteps(store, datastream, stretch.From, stretch.To);
            }
            else if (_run < _runs.Count)
            {
                FoldCells(_runs[_run], ref rowsWanted);
            }
            else if (!Plan(ref rowsWanted))
            {
                return false;
            }
        }

        return true;
    }

    private void FoldObservations(ref int rowsWanted)
    {
        if (!_observations!.Next(rowsWanted))
        {
            _observations = null;
            return;
        }

        var rows = _observations.Rows;
        fold.Add(CollectionsMarshal.AsSpan(rows.Micros), CollectionsMarshal.AsSpan(rows.Results), CollectionsMarshal.AsSpan(rows.Qualities), CollectionsMarshal.AsSpan(rows.Coverages));
        rowsWanted -= Math.Max(rows.Count, StretchRows);
    }

    private void FoldCells(Run run, ref int rowsWanted)
    {
        var from = run.From + _cell;
        var behind = Math.Min(run.To, from + rowsWanted);
        var taken = fold.Add(run.Rows.Cells(from, behind));
        _served += taken;
        var isRefused = from + taken < behind;
        if (isRefused && ReferenceEquals(run.Rows, buffers.Derived))
        {
            var start = run.Rows.Starts[from + taken];
            _observations = new RangeSteps(store, datastream, Math.Max(start, _begin), Math.Min(start + Micros(fold.Cells!.Value), to));
        }

        var done = taken + (isRefused ? 1 : 0);
        rowsWanted -= done;
        (_run, _cell) = from + done == run.To ? (_run + 1, 0) : (_run, _cell + done);
    }

    /// <summary>Looks at what is stored next; false when nothing is.</summary>
    private bool Plan(ref int rowsWanted)
    {
        _runs.Clear();
        _stretches.Clear();
        (_run, _cell, _stretch) = (0, 0, 0);
        instruments.RollupServed(_served);
        _served = 0;
        using var version = store.Take();
        if (_from >= to || version.NextDay(EventTime.Day(_from)) is not { } day || day * EventTime.MicrosPerDay >= to)
        {
            return false;
        }

        _from = Math.Max(_from, day * EventTime.MicrosPerDay);
        var month = RollupPlan.MonthOf(day);
        var nextKept = version.NextKept(day);
        if (datastream is < 1 or > RollupCells.DatastreamMax || (nextKept != month && (fold.Cells is not { } width || !version.HasRollups(width))))
        {
            var next = datastream > RollupCells.DatastreamMax || nextKept is not { } first ? to : Math.Min(to, first * EventTime.MicrosPerDay);
            _stretches.Add(new Stretch(0, _from, next));
            _from = next;
            return true;
        }

        var end = Math.Min(to, RollupPlan.MonthAfter(month) * EventTime.MicrosPerDay);
        var kept = nextKept == month ? ReadKept(version, month) : 0;
        var counts = fold.Cells is { } resolution && !IsShort(version, day) && version.RollupsOf(month, resolution) is { Days: > 0 } rollups ? Read(version, rollups, month, resolution) : 0;
        PlanMonth(version, month, day, end, counts, kept);
        _from = end;
        rowsWanted -= MonthRows;
        return true;
    }

    /// <summary>About one datastream and so few observations that cells would only be a detour. Beside neighbours cells cost nearly nothing.</summary>
    private bool IsShort(StoreVersion version, int day) => !buffers.IsOfMany && to - _begin <= FewDaysMicros && RowReader.RowsExpected(version, day) <= FewRows;

    /// <summary>Reads what is kept of a month without its observations; the days, a bit each, of which it is all that counts for this datastream.</summary>
    private uint ReadKept(StoreVersion version, int month)
    {
        buffers.Kept.Clear();
        buffers.Unflagged.Clear();
        var needed = RollupCells.Needed(fold.Statistic);
        if (fold.Cells is { } resolution && version.KeptOf(month, resolution) is { } part)
        {
            using var lease = store.Cache.Rent(part);
            buffers.Kept.Read(lease.Reader, datastream, month, Micros(resolution), needed);
            if (buffers.Kept.HasAny(fold.Without))
            {
                buffers.Unflagged.Read(lease.Reader, datastream, month, Micros(resolution), needed, withoutFlags: true);
            }
        }

        if (fold.Cells == Rollups.Coarsest || version.KeptOf(month, Rollups.Coarsest) is not { } hours)
        {
            return buffers.Kept.Days;
        }

        using var other = store.Cache.Rent(hours);
        buffers.Hours.Read(other.Reader, datastream, month, Micros(Rollups.Coarsest), RollupCode.Extent);
        return buffers.Hours.Days;
    }

    private static long Micros(TimeSpan width) => width.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Reads the cells of a month; the days, a bit each, of which they count for this datastream.</summary>
    private uint Read(StoreVersion version, LiveRollups rollups, int month, TimeSpan resolution)
    {
        try
        {
            using var lease = store.Cache.Rent(rollups.Part);
            buffers.Derived.Read(lease.Reader, datastream, month, Micros(resolution), RollupCells.Needed(fold.Statistic));
        }
        catch (InvalidDataException)
        {
            // The observations say the same; the file is found by hub check, and made anew when its month is written next.
            instruments.RollupDamaged();
            return 0;
        }

        var counts = rollups.Days & ~buffers.Derived.Lacking;
        foreach (var table in version.Tables)
        {
            counts &= ~table.DaysOf(datastream, month, 32);
        }

        // A day without rows has no observations, but for rows of a minute, which are only there where they are worth it.
        return resolution == Rollups.Resolutions[0] ? counts & buffers.Derived.Days : counts;
    }

    private void PlanMonth(StoreVersion version, int month, int day, long end, uint counts, uint kept)
    {
        var (next, nextKept, nextUnflagged) = (0, 0, 0);
        while (day * EventTime.MicrosPerDay < end)
        {
            var (start, dayEnd) = (Math.Max(_from, day * EventTime.MicrosPerDay), Math.Min(end, (day + 1) * EventTime.MicrosPerDay));
            if ((kept >> (day - month) & 1) != 0)
            {
                AddKept(ref nextKept, ref nextUnflagged, day);
            }
            else if ((counts >> (day - month) & 1) != 0 && TryAddRows(ref next, day, start, dayEnd))
            {
                // Its cells do.
            }
            else if (_stretches.Count > 0 && _stretches[^1] is var last && last.Run == _runs.Count)
            {
                _stretches[^1] = last with { To = dayEnd };
            }
            else
            {
                _stretches.Add(new Stretch(_runs.Count, start, dayEnd));
            }

            if (version.NextDay(day + 1) is not { } other)
            {
                break;
            }

            day = other;
        }
    }

    /// <summary>Adds the cells of a day; false, and none added, when one of them has flags that are to be left out: reading the day once is cheaper than its cells one by one.</summary>
    private bool TryAddRows(ref int next, int day, long start, long end)
    {
        var (cells, width) = (buffers.Derived, Micros(fold.Cells!.Value));
        var starts = cells.Starts;
        var first = next + EventTime.FirstAt(starts[next..], Math.Max(day * EventTime.MicrosPerDay, start - width + 1));
        next = first + EventTime.FirstAt(starts[first..], end);
        var without = (int)fold.Without;
        if (without != 0)
        {
            foreach (var quality in cells.Qualities[first..next])
            {
                if ((quality & without) != 0)
                {
                    return false;
                }
            }
        }

        AddRun(cells, first, next);
        return true;
    }

    /// <summary>
    /// Adds the kept cells of a day that lie in the question as a whole: they cannot be divided. One with flags to be left out is given by its observations without any flag; one that does not hold what is
    /// asked has no answer.
    /// </summary>
    private void AddKept(ref int next, ref int nextUnflagged, int day)
    {
        var (all, unflagged, width) = (buffers.Kept, buffers.Unflagged, Micros(fold.Cells ?? Rollups.Coarsest));
        var starts = all.Starts;
        var others = unflagged.Starts;
        for (; next < starts.Length && starts[next] < (day + 1) * EventTime.MicrosPerDay; next++)
        {
            var start = starts[next];
            if (start < day * EventTime.MicrosPerDay || start < fold.From || start + width > fold.To)
            {
                continue;
            }

            var (rows, at) = (all, next);
            if ((all.Qualities[next] & (int)fold.Without) != 0)
            {
                nextUnflagged += EventTime.FirstAt(others[nextUnflagged..], start);
                if (nextUnflagged == others.Length || others[nextUnflagged] != start)
                {
                    continue;
                }

                (rows, at) = (unflagged, nextUnflagged);
            }

            if (!rows.Lacks(at))
            {
                AddRun(rows, at, at + 1);
            }
        }
    }

    /// <summary>Adds cells, to those before them where nothing lies between.</summary>
    private void AddRun(RollupRows rows, int from, int to)
    {
        if (_runs.Count > 0 && _runs[^1] is var last && ReferenceEquals(last.Rows, rows) && last.To == from && (_stretches.Count == 0 || _stretches[^1].Run < _runs.Count))
        {
            _runs[^1] = last with { To = to };
        }
        else if (from < to)
        {
            _runs.Add(new Run(rows, from, to));
        }
    }

    /// <summary>Cells [From, To) of some rows, folded one after the other.</summary>
    private readonly record struct Run(RollupRows Rows, int From, int To);

    /// <summary>A stretch that is folded from observations.</summary>
    /// <param name="Run">It comes before this run of cells.</param>
    /// <param name="From">First microsecond.</param>
    /// <param name="To">First microsecond behind it.</param>
    private readonly record struct Stretch(int Run, long From, long To);
}
