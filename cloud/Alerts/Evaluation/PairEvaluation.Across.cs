using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Series;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>Of pairs whose measure needs several datastreams: what has changed there is first put as a change of the one stream that is made of them (<see cref="AcrossReader"/>); the rest is the same.</summary>
internal sealed partial class PairEvaluation
{
    /// <summary>
    /// Takes the usual case at once: observations in order in a window that is still being filled, with nothing to tell. Nothing is made of them yet but that time has come so far. False when it is another case.
    /// </summary>
    public static bool TryAdvance(AcrossPair pair, AcrossNote note, DateTime now)
    {
        if (!pair.Loaded || pair.Group.Clock is not { } clock || pair.DueAt is not null || pair.Rows.Count > 0 || note.From < DateTime.MaxValue || note.Tip is not { } tip
            || pair.SeenTo == default || tip >= clock.Around(pair.SeenTo).End)
        {
            return false;
        }

        (pair.SeenTo, pair.HeardAt) = (tip > pair.SeenTo ? tip : pair.SeenTo, now);
        return true;
    }

    private ValueTask TakeAsync(
        AlertsContext db, PairOutcome outcome, AcrossPair pair, ChangeNote note, bool byRule, DateTime now, Dictionary<string, bool> touched, CancellationToken cancellationToken)
    {
        var isNews = note is AcrossNote several ? several.IsNews : note.From < DateTime.MaxValue;
        outcome.HeardAt = isNews || !pair.Loaded ? now : pair.HeardAt;
        return pair.Group.Clock is { } clock
            ? TakeWindowsAsync(db, outcome, pair, clock, note, byRule, now, touched, cancellationToken)
            : TakeTimesAsync(db, outcome, pair, note, byRule, now, touched, cancellationToken);
    }

    /// <summary>Of a station's silence: an observation in a stretch without silence, or just after it, changes nothing but until when something was heard.</summary>
    private async ValueTask TakeTimesAsync(
        AlertsContext db, PairOutcome outcome, AcrossPair pair, ChangeNote note, bool byRule, DateTime now, Dictionary<string, bool> touched, CancellationToken cancellationToken)
    {
        var state = pair.State;
        var heardTo = pair.Machine.HeardTo(state);
        if (pair.Loaded && state.Phase == Phase.Normal && state.LastAt != default && note is AcrossNote { To: { } to, HeardTo: var noteTo } && note.From < DateTime.MaxValue
            && note.From >= pair.HeardFrom && note.From >= pair.CheckpointAt && to.Date == pair.CheckpointAt && to - heardTo <= pair.Machine.Silence)
        {
            outcome.State = state with { LastAt = to > state.LastAt ? to : state.LastAt, ClearAt = noteTo > heardTo ? noteTo : heardTo };
            outcome.SeenTo = outcome.State.LastAt;
            return;
        }

        if (!pair.Loaded || note.From <= Latest(pair))
        {
            await RefoldAsync(db, outcome, note, byRule, now, touched, cancellationToken).ConfigureAwait(false);
        }
        else if (note.From < DateTime.MaxValue)
        {
            await AdvanceAsync(db, outcome, note, now, touched, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Of windows of the clock: those that were closed and have changed are run again; those that close now come after.</summary>
    private async ValueTask TakeWindowsAsync(
        AlertsContext db, PairOutcome outcome, AcrossPair pair, ClockWindows clock, ChangeNote note, bool byRule, DateTime now, Dictionary<string, bool> touched, CancellationToken cancellationToken)
    {
        var seenTo = pair.SeenTo;
        outcome.Closes = new AcrossTip();
        if (pair.Loaded)
        {
            var tip = note is AcrossNote { Tip: { } latest } ? latest : await across.TipAsync(pair.Group, pair.Datastream, seenTo, EndOfTime, cancellationToken).ConfigureAwait(false);
            outcome.Closes.At = tip > seenTo ? tip : seenTo;
        }

        var isAtTip = false;
        if (!pair.Loaded || note.From < DateTime.MaxValue)
        {
            var points = new ChangeNote();
            if (note.From < DateTime.MaxValue)
            {
                points.AddStretch(clock.Around(note.From).End, note.To is { } to && to < EndOfTime.AddDays(-2) ? clock.Around(to).End : null);
            }

            isAtTip = await RefoldAsync(db, outcome, points, byRule, now, touched, cancellationToken).ConfigureAwait(false);
        }

        var closes = outcome.Closes.At ?? DateTime.MinValue;
        var (known, closed) = (seenTo == default ? DateTime.MinValue : clock.Around(seenTo).Start, closes == DateTime.MinValue ? DateTime.MinValue : clock.Around(closes).Start);
        if (pair.Loaded && !isAtTip && closed > known)
        {
            var points = new ChangeNote();
            points.AddStretch(known < outcome.CheckpointAt ? outcome.CheckpointAt : known.AddTicks(1), null);
            await AdvanceAsync(db, outcome, points, now, touched, cancellationToken).ConfigureAwait(false);
        }

        outcome.SeenTo = closes > seenTo ? closes : seenTo;
    }

    /// <summary>What a pair's machine takes.</summary>
    private IAsyncEnumerable<Observation> ReadAsync(PairOutcome outcome, DateTime from, DateTime to, CancellationToken cancellationToken) => outcome.Pair is AcrossPair pair
        ? across.ReadAsync(pair.Group, pair.Datastream, pair.Signal, from, to, outcome.Closes ?? new AcrossTip(), cancellationToken)
        : series.RangeAsync(outcome.Pair.Datastream.Id, from, to, cancellationToken);

    /// <summary>Since when a run knows that there was no silence: the end of the latest, or its own begin (the end of time when nothing had been heard by then); what was known before when it did not reach the tip.</summary>
    private static DateTime HeardFrom(FoldResult fold, DateTime begin, DateTime known)
    {
        if (fold.Converged is not null)
        {
            return known;
        }

        var from = begin;
        foreach (var episode in fold.Episodes)
        {
            from = episode.EndedAt > from ? episode.EndedAt.Value : from;
        }

        return from;
    }
}
