namespace Hub.Cloud.Series;

/// <summary>Looks keys up in the store. Called by the committer only.</summary>
internal interface IKeyLookup
{
    /// <summary>All rows of the given days of datastreams; null when there are more than <paramref name="rowsMax"/>.</summary>
    List<Observation>? RowsOfDays(IReadOnlyCollection<(int Datastream, int Day)> days, int rowsMax);

    /// <summary>The rows with exactly these keys.</summary>
    List<Observation> RowsOfKeys(IReadOnlyCollection<(int Datastream, long Micros)> keys);

    /// <summary>Whether what is slow about a key was looked up ahead: then it is not worth loading its day.</summary>
    bool IsLookedUp(int datastream, long micros) => false;
}

/// <summary>
/// Bounded memory of stored keys, whole days of a datastream at a time, the least recently needed day leaves first. A day is loaded by one query when it is first needed; when a group needs
/// too many days or too many rows, its keys are looked up one by one (in one query) and forgotten again. So an answer never depends on what happens to be in memory.
/// </summary>
internal sealed class KnownKeys(IKeyLookup lookup, int keysMax, int daysLoadedMax, SeriesInstruments instruments) : IKnownKeys
{
    private readonly Dictionary<(int Datastream, int Day), LinkedListNode<Day>> _days = [];
    private readonly LinkedList<Day> _byUse = new();
    private readonly Dictionary<(int Datastream, long Micros), Observation> _once = [];
    private readonly HashSet<(int Datastream, int Day)> _missingDays = [];
    private readonly HashSet<(int Datastream, long Micros)> _missingKeys = [];
    private readonly HashSet<(int Datastream, long Micros)> _lookedUpKeys = [];
    private long _count;

    /// <summary>Keys held now; read by a gauge on any thread.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Whether a day of a datastream is in memory.</summary>
    public bool Knows(int datastream, int day) => _days.ContainsKey((datastream, day));

    public void Prepare(IReadOnlyList<Observation> keys)
    {
        _once.Clear();
        _lookedUpKeys.Clear();
        _missingDays.Clear();
        _missingKeys.Clear();
        foreach (var key in keys)
        {
            var micros = EventTime.Micros(key.PhenomenonTime);
            var day = (key.Datastream, EventTime.Day(micros));
            if (_days.TryGetValue(day, out var node))
            {
                _byUse.Remove(node);
                _byUse.AddLast(node);
            }
            else if (lookup.IsLookedUp(key.Datastream, micros))
            {
                _lookedUpKeys.Add((key.Datastream, micros));
            }
            else
            {
                _missingDays.Add(day);
                _missingKeys.Add((key.Datastream, micros));
            }
        }

        if (_lookedUpKeys.Count > 0)
        {
            TakeOnce(_lookedUpKeys);
        }

        if (_missingKeys.Count > 0 && !TryLoadDays())
        {
            instruments.LookedUp("key");
            TakeOnce(_missingKeys);
        }
    }

    private void TakeOnce(HashSet<(int Datastream, long Micros)> keys)
    {
        foreach (var row in lookup.RowsOfKeys(keys))
        {
            _once[(row.Datastream, EventTime.Micros(row.PhenomenonTime))] = row;
        }
    }

    public bool TryGet(int datastream, long micros, out Observation stored)
    {
        if (_days.TryGetValue((datastream, EventTime.Day(micros)), out var node))
        {
            if (node.Value.Rows.TryGetValue(micros, out var value))
            {
                stored = value.ToObservation(datastream, micros);
                return true;
            }

            stored = default;
            return false;
        }

        return _once.TryGetValue((datastream, micros), out stored);
    }

    /// <summary>Takes note of rows that have become durable, then lets the least recently needed days go.</summary>
    public void Committed(IReadOnlyList<Observation> rows)
    {
        _once.Clear();
        if (_days.Count == 0)
        {
            return;
        }

        foreach (var row in rows)
        {
            var micros = EventTime.Micros(row.PhenomenonTime);
            if (_days.TryGetValue((row.Datastream, EventTime.Day(micros)), out var node))
            {
                Set(node.Value, micros, row);
            }
        }

        Evict();
    }

    /// <summary>Forgets everything: after a failed commit only the store knows.</summary>
    public void Clear()
    {
        _once.Clear();
        _days.Clear();
        _byUse.Clear();
        Interlocked.Exchange(ref _count, 0);
    }

    private bool TryLoadDays()
    {
        if (_missingDays.Count > daysLoadedMax || keysMax == 0)
        {
            return false;
        }

        instruments.LookedUp("day");
        if (lookup.RowsOfDays(_missingDays, keysMax) is not { } rows)
        {
            return false;
        }

        foreach (var key in _missingDays)
        {
            _days[key] = _byUse.AddLast(new Day(key));
        }

        foreach (var row in rows)
        {
            var micros = EventTime.Micros(row.PhenomenonTime);
            Set(_days[(row.Datastream, EventTime.Day(micros))].Value, micros, row);
        }

        return true;
    }

    private void Set(Day day, long micros, in Observation row)
    {
        var before = day.Rows.Count;
        day.Rows[micros] = Value.Of(row);
        Interlocked.Add(ref _count, day.Rows.Count - before);
    }

    private void Evict()
    {
        // A day that holds nothing costs a little too, so days are counted with keys.
        while (_byUse.First is { } oldest && _count + _days.Count > keysMax)
        {
            _byUse.RemoveFirst();
            _days.Remove(oldest.Value.Key);
            Interlocked.Add(ref _count, -oldest.Value.Rows.Count);
        }
    }

    private sealed class Day((int Datastream, int Number) key)
    {
        public (int Datastream, int Number) Key { get; } = key;

        public Dictionary<long, Value> Rows { get; } = [];
    }

    /// <summary>An observation without its key.</summary>
    private readonly record struct Value(double Result, double Raw, double Coverage, int Quality, int Calibration, int Revision)
    {
        public static Value Of(in Observation o) => new(o.Result, o.Raw, o.Coverage, (int)o.Quality, o.Calibration, o.Revision);

        public Observation ToObservation(int datastream, long micros) =>
            new(datastream, EventTime.Time(micros), Result, (Hub.Edge.Contract.Readings.Quality)Quality)
            {
                Raw = Raw,
                Calibration = Calibration,
                Coverage = Coverage,
                Revision = Revision,
            };
    }
}
