namespace Hub.Cloud.Series;

/// <summary>What is held in memory of one datastream: its latest observation, and scratch fields of the committer.</summary>
internal sealed class StreamState
{
    private readonly Lock _lock = new();
    private Observation _latest;

    /// <summary>Time of the latest durable observation, microseconds; <see cref="long.MinValue"/> when there is none. Committer only.</summary>
    public long LatestMicros { get; private set; } = long.MinValue;

    /// <summary>Group the two fields below belong to. Committer only.</summary>
    public long Group { get; set; }

    /// <summary>Latest time met so far in the group or before it. Committer only.</summary>
    public long GroupLatestMicros { get; set; }

    /// <summary>An observation of the group is not newer than everything before it, so keys have to be compared. Committer only.</summary>
    public bool NeedsKeys { get; set; }

    /// <summary>Called by any reader.</summary>
    public bool TryGetLatest(out Observation latest)
    {
        lock (_lock)
        {
            latest = _latest;
            return latest.Datastream != 0;
        }
    }

    /// <summary>Called by the committer with what is durable: keeps the latest; of two of the same time the better one.</summary>
    public void Advance(in Observation observation)
    {
        var micros = EventTime.Micros(observation.PhenomenonTime);
        if (micros < LatestMicros || (micros == LatestMicros && ObservationOrder.Compare(observation, _latest) < 0))
        {
            return;
        }

        LatestMicros = micros;
        lock (_lock)
        {
            _latest = observation;
        }
    }

    /// <summary>Called by the committer after a deletion: there is no latest observation until the next <see cref="Advance"/>.</summary>
    public void Reset()
    {
        LatestMicros = long.MinValue;
        lock (_lock)
        {
            _latest = default;
        }
    }
}
