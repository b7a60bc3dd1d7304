namespace Hub.Cloud.Series;

/// <summary>A walk over what is kept without its observations, month by month, datastream by datastream, in steps, each on a version of the store taken for it. Used by one caller at a time.</summary>
/// <param name="store">The store.</param>
/// <param name="datastreams">Those asked about; null for all.</param>
/// <param name="from">Days that begin at this microsecond or later.</param>
/// <param name="to">And before this one.</param>
internal sealed class KeptSteps(PartStore store, IReadOnlySet<int>? datastreams, long from, long to)
{
    /// <summary>Cells of one step, about: some milliseconds, and some MB.</summary>
    private const int StepCells = 20_000;

    /// <summary>So many datastreams are sooner looked up than found among all of a month.</summary>
    private const int NamedFew = 64;

    private readonly Queue<int> _next = new();
    private readonly RollupRows _rows = new();
    private int _month = int.MinValue;

    /// <summary>Days of the last step.</summary>
    public List<CondensedDay> Days { get; } = [];

    /// <summary>Reads on; false when nothing is left.</summary>
    /// <exception cref="InvalidDataException">A part is damaged.</exception>
    public bool Next()
    {
        Days.Clear();
        using var version = store.Take();
        if (_next.Count == 0 && !TryBegin(version))
        {
            return false;
        }

        for (var cells = 0; cells < StepCells && _next.TryDequeue(out var datastream);)
        {
            cells += Read(version, datastream);
        }

        return true;
    }

    /// <summary>Looks which datastreams the next month has. It may be none of those asked about.</summary>
    private bool TryBegin(StoreVersion version)
    {
        if (from >= to || version.Kept.FirstOrDefault(part => part.Info.Day > _month && part.Info.Rollup!.Minutes == (int)Rollups.Coarsest.TotalMinutes) is not { } part)
        {
            return false;
        }

        _month = part.Info.Day;
        if (RollupPlan.MonthAfter(_month) * EventTime.MicrosPerDay > from && _month * EventTime.MicrosPerDay < to)
        {
            // A reader of its own: scanning a whole part is rare and must not push others out of the cache.
            using var reader = PartReader.Open(part.Path);
            if (datastreams?.Count <= NamedFew)
            {
                foreach (var datastream in datastreams.Where(datastream => datastream is > 0 and <= RollupCells.DatastreamMax && reader.MayContain(RollupCells.Key(datastream, RollupCode.Extent), long.MinValue, long.MaxValue)).Order())
                {
                    _next.Enqueue(datastream);
                }

                return true;
            }

            foreach (var key in reader.Datastreams.Where(static key => key % RollupCells.CodesPerDatastream == (int)RollupCode.Extent))
            {
                if (datastreams is null || datastreams.Contains(key / RollupCells.CodesPerDatastream))
                {
                    _next.Enqueue(key / RollupCells.CodesPerDatastream);
                }
            }
        }

        return true;
    }

    private int Read(StoreVersion version, int datastream)
    {
        var (days, count) = (new SortedDictionary<int, List<CondensedCell>>(), 0);
        foreach (var width in Rollups.Resolutions.Reverse())
        {
            if (version.KeptOf(_month, width) is not { } part)
            {
                continue;
            }

            using var lease = store.Cache.Rent(part);
            foreach (var withoutFlagged in new[] { false, true })
            {
                foreach (var row in Cells(lease.Reader, datastream, width, withoutFlagged))
                {
                    var day = EventTime.Day(row.Start);
                    if (day * EventTime.MicrosPerDay >= from && day * EventTime.MicrosPerDay < to)
                    {
                        if (!days.TryGetValue(day, out var cells))
                        {
                            days[day] = cells = [];
                        }

                        cells.Add(CondensedCell.Of(row, width, withoutFlagged));
                        count++;
                    }
                }
            }
        }

        Days.AddRange(days.Select(day => new CondensedDay(datastream, EventTime.Time(day.Key * EventTime.MicrosPerDay), day.Value)));
        return count;
    }

    /// <summary>All cells of the month with everything that is kept of them.</summary>
    private List<RollupRow> Cells(PartReader reader, int datastream, TimeSpan width, bool withoutFlagged)
    {
        var micros = width.Ticks / TimeSpan.TicksPerMicrosecond;
        _rows.Read(reader, datastream, _month, micros, RollupCode.Sum, withoutFlagged);
        List<RollupRow> cells = [.. Enumerable.Range(0, _rows.Count).Select(_rows.At)];
        foreach (var code in new[] { RollupCode.Energy, RollupCode.Direction, RollupCode.Ends })
        {
            _rows.Read(reader, datastream, _month, micros, code, withoutFlagged);
            for (var i = 0; i < cells.Count; i++)
            {
                var row = _rows.At(i);
                cells[i] = code switch
                {
                    RollupCode.Energy => cells[i] with { EnergySum = row.EnergySum },
                    RollupCode.Direction => cells[i] with { East = row.East, North = row.North },
                    _ => cells[i] with { First = row.First, Last = row.Last },
                };
            }
        }

        return cells;
    }
}
