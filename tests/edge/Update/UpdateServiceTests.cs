using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Update.Tests;

[Collection(typeof(ProgramStarts))]
public sealed class UpdateServiceTests : IAsyncDisposable
{
    private static readonly TimeSpan Trial = TimeSpan.FromMinutes(5);
    private readonly Slots _slots = new Slots().Put("a", "0.0.1").Current("a");
    private readonly TestBundle _bundle = new();
    private readonly RawServer _server = new();
    private byte[] _bytes = [];

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _bundle.Dispose();
        _slots.Dispose();
    }

    [Fact]
    public async Task A_signed_agent_is_fetched_installed_and_the_station_asks_to_be_started_again()
    {
        await using var agent = await StartAsync();
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.Answer = async (_, request, stream) =>
        {
            await seen.Task;
            await RawServer.SendAsync(request, stream, _bytes);
        };
        await agent.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        Assert.Equal(UpdateStep.Downloading, agent.Service.State!.Step);
        seen.SetResult();
        await agent.UntilAsync(() => agent.Life.IsStopping, "it stops");

        Assert.Equal((0, "b"), (agent.Service.ExitCode, _slots.Folders.Current));
        Assert.Equal(UpdateStep.Ready, agent.Service.State!.Step);
        var trial = _slots.Folders.ReadTrial()!;
        Assert.Equal(("a", "b", "0.0.2", 300L, "boot-1", 0), (trial.From, trial.To, trial.Version, trial.Seconds, trial.Boot, trial.Starts));
        Assert.Equal(["air"], trial.Alive);
        Assert.Equal("0.0.2", AgentManifest.VersionBeside(_slots.Folders.Slot("b")));
        Assert.Contains(agent.Steps, step => step == UpdateStep.Ready);
    }

    [Fact]
    public async Task A_sensor_that_speaks_less_than_twice_in_a_trial_has_no_say_in_it()
    {
        await using var agent = await StartAsync();
        agent.Cadence = Trial / 2 + TimeSpan.FromSeconds(1);
        await agent.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        await agent.UntilAsync(() => agent.Life.IsStopping, "it stops");
        Assert.Empty(_slots.Folders.ReadTrial()!.Alive);
    }

    [Fact]
    public async Task It_goes_on_after_a_break_and_after_a_restart_and_says_what_is_wrong_meanwhile()
    {
        var broken = true;
        await using (var agent = await StartAsync())
        {
            _server.Answer = (_, request, stream) => RawServer.SendAsync(request, stream, _bytes, break_: broken ? 2_000 : int.MaxValue);
            await agent.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);

            // Bytes that come take the problem back, so it is looked at in the moment it is there.
            ReportedUpdate? said = null;
            await agent.UntilAsync(() => _server.Requests.Count >= 3 && (said = agent.Service.State) is { Problem: not null }, "it tries again", TimeSpan.FromSeconds(3));
            Assert.Contains("The line broke after", said!.Problem, StringComparison.Ordinal);
            Assert.True(said.Bytes >= 2_000);
        }

        broken = false;
        var before = _server.Requests.Count;
        await using var next = await StartAsync();
        Assert.Equal(UpdateStep.Downloading, next.Service.State!.Step);
        await next.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        await next.UntilAsync(() => next.Life.IsStopping, "it stops");
        Assert.True(RawServer.From(_server.Requests.ElementAt(before)) >= 4_000);
        Assert.Null(next.Service.State!.Problem);
    }

    [Fact]
    public async Task The_new_agent_stays_when_it_has_reached_the_hub()
    {
        await InstallAsync();
        await using (var fresh = await StartAsync("b", "0.0.2"))
        {
            Assert.Equal(UpdateStep.Trial, fresh.Service.State!.Step);
            fresh.Service.HubReached();
            await fresh.UntilAsync(() => fresh.Service.State!.Step == UpdateStep.Installed, "it is confirmed");
            Assert.Null(fresh.Service.ExitCode);
            Assert.Null(_slots.Folders.ReadTrial());
            Assert.Empty(Directory.GetFiles(_slots.Folders.Download));
        }

        // And it is not installed again when the hub says the same.
        await using var later = await StartAsync("b", "0.0.2");
        await later.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        Assert.Equal(UpdateStep.Installed, later.Service.State!.Step);
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task The_new_agent_that_does_not_reach_the_hub_stops_with_its_code_and_the_old_one_tells_why()
    {
        await InstallAsync();
        await using (var fresh = await StartAsync("b", "0.0.2"))
        {
            await fresh.UntilAsync(() => fresh.Life.IsStopping, "it gives up", TimeSpan.FromSeconds(20));
            Assert.Equal(UpdateExit.TrialFailed, fresh.Service.ExitCode);
        }

        Assert.StartsWith("0.0.1 a", (await _slots.LaunchAsync()).Output, StringComparison.Ordinal);
        await using var old = await StartAsync();
        Assert.Equal((UpdateStep.RolledBack, "It did not reach the hub within 00:05:00."), (old.Service.State!.Step, old.Service.State.Problem));

        // The same build is not tried again, and what became of it stays told.
        await old.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        Assert.Equal(UpdateStep.RolledBack, old.Service.State!.Step);
        Assert.Single(_server.Requests);
        Assert.Null(old.Service.ExitCode);
    }

    [Fact]
    public async Task An_agent_whose_sensors_are_all_dead_does_not_stay_even_if_the_hub_is_reached()
    {
        await InstallAsync();
        await using var fresh = await StartAsync("b", "0.0.2", alive: ["noise"]);
        fresh.Service.HubReached();
        await fresh.UntilAsync(() => fresh.Life.IsStopping, "it gives up", TimeSpan.FromSeconds(20));

        Assert.Equal(UpdateExit.TrialFailed, fresh.Service.ExitCode);
        Assert.Equal("None of the sensors that worked before gave a value within 00:05:00: air.", _slots.Folders.ReadTrial()!.Reason);
    }

    [Fact]
    public async Task A_sensor_that_comes_to_life_within_the_trial_is_soon_enough()
    {
        await InstallAsync();
        await using var fresh = await StartAsync("b", "0.0.2", alive: []);
        fresh.Service.HubReached();
        fresh.Time.Advance(TimeSpan.FromSeconds(200));
        Assert.Equal(UpdateStep.Trial, fresh.Service.State!.Step);
        fresh.Alive = new HashSet<string> { "air" };
        await fresh.UntilAsync(() => fresh.Service.State!.Step == UpdateStep.Installed, "it is confirmed");
    }

    [Fact]
    public async Task A_bundle_of_another_key_is_refused_for_good_and_nothing_of_it_is_left()
    {
        using var stranger = new TestBundle();
        _bytes = stranger.ToBytes();
        await using (var agent = await StartAsync(serve: false))
        {
            _server.Answer = (_, request, stream) => RawServer.SendAsync(request, stream, _bytes);
            await agent.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
            await agent.UntilAsync(() => agent.Service.State!.Step == UpdateStep.Refused, "it is refused");
            Assert.Equal("The signature is of none of the trusted keys.", agent.Service.State!.Problem);
            Assert.False(agent.Life.IsStopping);
        }

        Assert.Equal(["a", "current", "download", "update.json"], Directory.GetFileSystemEntries(_slots.Root).Select(Path.GetFileName).Order());
        Assert.Empty(Directory.GetFiles(_slots.Folders.Download));
        await using var later = await StartAsync(serve: false);
        await later.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        Assert.Equal(UpdateStep.Refused, later.Service.State!.Step);
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task A_server_that_has_something_else_three_times_is_believed()
    {
        await using var agent = await StartAsync();
        _server.Answer = (_, request, stream) => RawServer.SendAsync(request, stream, new byte[_bytes.Length]);
        await agent.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        await agent.UntilAsync(() => agent.Service.State!.Step == UpdateStep.Refused, "it is refused", TimeSpan.FromSeconds(5));

        Assert.Equal(3, _server.Requests.Count);
        Assert.Contains("was announced", agent.Service.State!.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_later_wish_takes_the_place_of_an_earlier_one_and_none_ends_it()
    {
        await using var agent = await StartAsync();
        var bytes = _bytes;
        _server.Answer = (_, request, stream) => request.Contains("/slow", StringComparison.Ordinal)
            ? Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken)
            : RawServer.SendAsync(request, stream, bytes);
        await agent.Service.WantAsync(new AgentTarget("0.0.3", [TestBundle.Announce([1, 2, 3], $"{_server.Address}slow")]), Trial, TestContext.Current.CancellationToken);
        await agent.UntilAsync(() => _server.Requests.Count == 1, "it asks", TimeSpan.Zero);
        await agent.Service.WantAsync(null, Trial, TestContext.Current.CancellationToken);
        Assert.Null(agent.Service.State);
        await agent.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        await agent.UntilAsync(() => agent.Life.IsStopping, "it stops");
        Assert.Equal("0.0.2", _slots.Folders.ReadTrial()!.Version);
    }

    [Fact]
    public async Task While_an_agent_is_on_trial_the_way_back_is_not_touched()
    {
        await InstallAsync();
        await using var fresh = await StartAsync("b", "0.0.2");
        _bundle.Version = "0.0.3";
        _bytes = _bundle.ToBytes();
        await fresh.Service.WantAsync(Target("0.0.3"), Trial, TestContext.Current.CancellationToken);
        var path = Path.Combine(_slots.Folders.Download, TestBundle.Announce(_bytes, "http://x").Sha256 + ".part");
        await fresh.UntilAsync(() => File.Exists(path) && new FileInfo(path).Length == _bytes.Length, "it is fetched", TimeSpan.Zero);
        Assert.Equal("b", _slots.Folders.Current);
        Assert.Equal(Slots.Script("0.0.1"), _slots.Said("a/hub-agent"));

        fresh.Service.HubReached();
        await fresh.UntilAsync(() => fresh.Life.IsStopping, "it goes on");
        Assert.Equal(("b", "a", "0.0.3"), (_slots.Folders.ReadTrial()!.From, _slots.Folders.ReadTrial()!.To, _slots.Folders.ReadTrial()!.Version));
    }

    [Fact]
    public async Task After_a_reboot_within_the_trial_the_time_counts_anew()
    {
        await InstallAsync();
        await using var fresh = await StartAsync("b", "0.0.2", uptime: 5, boot: "boot-2");
        fresh.Time.Advance(TimeSpan.FromSeconds(290));
        Assert.False(fresh.Life.IsStopping);
        await fresh.UntilAsync(() => fresh.Life.IsStopping, "it gives up", TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Where_the_launcher_could_not_go_back_the_agent_lives_on_and_is_confirmed_by_the_hub()
    {
        await InstallAsync();
        _slots.Folders.GiveUp(_slots.Folders.ReadTrial()!, "It did not reach the hub.");
        await using var fresh = await StartAsync("b", "0.0.2");
        fresh.Time.Advance(TimeSpan.FromHours(1));
        Assert.False(fresh.Life.IsStopping);
        fresh.Service.HubReached();
        await fresh.UntilAsync(() => fresh.Service.State!.Step == UpdateStep.Installed, "it is confirmed");
    }

    [Fact]
    public async Task Switched_off_or_outside_a_slot_nothing_is_fetched_and_the_hub_is_told_why()
    {
        await using (var off = await StartAsync(isOn: false))
        {
            await off.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
            Assert.Equal(UpdateStep.Refused, off.Service.State!.Step);
            Assert.Contains("switched off", off.Service.State.Problem, StringComparison.Ordinal);
        }

        await using var outside = await UpdateFixture.StartAsync(new UpdateFixture(_slots, _bundle, slot: null));
        await outside.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        Assert.Contains("slot of update.root", outside.Service.State!.Problem, StringComparison.Ordinal);
        Assert.Empty(_server.Requests);

        var none = new NoUpdate(new RunningAgent("a", "0.0.1", TestBundle.Runtime), "why", TimeProvider.System);
        await none.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        Assert.Equal((UpdateStep.Refused, "why"), (none.State!.Step, none.State.Problem));
        await none.WantAsync(Target("0.0.1"), Trial, TestContext.Current.CancellationToken);
        Assert.Equal(UpdateStep.Installed, none.State!.Step);
    }

    [Fact]
    public async Task Damaged_notes_are_forgotten_and_the_agent_runs()
    {
        await File.WriteAllTextAsync(Path.Combine(_slots.Root, "update.json"), "{\"last\":", TestContext.Current.CancellationToken);
        await using var agent = await StartAsync();
        Assert.Null(agent.Service.State);
        Assert.Contains(agent.Log.All, line => line.Contains("update.json is damaged", StringComparison.Ordinal));
        await agent.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        await agent.UntilAsync(() => agent.Life.IsStopping, "it stops");
    }

    private async Task InstallAsync()
    {
        await using var agent = await StartAsync();
        await agent.Service.WantAsync(Target(), Trial, TestContext.Current.CancellationToken);
        await agent.UntilAsync(() => agent.Life.IsStopping, "it stops");
    }

    private Task<UpdateFixture> StartAsync(
        string slot = "a", string version = "0.0.1", bool serve = true, bool isOn = true, HashSet<string>? alive = null, double uptime = 1_000, string boot = "boot-1")
    {
        if (serve && _bytes.Length == 0)
        {
            _bytes = _bundle.ToBytes();
        }

        if (serve)
        {
            _server.Answer = (_, request, stream) => RawServer.SendAsync(request, stream, _bytes);
        }

        return UpdateFixture.StartAsync(new UpdateFixture(_slots, _bundle, slot, version, uptime, boot, isOn, alive));
    }

    private AgentTarget Target(string version = "0.0.2") => new(version, [TestBundle.Announce([9], $"{_server.Address}other", "linux-other"), TestBundle.Announce(_bytes, $"{_server.Address}bundle")]);
}
