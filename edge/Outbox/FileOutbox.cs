using System.Runtime.CompilerServices;
using Hub.Edge.Contract.Readings;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Hub.Edge.Outbox;

/// <summary>
/// The outbox on files of its own. What is appended stands in memory (<c>_pending</c>), and in a journal that outlives the process, until it is written, and what is released before
/// that is never written. Locks, outermost
/// first: <c>_reading</c> (one reader at a time), <c>_disk</c> (one writer of segments and checkpoints), <c>_gate</c> (memory; held for microseconds).
/// </summary>
internal sealed partial class FileOutbox : IOutbox
{
    /// <summary>The source under whose name the ledger is written down between the readings; no sensor can be called so.</summary>
    public const string LedgerSource = "\u0001ledger";

    private const int CursorsMax = 1024;

    /// <summary>Separate ranges released ahead of the head past which <see cref="Live"/> opens no further one.</summary>
    private const int RangesMax = 32;

    /// <summary>Readings that are worth a write of their own: a 4 KiB page for them costs 26 bytes each.</summary>
    private const int UnwrittenMax = 160;

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
    private readonly TimeSpan _delay;
    private readonly Journal? _journal;
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
    private readonly List<PendingAppend> _pending;
    private long _pendingBytes;
    private long _releasedUnwritten;
    private int _writesDue;
    private bool _ledgerChanged;
    private bool _armed;
    private bool _writeSoon;
    private bool _closed;
    private bool _writeThrough;
    private bool _journalFailed;
    private readonly PendingAppends _memory = new();
    private ByteWriter _journalImage = new(256);

    /// <summary>Completes at the next append; null while nobody waits for one.</summary>
    private TaskCompletionSource? _taken;

    // Under _disk.
    private readonly Action _writePending;
    private readonly Background _background;
    private readonly List<PendingAppend> _writing = [];
    private readonly List<Reading> _gathered = [];
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _gatheredCursors = new(StringComparer.Ordinal);
    private bool[] _held = [];
    private ByteWriter _out = new(8 * 1024);
    private ByteWriter _diskImage = new(256);
    private Segment? _active;
    private SafeFileHandle? _activeFile;
    private long _indexNext;
    private bool _disposed;

