using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>
/// Writes the rollups of one UTC month at one resolution: rows of some days are copied from the file before, those of others folded from their observations. Goes through its sources datastream by
/// datastream, so memory is bounded by a bundle of each. Writes a new file only; naming it in the manifest is the caller's. Used by one thread.
/// </summary>
/// <param name="store">Where the file goes.</param>
/// <param name="statistics">Which statistic suits a datastream; null for all of them, or where it is not known.</param>
/// <param name="findings">Flags found since observations were stored, for rows that are kept without them; null when nothing finds any.</param>
/// <param name="pace">Called every few ten thousand rows: may pause, or end the work by an exception.</param>
internal sealed class RollupMonth(PartStore store, IDatastreamStatistics? statistics, IFindings? findings, Action pace)
{
    /// <summary>A datastream has rows of a minute on days with more observations than this: otherwise its observations are about as few.</summary>
    public const int MinuteObservationsMin = 2_881;

    private readonly List<RollupRow> _cells = [];
    private readonly List<RollupRow> _unflagged = [];
    private readonly List<int> _qualities = [];
    private readonly Columns[] _codes = [.. Enumerable.Range(0, RollupCells.CodesPerDatastream).Select(_ => new Columns())];
    private long _unpaced;

    /// <summary>Writes the file of a plan.</summary>
    /// <param name="plan">What is wanted.</param>
    /// <param name="old">The file before; null when there is none.</param>
    /// <param name="fresh">The parts to be folded, in order of their days.</param>
    /// <returns>The file; null when it is of no day.</returns>
    public PartInfo? Write(RollupPlan plan, LivePart? old, IReadOnlyList<LivePart> fresh)
    {
        var sources = plan.Kept.AddRange(fresh.Select(part => new RollupSource(part.Info.Day, part.Info.File))).Sort(static (a, b) => a.Day.CompareTo(b.Day));
        var kept = plan.Kept.Select(source => source.Day).ToHashSet();
        return Write(new Job(PartKind.Rollups, plan.Month, plan.Minutes, plan.Kept.IsEmpty ? null : old, (_, micros) => kept.Contains(EventTime.Day(micros)), fresh, static (_, _) => true, sources));
    }

    /// <summary>Writes rows that are to be kept without their observations, beside those that are kept already.</summary>
    /// <param name="month">First day of the month.</param>
    /// <param name="resolution">Width of the cells.</param>
    /// <param name="old">The file before; null when there is none.</param>
    /// <param name="fresh">The parts to be folded, in order of their days: all that is stored of these days.</param>
    /// <param name="folds">Whether a datastream of a day is to be folded.</param>
    /// <returns>The file; null when it would have no rows.</returns>
    public PartInfo? WriteKept(int month, TimeSpan resolution, LivePart? old, IReadOnlyList<LivePart> fresh, Func<int, int, bool> folds) =>
        Write(new Job(PartKind.Kept, month, (int)resolution.TotalMinutes, old, static (_, _) => true, fresh, folds, []));

    /// <summary>Writes rows that another store kept without their observations, beside those that are kept already.</summary>
    /// <param name="month">First day of the month.</param>
    /// <param name="resolution">Width of the cells.</param>
    /// <param name="old">The file before; null when there is none.</param>
    /// <param name="taken">Days of the month of which it has no rows, by datastream and day.</param>
    /// <returns>The file; null when it would have no rows.</returns>
    public PartInfo? WriteTaken(int month, TimeSpan resolution, LivePart? old, IReadOnlyList<CondensedDay> taken) =>
        Write(new Job(PartKind.Kept, month, (int)resolution.TotalMinutes, old, static (_, _) => true, [], static (_, _) => false, []) { Taken = taken });

    /// <summary>A file of kept rows without the cells of some datastreams with from &lt;= begin &lt; to.</summary>
    /// <returns>The file; null when no row is left.</returns>
    public PartInfo? CutKept(LivePart old, IReadOnlySet<int> datastreams, long from, long to) =>
        Write(new Job(PartKind.Kept, old.Info.Day, old.Info.Rollup!.Minutes, old, (datastream, micros) => micros < from || micros >= to || !datastreams.Contains(datastream), [], static (_, _) => false, []));

