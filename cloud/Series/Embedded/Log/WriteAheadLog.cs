using System.Globalization;

namespace Hub.Cloud.Series;

/// <summary>
/// Append-only log of group commits, in segments <c>NNNNNNNN.log</c> of a folder that is its own. One writer (the committer) appends and rolls; <see cref="Release"/> may run beside it on one other
/// thread, and the figures may be read by anyone. Its layout is in <see cref="LogCodec"/>.
/// </summary>
internal sealed class WriteAheadLog : IDisposable
{
    /// <summary>Room for a group that is kept for the next one. A larger group, a call of a million observations for instance, makes its own.</summary>
    private const int RoomBytesMax = 8 * 1024 * 1024;

    private readonly LogDisk _disk;
    private readonly string _folder;
    private readonly long _segmentBytesMax;
    private readonly Lock _endedLock = new();
    private readonly Queue<Ended> _ended = new();
    private LogSegment _current;
    private long _endedBytes;
    private long _lastCommit;
    private byte[] _room = [];
    private bool _disposed;

    private WriteAheadLog(LogDisk disk, string folder, long segmentBytesMax, LogWalk walk)
    {
        _disk = disk;
        _folder = folder;
        _segmentBytesMax = segmentBytesMax;
        _lastCommit = walk.LastCommit;
        BytesCut = walk.BytesBehind;
        if (walk.Blank is { } blank)
        {
            disk.Delete(blank.Path);
        }

        // The name of the last segment, and deletions, may be those of a process that was killed before it flushed them.
        disk.FlushFolder(folder);
        _current = walk.Segments is [.., var last]
            ? LogSegment.Resume(disk, last.Path, last.Head, last.Bytes)
            : LogSegment.Create(disk, folder, walk.Blank?.Number ?? 1, _lastCommit);
        foreach (var ended in walk.Segments.SkipLast(1))
        {
            _ended.Enqueue(new Ended(ended.Head.Number, ended.Path, ended.Bytes));
            _endedBytes += ended.Bytes;
        }
    }

    /// <summary>Bytes of all segments: heads and records, without what is allocated ahead.</summary>
    public long Bytes => Interlocked.Read(ref _endedBytes) + Volatile.Read(ref _current).Bytes;

    /// <summary>Number of the segment the next record goes to, unless it begins another.</summary>
    public long CurrentSegment => Volatile.Read(ref _current).Number;

    /// <summary>Bytes of a torn tail that opening cut off: what was being written when everything stopped, and was acknowledged to nobody. 0 mostly.</summary>
    public long BytesCut { get; }

    /// <summary>Opens the folder, made if it is absent, and reads back every whole group in order of commit.</summary>
    /// <param name="folder">Folder of the segments, nothing else's.</param>
    /// <param name="segmentBytesMax">Length from which the next segment is begun. A larger group has a segment of its own.</param>
    /// <param name="replay">Called for each group with the number of its segment. The group is valid during the call.</param>
    /// <param name="disk">Stands in for the file system; null for the real one.</param>
    /// <exception cref="InvalidDataException">Damage to what was acknowledged; the message names file and offset, what is lost and what can be done. Nothing was changed.</exception>
    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    public static WriteAheadLog Open(string folder, long segmentBytesMax, Action<long, LogGroup> replay, LogDisk? disk = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(segmentBytesMax);
        ArgumentNullException.ThrowIfNull(replay);
        Directory.CreateDirectory(folder);
        var walk = new LogWalk();
        var readers = LogWalk.Open(folder);
        try
        {
            walk.Run(readers, replay);
        }
        finally
        {
            LogWalk.Close(readers);
        }

        return new WriteAheadLog(disk ?? LogDisk.Real, folder, segmentBytesMax, walk);
    }

    /// <summary>Writes a group commit as one record with one flush: when it returns the group is on the disk.</summary>
    /// <param name="commit">Number of the commit; larger than all before.</param>
    /// <param name="rows">What is appended; may be empty. Allocates nothing in steady state.</param>
    /// <returns>Number of the segment it is in.</returns>
    /// <exception cref="IOException">It cannot (disk full): nothing of it counts, and another append may be tried at any time.</exception>
    public long Append(long commit, ReadOnlySpan<Observation> rows)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(commit, _lastCommit);
        if (rows.Length > LogCodec.RowsMax)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{rows.Length} observations in one group; the log takes {LogCodec.RowsMax}."), nameof(rows));
        }

        var room = Room(LogCodec.RecordHeadBytes + (rows.Length * LogCodec.RowBytesMax));
        var record = room.AsSpan(0, LogCodec.Encode(room, commit, rows));
        if (!_current.IsEmpty && _current.Bytes + record.Length > _segmentBytesMax)
        {
            Roll();
        }

        _current.Append(record);
        _lastCommit = commit;
        return _current.Number;
    }

    /// <summary>Ends the current segment and begins the next; when it returns the new file and its name are on the disk.</summary>
    /// <returns>Number of the ended segment.</returns>
    /// <exception cref="IOException">It cannot: the current segment goes on.</exception>
    public long Roll()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var ended = _current;
        ended.Mend();
        var next = LogSegment.Create(_disk, _folder, ended.Number + 1, _lastCommit);
        lock (_endedLock)
        {
            _ended.Enqueue(new Ended(ended.Number, ended.Path, ended.Bytes));
            Volatile.Write(ref _current, next);
            Interlocked.Add(ref _endedBytes, ended.Bytes);
        }

        ended.Dispose();
        return ended.Number;
    }

    /// <summary>Deletes the segments up to and including one that has ended; those deleted already are left alone.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The segment has not ended.</exception>
    /// <exception cref="IOException">One cannot be deleted; it and those behind it stay, and may be released later.</exception>
    public void Release(long segment)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(segment, CurrentSegment);
        while (true)
        {
            Ended oldest;
            lock (_endedLock)
            {
                if (!_ended.TryPeek(out oldest) || oldest.Number > segment)
                {
                    return;
                }
            }

            // One after the other, oldest first: a power cut never leaves a gap, which would look like damage.
            _disk.Delete(oldest.Path);
            _disk.FlushFolder(_folder);
            lock (_endedLock)
            {
                _ended.Dequeue();
                Interlocked.Add(ref _endedBytes, -oldest.Bytes);
            }
        }
    }

    /// <summary>Closes the file. What was appended is on the disk already.</summary>
    public void Dispose()
    {
        _disposed = true;
        _current.Dispose();
    }

    private byte[] Room(int bytes)
    {
        if (bytes <= _room.Length)
        {
            return _room;
        }

        var room = new byte[bytes <= RoomBytesMax ? Math.Min(RoomBytesMax, Math.Max(bytes, 2 * _room.Length)) : bytes];
        _room = bytes <= RoomBytesMax ? room : _room;
        return room;
    }

    private readonly record struct Ended(long Number, string Path, long Bytes);
}
