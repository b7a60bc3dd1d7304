using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>What an evaluation found, to be taken over into memory once it is stored.</summary>
internal sealed class PairOutcome(Pair pair)
{
    public Pair Pair { get; } = pair;
    public bool Loaded { get; set; } = pair.Loaded;
    public MachineState State { get; set; } = pair.State;
    public DateTime SeenTo { get; set; } = pair.SeenTo;
    public DateTime CheckpointAt { get; set; } = pair.CheckpointAt;
    public CountedTo Counted { get; set; } = pair.Counted;
    public DateTime HeardAt { get; set; } = pair.HeardAt;
    public DateTime? DueAt { get; set; }

    /// <summary>How far the windows of the clock are closed that are made of several datastreams; null for another measure.</summary>
    public AcrossTip? Closes { get; set; }

    /// <summary>See <see cref="AcrossPair.HeardFrom"/>.</summary>
    public DateTime HeardFrom { get; set; } = pair is AcrossPair several ? several.HeardFrom : default;

    /// <summary>Whether subscribers believed an alarm of it active before the pass.</summary>
    public bool WasBelieved { get; set; } = pair.Rows.Values.Any(row => row.IsBelieved);

    public Dictionary<string, AlarmRow> Rows { get; } = new(pair.Rows, StringComparer.Ordinal);
    public List<AlarmRow> Changed { get; } = [];

    /// <summary>What is stored of the alarms that have changed, as they are in the end.</summary>
    public List<AlarmRow> Latest { get; } = [];

    public List<(TransitionKind Kind, Cause Cause)> Transitions { get; } = [];
    public List<NotificationKind> Told { get; } = [];
}