    private FileOutbox(
        OutboxOptions options, TimeSpan delay, Journal? journal, string folder, FileStream folderLock, CheckpointFiles checkpoints, OutboxRecovery.Found found, TimeProvider time, ILogger logger)
    {
        (_options, _delay, _journal, _folder, _lock, _checkpoints, _time, _logger) = (options, delay, journal, folder, folderLock, checkpoints, time, logger);
        _clock = time as StationClock;
        _startedWithTime = _clock is not { IsTrusted: false };
        _boots = found.Boots;
        _segmentBytes = (int)Math.Min(options.SegmentBytesMax, options.BytesMax / 8);
        (_ledger, _segments, _cursors, _indexNext) = (found.Ledger, found.Segments, found.Cursors, found.IndexNext);

        // Copies: the values of both are overwritten in place, each at its time.
        _cursorsWritten = found.CursorsWritten.ToDictionary(cursor => cursor.Key, cursor => cursor.Value.ToArray(), StringComparer.Ordinal);
        _pending = new List<PendingAppend>(Math.Max(16, found.Unwritten.Count));
        foreach (var unwritten in found.Unwritten)
        {
            var append = _memory.Take(unwritten.Readings, unwritten.Cursor, unwritten.TakenAt, unwritten.Bytes);
            append.From = unwritten.From;
            _pending.Add(append);
        }

        (_writePending, _background) = (WritePending, new Background(this));
        _pendingBytes = _pending.Sum(append => (long)append.Bytes);
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

    /// <summary>Bytes written to disk since it was opened, in whole pages.</summary>
    internal long DiskBytes => _instruments.Written;

    /// <summary>The delay is over and what was gathered is not all on disk yet.</summary>
    internal bool WriteIsDue => Volatile.Read(ref _writesDue) > 0;

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
            var journal = OpenJournal(options.JournalFolder, folder, (time as StationClock)?.BootId ?? MachineTime.ReadBootId(), out var why);
            var delay = options.WriteDelay ?? (journal is null ? TimeSpan.Zero : GatherDelay);
            if (journal is null && options.JournalFolder != OutboxOptions.NoJournal && options.WriteDelay != TimeSpan.Zero)
            {
                logger.NoJournal(why, delay);
            }
            else if (journal is not null && delay > TimeSpan.Zero)
            {
                logger.Gathers(delay, journal.Path);
            }

            var found = OutboxRecovery.Run(folder, checkpoints, journal?.Path, logger);
            var outbox = new FileOutbox(options, delay, journal, folder, folderLock, checkpoints, found, time, logger);
            outbox.DropAged();
            outbox.DeleteReleased();
            outbox.WriteRecovered();
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

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await _disk.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_disposed)
            {
                await Task.Run(_writePending, CancellationToken.None).ConfigureAwait(false);
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
            return _cursors.TryGetValue(source, out var cursor) ? cursor.ToArray() : default(ReadOnlyMemory<byte>);
        }
    }

    public async ValueTask<OutboxBatch> ReadAsync(long from, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        while (true)
        {
            if (_clock is { IsTrusted: false })
            {
                Task any;
                lock (_gate)
                {
                    any = NextAppend();
                }

                await Task.WhenAny(_clock.Trusted, any).WaitAsync(cancellationToken).ConfigureAwait(false);
                ObjectDisposedException.ThrowIf(_closed, this);
                continue;
            }

            long before;
            lock (_gate)
            {
                before = _ledger.Next;
            }

            if (await ReadHeldAsync(_liveReader, from, long.MaxValue, countMax, cancellationToken).ConfigureAwait(false) is { } batch)
            {
                return batch;
            }

            Task more;
            lock (_gate)
            {
                if (_ledger.Next != before)
                {
                    continue;
                }

                more = NextAppend();
            }

            await more.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Completes at the next append, or when the outbox is closed. Called with _gate held.</summary>
    private Task NextAppend() => _closed ? Task.CompletedTask : (_taken ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public async ValueTask<OutboxBatch?> TryReadAsync(long from, long until, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        return await ReadHeldAsync(_backlogReader, from, until, countMax, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask ReleaseAsync(long from, long until, int refused, int expired, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfNegative(refused);
        ArgumentOutOfRangeException.ThrowIfNegative(expired);
        bool write, deletable = false;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(until, _ledger.Next);
            var left = _ledger.Release(from, until, refused, expired);
            if (left == 0)
            {
                return default;
            }

            _ledgerChanged = true;
            _releasedUnwritten += left;
            write = _releasedUnwritten >= ReleasedUnwrittenMax;
            JournalLedger();
            for (var i = 0; i < _segments.Count - 1 && !deletable; i++)
            {
                deletable = _ledger.Held(_segments[i].From, _segments[i].Next) == 0;
            }

            Arm(_delay > ReleaseDelay ? _delay : ReleaseDelay);
        }

        return write || deletable ? WriteReleasesAsync(write, cancellationToken) : default;
    }

    private async ValueTask WriteReleasesAsync(bool write, CancellationToken cancellationToken)
    {
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
            _taken?.TrySetResult();
        }

        await _timer.DisposeAsync().ConfigureAwait(false);
        await _reading.WaitAsync().ConfigureAwait(false);
        await _disk.WaitAsync().ConfigureAwait(false);
        try
        {
            // The checkpoint says where everything stands, so only readings that are still held need a write of their own.
            WritePending();
            Checkpoint();
            _journal?.Delete();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _logger.PositionFailed(e);
        }

        _disposed = true;
        _journal?.Dispose();
        _instruments.Dispose();
        _liveReader.Dispose();
        _backlogReader.Dispose();
        _activeFile?.Dispose();
        await _lock.DisposeAsync().ConfigureAwait(false);
        _disk.Release();
        _reading.Release();
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

        Interlocked.Increment(ref _writesDue);
        ThreadPool.UnsafeQueueUserWorkItem(_background, preferLocal: false);
    }

    private async Task WriteInBackgroundAsync()
    {
        await _disk.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_disposed)
            {
                WritePending();
            }
        }
        catch (IOException)
        {
            // Logged and counted where it failed, and armed again.
        }
        finally
        {
            _disk.Release();
            Interlocked.Decrement(ref _writesDue);
        }
    }

    /// <summary>Writes on a thread of the pool, where it may take as long as the disk does.</summary>
    private sealed class Background(FileOutbox outbox) : IThreadPoolWorkItem
    {
        public void Execute() => _ = outbox.WriteInBackgroundAsync();
    }
}
