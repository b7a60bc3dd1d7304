using System.Threading.Channels;
using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.QualityControl.Storage;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.QualityControl;

/// <summary>
/// Hears what is committed and keeps the findings true to it. One worker turns changed times into days to judge, judges the newest day first, stores what came out differently, and takes it over into
/// memory. What was taken up and not yet judged is stored with the cursor, so a stop or a crash loses no day; a day judged twice comes out the same.
/// </summary>
internal sealed partial class QualityRunner : BackgroundService, ISeriesObserver
{
    /// <summary>Most days of datastreams judged and stored in one transaction.</summary>
    private const int ChunkCount = 64;

    /// <summary>And most work for one: then it rests. A day of readings a second takes a thousand times as long as one of readings a quarter of an hour.</summary>
    private static readonly TimeSpan ChunkWork = TimeSpan.FromMilliseconds(100);

    /// <summary>Stretches of days of one datastream held; past it the two closest become one.</summary>
    private const int DayStretchesMax = 64;

    /// <summary>Longest time for which the cursor lags what is taken up: after a crash so much is judged again.</summary>
    private static readonly TimeSpan CursorEvery = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(60);

    private readonly ISeries _series;
    private readonly IStations _stations;
    private readonly IDbContextFactory<QualityContext> _contexts;
    private readonly ParameterBook _parameters;
    private readonly FindingsBook _findings;
    private readonly QualityOptions _options;
    private readonly QualityInstruments _instruments;
    private readonly JudgeTurn _turn;
    private readonly TimeProvider _time;
    private readonly ILogger<QualityRunner> _log;
    private readonly ChangeNotes _notes = new();
    private readonly Neighbourhood _places;
    private readonly SeriesSource _source;
    private readonly Channel<bool> _changed = Signal();
    private readonly Channel<bool> _asked = Signal();
    private readonly Lock _waitersGate = new();
    private List<TaskCompletionSource> _waiters = [];
    private Spans _pending = new(DayStretchesMax, 1);
    private Spans _unresolved = new(1, Instants.PerDay);
    private int _stationsChanged = 1;
    private int _declared = 1;
    private long _takenUp;
    private long _cursorStored;
    private bool _isPendingStored = true;
    private DateTime _cursorStoredAt;
    private DateTime _takenUpAt;
    private long _pendingDatastreams;
    private long _removalsSeen;
    private long _placeTakenUp;

    public QualityRunner(
        ISeries series, IStations stations, IStationHistory history, IDbContextFactory<QualityContext> contexts, ParameterBook parameters, FindingsBook findings, IOptions<QualityOptions> options,
        QualityInstruments instruments, JudgeTurn turn, TimeProvider time, ILogger<QualityRunner> log)
    {
        // Findings are made of what is stored, never of other findings.
        _series = series.Stored();
        (_stations, _contexts, _parameters, _findings, _options, _instruments, _turn, _time, _log) = (stations, contexts, parameters, findings, options.Value, instruments, turn, time, log);
        (_places, _source) = (new Neighbourhood(stations, history), new SeriesSource(_series));
        instruments.Observe(() => findings.Count, () => _series.LastCommit - Volatile.Read(ref _takenUp), () => Volatile.Read(ref _pendingDatastreams));
    }

    private DateTime Now => _time.GetUtcNow().UtcDateTime;

    public void OnCommitted(SeriesCommit commit)
    {
        _notes.Add(commit);
        _changed.Writer.TryWrite(true);
    }

    /// <summary>A declaration is stored: the days it concerns are to be judged.</summary>
    public void OnDeclared()
    {
        Volatile.Write(ref _declared, 1);
        _asked.Writer.TryWrite(true);
    }