/// <summary>
/// Evaluates one level of a rule on one datastream: goes on from the tip when observations come in order, or runs again from the checkpoint before the earliest change until nothing differs any
/// more. Adds what must be stored to a context; changes nothing in memory.
/// </summary>
internal sealed partial class PairEvaluation(ISeries series, AcrossReader across, AlarmMessages messages, AlertsOptions options, AlertsInstruments instruments)
{
    private static readonly DateTime EndOfTime = DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);

    /// <summary>Evaluates what a note says has changed, and decides what is told.</summary>
    /// <param name="db">Receives the changes; saved by the caller.</param>
    /// <param name="pair">The pair.</param>
    /// <param name="note">What has changed; null: nothing, only decide what is told.</param>
    /// <param name="byRule">Whether a changed rule is the cause.</param>
    /// <param name="now">Processing time, UTC.</param>
    /// <param name="flush">See <see cref="TellingCircumstances.Flush"/>.</param>
    /// <param name="pass">What this pass has found so far and the same transaction will store; of the more serious levels of the rule on the datastream all there is.</param>
    /// <param name="cancellationToken">Ends the evaluation.</param>
    public async ValueTask<PairOutcome> RunAsync(
        AlertsContext db, Pair pair, ChangeNote? note, bool byRule, DateTime now, bool flush, List<PairOutcome> pass, CancellationToken cancellationToken)
    {
        var outcome = new PairOutcome(pair);
        var touched = new Dictionary<string, bool>(StringComparer.Ordinal);
        if (note is not null && pair is AcrossPair several)
        {
            await TakeAsync(db, outcome, several, note, byRule, now, touched, cancellationToken).ConfigureAwait(false);
        }
        else if (note is not null)
        {
            var news = note.From < DateTime.MaxValue;
            outcome.HeardAt = news || !pair.Loaded ? now : pair.HeardAt;
            if (pair.Signal.Measure == Measure.Exceedances)
            {
                await CountAsync(db, outcome, note, byRule, now, touched, cancellationToken).ConfigureAwait(false);
            }
            else if (!pair.Loaded || (news && note.From <= Latest(pair)))
            {
                await RefoldAsync(db, outcome, note, byRule, now, touched, cancellationToken).ConfigureAwait(false);
            }
            else if (news)
            {
                await AdvanceAsync(db, outcome, note, now, touched, cancellationToken).ConfigureAwait(false);
            }
        }

        if (pair.Machine.IsSilence)
        {
            // Only what nobody has heard of for as long: a backlog that is draining is no silence.
            if (note is null && now - outcome.HeardAt > TimeSpan.FromTicks(pair.Rule.WindowTicks))
            {
                await HushAsync(db, outcome, now, touched, cancellationToken).ConfigureAwait(false);
            }

            outcome.DueAt = DueAt(outcome);
        }

        IReadOnlyList<AlarmRow> covers = [];
        var terms = pair.Terms;
        if (pair.IsOneOfSeveral)
        {
            covers = await OtherLevels.RelateAsync(db, outcome, pass, touched, byRule, cancellationToken).ConfigureAwait(false);
            var (isMasked, isFreed) = OtherLevels.MaskOf(pair, pass);
            terms = terms with { IsMasked = isMasked, IsFreed = isFreed };
        }

        Tell(db, outcome, touched, now, flush, terms, covers);
        foreach (var (id, isNew) in touched)
        {
            var row = outcome.Rows[id];
            outcome.Latest.Add(row);
            if (isNew)
            {
                db.Alarms.Add(row);
            }
            else
            {
                db.Alarms.Update(row);
            }
        }

        foreach (var (id, row) in outcome.Rows.ToList())
        {
            if (!row.IsOpen && !row.Unsettled)
            {
                outcome.Rows.Remove(id);
            }
        }

        return outcome;
    }

    /// <summary>
    /// Takes the usual case at once: observations in order on the day of the latest checkpoint that start and end nothing, with no alarm open and nothing to tell. There is nothing to store, so nothing that memory could be
    /// ahead of: should the same note come again, it is found to be known and is run again from the checkpoint. False when it is another case; then nothing was taken.
    /// </summary>
    /// <param name="pair">The pair.</param>
    /// <param name="note">What has changed.</param>
    /// <param name="now">Processing time, UTC.</param>
    public bool TryAdvance(Pair pair, ChangeNote note, DateTime now)
    {
        if (!pair.Loaded || !ReferenceEquals(pair.Signal, Signal.Plain) || pair.Machine.IsSilence || pair.DueAt is not null || pair.Rows.Count > 0
            || !note.CarriesAll || note.From == DateTime.MaxValue || note.From <= Latest(pair) || note.To?.Date != pair.CheckpointAt)
        {
            return false;
        }

        var (machine, state, seenTo, count) = (pair.Machine, pair.State, pair.SeenTo, 0L);
        foreach (ref readonly var observation in note.Carried)
        {
            if (!machine.Takes(observation.Result, observation.Quality))
            {
                continue;
            }

            if (machine.Take(ref state, observation.PhenomenonTime, observation.Result, out _) != Step.Nothing)
            {
                return false;
            }

            (seenTo, count) = (observation.PhenomenonTime, count + 1);
        }

        instruments.Evaluated(count);
        (pair.State, pair.SeenTo, pair.HeardAt) = (state, seenTo, now);
        return true;
    }

    /// <summary>Withdraws every alarm of the given rows; the rule does not concern their datastream any more.</summary>
    public void Withdraw(AlertsContext db, PairOutcome outcome, IEnumerable<AlarmRow> rows, Cause cause, DateTime now)
    {
        var touched = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            Note(db, outcome, new AlarmChange(EpisodeDiff.Withdrawn(row, cause, handOver: false), TransitionKind.Withdrawn, IsNew: false), now, touched);
        }

        Tell(db, outcome, touched, now, flush: true, outcome.Pair.Terms, []);
        foreach (var id in touched.Keys)
        {
            db.Alarms.Update(outcome.Rows[id]);
        }
    }

    private async ValueTask AdvanceAsync(AlertsContext db, PairOutcome outcome, ChangeNote note, DateTime now, Dictionary<string, bool> touched, CancellationToken cancellationToken)
    {
        var pair = outcome.Pair;
        if (note.To is { } last && pair.SeenTo != default && last.Date == pair.CheckpointAt && pair.Signal.IsInWindowOf(pair.SeenTo, last))
        {
            // A window of the clock says nothing before it is over: with a level a second, a day would be read again each second.
            outcome.SeenTo = last;
            return;
        }

        var before = outcome.State;
        var start = new FoldStart(before, outcome.CheckpointAt);
        FoldResult fold;
        if (pair.Signal.IsPlain && note.CarriesAll)
        {
            fold = Fold.Over(pair.Machine, pair.Signal, start, note.Carried);
        }
        else
        {
            // The window is read again: held in memory for every pair, windows would be most of what the hub holds.
            var from = pair.Signal.IsPlain || pair.SeenTo == default ? note.From : Before(pair.SeenTo, pair.Signal.Reach);
            fold = await Fold.RunAsync(
                pair.Machine, pair.Signal, start with { Known = pair.SeenTo == default ? default : pair.SeenTo.AddTicks(1) }, [], null,
                ReadAsync(outcome, from, After(note.To), cancellationToken), cancellationToken).ConfigureAwait(false);
        }

        instruments.Evaluated(fold.Count);
        if (fold.Count == 0)
        {
            return;
        }

        outcome.State = fold.State;
        outcome.SeenTo = fold.SeenTo;
        outcome.CheckpointAt = fold.CheckpointAt;
        outcome.HeardFrom = HeardFrom(fold, outcome.HeardFrom, outcome.HeardFrom);
        if (fold.Checkpoints.Count > 0)
        {
            var rows = await CheckpointsAsync(db, pair, cancellationToken).ConfigureAwait(false);
            Store(db, pair, rows, fold.Checkpoints, now);
        }

        if (fold.Transitions)
        {
            await DiffAsync(db, outcome, before, before.LastAt.AddTicks(1), fold, Cause.Observation, now, touched, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            KeepOpen(outcome, fold.State);
        }
    }

    /// <summary>Peak and last value of an open alarm live in memory: after a restart they come from the observations again.</summary>
    private static void KeepOpen(PairOutcome outcome, in MachineState state)
    {
        if (state.Phase == Phase.Active && outcome.Rows.TryGetValue(EpisodeDiff.IdOf(outcome.Pair.Origin, state.StartedAt), out var open))
        {
            var changed = open.Copy();
            changed.Set(state.Open);
            outcome.Rows[changed.Id] = changed;
            outcome.Changed.Add(changed);
        }
    }

    /// <summary>Runs again from the checkpoint before the earliest change; false when what came after the changes still stands.</summary>
    private async ValueTask<bool> RefoldAsync(
        AlertsContext db, PairOutcome outcome, ChangeNote note, bool byRule, DateTime now, Dictionary<string, bool> touched, CancellationToken cancellationToken)
    {
        var pair = outcome.Pair;
        var rows = await CheckpointsAsync(db, pair, cancellationToken).ConfigureAwait(false);
        if (rows.Count == 0)
        {
            var row = new CheckpointRow { RuleId = pair.Rule.Id, Datastream = pair.Datastream.Id, Level = pair.Level };
            row.Set(new Checkpoint((now - options.Horizon).Date, default));
            db.Checkpoints.Add(row);
            rows.Add(row);
        }

        var known = rows.ConvertAll(row => row.ToCheckpoint());
        if (note.From < known[0].At && !byRule)
        {
            instruments.BeyondHorizon();
            if (pair.Loaded && note.To < known[0].At)
            {
                return false;
            }
        }

        var index = Math.Max(0, known.FindLastIndex(checkpoint => checkpoint.At <= note.From));
        var start = known[index];
        var to = pair.Loaded && note.To is { } last && outcome.Closes is null ? After(last > Latest(pair) ? last : Latest(pair)) : EndOfTime;
        var fold = await Fold.RunAsync(
            pair.Machine, pair.Signal, new FoldStart(start.State, start.At, pair.Signal.IsPlain ? default : start.At), known.GetRange(index + 1, known.Count - index - 1), pair.Loaded ? note.To : null,
            ReadAsync(outcome, Before(start.At, pair.Signal.Reach), to, cancellationToken), cancellationToken).ConfigureAwait(false);
        instruments.Refolded();
        instruments.Evaluated(fold.Count);
        if (fold.Converged is null)
        {
            fold = await StillHushedAsync(db, pair, fold, cancellationToken).ConfigureAwait(false);
            outcome.State = fold.State;
            outcome.SeenTo = fold.SeenTo;
            outcome.CheckpointAt = fold.CheckpointAt;
        }

        outcome.Loaded = true;
        Store(db, pair, rows, fold.Checkpoints, now);
        var cause = byRule ? Cause.RuleChanged : pair.Loaded ? Cause.LateData : Cause.Observation;
        outcome.HeardFrom = HeardFrom(fold, start.State.LastAt == default ? DateTime.MaxValue : start.At, outcome.HeardFrom);
        await DiffAsync(db, outcome, start.State, start.At, fold, cause, now, touched, cancellationToken).ConfigureAwait(false);
        return fold.Converged is null;
    }

    /// <summary>An alarm of silence that is open goes on when what came late changes nothing at the tip: no run over observations can know of it.</summary>
    private static async ValueTask<FoldResult> StillHushedAsync(AlertsContext db, Pair pair, FoldResult fold, CancellationToken cancellationToken)
    {
        var state = fold.State;
        if (!pair.Machine.IsSilence || !pair.Machine.Hush(ref state, EndOfTime))
        {
            return fold;
        }

        var id = EpisodeDiff.IdOf(pair.Origin, state.StartedAt);
        var isOpen = pair.Loaded
            ? pair.Rows.TryGetValue(id, out var row) && row.IsOpen
            : await db.Alarms.AnyAsync(known => known.Id == id && known.EndedAt == null && !known.Withdrawn, cancellationToken).ConfigureAwait(false);
        return isOpen ? fold with { State = state, Episodes = [.. fold.Episodes, state.Open] } : fold;
    }

    private static async ValueTask HushAsync(AlertsContext db, PairOutcome outcome, DateTime now, Dictionary<string, bool> touched, CancellationToken cancellationToken)
    {
        var before = outcome.State;
        var state = before;
        if (outcome.Pair.Machine.Hush(ref state, now))
        {
            outcome.State = state;
            var fold = new FoldResult(state, [state.Open], [], outcome.CheckpointAt, null, 0, outcome.SeenTo, Transitions: true);
            await DiffAsync(db, outcome, before, before.LastAt.AddTicks(1), fold, Cause.Silence, now, touched, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>When silence may have lasted long enough, processing time; null when it is known already, or nothing ever came.</summary>
    private static DateTime? DueAt(PairOutcome outcome)
    {
        var (machine, state) = (outcome.Pair.Machine, outcome.State);
        if (state.Phase == Phase.Active || state.LastAt == default)
        {
            return null;
        }

        var (byEvents, byNews) = (machine.HeardTo(state) + machine.Silence, outcome.HeardAt + TimeSpan.FromTicks(outcome.Pair.Rule.WindowTicks));
        return (byEvents > byNews ? byEvents : byNews).AddTicks(1);
    }

    private static async ValueTask DiffAsync(
        AlertsContext db, PairOutcome outcome, MachineState before, DateTime from, FoldResult fold, Cause cause, DateTime now, Dictionary<string, bool> touched, CancellationToken cancellationToken)
    {
        var pair = outcome.Pair;
        var (municipality, rule, _, datastream, _, level) = pair.Origin;
        var carried = before.Phase == Phase.Active ? before.StartedAt : from;
        var to = fold.Converged?.At ?? EndOfTime;
        if (pair.Machine.IsSilence)
        {
            // Silence belongs to the observation before it, on whichever side of a checkpoint it began.
            from = before.LastAt != default && before.LastAt < from ? before.LastAt.AddTicks(1) : from;
            to = fold.Converged?.State.LastAt.AddTicks(1) ?? EndOfTime;
        }

        var whole = !pair.Loaded;
        var stored = await db.Alarms.AsNoTracking()
            .Where(row => row.Municipality == municipality && row.Rule == rule && row.Datastream == datastream && row.Level == level)
            .Where(row => (row.StartedAt >= from && row.StartedAt < to) || row.StartedAt == carried || (whole && (row.Unsettled || row.EndedAt == null)))
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < stored.Count; i++)
        {
            stored[i] = outcome.Rows.GetValueOrDefault(stored[i].Id, stored[i]);
            if (whole)
            {
                outcome.Rows.TryAdd(stored[i].Id, stored[i]);
                outcome.WasBelieved |= stored[i].IsBelieved;
            }
        }

        // What is open where the run met the known history goes on as it is known; so does what ended before the stretch.
        var meets = fold.Converged is { State.Phase: Phase.Active } met ? met.State.StartedAt : (DateTime?)null;
        var compared = stored.Where(row => row.StartedAt != meets && (row.StartedAt >= from || row.StartedAt == carried || row.IsOpen));
        var pastBefore = now - pair.Terms.StaleAfter - pair.Datastream.Period;
        foreach (var change in EpisodeDiff.Compare(pair.Origin, compared, fold.Episodes, now, pastBefore, cause))
        {
            Note(db, outcome, change, now, touched);
        }

        // Peak and last value of an open alarm live in memory and may be ahead of what is stored: when the rule is evaluated anew, what comes out counts, even where it is what was stored.
        if (whole && cause == Cause.RuleChanged && fold.State.Phase == Phase.Active && outcome.Rows.TryGetValue(EpisodeDiff.IdOf(pair.Origin, fold.State.StartedAt), out var open) && !outcome.Changed.Contains(open))
        {
            outcome.Changed.Add(open);
        }
    }

    private static void Note(AlertsContext db, PairOutcome outcome, AlarmChange change, DateTime now, Dictionary<string, bool> touched)
    {
        var row = change.Row;
        var before = outcome.Rows.GetValueOrDefault(row.Id);
        outcome.Rows[row.Id] = row;
        outcome.Changed.Add(row);
        touched[row.Id] = change.IsNew;
        if (change.Kind == TransitionKind.Changed && before is { EndedAt: null } && row.EndedAt is null && before.ConditionAt == row.ConditionAt)
        {
            // Only the peak or the latest value of an open alarm: news, but no transition.
            return;
        }

        outcome.Transitions.Add((change.Kind, row.Cause));
        db.Transitions.Add(new TransitionRow
        {
            Alarm = row.Id,
            Kind = change.Kind,
            Cause = row.Cause,
            EventAt = change.Kind == TransitionKind.Ended ? row.EndedAt!.Value : row.StartedAt,
            ProcessedAt = now,
        });
        if (change is { Kind: TransitionKind.Found, Row.EndedAt: { } endedAt })
        {
            outcome.Transitions.Add((TransitionKind.Ended, row.Cause));
            db.Transitions.Add(new TransitionRow { Alarm = row.Id, Kind = TransitionKind.Ended, Cause = row.Cause, EventAt = endedAt, ProcessedAt = now });
        }
    }

    private void Tell(AlertsContext db, PairOutcome outcome, Dictionary<string, bool> touched, DateTime now, bool flush, TellingTerms terms, IReadOnlyList<AlarmRow> covers)
    {
        var pair = outcome.Pair;
        var period = pair.Datastream.Period;

        // Silence reaches the present as long as it lasts; of a measure over a window the latest observation does, not the latest window.
        var dataTo = pair.Machine.IsSilence && outcome.State.Phase == Phase.Active ? now : (outcome.SeenTo > outcome.State.LastAt ? outcome.SeenTo : outcome.State.LastAt) + period;
        var circumstances = new TellingCircumstances(now, dataTo, period, now - outcome.HeardAt, flush, pair.Rule.SavedAt);
        foreach (var id in outcome.Rows.Keys.ToList())
        {
            var row = outcome.Rows[id];
            for (var isFreed = terms.IsFreed; row.Unsettled || (row.IsOpen && (row.Told != Told.Started || isFreed)); isFreed = false)
            {
                var isCovered = row is { Told: Told.Nothing or Told.Covered, Withdrawn: false, EndedAt: not null } && OtherLevels.IsCovered(row, covers);
                var decision = isCovered ? TellingDecision.HushUp : Telling.Decide(row, circumstances, terms with { IsFreed = isFreed });
                if (decision.Hold)
                {
                    break;
                }

                if (decision.Wait is { } wait)
                {
                    var at = now + wait;
                    outcome.DueAt = outcome.DueAt < at ? outcome.DueAt : at;
                    break;
                }

                if (decision == TellingDecision.Settled && !row.Unsettled)
                {
                    break;
                }

                row = row.Copy();
                outcome.Rows[id] = row;
                touched.TryAdd(id, false);
                if (decision.Tell is { } kind)
                {
                    var message = messages.Write(row, pair, kind);
                    db.Transitions.Add(new TransitionRow
                    {
                        Alarm = row.Id,
                        Kind = TransitionKind.Told,
                        Cause = row.Cause,
                        EventAt = row.EndedAt ?? row.StartedAt,
                        ProcessedAt = now,
                        Key = message.Key,
                        Message = AlarmMessages.ToJson(message),
                    });
                    outcome.Told.Add(kind);
                    row.ToldCount++;
                }

                TakeAsTold(row, decision, isCovered);
                row.Unsettled = decision.Tell is not null;
            }
        }
    }

    private static void TakeAsTold(AlarmRow row, TellingDecision decision, bool isCovered)
    {
        if (decision == TellingDecision.Settled)
        {
            return;
        }

        row.Told = decision.Tell switch
        {
            null when row.Told is Told.Nothing or Told.Covered => isCovered ? Told.Covered : Told.Hushed,
            null or NotificationKind.Corrected => row.Withdrawn ? Told.Withdrawn : row.EndedAt is null ? Told.Started : Told.Ended,
            NotificationKind.Started => Told.Started,
            NotificationKind.Ended => Told.Ended,
            _ => Told.Past,
        };
        (row.ToldConditionAt, row.ToldStartedAt, row.ToldEndedAt, row.ToldPeak) = (row.ConditionAt, row.StartedAt, row.EndedAt, row.Peak);
    }

    private static Task<List<CheckpointRow>> CheckpointsAsync(AlertsContext db, Pair pair, CancellationToken cancellationToken)
    {
        var (rule, datastream, level) = (pair.Rule.Id, pair.Datastream.Id, pair.Level);
        return db.Checkpoints.Where(row => row.RuleId == rule && row.Datastream == datastream && row.Level == level).OrderBy(row => row.At).ToListAsync(cancellationToken);
    }

    /// <summary>Stores new and changed checkpoints and forgets those that are not needed to reach back over the horizon.</summary>
    private void Store(AlertsContext db, Pair pair, List<CheckpointRow> rows, IReadOnlyList<Checkpoint> checkpoints, DateTime now)
    {
        foreach (var checkpoint in checkpoints)
        {
            var row = rows.Find(known => known.At == checkpoint.At);
            if (row is null)
            {
                row = new CheckpointRow { RuleId = pair.Rule.Id, Datastream = pair.Datastream.Id, Level = pair.Level };
                row.Set(checkpoint);
                db.Checkpoints.Add(row);
                rows.Add(row);
            }
            else
            {
                row.Set(checkpoint);
            }
        }

        var horizon = (now - options.Horizon).Date;
        rows.Sort((one, other) => one.At.CompareTo(other.At));
        var keepFrom = rows.FindLastIndex(row => row.At <= horizon);
        for (var i = 0; i < keepFrom; i++)
        {
            db.Checkpoints.Remove(rows[i]);
        }
    }

    private static DateTime Latest(Pair pair) => pair.SeenTo > pair.State.LastAt ? pair.SeenTo : pair.State.LastAt;

    private static DateTime Before(DateTime at, TimeSpan reach) => at - DateTime.UnixEpoch > reach ? at - reach : at;

    private static DateTime After(DateTime? at) => at is { } known && known < EndOfTime.AddDays(-1) ? known.AddMicroseconds(1) : EndOfTime;
}
