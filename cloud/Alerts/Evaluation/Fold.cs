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
/// <param name="SeenTo">Time of the latest observation taken, those before the begin too; default when there was none.</param>
/// <param name="Transitions">Whether an alarm started or ended.</param>
internal sealed record FoldResult(
    MachineState State,
    IReadOnlyList<Episode> Episodes,
    IReadOnlyList<Checkpoint> Checkpoints,
    DateTime CheckpointAt,
    Checkpoint? Converged,
    long Count,
    DateTime SeenTo,
    bool Transitions);

/// <summary>Where a run begins.</summary>
/// <param name="State">State to begin with.</param>
/// <param name="CheckpointAt">Latest checkpoint at or before the first observation.</param>
/// <param name="Known">Observations before this instant are known to the state and only fill the window of the measure; windows of the clock that had closed by then are known too. Default: none is.</param>
internal readonly record struct FoldStart(MachineState State, DateTime CheckpointAt, DateTime Known = default);

/// <summary>
/// Runs a machine over observations in order of time, from a checkpoint, and notes a checkpoint at the first observation of each UTC day: the state after all observations before it, and after all windows of
/// the clock that had closed by then.
/// </summary>
internal static class Fold
{
    /// <summary>Runs to the end of the observations, or to the first checkpoint after the change that comes out as it was.</summary>
    /// <param name="machine">The condition.</param>
    /// <param name="signal">What the machine is given.</param>
    /// <param name="start">Where it begins.</param>
    /// <param name="later">Known checkpoints after that of the start, in order of time.</param>
    /// <param name="changedTo">Latest phenomenon time with a change: the run may stop early only after it and the reach of the signal. Null: never stops early.</param>
    /// <param name="observations">Observations from the reach of the signal before the start on, in order of time.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    public static async ValueTask<FoldResult> RunAsync(
        AlarmMachine machine,
        Signal signal,
        FoldStart start,
        IReadOnlyList<Checkpoint> later,
        DateTime? changedTo,
        IAsyncEnumerable<Observation> observations,
        CancellationToken cancellationToken)
    {
        var run = new Run(machine, signal, start, later, changedTo);
        await foreach (var observation in observations.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (!run.Take(observation))
            {
                break;
            }
        }

        return run.Finish();
    }

    /// <summary>Runs several machines over the same observations, read once, to their end; the results are in the order of the machines.</summary>
    public static async ValueTask<IReadOnlyList<FoldResult>> EachAsync(
        IEnumerable<AlarmMachine> machines, Signal signal, FoldStart start, IAsyncEnumerable<Observation> observations, CancellationToken cancellationToken)
    {
        var runs = machines.Select(machine => new Run(machine, signal, start, [], null)).ToArray();
        await foreach (var observation in observations.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            foreach (var run in runs)
            {
                run.Take(observation);
            }
        }

        return Array.ConvertAll(runs, run => run.Finish());
    }

    /// <summary>The same as a run over observations at hand.</summary>
    public static FoldResult Over(AlarmMachine machine, Signal signal, FoldStart start, ReadOnlySpan<Observation> observations)
    {
        var run = new Run(machine, signal, start, [], null);
        foreach (var observation in observations)
        {
            run.Take(observation);
        }

        return run.Finish();
    }

    private sealed class Run
    {
        private readonly AlarmMachine machine;
        private readonly Signal signal;
        private readonly SignalWindow? window;
        private readonly DateTime known;
        private readonly IReadOnlyList<Checkpoint> later;
        private readonly DateTime? standsFrom;
        private readonly List<Episode> episodes = [];
        private readonly List<Checkpoint> changed = [];
        private MachineState state;
        private DateTime checkpointAt;
        private DateTime seenTo;
        private int next;
        private long count;
        private bool transitions;
        private Checkpoint? converged;

        public Run(AlarmMachine machine, Signal signal, FoldStart start, IReadOnlyList<Checkpoint> later, DateTime? changedTo)
        {
            (this.machine, this.later, known) = (machine, later, start.Known);
            (this.signal, state, checkpointAt) = (signal, start.State, start.CheckpointAt);
            window = signal.IsPlain ? null : new SignalWindow(signal);
            standsFrom = changedTo is not { } to ? null : to < DateTime.MaxValue - signal.Reach ? to + signal.Reach : DateTime.MaxValue;
        }

        public bool Take(in Observation observation)
        {
            if (!machine.Takes(observation.Result, observation.Quality))
            {
                return true;
            }

            var (at, value) = (observation.PhenomenonTime, signal.ValueOf(observation));
            var isInForce = signal.Covers(at);
            if (window is null)
            {
                if (!Pass(at))
                {
                    return false;
                }

                Step(at, value, isInForce);
                return Seen(at);
            }

            var isKnown = at < known;
            if (window.Closes <= at)
            {
                if (!isKnown && window.Closes > known && !Close())
                {
                    return false;
                }

                window.Clear();
            }

            if (isInForce)
            {
                window.Add(at, value);
            }
            else
            {
                window.Clear();
            }

            if (isKnown)
            {
                seenTo = at;
                return true;
            }

            if (!Pass(at))
            {
                return false;
            }

            if (!isInForce)
            {
                Step(at, value, isInForce);
            }
            else if (window.Closes == DateTime.MaxValue && window.TryMeasure(out var measure))
            {
                Step(at, measure, isInForce);
            }

            return Seen(at);
        }

        public FoldResult Finish()
        {
            if (converged is null)
            {
                // A correction may have taken the last observations of a day away: what is known after the tip is the state at the tip.
                for (; next < later.Count; next++)
                {
                    if (window?.Closes <= later[next].At)
                    {
                        if (window.Closes > known && !Close())
                        {
                            break;
                        }

                        window.Clear();
                    }

                    checkpointAt = later[next].At;
                    if (later[next].State != state)
                    {
                        changed.Add(later[next] with { State = state });
                    }
                }

                if (converged is null && state.Phase == Phase.Active)
                {
                    episodes.Add(state.Open);
                }
            }

            return new FoldResult(state, episodes, changed, checkpointAt, converged, count, seenTo, transitions);
        }

        private bool Seen(DateTime at)
        {
            seenTo = at;
            count++;
            return true;
        }

        /// <summary>Gives the machine the window of the clock that is over; false when the run may stop before it.</summary>
        private bool Close()
        {
            // A checkpoint at the very end is the state after it.
            if (!Pass(window!.Closes.AddTicks(-1)))
            {
                return false;
            }

            if (window.TryMeasure(out var measure))
            {
                Step(window.Closes, measure, isInForce: true);
            }

            return true;
        }

        /// <summary>Goes past the checkpoints up to an instant; false when the run met what was known.</summary>
        private bool Pass(DateTime at)
        {
            while (next < later.Count && later[next].At <= at)
            {
                var checkpoint = later[next++];
                checkpointAt = checkpoint.At;
                if (checkpoint.State != state)
                {
                    changed.Add(checkpoint with { State = state });
                }
                else if (standsFrom is { } until && checkpoint.At > until)
                {
                    converged = checkpoint;
                    return false;
                }
            }

            var day = at.Date;
            if (day > checkpointAt)
            {
                changed.Add(new Checkpoint(day, state));
                checkpointAt = day;
            }

            return true;
        }

        private void Step(DateTime at, double value, bool isInForce)
        {
            Episode ended;
            var step = isInForce ? machine.Take(ref state, at, value, out ended) : AlarmMachine.Rest(ref state, at, value, out ended);
            transitions |= step != Evaluation.Step.Nothing;
            if (step == Evaluation.Step.Ended)
            {
                episodes.Add(ended);
            }
        }
    }
}
