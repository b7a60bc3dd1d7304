using System.Text;
using CsCheck;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Twin.Tests;

/// <summary>The decisions, one by one and in every order.</summary>
public sealed class TwinMachineTests
{
    private static readonly TimeSpan Trial = TimeSpan.FromMinutes(5);

    [Fact]
    public void A_good_document_is_on_trial_until_the_hub_is_reached()
    {
        var trial = TwinMachine.Desired(TwinState.Empty, Document(7), Trial, [], At(0));
        Assert.Equal((7L, TwinOutcome.Trial, 7L), Said(trial));
        Assert.Null(trial.Good);
        var applied = TwinMachine.Reached(trial, At(10));
        Assert.Equal((7L, TwinOutcome.Applied, 7L), Said(applied));
        Assert.Null(applied.Trial);
        Assert.Same(applied, TwinMachine.Reached(applied, At(20)));
        Assert.Same(applied, TwinMachine.Passed(applied, At(100_000)));
    }

    [Fact]
    public void The_version_last_acted_on_changes_nothing_whatever_it_says()
    {
        var applied = Applied(7);
        Assert.Same(applied, TwinMachine.Desired(applied, Document(7, "other"), Trial, ["a mistake"], At(50)));
        var refused = TwinMachine.Desired(applied, Document(8), Trial, ["a mistake"], At(50));
        Assert.Equal((8L, TwinOutcome.Refused, 7L), Said(refused));
        Assert.Same(refused, TwinMachine.Desired(refused, Document(8), Trial, [], At(60)));
    }

    [Fact]
    public void A_smaller_version_is_obeyed() => Assert.Equal((3L, TwinOutcome.Trial, 3L), Said(TwinMachine.Desired(Applied(7), Document(3), Trial, [], At(50))));

    [Fact]
    public void Past_its_time_the_one_before_is_in_force_and_it_is_not_tried_again()
    {
        var trial = TwinMachine.Desired(Applied(7), Document(8), Trial, [], At(100));
        Assert.Same(trial, TwinMachine.Passed(trial, At(100 + 299)));
        var back = TwinMachine.Passed(trial, At(100 + 300));
        Assert.Equal((8L, TwinOutcome.RolledBack, 7L), Said(back));
        Assert.Contains("not reached within 00:05:00", back.Problems[0], StringComparison.Ordinal);

        var other = TwinMachine.Reached(TwinMachine.Desired(back, Document(9), Trial, [], At(500)), At(501));
        var again = TwinMachine.Desired(other, Document(8), Trial, [], At(600));
        Assert.Equal((8L, TwinOutcome.RolledBack, 9L), Said(again));

        // Another document that bears the number is another document: a hub was restored from a backup.
        Assert.Equal((8L, TwinOutcome.Trial, 8L), Said(TwinMachine.Desired(other, Document(8, "other"), Trial, [], At(600))));
    }

    [Fact]
    public void Three_starts_without_the_hub_are_enough()
    {
        var state = TwinMachine.Desired(Applied(7), Document(8), TimeSpan.FromDays(1), [], At(100));
        for (var start = 1; start <= TwinMachine.StartsMax; start++)
        {
            state = TwinMachine.Started(state, At(100 + start));
            Assert.Equal((8L, TwinOutcome.Trial, 8L), Said(state));
            Assert.Equal(start, state.Trial!.Starts);
        }

        Assert.Equal((8L, TwinOutcome.RolledBack, 7L), Said(TwinMachine.Started(state, At(105))));
    }

    [Fact]
    public void A_start_of_the_agent_does_not_lengthen_the_trial_and_one_of_the_machine_begins_it_anew()
    {
        var state = TwinMachine.Desired(Applied(7), Document(8), Trial, [], At(100));
        Assert.Equal(TwinOutcome.RolledBack, TwinMachine.Started(state, At(400)).Outcome);
        var rebooted = TwinMachine.Started(state, At(3, "boot-2"));
        Assert.Equal(TwinOutcome.Trial, rebooted.Outcome);
        Assert.Same(rebooted, TwinMachine.Passed(rebooted, At(302, "boot-2")));
        Assert.Equal(TwinOutcome.RolledBack, TwinMachine.Passed(rebooted, At(303, "boot-2")).Outcome);
    }

    [Fact]
    public void Refused_while_another_is_on_trial_leaves_that_one_its_trial()
    {
        var trial = TwinMachine.Desired(Applied(7), Document(8), Trial, [], At(100));
        var refused = TwinMachine.Desired(trial, Document(9), Trial, ["a mistake"], At(110));
        Assert.Equal((9L, TwinOutcome.Refused, 8L), Said(refused));
        var reached = TwinMachine.Reached(refused, At(120));
        Assert.Equal((9L, TwinOutcome.Refused, 8L), Said(reached));
        Assert.Equal(8, reached.Good!.Version);
        Assert.Equal(["a mistake"], reached.Problems);
        Assert.Equal((8L, TwinOutcome.RolledBack, 7L), Said(TwinMachine.Passed(refused, At(400))));
    }

    [Fact]
    public void What_cannot_run_is_taken_back_step_by_step_down_to_the_station_file()
    {
        var trial = TwinMachine.Desired(Applied(7), Document(8), Trial, [], At(100));
        var first = TwinMachine.CannotRun(trial, ["no"], At(101));
        Assert.Equal((8L, TwinOutcome.RolledBack, 7L), Said(first));
        var second = TwinMachine.CannotRun(first, ["no"], At(102));
        Assert.Equal((7L, TwinOutcome.RolledBack, 0L), Said(second));
        Assert.Same(second, TwinMachine.CannotRun(second, ["no"], At(103)));
    }

