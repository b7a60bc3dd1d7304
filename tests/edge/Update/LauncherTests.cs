using CsCheck;
using Hub.Tests.Kit;

namespace Hub.Edge.Update.Tests;

/// <summary>The real script under the real shell.</summary>
[Collection(typeof(ProgramStarts))]
public sealed class LauncherTests
{
    private static readonly string[] Garbage = ["", "\n", "end\n", "hub-agent trial 1\nend\n", "hub-agent trial 1\nfrom=a\nto=a\nend\n", "\0\0\0\0", "hub-agent trial 2\nfrom=a\nto=b\nend\n", "\"'$(exit 3)`;\n"];

    public static TheoryData<int> GarbageNumbers => [.. Enumerable.Range(0, Garbage.Length)];

    [Fact]
    public async Task The_agent_of_the_current_slot_takes_the_place_of_the_script()
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2", Slots.Script("0.0.2", "echo $$; exit 7")).Current("b");
        var pid = 0;

        var (code, output, error) = await slots.LaunchAsync(started: process => pid = process.Id);

        Assert.Equal((7, $"0.0.2 b run --station-file s t.yaml\n{pid}\n", ""), (code, output, error));
    }

    [Fact]
    public async Task Three_starts_without_confirmation_and_the_slot_before_runs_again_for_good()
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2", Slots.Script("0.0.2", "exit 1")).Current("b").Trial(Slots.AtoB());
        for (var start = 1; start <= 3; start++)
        {
            Assert.StartsWith("0.0.2 b", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
            Assert.Equal(start, slots.Folders.ReadTrial()!.Starts);
        }

        Assert.StartsWith("0.0.1 a", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        Assert.Equal("a", slots.Folders.Current);
        var (_, back) = slots.Folders.ReadRolledBack();
        Assert.Equal("started 3 times, and it did not reach the hub", back!.Reason);
        Assert.Equal(["air"], back.Alive);
        Assert.StartsWith("0.0.1 a", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        Assert.Null(slots.Folders.ReadTrial());
    }

    [Fact]
    public async Task A_confirmed_agent_is_started_for_ever()
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2").Current("b").Trial(Slots.AtoB());
        await slots.LaunchAsync();
        slots.Folders.Confirm();
        for (var i = 0; i < 5; i++)
        {
            Assert.StartsWith("0.0.2 b", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_agent_that_hangs_is_killed_and_counts_as_a_start()
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2", Slots.Script("0.0.2", "exec sleep 600")).Current("b").Trial(Slots.AtoB());
        for (var start = 1; start <= 3; start++)
        {
            var number = start;
            var run = await slots.LaunchAsync(started: process => _ = Task.Run(async () =>
            {
                // As the watchdog of systemd does, once the agent runs.
                await Eventually.TrueAsync(() => File.ReadAllText($"/proc/{process.Id}/cmdline").StartsWith("sleep", StringComparison.Ordinal), "the agent hangs");
                process.Kill();
            }));
            Assert.Equal(137, run.Code);
            Assert.Equal(number, slots.Folders.ReadTrial()!.Starts);
        }

        Assert.StartsWith("0.0.1 a", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_that_neither_confirms_nor_stops_in_time_is_killed_without_a_watchdog()
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2", Slots.Script("0.0.2", "exec sleep 600")).Current("b").Trial(Slots.AtoB(seconds: 10));

        Assert.Equal(137, (await slots.LaunchAsync()).Code);
        Assert.StartsWith("0.0.1 a", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        Assert.Equal("it did not reach the hub within 10 s", slots.Folders.ReadRolledBack().Trial!.Reason);
    }

    [Fact]
    public async Task Past_the_deadline_it_goes_back_at_once_and_says_what_the_agent_said()
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2").Current("b").Trial(Slots.AtoB(starts: 1, until: Slots.Uptime, reason: "None of the sensors \"works\": $HOME `id` \\n %s"));

        Assert.StartsWith("0.0.1 a", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        Assert.Equal("None of the sensors \"works\": $HOME `id` \\n %s", slots.Folders.ReadRolledBack().Trial!.Reason);
    }

    [Fact]
    public async Task After_a_reboot_the_seconds_count_anew_and_the_starts_go_on()
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2").Current("b").Trial(Slots.AtoB(starts: 1, boot: "another", until: 1));

        Assert.StartsWith("0.0.2 b", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        var trial = slots.Folders.ReadTrial()!;
        Assert.Equal((2, Slots.Boot), (trial.Starts, trial.Boot));
        Assert.InRange(trial.Until, Slots.Uptime + 200, Slots.Uptime + 300);
    }

    [Theory]
    [MemberData(nameof(GarbageNumbers))]
    public async Task A_damaged_trial_keeps_what_runs_and_is_set_aside(int number)
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2").Current("b");
        await File.WriteAllTextAsync(Path.Combine(slots.Root, "trial"), Garbage[number], TestContext.Current.CancellationToken);

        Assert.StartsWith("0.0.2 b", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(slots.Root, "trial")));
        Assert.True(File.Exists(Path.Combine(slots.Root, "trial.damaged")));
    }

    [Fact]
    public async Task A_trial_cut_off_at_any_byte_never_stops_the_station()
    {
        var whole = Slots.AtoB().ToUtf8();
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2");
        for (var length = 0; length < whole.Length; length += 23)
        {
            slots.Current("b");
            await File.WriteAllBytesAsync(Path.Combine(slots.Root, "trial"), whole[..length], TestContext.Current.CancellationToken);
            Assert.StartsWith("0.0.2 b", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_damaged_trial_of_an_agent_that_does_not_run_brings_the_other_slot_back()
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2", "#!/nowhere/sh\n").Current("b");
        await File.WriteAllTextAsync(Path.Combine(slots.Root, "trial"), "hub-agent tri", TestContext.Current.CancellationToken);

        Assert.StartsWith("0.0.1 a", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        Assert.Equal("a", slots.Folders.Current);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("c")]
    [InlineData("b")]
    [InlineData("/etc")]
    public async Task Without_a_current_slot_that_is_whole_one_that_works_takes_over(string? current)
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2", "");
        if (current is not null)
        {
            slots.Current(current);
        }

        Assert.StartsWith("0.0.1 a", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        Assert.Equal("a", slots.Folders.Current);
    }

    [Fact]
    public async Task A_program_that_has_gone_bad_on_the_card_is_passed_over_until_it_runs_again()
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2", "#!/nowhere/sh\n").Current("b");

        Assert.StartsWith("0.0.1 a", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        slots.Put("b", "0.0.2");
        Assert.StartsWith("0.0.2 b", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);

        // Where neither answers, the one that is meant is started: whoever supervises it sees how it ends.
        slots.Put("a", "0.0.1", "#!/bin/sh\nexit 9\n").Put("b", "0.0.2", "#!/bin/sh\nexit 8\n");
        Assert.Equal(8, (await slots.LaunchAsync()).Code);
    }

    [Fact]
    public async Task A_switch_that_was_cut_off_is_forgotten()
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2").Current("a").Trial(Slots.AtoB());

        Assert.StartsWith("0.0.1 a", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        Assert.Null(slots.Folders.ReadTrial());
        Assert.False(slots.Folders.ReadRolledBack().Exists);
    }

    [Fact]
    public async Task Without_a_way_back_the_agent_on_trial_is_all_there_is()
    {
        using var slots = new Slots().Put("b", "0.0.2").Current("b").Trial(Slots.AtoB(starts: 5, reason: "It did not reach the hub."));

        Assert.StartsWith("0.0.2 b", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_no_agent_at_all_it_says_so()
    {
        using var slots = new Slots();
        var (code, _, error) = await slots.LaunchAsync();

        Assert.Equal(1, code);
        Assert.Contains("no slot of", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_power_may_go_before_any_step_of_going_back()
    {
        var step = 1;
        for (var wasCut = true; wasCut; step++)
        {
            using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2").Current("b").Trial(Slots.AtoB(starts: 3));
            var (code, output, _) = await slots.LaunchAsync(slots.CutBefore(step));
            wasCut = code == 137;
            Assert.Equal(wasCut ? "" : "0.0.1 a run --station-file s t.yaml\n", output);

            Assert.StartsWith("0.0.1 a", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
            Assert.Equal("a", slots.Folders.Current);
            Assert.Null(slots.Folders.ReadTrial());
            Assert.NotNull(slots.Folders.ReadRolledBack().Trial?.Reason);
        }

        Assert.InRange(step, 8, 20);
    }

    [Fact]
    public async Task The_power_may_go_before_any_step_of_counting()
    {
        var step = 1;
        for (var wasCut = true; wasCut; step++)
        {
            using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2").Current("b").Trial(Slots.AtoB(starts: 1));
            wasCut = (await slots.LaunchAsync(slots.CutBefore(step))).Code == 137;
            Assert.InRange(slots.Folders.ReadTrial()!.Starts, 1, 2);
            Assert.StartsWith("0.0.2 b", (await slots.LaunchAsync()).Output, StringComparison.Ordinal);
        }

        Assert.InRange(step, 4, 10);
    }

    private enum Event { Start, CutStart, Confirm, Damage, LoseCurrent, Reboot, GiveUp }

    [Fact]
    public void Whatever_happens_an_agent_is_started_and_never_more_than_three_times_on_trial() =>
        Gen.Select(Gen.Enum<Event>(), Gen.Int[1, 9]).Array[1, 9].Sample(
            events => PlayAsync(events).GetAwaiter().GetResult(), iter: 25, threads: 1);

    private static async Task PlayAsync((Event Event, int Number)[] events)
    {
        using var slots = new Slots().Put("a", "0.0.1").Put("b", "0.0.2").Current("b").Trial(Slots.AtoB());
        var (onTrial, confirmed) = (0, false);
        foreach (var (what, number) in events)
        {
            switch (what)
            {
                case Event.Start or Event.CutStart:
                    var (code, output, error) = await slots.LaunchAsync(what == Event.CutStart ? slots.CutBefore(number) : null);
                    if (code == 137)
                    {
                        break;
                    }

                    Assert.True(output.StartsWith("0.0.1 a", StringComparison.Ordinal) || output.StartsWith("0.0.2 b", StringComparison.Ordinal), error);
                    onTrial += output.StartsWith("0.0.2 b", StringComparison.Ordinal) && slots.Folders.ReadTrial() is not null ? 1 : 0;
                    Assert.InRange(onTrial, 0, 3);
                    Assert.True(!confirmed || output.StartsWith("0.0.2 b", StringComparison.Ordinal), error);
                    break;
                case Event.Confirm when slots.Folders.ReadTrial() is { Reason: null } && slots.Folders.Current == "b":
                    slots.Folders.Confirm();
                    confirmed = true;
                    break;
                case Event.Damage when slots.Folders.ReadTrial() is not null:
                    using (var file = File.OpenWrite(Path.Combine(slots.Root, "trial")))
                    {
                        file.SetLength(file.Length * number / 10);
                    }

                    break;
                case Event.LoseCurrent when !confirmed:
                    File.Delete(Path.Combine(slots.Root, "current"));
                    break;
                case Event.Reboot when slots.Folders.ReadTrial() is { } trial:
                    slots.Trial(trial with { Boot = $"boot-{number}" });
                    break;
                case Event.GiveUp when slots.Folders.ReadTrial() is { Reason: null } trial:
                    slots.Folders.GiveUp(trial, "It did not reach the hub.");
                    break;
            }
        }
    }
}
