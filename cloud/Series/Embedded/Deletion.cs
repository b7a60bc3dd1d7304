namespace Hub.Cloud.Series;

/// <summary>Removes the observations of datastreams in a stretch of time, with their history, from the parts. Runs where parts are rewritten; everything older must be in parts.</summary>
internal sealed class Deletion(PartStore store, IReadOnlySet<int> datastreams, long from, long to)
{
    private readonly RowReader _reader = new(store.Cache);

    /// <summary>Rewrites the parts concerned, and the rollups that are kept without their observations; when it returns the rows are gone from the disk.</summary>
    public void Run(PartMerger merger, RollupMonth months)
    {
        using var version = store.Take();
        var (inputs, written) = (new List<LivePart>(), new List<PartInfo>());
        try
        {
            CutKept(version, months, inputs, written);
            Remove(merger, version, inputs, written);
        }
        catch
        {
            foreach (var part in written)
            {
                PartFiles.TryDelete(store.Folder.Part(part));
            }

            throw;
        }
    }

    /// <summary>Removes the observations and their history, in one change of the manifest with other parts that are replaced.</summary>
    /// <param name="merger">Rewrites.</param>
    /// <param name="version">The store.</param>
    /// <param name="inputs">Parts that are replaced; gets those concerned.</param>
    /// <param name="written">Parts that take their place; gets those written. They go when this throws, by the caller.</param>
    /// <returns>Rows removed from parts with observations: observations, where each day is one part.</returns>
    public long Remove(PartMerger merger, StoreVersion version, List<LivePart> inputs, List<PartInfo> written)
    {
        var removed = 0L;
        foreach (var part in version.Parts.Where(part => part.Info.Kind is PartKind.Observations or PartKind.History && Concerns(part)))
        {
            if (merger.Cut(part, datastreams, from, to, out var cut) is > 0 and var rows)
            {
                removed += part.Info.Kind == PartKind.Observations ? rows : 0;
                inputs.Add(part);
                if (cut is not null)
                {
                    written.Add(cut);
                }
            }
        }

        if (inputs.Count > 0)
        {
            var latest = new LatestFile(store);
            var before = LatestBefore(version, latest);
            Compactor.Replace(store, inputs, written, edit => edit with { Manifest = edit.Manifest with { Latest = Latest(latest, edit.Manifest, [.. version.Parts.Select(part => part.Info), .. written], before) } });
        }

        return removed;
    }

    /// <summary>Kept cells cannot be divided: those of every hour that the stretch touches go.</summary>
    private void CutKept(StoreVersion version, RollupMonth months, List<LivePart> inputs, List<PartInfo> written)
    {
        var hour = Rollups.Coarsest.Ticks / TimeSpan.TicksPerMicrosecond;
        var (first, last) = (EventTime.FloorDivide(from, hour) * hour, (EventTime.FloorDivide(to - 1, hour) + 1) * hour);
        foreach (var part in version.Kept)
        {
            if (part.Info.Summary.MaxMicros < first || part.Info.Summary.MinMicros >= last)
            {
                continue;
            }

            var cut = months.CutKept(part, datastreams, first, last);
            if (cut is not null && cut.Summary.Rows == part.Info.Summary.Rows)
            {
                PartFiles.TryDelete(store.Folder.Part(cut));
                continue;
            }

            inputs.Add(part);
            if (cut is not null)
            {
                written.Add(cut);
            }
        }
    }

    private bool Concerns(LivePart part)
    {
        var summary = part.Info.Summary;
        if (summary.MaxMicros < from || summary.MinMicros >= to)
        {
            return false;
        }

        using var lease = store.Cache.Rent(part);
        return lease.Reader.ContainsAny(datastreams, from, to);
    }

    /// <summary>For each datastream whose latest observation goes: the last one before the stretch; none when there is none.</summary>
    private Dictionary<int, Observation?> LatestBefore(StoreVersion version, LatestFile latest)
    {
        var before = new Dictionary<int, Observation?>();
        var rows = new ObservationColumns();
        foreach (var row in store.Read(manifest => latest.Read(manifest.Latest).Where(Goes).ToList()))
        {
            before[row.Datastream] = null;
            for (var day = version.PreviousDay(EventTime.Day(from - 1)); day is { } number; day = version.PreviousDay(number - 1))
            {
                rows.Clear();
                var start = number * EventTime.MicrosPerDay;
                _reader.Read(version, row.Datastream, start, Math.Min(from, start + EventTime.MicrosPerDay), rows);
                if (rows.Count > 0)
                {
                    before[row.Datastream] = rows.Get(rows.Count - 1, row.Datastream);
                    break;
                }
            }
        }

        return before;
    }

    /// <summary>The next file of latest values. A flush may have brought parts meanwhile: what they hold counts.</summary>
    private string? Latest(LatestFile latest, Manifest manifest, HashSet<PartInfo> known, Dictionary<int, Observation?> before)
    {
        var fresh = manifest.Parts.Where(part => part.Kind == PartKind.Observations && !known.Contains(part)).ToList();
        var rows = new List<Observation>();
        foreach (var row in latest.Read(manifest.Latest))
        {
            if (!Goes(row) || !before.TryGetValue(row.Datastream, out var earlier))
            {
                rows.Add(row);
            }
            else if (LastOf(fresh, row.Datastream) is { } last)
            {
                rows.Add(earlier is { } other && LatestFile.IsLater(other, last) ? other : last);
            }
            else if (earlier is { } only)
            {
                rows.Add(only);
            }
        }

        return latest.Write(rows);
    }

    private Observation? LastOf(List<PartInfo> parts, int datastream)
    {
        Observation? last = null;
        var rows = new ObservationColumns();
        foreach (var part in parts)
        {
            // Not yet in a version: opened directly. Rare, and small.
            using var reader = PartReader.Open(store.Folder.Part(part));
            rows.Clear();
            reader.Read(datastream, long.MinValue, long.MaxValue, rows);
            if (rows.Count > 0 && rows.Get(rows.Count - 1, datastream) is var row && (last is null || LatestFile.IsLater(row, last.Value)))
            {
                last = row;
            }
        }

        return last;
    }

    private bool Goes(Observation row)
    {
        var micros = EventTime.Micros(row.PhenomenonTime);
        return datastreams.Contains(row.Datastream) && micros >= from && micros < to;
    }
}
