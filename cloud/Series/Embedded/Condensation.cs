namespace Hub.Cloud.Series;

/// <summary>
/// Removes the observations of datastreams in whole UTC days, with their history, and keeps their rollups at all resolutions. Rows and removal take effect in one change of the manifest, a few days at a time, so
/// a crash leaves each day as it was or condensed. A day of a datastream of which rollups are kept already only loses what came for it since. Runs where parts are rewritten; everything older must be in parts.
/// </summary>
internal sealed class Condensation(PartStore store, IReadOnlySet<int> datastreams, int firstDay, int lastDay)
{
    /// <summary>Condenses everything; when it returns the observations are gone from the disk.</summary>
    /// <returns>Number of observations removed, without history.</returns>
    public long Run(PartMerger merger, RollupMonth months)
    {
        var removed = 0L;
        var days = Days();
        for (var at = 0; at < days.Count;)
        {
            var month = RollupPlan.MonthOf(days[at]);
            var chunk = days.Skip(at).TakeWhile(day => RollupPlan.MonthOf(day) == month).Take(RollupPlan.FreshMax).ToList();
            removed += Condense(merger, months, month, chunk);
            at += chunk.Count;
        }

        return removed;
    }

    /// <summary>The days that hold something of the datastreams, ascending.</summary>
    private List<int> Days()
    {
        using var version = store.Take();
        return [.. version.Days.Where(day => day.Day >= firstDay && day.Day < lastDay && day.Observations.Concat(day.History).Any(Concerns)).Select(day => day.Day)];
    }

    private bool Concerns(LivePart part)
    {
        using var lease = store.Cache.Rent(part);
        return lease.Reader.ContainsAny(datastreams, long.MinValue, long.MaxValue);
    }

    private long Condense(PartMerger merger, RollupMonth months, int month, List<int> days)
    {
        using var version = Merged(merger, days);
        var (inputs, written) = (new List<LivePart>(), new List<PartInfo>());
        try
        {
            LivePart[] fresh = [.. days.SelectMany(day => version.PartsOf(day)?.Observations ?? [])];
            var known = version.KeptOf(month, Rollups.Coarsest) is { } hours ? SeriesQueries.KeptDays(hours, CancellationToken.None).ToHashSet() : [];
            foreach (var resolution in Rollups.Resolutions)
            {
                var old = version.KeptOf(month, resolution);
                if (months.WriteKept(month, resolution, old, fresh, (datastream, day) => datastreams.Contains(datastream) && !known.Contains((datastream, day))) is { } file)
                {
                    written.Add(file);
                    inputs.AddRange(old is null ? [] : [old]);
                }
            }

            return new Deletion(store, datastreams, days[0] * EventTime.MicrosPerDay, (days[^1] + 1) * EventTime.MicrosPerDay).Remove(merger, version, inputs, written);
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

    /// <summary>A version in which each of the days is one part, so that it can be folded: a flush may bring parts at any time, merging happens only here meanwhile.</summary>
    private StoreVersion Merged(PartMerger merger, List<int> days)
    {
        while (true)
        {
            var version = store.Take();
            try
            {
                var several = days.Select(version.PartsOf).FirstOrDefault(static day => day?.Observations.Length > 1);
                if (several is null)
                {
                    return version;
                }

                Compactor.Replace(store, several.Observations, merger.Merge(several.Observations));
            }
            catch
            {
                version.Dispose();
                throw;
            }

            version.Dispose();
        }
    }
}
