using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Hub.Edge.Outbox;

/// <summary>The part that writes, begins, drops and deletes segment files. Everything here runs with <c>_disk</c> held, or alone at opening and closing.</summary>
internal sealed partial class FileOutbox
{
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
}
