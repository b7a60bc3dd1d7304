namespace Hub.Cloud.Series;

/// <summary>
/// Reads rows of one datastream out of a version of the store, across memory tables and parts: the value that counts for each key, or all those that lost. Synchronous; each call is short. Not safe
/// for concurrent use: whoever reads has one of its own.
/// </summary>
internal sealed class RowReader(PartCache cache)
{
    private readonly RowMerge _merge = new();
    private readonly List<ObservationColumns> _sources = [];
    private readonly ObservationColumns _winners = new();
    private readonly List<Observation> _history = [];
    private int _used;

    /// <summary>Appends the rows with from &lt;= time &lt; to, all in one UTC day, in order of time.</summary>
    public void Read(StoreVersion version, int datastream, long from, long to, ObservationColumns into)
    {
        Gather(version, datastream, from, to);
        Merge(datastream, into, null);
    }

    /// <summary>Appends the values that lost, with from &lt;= time &lt; to, all in one UTC day, each once, in order of time and, within one time, the better first.</summary>
    public void ReadHistory(StoreVersion version, int datastream, long from, long to, List<Observation> into)
    {
        // A loser stands in the history, or among the observations of an older part until the parts are merged.
        _history.Clear();
        _winners.Clear();
        Gather(version, datastream, from, to);
        Merge(datastream, _winners, _history);
        foreach (var table in version.Tables)
        {
            table.ReadHistory(datastream, from, to, _history);
        }

        if (version.PartsOf(EventTime.Day(from)) is { } parts)
        {
            var rows = NextSource();
            foreach (var part in parts.History)
            {
                using var lease = cache.Rent(part);
                if (lease.Reader.MayContain(datastream, from, to))
                {
                    lease.Reader.Read(datastream, from, to, rows);
                }
            }

            for (var i = 0; i < rows.Count; i++)
            {
                _history.Add(rows.Get(i, datastream));
            }
        }

        HistoryRows.SortDistinct(_history);
        into.AddRange(_history);
    }

    /// <summary>About how many rows of one datastream this day holds; from what the manifest says.</summary>
    public static long RowsExpected(StoreVersion version, int day)
    {
        long rows = 0;
        foreach (var part in version.PartsOf(day)?.Observations ?? [])
        {
            rows += part.Info.Summary.Rows / Math.Max(1, part.Info.Summary.Datastreams);
        }

        return rows;
    }

    private void Gather(StoreVersion version, int datastream, long from, long to)
    {
        _used = 0;
        foreach (var table in version.Frozen)
        {
            table.Read(datastream, from, to, NextSource());
        }

        version.Active.Read(datastream, from, to, NextSource());
        if (version.PartsOf(EventTime.Day(from)) is not { } parts)
        {
            return;
        }

        foreach (var part in parts.Observations)
        {
            if (part.Info.Summary.MaxMicros < from || part.Info.Summary.MinMicros >= to)
            {
                continue;
            }

            using var lease = cache.Rent(part);
            if (lease.Reader.MayContain(datastream, from, to))
            {
                lease.Reader.Read(datastream, from, to, NextSource());
            }
        }
    }

    private void Merge(int datastream, ObservationColumns into, List<Observation>? losers)
    {
        _merge.Clear();
        for (var i = 0; i < _used; i++)
        {
            _merge.Add(_sources[i]);
        }

        _merge.Run(datastream, into, losers);
    }

    private ObservationColumns NextSource()
    {
        if (_used == _sources.Count)
        {
            _sources.Add(new ObservationColumns());
        }

        var source = _sources[_used++];
        source.Clear();
        return source;
    }
}

/// <summary>What a question about rows of one datastream at a time needs in memory: up to some MB.</summary>
/// <param name="cache">Open parts.</param>
internal sealed class RowBuffers(PartCache cache)
{
    public RowReader Reader { get; } = new(cache);

    /// <summary>Rows that the question was given last.</summary>
    public ObservationColumns Rows { get; } = new();
}

/// <summary>Order of the values that lost: by time, within one time the better first, each once.</summary>
internal static class HistoryRows
{
    public static void SortDistinct(List<Observation> rows)
    {
        rows.Sort(static (a, b) => a.PhenomenonTime != b.PhenomenonTime ? a.PhenomenonTime.CompareTo(b.PhenomenonTime) : ObservationOrder.Compare(b, a));
        var kept = 0;
        for (var i = 0; i < rows.Count; i++)
        {
            if (kept == 0 || rows[kept - 1].PhenomenonTime != rows[i].PhenomenonTime || ObservationOrder.Compare(rows[kept - 1], rows[i]) != 0)
            {
                rows[kept++] = rows[i];
            }
        }

        rows.RemoveRange(kept, rows.Count - kept);
    }
}
