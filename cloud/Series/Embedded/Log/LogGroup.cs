namespace Hub.Cloud.Series;

/// <summary>One group commit read back from the log. Valid until the next one is read.</summary>
internal readonly ref struct LogGroup(long commit, ReadOnlySpan<Observation> rows)
{
    /// <summary>Number of the commit.</summary>
    public readonly long Commit = commit;

    /// <summary>What was appended, in the same order.</summary>
    public readonly ReadOnlySpan<Observation> Rows = rows;
}
