namespace Hub.Cloud.Series;

/// <summary>Takes in rollups that another store kept without their observations: all days of a month at all resolutions in one change of the manifest. Runs where parts are rewritten.</summary>
internal sealed class KeptTaking(PartStore store, IReadOnlyList<CondensedDay> days)
{
    private readonly RowReader _reader = new(store.Cache);

    /// <summary>Takes what may be taken; when it returns that is on the disk.</summary>
    /// <returns>What became of each day.</returns>
    public CondensedOutcome[] Run(RollupMonth months)
    {
        var outcomes = new CondensedOutcome[days.Count];
        foreach (var month in Enumerable.Range(0, days.Count).GroupBy(i => RollupPlan.MonthOf(days[i].Number)).OrderBy(static month => month.Key))
        {
            Take(months, month.Key, [.. month], outcomes);
        }

        return outcomes;
    }

    private void Take(RollupMonth months, int month, List<int> given, CondensedOutcome[] outcomes)
    {
        using var version = store.Take();
        var known = version.KeptOf(month, Rollups.Coarsest) is { } hours ? SeriesQueries.KeptDays(hours, CancellationToken.None).ToHashSet() : [];
        foreach (var i in given)
        {
            outcomes[i] = days[i].Datastream > RollupCells.DatastreamMax ? CondensedOutcome.Outside
                : known.Contains((days[i].Datastream, days[i].Number)) ? CondensedOutcome.There
                : HasObservations(version, days[i]) ? CondensedOutcome.Observed
                : CondensedOutcome.Taken;
        }

        CondensedDay[] taken = [.. given.Where(i => outcomes[i] == CondensedOutcome.Taken).Select(i => days[i]).OrderBy(static day => day.Datastream).ThenBy(static day => day.Number)];
        if (taken.Length == 0)
        {
            return;
        }

        var (inputs, written) = (new List<LivePart>(), new List<PartInfo>());
        try
        {
            foreach (var resolution in Rollups.Resolutions.Where(resolution => taken.Any(day => day.Of(resolution, withoutFlagged: false).Any())))
            {
                var old = version.KeptOf(month, resolution);
                written.Add(months.WriteTaken(month, resolution, old, taken)!);
                inputs.AddRange(old is null ? [] : [old]);
            }
        }
        catch
        {
            foreach (var part in written)
            {
                PartFiles.TryDelete(store.Folder.Part(part));
            }

            throw;
        }

        Compactor.Replace(store, inputs, written);
    }

    /// <summary>Whether anything of the day is in memory or in parts. What is appended from here on comes later for a day of kept rollups.</summary>
    private bool HasObservations(StoreVersion version, CondensedDay day)
    {
        var (rows, start) = (new ObservationColumns(), day.Number * EventTime.MicrosPerDay);
        _reader.Read(version, day.Datastream, start, start + EventTime.MicrosPerDay, rows);
        return rows.Count > 0;
    }
}
