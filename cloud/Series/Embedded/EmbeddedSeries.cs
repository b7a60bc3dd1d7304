using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Series;

/// <summary>
/// The embedded store. One committer thread takes what waits in the queue, resolves it against the stored keys, writes it to the write-ahead log with one fsync, inserts it into the memory table,
/// updates the latest values, tells the observers, and only then completes the callers. A full or old table is frozen and written as parts by the <see cref="Flusher"/>; the <see cref="Compactor"/>
/// merges the parts of a day. Questions run beside all of it on versions of the store.
/// </summary>
internal sealed partial class EmbeddedSeries : ISeries, ISeriesHealth, IAsyncDisposable, IDisposable
{
    /// <summary>Bytes of one segment of the log. The log ends a segment with each frozen table; this only bounds the largest file.</summary>
    private const long LogSegmentBytesMax = 64 * 1024 * 1024;

    private readonly SeriesOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<EmbeddedSeries> _log;
    private readonly SeriesInstruments _instruments;
    private readonly LogDisk _disk;
    private readonly AppendQueue _queue;
    private readonly CommitterJobs _jobs;
    private readonly SeriesFolder _folder;
    private readonly PartStore _store;
    private readonly Flusher _flusher;
    private readonly Compactor _compactor;
    private readonly SeriesQueries _queries;
    private readonly KeyLookup _lookup;
    private readonly LookAhead _ahead;
    private readonly PartDamage _damage;
    private readonly DiskReserve _reserve;
    private readonly ConcurrentDictionary<int, StreamState> _streams = new();
    private readonly KnownKeys _keys;
    private readonly GroupResolver _resolver;
    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly SemaphoreSlim _deleting = new(1, 1);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SeriesObservers _observers;
    private readonly AppendGroup _group;
    private readonly Func<SeriesUnavailableException> _stopping;
    private WriteAheadLog? _wal;
    private long _lastCommit;
    private volatile bool _open;
    private volatile bool _abandon;
    private int _disposed;
    private ITimer? _retry;
    private ITimer? _flushTimer;

    /// <param name="options">Settings, checked.</param>
    /// <param name="time">Clock of everything but the pauses of the compaction.</param>
    /// <param name="log">Log.</param>
    /// <param name="instruments">Counters.</param>
    /// <param name="disk">Stands in for the file system under the write-ahead log; null for the real one.</param>
    /// <param name="statistics">Which statistic suits a datastream; null when nothing knows.</param>
    /// <param name="findings">Flags found since observations were stored, which go with them when they are condensed; null when nothing finds any.</param>
    public EmbeddedSeries(IOptions<SeriesOptions> options, TimeProvider time, ILogger<EmbeddedSeries> log, SeriesInstruments instruments, LogDisk? disk = null, IDatastreamStatistics? statistics = null, IFindings? findings = null)
    {
        _options = options.Value;
        _time = time;
        _log = log;
        _instruments = instruments;
        _disk = disk ?? LogDisk.Real;
        _queue = new AppendQueue(_options.QueueObservationsMax);
        _stopping = Stopping;
        _group = new AppendGroup(_options.GroupObservationsMax, instruments);
        _observers = new SeriesObservers(instruments, log);
        _jobs = new CommitterJobs(_queue.Wake);
        _folder = new SeriesFolder(_options.Folder);
        _reserve = new DiskReserve(_options.Folder, _options.ReserveMegabytes * 1024L * 1024);
        _store = new PartStore(_folder, time, _options.OpenPartsMax, _options.FlushObservationsMax);
        _flusher = new Flusher(_store, _options, time, instruments, log);
        _damage = new PartDamage(instruments, log);
        _compactor = new Compactor(_store, _options, time, instruments, log, () => AppendsWait, _damage, statistics, findings);
        _queries = new SeriesQueries(_store, _options, instruments, _damage);
        _lookup = new KeyLookup(_store, _damage);
        _ahead = new LookAhead(_store, _queue, _damage, () => Interlocked.Read(ref _deletions), () => _abandon, instruments);
        _keys = new KnownKeys(_lookup, _options.KnownKeysMax, _options.KnownDaysLoadedMax, instruments);
        _resolver = new GroupResolver(_streams, _keys);
        instruments.Watch(() => _queue.QueuedObservations, () => _queue.WaitingCalls, () => _keys.Count, () => LastCommit);
        instruments.WatchFiles(() => _store.MemoryRows, () => _store.FrozenCount, () => _store.Manifest.Parts.Length, () => _store.Manifest.Parts.Sum(part => part.Summary.Bytes), () => _wal?.Bytes ?? 0, () => _store.Cache.Count, () => _queue.AsideObservations, () => CanCommit);
    }

