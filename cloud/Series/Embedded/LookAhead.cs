namespace Hub.Cloud.Series;

/// <summary>
/// Looks up the keys of late calls ahead of their commit, on a thread of its own: late observations scattered over many days need many parts, and nobody else's commit should wait for that. The
/// committer hands calls over and gets them back with their answers, by the queue, where they go first.
/// </summary>
/// <param name="store">The parts.</param>
/// <param name="queue">Where calls go back to.</param>
/// <param name="damage">Hears of parts that cannot be read.</param>
/// <param name="deletions">Number of deletions so far.</param>
/// <param name="hurry">True when calls shall go back as they are.</param>
/// <param name="instruments">Counters.</param>
internal sealed class LookAhead(PartStore store, AppendQueue queue, PartDamage damage, Func<long> deletions, Func<bool> hurry, SeriesInstruments instruments)
{
    /// <summary>Keys looked up together, unless one call has more: neighbours in a part are read once for all.</summary>
    private const int KeysMax = 20_000;

    private readonly object _lock = new();
    private readonly Queue<(PendingAppend Call, List<(int Datastream, long Micros)> Keys)> _waiting = new();
    private readonly KeyLookup _lookup = new(store, damage);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _stopping;
    private bool _closed;

    /// <summary>Called before each look-up, for tests that hold it back.</summary>
    public Action? Looking { get; set; }

    /// <summary>The same, after each look-up.</summary>
    public Action? Looked { get; set; }

    /// <summary>Ends when the thread does.</summary>
    public Task Ended => _ended.Task;

    public void Start() => new Thread(Run) { IsBackground = true, Name = "series-look-ahead" }.Start();

    /// <summary>Ends the thread once nothing waits.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _stopping = true;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Called by the committer: takes a call over; false when the thread has ended.</summary>
    /// <param name="call">A call the committer has taken.</param>
    /// <param name="keys">Its late keys, each once.</param>
    public bool TryAdd(PendingAppend call, List<(int Datastream, long Micros)> keys)
    {
        lock (_lock)
        {
            if (_closed)
            {
                return false;
            }

            queue.SetAside(call);
            _waiting.Enqueue((call, keys));
            Monitor.PulseAll(_lock);
            return true;
        }
    }

    private void Run()
    {
        var calls = new List<PendingAppend>();
        var keys = new HashSet<(int Datastream, long Micros)>();
        while (Take(calls, keys))
        {
            // Whatever happens they go back: without answers the committer looks for itself, and hears what is wrong.
            try
            {
                LookUp(calls, keys);
            }
#pragma warning disable CA1031
            catch (Exception)
#pragma warning restore CA1031
            {
            }

            queue.Return(calls);
            calls.Clear();
            keys.Clear();
        }

        _ended.SetResult();
    }

    private void LookUp(List<PendingAppend> calls, HashSet<(int Datastream, long Micros)> keys)
    {
        calls.ForEach(call => call.LookedAhead++);
        Looking?.Invoke();

        // The number first: a deletion that comes after it makes the answers worthless, whether they saw it or not.
        var late = new LateKeys(deletions());
        using var version = store.Take();
        if (!hurry() && late.TryRead(_lookup, version, keys, hurry))
        {
            instruments.LookedUp("ahead");
            calls.ForEach(call => call.Late = late);
            Looked?.Invoke();
        }
    }

    /// <summary>False when there is nothing more to do, ever.</summary>
    private bool Take(List<PendingAppend> calls, HashSet<(int Datastream, long Micros)> keys)
    {
        lock (_lock)
        {
            while (_waiting.Count == 0)
            {
                if (_stopping)
                {
                    _closed = true;
                    return false;
                }

                Monitor.Wait(_lock);
            }

            while (_waiting.TryPeek(out var next) && (calls.Count == 0 || keys.Count + next.Keys.Count <= KeysMax))
            {
                _waiting.Dequeue();
                calls.Add(next.Call);
                keys.UnionWith(next.Keys);
            }

            return true;
        }
    }
}
