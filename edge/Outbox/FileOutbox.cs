using Hub.Edge.Contract.Readings;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Hub.Edge.Outbox;

/// <summary>
/// The outbox on files of its own. What is appended stands in memory (<c>_pending</c>) until it is written, and what is released before that is never written. Locks, outermost
/// first: <c>_reading</c> (one reader at a time), <c>_disk</c> (one writer of segments and checkpoints), <c>_gate</c> (memory; held for microseconds).
/// </summary>
internal sealed partial class FileOutbox : IOutbox
{
    /// <summary>The source under whose name the ledger is written down between the readings; no sensor can be called so.</summary>
    public const string LedgerSource = "\u0001ledger";

    private const int CursorsMax = 1024;

    /// <summary>Separate ranges released ahead of the head past which <see cref="Live"/> opens no further one.</summary>
    private const int RangesMax = 32;

    /// <summary>Readings that are worth a write of their own: a 4 KiB page for them costs at most 16 bytes each.</summary>
    private const int UnwrittenMax = 256;

    /// <summary>Releases that are written down at once, so that a kill while a backlog drains does not send it all again.</summary>
    private const int ReleasedUnwrittenMax = 4096;

    /// <summary>Bytes of appends in memory past which further ones wait for the disk; a larger single one is taken alone.</summary>
    private const int PendingBytesMax = 1024 * 1024;

    /// <summary>Shortest time until releases are written down.</summary>
    private static readonly TimeSpan ReleaseDelay = TimeSpan.FromSeconds(1);

    /// <summary>Pause before a disk that refused is tried again.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(10);

    private readonly OutboxOptions _options;
    private readonly string _folder;
    private readonly int _segmentBytes;
    private readonly bool _writeThrough;
    private readonly TimeProvider _time;
    private readonly StationClock? _clock;
    private readonly bool _startedWithTime;
    private readonly ILogger _logger;
    private readonly FileStream _lock;
    private readonly CheckpointFiles _checkpoints;
    private readonly OutboxInstruments _instruments;
    private readonly OutboxReader _liveReader;
    private readonly OutboxReader _backlogReader;
    private readonly ITimer _timer;
    private readonly SemaphoreSlim _reading = new(1, 1);
    private readonly SemaphoreSlim _disk = new(1, 1);
    private readonly Lock _gate = new();

    // Under _gate.
    private readonly Ledger _ledger;
    private readonly List<Segment> _segments;
    private readonly Dictionary<string, byte[]> _cursors;
    private readonly Dictionary<string, byte[]> _cursorsWritten;
    private readonly List<PendingAppend> _pending = [];
    private long _pendingBytes;
    private long _releasedUnwritten;
    private bool _ledgerChanged;
    private bool _armed;
    private bool _writeSoon;
    private bool _closed;
    private TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Under _disk.
    private Segment? _active;
    private SafeFileHandle? _activeFile;
    private long _indexNext;
    private bool _disposed;

    private FileOutbox(
        OutboxOptions options, string folder, FileStream folderLock, CheckpointFiles checkpoints, OutboxRecovery.Found found, TimeProvider time, ILogger logger)
    {
        (_options, _folder, _lock, _checkpoints, _time, _logger) = (options, folder, folderLock, checkpoints, time, logger);
        _clock = time as StationClock;
        _startedWithTime = _clock is not { IsTrusted: false };
        _boots = found.Boots;
        _segmentBytes = (int)Math.Min(options.SegmentBytesMax, options.BytesMax / 8);
        _writeThrough = options.WriteDelay == TimeSpan.Zero;
        (_ledger, _segments, _cursors, _indexNext) = (found.Ledger, found.Segments, found.Cursors, found.IndexNext);
        _cursorsWritten = new Dictionary<string, byte[]>(_cursors, StringComparer.Ordinal);
        if (found.LastIsClean && _segments.Count > 0)
        {
            _active = _segments[^1];
            _activeFile = _active.Open(FileAccess.ReadWrite);
        }

        _liveReader = new OutboxReader(FindSegment, LoseRange, Stamp);
        _backlogReader = new OutboxReader(FindSegment, LoseRange, Stamp);
        _instruments = new OutboxInstruments(() => Counters);
        _timer = time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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

    public long Live
    {
        get
        {
            lock (_gate)
            {
                return _ledger.ReleasedRanges < RangesMax ? _ledger.Next : _ledger.LastReleased;
            }
        }
    }

    public OutboxCounters Counters
    {
        get
        {
            lock (_gate)
            {
                return _ledger.Counters with { Unwritten = Unwritten() };
            }
        }
    }

    /// <summary>Opens, repairs and locks a folder.</summary>
    /// <exception cref="OutboxUnavailableException">Another process holds it, or it cannot be written.</exception>
    public static FileOutbox Open(OutboxOptions options, TimeProvider time, ILogger logger)
    {
        var folder = Path.GetFullPath(options.Folder);
        FileStream? folderLock = null;
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

            var checkpoints = new CheckpointFiles(folder);
            var found = OutboxRecovery.Run(folder, checkpoints, logger);
            var outbox = new FileOutbox(options, folder, folderLock, checkpoints, found, time, logger);
            outbox.DropAged();
            outbox.DeleteReleased();
            logger.Opened(folder, outbox.Counters.Held, outbox._segments.Count);
            return outbox;
        }
        catch (Exception e)
        {
            folderLock?.Dispose();
            if (e is OutboxUnavailableException || e is not (IOException or UnauthorizedAccessException))
            {
                throw;
            }

            throw new OutboxUnavailableException($"The outbox folder {folder} cannot be used: it must be a folder this user can write to.", e);
        }
    }