    /// <summary>Completes when everything committed and declared before the call has been judged.</summary>
    public Task CaughtUpAsync(CancellationToken cancellationToken)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_waitersGate)
        {
            _waiters.Add(waiter);
        }

        _asked.Writer.TryWrite(true);
        return waiter.Task.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        _stations.Changed += OnStationsChanged;
        IDisposable? subscription = null;
        var retry = RetryMin;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                try
                {
                    subscription ??= await OpenAsync(stoppingToken).ConfigureAwait(false);
                    await PassAsync(stoppingToken).ConfigureAwait(false);
                    retry = RetryMin;
                    await WaitAsync(stoppingToken).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
                {
                    break;
                }
#pragma warning disable CA1031 // Whatever it is (database busy, disk full, store away): what was not stored is still pending, and the same work is tried again.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    _instruments.Failed();
                    _log.PassFailed(exception, retry);
                    await Task.Delay(retry, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    retry = retry * 2 < RetryMax ? retry * 2 : RetryMax;
                }
            }
        }
        finally
        {
            subscription?.Dispose();
            _stations.Changed -= OnStationsChanged;
        }

        if (subscription is not null)
        {
            await StoreCursorAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static Channel<bool> Signal() => Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private void OnStationsChanged()
    {
        Volatile.Write(ref _stationsChanged, 1);
        _changed.Writer.TryWrite(true);
    }

    /// <summary>Finds out what was committed and not taken up, and what was taken up and not judged, when the hub stopped.</summary>
    private async Task<IDisposable> OpenAsync(CancellationToken cancellationToken)
    {
        await using var db = await _contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var cursor = await db.Cursors.SingleOrDefaultAsync(cancellationToken).ConfigureAwait(false);
        if (cursor is null)
        {
            cursor = new CursorRow { Id = 1, Edition = CheckDefaults.Edition };
            db.Cursors.Add(cursor);
        }
        else if (cursor.Edition != CheckDefaults.Edition)
        {
            _log.DefaultsChanged();
            (cursor.Edition, cursor.Commit) = (CheckDefaults.Edition, 0);
        }
        else if (cursor.Commit > _series.LastCommit)
        {
            // A backup holds the series as they were a moment before the database: their next commits have numbers that were taken up already, with another content.
            _log.SeriesOlder(cursor.Commit, _series.LastCommit);
            cursor.Commit = 0;
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        _pending = new Spans(DayStretchesMax, 1);
        await foreach (var row in db.Pending.AsNoTracking().AsAsyncEnumerable().WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            _pending.Add(row.Datastream, row.FromDay, row.ToDay);
        }

        var subscription = _series.Subscribe(this);
        try
        {
            var last = _series.LastCommit;
            _notes.Add(await _series.ChangedSinceAsync(cursor.Commit, cancellationToken).ConfigureAwait(false), last);
            (_takenUp, _cursorStored, _placeTakenUp, _cursorStoredAt, _takenUpAt) = (cursor.Commit, cursor.Commit, cursor.Place, Now, DateTime.MinValue);
            _log.Started(cursor.Commit, last, _findings.Count, _pending.Count);
            return subscription;
        }
        catch
        {
            subscription.Dispose();
            throw;
        }
    }

    /// <summary>Takes up what has changed and judges, the newest day first, until it is time to look for news; for those who wait, until nothing is left.</summary>
    private async Task PassAsync(CancellationToken cancellationToken)
    {
        List<TaskCompletionSource> asking;
        lock (_waitersGate)
        {
            (asking, _waiters) = (_waiters, []);
        }

        try
        {
            await TakeUpAsync(asking.Count > 0, cancellationToken).ConfigureAwait(false);
            while (_pending.Count > 0 && (asking.Count > 0 || Now - _takenUpAt < _options.Every))
            {
                var began = _time.GetTimestamp();
                await ChunkAsync(began, cancellationToken).ConfigureAwait(false);
                await RestAsync(_time.GetElapsedTime(began), cancellationToken).ConfigureAwait(false);
                if (Now - _cursorStoredAt >= CursorEvery)
                {
                    await StoreCursorAsync(cancellationToken).ConfigureAwait(false);
                }
            }

            if (Now - _cursorStoredAt >= CursorEvery)
            {
                await StoreCursorAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            // They wait for the next try.
            lock (_waitersGate)
            {
                _waiters.AddRange(asking);
            }

            throw;
        }

        foreach (var waiter in asking)
        {
            waiter.TrySetResult();
        }
    }

    private async Task TakeUpAsync(bool isAsked, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _stationsChanged, 0) == 1)
        {
            try
            {
                TakeUpMoves(await _places.ReadAsync(cancellationToken).ConfigureAwait(false));
            }
            catch
            {
                Volatile.Write(ref _stationsChanged, 1);
                throw;
            }

            _notes.PutBack(_unresolved);
            _unresolved = new Spans(1, Instants.PerDay);
        }

        _takenUpAt = Now;
        if (Interlocked.Exchange(ref _declared, 0) == 1)
        {
            try
            {
                await TakeUpDeclarationsAsync(cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                Volatile.Write(ref _declared, 1);
                throw;
            }
        }

        var known = _notes.Commit;
        if (isAsked && _series.LastCommit > known)
        {
            // Somebody waits for a commit that nobody has told us about yet.
            var last = _series.LastCommit;
            _notes.Add(await _series.ChangedSinceAsync(known, cancellationToken).ConfigureAwait(false), last);
        }

        var (changes, commit) = _notes.Take();
        _source.Forget();
        foreach (var (datastream, from, to) in changes.All)
        {
            Affect(datastream, from, to);
        }

        _isPendingStored &= changes.Count == 0;
        Volatile.Write(ref _takenUp, Math.Max(_takenUp, commit));
        Volatile.Write(ref _pendingDatastreams, _pending.Count);
    }

    /// <summary>All days that a new declaration is valid for; the mark is taken away when they are stored as pending.</summary>
    private async Task TakeUpDeclarationsAsync(CancellationToken cancellationToken)
    {
        await using var db = await _contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Declarations.Where(row => row.Untaken).ToListAsync(cancellationToken).ConfigureAwait(false);
        if (rows.Count == 0)
        {
            return;
        }

        var earliest = await _series.ChangedSinceAsync(0, cancellationToken).ConfigureAwait(false);
        foreach (var row in rows)
        {
            foreach (var stream in _places.Of(row.Municipality, row.Property))
            {
                if (earliest.TryGetValue(stream.Id, out var first))
                {
                    Judge(stream.Id, Math.Max(Instants.Micros(first), Instants.Micros(row.From)), long.MaxValue, 0);
                }
            }

            // Whoever declared it may not have come to tell it yet.
            _parameters.Add([row.ToDeclaration()]);
            row.Untaken = false;
        }

        await StorePendingAsync(db, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Days whose verdicts may depend on observations with from &lt;= time &lt;= to of a datastream.</summary>
    private void Affect(int datastream, long from, long to)
    {
        if (!_stations.TryGetDatastream(datastream, out var stream))
        {
            _unresolved.Add(datastream, from, to);
            return;
        }

        var municipality = stream.Station.Municipality;
        var history = _parameters.Of(municipality, stream.Quantity.Id);
        var drift = Math.Max(0, history.DriftDays - 1);
        Judge(datastream, from - history.OwnReach, to + history.OwnReach, drift);
        if (history.SpikeReach > 0)
        {
            foreach (var other in _places.Witnessed(stream, history.SpikeMetres, from - history.SpikeReach, to + history.SpikeReach))
            {
                Judge(other.Id, from - history.SpikeReach, to + history.SpikeReach, 0);
            }
        }

        foreach (var other in _places.Moistened(stream))
        {
            var reach = _parameters.Of(municipality, other.Quantity.Id).HumidityReach;
            if (reach > 0)
            {
                Judge(other.Id, from - reach, to + reach, 0);
            }
        }

        if (history.References.Contains(stream.Station.Slug))
        {
            foreach (var other in _places.Of(municipality, stream.Quantity.Id))
            {
                Judge(other.Id, from, to, drift);
            }
        }
    }

    /// <summary>No day after the newest observation has anything to judge.</summary>
    private void Judge(int datastream, long from, long to, int daysAfter)
    {
        if (_series.TryGetLatest(datastream, out var latest))
        {
            var last = Instants.Day(Instants.Micros(latest.PhenomenonTime));
            var (first, end) = (Instants.Day(Math.Max(from, Instants.Micros(Instants.Earliest))), Math.Min(last, Instants.Day(Math.Min(to, Instants.Micros(Instants.Latest))) + daysAfter));
            if (first <= end)
            {
                _pending.Add(datastream, first, end);
                _isPendingStored = false;
            }
        }
    }

    private async Task ChunkAsync(long began, CancellationToken cancellationToken)
    {
        // From reading to storing nobody takes findings away; what was read before somebody did is forgotten.
        using var turn = await _turn.TakeAsync(cancellationToken).ConfigureAwait(false);
        if (_removalsSeen != _turn.Removals)
        {
            _removalsSeen = _turn.Removals;
            _source.Forget();
        }

        var (number, datastreams) = _pending.Last(ChunkCount);
        var day = (int)number;
        var (begin, end) = (Instants.Begin(day), Instants.Begin(day + 1));
        var judged = new Dictionary<int, List<Finding>>();
        var isEmpty = _series.HeldWithin(Instants.Time(begin), Instants.Time(end)) == TimeSpan.Zero;
        var count = 0;
        foreach (var datastream in datastreams.TakeWhile(_ => count == 0 || _time.GetElapsedTime(began) < ChunkWork))
        {
            count++;
            var found = new List<Finding>();
            if (!isEmpty && _stations.TryGetDatastream(datastream, out var stream))
            {
                try
                {
                    var segments = _parameters.Of(stream.Station.Municipality, stream.Quantity.Id).Within(begin, end);
                    (found, var dropped, var observations) = await DayJudge.JudgeAsync(_places.On(stream, day), day, segments, _source, cancellationToken).ConfigureAwait(false);
                    _instruments.Judged(observations);
                    if (dropped > 0)
                    {
                        _instruments.Refused("day", dropped);
                    }
                }
                catch (TooDenseException)
                {
                    _instruments.Skipped();
                    _log.TooDense(datastream, DateOnly.FromDateTime(Instants.Time(begin)), SeriesSource.DayObservationsMax);
                }
            }

            if (found.Count > 0 || _findings.Any(datastream, day))
            {
                judged[datastream] = found;
            }
        }

        if (judged.Count > 0)
        {
            await StoreAsync(day, judged, cancellationToken).ConfigureAwait(false);
        }

        foreach (var datastream in datastreams.Take(count))
        {
            _pending.RemoveLast(datastream, number);
        }

        _isPendingStored = false;
        Volatile.Write(ref _pendingDatastreams, _pending.Count);
    }

    /// <summary>Stores what came out differently, and only then takes it over into memory. A finding that came out the same keeps its number.</summary>
    private async Task StoreAsync(int day, Dictionary<int, List<Finding>> judged, CancellationToken cancellationToken)
    {
        await using var db = await _contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        List<int> known = [.. judged.Keys.Where(datastream => _findings.Any(datastream, day))];
        var rows = known.Count == 0 ? [] : await db.Findings.Where(row => row.Day == day && known.Contains(row.Datastream)).ToListAsync(cancellationToken).ConfigureAwait(false);
        var before = rows.ToLookup(row => row.Datastream);
        foreach (var (datastream, found) in judged.ToList())
        {
            var old = before[datastream].ToDictionary(row => row.ToFinding());
            List<Finding> fresh = [.. found.Where(finding => !old.ContainsKey(finding))];
            List<FindingRow> gone = [.. old.Where(entry => !found.Contains(entry.Key)).Select(entry => entry.Value)];
            if (fresh.Count > gone.Count && RefusedBy(datastream, fresh.Count - gone.Count) is { } key)
            {
                // What is true and held stays; what is no longer true goes; there is no room for more.
                _instruments.Refused(key, fresh.Count);
                _log.Refused(datastream, DateOnly.FromDateTime(Instants.Time(Instants.Begin(day))), $"{QualityOptions.Section}:{key}");
                judged[datastream] = [.. found.Where(old.ContainsKey)];
                fresh = [];
            }

            db.Findings.RemoveRange(gone);
            db.Findings.AddRange(fresh.Select(FindingRow.Of));
            gone.ForEach(row => _instruments.Withdrawn(row.Check));
            fresh.ForEach(finding => _instruments.Found(finding.Check));
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        foreach (var (datastream, found) in judged)
        {
            _findings.Replace(datastream, day, found);
        }
    }

    private string? RefusedBy(int datastream, int more) =>
        _findings.Count + more > _options.FindingsMax ? nameof(QualityOptions.FindingsMax)
        : _findings.CountOf(datastream) + more > _options.FindingsPerDatastreamMax ? nameof(QualityOptions.FindingsPerDatastreamMax)
        : null;

    private async Task RestAsync(TimeSpan worked, CancellationToken cancellationToken)
    {
        var rest = QualityPace.Rest(worked, _options.ProcessorShare, _series.AppendsWait);
        if (rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task StoreCursorAsync(CancellationToken cancellationToken)
    {
        _cursorStoredAt = Now;
        if (_takenUp > _cursorStored || !_isPendingStored)
        {
            await using var db = await _contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            await StorePendingAsync(db, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What is taken up, and what of it is still to be judged: one is never stored without the other. Changes of datastreams that are not known yet are among the days.</summary>
    private async Task StorePendingAsync(QualityContext db, CancellationToken cancellationToken)
    {
        var (commit, place) = (_takenUp, _placeTakenUp);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await db.Pending.ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        var days = new Spans(DayStretchesMax, 1);
        foreach (var (datastream, from, to) in _pending.All)
        {
            days.Add(datastream, from, to);
        }

        foreach (var (datastream, from, to) in _unresolved.All)
        {
            if (_series.TryGetLatest(datastream, out var latest))
            {
                days.Add(datastream, Instants.Day(from), Instants.Day(Math.Clamp(Instants.Micros(latest.PhenomenonTime), from, to)));
            }
        }

        db.Pending.AddRange(days.All.Select(span => new PendingRow { Datastream = span.Datastream, FromDay = (int)span.From, ToDay = (int)span.To }));
        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await db.Cursors.ExecuteUpdateAsync(set => set.SetProperty(row => row.Commit, commit).SetProperty(row => row.Place, place), cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        (_cursorStored, _isPendingStored) = (commit, true);
    }

    /// <summary>Waits for changes, and then until enough time has passed to take them up together; or for somebody who asks.</summary>
    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        if (_pending.Count > 0)
        {
            return;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var asked = _asked.Reader.WaitToReadAsync(over.Token).AsTask();
        var changed = _changed.Reader.WaitToReadAsync(over.Token).AsTask();
        var isCursorDue = _takenUp > _cursorStored || !_isPendingStored;
        var due = isCursorDue ? Delay(_cursorStoredAt + CursorEvery) : Task.Delay(Timeout.InfiniteTimeSpan, _time, over.Token);
        await Task.WhenAny(asked, changed, due).ConfigureAwait(false);
        if (!asked.IsCompleted && changed.IsCompletedSuccessfully)
        {
            await Task.WhenAny(asked, Delay(_takenUpAt + _options.Every)).ConfigureAwait(false);
        }

        await over.CancelAsync().ConfigureAwait(false);
        _asked.Reader.TryRead(out _);
        _changed.Reader.TryRead(out _);
        cancellationToken.ThrowIfCancellationRequested();

        Task Delay(DateTime until)
        {
            var wait = until - Now;
            return Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, _time, over.Token);
        }
    }
}
