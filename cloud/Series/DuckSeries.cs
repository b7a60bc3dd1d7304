using System.Collections.Concurrent;
using DuckDB.NET.Data;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Series;

/// <summary>
/// The embedded store: one committer thread takes what waits in the queue, resolves it against the stored keys, writes it in one transaction with one fsync, updates the latest values, tells the
/// observers, and only then completes the callers. Everything the committer uses alone needs no lock; queries run beside it on connections of their own.
/// </summary>
internal sealed partial class DuckSeries : ISeries, ISeriesHealth, IAsyncDisposable, IDisposable
{
    private readonly SeriesOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<DuckSeries> _log;
    private readonly SeriesInstruments _instruments;
    private readonly AppendQueue _queue;
    private readonly DuckDatabase _database;
    private readonly DuckRows _rows;
    private readonly DuckQueries _queries;
    private readonly ConcurrentDictionary<int, StreamState> _streams = new();
    private readonly KnownKeys _keys;
    private readonly GroupResolver _resolver;
    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _observersLock = new();
    private ISeriesObserver[] _observers = [];
    private Observation[] _observations = [];
    private AppendOutcome[] _outcomes = [];
    private Fault? _fault;
    private long _lastCommit;
    private volatile bool _open;
    private volatile bool _abandon;
    private int _disposed;
    private ITimer? _retry;

    public DuckSeries(IOptions<SeriesOptions> options, TimeProvider time, ILogger<DuckSeries> log, SeriesInstruments instruments)
    {
        _options = options.Value;
        _time = time;
        _log = log;
        _instruments = instruments;
        _queue = new AppendQueue(_options.QueueObservationsMax);
        _database = new DuckDatabase(_options);
        _rows = new DuckRows(_database);
        _queries = new DuckQueries(_database, _options.BucketsMax);
        _keys = new KnownKeys(_rows, _options.KnownKeysMax, _options.KnownDaysLoadedMax, instruments);
        _resolver = new GroupResolver(_streams, _keys);
        instruments.Watch(() => _queue.QueuedObservations, () => _queue.WaitingCalls, () => _keys.Count, () => LastCommit);
    }

    /// <summary>The file behind it.</summary>
    public DuckDatabase Database => _database;

    public long LastCommit => Interlocked.Read(ref _lastCommit);

    public bool CanCommit => _open && Volatile.Read(ref _fault) is null;

    public string? Problem => Volatile.Read(ref _fault) is { } fault ? fault.Reason : _open ? null : $"The series store in {_options.Folder} is not open.";

    public DateTimeOffset? Since => Volatile.Read(ref _fault)?.Since;

    /// <summary>Opens the store once and starts the committer.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_open)
            {
                ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
                await Task.Run(Open, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _opening.Release();
        }
    }

    public async ValueTask<AppendReceipt> AppendAsync(ReadOnlyMemory<Observation> observations, CancellationToken cancellationToken)
    {
        foreach (ref readonly var observation in observations.Span)
        {
            ObservationCheck.ThrowIfNot(observation);
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (!_open)
        {
            throw new SeriesUnavailableException($"The series store in {_options.Folder} is not open.");
        }

        if (observations.IsEmpty)
        {
            return new AppendReceipt(LastCommit, []);
        }

        var pending = new PendingAppend(observations);
        if (!_queue.TryAdd(pending))
        {
            throw Stopping();
        }

        using (cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (queue, pending) = ((AppendQueue, PendingAppend))state!;
                if (queue.TryWithdraw(pending))
                {
                    pending.Completion.TrySetCanceled(token);
                }
            },
            (_queue, pending)))
        {
            return await pending.Completion.Task.ConfigureAwait(false);
        }
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

