namespace Hub.Cloud.Series;

/// <summary>Whether the store takes appends now. Read by health checks, concurrently, at any time.</summary>
public interface ISeriesHealth
{
    /// <summary>True when the store is open and its last commit, or its last attempt to recover, succeeded.</summary>
    bool CanCommit { get; }

    /// <summary>Why it cannot commit and what the operator can do, one line; null when it can.</summary>
    string? Problem { get; }

    /// <summary>Since when it cannot commit; null when it can, or when it was never open.</summary>
    DateTimeOffset? Since { get; }

    /// <summary>What the operator should look after although it can commit, one line; null when there is nothing.</summary>
    string? Warning => null;

    /// <summary>Observations that are acknowledged and on the hub's disk, and wait there for the server that is to have them. Always 0 where the hub's disk is the store.</summary>
    long Waiting => 0;
}