    /// <summary>Folds the observations of a datastream in a part, where the walk stands, and leaves the walk behind them.</summary>
    /// <param name="walk">Stands at the datastream.</param>
    /// <param name="datastream">The datastream.</param>
    /// <param name="resolution">Width of the cells.</param>
    /// <param name="columns">Sums that are wanted.</param>
    /// <param name="cells">Receives the rows, after it was emptied; none where a minute is too fine for what there is, or the datastream has no number in files of rollups.</param>
    /// <param name="count">Called with the number of observations read, now and then.</param>
    /// <param name="good">Receives the observations without a flag; null when nobody wants them.</param>
    /// <param name="flags">Gives the flags of rows; null for those they were stored with.</param>
    public static void Fold(PartWalk walk, int datastream, TimeSpan resolution, RollupColumns columns, List<RollupRow> cells, Action<int> count, RollupFold? good = null, Func<ObservationColumns, List<int>>? flags = null)
    {
        cells.Clear();
        var (fold, observations) = (new RollupFold(resolution, columns, cells.Add), 0L);
        do
        {
            var rows = walk.Rows;
            var qualities = flags?.Invoke(rows) ?? rows.Qualities;
            fold.Add(CollectionsMarshal.AsSpan(rows.Micros), CollectionsMarshal.AsSpan(rows.Results), CollectionsMarshal.AsSpan(qualities), CollectionsMarshal.AsSpan(rows.Coverages));
            for (var i = 0; i < rows.Count && good is not null; i++)
            {
                if (qualities[i] == 0)
                {
                    good.Add(rows.Micros[i], rows.Results[i], Quality.Good, rows.Coverages[i]);
                }
            }

            observations += walk.Rows.Count;
            count(walk.Rows.Count);
        }
        while (walk.MoveNext(datastream));
        fold.Complete();
        if ((resolution == Rollups.Resolutions[0] && observations < MinuteObservationsMin) || datastream > RollupCells.DatastreamMax)
        {
            cells.Clear();
        }
    }

    private PartInfo? Write(Job job)
    {
        var name = store.NewPartName(job.Month);
        var (walks, folded) = (new List<PartWalk>(), new List<PartWalk>());
        var (days, taken) = (new SortedSet<int>(), 0);
        PartWriter? writer = null;
        try
        {
            var before = job.Old is { } old ? Walk(old, walks) : null;
            folded.AddRange(job.Fresh.Select(part => Walk(part, walks)));
            while (Next(before, folded, taken < job.Taken.Count ? job.Taken[taken].Datastream : null) is { } datastream)
            {
                Array.ForEach(_codes, static code => code.Clear());
                Copy(before, datastream, job.Copies);
                for (var i = 0; i < folded.Count; i++)
                {
                    if (folded[i].Datastream == datastream)
                    {
                        Fold(job, folded[i], datastream, job.Folds(datastream, job.Fresh[i].Info.Day));
                    }
                }

                for (; taken < job.Taken.Count && job.Taken[taken].Datastream == datastream; taken++)
                {
                    Encode(job.Taken[taken], TimeSpan.FromMinutes(job.Minutes));
                }

                Write(job, datastream, ref writer, name, days);
            }

            if (writer is null && !job.Sources.IsEmpty)
            {
                var none = new ObservationColumns();
                none.Add(new Observation(0, EventTime.Time(job.Sources[0].Day * EventTime.MicrosPerDay), 0, Quality.Good));
                Open(job, ref writer, name).Add(RollupCells.NoCellKey, none);
            }

            return writer is null ? null : store.Describe(name, job.Kind, job.Month, writer.Complete()) with
            {
                Rollup = new RollupInfo(job.Minutes, job.Kind == PartKind.Kept ? [.. days.Select(static day => new RollupSource(day, ""))] : job.Sources),
            };
        }
        finally
        {
            writer?.Dispose();
            walks.ForEach(static walk => walk.Dispose());
        }
    }

