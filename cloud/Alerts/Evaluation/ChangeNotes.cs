using System.Runtime.InteropServices;
using Hub.Cloud.Series;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>What has changed in one datastream since it was last evaluated.</summary>
internal class ChangeNote
{
    /// <summary>Most observations a note carries; past it, they are read from the series.</summary>
    public const int CarriedMax = 32;

    private readonly List<Observation> carried = [];

    /// <summary>Earliest changed phenomenon time; <see cref="DateTime.MaxValue"/>: nothing changed, but the state must be loaded.</summary>
    public DateTime From { get; private set; } = DateTime.MaxValue;

    /// <summary>Latest changed phenomenon time; null: not known.</summary>
    public DateTime? To { get; private set; } = DateTime.MinValue;

    /// <summary>The changed observations in order of time, when there are few and they came in order; otherwise empty.</summary>
    public ReadOnlySpan<Observation> Carried => CollectionsMarshal.AsSpan(carried);

    /// <summary>Whether <see cref="Carried"/> is all that has changed.</summary>
    public bool CarriesAll { get; private set; } = true;

    /// <summary>Adds an observation.</summary>
    public void Add(in Observation observation)
    {
        var at = observation.PhenomenonTime;
        if (CarriesAll && (carried.Count == CarriedMax || (carried.Count > 0 && at <= carried[^1].PhenomenonTime)))
        {
            CarryNothing();
        }

        if (CarriesAll)
        {
            carried.Add(observation);
        }

        From = at < From ? at : From;
        To = To is { } to && at > to ? at : To;
    }

    /// <summary>Adds a stretch of unknown extent.</summary>
    public void AddFrom(DateTime from)
    {
        CarryNothing();
        From = from < From ? from : From;
        To = null;
    }

    /// <summary>Adds a stretch.</summary>
    /// <param name="from">Earliest change.</param>
    /// <param name="to">Latest change; null: not known.</param>
    public void AddStretch(DateTime from, DateTime? to)
    {
        CarryNothing();
        From = from < From ? from : From;
        To = To is { } one && to is { } two ? (one > two ? one : two) : null;
    }

    /// <summary>Adds what an earlier note says.</summary>
    public void Merge(ChangeNote other) => AddStretch(other.From, other.To);

    /// <summary>As if it were new; the memory stays.</summary>
    public void Clear()
    {
        carried.Clear();
        (CarriesAll, From, To) = (true, DateTime.MaxValue, DateTime.MinValue);
    }

    private void CarryNothing()
    {
        carried.Clear();
        CarriesAll = false;
    }
}

/// <summary>
/// Notes what each commit changes, one note per datastream, so that its size is bounded by the number of datastreams however far evaluation lags. Written by the committer,
/// taken by the evaluator's worker.
/// </summary>
internal sealed class ChangeNotes
{
    /// <summary>Notes kept to be written again at most: with a load, most of what is noted is noted many times a second.</summary>
    private const int SparesMax = 4_096;

    private readonly Lock gate = new();
    private readonly Stack<ChangeNote> spares = [];
    private Dictionary<int, ChangeNote> notes = [];
    private Dictionary<int, ChangeNote>? spare;
    private long commit;

    /// <summary>Number of the latest commit noted.</summary>
    public long Commit
    {
        get
        {
            lock (gate)
            {
                return commit;
            }
        }
    }

    /// <summary>Notes a commit.</summary>
    public void Add(SeriesCommit committed)
    {
        lock (gate)
        {
            foreach (var observation in committed.Observations)
            {
                Of(observation.Datastream).Add(observation);
            }

            commit = Math.Max(commit, committed.Commit);
        }
    }

    /// <summary>Notes changes known only by their earliest time.</summary>
    public void Add(IReadOnlyDictionary<int, DateTime> changedFrom, long upToCommit)
    {
        lock (gate)
        {
            foreach (var (datastream, from) in changedFrom)
            {
                Of(datastream).AddFrom(from);
            }

            commit = Math.Max(commit, upToCommit);
        }
    }

    /// <summary>Takes everything noted.</summary>
    public (Dictionary<int, ChangeNote> Notes, long Commit) Take()
    {
        lock (gate)
        {
            var taken = notes;
            (notes, spare) = (spare ?? [], null);
            return (taken, commit);
        }
    }

    /// <summary>Gives back what was taken and is used no longer, to be written again.</summary>
    public void Return(Dictionary<int, ChangeNote> taken)
    {
        lock (gate)
        {
            foreach (var note in taken.Values)
            {
                if (spares.Count == SparesMax)
                {
                    break;
                }

                note.Clear();
                spares.Push(note);
            }

            taken.Clear();
            spare = taken;
        }
    }

    /// <summary>Puts back what could not be evaluated.</summary>
    public void PutBack(IEnumerable<KeyValuePair<int, ChangeNote>> taken)
    {
        lock (gate)
        {
            foreach (var (datastream, note) in taken)
            {
                Of(datastream).Merge(note);
            }
        }
    }

    private ChangeNote Of(int datastream)
    {
        ref var note = ref CollectionsMarshal.GetValueRefOrAddDefault(notes, datastream, out _);
        return note ??= spares.TryPop(out var other) ? other : new ChangeNote();
    }
}
