namespace Hub.Cloud.Series;

/// <summary>
/// Arrays of rows for memory tables, used again when the table they were in is no longer read: a hub under load fills a table several times a second, and what it would leave behind each time is most of what the
/// garbage collector had to do. Sizes grow by a half or a third, so little of an array is empty. Safe for concurrent callers.
/// </summary>
/// <param name="rowsMax">Rows kept for the next tables at most, in all arrays.</param>
internal sealed class MemoryRows(int rowsMax)
{
    /// <summary>An array of more rows is not kept.</summary>
    private const int PooledMax = 1 << 16;

    private static readonly int[] Sizes = [.. AllSizes()];
    private readonly Lock _lock = new();
    private readonly Stack<MemoryRow[]>[] _arrays = [.. Sizes.Select(static _ => new Stack<MemoryRow[]>())];
    private int _rows;

    /// <summary>Rows of the arrays kept.</summary>
    public int Kept => Volatile.Read(ref _rows);

    /// <summary>An array of this many rows or somewhat more; what is in it means nothing.</summary>
    public MemoryRow[] Rent(int rows)
    {
        var size = Array.BinarySearch(Sizes, rows);
        size = size < 0 ? ~size : size;
        if (size == Sizes.Length)
        {
            // As much more as the sizes have: one that grows row by row must not be copied for each.
            return GC.AllocateUninitializedArray<MemoryRow>(rows + (rows / 3));
        }

        lock (_lock)
        {
            if (_arrays[size].TryPop(out var array))
            {
                _rows -= array.Length;
                return array;
            }
        }

        return GC.AllocateUninitializedArray<MemoryRow>(Sizes[size]);
    }

    /// <summary>Takes back what nobody reads any more.</summary>
    public void Return(MemoryRow[] array)
    {
        if (Array.BinarySearch(Sizes, array.Length) is not (>= 0 and var size))
        {
            return;
        }

        lock (_lock)
        {
            if (_rows + array.Length <= rowsMax)
            {
                _arrays[size].Push(array);
                _rows += array.Length;
            }
        }
    }

    /// <summary>Lets go of everything kept.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            _rows = 0;
            foreach (var arrays in _arrays)
            {
                arrays.Clear();
                arrays.TrimExcess();
            }
        }
    }

    private static IEnumerable<int> AllSizes()
    {
        for (var size = 4; size <= PooledMax; size *= 2)
        {
            yield return size;
            yield return size + (size / 2);
        }
    }
}
