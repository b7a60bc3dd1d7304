using System.Runtime.InteropServices;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Files;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Hub.Edge.Outbox;

/// <summary>The part that writes, begins, drops and deletes segment files. Everything here runs with <c>_disk</c> held, or alone at opening and closing.</summary>
internal sealed partial class FileOutbox
{
    /// <summary>Bytes past which gathered readings begin another group: what one bad sector can take.</summary>
    private const int GroupBytesMax = 16 * 1024;

    /// <summary>Bytes of a write past which its room is not kept.</summary>
    private const int OutBytesKept = 64 * 1024;

    /// <summary>Bytes of a page, the least that is written.</summary>
    private const int Page = 4096;

    /// <summary>Writes whatever is pending, and where the ledger stands when that has changed; one flush for as much as a segment takes.</summary>
    /// <exception cref="IOException">The disk refused. With a delay, what is pending stays; without one, the callers that wait are told.</exception>
    private void WritePending()
    {
        var appends = _writing;
        appends.Clear();
        lock (_gate)
        {
            appends.AddRange(_pending);
            _writeSoon = false;
            if (appends.Count == 0 && (!_ledgerChanged || _closed))
            {
                return;
            }
        }

        var first = 0;
        try
        {
            do
            {
                var count = 0;
                var bytes = 0;
                while (first + count < appends.Count && (count == 0 || bytes + appends[first + count].Bytes <= _segmentBytes))
                {
                    bytes += appends[first + count++].Bytes;
                }

                Commit(CollectionsMarshal.AsSpan(appends).Slice(first, count), bytes);
                first += count;
            }
            while (first < appends.Count);
            RenewJournal();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var failure = e as IOException ?? new IOException("The outbox folder can no longer be written.", e);
            lock (_gate)
            {
                _ledgerChanged = true;
            }

            _instruments.AppendFailed(appends.Count - first);
            _logger.AppendFailed(appends.Count - first, e);
            if (!_writeThrough || first == appends.Count)
            {
                throw failure;
            }

            lock (_gate)
            {
                foreach (var append in CollectionsMarshal.AsSpan(appends)[first..])
                {
                    append.Failure = failure;
                    _pendingBytes -= append.Bytes;
                }

                _pending.RemoveRange(0, appends.Count - first);
            }
        }
        finally
        {
            lock (_gate)
            {
                if (_pending.Count > 0 || _ledgerChanged)
                {
                    Arm(first < appends.Count || appends.Count == 0 ? RetryPause : _delay > ReleaseDelay ? _delay : ReleaseDelay);
                }
            }
        }
    }

    private void Commit(ReadOnlySpan<PendingAppend> appends, int bytes)
    {
        DropAged();
        DropForRoom(bytes + LedgerImage.BytesMax);
        long next, durable;
        LedgerImage? image = null;
        if (_held.Length < appends.Length)
        {
            _held = new bool[Math.Max(64, appends.Length)];
        }

        var held = _held;
        lock (_gate)
        {
            next = _writeThrough || _pending.Count == 0 ? _ledger.Next : _pending[0].From;
            durable = appends.IsEmpty ? next : appends[^1].Until;
            for (var i = appends.Length - 1; i >= 0; i--)
            {
                held[i] = _writeThrough || _ledger.Held(appends[i].From, appends[i].Until) > 0;
                durable = _writeThrough ? next : held[i] ? appends[i].From : durable;
            }

            if (_ledgerChanged || !_writeThrough)
            {
                image = _ledger.Stamp(durable);
                (_ledgerChanged, _releasedUnwritten) = (false, 0);
            }
        }

        if (_out.Capacity > OutBytesKept)
        {
            _out = new ByteWriter(OutBytesKept / 8);
        }

        ref var buffer = ref _out;
        buffer.Clear();
        var now = _time.GetUtcNow();
        if (image is not null)
        {
            // In front of the readings it is written with: what of them was released already and is not written must be explained, however little of this write survives.
            Add(ref buffer, LedgerGroup(image, now, ref _diskImage), durable);
        }

        next = _writeThrough ? AddEach(ref buffer, appends, next) : AddGathered(ref buffer, appends, held, next);
        var file = Rotate(buffer.Length, durable);
        Write(file, buffer.Written);
        lock (_gate)
        {
            _active!.Next = Math.Max(_active.Next, next);
            _active.Bytes += buffer.Length;
            if (image is not null)
            {
                _active.Extend(now);
            }

            foreach (var append in appends)
            {
                if (_writeThrough)
                {
                    Publish(append);
                }

                append.Written = true;
                _pendingBytes -= append.Bytes;
                _active.Extend(append.TakenAt);
                if (append.Cursor is { } cursor)
                {
                    Note(_cursorsWritten, cursor);
                }
            }

            _pending.RemoveRange(0, appends.Length);
            if (!_writeThrough)
            {
                // Nobody waits for them.
                foreach (var append in appends)
                {
                    _memory.GiveBack(append);
                }
            }
        }
    }