    public ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken) => _queries.ChangedSinceAsync(commit, cancellationToken);

    /// <summary>Every value that lost against another one for its key.</summary>
    public Task<List<Observation>> HistoryAsync(CancellationToken cancellationToken) => _queries.HistoryAsync(cancellationToken);

    public IDisposable Subscribe(ISeriesObserver observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        var subscription = new Subscription(this, observer);
        lock (_observersLock)
        {
            _observers = [.. _observers, subscription];
        }

        return subscription;
    }

    /// <summary>Lets nobody in, commits what is queued within the budget, closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _opening.WaitAsync().ConfigureAwait(false);
        var closed = true;
        if (_open)
        {
            _queue.Close();
            try
            {
                await _stopped.Task.WaitAsync(_options.StopWithin, _time).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                _abandon = true;
                closed = _stopped.Task.IsCompleted;
                var left = _queue.TakeAll();
                LogNotDrained(_options.StopWithin, left.Sum(pending => pending.Observations.Length));
                Refuse(left, Stopping());
            }

            _open = false;
        }

        if (_retry is not null)
        {
            await _retry.DisposeAsync().ConfigureAwait(false);
        }

        if (closed)
        {
            // Otherwise a commit hangs in the system; what it holds ends with the process, which is as safe as a crash.
            await Task.Run(_database.Dispose).ConfigureAwait(false);
        }

        LogClosed(_options.Folder, LastCommit);
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private void Open()
    {
        var started = _time.GetTimestamp();
        _database.TakeFolder();
        try
        {
            _database.Open(checkpoint: false);
            _rows.ReadLatest(Advance);
            Interlocked.Exchange(ref _lastCommit, _rows.LastCommit());
        }
        catch (Exception e)
        {
            _database.Dispose();
            if (e is DuckDBException)
            {
                throw new InvalidDataException($"The series store in {_options.Folder} cannot be opened: free space if the disk is full, else restore the folder from a backup.", e);
            }

            throw;
        }

        _retry = _time.CreateTimer(static queue => ((AppendQueue)queue!).Wake(), _queue, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _open = true;
        new Thread(Run) { IsBackground = true, Name = "series-committer" }.Start();
        LogOpened(_options.Folder, LastCommit, _streams.Count, _time.GetElapsedTime(started));
    }

    private void Run()
    {
        var group = new List<PendingAppend>();
        while (_queue.Take(group, _options.GroupObservationsMax))
        {
            if (_abandon)
            {
                Refuse(group, Stopping());
            }
            else if (_fault is { } fault && !TryRecover(fault))
            {
                Refuse(group, fault.ToException());
            }
            else if (group.Count > 0)
            {
                Commit(group);
            }

            group.Clear();
        }

        _stopped.SetResult();
    }

    private void Commit(List<PendingAppend> group)
    {
        var started = _time.GetTimestamp();
        var count = Gather(group);
        var outcomes = _outcomes.AsSpan(0, count);
        var commit = LastCommit;
        try
        {
            _resolver.Resolve(_observations.AsSpan(0, count), outcomes);
            if (_resolver.Losers.Count > 0)
            {
                _resolver.Losers.ExceptWith(_rows.HistoryOf(_resolver.Losers));
            }

            if (_resolver.Appended.Count > 0 || _resolver.Losers.Count > 0)
            {
                commit++;
                Write(commit);
            }
        }
#pragma warning disable CA1031 // Whatever went wrong, the callers must hear that nothing is promised, and the store must go on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(group, e);
            return;
        }

        if (commit > LastCommit)
        {
            Publish(commit, _resolver.Appended);
            _instruments.Committed(count, _time.GetElapsedTime(started));
            _instruments.Lost(_resolver.Losers.Count + _resolver.Replaced.Count);
        }

        _keys.Committed(_resolver.Appended);
        Complete(group, commit);
    }

    private int Gather(List<PendingAppend> group)
    {
        var count = group.Sum(pending => pending.Observations.Length);
        if (_observations.Length < count || _observations.Length > 2 * Math.Max(count, _options.GroupObservationsMax))
        {
            _observations = new Observation[Math.Max(count, 1024)];
            _outcomes = new AppendOutcome[_observations.Length];
        }

        var at = 0;
        foreach (var pending in group)
        {
            pending.Observations.Span.CopyTo(_observations.AsSpan(at));
            at += pending.Observations.Length;
        }

        return count;
    }

    private void Write(long commit)
    {
        using var transaction = _database.Writer.BeginTransaction();
        if (_resolver.Replaced.Count > 0)
        {
            _rows.Replace(_resolver.Replaced);
        }

        if (_resolver.Losers.Count > 0)
        {
            _rows.Append("history", _resolver.Losers, commit);
        }

        if (_resolver.Appended.Count > 0)
        {
            _rows.Append("observation", _resolver.Appended, commit);
        }

        // Returns after the fsync of the database's log.
        transaction.Commit();
    }

    /// <summary>Makes a durable commit visible: latest values, number, observers, in this order.</summary>
    private void Publish(long commit, List<Observation> appended)
    {
        foreach (var observation in appended)
        {
            Advance(observation);
        }

        Interlocked.Exchange(ref _lastCommit, commit);
        var observers = Volatile.Read(ref _observers);
        if (observers.Length == 0)
        {
            return;
        }

        var news = new SeriesCommit(commit, appended.ToArray());
        foreach (var observer in observers)
        {
            try
            {
                observer.OnCommitted(news);
            }
#pragma warning disable CA1031 // One observer's fault must not reach the appender or the other observers.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _instruments.ObserverFailed();
                LogObserverFailed(e, commit);
            }
        }
    }

    private void Complete(List<PendingAppend> group, long commit)
    {
        Span<long> totals = stackalloc long[3];
        var at = 0;
        foreach (var pending in group)
        {
            var outcomes = _outcomes.AsSpan(at, pending.Observations.Length).ToArray();
            at += outcomes.Length;
            foreach (var outcome in outcomes)
            {
                totals[(int)outcome]++;
            }

            pending.Completion.TrySetResult(new AppendReceipt(commit, outcomes));
        }

        _instruments.Observed("stored", totals[(int)AppendOutcome.Stored]);
        _instruments.Observed("duplicate", totals[(int)AppendOutcome.Duplicate]);
        _instruments.Observed("corrected", totals[(int)AppendOutcome.Corrected]);
    }

    private void Advance(Observation observation) => _streams.GetOrAdd(observation.Datastream, static _ => new StreamState()).Advance(observation);

    private void Refuse(List<PendingAppend> group, SeriesUnavailableException reason)
    {
        _instruments.Observed("refused", group.Sum(pending => (long)pending.Observations.Length));
        foreach (var pending in group)
        {
            pending.Completion.TrySetException(reason);
        }
    }

    private SeriesUnavailableException Stopping() => new($"The series store in {_options.Folder} is stopping.");

    private sealed class Subscription(DuckSeries series, ISeriesObserver observer) : ISeriesObserver, IDisposable
    {
        private volatile bool _ended;

        public void OnCommitted(SeriesCommit commit)
        {
            if (!_ended)
            {
                observer.OnCommitted(commit);
            }
        }

        public void Dispose()
        {
            _ended = true;
            lock (series._observersLock)
            {
                series._observers = [.. series._observers.Where(other => other != this)];
            }
        }
    }
}
