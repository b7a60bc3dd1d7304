using Hub.Edge.Contract.Readings;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Hub.Edge.Outbox;

/// <summary>
/// The outbox on files of its own. Locks, outermost first: <c>_reading</c> (one reader), <c>_disk</c> (one writer of segments and checkpoints), <c>_gate</c> (memory; held for
/// microseconds, around at most one small unflushed write).
/// </summary>
internal sealed partial class FileOutbox : IOutbox
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