    /// <summary>Each append as a group of its own, with its cursor: there whole or not at all.</summary>
    private long AddEach(ref ByteWriter buffer, ReadOnlySpan<PendingAppend> appends, long next)
    {
        foreach (var append in appends)
        {
            Add(ref buffer, GroupCodec.Encode(append.Readings, append.Cursor, append.TakenAt, boot: Boot(append.Readings)), next);
            next += append.Count;
        }

        return next;
    }

    /// <summary>Appends gathered into groups as large as can be, without those that are released already; behind them the last cursor of each source.</summary>
    private long AddGathered(ref ByteWriter buffer, ReadOnlySpan<PendingAppend> appends, bool[] held, long next)
    {
        var cursors = _gatheredCursors;
        cursors.Clear();
        var readings = _gathered;
        readings.Clear();
        var bytes = 0;
        for (var i = 0; i < appends.Length; i++)
        {
            var append = appends[i];
            if (append.Cursor is { } cursor)
            {
                cursors[cursor.Source] = cursor.Value;
            }

            if (held[i])
            {
                readings.AddRange(append.Readings);
                bytes += append.Bytes;
            }

            var last = i == appends.Length - 1;
            if (readings.Count > 0 && (last || !held[i + 1] || appends[i + 1].From != append.Until || bytes + appends[i + 1].Bytes > GroupBytesMax || readings.Count + appends[i + 1].Count > GroupCodec.ReadingsMax))
            {
                Add(ref buffer, GroupCodec.Encode(CollectionsMarshal.AsSpan(readings), null, append.TakenAt, boot: Boot(CollectionsMarshal.AsSpan(readings)), pack: true), append.Until - readings.Count);
                readings.Clear();
                bytes = 0;
            }

            next = append.Until;
        }

        foreach (var (source, value) in cursors)
        {
            Add(ref buffer, GroupCodec.Encode([], new SourceCursor(source, value), appends[^1].TakenAt), next);
        }

        return next;
    }

    private static void Add(ref ByteWriter buffer, Span<byte> group, long sequence)
    {
        GroupCodec.Seal(group, sequence);
        buffer.Bytes(group);
    }

    /// <summary>Writes and flushes; after a failure nothing of it counts, and the file, whose state the system no longer promises, is not written again.</summary>
    private void Write(SafeFileHandle file, ReadOnlySpan<byte> buffer)
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

        _instruments.Flushed(_time.GetElapsedTime(started), PageBytes(_active.Bytes, buffer.Length));
    }

    /// <summary>What a write costs the card: the pages it touches.</summary>
    private static long PageBytes(long offset, int count) => ((offset + count + Page - 1) / Page * Page) - (offset / Page * Page);

    /// <summary>The file to append to: a new one when there is none, it is full, or its first reading is so old that dropping by age would come late.</summary>
    private SafeFileHandle Rotate(int bytes, long from)
    {
        if (_active is not null && ((_active.Bytes > 0 && _active.Bytes + bytes > _segmentBytes) || _time.GetUtcNow() - SafeOldest(_active) > _options.AgeMax / 32))
        {
            CloseActive();
        }

        if (_activeFile is null)
        {
            // The name of a file proves that everything before it was taken. What the hub acknowledged before it was ever written stands in no file: the checkpoint explains it,
            // or a power cut before the first record of the new one would count it as damage.
            Checkpoint();
            var segment = Segment.Create(_folder, _indexNext, from);
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
            total = 0;
            foreach (var segment in _segments)
            {
                total += segment.Bytes;
            }

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

            count = _ledger.Drop(until, departure);
            _ledgerChanged = true;
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
        List<Segment>? gone = null;
        lock (_gate)
        {
            foreach (var segment in _segments)
            {
                if (segment != _active && _ledger.Held(segment.From, segment.Next) == 0)
                {
                    (gone ??= []).Add(segment);
                }
            }
        }

        if (gone is null)
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
        LedgerImage image;
        SourceCursor[] cursors;
        lock (_gate)
        {
            // Of readings in memory the checkpoint knows nothing: it must not say that their source has gone on.
            image = _ledger.Stamp(FirstUnwritten());
            cursors = [.. _cursorsWritten.Select(cursor => new SourceCursor(cursor.Key, cursor.Value))];
            _ledgerChanged = false;
        }

        _instruments.Wrote(PageBytes(0, _checkpoints.Write(image, cursors)));
    }

    /// <summary>Sequence number before which every reading is on disk or gone. Called with _gate held.</summary>
    private long FirstUnwritten()
    {
        var first = _writeThrough ? null : _pending.Find(append => _ledger.Held(append.From, append.Until) > 0);
        return first?.From ?? _ledger.Next;
    }
}
