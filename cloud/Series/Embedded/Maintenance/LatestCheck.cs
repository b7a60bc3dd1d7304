using System.Globalization;

namespace Hub.Cloud.Series;

/// <summary>Compares the file of latest observations with the parts: every datastream in it, each with its last row, and none else. A hub that replaces a part meanwhile ends it: then nothing is said.</summary>
internal sealed class LatestCheck(SeriesFolder folder, Manifest manifest, List<string> problems)
{
    /// <summary>Differences told one by one.</summary>
    private const int ToldMax = 5;

    private int _differences;

    public void Run(CancellationToken stop)
    {
        try
        {
            var found = new Dictionary<int, Observation>();
            var rows = new ObservationColumns();
            foreach (var part in manifest.Parts.Where(part => part.Kind == PartKind.Observations).OrderByDescending(part => part.Day))
            {
                stop.ThrowIfCancellationRequested();
                AddLast(part, found, rows);
            }

            Compare(found);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Replaced by a hub that is running.
        }
    }

    /// <summary>Days come from the newest to the oldest, so a datastream that a newer day has shown is of no interest any more.</summary>
    private void AddLast(PartInfo part, Dictionary<int, Observation> found, ObservationColumns rows)
    {
        using var reader = PartReader.Open(folder.Part(part));
        foreach (var datastream in reader.Datastreams)
        {
            var known = found.TryGetValue(datastream, out var last);
            if (known && EventTime.Day(EventTime.Micros(last.PhenomenonTime)) > part.Day)
            {
                continue;
            }

            rows.Clear();
            reader.Read(datastream, long.MinValue, long.MaxValue, rows);
            var row = rows.Get(rows.Count - 1, datastream);
            if (!known || row.PhenomenonTime > last.PhenomenonTime || (row.PhenomenonTime == last.PhenomenonTime && ObservationOrder.Compare(row, last) > 0))
            {
                found[datastream] = row;
            }
        }
    }

    private void Compare(Dictionary<int, Observation> found)
    {
        if (manifest.Latest is { } file)
        {
            using var reader = PartReader.Open(folder.StateFile(file));
            using var cursor = reader.ReadAll();
            while (cursor.MoveNext())
            {
                var said = cursor.Rows.Get(cursor.Rows.Count - 1, cursor.Datastream);
                if (!found.Remove(said.Datastream, out var last))
                {
                    Tell(said, "the parts have none");
                }
                else if (!ObservationOrder.Same.Instance.Equals(said, last))
                {
                    Tell(said, $"the last one in the parts is {last}");
                }
            }
        }

        foreach (var missing in found.Values)
        {
            _differences++;
            if (_differences <= ToldMax)
            {
                problems.Add($"The latest observation of datastream {missing.Datastream.ToString(CultureInfo.InvariantCulture)}, {missing}, is not among the latest in {folder.State}: this is a fault of the program, please report it; the observations themselves are there.");
            }
        }

        if (_differences > ToldMax)
        {
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"{_differences - ToldMax} more latest observations differ in the same way."));
        }
    }

    private void Tell(in Observation said, string but)
    {
        _differences++;
        if (_differences <= ToldMax)
        {
            problems.Add($"The latest observation in {folder.State} is {said}, but {but}: this is a fault of the program, please report it; the observations themselves are there.");
        }
    }
}