    [Fact]
    public void A_document_without_a_version_is_refused_once_and_holds_nothing_up()
    {
        var refused = TwinMachine.Refused(Applied(7), 0, ["no JSON"], At(10));
        Assert.Equal((0L, TwinOutcome.Refused, 7L), Said(refused));
        Assert.Same(refused, TwinMachine.Refused(refused, 0, ["no JSON"], At(20)));
        Assert.Equal((8L, TwinOutcome.Trial, 8L), Said(TwinMachine.Desired(refused, Document(8), Trial, [], At(30))));
    }

    [Fact]
    public void No_more_problems_and_failures_are_kept_than_are_told()
    {
        var refused = TwinMachine.Desired(TwinState.Empty, Document(1), Trial, [.. Enumerable.Range(0, 100).Select(n => $"{n}")], At(0));
        Assert.Equal(ReportedState.ProblemsMax, refused.Problems.Count);
        var state = TwinState.Empty;
        for (var version = 1; version <= 50; version++)
        {
            state = TwinMachine.CannotRun(TwinMachine.Desired(state, Document(version), Trial, [], At(0)), ["no"], At(0));
        }

        Assert.Equal(Enumerable.Range(35, 16).Select(n => (long)n), state.Failures.Select(failure => failure.Version));
    }

    /// <summary>Documents good and bad in any order, connections, time, starts of agent and machine, settings that cannot run; after each the state goes through its file.</summary>
    [Fact]
    public void In_any_order_the_good_one_is_kept_a_refused_one_never_in_force_and_none_tried_again() =>
        Gen.Select(Gen.Int[0, 7], Gen.Int[1, 6], Gen.Bool, Gen.Int[1, 400]).Array[1, 60].Sample(steps =>
        {
            var state = TwinState.Empty;
            var (seconds, boot) = (0L, 1);
            var refused = new HashSet<string>();
            var failed = new HashSet<string>();
            foreach (var (step, version, isGood, passes) in steps)
            {
                var before = state;
                var document = Document(version, isGood ? "good" : "bad");
                switch (step)
                {
                    case 0 or 1 or 2:
                        state = TwinMachine.Desired(state, document, Trial, isGood ? [] : ["a mistake"], Now());
                        if (!ReferenceEquals(before, state) && state.Outcome == TwinOutcome.Refused)
                        {
                            refused.Add(document.Digest);
                        }

                        if (state.Trial is { } begun && before.Trial?.Document != begun.Document)
                        {
                            Assert.DoesNotContain(begun.Document.Digest, failed);
                        }

                        break;
                    case 3:
                        state = TwinMachine.Reached(state, Now());
                        break;
                    case 4:
                        seconds += passes;
                        state = TwinMachine.Passed(state, Now());
                        break;
                    case 5:
                        state = TwinMachine.Started(state, Now());
                        break;
                    case 6:
                        (seconds, boot) = (passes % 30, boot + 1);
                        state = TwinMachine.Started(state, Now());
                        break;
                    default:
                        state = TwinMachine.CannotRun(state, ["no"], Now());
                        break;
                }

                if (before.Trial is { } ended && state.Trial?.Document != ended.Document && state.Good != ended.Document && state.Outcome == TwinOutcome.RolledBack)
                {
                    failed.Add(ended.Document.Digest);
                }

                // Nothing that was refused is in force.
                Assert.DoesNotContain(state.InForce?.Digest ?? "", refused);

                // What is good goes only for what has reached the hub, or where it cannot run itself.
                if (before.Good is { } good && state.Good != good)
                {
                    Assert.True(before.Trial is not null ? state.Good == before.Trial.Document : step == 7 && state.Good is null);
                }

                // A trial is bounded, by starts and by time.
                if (state.Trial is { } trial)
                {
                    Assert.InRange(trial.Starts, 0, TwinMachine.StartsMax);
                    Assert.True(trial.EndsSinceBoot <= TimeSpan.FromSeconds(seconds) + Trial || trial.BootId != Now().BootId);
                }

                // What is written down is what is read.
                var read = TwinStore.Read(TwinStore.ToBytes(state))!;
                Assert.Equal(TwinStore.ToBytes(state), TwinStore.ToBytes(read));
                state = read with { Good = Same(read.Good, state.Good), Trial = read.Trial is null ? null : read.Trial with { Document = Same(read.Trial.Document, state.Trial!.Document)! } };
            }

            TwinInstant Now() => At(seconds, $"boot-{boot}");
            static TwinDocument? Same(TwinDocument? read, TwinDocument? was) => read?.Digest == was?.Digest ? was : read;
        });

    private static TwinState Applied(long version) => TwinMachine.Reached(TwinMachine.Desired(TwinState.Empty, Document(version), Trial, [], At(0)), At(1));

    private static TwinDocument Document(long version, string content = "") => TwinDocument.Of(version, Encoding.UTF8.GetBytes($"{version} {content}"));

    private static TwinInstant At(long seconds, string boot = "boot-1") =>
        new(new DateTime(2026, 11, 26, 4, 0, 0, DateTimeKind.Utc).AddSeconds(seconds), boot, TimeSpan.FromSeconds(seconds));

    private static (long Version, TwinOutcome Outcome, long InForce) Said(TwinState state) => (state.Acted, state.Outcome, state.InForce?.Version ?? 0);
}
