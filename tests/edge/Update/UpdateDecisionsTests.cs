using CsCheck;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Update.Tests;

public sealed class UpdateDecisionsTests
{
    private static readonly DateTime Now = new(2026, 11, 26, 4, 30, 0, DateTimeKind.Utc);
    private static readonly string Sum = new('5', 64);
    private static readonly Gen<string> Names = Gen.Int[0, 2].Select(i => $"sensor-{i}");

    [Theory]
    [InlineData("1.4.0", "1.3.2", false, WishVerdict.Install)]
    [InlineData("1.3.2", "1.3.2", false, WishVerdict.Runs)]
    [InlineData("1.3.2", "1.3.2", true, WishVerdict.Install)]
    [InlineData("1.3.1", "1.3.2", false, WishVerdict.Refused)]
    [InlineData("1.3.1", "1.3.2", true, WishVerdict.Install)]
    [InlineData("1.3.2-rc.1", "1.3.2", false, WishVerdict.Refused)]
    [InlineData("1.3.2", "1.3.2-rc.1", false, WishVerdict.Install)]
    [InlineData("0.0.1", "of my own", false, WishVerdict.Install)]
    internal void A_version_is_installed_when_it_is_newer_or_forced(string wanted, string runs, bool force, WishVerdict expected) =>
        Assert.Equal(expected, UpdateDecisions.Judge(Target(wanted, force), new RunningAgent("a", runs, "linux-x64"), UpdateNotes.None).Verdict);

    [Fact]
    public void What_was_refused_or_taken_back_is_not_fetched_again_forced_or_not_but_another_build_is()
    {
        var notes = UpdateNotes.None.Refuse("1.4.0", Sum, "The signature is of none of the trusted keys.");
        var running = new RunningAgent("a", "1.3.2", "linux-x64");

        Assert.Equal((WishVerdict.Refused, "The signature is of none of the trusted keys."), Short(Target("1.4.0"), running, notes));
        Assert.Equal(WishVerdict.Refused, Short(Target("1.4.0", force: true), running, notes).Verdict);
        Assert.Equal(WishVerdict.Install, Short(Target("1.4.0", sha256: new string('6', 64)), running, notes).Verdict);
        Assert.Equal(WishVerdict.Install, Short(Target("1.4.1"), running, notes).Verdict);
    }

    [Fact]
    public void A_forced_version_that_has_just_been_installed_is_not_installed_for_ever()
    {
        var notes = UpdateNotes.None with { Last = new UpdateRecord("1.4.0", Sum, UpdateStep.Installed, Now) };
        Assert.Equal(WishVerdict.Runs, UpdateDecisions.Judge(Target("1.4.0", force: true), new RunningAgent("b", "1.4.0", "linux-x64"), notes).Verdict);
    }

