namespace Hub.Cloud.Series;

/// <summary>What a reader keeps of a part: where each page stands and what each bundle holds at most. Never changes after opening.</summary>
internal sealed class PartIndex(PartGroup[] groups, PartBundleBounds[] bundles, int datastreams, long bytes)
{
    public IReadOnlyList<PartGroup> Groups => groups;

    /// <summary>Bundles in the order of the file, which is the order of datastreams and times.</summary>
    public ReadOnlySpan<PartBundleBounds> Bundles => bundles;

    public PartSummary Summary { get; } = new(
        groups.Sum(group => (long)group.Rows), datastreams, bundles.Min(bundle => bundle.MinMicros), bundles.Max(bundle => bundle.MaxMicros), bytes);

    /// <summary>The first bundle that may hold a datastream or a larger one.</summary>
    public int FirstBundle(int datastream)
    {
        var (low, high) = (0, bundles.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (bundles[middle].MaxDatastream < datastream)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}

/// <summary>A bundle: its place, its rows, and its bounds by the page index.</summary>
internal readonly record struct PartBundleBounds(PartGroup Group, int Page, int Rows, int MinDatastream, int MaxDatastream, long MinMicros, long MaxMicros);

/// <summary>A row group.</summary>
internal sealed record PartGroup(int Ordinal, int Rows, PartChunk[] Chunks);

/// <summary>What is known of a chunk before any of its pages is read.</summary>
internal enum PartChunkKind
{
    /// <summary>A page per bundle.</summary>
    Paged,

    /// <summary>All rows have the same value, which the footer tells.</summary>
    Constant,

    /// <summary>No row has a value.</summary>
    Empty,
}

/// <summary>A column of a row group.</summary>
/// <param name="Column">The column.</param>
/// <param name="Kind">What is known without reading.</param>
/// <param name="Encoding">Encoding of the values.</param>
/// <param name="Nulls">Rows without a value.</param>
/// <param name="Min">Smallest value; null where the footer does not tell. Doubles as their bits.</param>
/// <param name="Max">Largest value; null where the footer does not tell. Doubles as their bits.</param>
/// <param name="Offsets">Where each page begins, and where the last one ends.</param>
/// <param name="FirstRows">First row of each page in its row group, and the number of rows of the group.</param>
internal sealed record PartChunk(PartColumn Column, PartChunkKind Kind, PartEncoding Encoding, long Nulls, long? Min, long? Max, long[] Offsets, int[] FirstRows)
{
    public int Pages => Offsets.Length - 1;

    public int RowsOf(int page) => FirstRows[page + 1] - FirstRows[page];
}
