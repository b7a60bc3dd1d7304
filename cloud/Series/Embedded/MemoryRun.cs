namespace Hub.Cloud.Series;

/// <summary>
/// The rows of one datastream in one UTC day, in order of time, each time once. What comes in order is added at the end; what comes late is merged in, a whole group at a time, so that rows in random
/// order do not cost a move of the whole run each. Its table's lock guards it.
/// </summary>
/// <param name="pool">Where memory for rows comes from.</param>
/// <param name="expected">Rows that it will probably have.</param>
internal sealed class MemoryRun(MemoryRows pool, int expected)
{
    private MemoryRow[] _rows = pool.Rent(Math.Max(1, expected + (expected / 16)));

    /// <summary>Rows; also when their memory was given back.</summary>
    public int Count { get; private set; }

    public ReadOnlySpan<MemoryRow> Rows => _rows.AsSpan(0, Count);

    /// <summary>Adds a row that is later than all before it; false when it is not.</summary>
    public bool TryAppend(in MemoryRow row)
    {
        if (Count > 0 && row.Micros <= _rows[Count - 1].Micros)
        {
            return false;
        }

        Reserve(1);
        _rows[Count++] = row;
        return true;
    }

    /// <summary>Takes rows in order of time (equal times allowed) wherever they belong; what loses against another value for its time goes to <paramref name="lost"/>.</summary>
    /// <param name="late">Rows in order of time; used as scratch.</param>
    /// <param name="lost">Receives the losers.</param>
    public void Merge(Span<MemoryRow> late, List<MemoryRow> lost)
    {
        var fresh = 0;
        foreach (ref readonly var row in late)
        {
            if (fresh > 0 && late[fresh - 1].Micros == row.Micros)
            {
                Settle(ref late[fresh - 1], row, lost);
                continue;
            }

            var at = Find(row.Micros);
            if (at < Count && _rows[at].Micros == row.Micros)
            {
                Settle(ref _rows[at], row, lost);
                continue;
            }

            late[fresh++] = row;
        }

        Reserve(fresh);
        var end = Count;
        Count += fresh;
        for (var i = fresh - 1; i >= 0; i--)
        {
            var at = Find(late[i].Micros, end);
            Array.Copy(_rows, at, _rows, at + i + 1, end - at);
            _rows[at + i] = late[i];
            end = at;
        }
    }

    /// <summary>Gives its memory back.</summary>
    public void Release()
    {
        pool.Return(_rows);
        _rows = [];
    }

    /// <summary>Index of the first row at or after a time.</summary>
    public int Find(long micros) => Find(micros, Count);

    private int Find(long micros, int count)
    {
        var (low, high) = (0, count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_rows[middle].Micros < micros)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void Reserve(int more)
    {
        if (Count + more > _rows.Length)
        {
            var larger = pool.Rent(Count + more);
            Rows.CopyTo(larger);
            pool.Return(_rows);
            _rows = larger;
        }
    }

    private static void Settle(ref MemoryRow stored, in MemoryRow row, List<MemoryRow> lost)
    {
        // The datastream is the same and takes no part in the order.
        var order = ObservationOrder.Compare(row.ToObservation(1), stored.ToObservation(1));
        if (order > 0)
        {
            lost.Add(stored);
            stored = row;
        }
        else if (order < 0)
        {
            lost.Add(row);
        }
    }
}