    /// <summary>The parts, for tests and tools.</summary>
    public PartStore Parts => _store;

    /// <summary>The thread that looks keys up ahead, for tests.</summary>
    internal LookAhead Ahead => _ahead;

    public long LastCommit => Interlocked.Read(ref _lastCommit);

    public bool AppendsWait => _queue.QueuedObservations > 0;

    public bool CanCommit => _open && Volatile.Read(ref _fault) is null;

    public string? Problem => Volatile.Read(ref _fault) is { } fault ? fault.Reason : _open ? null : NotOpen().Message;

    public DateTimeOffset? Since => Volatile.Read(ref _fault)?.Since;

    /// <summary>Opens the store once and starts its threads.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_open)
            {
                ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
                await Task.Run(() => Open(cancellationToken), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _opening.Release();
        }
    }

    public ValueTask<AppendReceipt> AppendAsync(ReadOnlyMemory<Observation> observations, CancellationToken cancellationToken)
    {
        try
        {
            foreach (ref readonly var observation in observations.Span)
            {
                ObservationCheck.ThrowIfNot(observation);
            }
        }
        catch (ArgumentException e)
        {
            return ValueTask.FromException<AppendReceipt>(e);
        }

        return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<AppendReceipt>(cancellationToken)
            : !_open ? ValueTask.FromException<AppendReceipt>(NotOpen())
            : observations.IsEmpty ? ValueTask.FromResult(new AppendReceipt(LastCommit, []))
            : _queue.AppendAsync(observations, _stopping, cancellationToken);
    }

    public bool TryGetLatest(int datastream, out Observation latest)
    {
        if (_streams.TryGetValue(datastream, out var state))
        {
            return state.TryGetLatest(out latest);
        }

        latest = default;
        return false;
    }

