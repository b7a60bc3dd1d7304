using System.Collections.Concurrent;

namespace Hub.Cloud.Series;

/// <summary>Stored keys, as the resolver asks for them.</summary>
internal interface IKnownKeys
{
    /// <summary>Makes <see cref="TryGet"/> answer for the keys of these observations, until the next call.</summary>
    void Prepare(IReadOnlyList<Observation> keys);

    /// <summary>The stored observation with this key.</summary>
    bool TryGet(int datastream, long micros, out Observation stored);
}

/// <summary>
/// Decides what a group commit writes: pure but for the keys it asks for. In one pass it finds the datastreams in which some observation is not newer than everything before it; the others
/// (nearly all, in live operation) need no comparison at all. Used by the committer only; its lists are valid until the next group.
/// </summary>
internal sealed class GroupResolver(ConcurrentDictionary<int, StreamState> streams, IKnownKeys keys)
{
    private readonly List<int> _rows = [];
    private readonly List<Observation> _questions = [];
    private readonly Dictionary<(int Datastream, long Micros), int> _pending = [];
    private StreamState[] _states = [];
    private long _group;

    /// <summary>Observations to append, in order of arrival.</summary>
    public List<Observation> Appended { get; } = [];

    /// <summary>Stored rows that lost: to be moved to the history.</summary>
    public List<Observation> Replaced { get; } = [];

    /// <summary>Values of this group that lost, each once. The history may hold some of them already.</summary>
    public HashSet<Observation> Losers { get; } = new(ObservationOrder.Same.Instance);

    /// <summary>Fills one outcome per observation, and the lists.</summary>
    public void Resolve(ReadOnlySpan<Observation> observations, Span<AppendOutcome> outcomes)
    {
        Find(observations);
        Decide(observations, outcomes);
    }

    /// <summary>Begins a group: finds the observations whose keys must be compared with what is stored, and returns how many there are. Asks for no key yet; may be repeated.</summary>
    public int Find(ReadOnlySpan<Observation> observations)
    {
        Clear();
        FindQuestions(observations);
        return _questions.Count;
    }

    /// <summary>Fills one outcome per observation, and the lists, for the group that was begun.</summary>
    public void Decide(ReadOnlySpan<Observation> observations, Span<AppendOutcome> outcomes)
    {
        keys.Prepare(_questions);
        for (var i = 0; i < observations.Length; i++)
        {
            outcomes[i] = _states[i].NeedsKeys ? Compare(observations, i) : Append(i);
        }

        // A stored row that lost and then came again in the same group goes to the history once: by being moved there.
        Losers.ExceptWith(Replaced);
        foreach (var row in _rows)
        {
            if (row >= 0)
            {
                Appended.Add(observations[row]);
            }
        }
    }

    private void Clear()
    {
        _group++;
        _rows.Clear();
        _questions.Clear();
        _pending.Clear();
        Appended.Clear();
        Replaced.Clear();
        Losers.Clear();
    }

    private void FindQuestions(ReadOnlySpan<Observation> observations)
    {
        if (_states.Length < observations.Length)
        {
            _states = new StreamState[observations.Length];
        }

        for (var i = 0; i < observations.Length; i++)
        {
            ref readonly var observation = ref observations[i];
            var state = streams.GetOrAdd(observation.Datastream, static _ => new StreamState());
            _states[i] = state;
            if (state.Group != _group)
            {
                state.Group = _group;
                state.GroupLatestMicros = state.LatestMicros;
                state.NeedsKeys = false;
            }

            var micros = EventTime.Micros(observation.PhenomenonTime);
            if (micros > state.GroupLatestMicros)
            {
                state.GroupLatestMicros = micros;
            }
            else
            {
                state.NeedsKeys = true;
            }
        }

        for (var i = 0; i < observations.Length; i++)
        {
            if (_states[i].NeedsKeys && EventTime.Micros(observations[i].PhenomenonTime) <= _states[i].LatestMicros)
            {
                _questions.Add(observations[i]);
            }
        }
    }

    private AppendOutcome Append(int index)
    {
        _rows.Add(index);
        return AppendOutcome.Stored;
    }

    private AppendOutcome Compare(ReadOnlySpan<Observation> observations, int index)
    {
        ref readonly var observation = ref observations[index];
        var key = (observation.Datastream, EventTime.Micros(observation.PhenomenonTime));
        Observation current;
        if (_pending.TryGetValue(key, out var row))
        {
            current = observations[_rows[row]];
        }
        else if (keys.TryGet(key.Datastream, key.Item2, out current))
        {
            row = -1;
        }
        else
        {
            _pending[key] = _rows.Count;
            return Append(index);
        }

        var order = ObservationOrder.Compare(observation, current);
        if (order == 0)
        {
            return AppendOutcome.Duplicate;
        }

        if (order < 0)
        {
            Losers.Add(observation);
            return AppendOutcome.Duplicate;
        }

        if (row >= 0)
        {
            Losers.Add(current);
            _rows[row] = -1;
        }
        else
        {
            Replaced.Add(current);
        }

        _pending[key] = _rows.Count;
        Append(index);
        return AppendOutcome.Corrected;
    }
}
