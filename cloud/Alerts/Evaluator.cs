using System.Threading.Channels;
using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Alerts.Handling;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Alerts;

/// <summary>
/// Hears what is committed to the series and keeps the alarm history true to it: one worker evaluates what has changed, stores the outcome together with the messages it calls for,
/// takes it over into memory, and hands the messages to Notifications.
/// </summary>
internal sealed partial class Evaluator(
    ISeries series,
    IStations stations,
    PlaceBook places,
    INotifications notifications,
    IMunicipalityDirectory municipalities,
    IDbContextFactory<AlertsContext> contexts,
    AlarmBook book,
    HandlingBook handling,
    TimeProvider time,
    IOptions<AlertsOptions> options,
    AlertsInstruments instruments,
    ILogger<Evaluator> logger) : BackgroundService, ISeriesObserver
{
    /// <summary>Datastreams evaluated in one transaction.</summary>
    private const int ChunkCount = 128;

    /// <summary>Messages handed over between two marks.</summary>
    private const int HandCount = 64;

    /// <summary>Longest time for which the cursor lags what has been evaluated: after a crash so much is evaluated again.</summary>
    private static readonly TimeSpan CursorEvery = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan WaitMax = TimeSpan.FromDays(1);
    private static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(30);

    private readonly ChangeNotes notes = new();
    private readonly Dictionary<int, DateTime> unresolved = [];

    // Whether datastreams are stored that the cursor waits for no longer.
    private bool givenUp;
    private readonly PairBook pairs = new(stations, places, municipalities, options.Value);
    // What was stored, without the flags found since: an alarm must not depend on whether they were found before or after it was evaluated.
    private readonly WindowMeans means = new(series.Stored(), options.Value.IgnoreQuality);
    private readonly AlarmMessages messages = new(municipalities);
    private PairEvaluation? made;
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private Task<bool>? woken;
    private int stationsChanged;
    private bool stationsUnheeded;
    private Dictionary<int, Station> tagsHeeded = [];
    private IReadOnlyDictionary<int, StationLocation[]> movesHeeded = new Dictionary<int, StationLocation[]>();
    private bool unhanded = true;
    private int suppressionsHeeded;
    private bool parentsChanged = true;
    private IReadOnlyList<RuleRow> rulesHeeded = [];
    private long evaluated;
    private long cursorStored;
    private DateTime cursorStoredAt;
    private (long Commit, DateTime Since)? held;

    /// <inheritdoc/>
    public void OnCommitted(SeriesCommit commit)
    {
        notes.Add(commit);
        Wake();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        book.Woken += Wake;
        stations.Changed += OnStationsChanged;
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
#pragma warning disable CA1031 // Whatever it is (database busy, disk full, store away): nothing was taken over, and the same work is tried again.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    instruments.Failed();
                    EvaluatorLog.PassFailed(logger, exception, retry);
                    await Task.Delay(retry, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    retry = retry * 2 < RetryMax ? retry * 2 : RetryMax;
                }
            }
        }
        finally
        {
            subscription?.Dispose();
            stations.Changed -= OnStationsChanged;
            book.Woken -= Wake;
        }

        if (CursorTo > cursorStored)
        {
            await using var db = await contexts.CreateDbContextAsync(CancellationToken.None).ConfigureAwait(false);
            await StoreCursorAsync(db, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private void Wake() => wake.Writer.TryWrite(true);

    private void OnStationsChanged()
    {
        Volatile.Write(ref stationsChanged, 1);
        Wake();
    }

    /// <summary>Finds out what was committed but not evaluated, and what was open or not settled, when the hub stopped.</summary>
    private async Task<IDisposable> OpenAsync(CancellationToken cancellationToken)
    {
        var commit = 0L;
        await LockedAsync(async () => commit = await LoadAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        var subscription = series.Subscribe(this);
        try
        {
            var last = series.LastCommit;
            notes.Add(await series.ChangedSinceAsync(commit, cancellationToken).ConfigureAwait(false), last);
            (evaluated, cursorStored, cursorStoredAt) = (commit, commit, Now);
            EvaluatorLog.Started(logger, book.RuleRows.Count, book.ActiveCount, commit, last);
            return subscription;
        }
        catch
        {
            subscription.Dispose();
            throw;
        }
    }

    private async Task<long> LoadAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var cursor = await db.Cursors.SingleOrDefaultAsync(cancellationToken).ConfigureAwait(false);
        if (cursor is null)
        {
            cursor = new CursorRow { Id = 1, Settings = options.Value.HistoryKey };
            db.Cursors.Add(cursor);
        }
        else if (cursor.Settings != options.Value.HistoryKey)
        {
            EvaluatorLog.SettingsChanged(logger);
            cursor.Settings = options.Value.HistoryKey;
            await ReevaluateAllAsync(db, cancellationToken).ConfigureAwait(false);
        }

        if (cursor.Commit > series.LastCommit)
        {
            // A backup holds the series as they were a moment before the database: their next commits have numbers that were evaluated already, with another content.
            EvaluatorLog.SeriesOlder(logger, cursor.Commit, series.LastCommit);
            cursor.Commit = series.LastCommit;
            await ReevaluateAllAsync(db, cancellationToken).ConfigureAwait(false);
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await book.LoadAsync(cancellationToken).ConfigureAwait(false);
        await places.RefreshAsync(cancellationToken).ConfigureAwait(false);
        movesHeeded = places.Moved;
        await handling.LoadAsync(cancellationToken).ConfigureAwait(false);
        var unfinished = await db.Alarms.Where(row => row.Unsettled || (row.EndedAt == null && !row.Withdrawn))
            .Select(row => row.Datastream).Distinct().ToListAsync(cancellationToken).ConfigureAwait(false);
        notes.Add(unfinished.ToDictionary(datastream => datastream, _ => DateTime.MaxValue), 0);

        foreach (var row in await db.Unknown.AsNoTracking().ToListAsync(cancellationToken).ConfigureAwait(false))
        {
            (unresolved[row.Datastream], givenUp, stationsUnheeded) = (row.From, true, true);
        }

        pairs.Use(book.RuleRows);
        await HeedTagsAtStartAsync(db, cancellationToken).ConfigureAwait(false);

        // Of silence nothing tells but the clock: who may fall silent must be known. And who got a tag while the hub was off.
        var listened = book.RuleRows.Where(rule => rule.Enabled && (rule.Measure.IsSilence() || rule.Tag is not null)).SelectMany(pairs.Concerned).Select(datastream => datastream.Id).Distinct();
        notes.Add(listened.ToDictionary(datastream => datastream, _ => DateTime.MaxValue), 0);
        return cursor.Commit;
    }

    private static async Task ReevaluateAllAsync(AlertsContext db, CancellationToken cancellationToken)
    {
        foreach (var rule in await db.Rules.ToListAsync(cancellationToken).ConfigureAwait(false))
        {
            rule.Reevaluate = true;
        }
    }

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    private PairEvaluation Evaluation => made ??= new(series.Stored(), new AcrossReader(series.Stored(), places, means), messages, options.Value, instruments);

    /// <summary>Evaluates everything noted so far, tells what is due, and hands it over.</summary>
    private async Task PassAsync(CancellationToken cancellationToken)
    {
        // Whoever asks while this pass runs may have changed a rule that it has not seen: that is for the next one.
        var asking = book.WaitersUpTo(long.MaxValue);
        await LockedAsync(() => handling.EndAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        stationsUnheeded |= Interlocked.Exchange(ref stationsChanged, 0) == 1;
        if (book.RuleRows.Any(rule => (rule.Area.Length > 0 || rule.Measure == Measure.DifferenceToNeighbours) && (rule.Reevaluate || stationsUnheeded)))
        {
            await places.RefreshAsync(cancellationToken).ConfigureAwait(false);
        }

        foreach (var rule in book.RuleRows.Where(rule => rule.Reevaluate).ToList())
        {
            await LockedAsync(() => ReevaluateAsync(rule, null, cancellationToken), cancellationToken).ConfigureAwait(false);
        }

        if (stationsUnheeded)
        {
            pairs.Use(book.RuleRows);
            var (joined, lost) = pairs.HeedStations();
            notes.Add(await FirstOfAsync(joined, cancellationToken).ConfigureAwait(false), 0);
            foreach (var rule in lost)
            {
                await LockedAsync(() => ReevaluateAsync(rule, StationsOf(rule), cancellationToken), cancellationToken).ConfigureAwait(false);
            }
            await HeedTagsAsync(cancellationToken).ConfigureAwait(false);
        }

        // What was before a move stays as it was: each observation is judged by where its station was then.
        var moved = places.Moved;
        if (places.MovedSince(movesHeeded) is { Count: > 0 } at)
        {
            foreach (var rule in book.RuleRows.Where(rule => rule is { Enabled: true } and ({ Area.Length: > 0 } or { Measure: Measure.DifferenceToNeighbours })).ToList())
            {
                // Who has moved is another neighbour to all.
                await LockedAsync(() => ReevaluateAsync(rule, rule.Measure == Measure.DifferenceToNeighbours ? StationsOf(rule) : at, cancellationToken), cancellationToken).ConfigureAwait(false);
            }

            movesHeeded = moved;
        }

        if (stationsUnheeded && unresolved.Count > 0)
        {
            notes.Add(unresolved, 0);
            unresolved.Clear();
        }

        stationsUnheeded = false;
        var known = notes.Commit;
        if (series.LastCommit > known && asking.Any(waiter => waiter.Commit > known))
        {
            // Somebody waits for a commit that nobody has told us about yet.
            var last = series.LastCommit;
            notes.Add(await series.ChangedSinceAsync(known, cancellationToken).ConfigureAwait(false), last);
        }

        var (taken, commit) = notes.Take();
        var left = new Queue<KeyValuePair<int, ChangeNote>[]>(taken.OrderBy(note => note.Value.From).Chunk(ChunkCount));
        try
        {
            while (left.TryPeek(out var chunk))
            {
                await LockedAsync(() => EvaluateAsync(chunk, cancellationToken), cancellationToken).ConfigureAwait(false);
                left.Dequeue();
            }
        }
        finally
        {
            notes.PutBack(left.SelectMany(chunk => chunk));
        }

        notes.Return(taken);
        await LockedAsync(() => EvaluateAcrossAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        means.Trim();
        held = unresolved.Count == 0 ? null : held ?? (evaluated, Now);
        evaluated = Math.Max(evaluated, commit);
        var waiters = asking.Where(waiter => waiter.Commit <= evaluated).ToList();
        await LockedAsync(() => TellDueAsync(flush: waiters.Count > 0, cancellationToken), cancellationToken).ConfigureAwait(false);
        await HandAsync(cancellationToken).ConfigureAwait(false);
        if (CursorTo > cursorStored && Now - cursorStoredAt >= CursorEvery)
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            await StoreCursorAsync(db, cancellationToken).ConfigureAwait(false);
        }

        foreach (var waiter in waiters)
        {
            waiter.Done.TrySetResult();
        }
    }

    private async Task EvaluateAsync(KeyValuePair<int, ChangeNote>[] chunk, CancellationToken cancellationToken)
    {
        pairs.Use(book.RuleRows);
        var concerned = new List<(Pair Pair, ChangeNote Note)>();
        var now = Now;
        foreach (var (datastream, note) in chunk)
        {
            if (pairs.Of(datastream) is not { } found)
            {
                unresolved[datastream] = note.From < unresolved.GetValueOrDefault(datastream, DateTime.MaxValue) ? note.From : unresolved.GetValueOrDefault(datastream, DateTime.MaxValue);
                continue;
            }

            means.Forget(datastream, note.From);
            pairs.Reach(datastream, note);
            foreach (var pair in found)
            {
                if (!Evaluation.TryAdvance(pair, note, now))
                {
                    concerned.Add((pair, note));
                }
            }
        }

        // Most of a city's datastreams have no rule, and of most that have one there is nothing to store.
        if (concerned.Count == 0)
        {
            return;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var outcomes = new List<PairOutcome>();
        foreach (var (pair, note) in concerned)
        {
            outcomes.Add(await RunAsync(db, pair, note, byRule: false, now, flush: false, outcomes, cancellationToken).ConfigureAwait(false));
        }

        await StoreAsync(db, outcomes, cancellationToken).ConfigureAwait(false);
    }

    private async Task TellDueAsync(bool flush, CancellationToken cancellationToken)
    {
        pairs.Use(book.RuleRows);
        var now = Now;
        var suppressions = handling.Version;
        var rules = book.RuleRows;
        var all = flush || suppressions != suppressionsHeeded || parentsChanged || !ReferenceEquals(rules, rulesHeeded);
        foreach (var chunk in pairs.DueBy(all ? DateTime.MaxValue : now).Chunk(ChunkCount))
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            var outcomes = new List<PairOutcome>();
            foreach (var pair in chunk.SelectMany(levels => levels))
            {
                outcomes.Add(await RunAsync(db, pair, null, byRule: false, now, flush, outcomes, cancellationToken).ConfigureAwait(false));
            }

            await StoreAsync(db, outcomes, cancellationToken).ConfigureAwait(false);
        }

        // Only when all of it is stored: what fails in between is looked at again.
        (suppressionsHeeded, rulesHeeded, parentsChanged) = (suppressions, rules, false);
    }

    /// <summary>Evaluates a pair under the silence of this moment.</summary>
    private ValueTask<PairOutcome> RunAsync(AlertsContext db, Pair pair, ChangeNote? note, bool byRule, DateTime now, bool flush, List<PairOutcome> pass, CancellationToken cancellationToken)
    {
        var silence = handling.SilenceOf(pair.Rule.Municipality, pair.Rule.Slug, pair.Datastream.Station.Slug, now);
        if (book.ParentOf(pair.Rule, pair.Datastream.Station.Slug) is { } parent)
        {
            // Until the parent's alarm is over, whenever that is.
            silence = new Silence(silence?.From < parent.StartedAt ? silence.Value.From : parent.StartedAt, DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc));
        }

        pair.Terms = pair.Terms with { Silence = silence };
        return Evaluation.RunAsync(db, pair, note, byRule, now, flush, pass, cancellationToken);
    }

    /// <summary>Evaluates a new or changed rule over the horizon, and withdraws what it does not stand behind any more; or an unchanged one at stations that have moved, or have got or lost its tag.</summary>
    private async Task ReevaluateAsync(RuleRow rule, IReadOnlySet<int>? movedStations, CancellationToken cancellationToken)
    {
        pairs.Use(book.RuleRows);
        var now = Now;
        var renewed = pairs.Renew(rule, movedStations);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var ids = movedStations?.SelectMany(stations.DatastreamsOf).Select(datastream => datastream.Id).ToList();
        await db.Checkpoints.Where(row => row.RuleId == rule.Id && (ids == null || ids.Contains(row.Datastream))).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        var changes = 0;
        if (rule.Enabled || rule.Removed)
        {
            // First of all: what is told of a level that is gone masks none that is still there.
            var others = await WithdrawOthersAsync(db, rule, [.. renewed.SelectMany(levels => levels).Select(pair => (pair.Datastream.Id, pair.Level))], movedStations, now, cancellationToken).ConfigureAwait(false);
            changes += others.Sum(outcome => outcome.Transitions.Count);
            await StoreAsync(db, others, cancellationToken).ConfigureAwait(false);
        }

        foreach (var chunk in renewed.Chunk(ChunkCount))
        {
            await using var part = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            var outcomes = new List<PairOutcome>();
            foreach (var pair in chunk.SelectMany(levels => levels))
            {
                var everything = new ChangeNote();
                everything.AddFrom(DateTime.MinValue);
                outcomes.Add(await RunAsync(part, pair, everything, byRule: true, now, flush: false, outcomes, cancellationToken).ConfigureAwait(false));
            }

            changes += outcomes.Sum(outcome => outcome.Transitions.Count);
            await StoreAsync(part, outcomes, cancellationToken).ConfigureAwait(false);
        }

        if (rule.Removed)
        {
            // What ended and was not told yet stays untold: nobody asks for it any more.
            await db.Alarms.Where(row => row.Municipality == rule.Municipality && row.Rule == rule.Slug && row.Unsettled)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.Unsettled, false), cancellationToken).ConfigureAwait(false);
        }

        var same = db.Rules.Where(row => row.Id == rule.Id && row.Version == rule.Version);
        _ = rule.Removed
            ? await same.ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false)
            : await same.ExecuteUpdateAsync(set => set.SetProperty(row => row.Reevaluate, false), cancellationToken).ConfigureAwait(false);
        await book.ReadRulesAsync(db, cancellationToken).ConfigureAwait(false);
        pairs.Use(book.RuleRows);
        EvaluatorLog.RuleEvaluated(logger, rule.Municipality, rule.Slug, renewed.Count, changes);
    }

    /// <summary>Withdraws the rule's alarms of levels it does not have, or on datastreams it does not concern, any more: of a removed rule the open ones, of a changed one all of the horizon; where only stations have moved, the open ones there.</summary>
    private async Task<List<PairOutcome>> WithdrawOthersAsync(AlertsContext db, RuleRow rule, HashSet<(int Datastream, byte Level)> concerned, IReadOnlySet<int>? movedStations, DateTime now, CancellationToken cancellationToken)
    {
        var (horizon, all) = ((now - options.Value.Horizon).Date, !rule.Removed && movedStations is null);
        var rows = await db.Alarms.AsNoTracking()
            .Where(row => row.Municipality == rule.Municipality && row.Rule == rule.Slug && !row.Withdrawn && (row.EndedAt == null || (all && row.StartedAt >= horizon)))
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        var outcomes = new List<PairOutcome>();
        foreach (var group in rows.GroupBy(row => (row.Datastream, row.Level)).Where(group => !concerned.Contains(group.Key)).OrderBy(group => group.Key.Datastream).ThenByDescending(group => group.Key.Level))
        {
            var said = group.First();
            if (movedStations is not null && !(stations.TryGetDatastream(said.Datastream, out var there) && movedStations.Contains(there.Station.Id)))
            {
                continue;
            }

            var outcome = new PairOutcome(pairs.Loose(rule, stations.TryGetDatastream(said.Datastream, out var known) ? known : Unknown(rule, said), said));
            Evaluation.Withdraw(db, outcome, group, rule.Removed ? Cause.RuleRemoved : Cause.RuleChanged, now);
            outcomes.Add(outcome);
        }

        return outcomes;
    }

    /// <summary>Stands for a datastream that Stations has forgotten, so that its alarms can still be withdrawn.</summary>
    private static Datastream Unknown(RuleRow rule, AlarmRow alarm) => new(
        alarm.Datastream,
        new Station(0, alarm.Municipality, alarm.Station, alarm.Station, 0, 0, Public: false, ""),
        "",
        QuantityCatalogue.TryGet(rule.Property, out var quantity) ? quantity : new Quantity(rule.Property, rule.Property, rule.Property, "", "", 0, 0, AveragingRule.None, "", ""),
        TimeSpan.Zero);

    /// <summary>Stores, and only then takes over into memory.</summary>
    private async Task StoreAsync(AlertsContext db, List<PairOutcome> outcomes, CancellationToken cancellationToken)
    {
        // Without an outcome there is nothing to store, and asking for it would make all that a context needs: for each commit of a hub without rules, a fifth of its work at light load.
        if (outcomes.Count > 0 && db.ChangeTracker.HasChanges())
        {
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        }

        foreach (var outcome in outcomes)
        {
            pairs.Apply(outcome);
            foreach (var (kind, cause) in outcome.Transitions)
            {
                instruments.Changed(kind, cause);
            }

            foreach (var kind in outcome.Told)
            {
                instruments.Told(kind);
                unhanded = true;
            }
        }

        var changed = outcomes.SelectMany(outcome => outcome.Changed).ToList();
        book.Publish(changed);
        parentsChanged |= changed.Count > 0 && book.RuleRows.Any(rule => rule.SuppressedBy.Length > 0 && changed.Exists(row => !row.IsOpen && row.Municipality == rule.Municipality && rule.Parents().Contains(row.Rule)));
    }

    /// <summary>Hands every stored message that is not marked as handed over; after a crash in between, once more under the same key.</summary>
    private async Task HandAsync(CancellationToken cancellationToken)
    {
        unhanded |= book.TakeMessage();
        while (unhanded)
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            var rows = await db.Transitions.Where(row => row.Key != null && row.HandedAt == null).OrderBy(row => row.Id).Take(HandCount).ToListAsync(cancellationToken).ConfigureAwait(false);
            foreach (var row in rows)
            {
                await notifications.EnqueueAsync(AlarmMessages.FromJson(row.Message!), cancellationToken).ConfigureAwait(false);
                row.HandedAt = Now;
            }

            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            instruments.Handed(rows.Count);
            unhanded = rows.Count == HandCount;
        }
    }

    private async Task StoreCursorAsync(AlertsContext db, CancellationToken cancellationToken)
    {
        var commit = CursorTo;
        var given = held is { } hold && commit > hold.Commit;
        if (given || givenUp)
        {
            // In the same transaction: the cursor passes what these datastreams were observed with only when it is written where they wait.
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await db.Unknown.ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
            db.Unknown.AddRange(given ? unresolved.Select(one => new UnknownRow { Datastream = one.Key, From = one.Value }) : []);
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            await db.Cursors.ExecuteUpdateAsync(set => set.SetProperty(row => row.Commit, commit), cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            givenUp = given;
        }
        else
        {
            await db.Cursors.ExecuteUpdateAsync(set => set.SetProperty(row => row.Commit, commit), cancellationToken).ConfigureAwait(false);
        }

        (cursorStored, cursorStoredAt) = (commit, Now);
    }

    private async Task LockedAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        await book.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await work().ConfigureAwait(false);
        }
        finally
        {
            book.Gate.Release();
        }
    }

    /// <summary>Waits for a commit, a changed rule or station, or for the time at which something may have to be told.</summary>
    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // A wait that was not answered is taken up again: to cancel one costs an exception, several a second in a busy city.
        woken ??= wake.Reader.WaitToReadAsync(cancellationToken).AsTask();
        var due = pairs.NextDue;
        if (handling.NextEndAt is { } end && !(due <= end))
        {
            due = end;
        }

        var cursorDue = CursorTo > cursorStored ? cursorStoredAt + CursorEvery : (DateTime?)null;
        var at = due < cursorDue || cursorDue is null ? due : cursorDue;
        if (at is { } instant)
        {
            var wait = instant - Now;
            var delay = Task.Delay(wait <= TimeSpan.Zero ? TimeSpan.Zero : wait < WaitMax ? wait : WaitMax, time, over.Token);

            // The clock may have gone on between the question and the wait.
            if (Now < instant)
            {
                await Task.WhenAny(woken, delay).ConfigureAwait(false);
            }
        }
        else
        {
            await woken.ConfigureAwait(false);
        }

        await over.CancelAsync().ConfigureAwait(false);
        if (woken.IsCompleted)
        {
            woken = null;
            wake.Reader.TryRead(out _);
        }

        cancellationToken.ThrowIfCancellationRequested();
    }
}
