using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Series;

/// <summary>
/// The store on InfluxDB. As in the embedded store one committer thread takes what waits in the queue and resolves it; it then hands it to the server, or puts it in the spill while the server is away,
/// and only then publishes it and completes the callers. Beside it one task, the keeper, empties the spill when the server is back. Questions go to the server and to what waits for it.
/// </summary>
internal sealed partial class InfluxSeries : ISeries, ISeriesHealth, IAsyncDisposable, IDisposable
{
    private readonly SeriesOptions _options;
    private readonly InfluxOptions _influx;
    private readonly TimeProvider _time;
    private readonly ILogger<InfluxSeries> _log;
    private readonly SeriesInstruments _instruments;
    private readonly InfluxInstruments _influxInstruments;
    private readonly AppendQueue _queue;
    private readonly InfluxClient _client;
    private readonly InfluxRows _rows;
    private readonly InfluxQueries _queries;
    private readonly InfluxRollups _rollups;
    private readonly InfluxKept _kept;
    private readonly IDatastreamStatistics? _statistics;
    private readonly ISeries _found;
    private readonly InfluxWriter _writer;
    private readonly InfluxKeys _lookup;
    private readonly CommitterJobs _jobs;
    private readonly PendingRows _pending = new();
    private readonly RefusedFile _refused;
    private readonly ConcurrentDictionary<int, StreamState> _streams = new();
    private readonly KnownKeys _keys;
    private readonly GroupResolver _resolver;
    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _tried = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SeriesObservers _observers;
    private readonly AppendGroup _group;
    private readonly string _folder;
    private readonly LogDisk? _disk;
    private InfluxSpill? _spill;
    private FileStream? _lock;
    private InfluxLease? _lease;
    private ITimer? _refusedTimer;
    private Task _keeper = Task.CompletedTask;
    private Task _renewals = Task.CompletedTask;
    private AwayState? _away;
    private AwayState? _cannotCommit;
    private long _lastCommit;
    private long? _unsureFrom;
    private volatile bool _refusedDue;
    private volatile bool _open;
    private volatile bool _loaded;
    private volatile bool _abandon;
    private int _disposed;

    public InfluxSeries(
        IOptions<SeriesOptions> options, IOptions<InfluxOptions> influx, TimeProvider time, ILogger<InfluxSeries> log, SeriesInstruments instruments, InfluxInstruments influxInstruments, IDatastreamLabels? labels = null, LogDisk? disk = null,
        IDatastreamStatistics? statistics = null, IFindings? findings = null)
    {
        _statistics = statistics;
        _found = findings is null ? this : new FlaggedSeries(this, findings);
        _disk = disk;
        _options = options.Value;
        _influx = influx.Value;
        _time = time;
        _log = log;
        _instruments = instruments;
        _influxInstruments = influxInstruments;
        _folder = Path.Combine(_options.Folder, "influx");
        _queue = new AppendQueue(_options.QueueObservationsMax);
        _group = new AppendGroup(_options.GroupObservationsMax, instruments);
        _observers = new SeriesObservers(instruments, log);
        _jobs = new CommitterJobs(_queue.Wake);
        _client = new InfluxClient(_influx, time, log);
        _rows = new InfluxRows(_client);
        _queries = new InfluxQueries(_client, _rows, _pending);
        _rollups = new InfluxRollups(_client, labels, _influx, influxInstruments, ThrowIfNotOurs);
        _kept = new InfluxKept(_rollups, _queries, _options.BucketsMax) { MayHaveSome = CanCondense };
        _writer = new InfluxWriter(_client, _rows, labels, _influx, time, influxInstruments);
        _lookup = new InfluxKeys(_rows, _pending, () => Volatile.Read(ref _away)?.Reason, _stop.Token);
        _refused = new RefusedFile(Path.Combine(_folder, "refused.jsonl"), _influx.RefusedObservationsMax);
        _keys = new KnownKeys(_lookup, _options.KnownKeysMax, _options.KnownDaysLoadedMax, instruments);
        _resolver = new GroupResolver(_streams, _keys);
        instruments.Watch(() => _queue.QueuedObservations, () => _queue.WaitingCalls, () => _keys.Count, () => LastCommit);
        influxInstruments.Watch(() => _spill?.Observations ?? 0, () => _spill?.Bytes ?? 0, () => _refused.Count);
    }

    public long LastCommit => Interlocked.Read(ref _lastCommit);

    public bool AppendsWait => _queue.QueuedObservations > 0;

    public bool CanCommit => _loaded && Volatile.Read(ref _cannotCommit) is null;

    public string? Problem => (Volatile.Read(ref _cannotCommit) ?? (_loaded ? null : Volatile.Read(ref _away))) is { } state
        ? Sentence(state.Reason)
        : _loaded ? null : $"The series store on InfluxDB at {_client.Address} is not open.";

    public DateTimeOffset? Since => (Volatile.Read(ref _cannotCommit) ?? (_loaded ? null : Volatile.Read(ref _away)))?.Since;

