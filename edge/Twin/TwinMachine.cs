using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Twin;

/// <summary>The twin's decisions: pure functions from one state to the next. One that changes nothing returns the state it was given.</summary>
internal static class TwinMachine
{
    /// <summary>Starts of the agent on trial after which the document before is put in force again.</summary>
    public const int StartsMax = 3;

    /// <summary>Most documents remembered as rolled back.</summary>
    public const int FailuresMax = 16;

    /// <summary>A document came that can be read.</summary>
    /// <param name="state">The state.</param>
    /// <param name="document">The document.</param>
    /// <param name="trial">How long it is to be tried.</param>
    /// <param name="mistakes">All that is wrong with it; empty for nothing.</param>
    /// <param name="now">Now.</param>
    public static TwinState Desired(TwinState state, TwinDocument document, TimeSpan trial, IReadOnlyList<string> mistakes, TwinInstant now)
    {
        if (IsActedOn(state, document.Version))
        {
            return state;
        }

        if (state.Failures.Any(failure => failure.Version == document.Version && failure.Digest == document.Digest))
        {
            return state with
            {
                Acted = document.Version, Outcome = TwinOutcome.RolledBack, At = now.Utc,
                Problems = [$"Version {document.Version} was rolled back before; it is not tried again. Give the settings another version."],
            };
        }

        return mistakes.Count > 0
            ? Refused(state, document.Version, mistakes, now)
            : state with
            {
                Acted = document.Version, Outcome = TwinOutcome.Trial, At = now.Utc, Problems = [],
                Trial = new TwinTrial(document, trial, now.BootId, now.SinceBoot + trial, 0),
            };
    }

    /// <summary>True for a document that changes nothing, whatever it says.</summary>
    public static bool IsActedOn(TwinState state, long version) => state.Outcome != TwinOutcome.None && version == state.Acted;

    /// <summary>A document came that is wrong. What is in force stays so.</summary>
    /// <param name="state">The state.</param>
    /// <param name="version">Its version; 0 when it does not say.</param>
    /// <param name="mistakes">What is wrong.</param>
    /// <param name="now">Now.</param>
    public static TwinState Refused(TwinState state, long version, IReadOnlyList<string> mistakes, TwinInstant now)
    {
        IReadOnlyList<string> problems = [.. mistakes.Take(ReportedState.ProblemsMax)];
        return state.Outcome == TwinOutcome.Refused && state.Acted == version && state.Problems.SequenceEqual(problems)
            ? state
            : state with { Acted = version, Outcome = TwinOutcome.Refused, At = now.Utc, Problems = problems };
    }

    /// <summary>The agent has been started. To be written down before anything is done with the settings: one that kills the agent must not be tried for ever.</summary>
    public static TwinState Started(TwinState state, TwinInstant now)
    {
        if (state.Trial is not { } trial)
        {
            return state;
        }

        if (trial.Starts >= StartsMax)
        {
            return RolledBack(state, [$"The agent was started {StartsMax} times with these settings and did not reach the hub."], now);
        }

        // Time that the machine was off is nobody's fault; the starts are counted.
        return trial.BootId != now.BootId
            ? state with { Trial = trial with { Starts = trial.Starts + 1, BootId = now.BootId, EndsSinceBoot = now.SinceBoot + trial.Length } }
            : Passed(state with { Trial = trial with { Starts = trial.Starts + 1 } }, now);
    }

    /// <summary>Time has passed.</summary>
    public static TwinState Passed(TwinState state, TwinInstant now) => state.Trial is { } trial && trial.BootId == now.BootId && now.SinceBoot >= trial.EndsSinceBoot
        ? RolledBack(state, [$"The hub was not reached within {trial.Length} with these settings."], now)
        : state;

    /// <summary>The hub was reached with what is in force.</summary>
    public static TwinState Reached(TwinState state, TwinInstant now)
    {
        if (state.Trial is not { } trial)
        {
            return state;
        }

        // A document that came meanwhile and was refused is the one last spoken of.
        var spoken = state.Acted == trial.Document.Version && state.Outcome == TwinOutcome.Trial;
        return state with
        {
            Good = trial.Document, Trial = null, Outcome = spoken ? TwinOutcome.Applied : state.Outcome, At = spoken ? now.Utc : state.At, Problems = spoken ? [] : state.Problems,
        };
    }

    /// <summary>The agent cannot run with what is in force.</summary>
    public static TwinState CannotRun(TwinState state, IReadOnlyList<string> problems, TwinInstant now)
    {
        if (state.Trial is not null)
        {
            return RolledBack(state, problems, now);
        }

        return state.Good is not { } good
            ? state
            : state with
            {
                Acted = good.Version, Outcome = TwinOutcome.RolledBack, At = now.Utc, Problems = [.. problems.Take(ReportedState.ProblemsMax)], Good = null,
                Failures = [.. state.Failures.Append(new TwinFailure(good.Version, good.Digest)).TakeLast(FailuresMax)],
            };
    }

    private static TwinState RolledBack(TwinState state, IReadOnlyList<string> problems, TwinInstant now)
    {
        var document = state.Trial!.Document;
        return state with
        {
            Acted = document.Version, Outcome = TwinOutcome.RolledBack, At = now.Utc, Problems = [.. problems.Take(ReportedState.ProblemsMax)], Trial = null,
            Failures = [.. state.Failures.Append(new TwinFailure(document.Version, document.Digest)).TakeLast(FailuresMax)],
        };
    }
}
