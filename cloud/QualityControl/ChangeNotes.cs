using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Series;

namespace Hub.Cloud.QualityControl;

/// <summary>
/// Notes which times of which datastreams commits have changed, a few stretches for each, so that its size is bounded by the number of datastreams however far checking lags. Written by the committer,
/// taken by the worker.
/// </summary>
internal sealed class ChangeNotes
{
    private const int StretchesMax = 8;

    private readonly Lock _gate = new();
    private Spans _spans = Empty();
    private long _commit;

    /// <summary>Number of the latest commit noted.</summary>
    public long Commit
    {
        get
        {
            lock (_gate)
            {
                return _commit;
            }
        }
    }

    /// <summary>Notes a commit.</summary>
    public void Add(SeriesCommit committed)
    {
        lock (_gate)
        {
            foreach (var observation in committed.Observations)
            {
                var time = Instants.Micros(observation.PhenomenonTime);
                _spans.Add(observation.Datastream, time, time);
            }

            _commit = Math.Max(_commit, committed.Commit);
        }
    }

    /// <summary>Notes changes known only by their earliest time.</summary>
    public void Add(IReadOnlyDictionary<int, DateTime> changedFrom, long upToCommit)
    {
        lock (_gate)
        {
            foreach (var (datastream, from) in changedFrom)
            {
                _spans.Add(datastream, Instants.Micros(from), Instants.Micros(Instants.Latest));
            }

            _commit = Math.Max(_commit, upToCommit);
        }
    }

    /// <summary>Takes everything noted.</summary>
    public (Spans Changes, long Commit) Take()
    {
        lock (_gate)
        {
            var taken = _spans;
            _spans = Empty();
            return (taken, _commit);
        }
    }

    /// <summary>Puts back what could not be taken up.</summary>
    public void PutBack(Spans taken)
    {
        lock (_gate)
        {
            foreach (var (datastream, from, to) in taken.All)
            {
                _spans.Add(datastream, from, to);
            }
        }
    }

    private static Spans Empty() => new(StretchesMax, Instants.PerHour);
}
