using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>
/// Looks stored keys up, day by day of a datastream. Used by one thread: the committer's, and another one by the thread that looks ahead. A part that cannot be read is noted and left out
/// (<see cref="PartDamage"/> says why that is right).
/// </summary>
internal sealed class KeyLookup(PartStore store, PartDamage damage) : IKeyLookup
{
    /// <summary>Rows passed through in the time of reading one datastream.</summary>
    private const long RowsPerReading = 4_096;

    /// <summary>Rows of whole days that are worth loading for a group; where more are expected its keys are looked up one by one.</summary>
    private const long DayRowsMax = 200_000;

    private readonly RowReader _reader = new(store.Cache);
    private readonly ObservationColumns _rows = new();
    private IReadOnlyList<LateKeys> _ahead = [];

    /// <summary>From now on these answer for the parts they have read.</summary>
    public void Use(IReadOnlyList<LateKeys> ahead) => _ahead = ahead;

    public bool IsLookedUp(int datastream, long micros) => AnswersFor(datastream, micros) is not null;

    public List<Observation>? RowsOfDays(IReadOnlyCollection<(int Datastream, int Day)> days, int rowsMax)
    {
        using var version = store.Take();
        if (days.Sum(key => RowReader.RowsExpected(version, key.Day)) > DayRowsMax)
        {
            return null;
        }

        var found = new List<Observation>();
        foreach (var (datastream, day) in days.OrderBy(key => key.Day).ThenBy(key => key.Datastream))
        {
            _rows.Clear();
            var from = day * EventTime.MicrosPerDay;
            try
            {
                _reader.Read(version, datastream, from, from + EventTime.MicrosPerDay, _rows);
            }
            catch (Exception e) when (PartDamage.IsOf(e))
            {
                // Key by key it is found which part it is, and what the others hold.
                return null;
            }

            if (found.Count + _rows.Count > rowsMax)
            {
                return null;
            }

            for (var i = 0; i < _rows.Count; i++)
            {
                found.Add(_rows.Get(i, datastream));
            }
        }

        return found;
    }

    public List<Observation> RowsOfKeys(IReadOnlyCollection<(int Datastream, long Micros)> keys)
    {
        var best = new Dictionary<(int, long), Observation>(keys.Count);
        foreach (var row in RowsAt(keys, history: false))
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(best, (row.Datastream, EventTime.Micros(row.PhenomenonTime)), out var exists);
            known = exists && ObservationOrder.Compare(known, row) >= 0 ? known : row;
        }

        return [.. best.Values];
    }

    /// <summary>Every value that is stored for the keys of these observations, whether it counts or lost; some may come twice.</summary>
    public List<Observation> AllOf(IReadOnlyCollection<Observation> observations) =>
        RowsAt([.. observations.Select(o => (o.Datastream, EventTime.Micros(o.PhenomenonTime)))], history: true);

    /// <summary>Adds the rows that the parts of a day hold of keys of that day, and of those that lost if wanted. Parts that <paramref name="ahead"/> has read are left out.</summary>
    public void ReadParts(DayParts parts, IEnumerable<(int Datastream, long Micros)> keys, LateKeys? ahead, bool history, List<Observation> found)
    {
        var wanted = Wanted(keys);
        foreach (var part in history ? parts.Observations.AddRange(parts.History) : parts.Observations)
        {
            if (ahead?.HasRead(part) != true)
            {
                ReadPart(part, wanted, found);
            }
        }
    }

    private static SortedDictionary<int, List<long>> Wanted(IEnumerable<(int Datastream, long Micros)> keys) =>
        new(keys.GroupBy(key => key.Datastream, key => key.Micros).ToDictionary(datastream => datastream.Key, datastream => datastream.Distinct().Order().ToList()));

    private LateKeys? AnswersFor(int datastream, long micros)
    {
        foreach (var late in _ahead)
        {
            if (late.Answers(datastream, micros))
            {
                return late;
            }
        }

        return null;
    }

    private List<Observation> RowsAt(IReadOnlyCollection<(int Datastream, long Micros)> keys, bool history)
    {
        using var version = store.Take();
        var found = new List<Observation>();
        foreach (var answered in _ahead.Count == 0 ? [] : keys.Where(key => IsLookedUp(key.Datastream, key.Micros)))
        {
            found.AddRange(AnswersFor(answered.Datastream, answered.Micros)!.RowsOf(answered.Datastream, answered.Micros));
        }

        foreach (var day in keys.GroupBy(key => EventTime.Day(key.Micros)))
        {
            ReadTables(version, day, history, found);
            if (version.PartsOf(day.Key) is { } parts)
            {
                foreach (var some in day.GroupBy(key => AnswersFor(key.Datastream, key.Micros)))
                {
                    ReadParts(parts, some, some.Key, history, found);
                }
            }
        }

        return found;
    }

    private void ReadTables(StoreVersion version, IEnumerable<(int Datastream, long Micros)> keys, bool history, List<Observation> found)
    {
        var wanted = Wanted(keys);
        foreach (var table in version.Tables)
        {
            foreach (var (datastream, times) in wanted)
            {
                _rows.Clear();
                table.Read(datastream, times[0], times[^1] + 1, _rows);
                Take(datastream, times, _rows, found);
                if (history)
                {
                    table.ReadHistory(datastream, times[0], times[^1] + 1, found);
                }
            }
        }
    }

    private void ReadPart(LivePart part, SortedDictionary<int, List<long>> wanted, List<Observation> found)
    {
        var before = found.Count;
        try
        {
            Read(part, wanted, found);
            damage.Mended(part.Path);
        }
        catch (Exception e) when (PartDamage.IsOf(e))
        {
            found.RemoveRange(before, found.Count - before);
            damage.Note(part.Path, e);
        }
    }

    /// <summary>A few datastreams are read one by one; for many, passing through the whole part is faster, because reading one costs half a bundle.</summary>
    private void Read(LivePart part, SortedDictionary<int, List<long>> wanted, List<Observation> found)
    {
        using var lease = store.Cache.Rent(part);
        if (wanted.Count * RowsPerReading >= part.Info.Summary.Rows)
        {
            using var cursor = lease.Reader.ReadAll();
            while (cursor.MoveNext())
            {
                if (wanted.TryGetValue(cursor.Datastream, out var times))
                {
                    Take(cursor.Datastream, times, cursor.Rows, found);
                }
            }

            return;
        }

        foreach (var (datastream, times) in wanted)
        {
            if (lease.Reader.MayContain(datastream, times[0], times[^1] + 1))
            {
                _rows.Clear();
                lease.Reader.Read(datastream, times[0], times[^1] + 1, _rows);
                Take(datastream, times, _rows, found);
            }
        }
    }

    /// <summary>The rows with one of some times. Rows of the history may have equal times, so from each hit on both sides are looked at.</summary>
    private static void Take(int datastream, List<long> times, ObservationColumns rows, List<Observation> into)
    {
        foreach (var micros in times)
        {
            var at = rows.Micros.BinarySearch(micros);
            if (at < 0)
            {
                continue;
            }

            while (at > 0 && rows.Micros[at - 1] == micros)
            {
                at--;
            }

            for (; at < rows.Count && rows.Micros[at] == micros; at++)
            {
                into.Add(rows.Get(at, datastream));
            }
        }
    }
}
