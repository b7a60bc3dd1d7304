namespace Hub.Cloud.Series;

/// <summary>Open parts, bounded: the least recently used one that nobody reads is closed. Safe for concurrent callers.</summary>
internal sealed class PartCache(int openMax) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> _byUse = new();

    /// <summary>Parts open now.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>The reader of a part, opened when it is not; dispose of the lease after reading. The part is held by the caller's version.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public Lease Rent(LivePart part)
    {
        lock (_lock)
        {
            if (TryUse(part.Path, out var known))
            {
                return new Lease(this, known);
            }
        }

        // Opening reads from the disk: outside of the lock. Two callers may open the same part at once; one of them closes its own again.
        var reader = PartReader.Open(part.Path);
        lock (_lock)
        {
            if (TryUse(part.Path, out var other))
            {
                reader.Dispose();
                return new Lease(this, other);
            }

            var entry = new Entry(part.Path, reader) { Users = 1 };
            _entries.Add(part.Path, _byUse.AddLast(entry));
            Evict();
            return new Lease(this, entry);
        }
    }

    /// <summary>Closes the reader of a part that no version holds any more.</summary>
    public void Forget(LivePart part)
    {
        lock (_lock)
        {
            if (_entries.Remove(part.Path, out var node))
            {
                _byUse.Remove(node);
                node.Value.Reader.Dispose();
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var entry in _byUse)
            {
                entry.Reader.Dispose();
            }

            _entries.Clear();
            _byUse.Clear();
        }
    }

    private bool TryUse(string path, out Entry entry)
    {
        if (!_entries.TryGetValue(path, out var node))
        {
            entry = null!;
            return false;
        }

        _byUse.Remove(node);
        _byUse.AddLast(node);
        entry = node.Value;
        entry.Users++;
        return true;
    }

    private void Return(Entry entry)
    {
        lock (_lock)
        {
            entry.Users--;
            Evict();
        }
    }

    private void Evict()
    {
        for (var node = _byUse.First; node is not null && _entries.Count > openMax;)
        {
            var next = node.Next;
            if (node.Value.Users == 0)
            {
                _entries.Remove(node.Value.Path);
                _byUse.Remove(node);
                node.Value.Reader.Dispose();
            }

            node = next;
        }
    }

    /// <summary>Right to read a part for a short while.</summary>
    internal readonly struct Lease(PartCache cache, Entry entry) : IDisposable
    {
        public PartReader Reader => entry.Reader;

        public void Dispose() => cache.Return(entry);
    }

    internal sealed class Entry(string path, PartReader reader)
    {
        public string Path { get; } = path;

        public PartReader Reader { get; } = reader;

        public int Users { get; set; }
    }
}