    /// <summary>Folds the observations of a day and encodes the rows, or passes over them.</summary>
    private void Fold(Job job, PartWalk walk, int datastream, bool isWanted)
    {
        if (!isWanted)
        {
            while (walk.MoveNext(datastream))
            {
            }

            return;
        }

        var columns = RollupCells.Worth(statistics?.Of(datastream)) | (job.Kind == PartKind.Kept ? RollupColumns.Ends : RollupColumns.None);
        var resolution = TimeSpan.FromMinutes(job.Minutes);
        if (job.Kind == PartKind.Rollups)
        {
            Fold(walk, datastream, resolution, columns, _cells, Count);
            Encode(_cells, columns, 0);
            return;
        }

        // Of cells with flags also what they are without the flagged: nobody can fold them again.
        _unflagged.Clear();
        var good = new RollupFold(resolution, columns, _unflagged.Add);
        Fold(walk, datastream, resolution, columns, _cells, Count, good, findings is null ? null : rows => Flagged(rows, findings, datastream));
        good.Complete();
        var flagged = _cells.Where(static cell => cell.Quality != Quality.Good).Select(static cell => cell.Start).ToHashSet();
        _unflagged.RemoveAll(cell => !flagged.Contains(cell.Start));
        Encode(_cells, columns, 0);
        Encode(_unflagged, columns, RollupCells.WithoutFlags);
    }

    /// <summary>The flags of rows with those found since.</summary>
    private List<int> Flagged(ObservationColumns rows, IFindings found, int datastream)
    {
        var stretches = found.Within(datastream, EventTime.Time(rows.Micros[0]), EventTime.Time(rows.Micros[^1]).AddMicroseconds(1));
        if (stretches.Count == 0)
        {
            return rows.Qualities;
        }

        _qualities.Clear();
        _qualities.AddRange(rows.Qualities);
        foreach (var stretch in stretches)
        {
            var at = rows.Micros.BinarySearch(EventTime.Micros(stretch.From));
            for (at = at < 0 ? ~at : at; at < rows.Count && rows.Micros[at] < EventTime.Micros(stretch.To); at++)
            {
                _qualities[at] |= (int)stretch.Flags;
            }
        }

        return _qualities;
    }

    private static PartWalk Walk(LivePart part, List<PartWalk> walks)
    {
        // Readers of its own: it passes through once and must not push others out of the cache.
        walks.Add(new PartWalk(PartReader.Open(part.Path)));
        return walks[^1];
    }

    private static int? Next(PartWalk? before, List<PartWalk> folded, int? taken)
    {
        int? next = before?.Datastream is { } key and not RollupCells.NoCellKey && key / RollupCells.CodesPerDatastream is var first && !(taken < first) ? first : taken;
        foreach (var walk in folded)
        {
            if (walk.Datastream is { } datastream && (next is null || datastream < next))
            {
                next = datastream;
            }
        }

        return next;
    }

    private void Copy(PartWalk? before, int datastream, Func<int, long, bool> copies)
    {
        while (before?.Datastream is { } key && key / RollupCells.CodesPerDatastream == datastream)
        {
            var rows = before.Rows;
            var into = _codes[key % RollupCells.CodesPerDatastream].Kept;
            for (var from = 0; from < rows.Count;)
            {
                var to = from;
                while (to < rows.Count && copies(datastream, rows.Micros[to]))
                {
                    to++;
                }

                into.AddRange(rows, from, to);
                from = to + 1;
            }

            Count(rows.Count);
            before.MoveNext(key);
        }
    }

    private void Encode(List<RollupRow> cells, RollupColumns columns, int firstCode)
    {
        for (var code = 0; code < RollupCells.CodeCount && cells.Count > 0; code++)
        {
            if (RollupCells.Has(columns, (RollupCode)code))
            {
                RollupCells.Encode((RollupCode)code, cells, _codes[firstCode + code].Fresh);
            }
        }
    }

