using Hub.Edge.Contract.Readings;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Hub.Edge.Outbox;

/// <summary>
/// The outbox on files of its own. Locks, outermost first: <c>_reading</c> (one reader), <c>_disk</c> (one writer of segments and checkpoints), <c>_gate</c> (memory; held for
/// microseconds, around at most one small unflushed write).
/// </summary>
internal sealed class FileOutbox : IOutbox
{
    private const int CursorsMax = 1024;

    private readonly OutboxOptions _options;
    private readonly string _folder;
    private readonly int _segmentBytes;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FileStream _lock;
    private readonly PositionFiles _positions;
    private readonly OutboxInstruments _instruments;
    private readonly OutboxReader _reader;
    private readonly SemaphoreSlim _reading = new(1, 1);
    private readonly SemaphoreSlim _disk = new(1, 1);
    private readonly Lock _gate = new();

    // Under _gate.
    private readonly Ledger _ledger;
    private readonly List<Segment> _segments;
    private readonly Dictionary<string, byte[]> _cursors;
    private List<PendingAppend> _pending = [];
    private bool _flushing;
    private bool _closed;
    private TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Under _disk.
    private Segment? _active;
    private SafeFileHandle? _activeFile;
    private long _indexNext;

    private FileOutbox(
        OutboxOptions options, string folder, FileStream folderLock, PositionFiles positions, OutboxRecovery.Found found, TimeProvider time, ILogger logger)
    {
        (_options, _folder, _lock, _positions, _time, _logger) = (options, folder, folderLock, positions, time, logger);
        _segmentBytes = (int)Math.Min(options.SegmentBytesMax, options.BytesMax / 8);
        (_ledger, _segments, _cursors, _indexNext) = (found.Ledger, found.Segments, found.Cursors, found.IndexNext);
        if (found.LastIsClean && _segments.Count > 0)
        {
            _active = _segments[^1];
            _activeFile = _active.Open(FileAccess.ReadWrite);
        }

        _reader = new OutboxReader(FindSegment, LoseRange);
        _instruments = new OutboxInstruments(() => Counters);
    }

    public long Head
    {
        get
        {
            lock (_gate)
            {
                return _ledger.Head;
            }
        }
    }

    public OutboxCounters Counters
    {
        get
        {
            lock (_gate)
            {
                return _ledger.Counters;
            }
        }
    }

    /// <summary>Opens, repairs and locks a folder.</summary>
    /// <exception cref="OutboxUnavailableException">Another process holds it, or it cannot be written.</exception>
    public static FileOutbox Open(OutboxOptions options, TimeProvider time, ILogger logger)
    {
        var folder = Path.GetFullPath(options.Folder);
        FileStream? folderLock = null;
        PositionFiles? positions = null;
        try
        {
            Directory.CreateDirectory(folder);
            try
            {
                folderLock = new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e.GetType() == typeof(IOException))
            {
                throw new OutboxUnavailableException($"The outbox folder {folder} is in use by another process; stop that agent or give this one another folder.", e);
            }

            positions = new PositionFiles(folder);
            var found = OutboxRecovery.Run(folder, positions, logger);
            var outbox = new FileOutbox(options, folder, folderLock, positions, found, time, logger);
            outbox.DropAged();
            outbox.DeleteReleased();
            logger.Opened(folder, outbox.Counters.Held, outbox._segments.Count);
            return outbox;
        }
        catch (Exception e)
        {
            positions?.Dispose();
            folderLock?.Dispose();
            if (e is OutboxUnavailableException || e is not (IOException or UnauthorizedAccessException))
            {
                throw;
            }

            throw new OutboxUnavailableException($"The outbox folder {folder} cannot be used: it must be a folder this user can write to.", e);
        }
    }

    public ValueTask AppendAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (readings.IsEmpty && cursor is null)
        {
            return ValueTask.CompletedTask;
        }

        var takenAt = _time.GetUtcNow();
        var append = new PendingAppend(GroupCodec.Encode(readings.Span, cursor, takenAt), cursor, takenAt);
        if (append.Group.Length > _options.BytesMax / 8)
        {
            throw new ArgumentException($"The group takes {append.Group.Length} bytes, more than an eighth of {OutboxOptions.Section}:BytesMax.", nameof(readings));
        }

        bool lead;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (cursor is { } position && !_cursors.ContainsKey(position.Source) && _cursors.Count >= CursorsMax)
            {
                throw new ArgumentException($"'{position.Source}' would be source {CursorsMax + 1}; an outbox keeps the cursors of {CursorsMax}.", nameof(cursor));
            }

