using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>
/// What is committed and not yet in parts, by UTC day and datastream. The committer inserts a whole group under the table's lock, so readers see a commit as a whole or not at all; they hold the lock
/// only while they copy what they want. Once frozen nothing changes in it any more. A row costs about 60 bytes. Versions of the store hold it; when the last one lets go its memory is used again.
/// </summary>
/// <param name="pool">Where memory for rows comes from.</param>
/// <param name="before">The table before it, frozen: it tells how many rows a datastream will probably have.</param>
internal sealed class MemoryTable(MemoryRows pool, MemoryTable? before = null)
{
    private readonly Day? _before = before?._days.Values.LastOrDefault();
    private readonly Lock _lock = new();
    private readonly SortedList<int, Day> _days = [];
    private readonly List<Observation> _late = [];
    private readonly List<MemoryRow> _run = [];
    private readonly List<MemoryRow> _lost = [];
    private long _rows;
    private long _rowsWritten;
    private int _holders;
    private bool _isReleased;

    /// <summary>Rows inserted, losers included; read by gauges on any thread.</summary>
    public long Rows => Interlocked.Read(ref _rows);

    /// <summary>Rows of a frozen table, losers included, that the flusher has put into parts in the attempt that goes on, 0 to <see cref="Rows"/>. Set by the flusher, read by the committer.</summary>
    public long RowsWritten
    {
        get => Interlocked.Read(ref _rowsWritten);
        set => Interlocked.Exchange(ref _rowsWritten, value);
    }

    /// <summary>First commit in it; 0 while it is empty. Committer, or anybody once it is frozen.</summary>
    public long FirstCommit { get; private set; }

    /// <summary>Last commit in it; 0 while it is empty. Committer, or anybody once it is frozen.</summary>
    public long LastCommit { get; private set; }

    /// <summary>Segment of the log that ends with this table: may go when the table is in parts. Set when it is frozen; 0 for one that was filled by a replay.</summary>
    public long Segment { get; set; }

    /// <summary>Ends when its rows are in parts and its segments of the log are gone.</summary>
    public TaskCompletionSource Flushed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Inserts one commit. Of two values for a key the better stays, the other goes to the history; so what a replay brings again, in any order, ends in the same state.
    /// </summary>
    /// <param name="commit">Its number, not below the last one.</param>
    /// <param name="rows">Observations, in any order.</param>
    /// <param name="losers">Values that are known to have lost.</param>
    public void Insert(long commit, ReadOnlySpan<Observation> rows, IReadOnlyCollection<Observation> losers)
    {
        lock (_lock)
        {
            ThrowIfReleased();
            FirstCommit = FirstCommit == 0 ? commit : FirstCommit;
            LastCommit = commit;
            var number = (uint)(commit - FirstCommit);
            foreach (ref readonly var row in rows)
            {
                var run = RunOf(row);
                if (!run.TryAppend(new MemoryRow(row, number)))
                {
                    _late.Add(row);
                }
            }

            if (_late.Count > 0)
            {
                MergeLate(number);
            }

            foreach (var loser in losers)
            {
                DayOf(EventTime.Day(EventTime.Micros(loser.PhenomenonTime))).AddLoser(loser);
            }

            Interlocked.Add(ref _rows, rows.Length + losers.Count);
        }
    }

    /// <summary>One more version has it.</summary>
    public void Hold() => Interlocked.Increment(ref _holders);

    /// <summary>One version less. After the last one nobody may read it.</summary>
    public void LetGo()
    {
        if (Interlocked.Decrement(ref _holders) > 0)
        {
            return;
        }

        lock (_lock)
        {
            _isReleased = true;
            foreach (var day in _days.Values)
            {
                foreach (var run in day.Runs.Values)
                {
                    run.Release();
                }
            }

            _days.Clear();
        }
    }

    /// <summary>Appends the rows of a datastream with from &lt;= time &lt; to, within one day, in order of time.</summary>
    public void Read(int datastream, long from, long to, ObservationColumns into)
    {
        lock (_lock)
        {
            ThrowIfReleased();
            if (_days.TryGetValue(EventTime.Day(from), out var day) && day.Runs.TryGetValue(datastream, out var run))
            {
                var last = run.Find(to);
                for (var i = run.Find(from); i < last; i++)
                {
                    run.Rows[i].CopyTo(into);
                }
            }
        }
    }

    /// <summary>Adds the values of a datastream that lost within the table, with from &lt;= time &lt; to, within one day, in no order.</summary>
    public void ReadHistory(int datastream, long from, long to, List<Observation> into)
    {
        lock (_lock)
        {
            ThrowIfReleased();
            if (_days.TryGetValue(EventTime.Day(from), out var day) && day.Losers.TryGetValue(datastream, out var losers))
            {
                foreach (var loser in losers)
                {
                    var micros = EventTime.Micros(loser.PhenomenonTime);
                    if (micros >= from && micros < to)
                    {
                        into.Add(loser);
                    }
                }
            }
        }
    }

    /// <summary>The latest observation of a datastream; null when it has none here.</summary>
    public Observation? Latest(int datastream)
    {
        lock (_lock)
        {
            ThrowIfReleased();
            for (var i = _days.Count - 1; i >= 0; i--)
            {
                if (_days.GetValueAtIndex(i).Runs.TryGetValue(datastream, out var run) && run.Count > 0)
                {
                    return run.Rows[^1].ToObservation(datastream);
                }
            }

            return null;
        }
    }

    /// <summary>The first day from a day on that has rows.</summary>
    public int? NextDay(int from) => At(from, static (days, index) => index < days.Count ? days.GetKeyAtIndex(index) : null);

