using System.Globalization;
using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>
/// Compares the files of rollups with the observations they were made of: every cell, to the last bit. A hub that replaces a file meanwhile ends it for that one: then nothing is said. Damaged pages are
/// told by whoever reads the parts.
/// </summary>
internal sealed class RollupCheck(SeriesFolder folder, Manifest manifest, List<string> problems)
{
    /// <summary>Days compared at once: each holds a bundle in memory.</summary>
    private const int DaysAtOnce = 4;

    private readonly List<RollupRow> _cells = [];
    private readonly ObservationColumns _expected = new();
    private readonly ObservationColumns[] _found = [.. Enumerable.Range(0, RollupCells.CodesPerDatastream).Select(_ => new ObservationColumns())];

    public void Run(CancellationToken stop)
    {
        var observations = manifest.Parts.Where(part => part.Kind == PartKind.Observations).ToLookup(part => part.File, StringComparer.Ordinal);
        foreach (var part in manifest.Parts.Where(part => part.Kind == PartKind.Rollups))
        {
            try
            {
                var difference = NotItsDay(part);
                foreach (var sources in part.Rollup!.Sources.SelectMany(source => observations[source.File]).Chunk(DaysAtOnce))
                {
                    difference ??= Difference(part, sources, stop);
                }

                if (difference is not null)
                {
                    problems.Add($"The rollups {folder.Part(part)} differ from the observations: {difference}. The observations count: set {SeriesOptions.Section}:Rollups to nothing, start the hub once, and set it back, then they are made anew; please report it.");
                }
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
            {
                // Replaced by a hub that is running, or damaged and told already.
            }
        }
    }

    private string? NotItsDay(PartInfo part)
    {
        var days = part.Rollup!.Sources.Select(source => source.Day).ToHashSet();
        using var walk = new PartWalk(PartReader.Open(folder.Part(part)));
        while (walk.Datastream is { } key)
        {
            foreach (var micros in walk.Rows.Micros)
            {
                if (!days.Contains(EventTime.Day(micros)))
                {
                    return string.Create(CultureInfo.InvariantCulture, $"the manifest does not know its day {EventTime.TimeClamped(micros):yyyy-MM-dd} of datastream {key / RollupCells.CodesPerDatastream}");
                }
            }

            walk.MoveNext(key);
        }

        return null;
    }

    private string? Difference(PartInfo part, PartInfo[] sources, CancellationToken stop)
    {
        var walks = new List<PartWalk>();
        try
        {
            walks.AddRange(sources.Select(source => new PartWalk(PartReader.Open(folder.Part(source)))));
            using var rollups = new PartWalk(PartReader.Open(folder.Part(part)));
            while (Next(rollups, walks) is { } datastream)
            {
                stop.ThrowIfCancellationRequested();
                Array.ForEach(_found, static columns => columns.Clear());
                while (rollups.Datastream is { } key && key / RollupCells.CodesPerDatastream == datastream)
                {
                    _found[key % RollupCells.CodesPerDatastream].AddRange(rollups.Rows, 0, rollups.Rows.Count);
                    rollups.MoveNext(key);
                }

                for (var i = 0; i < walks.Count; i++)
                {
                    _cells.Clear();
                    if (walks[i].Datastream == datastream)
                    {
                        RollupMonth.Fold(walks[i], datastream, TimeSpan.FromMinutes(part.Rollup!.Minutes), RollupColumns.All, _cells, static _ => { });
                    }

                    if (Compare(sources[i].Day) is { } code)
                    {
                        return string.Create(CultureInfo.InvariantCulture, $"{code} of datastream {datastream} on {EventTime.TimeClamped(sources[i].Day * EventTime.MicrosPerDay):yyyy-MM-dd}");
                    }
                }
            }

            return null;
        }
        finally
        {
            walks.ForEach(static walk => walk.Dispose());
        }
    }

    private static int? Next(PartWalk rollups, List<PartWalk> walks)
    {
        int? next = rollups.Datastream is { } key and not RollupCells.NoCellKey ? key / RollupCells.CodesPerDatastream : null;
        foreach (var walk in walks)
        {
            next = walk.Datastream is { } datastream && (next is null || datastream < next) ? datastream : next;
        }

        return next;
    }

    /// <summary>The code whose rows of a day are not what the observations make of it; null when all are.</summary>
    private RollupCode? Compare(int day)
    {
        for (var code = 0; code < _found.Length; code++)
        {
            var (start, end) = (EventTime.FirstAt(CollectionsMarshal.AsSpan(_found[code].Micros), day * EventTime.MicrosPerDay), EventTime.FirstAt(CollectionsMarshal.AsSpan(_found[code].Micros), (day + 1) * EventTime.MicrosPerDay));
            if (start == end && code > (int)RollupCode.Sum)
            {
                // Not wanted of this datastream.
                continue;
            }

            _expected.Clear();
            if (code < RollupCells.CodeCount)
            {
                RollupCells.Encode((RollupCode)code, _cells, _expected);
            }

            if (!Same(_expected, _found[code], start, end))
            {
                return (RollupCode)code;
            }
        }

        return null;
    }

    private static bool Same(ObservationColumns expected, ObservationColumns found, int start, int end)
    {
        if (expected.Count != end - start)
        {
            return false;
        }

        for (var i = 0; i < expected.Count; i++)
        {
            var at = start + i;
            if (expected.Micros[i] != found.Micros[at] || !Same(expected.Results[i], found.Results[at]) || !Same(expected.Raws[i], found.Raws[at]) || !Same(expected.Coverages[i], found.Coverages[at])
                || expected.Qualities[i] != found.Qualities[at] || expected.Calibrations[i] != found.Calibrations[at] || expected.Revisions[i] != found.Revisions[at])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The same bits; what is not there is NaN, whichever.</summary>
    private static bool Same(double a, double b) => BitConverter.DoubleToInt64Bits(a) == BitConverter.DoubleToInt64Bits(b) || (double.IsNaN(a) && double.IsNaN(b));
}
