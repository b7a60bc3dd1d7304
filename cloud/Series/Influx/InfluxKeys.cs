namespace Hub.Cloud.Series;

/// <summary>
/// Stored keys as the committer asks for them: what the server has and what waits for it, as one. Blocks the committer's thread for the answer; while the server is known to be away it throws at once.
/// </summary>
internal sealed class InfluxKeys(InfluxRows rows, PendingRows pending, Func<InfluxAwayException?> away, CancellationToken stop) : IKeyLookup
{
    public List<Observation>? RowsOfDays(IReadOnlyCollection<(int Datastream, int Day)> days, int rowsMax)
    {
        ThrowIfAway();
        var found = new Dictionary<(int, DateTime), Observation>();
        foreach (var (datastream, day) in days)
        {
            foreach (var row in pending.Range(datastream, day * EventTime.MicrosPerDay, ((day + 1) * EventTime.MicrosPerDay) - 1))
            {
                found[(datastream, row.PhenomenonTime)] = row;
            }
        }

        if (rows.RowsOfDaysAsync(days, rowsMax, stop).GetAwaiter().GetResult() is not { } stored)
        {
            return null;
        }

        Merge(found, stored);
        return found.Count > rowsMax ? null : [.. found.Values];
    }

    public List<Observation> RowsOfKeys(IReadOnlyCollection<(int Datastream, long Micros)> keys)
    {
        ThrowIfAway();
        var found = new Dictionary<(int, DateTime), Observation>();
        foreach (var (datastream, micros) in keys)
        {
            if (pending.TryGet(datastream, micros, out var row))
            {
                found[(datastream, row.PhenomenonTime)] = row;
            }
        }

        Merge(found, rows.RowsOfKeysAsync(keys, stop).GetAwaiter().GetResult());
        return [.. found.Values];
    }

    /// <summary>Takes out those that the history has already.</summary>
    public void ExceptHistory(HashSet<Observation> losers)
    {
        losers.RemoveWhere(loser => pending.IsLoser(loser));
        if (losers.Count > 0 && away() is null)
        {
            var keys = losers.Select(row => (row.Datastream, EventTime.Micros(row.PhenomenonTime))).ToHashSet();
            losers.ExceptWith(rows.HistoryOfKeysAsync(keys, stop).GetAwaiter().GetResult().Select(found => found.Row));
        }
    }

    private static void Merge(Dictionary<(int, DateTime), Observation> found, List<Observation> stored)
    {
        foreach (var row in stored)
        {
            if (!found.TryGetValue((row.Datastream, row.PhenomenonTime), out var other) || ObservationOrder.Compare(row, other) > 0)
            {
                found[(row.Datastream, row.PhenomenonTime)] = row;
            }
        }
    }

    private void ThrowIfAway()
    {
        if (away() is { } reason)
        {
            throw new InfluxAwayException(reason.Message, reason);
        }
    }
}