    /// <summary>Encodes what was given of a day: a sum that was not kept has no row.</summary>
    private void Encode(CondensedDay day, TimeSpan width)
    {
        foreach (var (withoutFlagged, firstCode) in new[] { (false, 0), (true, RollupCells.WithoutFlags) })
        {
            _cells.Clear();
            _cells.AddRange(day.Of(width, withoutFlagged).Select(static cell => cell.ToRow()));
            for (var code = 0; code < RollupCells.CodeCount && _cells.Count > 0; code++)
            {
                var rows = (RollupCode)code switch
                {
                    RollupCode.Energy => _cells.FindAll(static cell => !double.IsNaN(cell.EnergySum)),
                    RollupCode.Direction => _cells.FindAll(static cell => !double.IsNaN(cell.East)),
                    _ => _cells,
                };
                RollupCells.Encode((RollupCode)code, rows, _codes[firstCode + code].Fresh);
            }
        }
    }

    private void Write(Job job, int datastream, ref PartWriter? writer, string name, SortedSet<int> days)
    {
        for (var code = 0; code < _codes.Length; code++)
        {
            if (_codes[code].Merged() is not { Count: > 0 } rows)
            {
                continue;
            }

            Open(job, ref writer, name).Add((datastream * RollupCells.CodesPerDatastream) + code, rows);
            Count(rows.Count);
            if (code == 0)
            {
                days.UnionWith(rows.Micros.Select(EventTime.Day));
            }
        }
    }

    private PartWriter Open(Job job, [NotNull] ref PartWriter? writer, string name) => writer ??= new PartWriter(Path.Combine(store.Folder.Parts(job.Kind), name));

    private void Count(int rows)
    {
        _unpaced += rows;
        if (_unpaced >= PartFiles.RowsAtOnce)
        {
            _unpaced = 0;
            pace();
        }
    }

    /// <summary>A file to be written.</summary>
    /// <param name="Kind">Derived or kept.</param>
    /// <param name="Month">First day of the month.</param>
    /// <param name="Minutes">Width of the cells.</param>
    /// <param name="Old">The file before, of which rows are copied; null when none are.</param>
    /// <param name="Copies">Whether the row of a datastream that begins at a time is copied.</param>
    /// <param name="Fresh">Parts to be folded.</param>
    /// <param name="Folds">Whether a datastream of a day is folded.</param>
    /// <param name="Sources">What the rows of a derived file are made of.</param>
    private sealed record Job(
        PartKind Kind, int Month, int Minutes, LivePart? Old, Func<int, long, bool> Copies, IReadOnlyList<LivePart> Fresh, Func<int, int, bool> Folds, ImmutableArray<RollupSource> Sources)
    {
        /// <summary>Days whose rows were given, by datastream and day.</summary>
        public IReadOnlyList<CondensedDay> Taken { get; init; } = [];
    }

    /// <summary>Rows of one code of one datastream.</summary>
    private sealed class Columns
    {
        private readonly ObservationColumns _merged = new();

        public ObservationColumns Kept { get; } = new();

        public ObservationColumns Fresh { get; } = new();

        public void Clear()
        {
            Kept.Clear();
            Fresh.Clear();
        }

        /// <summary>Both in order of time; no day is in both.</summary>
        public ObservationColumns Merged()
        {
            if (Kept.Count == 0 || Fresh.Count == 0)
            {
                return Kept.Count == 0 ? Fresh : Kept;
            }

            _merged.Clear();
            for (var (kept, fresh) = (0, 0); kept < Kept.Count || fresh < Fresh.Count;)
            {
                if (fresh == Fresh.Count || (kept < Kept.Count && Kept.Micros[kept] < Fresh.Micros[fresh]))
                {
                    _merged.AddRange(Kept, kept, ++kept);
                }
                else
                {
                    _merged.AddRange(Fresh, fresh, ++fresh);
                }
            }

            return _merged;
        }
    }
}
