using System.Collections;
using System.Text.Json;
using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;
using MQTTnet.Protocol;

namespace Hub.Edge.Agent.Tests;

/// <summary>The whole agent against a broker: in this process, and as the program itself.</summary>
public sealed class AgentTests : IAsyncDisposable
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
        Assert.Subset(new HashSet<string> { "uptime", "outbox_depth", "cpu_temperature" }, _broker.Taken.Where(r => r.Sensor == "agent").Select(r => r.Property).ToHashSet());
        using var birth = JsonDocument.Parse(_broker.Others[0].Payload);
        Assert.Equal("online", birth.RootElement.GetProperty("state").GetString());
        Assert.StartsWith("hub-agent 0.1.0", birth.RootElement.GetProperty("agent").GetString(), StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"stopped\"", _broker.Others[^1].Payload, StringComparison.Ordinal);

        using var output = new StringWriter();
        Assert.Equal(0, StatusReader.Print(_folder.File("data"), output, error));
        var lines = output.ToString().Split(Environment.NewLine);
        Assert.Equal("station   braga/avenida", lines[0]);
        Assert.Contains(", stopped, started ", lines[1], StringComparison.Ordinal);
        Assert.Contains("problem   none", lines);
        Assert.Contains(lines, line => line.StartsWith("sensor    air: running, taken 6", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("00:00:00")]
    [InlineData("00:05:00")]
    public async Task Killed_at_any_moment_it_loses_nothing_and_makes_nothing_up(string writeDelay)
    {
        Station("report: { interval: 00:00:00 }", quantities: "pm2_5", history: "01:00:00");
        _broker.Before = (_, cancel) => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancel);
        await _broker.StartAsync();
        var random = new Random(20261123);
        for (var kill = 0; kill < 10; kill++)
        {
            using var agent = Start("--set", "uplink.packReadings=20", "--set", $"outbox.writeDelay={writeDelay}");
            var wanted = _broker.Packs.Count + random.Next(1, 12);
            await Eventually.TrueAsync(() => _broker.Packs.Count >= wanted || agent.HasExited, "packs arrived");
            Assert.False(agent.HasExited, agent.Said);
            await agent.KillAsync();
        }

        _broker.Before = (_, _) => Task.CompletedTask;
        using (var last = Start())
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
        if (writeDelay == "00:00:00")
        {
            // With a delay a kill may come before the first writing; its readings then arrived without ever having counted as taken.
            Assert.InRange(arrived.Length, counters.Released, counters.Taken);
        }

        Assert.Equal(Enumerable.Range(0, arrived.Length).Select(i => arrived[0].PhenomenonTime.AddSeconds(i)), arrived.Select(r => r.PhenomenonTime));
        Assert.True(_broker.Packs.Sum(pack => pack.Readings.Count) > arrived.Length, "Nothing was sent twice: the kills came too late to test anything.");
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
                "--station-file", Repository.File("firmware-config/demo/stations/braga/avenida-da-liberdade.yaml"), "--data", _folder.File("data"),
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
        using var agent = Start("--exit-with-stdin");
        await Eventually.TrueAsync(() => _broker.Others.Count > 0 || agent.HasExited, "the birth arrived");
        Assert.Equal(0, await agent.CloseInputAsync());
        Assert.Contains("\"reason\":\"stopped\"", _broker.Others[^1].Payload, StringComparison.Ordinal);
        Assert.Contains(agent.Output, line => line.Contains("Z info: Hub.Edge.Agent", StringComparison.Ordinal) && line.Contains("hub.secret = (hidden) (HUB_AGENT_SECRET)", StringComparison.Ordinal));
        Assert.DoesNotContain("s3cret", agent.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_asks_the_running_agent_and_reads_its_file_when_it_is_killed()
    {
        Station(quantities: "pm2_5, laeq", history: "00:05:00");
        await _broker.StartAsync();
        using var error = new StringWriter();
        using (var agent = Start())
        {
            await Eventually.TrueAsync(() => _broker.Taken.Count >= 600 || agent.HasExited, "the backlog arrived");
            await Eventually.TrueAsync(() => Said().Contains("connected since", StringComparison.Ordinal), "the status of now is told");
            Assert.DoesNotContain("taken     0", Said(), StringComparison.Ordinal);
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
        using var first = Start();
        await Eventually.TrueAsync(() => _broker.Others.Count > 0 || first.HasExited, "the birth arrived");
        using var second = Start();
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

    private static Hashtable Secret() => new() { ["HUB_AGENT_SECRET"] = "s3cret" };

    private static Task<int> Run(string[] arguments, TextWriter error, CancellationToken cancellationToken) =>
        Task.Run(() => AgentCommands.InvokeAsync(arguments, Secret(), TextWriter.Null, error, cancellationToken), CancellationToken.None);

    private AgentProcess Start(params string[] more) => new(new Dictionary<string, string> { ["HUB_AGENT_SECRET"] = "s3cret" }, ["run", .. Arguments(), .. more]);

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
