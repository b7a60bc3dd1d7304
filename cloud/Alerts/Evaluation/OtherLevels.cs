using Hub.Cloud.Alerts.Storage;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>What the other levels of a pair's rule say on its datastream: what is stored, and over it what the same pass has found so far of the more serious levels, which come first.</summary>
internal static class OtherLevels
{
    /// <summary>
    /// Whether subscribers believe an alarm of a more serious level active; and whether this pass has told them that the last such alarm is over.
    /// </summary>
    public static (bool IsMasked, bool IsFreed) MaskOf(Pair pair, List<PairOutcome> pass)
    {
        var (masked, before) = (false, false);
        for (var above = pair.Above; above is not null; above = above.Above)
        {
            var outcome = Of(above, pass);
            masked |= (outcome?.Rows.Values ?? above.Rows.Values).Any(row => row.IsBelieved);
            before |= outcome?.WasBelieved ?? false;
        }

        return (masked, before && !masked);
    }

    /// <summary>
    /// Relates what was found of a pair to the other levels: new alarms join the incident of an alarm at the same time; what was covered by an alarm that has changed in this pass is looked at again.
    /// </summary>
    /// <returns>The alarms of more serious levels that may cover what is over and not told.</returns>
    public static async ValueTask<IReadOnlyList<AlarmRow>> RelateAsync(
        AlertsContext db, PairOutcome outcome, List<PairOutcome> pass, Dictionary<string, bool> touched, bool byRule, CancellationToken cancellationToken)
    {
        var pair = outcome.Pair;
        if (!byRule && Above(pair, pass).Any(above => above.Transitions.Any(transition => transition.Kind is TransitionKind.Withdrawn or TransitionKind.Changed or TransitionKind.Ended)))
        {
            await UncoverAsync(db, outcome, Above(pair, pass).SelectMany(above => above.Latest).Min(row => row.StartedAt), touched, cancellationToken).ConfigureAwait(false);
        }

        var joining = touched.Where(one => one.Value).Select(one => outcome.Rows[one.Key]).Where(row => row.Thread == row.Id).ToList();
        var silent = pair.Above is null ? [] : outcome.Rows.Values.Where(row => row is { Unsettled: true, Withdrawn: false, EndedAt: not null, Told: Told.Nothing or Told.Covered }).ToList();
        if (joining.Count + silent.Count == 0)
        {
            return [];
        }

        var some = joining.Concat(silent).ToList();
        var others = await TouchingAsync(db, pair, pass, some.Min(row => row.StartedAt), some.Max(row => row.EndedAt ?? DateTime.MaxValue), cancellationToken).ConfigureAwait(false);
        foreach (var row in joining)
        {
            var first = others.Find(other => other.StartedAt <= (row.EndedAt ?? DateTime.MaxValue) && row.StartedAt <= (other.EndedAt ?? DateTime.MaxValue));
            row.Incident = first?.Incident ?? first?.Thread;
        }

        return others.FindAll(other => other.Level > pair.Level);
    }

    /// <summary>Whether an alarm that is over lies within one of the given. What was hushed up covers nothing: nobody knows of it.</summary>
    public static bool IsCovered(AlarmRow alarm, IReadOnlyList<AlarmRow> covers) =>
        covers.Any(cover => cover.Told != Told.Hushed && cover.StartedAt <= alarm.StartedAt && !(cover.EndedAt < alarm.EndedAt));

    /// <summary>The alarms of other levels that are, in [from, to], in order of start.</summary>
    private static async ValueTask<List<AlarmRow>> TouchingAsync(AlertsContext db, Pair pair, List<PairOutcome> pass, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        var (municipality, rule, _, datastream, _, level) = pair.Origin;
        var stored = await db.Alarms.AsNoTracking()
            .Where(row => row.Municipality == municipality && row.Rule == rule && row.Datastream == datastream && row.Level != level && !row.Withdrawn)
            .Where(row => row.StartedAt <= to && (row.EndedAt == null || row.EndedAt >= from))
            .ToDictionaryAsync(row => row.Id, StringComparer.Ordinal, cancellationToken).ConfigureAwait(false);
        foreach (var row in Above(pair, pass).SelectMany(above => above.Latest))
        {
            stored[row.Id] = row;
        }

        return [.. stored.Values.Where(row => !row.Withdrawn).OrderBy(row => row.StartedAt).ThenBy(row => row.Id, StringComparer.Ordinal)];
    }

    /// <summary>Takes up again what was covered, from an instant on.</summary>
    private static async ValueTask UncoverAsync(AlertsContext db, PairOutcome outcome, DateTime from, Dictionary<string, bool> touched, CancellationToken cancellationToken)
    {
        var (municipality, rule, _, datastream, _, level) = outcome.Pair.Origin;
        var covered = await db.Alarms.AsNoTracking()
            .Where(row => row.Municipality == municipality && row.Rule == rule && row.Datastream == datastream && row.Level == level && !row.Withdrawn)
            .Where(row => row.StartedAt >= from && row.Told == Told.Covered).ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var row in covered.Select(row => outcome.Rows.GetValueOrDefault(row.Id, row)).Where(row => row is { Told: Told.Covered, Unsettled: false }))
        {
            var again = row.Copy();
            again.Unsettled = true;
            outcome.Rows[row.Id] = again;
            touched.TryAdd(row.Id, false);
        }
    }

    private static IEnumerable<PairOutcome> Above(Pair pair, List<PairOutcome> pass)
    {
        for (var above = pair.Above; above is not null; above = above.Above)
        {
            if (Of(above, pass) is { } outcome)
            {
                yield return outcome;
            }
        }
    }

    private static PairOutcome? Of(Pair pair, List<PairOutcome> pass) => pass.FindLast(outcome => outcome.Pair == pair);
}