            _pending.Add(append);
            lead = !_flushing;
            _flushing = true;
        }

        if (lead)
        {
            _ = Task.Run(FlushPendingAsync, CancellationToken.None);
        }

        // Once queued it is no longer cancellable: the caller must learn whether it is on disk.
        return new ValueTask(append.Done.Task);
    }

    public ReadOnlyMemory<byte> Cursor(string source)
    {
        lock (_gate)
        {
            return _cursors.TryGetValue(source, out var cursor) ? cursor : default(ReadOnlyMemory<byte>);
        }
    }

    public async ValueTask<OutboxBatch> ReadAsync(long from, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                Task more;
                long start, until;
                lock (_gate)
                {
                    ObjectDisposedException.ThrowIf(_closed, this);
                    (start, until) = _ledger.Run(from);
                    more = _taken.Task;
                }

                if (start < until)
                {
                    var readings = _reader.Read(start, (int)Math.Min(until - start, countMax));
                    if (readings.Count > 0)
                    {
                        return new OutboxBatch(start, start + readings.Count, readings);
                    }

                    // Found damaged or dropped meanwhile: the ledger now says so; look again.
                    continue;
                }

                await more.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _reading.Release();
        }
    }

    public async ValueTask ReleaseAsync(long until, int refused, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(refused);
        bool deletable;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(until, _ledger.Next);
            _ledger.Leave(until, Departure.Released, refused);
            Note();
            deletable = _segments.Count > 1 && _segments[0].Next <= _ledger.Head;
        }

        if (deletable)
        {
            await _disk.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await Task.Run(DeleteReleased, CancellationToken.None).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                // The release itself stands; the files go with the next one.
                _logger.PositionFailed(e);
            }
            finally
            {
                _disk.Release();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            _taken.TrySetResult();
        }

        // Appends already queued are finished first: their callers were promised an answer.
        await _reading.WaitAsync().ConfigureAwait(false);
        while (true)
        {
            await _disk.WaitAsync().ConfigureAwait(false);
            lock (_gate)
            {
                if (!_flushing)
                {
                    break;
                }
            }

            _disk.Release();
            await Task.Yield();
        }

        try
        {
            Checkpoint();
        }
        catch (IOException e)
        {
            _logger.PositionFailed(e);
        }

        _instruments.Dispose();
        _reader.Dispose();
        _activeFile?.Dispose();
        _positions.Dispose();
        await _lock.DisposeAsync().ConfigureAwait(false);
        _disk.Release();
        _reading.Release();
    }

    /// <summary>Writes whatever is pending, one flush for all of it, until nothing is. One at a time: whoever finds nobody flushing starts it.</summary>
    private async Task FlushPendingAsync()
    {
        while (true)
        {
            await _disk.WaitAsync().ConfigureAwait(false);
            try
            {
                List<PendingAppend> appends;
                lock (_gate)
                {
                    if (_pending.Count == 0)
                    {
                        _flushing = false;
                        return;
                    }

                    (appends, _pending) = (_pending, []);
                }

                for (var first = 0; first < appends.Count;)
                {
                    var count = 1;
                    var bytes = appends[first].Group.Length;
                    while (first + count < appends.Count && bytes + appends[first + count].Group.Length <= _segmentBytes)
                    {
                        bytes += appends[first + count++].Group.Length;
                    }

                    Commit(appends.GetRange(first, count), bytes);
                    first += count;
                }
            }
            finally
            {
                _disk.Release();
            }
        }
    }

    private void Commit(List<PendingAppend> appends, int bytes)
    {
        try
        {
            DropAged();
            DropForRoom(bytes);
            var file = Rotate(bytes);
            var buffer = new byte[bytes];
            long next;
            lock (_gate)
            {
                next = _ledger.Next;
            }

            var offset = 0;
            foreach (var append in appends)
            {
                var group = buffer.AsSpan(offset, append.Group.Length);
                append.Group.CopyTo(group);
                GroupCodec.Seal(group, next);
                next += GroupCodec.Count(group);
                offset += group.Length;
            }

            Write(file, buffer);
            TaskCompletionSource taken;
            lock (_gate)
            {
                _ledger.Take(next);
                _active!.Next = next;
                _active.Bytes += bytes;
                foreach (var append in appends)
                {
                    _active.OldestAt = append.TakenAt < _active.OldestAt ? append.TakenAt : _active.OldestAt;
                    _active.NewestAt = append.TakenAt > _active.NewestAt ? append.TakenAt : _active.NewestAt;
                    if (append.Cursor is { } cursor)
                    {
                        _cursors[cursor.Source] = cursor.Value.ToArray();
                    }
                }

                Note();
                taken = _taken;
                if (!_closed)
                {
                    _taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }

            appends.ForEach(append => append.Done.TrySetResult());
            taken.TrySetResult();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _instruments.AppendFailed(appends.Count);
            _logger.AppendFailed(appends.Count, e);
            var failure = e as IOException ?? new IOException("The outbox folder can no longer be written.", e);
            appends.ForEach(append => append.Done.TrySetException(failure));
        }
#pragma warning disable CA1031 // Whatever it is, the callers that wait must hear it; nobody else can.
        catch (Exception e)
        {
            appends.ForEach(append => append.Done.TrySetException(e));
        }
#pragma warning restore CA1031
    }

    /// <summary>Writes and flushes; after a failure nothing of it counts, and the file, whose state the system no longer promises, is not written again.</summary>
    private void Write(SafeFileHandle file, byte[] buffer)
    {
        var started = _time.GetTimestamp();
        try
        {
            RandomAccess.Write(file, buffer, _active!.Bytes);
            RandomAccess.FlushToDisk(file);
        }
        catch (Exception)
        {
            try
            {
                RandomAccess.SetLength(file, _active!.Bytes);
            }
            catch (IOException)
            {
                // The next file begins at the same sequence number, and by that this remainder is not believed.
            }

            CloseActive();
            throw;
        }

        _instruments.Flushed(_time.GetElapsedTime(started));
    }

    /// <summary>The file to append to: a new one when there is none, it is full, or its first reading is so old that dropping by age would come late.</summary>
    private SafeFileHandle Rotate(int bytes)
    {
        if (_active is not null && ((_active.Bytes > 0 && _active.Bytes + bytes > _segmentBytes) || _time.GetUtcNow() - SafeOldest(_active) > _options.AgeMax / 32))
        {
            CloseActive();
        }

        if (_activeFile is null)
        {
            Segment segment;
            lock (_gate)
            {
                segment = Segment.Create(_folder, _indexNext, _ledger.Next);
            }

            var file = segment.Open(FileAccess.ReadWrite);
            try
            {
                FolderSync.Flush(_folder);
            }
            catch (IOException)
            {
                file.Dispose();
                throw;
            }

            _indexNext++;
            (_active, _activeFile) = (segment, file);
            lock (_gate)
            {
                _segments.Add(segment);
            }

            DeleteReleased();
        }

        return _activeFile;

        DateTimeOffset SafeOldest(Segment segment) => segment.OldestAt == DateTimeOffset.MaxValue ? _time.GetUtcNow() : segment.OldestAt;
    }

    private void CloseActive()
    {
        _activeFile?.Dispose();
        (_active, _activeFile) = (null, null);
    }

    private void DropAged()
    {
        var limit = _time.GetUtcNow() - _options.AgeMax;
        var until = 0L;
        lock (_gate)
        {
            foreach (var segment in _segments)
            {
                if (segment.NewestAt >= limit || segment.NewestAt == DateTimeOffset.MinValue)
                {
                    break;
                }

                until = segment.Next;
            }
        }

        if (Drop(until, Departure.DroppedAge) is > 0 and var count)
        {
            _logger.DroppedAge(_options.AgeMax, count);
        }
    }

    /// <summary>Drops the oldest segments until <paramref name="bytes"/> more fit under the limit.</summary>
    private void DropForRoom(int bytes)
    {
        long total, until = 0;
        lock (_gate)
        {
            total = _segments.Sum(segment => segment.Bytes);
            foreach (var segment in _segments)
            {
                if (total + bytes <= _options.BytesMax)
                {
                    break;
                }

                until = segment.Next;
                total -= segment.Bytes;
            }
        }

        if (Drop(until, Departure.DroppedFull) is > 0 and var count)
        {
            _logger.DroppedFull(_options.BytesMax, count);
        }
    }

    private long Drop(long until, Departure departure)
    {
        long count;
        lock (_gate)
        {
            if (until == 0)
            {
                return 0;
            }

            count = _ledger.Leave(until, departure);
            Note();
        }

        if (_active is not null && _active.Next <= until)
        {
            CloseActive();
        }

        DeleteReleased();
        return count;
    }

    /// <summary>Deletes files that hold nothing any more, after making durable what says so. Called with _disk held (or alone, at opening).</summary>
    private void DeleteReleased()
    {
        List<Segment> gone;
        lock (_gate)
        {
            gone = _segments.FindAll(segment => segment != _active && segment.Next <= _ledger.Head);
            if (_closed && !_flushing)
            {
                return;
            }
        }

        if (gone.Count == 0)
        {
            return;
        }

        Checkpoint();
        lock (_gate)
        {
            _segments.RemoveAll(gone.Contains);
        }

        foreach (var segment in gone)
        {
            File.Delete(segment.Path);
        }
    }

    private void Checkpoint()
    {
        Position position;
        SourceCursor[] cursors;
        lock (_gate)
        {
            position = _ledger.Stamp();
            cursors = [.. _cursors.Select(cursor => new SourceCursor(cursor.Key, cursor.Value))];
        }

        _positions.Checkpoint(position, cursors);
    }

    /// <summary>Called with _gate held. A failure is no one's error: it costs sending some readings again after a crash.</summary>
    private void Note()
    {
        try
        {
            _positions.Note(_ledger.Stamp());
        }
        catch (IOException e)
        {
            _logger.PositionFailed(e);
        }
    }

    private (Segment Segment, long Bytes, long Next)? FindSegment(long sequence)
    {
        lock (_gate)
        {
            // From the newest: only it may share its first number with an empty predecessor.
            for (var i = _segments.Count - 1; i >= 0; i--)
            {
                if (_segments[i].From <= sequence)
                {
                    return (_segments[i], _segments[i].Bytes, _segments[i].Next);
                }
            }

            return null;
        }
    }

    private void LoseRange(long from, long until, string file)
    {
        lock (_gate)
        {
            if (from >= _ledger.Head)
            {
                _logger.Damaged(from, until, file);
            }

            _ledger.Lose(from, Math.Min(until, _ledger.Next));
            Note();
        }
    }

    private sealed record PendingAppend(byte[] Group, SourceCursor? Cursor, DateTimeOffset TakenAt)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