    public IAsyncEnumerable<Observation> RangeAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _queries.RangeAsync(datastream, EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)), cancellationToken);

    public ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken) => _queries.AggregateAsync(query, cancellationToken);

    public ValueTask<IReadOnlyDictionary<int, IReadOnlyList<Bucket>>> AggregateManyAsync(IReadOnlyCollection<int> datastreams, AggregateQuery query, CancellationToken cancellationToken) =>
        _queries.AggregateManyAsync(datastreams, query, cancellationToken);

    public ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken) => _queries.ChangedSinceAsync(commit, cancellationToken);

    public TimeSpan HeldWithin(DateTime from, DateTime to) => _queries.HeldWithin(EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)));

    public ValueTask<IReadOnlyList<int>> DatastreamsAsync(DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _queries.DatastreamsAsync(EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)), cancellationToken);

    public IAsyncEnumerable<Observation> HistoryAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _queries.HistoryAsync(datastream, EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)), cancellationToken);

    public IDisposable Subscribe(ISeriesObserver observer) => _observers.Subscribe(observer);

    /// <summary>Lets nobody in, commits what is queued and writes it as parts within the budget, closes the files.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _opening.WaitAsync().ConfigureAwait(false);
        if (_open)
        {
            await StopAsync().ConfigureAwait(false);
        }

        foreach (var timer in new[] { _retry, _flushTimer })
        {
            if (timer is not null)
            {
                await timer.DisposeAsync().ConfigureAwait(false);
            }
        }

        await _queries.DisposeAsync().ConfigureAwait(false);
        var ended = _open ? Task.WhenAll(_stopped.Task, _ahead.Ended, _flusher.Ended, _compactor.Ended) : Task.CompletedTask;
        _open = false;
        if (ended.IsCompleted)
        {
            Close();
        }
        else
        {
            // Something takes longer than the budget, or hangs in the system: the files stay open until it ends, with the process at the latest, which is as safe as a crash.
            _ = ended.ContinueWith(_ => Close(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private void Open(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        _folder.Take();
        try
        {
            _streams.Clear();
            _store.Open();
            Takeover.Run(_store, _options, _log, cancellationToken);
            foreach (var latest in new LatestFile(_store).Read(_store.Manifest.Latest))
            {
                Advance(latest);
            }

            Interlocked.Exchange(ref _lastCommit, _store.Manifest.LastCommit);
            _wal = WriteAheadLog.Open(_folder.Log, LogSegmentBytesMax, (_, group) => Replay(group), _disk);
        }
        catch
        {
            _folder.Dispose();
            throw;
        }

        if (_wal.BytesCut > 0)
        {
            LogTailCut(_wal.BytesCut, _folder.Log);
        }

        _retry = _time.CreateTimer(static queue => ((AppendQueue)queue!).Wake(), _queue, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _flushTimer = _time.CreateTimer(static queue => ((AppendQueue)queue!).Wake(), _queue, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        NoteAge(_store.Active);
        _reserve.TryKeep();
        _queries.Open();
        _open = true;
        _flusher.Start(_wal.Release, _compactor.Wake);
        _compactor.Start();
        _ahead.Start();
        new Thread(Run) { IsBackground = true, Name = "series-committer" }.Start();
        LogOpened(_options.Folder, LastCommit, _streams.Count, _time.GetElapsedTime(started));
    }

    /// <summary>One group of the log at the start: into the memory table, unless it is in parts already.</summary>
    private void Replay(LogGroup group)
    {
        if (group.Commit <= _store.Manifest.LastCommit)
        {
            return;
        }

        // The log may hold more than memory should: then parts are written on the way. Its segments go later.
        if (_store.Active.Rows >= _options.FlushObservationsMax)
        {
            _store.Freeze();
            _flusher.Flush(_store.OldestFrozen()!);
        }

        _store.Active.Insert(group.Commit, group.Rows, []);
        foreach (ref readonly var row in group.Rows)
        {
            Advance(row);
        }

        Interlocked.Exchange(ref _lastCommit, group.Commit);
    }

    /// <summary>Commits what is queued and ends the threads, within the budget.</summary>
    private async Task StopAsync()
    {
        var started = _time.GetTimestamp();
        _compactor.Stop();
        _queue.Close();
        try
        {
            await _stopped.Task.WaitAsync(_options.StopWithin, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _abandon = true;
            _store.Wake();
            var left = _queue.TakeAll();
            LogNotDrained(_options.StopWithin, left.Sum(pending => pending.Observations.Length));
            _group.Refuse(left, Stopping());
        }

        // What is not written as parts in time stays in the log for the next start.
        _ahead.Stop();
        _flusher.Stop();
        var budget = _options.StopWithin - _time.GetElapsedTime(started);
        try
        {
            await Task.WhenAll(_ahead.Ended, _flusher.Ended, _compactor.Ended).WaitAsync(budget > TimeSpan.Zero ? budget : TimeSpan.Zero, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
        }
    }

    private void Close()
    {
        _wal?.Dispose();
        _compactor.Dispose();
        _flusher.Dispose();
        _store.Dispose();
        _folder.Dispose();
        LogClosed(_options.Folder, LastCommit);
    }

    private SeriesUnavailableException Stopping() => new($"The series store in {_options.Folder} is stopping.");

    private SeriesUnavailableException NotOpen() => new($"The series store in {_options.Folder} is not open.");
}