    /// <summary>The last day up to a day that has rows.</summary>
    public int? PreviousDay(int to) => At(to == int.MaxValue ? to : to + 1, static (days, index) => index > 0 ? days.GetKeyAtIndex(index - 1) : null);

    /// <summary>The days, of at most 32 from a day on, in which a datastream has rows: a bit each, the first the lowest.</summary>
    public uint DaysOf(int datastream, int first, int days)
    {
        lock (_lock)
        {
            ThrowIfReleased();
            var found = 0u;
            foreach (var (number, day) in _days)
            {
                if (number >= first && number < first + days && day.Runs.ContainsKey(datastream))
                {
                    found |= 1u << (number - first);
                }
            }

            return found;
        }
    }

    /// <summary>Adds the datastreams with a row in [from, to), within one day.</summary>
    public void AddDatastreams(long from, long to, ISet<int> into)
    {
        lock (_lock)
        {
            ThrowIfReleased();
            if (_days.TryGetValue(EventTime.Day(from), out var day))
            {
                foreach (var (datastream, run) in day.Runs)
                {
                    if (run.Find(from) < run.Find(to))
                    {
                        into.Add(datastream);
                    }
                }
            }
        }
    }

    /// <summary>Lowers, per datastream, the earliest time (microseconds) that a commit after the given one brought.</summary>
    public void AddChangedSince(long commit, Dictionary<int, long> into)
    {
        lock (_lock)
        {
            ThrowIfReleased();
            if (LastCommit <= commit)
            {
                return;
            }

            var first = commit < FirstCommit ? 0 : (uint)(commit - FirstCommit + 1);

            // Earlier days come first: the first hit of a datastream is its earliest.
            var known = new HashSet<int>();
            foreach (var day in _days.Values)
            {
                foreach (var (datastream, run) in day.Runs)
                {
                    if (!known.Contains(datastream) && TryFirstSince(run, first, out var micros))
                    {
                        known.Add(datastream);
                        ref var earliest = ref CollectionsMarshal.GetValueRefOrAddDefault(into, datastream, out var exists);
                        earliest = exists ? Math.Min(earliest, micros) : micros;
                    }
                }
            }
        }
    }

    /// <summary>The days of a frozen table, in order.</summary>
    public IEnumerable<Day> Days
    {
        get
        {
            ThrowIfReleased();
            return _days.Values;
        }
    }

    /// <summary>A question that reads what is used again would answer with another's rows, or without any.</summary>
    private void ThrowIfReleased() => ObjectDisposedException.ThrowIf(_isReleased, this);

    private static bool TryFirstSince(MemoryRun run, uint commit, out long micros)
    {
        foreach (ref readonly var row in run.Rows)
        {
            if (row.Commit >= commit)
            {
                micros = row.Micros;
                return true;
            }
        }

        micros = 0;
        return false;
    }

    private void MergeLate(uint number)
    {
        _late.Sort(static (a, b) => a.Datastream != b.Datastream ? a.Datastream.CompareTo(b.Datastream) : a.PhenomenonTime.CompareTo(b.PhenomenonTime));
        for (var at = 0; at < _late.Count;)
        {
            var datastream = _late[at].Datastream;
            var day = DayOf(EventTime.Day(EventTime.Micros(_late[at].PhenomenonTime)));
            for (; at < _late.Count && _late[at].Datastream == datastream && EventTime.Day(EventTime.Micros(_late[at].PhenomenonTime)) == day.Number; at++)
            {
                _run.Add(new MemoryRow(_late[at], number));
            }

            day.Runs[datastream].Merge(CollectionsMarshal.AsSpan(_run), _lost);
            foreach (var lost in _lost)
            {
                day.AddLoser(lost.ToObservation(datastream));
            }

            _run.Clear();
            _lost.Clear();
        }

        _late.Clear();
    }

    private MemoryRun RunOf(in Observation row)
    {
        var day = DayOf(EventTime.Day(EventTime.Micros(row.PhenomenonTime)));
        ref var run = ref CollectionsMarshal.GetValueRefOrAddDefault(day.Runs, row.Datastream, out _);
        return run ??= new MemoryRun(pool, Expected(day, row.Datastream));
    }

    /// <summary>A table is full with about as many rows as the one before. Only of the day that was written then and the next: what comes late for many days has few rows of each.</summary>
    private int Expected(Day day, int datastream) =>
        _before is { } last && day.Number >= last.Number && day.Number <= last.Number + 1 && last.Runs.TryGetValue(datastream, out var run) ? run.Count : 0;

    private Day DayOf(int number)
    {
        if (_days.Count > 0 && _days.GetValueAtIndex(_days.Count - 1) is { } last && last.Number == number)
        {
            return last;
        }

        if (!_days.TryGetValue(number, out var day))
        {
            _days[number] = day = new Day(number);
        }

        return day;
    }

    private int? At(int day, Func<SortedList<int, Day>, int, int?> pick)
    {
        lock (_lock)
        {
            ThrowIfReleased();
            var (low, high) = (0, _days.Count);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (_days.GetKeyAtIndex(middle) < day)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }

            return pick(_days, low);
        }
    }

    /// <summary>One UTC day of the table.</summary>
    internal sealed class Day(int number)
    {
        /// <summary>Days since 1970-01-01.</summary>
        public int Number { get; } = number;

        public Dictionary<int, MemoryRun> Runs { get; } = [];

        /// <summary>Values that lost, each once.</summary>
        public Dictionary<int, HashSet<Observation>> Losers { get; } = [];

        public void AddLoser(in Observation loser)
        {
            ref var losers = ref CollectionsMarshal.GetValueRefOrAddDefault(Losers, loser.Datastream, out _);
            (losers ??= new HashSet<Observation>(ObservationOrder.Same.Instance)).Add(loser);
        }
    }
}