    public string? Warning
    {
        get
        {
            if (Volatile.Read(ref _away) is { } away)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{Sentence(away.Reason)} Since {away.Since:u}; {Waiting} observations wait in the hub, charts and questions have no answer.");
            }

            return _refused.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $"InfluxDB at {_client.Address} refuses {_refused.Count} observations; the hub keeps them in {_refused.Path}, each with the reason.") : null;
        }
    }

    /// <summary>InfluxDB keeps nanoseconds in 64 bits.</summary>
    public (DateTime Earliest, DateTime Latest) Times => (EventTime.Time(InfluxLines.MinMicros), EventTime.Time(InfluxLines.MaxMicros));

    /// <summary>Observations in the spill.</summary>
    public long Waiting => _spill?.Observations ?? 0;

    /// <summary>Everything is on the server.</summary>
    public bool IsSettled => _loaded && Volatile.Read(ref _away) is null && _spill is { IsEmpty: true };

    /// <summary>Opens the store once: takes the folder, reads back what waits, starts the committer and the keeper, and lets the keeper try the server once.</summary>
    /// <exception cref="IOException">The folder cannot be used, or another hub uses it or the database.</exception>
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

        await _tried.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!_loaded && InUse is { } inUse)
        {
            await DisposeAsync().ConfigureAwait(false);
            throw new IOException(Sentence(inUse), inUse);
        }
    }

    public async ValueTask<AppendReceipt> AppendAsync(ReadOnlyMemory<Observation> observations, CancellationToken cancellationToken)
    {
        foreach (ref readonly var observation in observations.Span)
        {
            ObservationCheck.ThrowIfNot(observation);
            ThrowIfOutside(observation);
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (!_loaded)
        {
            throw new SeriesUnavailableException(Problem ?? Stopping().Message);
        }

        if (observations.IsEmpty)
        {
            return new AppendReceipt(LastCommit, []);
        }

        return await _queue.AppendAsync(observations, Stopping, cancellationToken).ConfigureAwait(false);
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
        _queries.RangeAsync(datastream, EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)) - 1, cancellationToken);

    public ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken) => _kept.AggregateAsync(query, cancellationToken);

    public ValueTask<IReadOnlyDictionary<int, IReadOnlyList<Bucket>>> AggregateManyAsync(IReadOnlyCollection<int> datastreams, AggregateQuery query, CancellationToken cancellationToken) =>
        ManyDatastreams.EachAsync(this, datastreams, query, _options.BucketsMax, cancellationToken);

    public ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken) => _queries.ChangedSinceAsync(commit, cancellationToken);

    public ValueTask<IReadOnlyList<int>> DatastreamsAsync(DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _queries.DatastreamsAsync(EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)) - 1, cancellationToken);

    public IAsyncEnumerable<Observation> HistoryAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _queries.HistoryAsync(datastream, EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)) - 1, cancellationToken);

    public IDisposable Subscribe(ISeriesObserver observer) => _observers.Subscribe(observer);

    /// <summary>Lets nobody in, commits what is queued within the budget; what the server does not take in it waits in the spill.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _opening.WaitAsync().ConfigureAwait(false);
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
                var left = _queue.TakeAll();
                LogNotDrained(_options.StopWithin, left.Sum(pending => pending.Observations.Length));
                _group.Refuse(left, Stopping());
            }

            // A write on its way ends now; its commit then goes to the spill.
            await _stop.CancelAsync().ConfigureAwait(false);
            await _stopped.Task.ConfigureAwait(false);
            await _keeper.ConfigureAwait(false);
            await _renewals.ConfigureAwait(false);
            await LetGoAsync().ConfigureAwait(false);
            _open = false;
            _loaded = false;
        }

        if (_refusedTimer is not null)
        {
            await _refusedTimer.DisposeAsync().ConfigureAwait(false);
        }

        LogClosed(_client.Address, LastCommit, Waiting);
        _spill?.Dispose();
        _lease?.Dispose();
        _client.Dispose();
        _stop.Dispose();
        if (_lock is not null)
        {
            await _lock.DisposeAsync().ConfigureAwait(false);
        }
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private void Open()
    {
        TakeFolder();
        try
        {
            _lease = MakeLease();
            _refused.Open();
            _spill = new InfluxSpill(Path.Combine(_folder, "spill"), _influx.SpillMegabytesMax * 1024L * 1024, _influx.SpillObservationsMax, _pending, _disk);
            foreach (var refused in _refused.Rows)
            {
                Keep(refused);
            }
        }
        catch
        {
            _lock!.Dispose();
            throw;
        }

        _refusedDue = _refused.Rows.Count > 0;
        _refusedTimer = _time.CreateTimer(
            static state =>
            {
                var series = (InfluxSeries)state!;
                series._refusedDue = true;
                series.Wake();
            },
            this,
            _influx.RefusedRetryAfter,
            _influx.RefusedRetryAfter);
        _open = true;
        _keeper = Task.Run(KeepAsync);
        _renewals = Task.Run(RenewLeaseAsync);
        new Thread(Run) { IsBackground = true, Name = "series-committer" }.Start();
    }

    private void TakeFolder()
    {
        try
        {
            Directory.CreateDirectory(_folder);
            _lock = new FileStream(Path.Combine(_folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The series folder {_folder} cannot be written: check its permissions, or change {SeriesOptions.Section}:Folder.", e);
        }
        catch (IOException e)
        {
            throw new IOException($"The series folder {_folder} cannot be used, or another hub uses it: check the path, stop that hub, or give this one a data folder of its own with --data.", e);
        }
    }

    /// <exception cref="ArgumentException">InfluxDB has no such time.</exception>
    private static void ThrowIfOutside(in Observation observation)
    {
        if (EventTime.Micros(observation.PhenomenonTime) is < InfluxLines.MinMicros or > InfluxLines.MaxMicros)
        {
            throw new ArgumentException($"InfluxDB holds times from 1677-09-21 to 2262-04-11 only: {observation}", nameof(observation));
        }
    }

    private string Sentence(Exception reason) => $"InfluxDB at {_client.Address} {reason.Message}";

    private SeriesUnavailableException Stopping() => new($"The series store on InfluxDB at {_client.Address} is stopping.");

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
    }

    /// <summary>Why and since when something does not go.</summary>
    private sealed record AwayState(InfluxAwayException Reason, DateTimeOffset Since);
}
