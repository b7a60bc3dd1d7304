using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox;

/// <summary>One append in memory. Its objects are used again: once it is given back nobody may look at it.</summary>
internal sealed class PendingAppend
{
    private byte[] _cursor = [];

    /// <summary>The outbox's own copy of the readings.</summary>
    public ReadOnlySpan<Reading> Readings => Place is null ? default : Place.Readings.AsSpan(Start, Count);

    /// <summary>Number of readings.</summary>
    public int Count { get; private set; }

    public SourceCursor? Cursor { get; private set; }

    public DateTimeOffset TakenAt { get; private set; }

    /// <summary>Bytes it takes when written alone.</summary>
    public int Bytes { get; private set; }

    /// <summary>Sequence number of its first reading, once it has one.</summary>
    public long From { get; set; }

    public long Until => From + Count;

    /// <summary>True once it is on disk, or gone before it had to be.</summary>
    public bool Written { get; set; }

    /// <summary>Why the disk refused it, where its caller is to hear that.</summary>
    public IOException? Failure { get; set; }

    /// <summary>Where its readings stand; null when it has none.</summary>
    internal PendingAppends.Chunk? Place { get; private set; }

    private int Start { get; set; }

    internal void Fill(PendingAppends.Chunk? place, int start, ReadOnlySpan<Reading> readings, SourceCursor? cursor, DateTimeOffset takenAt, int bytes)
    {
        (Place, Start, Count, TakenAt, Bytes, From, Written, Failure, Cursor) = (place, start, readings.Length, takenAt, bytes, 0, false, null, null);
        if (place is not null)
        {
            readings.CopyTo(place.Readings.AsSpan(start));
        }

        if (cursor is { } given)
        {
            if (_cursor.Length < given.Value.Length)
            {
                _cursor = new byte[given.Value.Length];
            }

            given.Value.CopyTo(_cursor);
            Cursor = new SourceCursor(given.Source, _cursor.AsMemory(0, given.Value.Length));
        }
    }
}

/// <summary>
/// Memory for appends, used again and again, so that a station that takes a few readings every second for years makes no garbage of them. Readings stand in chunks, one append behind the other;
/// a chunk is used again when all its appends are given back. Not thread-safe: the outbox calls it under its lock.
/// </summary>
internal sealed class PendingAppends
{
    /// <summary>Readings of one chunk, some 24 KiB; an append of more gets a chunk of its own, which is not kept.</summary>
    public const int ChunkReadings = 256;

    /// <summary>What is kept when nothing waits: chunks and appends.</summary>
    private const int ChunksKept = 4;
    private const int AppendsKept = 256;

    private readonly Stack<PendingAppend> _appends = new();
    private readonly Stack<Chunk> _chunks = new();
    private Chunk? _current;

    /// <summary>Copies an append.</summary>
    public PendingAppend Take(ReadOnlySpan<Reading> readings, SourceCursor? cursor, DateTimeOffset takenAt, int bytes)
    {
        var append = _appends.TryPop(out var used) ? used : new PendingAppend();
        var chunk = readings.IsEmpty ? null : Room(readings.Length);
        append.Fill(chunk, chunk?.Used ?? 0, readings, cursor, takenAt, bytes);
        if (chunk is not null)
        {
            chunk.Used += readings.Length;
            chunk.Appends++;
        }

        return append;
    }

    /// <summary>Takes back what is written, or was refused and told.</summary>
    public void GiveBack(PendingAppend append)
    {
        if (append.Place is { } chunk && --chunk.Appends == 0)
        {
            chunk.Used = 0;
            if (chunk != _current && chunk.Readings.Length == ChunkReadings && _chunks.Count < ChunksKept)
            {
                _chunks.Push(chunk);
            }
        }

        append.Fill(null, 0, default, null, default, 0);
        if (_appends.Count < AppendsKept)
        {
            _appends.Push(append);
        }
    }

    private Chunk Room(int count)
    {
        if (count > ChunkReadings)
        {
            return new Chunk(count);
        }

        if (_current is null || _current.Used + count > ChunkReadings)
        {
            _current = _chunks.TryPop(out var used) ? used : new Chunk(ChunkReadings);
        }

        return _current;
    }

    /// <summary>Readings of several appends.</summary>
    internal sealed class Chunk(int count)
    {
        public Reading[] Readings { get; } = new Reading[count];

        public int Used { get; set; }

        /// <summary>Appends that stand in it.</summary>
        public int Appends { get; set; }
    }
}
