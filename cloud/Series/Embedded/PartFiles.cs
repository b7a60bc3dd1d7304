using System.Collections.Immutable;

namespace Hub.Cloud.Series;

/// <summary>Small things around part files.</summary>
internal static class PartFiles
{
    /// <summary>Rows handed to a writer at once at most.</summary>
    public const int RowsAtOnce = 65_536;

    /// <summary>Adds rows in order of time, a bounded number at once.</summary>
    public static void Add(PartWriter writer, int datastream, ReadOnlySpan<Observation> rows)
    {
        var columns = new ObservationColumns();
        for (var at = 0; at < rows.Length; at += RowsAtOnce)
        {
            columns.Clear();
            foreach (ref readonly var row in rows[at..Math.Min(rows.Length, at + RowsAtOnce)])
            {
                columns.Add(row);
            }

            writer.Add(datastream, columns);
        }
    }

    /// <summary>Removes a part that did not get into the manifest; if it cannot be, the next start does it.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}

/// <summary>Order of the parts in the manifest: by day, kind and name, so by age within a day.</summary>
internal static class PartOrder
{
    public static ImmutableArray<PartInfo> Sorted(ImmutableArray<PartInfo> parts) =>
        [.. parts.OrderBy(part => part.Day).ThenBy(part => part.Kind).ThenBy(part => part.File, StringComparer.Ordinal)];
}