    public async ValueTask AppendAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (readings.IsEmpty && cursor is null)
        {
            return;
        }

        // Before anything that has a time: should the machine start again, what was taken earlier must not be placed behind it.
        await EnsureStampsAsync(cancellationToken).ConfigureAwait(false);
        await KeepAsync(readings, cursor, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask KeepAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        var takenAt = _time.GetUtcNow();
        var bytes = GroupCodec.Encode(readings.Span, cursor, takenAt, boot: Boot(readings.Span)).Length;
        if (bytes > _options.BytesMax / 8)
        {
            throw new ArgumentException($"The group takes {bytes} bytes, more than an eighth of {OutboxOptions.Section}:BytesMax.", nameof(readings));
        }

        var append = new PendingAppend(readings.ToArray(), cursor is { } given ? new SourceCursor(given.Source, given.Value.ToArray()) : null, takenAt, bytes);
        while (!TryAccept(append))
        {
            await FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        if (_writeThrough)
        {
            // Once accepted it is no longer cancellable: the caller must learn whether it is on disk. Whoever waited here longest has written for all behind.
            try
            {
                await FlushAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (IOException) when (append.Written)
            {
                // What failed was not this append.
            }

            if (append.Failure is { } failure)
            {
                throw new IOException(failure.Message, failure);
            }
        }
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await _disk.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_disposed)
            {
                await Task.Run(WritePending, CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            _disk.Release();
        }
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
        while (true)
        {
            Task more;
            lock (_gate)
            {
                more = _taken.Task;
            }

            if (_clock is { IsTrusted: false })
            {
                await Task.WhenAny(_clock.Trusted, more).WaitAsync(cancellationToken).ConfigureAwait(false);
                ObjectDisposedException.ThrowIf(_closed, this);
                continue;
            }

            if (await ReadHeldAsync(_liveReader, from, long.MaxValue, countMax, cancellationToken).ConfigureAwait(false) is { } batch)
            {
                return batch;
            }

            await more.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask<OutboxBatch?> TryReadAsync(long from, long until, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        return await ReadHeldAsync(_backlogReader, from, until, countMax, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask ReleaseAsync(long from, long until, int refused, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfNegative(refused);
        bool write, deletable = false;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(until, _ledger.Next);
            var left = _ledger.Release(from, until, refused);
            if (left == 0)
            {
                return;
            }

            _ledgerChanged = true;
            _releasedUnwritten += left;
            write = _releasedUnwritten >= ReleasedUnwrittenMax;
            for (var i = 0; i < _segments.Count - 1 && !deletable; i++)
            {
                deletable = _ledger.Held(_segments[i].From, _segments[i].Next) == 0;
            }

            Arm(_options.WriteDelay > ReleaseDelay ? _options.WriteDelay : ReleaseDelay);
        }

        if (!write && !deletable)
        {
            return;
        }

        await _disk.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Task.Run(
                () =>
                {
                    if (write)
                    {
                        WritePending();
                    }

                    DeleteReleased();
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            // The release itself stands; it is written down, and the files go, with the next one.
            _logger.PositionFailed(e);
        }
        finally
        {
            _disk.Release();
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

        await _timer.DisposeAsync().ConfigureAwait(false);
        await _reading.WaitAsync().ConfigureAwait(false);
        await _disk.WaitAsync().ConfigureAwait(false);
        try
        {
            // The checkpoint says where everything stands, so only readings that are still held need a write of their own.
            WritePending();
            Checkpoint();
        }
        catch (IOException e)
        {
            _logger.PositionFailed(e);
        }

        _disposed = true;
        _instruments.Dispose();
        _liveReader.Dispose();
        _backlogReader.Dispose();
        _activeFile?.Dispose();
        await _lock.DisposeAsync().ConfigureAwait(false);
        _disk.Release();
        _reading.Release();
    }

    /// <summary>Puts an append into memory; false when that is full.</summary>
    private bool TryAccept(PendingAppend append)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (append.Cursor is { } cursor && !_cursors.ContainsKey(cursor.Source) && _cursors.Count >= CursorsMax)
            {
                throw new ArgumentException($"'{cursor.Source}' would be source {CursorsMax + 1}; an outbox keeps the cursors of {CursorsMax}.", nameof(append));
            }

            if (_pending.Count > 0 && _pendingBytes + append.Bytes > PendingBytesMax)
            {
                return false;
            }

            _pending.Add(append);
            _pendingBytes += append.Bytes;
            if (!_writeThrough)
            {
                Publish(append);
                var now = !_writeSoon && Unwritten() >= UnwrittenMax;
                _writeSoon |= now;
                Arm(now ? TimeSpan.Zero : _options.WriteDelay);
            }

            return true;
        }
    }

    /// <summary>Numbers an append and lets readers see it. Called with _gate held.</summary>
    private void Publish(PendingAppend append)
    {
        append.From = _ledger.Next;
        _ledger.Take(append.Until);
        if (append.Cursor is { } cursor)
        {
            _cursors[cursor.Source] = cursor.Value.ToArray();
        }

        var taken = _taken;
        _taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        taken.TrySetResult();
    }

    /// <summary>Readings that are held in memory only. Called with _gate held.</summary>
    private long Unwritten() => _writeThrough || _pending.Count == 0 ? 0 : _ledger.Held(_pending[0].From, _pending[^1].Until);

    /// <summary>Has the timer write what is pending, at the latest after a delay. Called with _gate held.</summary>
    private void Arm(TimeSpan delay)
    {
        if (!_closed && (!_armed || delay == TimeSpan.Zero))
        {
            _armed = true;
            _timer.Change(delay, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            _armed = false;
        }

        _ = WriteInBackgroundAsync();
    }

    private async Task WriteInBackgroundAsync()
    {
        try
        {
            await FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // Logged and counted where it failed, and armed again.
        }
    }

    private async ValueTask<OutboxBatch?> ReadHeldAsync(OutboxReader reader, long from, long until, int countMax, CancellationToken cancellationToken)
    {
        if (_clock is { IsTrusted: false })
        {
            return null;
        }

        await EnsureStampsAsync(cancellationToken).ConfigureAwait(false);
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                SequenceRange run;
                lock (_gate)
                {
                    ObjectDisposedException.ThrowIf(_closed, this);
                    run = _ledger.Run(from);
                    run = run with { Until = Math.Min(run.Until, Math.Min(until, run.From + countMax)) };
                    if (run.Count <= 0)
                    {
                        return null;
                    }

                    if (!_writeThrough && _pending.Count > 0 && run.Until > _pending[0].From)
                    {
                        if (run.From >= _pending[0].From)
                        {
                            return FromMemory(run);
                        }

                        run = run with { Until = _pending[0].From };
                    }
                }

                var readings = reader.Read(run.From, (int)run.Count);
                if (readings.Count > 0)
                {
                    return new OutboxBatch(run.From, run.From + readings.Count, readings);
                }

                // Found damaged or dropped meanwhile: the ledger now says so; look again.
            }
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>Copies readings out of memory. Called with _gate held.</summary>
    private OutboxBatch FromMemory(SequenceRange run)
    {
        int low = 0, high = _pending.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = _pending[middle].From <= run.From ? (middle, high) : (low, middle - 1);
        }

        var readings = new List<Reading>((int)run.Count);
        var sequence = run.From;
        for (; sequence < run.Until; low++)
        {
            var append = _pending[low];
            for (; sequence < Math.Min(run.Until, append.Until); sequence++)
            {
                var reading = append.Readings[sequence - append.From];
                readings.Add(_clock is null ? reading : Stamp(reading, _clock.BootId));
            }
        }

        return new OutboxBatch(run.From, run.Until, readings);
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
            until = Math.Min(until, _ledger.Next);
            if (_ledger.Held(from, until) > 0)
            {
                _logger.Damaged(from, until, file);
            }

            _ledger.Lose(from, until);
            _ledgerChanged = true;
        }
    }

    /// <summary>One append in memory.</summary>
    private sealed class PendingAppend(Reading[] readings, SourceCursor? cursor, DateTimeOffset takenAt, int bytes)
    {
        public Reading[] Readings { get; } = readings;

        public SourceCursor? Cursor { get; } = cursor;

        public DateTimeOffset TakenAt { get; } = takenAt;

        /// <summary>Bytes it takes when written alone.</summary>
        public int Bytes { get; } = bytes;

        /// <summary>Sequence number of its first reading, once it has one.</summary>
        public long From { get; set; }

        public long Until => From + Readings.Length;

        /// <summary>True once it is on disk, or gone before it had to be.</summary>
        public bool Written { get; set; }

        /// <summary>Why the disk refused it, where its caller is to hear that.</summary>
        public IOException? Failure { get; set; }
    }
}
