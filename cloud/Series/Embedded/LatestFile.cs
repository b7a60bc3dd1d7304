namespace Hub.Cloud.Series;

/// <summary>
/// The latest observation of each datastream in the parts, kept as a file beside them so that opening a store needs no search. It is a part like any other, with one row per datastream; each change of
/// the manifest that moves a latest value writes the next one. Called under the lock of changes.
/// </summary>
internal sealed class LatestFile(PartStore store)
{
    /// <summary>Every latest observation, ascending by datastream.</summary>
    public IEnumerable<Observation> Read(string? file)
    {
        if (file is null)
        {
            yield break;
        }

        var path = store.Folder.StateFile(file);
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"The file {path} is named by the manifest and is missing: restore the folder from a backup (hub restore).");
        }

        using var reader = PartReader.Open(path);
        using var cursor = reader.ReadAll();
        while (cursor.MoveNext())
        {
            yield return cursor.Rows.Get(cursor.Rows.Count - 1, cursor.Datastream);
        }
    }

    /// <summary>The next file, with what a table brings.</summary>
    public string? With(string? file, MemoryTable table)
    {
        var latest = Read(file).ToDictionary(row => row.Datastream);
        foreach (var day in table.Days)
        {
            foreach (var (datastream, run) in day.Runs)
            {
                if (run.Count > 0)
                {
                    var last = run.Rows[^1].ToObservation(datastream);
                    if (!latest.TryGetValue(datastream, out var known) || IsLater(last, known))
                    {
                        latest[datastream] = last;
                    }
                }
            }
        }

        return Write(latest.Values);
    }

    /// <summary>Writes a new file; null when there is nothing to write.</summary>
    public string? Write(IReadOnlyCollection<Observation> latest)
    {
        if (latest.Count == 0)
        {
            return null;
        }

        var name = FormattableString.Invariant($"latest-{store.NextNumber():D8}.parquet");
        using var writer = new PartWriter(store.Folder.StateFile(name));
        var columns = new ObservationColumns();
        foreach (var row in latest.OrderBy(row => row.Datastream))
        {
            columns.Clear();
            columns.Add(row);
            writer.Add(row.Datastream, columns);
        }

        writer.Complete();
        return name;
    }

    /// <summary>Later in time or, at the same time, the better value.</summary>
    public static bool IsLater(in Observation a, in Observation b) =>
        a.PhenomenonTime > b.PhenomenonTime || (a.PhenomenonTime == b.PhenomenonTime && ObservationOrder.Compare(a, b) > 0);
}
