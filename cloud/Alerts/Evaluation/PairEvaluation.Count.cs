using Hub.Cloud.Alerts.Storage;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>
/// Exceedances have no checkpoints in the database: their counts are functions of whole years, and means of years are read from rollups. What is new in order goes on from the count so far, what comes late from the latest
/// mark in memory before it, and without one the year is counted anew.
/// </summary>
internal sealed partial class PairEvaluation
{
    private async ValueTask CountAsync(AlertsContext db, PairOutcome outcome, ChangeNote note, bool byRule, DateTime now, Dictionary<string, bool> touched, CancellationToken cancellationToken)
    {
        var pair = outcome.Pair;
        if (pair.Loaded && note.From == DateTime.MaxValue)
        {
            return;
        }

        var (before, counted) = (pair.State, pair.Counted);
        var isNext = pair.Loaded && counted.OpenFrom != default && note.From >= counted.OpenFrom;
        if (isNext && note.To < counted.OpenTo)
        {
            // The window that is being filled says nothing yet.
            outcome.SeenTo = note.To > pair.SeenTo ? note.To.Value : pair.SeenTo;
            return;
        }

        var begin = isNext ? counted.OpenFrom : await BeginOfCountAsync(db, outcome, now, cancellationToken).ConfigureAwait(false);
        if (!isNext && !byRule && note.From < begin)
        {
            instruments.BeyondHorizon();
            if (pair.Loaded && note.To < begin)
            {
                return;
            }
        }

        // Up to what is there now, also where it is later than what the note says: the rest is then known when its note comes.
        var end = series.TryGetLatest(pair.Datastream.Id, out var latest) && latest.PhenomenonTime >= begin ? latest.PhenomenonTime.AddTicks(TimeSpan.TicksPerMicrosecond) : begin;
        var run = new ExceedanceRun(series, pair, options.IgnoreQuality);
        if (isNext)
        {
            run = run with { State = before, Counted = counted };
        }
        else if (pair.Loaded && counted.Marks?.LastOrDefault(mark => mark.From <= note.From) is { From: var from } mark && from >= begin)
        {
            // Nothing before it has changed.
            (begin, run) = (from, run with { State = mark.State, Counted = new CountedTo(default, default, mark.Count) { Marks = [.. counted.Marks.Where(known => known.From <= from)] } });
        }

        var (fold, to) = await run.RunAsync(begin, end, cancellationToken).ConfigureAwait(false);
        outcome.Loaded = true;
        instruments.Evaluated(fold.Count);
        (outcome.State, outcome.SeenTo, outcome.Counted) = (fold.State, fold.SeenTo, to);
        if (!isNext)
        {
            instruments.Refolded();
            var cause = byRule ? Cause.RuleChanged : pair.Loaded ? Cause.LateData : Cause.Observation;

            // An alarm that starts when the first window begins is of the one before it.
            await DiffAsync(db, outcome, run.State, begin.AddTicks(1), fold, cause, now, touched, cancellationToken).ConfigureAwait(false);
        }
        else if (fold.Transitions)
        {
            await DiffAsync(db, outcome, before, before.LastAt.AddTicks(1), fold, Cause.Observation, now, touched, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            KeepOpen(outcome, fold.State);
        }
    }

    /// <summary>The begin of the local year that the horizon reaches into, or of an earlier one in which an alarm began that is still open.</summary>
    private async ValueTask<DateTime> BeginOfCountAsync(AlertsContext db, PairOutcome outcome, DateTime now, CancellationToken cancellationToken)
    {
        var pair = outcome.Pair;
        var (municipality, rule, _, datastream, _, level) = pair.Origin;
        var open = pair.Loaded
            ? outcome.Rows.Values.Where(row => row.IsOpen).Select(row => (DateTime?)row.StartedAt).Min()
            : await db.Alarms.AsNoTracking()
                .Where(row => row.Municipality == municipality && row.Rule == rule && row.Datastream == datastream && row.Level == level && row.EndedAt == null && !row.Withdrawn)
                .MinAsync(row => (DateTime?)row.StartedAt, cancellationToken).ConfigureAwait(false);
        var from = now - options.Horizon;

        // An alarm of the last window of a year starts when the year is over: the year is that of the window.
        from = open < from ? open.Value.AddTicks(-1) : from;
        return ExceedanceRun.YearBegin(from, pair.Signal.Zone);
    }
}