    [Fact]
    public void Without_a_bundle_for_the_machine_or_a_slot_it_is_refused()
    {
        Assert.Contains("no bundle for linux-arm64", UpdateDecisions.Judge(Target("1.4.0"), new RunningAgent("a", "1.3.2", "linux-arm64"), UpdateNotes.None).Problem, StringComparison.Ordinal);
        Assert.Contains("does not run from a slot", UpdateDecisions.Judge(Target("1.4.0"), new RunningAgent(null, "1.3.2", "linux-x64"), UpdateNotes.None).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_refused_are_bounded_and_the_newest_are_kept()
    {
        var notes = Enumerable.Range(0, 100).Aggregate(UpdateNotes.None, (notes, i) => notes.Refuse($"1.0.{i}", Sum, "bad"));

        Assert.Equal(UpdateNotes.RefusedMax, notes.Refused.Count);
        Assert.NotNull(notes.WhyRefused("1.0.99", Sum));
        Assert.Null(notes.WhyRefused("1.0.0", Sum));
        Assert.True(notes.ToUtf8().Length < UpdateNotes.BytesMax);
        Assert.Equal(notes.ToUtf8(), UpdateNotes.Read(notes.ToUtf8())!.ToUtf8());
        Assert.Null(UpdateNotes.Read("{"u8));
        Assert.Null(UpdateNotes.Read("null"u8));
        Assert.Null(UpdateNotes.Read("""{"refused":null}"""u8));
    }

    [Fact]
    public void A_trial_passes_only_with_the_hub_and_a_living_sensor_and_fails_only_at_its_end() =>
        Gen.Select(Gen.Bool, Gen.Bool, Names.HashSet[0, 3], Names.HashSet[0, 3]).Sample((reached, isOver, before, alive) =>
        {
            var (verdict, reason) = UpdateDecisions.JudgeTrial(reached, before, alive, isOver, TimeSpan.FromMinutes(5));
            var isGood = reached && (before.Count == 0 || before.Overlaps(alive));
            Assert.Equal(isGood ? TrialVerdict.Passed : isOver ? TrialVerdict.Failed : TrialVerdict.Wait, verdict);
            Assert.Equal(verdict == TrialVerdict.Failed, reason is not null);
        });

    [Theory]
    [InlineData("https://hub.pt/b", "https://hub.pt", false, true)]
    [InlineData("https://HUB.pt:443/b", "https://hub.pt", false, true)]
    [InlineData("https://hub.pt:8443/b", "https://hub.pt", false, false)]
    [InlineData("http://hub.pt/b", "https://hub.pt", false, false)]
    [InlineData("http://hub.pt/b", "http://hub.pt", false, false)]
    [InlineData("http://hub.pt/b", "http://hub.pt", true, true)]
    [InlineData("http://127.0.0.1:8080/b", "http://127.0.0.1:8080", false, true)]
    [InlineData("https://hub.pt.evil.pt/b", "https://hub.pt", false, false)]
    [InlineData("https://hub.pt@evil.pt/b", "https://hub.pt", false, false)]
    public void The_secret_goes_to_one_scheme_host_and_port(string address, string pages, bool plain, bool expected) =>
        Assert.Equal(expected, UpdateDecisions.IsHub(new Uri(address), new HubPages(new Uri(pages), "braga/rotunda", () => null, plain)));

    [Theory]
    [InlineData("https://hub.pt/a", "https://cdn.pt/b", "https://cdn.pt/b")]
    [InlineData("https://hub.pt/a", "/b", "https://hub.pt/b")]
    [InlineData("http://hub.pt/a", "https://hub.pt/b", "https://hub.pt/b")]
    [InlineData("http://hub.pt/a", "http://cdn.pt/b", "http://cdn.pt/b")]
    [InlineData("https://hub.pt/a", "http://hub.pt/b", null)]
    [InlineData("https://hub.pt/a", "file:///etc/passwd", null)]
    [InlineData("https://hub.pt/a", "https://user:word@hub.pt/b", null)]
    public void A_redirect_never_leads_out_of_https(string from, string location, string? to) =>
        Assert.Equal(to, UpdateDecisions.Redirect(new Uri(from), new Uri(location, UriKind.RelativeOrAbsolute))?.ToString());

    [Fact]
    public void Pauses_grow_to_their_limit_and_differ_from_station_to_station() =>
        Gen.Select(Gen.Int[0, 200], Gen.Double[0, 1], Gen.Int[0, 200_000]).Sample((attempt, random, asked) =>
        {
            var (min, max) = (TimeSpan.FromSeconds(5), TimeSpan.FromHours(1));
            var pause = UpdateDecisions.Pause(attempt, random, min, max, null);
            Assert.InRange(pause, min / 2, max);
            Assert.True(attempt < 20 || pause >= max / 2);
            Assert.InRange(UpdateDecisions.Pause(attempt, random, min, max, TimeSpan.FromSeconds(asked)), pause, max);
        });

    [Fact]
    public void The_bandwidth_is_never_exceeded() =>
        Gen.Select(Gen.Long[0, 1L << 30], Gen.Double[0, 10_000], Gen.Long[1_000, 1_000_000]).Sample((bytes, seconds, bandwidth) =>
        {
            var elapsed = TimeSpan.FromSeconds(seconds);
            var whole = (elapsed + UpdateDecisions.Throttle(bytes, elapsed, bandwidth)).TotalSeconds;
            Assert.True(bytes <= (whole * bandwidth) + bandwidth * 1e-3);
            Assert.Equal(TimeSpan.Zero, UpdateDecisions.Throttle(bytes, elapsed, 0));
        });

    [Fact]
    public void A_trial_file_says_the_same_after_it_was_written_and_nothing_when_it_is_cut()
    {
        Gen.Select(Gen.Bool, Gen.Long[0, 86_400], Gen.Int[0, 9], Names.Array[0, 5], Gen.String.Null()).Sample((forth, seconds, starts, alive, reason) =>
        {
            var trial = new TrialFile(forth ? "a" : "b", forth ? "b" : "a", "1.4.0-rc.1", Sum, seconds, "boot", seconds + 5, starts, alive, reason);
            var bytes = trial.ToUtf8();
            Assert.True(TrialFile.TryRead(bytes, out var read));
            Assert.Equal(trial with { Alive = [], Reason = null }, read with { Alive = [], Reason = null });
            Assert.Equal(alive, read.Alive);
            Assert.Equal(reason is null, read.Reason is null);
            for (var length = 0; length < bytes.Length; length++)
            {
                Assert.False(TrialFile.TryRead(bytes.AsSpan(0, length), out _));
            }
        });
        Assert.False(TrialFile.TryRead(new byte[TrialFile.BytesMax + 1], out _));
    }

    [Fact]
    public void What_a_start_finds_is_told_apart()
    {
        var trial = new TrialFile("a", "b", "1.4.0", Sum, 300, "boot", 400, 0, []);
        var ready = UpdateNotes.None with { Last = new UpdateRecord("1.4.0", Sum, UpdateStep.Ready, Now) };
        var trying = UpdateNotes.None with { Last = new UpdateRecord("1.4.0", Sum, UpdateStep.Trial, Now) };
        var (old, fresh) = (new RunningAgent("a", "1.3.2", "linux-x64"), new RunningAgent("b", "1.4.0", "linux-x64"));

        Assert.Equal((StartAct.Trial, UpdateStep.Trial), Found(fresh, "b", trial, (false, null), ready));
        Assert.Equal((StartAct.None, UpdateStep.Installed), Found(fresh, "b", null, (false, null), trying));
        Assert.Equal((StartAct.Forget, UpdateStep.Ready), Found(old, "a", trial, (false, null), ready));
        Assert.Equal((StartAct.RollBack, UpdateStep.RolledBack), Found(old, "b", trial, (false, null), ready));
        Assert.Equal((StartAct.RollBack, UpdateStep.RolledBack), Found(old, "a", trial with { Starts = 1 }, (false, null), ready));
        Assert.Equal((StartAct.None, UpdateStep.RolledBack), Found(old, "a", null, (true, trial with { Reason = "x" }), trying));
        Assert.Equal((StartAct.None, UpdateStep.RolledBack), Found(old, "a", null, (true, null), trying));
        Assert.Equal((StartAct.None, UpdateStep.RolledBack), Found(old, "a", null, (false, null), trying));
        Assert.Equal((StartAct.None, UpdateStep.Ready), Found(old, "a", null, (false, null), ready));

        static (StartAct, UpdateStep) Found(RunningAgent running, string current, TrialFile? trial, (bool, TrialFile?) back, UpdateNotes notes)
        {
            var (act, after) = UpdateDecisions.OnStart(running, current, trial, back, notes, Now);
            Assert.True(after.Last!.Step != UpdateStep.RolledBack || after.WhyRefused("1.4.0", Sum) is not null);
            return (act, after.Last.Step);
        }
    }

    private static (WishVerdict Verdict, string? Problem) Short(AgentTarget target, RunningAgent running, UpdateNotes notes)
    {
        var (verdict, _, problem) = UpdateDecisions.Judge(target, running, notes);
        return (verdict, problem);
    }

    private static AgentTarget Target(string version, bool force = false, string? sha256 = null) =>
        new(version, [new AgentBundle("linux-x64", "https://hub.pt/b", 10, sha256 ?? Sum)], force);
}
