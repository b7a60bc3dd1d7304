namespace Hub.Cloud.Api;

/// <summary>
/// The newest value per key, in order of last change, each with a number that grows with every change: any number of listeners read what changed after the number they know, at
/// their own pace. Bounded by keys, not by changes: a slow listener costs nothing and finds changes coalesced. Safe for concurrent callers.
/// </summary>
/// <param name="capacity">Most keys kept; past it the key unchanged for longest is dropped.</param>
internal sealed class ChangeLog<TKey, TValue>(int capacity)
    where TKey : notnull
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, LinkedListNode<Entry>> byKey = [];
    private readonly LinkedList<Entry> byAge = new();
    private long version;

    /// <summary>Number of the last change.</summary>
    public long Version => Volatile.Read(ref version);

    /// <summary>Notes changes; returns how many keys were dropped for them.</summary>
    /// <param name="changes">New values.</param>
    /// <param name="keyOf">The key of a value.</param>
    /// <param name="at">Time stamp of the caller's clock.</param>
    /// <param name="replaces">Whether the second value may take the place of the first, noted at the given time stamp; if not, the second is let go.</param>
    /// <param name="coalesced">How many values were let go or replaced before <paramref name="replaces"/> held them settled.</param>
    public int Note(ReadOnlySpan<TValue> changes, Func<TValue, TKey> keyOf, long at, Func<TValue, TValue, long, Verdict> replaces, out int coalesced)
    {
        var dropped = 0;
        coalesced = 0;
        lock (gate)
        {
            foreach (var value in changes)
            {
                var key = keyOf(value);
                if (byKey.TryGetValue(key, out var node))
                {
                    var verdict = replaces(node.Value.Value, value, node.Value.At);
                    coalesced += verdict == Verdict.Settled ? 0 : 1;
                    if (verdict == Verdict.Keep)
                    {
                        continue;
                    }

                    byAge.Remove(node);
                    node.Value = new Entry(key, value, ++version, at);
                    byAge.AddFirst(node);
                    continue;
                }

                if (byKey.Count >= capacity)
                {
                    byKey.Remove(byAge.Last!.Value.Key);
                    byAge.RemoveLast();
                    dropped++;
                }

                byKey.Add(key, byAge.AddFirst(new Entry(key, value, ++version, at)));
            }
        }

        return dropped;
    }

    /// <summary>Values changed after a number, oldest change first, and the number up to which they reach.</summary>
    /// <param name="known">The number.</param>
    /// <param name="upTo">Only those whose last change is not after this number; by default all.</param>
    public (List<TValue> Values, long Version) After(long known, long upTo = long.MaxValue)
    {
        List<TValue> values = [];
        lock (gate)
        {
            for (var node = byAge.First; node is not null && node.Value.Version > known; node = node.Next)
            {
                if (node.Value.Version <= upTo)
                {
                    values.Add(node.Value.Value);
                }
            }

            values.Reverse();
            return (values, Math.Min(version, upTo));
        }
    }

    private readonly record struct Entry(TKey Key, TValue Value, long Version, long At);
}

/// <summary>What becomes of a value when another one comes for its key.</summary>
internal enum Verdict
{
    /// <summary>It is replaced, long after it was noted: everybody had time to read it.</summary>
    Settled,

    /// <summary>It is replaced by one that says more, perhaps before everybody read it.</summary>
    Replace,

    /// <summary>It stays, because it says more than the other, which is let go.</summary>
    Keep,
}
