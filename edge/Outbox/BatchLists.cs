using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox;

/// <summary>Lists for the readings of batches, used again once they are given back. Any thread.</summary>
internal sealed class BatchLists
{
    /// <summary>Lists that are kept: two readers, and what each of them holds beside the one at hand.</summary>
    private const int Kept = 4;

    /// <summary>Readings of a list past which it is not kept.</summary>
    private const int ReadingsMax = 4096;

    private readonly Stack<List<Reading>> _lists = new(Kept);

    public List<Reading> Take(int count)
    {
        lock (_lists)
        {
            if (_lists.TryPop(out var list))
            {
                return list;
            }
        }

        return new List<Reading>(Math.Min(count, 1024));
    }

    public void GiveBack(List<Reading> list)
    {
        list.Clear();
        lock (_lists)
        {
            if (_lists.Count < Kept && list.Capacity <= ReadingsMax)
            {
                _lists.Push(list);
            }
        }
    }
}
