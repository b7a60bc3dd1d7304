using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>
/// What is acknowledged and not on the server: rows of the spill, and rows that the server refused. Readers look here first and then ask the server, so a row on its way from here to there is seen in
/// one of them at least. Safe for concurrent use.
/// </summary>
internal sealed class PendingRows
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, SortedDictionary<long, Entry>> _rows = [];
    private readonly Dictionary<int, Dictionary<Observation, Entry>> _losers = [];

    /// <summary>Takes what a commit brought. Of two rows for one key the winner stays.</summary>
    /// <param name="commit">Number of the commit.</param>
    /// <param name="losers">Values for the history.</param>
    /// <param name="rows">Values that won.</param>
    /// <param name="kept">They stay when the commit is <see cref="Remove"/>d: the server refused them.</param>
    public void Add(long commit, IEnumerable<Observation> losers, IEnumerable<Observation> rows, bool kept = false)
    {
        lock (_lock)
        {
            foreach (var loser in losers)
            {
                ref var ofStream = ref CollectionsMarshal.GetValueRefOrAddDefault(_losers, loser.Datastream, out _);
                (ofStream ??= new(ObservationOrder.Same.Instance))[loser] = new Entry(loser, commit, kept);
            }

            foreach (var row in rows)
            {
                ref var ofStream = ref CollectionsMarshal.GetValueRefOrAddDefault(_rows, row.Datastream, out _);
                var micros = EventTime.Micros(row.PhenomenonTime);
                if (!(ofStream ??= []).TryGetValue(micros, out var other) || ObservationOrder.Compare(row, other.Row) >= 0)
                {
                    ofStream[micros] = new Entry(row, commit, kept);
                }
            }
        }
    }

    /// <summary>The server has what these commits brought, but for what is kept.</summary>
    public void Remove(long commitMax, IEnumerable<Observation> losers, IEnumerable<Observation> rows)
    {
        lock (_lock)
        {
            foreach (var loser in losers)
            {
                if (_losers.TryGetValue(loser.Datastream, out var ofStream) && ofStream.TryGetValue(loser, out var entry) && !entry.Kept && entry.Commit <= commitMax)
                {
                    ofStream.Remove(loser);
                    if (ofStream.Count == 0)
                    {
                        _losers.Remove(loser.Datastream);
                    }
                }
            }

            foreach (var row in rows)
            {
                var micros = EventTime.Micros(row.PhenomenonTime);
                if (_rows.TryGetValue(row.Datastream, out var ofStream) && ofStream.TryGetValue(micros, out var entry) && !entry.Kept && entry.Commit <= commitMax)
                {
                    ofStream.Remove(micros);
                    if (ofStream.Count == 0)
                    {
                        _rows.Remove(row.Datastream);
                    }
                }
            }
        }
    }

    /// <summary>The server has taken these after all.</summary>
    public void Unkeep(IEnumerable<(Observation Row, bool Lost)> refused)
    {
        lock (_lock)
        {
            foreach (var (row, lost) in refused)
            {
                if (lost)
                {
                    if (_losers.TryGetValue(row.Datastream, out var losers) && losers.TryGetValue(row, out var loser) && loser.Kept)
                    {
                        losers.Remove(row);
                    }
                }
                else if (_rows.TryGetValue(row.Datastream, out var rows) && rows.TryGetValue(EventTime.Micros(row.PhenomenonTime), out var entry)
                    && entry.Kept && ObservationOrder.Compare(entry.Row, row) == 0)
                {
                    rows.Remove(EventTime.Micros(row.PhenomenonTime));
                }
            }
        }
    }

    /// <summary>Rows of a datastream between two times, inclusive, in order of time.</summary>
    public List<Observation> Range(int datastream, long from, long to)
    {
        lock (_lock)
        {
            return _rows.TryGetValue(datastream, out var ofStream) ? [.. ofStream.Where(pair => pair.Key >= from && pair.Key <= to).Select(pair => pair.Value.Row)] : [];
        }
    }

    /// <summary>The row with a key.</summary>
    public bool TryGet(int datastream, long micros, out Observation row)
    {
        lock (_lock)
        {
            row = default;
            if (!_rows.TryGetValue(datastream, out var ofStream) || !ofStream.TryGetValue(micros, out var entry))
            {
                return false;
            }

            row = entry.Row;
            return true;
        }
    }

    /// <summary>Values that lost, of a datastream, between two times, inclusive.</summary>
    public List<Observation> Losers(int datastream, long from, long to)
    {
        lock (_lock)
        {
            return _losers.TryGetValue(datastream, out var ofStream) ? [.. ofStream.Keys.Where(row => EventTime.Micros(row.PhenomenonTime) is var micros && micros >= from && micros <= to)] : [];
        }
    }

    public bool IsLoser(in Observation row)
    {
        lock (_lock)
        {
            return _losers.TryGetValue(row.Datastream, out var ofStream) && ofStream.ContainsKey(row);
        }
    }

    /// <summary>Adds the datastreams with a row between two times, inclusive.</summary>
    public void Datastreams(long from, long to, HashSet<int> found)
    {
        lock (_lock)
        {
            foreach (var (datastream, rows) in _rows)
            {
                if (rows.Keys.Any(micros => micros >= from && micros <= to))
                {
                    found.Add(datastream);
                }
            }
        }
    }

    /// <summary>Puts in the earliest time that commits after a number changed in each datastream, where it is earlier than what is there.</summary>
    public void ChangedSince(long commit, Dictionary<int, long> changed)
    {
        lock (_lock)
        {
            foreach (var (datastream, rows) in _rows)
            {
                foreach (var (micros, entry) in rows)
                {
                    if (entry.Commit > commit)
                    {
                        changed[datastream] = changed.TryGetValue(datastream, out var other) ? Math.Min(other, micros) : micros;
                        break;
                    }
                }
            }
        }
    }

    /// <summary>The latest row of every datastream here.</summary>
    public List<Observation> Latest()
    {
        lock (_lock)
        {
            return [.. _rows.Values.Where(rows => rows.Count > 0).Select(rows => rows.Last().Value.Row)];
        }
    }

    private readonly record struct Entry(Observation Row, long Commit, bool Kept);
}
