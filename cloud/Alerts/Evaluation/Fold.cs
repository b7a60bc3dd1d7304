using Hub.Cloud.Series;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>State of a machine before the first observation at or after an instant.</summary>
/// <param name="At">UTC start of a day.</param>
/// <param name="State">State after all observations before it.</param>
internal readonly record struct Checkpoint(DateTime At, MachineState State);

/// <summary>What a run over a stretch of observations found.</summary>
/// <param name="State">State at the end of the run.</param>
/// <param name="Episodes">Episodes that ended in the stretch, and the open one when the run reached the tip, in order of start.</param>
/// <param name="Checkpoints">Checkpoints that are new or have changed.</param>
/// <param name="CheckpointAt">Latest checkpoint passed.</param>
/// <param name="Converged">The checkpoint at which the run met what was known before, so that everything after it still stands; null when it ran to the tip.</param>
/// <param name="Count">Observations taken.</param>
/// <param name="Transitions">Whether an alarm started or ended.</param>
internal sealed record FoldResult(
    MachineState State,
    IReadOnlyList<Episode> Episodes,
    IReadOnlyList<Checkpoint> Checkpoints,
    DateTime CheckpointAt,
    Checkpoint? Converged,
    long Count,
    bool Transitions);

/// <summary>Runs a machine over observations in order of time, from a checkpoint, and notes a checkpoint at the first observation of each UTC day.</summary>
internal static class Fold
{
    /// <summary>Runs to the end of the observations, or to the first checkpoint after the change that comes out as it was.</summary>
    /// <param name="machine">The condition.</param>
    /// <param name="start">State to begin with.</param>
    /// <param name="checkpointAt">Latest checkpoint at or before the first observation.</param>
    /// <param name="later">Known checkpoints after <paramref name="checkpointAt"/>, in order of time.</param>
    /// <param name="changedTo">Latest changed phenomenon time: the run may stop early only after it. Null: never stops early.</param>
    /// <param name="observations">Observations later than <see cref="MachineState.LastAt"/> of the start, in order of time.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    public static async ValueTask<FoldResult> RunAsync(
        AlarmMachine machine,
        MachineState start,
        DateTime checkpointAt,
        IReadOnlyList<Checkpoint> later,
        DateTime? changedTo,
        IAsyncEnumerable<Observation> observations,
        CancellationToken cancellationToken)
    {
        var run = new Run(machine, start, checkpointAt, later, changedTo);
        await foreach (var observation in observations.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (!run.Take(observation))
            {
                break;
            }
        }

        return run.Finish();
    }

    /// <summary>The same over observations at hand.</summary>
    public static FoldResult Over(AlarmMachine machine, MachineState start, DateTime checkpointAt, ReadOnlySpan<Observation> observations)
    {
        var run = new Run(machine, start, checkpointAt, [], null);
        foreach (var observation in observations)
        {
            run.Take(observation);
        }

        return run.Finish();
    }

    private sealed class Run(AlarmMachine machine, MachineState state, DateTime checkpointAt, IReadOnlyList<Checkpoint> later, DateTime? changedTo)
    {
        private readonly List<Episode> episodes = [];
        private readonly List<Checkpoint> changed = [];
        private int next;
        private long count;
        private bool transitions;
        private Checkpoint? converged;

        public bool Take(in Observation observation)
        {
            if (!machine.Takes(observation.Result, observation.Quality))
            {
                return true;
            }

            var at = observation.PhenomenonTime;
            while (next < later.Count && later[next].At <= at)
            {
                var known = later[next++];
                checkpointAt = known.At;
                if (known.State != state)
                {
                    changed.Add(known with { State = state });
                }
                else if (changedTo is { } until && known.At > until)
                {
                    converged = known;
                    return false;
                }
            }

            var day = at.Date;
            if (day > checkpointAt)
            {
                changed.Add(new Checkpoint(day, state));
                checkpointAt = day;
            }

            count++;
            var step = machine.Take(ref state, at, observation.Result, out var ended);
            transitions |= step != Step.Nothing;
            if (step == Step.Ended)
            {
                episodes.Add(ended);
            }

            return true;
        }

        public FoldResult Finish()
        {
            if (converged is null)
            {
                // A correction may have taken the last observations of a day away: what is known after the tip is the state at the tip.
                for (; next < later.Count; next++)
                {
                    checkpointAt = later[next].At;
                    if (later[next].State != state)
                    {
                        changed.Add(later[next] with { State = state });
                    }
                }

                if (state.Phase == Phase.Active)
                {
                    episodes.Add(state.Open);
                }
            }

            return new FoldResult(state, episodes, changed, checkpointAt, converged, count, transitions);
        }
    }
}
