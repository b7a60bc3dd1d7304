namespace Hub.Cloud.Series;

/// <summary>Buffers of a question about one datastream at a time.</summary>
/// <param name="isOfMany">Whether the next datastream is a neighbour: then what was decoded beside one is kept for it.</param>
internal sealed class RollupBuffers(bool isOfMany)
{
    /// <summary>Whether the next datastream is a neighbour.</summary>
    public bool IsOfMany => isOfMany;

    /// <summary>Rows derived from observations that are there too.</summary>
    public RollupRows Derived { get; } = new(isOfMany);

    /// <summary>Rows kept without their observations.</summary>
    public RollupRows Kept { get; } = new(isOfMany);

    /// <summary>Rows kept of the observations without a flag.</summary>
    public RollupRows Unflagged { get; } = new(isOfMany);

    /// <summary>Kept rows of an hour, which say for all resolutions of which days something is kept.</summary>
    public RollupRows Hours { get; } = new(isOfMany);
}
