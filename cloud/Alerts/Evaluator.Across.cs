using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Series;

namespace Hub.Cloud.Alerts;

/// <summary>Of the evaluator: rules whose measure needs several datastreams.</summary>
internal sealed partial class Evaluator
{
    /// <summary>Longest time for which the cursor waits for a datastream that Stations do not know: it may never be known.</summary>
    private static readonly TimeSpan HeldMax = TimeSpan.FromHours(1);

    /// <summary>How far evaluation has come, as a start after this moment must know it: before what came of datastreams that are not known yet.</summary>
    private long CursorTo => held is { } hold && Now - hold.Since < HeldMax ? Math.Min(evaluated, hold.Commit) : evaluated;

    /// <summary>Evaluates what was noted for the pairs made of several datastreams, each once for all of them. What fails stays noted.</summary>
    private async Task EvaluateAcrossAsync(CancellationToken cancellationToken)
    {
        pairs.Use(book.RuleRows);
        var now = Now;
        foreach (var chunk in pairs.Reached().Chunk(ChunkCount))
        {
            var concerned = chunk.SelectMany(one => one.Levels.Select(pair => (Pair: (AcrossPair)pair, one.Note))).Where(one => !PairEvaluation.TryAdvance(one.Pair, one.Note, now)).ToList();
            if (concerned.Count > 0)
            {
                await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
                var outcomes = new List<PairOutcome>();
                foreach (var (pair, note) in concerned)
                {
                    outcomes.Add(await RunAsync(db, pair, note, byRule: false, now, flush: false, outcomes, cancellationToken).ConfigureAwait(false));
                }

                await StoreAsync(db, outcomes, cancellationToken).ConfigureAwait(false);
            }

            foreach (var (levels, _) in chunk)
            {
                pairs.Done(levels[0]);
            }
        }
    }

    /// <summary>The first observations of datastreams within the horizon. That they are compared with others is news for what came before they were known, however long ago that was.</summary>
    private async Task<Dictionary<int, DateTime>> FirstOfAsync(IEnumerable<int> datastreams, CancellationToken cancellationToken)
    {
        var first = new Dictionary<int, DateTime>();
        foreach (var datastream in datastreams)
        {
            await foreach (var observation in series.Stored().RangeAsync(datastream, (Now - options.Value.Horizon).Date, DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc), cancellationToken).ConfigureAwait(false))
            {
                first[datastream] = observation.PhenomenonTime;
                break;
            }
        }

        return first;
    }

    private HashSet<int> StationsOf(RuleRow rule) => [.. stations.All.Where(station => station.Municipality == rule.Municipality).Select(station => station.Id)];
}
