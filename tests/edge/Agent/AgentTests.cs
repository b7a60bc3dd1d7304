using System.Collections;
using System.Text.Json;
using System.Text.RegularExpressions;
using Hub.Edge.Outbox;
using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;
using MQTTnet.Protocol;

namespace Hub.Edge.Agent.Tests;

/// <summary>The whole agent against a broker: in this process, and as the program itself.</summary>
public sealed partial class AgentTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestBroker _broker = new(FreePort.Next());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string StationFilePath => _folder.File("station.yaml");

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_a_simulated_sensor_measures_arrives_at_the_broker()
    {
        Station("report: { interval: 00:00:01 }", quantities: "pm2_5, laeq", history: "00:05:00");
        _broker.Login = e => e.UserName == "braga/avenida" && e.Password == "s3cret" ? MqttConnectReasonCode.Success : MqttConnectReasonCode.BadUserNameOrPassword;
        await _broker.StartAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var error = new StringWriter();
        var run = Run(["run", .. Arguments()], error, stop.Token);
        await Eventually.TrueAsync(() => _broker.Taken.Count(r => r.Sensor == "air") >= 600 || run.IsCompleted, "the backlog of five minutes arrived");
        await Eventually.TrueAsync(() => _broker.Taken.Count(r => r.Sensor == "agent") >= 4 || run.IsCompleted, "the agent reported on itself");
        await stop.CancelAsync();
        Assert.Equal((0, ""), (await run.WaitAsync(Eventually.Limit, Cancel), error.ToString()));

        var air = _broker.Taken.Where(r => r.Sensor == "air").ToArray();
        Assert.Equal(["laeq", "pm2_5"], air.Select(r => r.Property).Distinct().Order());
        Assert.All(air, r => Assert.Equal(TimeSpan.FromSeconds(1), r.Period));
        Assert.Subset(new HashSet<string> { "uptime", "outbox_depth", "cpu_temperature", "clock_state", "clock_sync_age", "clock_step" }, _broker.Taken.Where(r => r.Sensor == "agent").Select(r => r.Property).ToHashSet());
        using var birth = JsonDocument.Parse(_broker.Others[0].Payload);
        Assert.Equal("online", birth.RootElement.GetProperty("state").GetString());
        Assert.StartsWith("hub-agent 0.1.0", birth.RootElement.GetProperty("agent").GetString(), StringComparison.Ordinal);
        await GoodbyeAsync();

        using var output = new StringWriter();
        Assert.Equal(0, StatusReader.Print(_folder.File("data"), output, error));
        var lines = output.ToString().Split(Environment.NewLine);
        Assert.Equal("station   braga/avenida", lines[0]);
        Assert.Contains(", stopped, started ", lines[1], StringComparison.Ordinal);
        Assert.Contains("problem   none", lines);
        Assert.Contains(lines, Backlog().IsMatch);
    }

    [Theory]
    [InlineData("00:00:00", false)]
    [InlineData("00:05:00", false)]
    [InlineData("00:00:00", true)]
    public async Task Killed_at_any_moment_it_loses_nothing_and_makes_nothing_up(string writeDelay, bool native)
    {
        var program = native ? await NativeAgent.GetAsync("linux-x64", Cancel) : AgentProcess.Managed;
        Station("report: { interval: 00:00:00 }", quantities: "pm2_5", history: "01:00:00");
        _broker.Before = (_, cancel) => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancel);
        await _broker.StartAsync();
        var random = new Random(20261123);
        for (var kill = 0; kill < 10; kill++)
        {
            using var agent = Start(program, "--set", "uplink.packReadings=20", "--set", $"outbox.writeDelay={writeDelay}");
            var wanted = _broker.Packs.Count + random.Next(1, 12);
            await Eventually.TrueAsync(() => _broker.Packs.Count >= wanted || agent.HasExited, "packs arrived");
            Assert.False(agent.HasExited, agent.Said);
            await agent.KillAsync();
        }

        _broker.Before = (_, _) => Task.CompletedTask;
        using (var last = Start(program))
        {
            await Eventually.TrueAsync(() => _broker.Taken.Count >= 3600 || last.HasExited, "the whole backlog arrived");
            Assert.Equal(0, await last.TerminateAsync());
        }

        var status = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(Path.Combine(_folder.File("data"), "status.json"), Cancel), AgentStatusJson.Default.AgentStatus)!;
        Assert.True(status.Stopped);
        var counters = status.Outbox;
        Assert.Equal((0, 0, 0, 0), (counters.DroppedFull, counters.DroppedAge, counters.DroppedDamaged, counters.Refused));
        Assert.Equal(counters.Taken, counters.Released + counters.Held);

        // The simulated sensor gives one value for every second: a hole would be a loss, a second value for one second would be made up.
        var arrived = _broker.Taken.OrderBy(r => r.PhenomenonTime).ToArray();
        Assert.InRange(arrived.Length, counters.Released, counters.Taken);
        Assert.Equal(Enumerable.Range(0, arrived.Length).Select(i => arrived[0].PhenomenonTime.AddSeconds(i)), arrived.Select(r => r.PhenomenonTime));
        Assert.True(_broker.Packs.Sum(pack => pack.Readings.Count) > arrived.Length, "Nothing was sent twice: the kills came too late to test anything.");
    }

    [Fact]
    public async Task What_cannot_be_read_again_survives_kills_while_there_is_no_hub_and_nothing_of_it_is_on_disk()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "The journal wants a folder in memory.");
        Station("report: { interval: 00:00:01 }", quantities: "pm2_5", history: "00:00:00");
        using var error = new StringWriter();
        long taken = 0;
        for (var kill = 0; kill < 3; kill++)
        {
            using var agent = Start(AgentProcess.Managed);

            // One look: the next may have no answer of the agent's, and tell of an earlier moment out of its file.
            OutboxCounters before = default;
            await Eventually.TrueAsync(() => agent.HasExited || Counters() is { } now && (before = now).Taken >= taken + 6, "the agent took more");
            await Eventually.TrueAsync(() => agent.Output.Any(line => line.Contains(" readings held in ", StringComparison.Ordinal)), "what it said is here");
            var opened = agent.Output.Single(line => line.Contains(" readings held in ", StringComparison.Ordinal));
            var kept = long.Parse(opened.Split("opened: ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
            Assert.InRange(kept, taken, long.MaxValue);
            Assert.Equal(before.Taken, before.Held);
            await agent.KillAsync();
            Assert.InRange(before.Taken, taken + 6, long.MaxValue);
            taken = before.Taken;
        }

        await _broker.StartAsync();
        using var last = Start(AgentProcess.Managed);
        await Eventually.TrueAsync(() => last.HasExited || Counters() is { Held: <= 5 } now && now.Released >= taken, "all of it arrived");
        Assert.Equal(0, await last.TerminateAsync());
        var uptimes = _broker.Taken.Count(r => r.Property == "uptime");
        Assert.InRange(uptimes, 3, long.MaxValue);
        Assert.InRange(_broker.Taken.Count, taken, long.MaxValue);

        OutboxCounters? Counters()
        {
            using var output = new StringWriter();
            if (StatusReader.Print(_folder.File("data"), output, error) != 0)
            {
                return null;
            }

            var lines = output.ToString().Split(Environment.NewLine);
            return new OutboxCounters(Of("taken"), Of("released"), Of("held"), 0, 0, 0, 0);

            long Of(string name) => long.Parse(lines.Single(line => line.StartsWith(name + " ", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    [Fact]
    public async Task A_station_of_the_demonstration_sends_what_the_publisher_measured()
    {
        await _broker.StartAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var error = new StringWriter();
        var anchor = TimeProvider.System.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var run = Run(
            [
                "--station-file", Path.Combine(Repository.Root, "firmware-config/demo/stations/braga/avenida-da-liberdade.yaml"), "--data", _folder.File("data"),
                "--hub", $"127.0.0.1:{_broker.Port}", "--anchor", anchor, "--history", "1.00:00:00",
            ],
            error,
            stop.Token);
        await Eventually.TrueAsync(
            () => run.IsCompleted || (_broker.Taken.Any(r => r.Property == "no2") && _broker.Taken.Any(r => r.Property == "vehicle_count_car")), "air and traffic arrived");
        await stop.CancelAsync();
        Assert.Equal((0, ""), (await run.WaitAsync(Eventually.Limit, Cancel), error.ToString()));
        Assert.All(_broker.Packs, pack => Assert.Equal("hub/v1/braga/avenida-da-liberdade/readings", pack.Topic));
        Assert.Contains("Ostluft", _broker.Others[0].Payload, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_stops_when_its_parent_closes_standard_input()
    {
        Station();
        await _broker.StartAsync();
        using var agent = Start(AgentProcess.Managed, "--exit-with-stdin");
        await Eventually.TrueAsync(() => _broker.Others.Count > 0 || agent.HasExited, "the birth arrived");
        Assert.Equal(0, await agent.CloseInputAsync());
        await GoodbyeAsync();
        Assert.Contains(agent.Output, line => line.Contains("Z info: Hub.Edge.Agent", StringComparison.Ordinal) && line.Contains("hub.secret = (hidden) (HUB_AGENT_SECRET)", StringComparison.Ordinal));
        Assert.DoesNotContain("s3cret", agent.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_asks_the_running_agent_and_reads_its_file_when_it_is_killed()
    {
        Station(quantities: "pm2_5, laeq", history: "00:05:00");
        await _broker.StartAsync();
        using var error = new StringWriter();
        using (var agent = Start(AgentProcess.Managed))
        {
            await Eventually.TrueAsync(() => _broker.Taken.Count >= 600 || agent.HasExited, "the backlog arrived");
            var said = "";
            await Eventually.TrueAsync(() => (said = Said()).Contains("connected since", StringComparison.Ordinal), "the status of now is told");
            Assert.DoesNotContain("taken     0", said, StringComparison.Ordinal);
            await agent.KillAsync();
        }

        Assert.Contains("not running", Said(), StringComparison.Ordinal);
        Assert.Equal("", error.ToString());

        string Said()
        {
            using var output = new StringWriter();
            Assert.Equal(0, StatusReader.Print(_folder.File("data"), output, error));
            return output.ToString();
        }
    }

    [Fact]
    public async Task A_second_agent_on_the_same_folder_is_told_so_in_one_line()
    {
        Station();
        await _broker.StartAsync();
        using var first = Start(AgentProcess.Managed);
        await Eventually.TrueAsync(() => _broker.Others.Count > 0 || first.HasExited, "the birth arrived");
        using var second = Start(AgentProcess.Managed);
        Assert.Equal(2, await second.ExitAsync());
        Assert.Equal(
            [$"hub-agent: The outbox folder {_folder.File("data/outbox")} is in use by another process; stop that agent or give this one another folder."],
            second.Error.Where(line => line.Length > 0));
        Assert.Equal(0, await first.TerminateAsync());
    }

    [Theory]
    [InlineData("hub: { prot: 1 }", "hub-agent: station.yaml:7:8: hub.prot: unknown key; did you mean \"port\"?")]
    [InlineData("uplink: { window: 0 }", "hub-agent: station.yaml:7:19: Agent:Uplink:Window is 0; give 1 to 100.")]
    public async Task A_wrong_station_file_is_one_line_and_exit_code_2(string wrong, string message)
    {
        Station(wrong);
        foreach (var verb in (string[])["run", "check"])
        {
            using var error = new StringWriter();
            Assert.Equal(2, await Run([verb, .. Arguments()], error, Cancel));
            Assert.Equal(message.Replace("station.yaml", StationFilePath, StringComparison.Ordinal) + Environment.NewLine, error.ToString());
        }
    }

    [Fact]
    public async Task Check_prints_the_settings_and_status_and_schema_need_no_station_file()
    {
        Station();
        using var error = new StringWriter();
        using var output = new StringWriter();
        Assert.Equal(0, await AgentCommands.InvokeAsync(["check", .. Arguments()], Secret(), output, error, Cancel));
        Assert.Contains("hub.secret = (hidden) (HUB_AGENT_SECRET)", output.ToString(), StringComparison.Ordinal);
        Assert.EndsWith($"{StationFilePath}: good.{Environment.NewLine}", output.ToString(), StringComparison.Ordinal);

        using var schema = new StringWriter();
        Assert.Equal(0, await AgentCommands.InvokeAsync(["schema"], Secret(), schema, error, Cancel));
        Assert.Equal(StationSchema.Text(), schema.ToString());
        Assert.Equal("", error.ToString());

        Assert.Equal(2, await AgentCommands.InvokeAsync(["status", "--data", _folder.File("none")], Secret(), output, error, Cancel));
        Assert.Equal($"hub-agent: {_folder.File("none")}: no agent has written its status there; give the folder of a running agent with --data.{Environment.NewLine}", error.ToString());
    }

    [Theory]
    [InlineData("run", "--station-file", "/no/such/station.yaml")]
    [InlineData("run", "--no-such-option", "1")]
    [InlineData("no-such-verb", "--hub", "x")]
    [InlineData("check", "--hub", "nonsense")]
    public async Task A_wrong_command_line_is_said_and_exit_code_2(params string[] arguments)
    {
        using var error = new StringWriter();
        Station();
        string[] file = arguments.Contains("--hub") && arguments[0] == "check" ? ["--station-file", StationFilePath] : [];
        Assert.Equal(2, await Run([.. arguments, .. file], error, Cancel));
        Assert.All(error.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries), line => Assert.StartsWith("hub-agent: ", line, StringComparison.Ordinal));
        Assert.NotEqual("", error.ToString());
    }

    [Theory]
    [InlineData("--help", "--station-file")]
    [InlineData("run --help", "--exit-with-stdin")]
    [InlineData("status --help", "--data")]
    public async Task Help_names_the_options(string arguments, string expected)
    {
        using var output = new StringWriter();
        Assert.Equal(0, await AgentCommands.InvokeAsync(arguments.Split(' '), Secret(), output, TextWriter.Null, Cancel));
        Assert.Contains(expected, output.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Five minutes of two values a second, and what was measured since.</summary>
    [GeneratedRegex("^sensor    air: running, taken ([6-9][0-9]{2}|[0-9]{4}) ")]
    private static partial Regex Backlog();

    /// <summary>It is heard; this broker, the library's alone, may say the will after it, which the hub's does not (its GoodbyeTests).</summary>
    private Task GoodbyeAsync() => Eventually.TrueAsync(() => _broker.Others.Any(other => other.Payload.Contains("\"reason\":\"stopped\"", StringComparison.Ordinal)), "the goodbye arrived");

    private static Hashtable Secret() => new() { ["HUB_AGENT_SECRET"] = "s3cret" };

    private static Task<int> Run(string[] arguments, TextWriter error, CancellationToken cancellationToken) =>
        Task.Run(() => AgentCommands.InvokeAsync(arguments, Secret(), TextWriter.Null, error, cancellationToken), CancellationToken.None);

    private AgentProcess Start() => Start(AgentProcess.Managed);

    private AgentProcess Start(string program, params string[] more) => new(program, new Dictionary<string, string> { ["HUB_AGENT_SECRET"] = "s3cret" }, ["run", .. Arguments(), .. more]);

    private string[] Arguments() => ["--station-file", StationFilePath, "--data", _folder.File("data"), "--hub", $"127.0.0.1:{_broker.Port}"];

    private void Station(string more = "", string quantities = "pm2_5", string history = "00:00:00") => File.WriteAllText(StationFilePath, $"""
        municipality: braga
        station: avenida
        sensors:
          - name: air
            kind: simulated
            simulated: [ quantities: [{quantities}], interval: 00:00:01, history: {history} ]
        {more}
        """.Replace("simulated: [ ", "simulated: { ", StringComparison.Ordinal).Replace($"{history} ]", $"{history} }}", StringComparison.Ordinal));
}
