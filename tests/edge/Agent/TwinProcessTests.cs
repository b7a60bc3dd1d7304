using System.Text;
using System.Text.Json;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Twin;
using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;

namespace Hub.Edge.Agent.Tests;

/// <summary>The real program, told by a hub what it should be and what to do.</summary>
public sealed class TwinProcessTests : IAsyncDisposable
{
    private const string Desired = "hub/v1/braga/avenida/config/desired";
    private const string Reply = "hub/v1/braga/avenida/reply";

    private readonly TempFolder _folder = new();
    private readonly TestBroker _broker = new(FreePort.Next());
    private long _version;
    private byte _correlation;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task One_sensor_changes_while_the_other_runs_on_a_bad_document_is_named_and_a_kill_changes_nothing()
    {
        await StartBrokerAsync();
        DateTime[] before;
        using (var agent = Start())
        {
            await ReportedAsync(agent, 0, TwinOutcome.None, 0);
            await Eventually.TrueAsync(() => Of("air").Length >= 3 && Of("noise").Length >= 3, "both give values");
            await WantAsync("""{"sensors":[{"name":"air","kind":"simulated","simulated":{"quantities":["pm2_5"],"interval":"00:00:01"}},{"name":"noise","kind":"simulated","simulated":{"quantities":["laeq"],"interval":"00:00:02"}}]}""");
            await ReportedAsync(agent, 1, TwinOutcome.Applied, 1);
            await Eventually.TrueAsync(() => _broker.Taken.Any(reading => reading.Sensor == "noise" && reading.Period == TimeSpan.FromSeconds(2)), "the changed one has another cadence");
            await SaidAsync(agent, "stopped noise; started noise; 1 go on undisturbed");
            Assert.Equal(1, _broker.Connects);

            await WantAsync("""{"sensors":[{"name":"air","kind":"sps31"}]}""");
            await ReportedAsync(agent, 2, TwinOutcome.Refused, 1);
            Assert.StartsWith("settings.sensors[0].kind is 'sps31'", Assert.Single(Report().Problems!), StringComparison.Ordinal);
            await ToldAsync("version 2 was refused");
            before = Of("air");
            await agent.KillAsync();
        }

        using (var again = Start())
        {
            // The good one is in force from the first moment, without the hub; the bad one is still refused.
            await Eventually.TrueAsync(() => Of("air").Length > before.Length + 3 || again.HasExited, "it goes on");
            await ReportedAsync(again, 2, TwinOutcome.Refused, 1);
            await SaidAsync(again, "interval = 00:00:02 (hub, version 1)");
            Assert.Equal(0, await again.TerminateAsync());
        }

        // Nothing lost, nothing twice, over all of it.
        var air = Of("air");
        Assert.Equal(Enumerable.Range(0, air.Length).Select(i => air[0].AddSeconds(i)), air);
        var noise = _broker.Taken.Where(reading => reading.Sensor == "noise").OrderBy(reading => reading.PhenomenonTime).ToArray();
        Assert.All(noise.Zip(noise.Skip(1)), pair => Assert.InRange(pair.Second.PhenomenonTime - pair.First.PhenomenonTime - pair.First.Period, TimeSpan.Zero, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task Settings_that_need_it_have_the_stages_built_anew_in_the_same_process_and_nothing_is_lost()
    {
        await StartBrokerAsync();
        using var agent = Start();
        await Eventually.TrueAsync(() => Of("air").Length >= 2 || agent.HasExited, "it gives values");
        await WantAsync("""{"outbox":{"ageMax":"10.00:00:00"},"report":{"interval":"00:00:01"}}""");
        await ReportedAsync(agent, 1, TwinOutcome.Applied, 1);
        await SaidAsync(agent, "the stages are built anew");
        await Eventually.TrueAsync(() => _broker.Taken.Any(reading => reading.Property == "uptime"), "it reports on itself now");

        // And the report's rhythm alone needs nothing of it.
        await WantAsync("""{"outbox":{"ageMax":"10.00:00:00"},"report":{"interval":"00:00:00"},"logLevel":"debug","name":"Rotunda"}""");
        await ReportedAsync(agent, 2, TwinOutcome.Applied, 2);
        var length = Of("air").Length;
        await Eventually.TrueAsync(() => Of("air").Length > length + 2, "it goes on");
        Assert.Equal(0, await agent.TerminateAsync());
        Assert.Equal(2, agent.Output.Count(line => line.Contains("settings: municipality", StringComparison.Ordinal)));
        var air = Of("air");
        Assert.Equal(Enumerable.Range(0, air.Length).Select(i => air[0].AddSeconds(i)), air);
    }

    [Fact]
    public async Task One_that_cuts_the_station_off_is_rolled_back_by_itself_and_not_tried_again()
    {
        await StartBrokerAsync();
        using (var agent = Start())
        {
            await WantAsync("""{"uplink":{"retryDelayMax":"00:00:02"}}""");
            await ReportedAsync(agent, 1, TwinOutcome.Applied, 1);
            await WantAsync($$"""{"uplink":{"retryDelayMax":"00:00:02"},"hub":{ "port": {{FreePort.Next()}} } }""", trial: "00:00:30");
            await Eventually.TrueAsync(() => Status().Contains("on trial", StringComparison.Ordinal) || agent.HasExited, "it is on trial");

            // Killed on trial: the start is counted, the time runs on.
            await agent.KillAsync();
        }

        using (var again = Start())
        {
            await Eventually.TrueAsync(() => Status().Contains("on trial", StringComparison.Ordinal) || again.HasExited, "it is still on trial");
            await ReportedAsync(again, 2, TwinOutcome.RolledBack, 1, TimeSpan.FromSeconds(90));
            Assert.Contains("not reached within 00:00:30", Report().Problems![0], StringComparison.Ordinal);
            await ToldAsync("version 1 of the hub is in force; version 2 was rolled back");
            var reports = _broker.Reports.Count;
            await _broker.Server.DisconnectClientAsync("braga/avenida", new MQTTnet.Server.MqttServerClientDisconnectOptions());
            await Eventually.TrueAsync(() => _broker.Reports.Count > reports, "it is connected again");
            await ReportedAsync(again, 2, TwinOutcome.RolledBack, 1);
            Assert.Equal(0, await again.TerminateAsync());
        }

        var air = Of("air");
        Assert.Equal(Enumerable.Range(0, air.Length).Select(i => air[0].AddSeconds(i)), air);
    }

    [Fact]
    public async Task Commands_are_done_and_answered()
    {
        var accepted = "s3cret";
        _broker.Login = e => e.Password == accepted ? MQTTnet.Protocol.MqttConnectReasonCode.Success : MQTTnet.Protocol.MqttConnectReasonCode.BadUserNameOrPassword;
        await StartBrokerAsync();
        using var agent = Start();
        await Eventually.TrueAsync(() => (Of("air").Length >= 2 && _broker.Reports.Count > 0) || agent.HasExited, "it gives values and hears commands");

        var read = await CommandAsync("read-now", """{"sensor":"air"}""");
        Assert.Equal("pm2_5", Assert.Single(read.Result!.Value.GetProperty("readings").EnumerateArray()).GetProperty("property").GetString());

        var diagnostics = await CommandAsync("diagnostics", """{"lines":1000}""");
        Assert.Equal("braga", diagnostics.Result!.Value.GetProperty("status").GetProperty("municipality").GetString());
        Assert.Contains("hub.secretFile", diagnostics.Result.Value.GetProperty("settings").GetRawText(), StringComparison.Ordinal);
        Assert.Contains("connected to", diagnostics.Result.Value.GetProperty("log").GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", diagnostics.Result.Value.GetRawText(), StringComparison.Ordinal);

        // Whichever the machine of the tests has: a light, or a reason.
        Assert.NotEqual(CommandOutcome.Failed, (await CommandAsync("identify", """{"seconds":1}""")).Outcome);

        accepted = "the-second-secret";
        Assert.Equal(CommandOutcome.Done, (await CommandAsync("rotate-credentials", """{"secret":"the-second-secret"}""")).Outcome);
        Assert.Equal(CommandOutcome.Failed, (await CommandAsync("rotate-credentials", """{"secret":"the-third-secret"}""")).Outcome);

        Assert.Equal(CommandOutcome.Done, (await CommandAsync("restart", "")).Outcome);
        await Eventually.TrueAsync(() => agent.Output.Count(line => line.Contains("settings: municipality", StringComparison.Ordinal)) == 2 || agent.HasExited, "the stages are built anew");

        var taken = Of("air").Length;
        await Eventually.TrueAsync(() => Of("air").Length > taken + 1, "they give values");

        // The last of all restarts is not done again when it is delivered again.
        await _broker.SendAsync("hub/v1/braga/avenida/command/restart", "", responseTopic: Reply, correlation: [_correlation]);
        await Eventually.TrueAsync(() => _broker.Replies.Count(reply => reply.Correlation == Convert.ToHexString([_correlation])) == 2, "it is answered again");
        Assert.Equal(CommandOutcome.Done, (await CommandAsync("read-now", "")).Outcome);
        Assert.Equal(2, agent.Output.Count(line => line.Contains("settings: municipality", StringComparison.Ordinal)));
        Assert.DoesNotContain("secret\"", agent.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("the-second-secret", agent.Said, StringComparison.Ordinal);
        Assert.Equal(0, await agent.TerminateAsync());
        var air = Of("air");
        Assert.Equal(Enumerable.Range(0, air.Length).Select(i => air[0].AddSeconds(i)), air);
    }

    [Fact]
    public async Task A_service_of_systemd_ends_so_that_it_is_started_again()
    {
        await StartBrokerAsync();
        using var run = new AgentRun(
            new AgentArguments { StationFile = _folder.File("station.yaml"), Data = _folder.File("data") }, new System.Collections.Hashtable(), _folder.Path, TimeProvider.System, isSupervised: true);
        var ending = run.RunAsync(null, Cancel);
        await Eventually.TrueAsync(() => (Of("air").Length >= 1 && _broker.Reports.Count > 0) || ending.IsCompleted, "it gives values and hears commands");
        Assert.Equal(CommandOutcome.Done, (await CommandAsync("restart", "")).Outcome);
        Assert.Equal(AgentCommands.AgainWanted, await ending.WaitAsync(Eventually.Limit, Cancel));

        // This broker, the library's alone, may say the will after it.
        await Eventually.TrueAsync(() => _broker.Others.Any(other => other.Payload.Contains("\"reason\":\"stopped\"", StringComparison.Ordinal)), "the goodbye arrived");
    }

    [Theory]
    [InlineData("42", 42, false, true)]
    [InlineData("41", 42, false, false)]
    [InlineData(null, 42, true, true)]
    [InlineData(null, 42, false, false)]
    public void A_service_is_told_by_who_started_it(string? executed, int process, bool isService, bool expected) => Assert.Equal(expected, Supervisor.IsPresent(executed, process, isService));

    /// <summary>What a program prints comes by another way than what it publishes, and may be the later.</summary>
    private static Task SaidAsync(AgentProcess agent, string text) => Eventually.TrueAsync(() => agent.Output.Any(line => line.Contains(text, StringComparison.Ordinal)), $"it says '{text}'");

    private async Task<CommandReply> CommandAsync(string name, string payload)
    {
        var correlation = Convert.ToHexString([++_correlation]);
        await _broker.SendAsync($"hub/v1/braga/avenida/command/{name}", payload, responseTopic: Reply, correlation: [_correlation]);
        await Eventually.TrueAsync(() => _broker.Replies.Any(reply => reply.Correlation == correlation), $"{name} is answered");
        Assert.True(CommandReply.TryRead(Encoding.UTF8.GetBytes(_broker.Replies.First(reply => reply.Correlation == correlation).Payload), out var reply, out var problem), problem);
        return reply;
    }

    private Task WantAsync(string settings, string trial = "00:05:00") =>
        _broker.SendAsync(Desired, $$"""{"version":{{++_version}},"settings":{{settings}},"trial":"{{trial}}"}""", retain: true);

    private async Task ReportedAsync(AgentProcess agent, long version, TwinOutcome outcome, long inForce, TimeSpan? limit = null)
    {
        await Eventually.TrueAsync(
            () => agent.HasExited || (_broker.Reports.Count > 0 && Report() is var report && (report.Version, report.Outcome, report.InForce) == (version, outcome, inForce)),
            $"version {version} is {outcome}, {inForce} in force", limit);
        Assert.False(agent.HasExited, agent.Said);
    }

    private ReportedState Report() => ReportedState.TryRead(Encoding.UTF8.GetBytes(_broker.Reports[^1]), out var state, out var problem) ? state : throw new InvalidOperationException(problem);

    private DateTime[] Of(string sensor) => [.. _broker.Taken.Where(reading => reading.Sensor == sensor).Select(reading => reading.PhenomenonTime).Order()];

    /// <summary>The agent may be too busy to answer, and its file tells of an earlier moment.</summary>
    private Task ToldAsync(string text) => Eventually.TrueAsync(() => Status().Contains(text, StringComparison.Ordinal), $"the status says '{text}'");

    private string Status()
    {
        using var output = new StringWriter();
        _ = StatusReader.Print(_folder.File("data"), output, TextWriter.Null);
        return output.ToString();
    }

    private async Task StartBrokerAsync()
    {
        await File.WriteAllTextAsync(_folder.File("secret"), "s3cret\n", Cancel);
        await File.WriteAllTextAsync(
            _folder.File("station.yaml"),
            $$"""
            municipality: braga
            station: avenida
            hub: { address: 127.0.0.1, port: {{_broker.Port}}, secretFile: secret }
            report: { interval: 00:00:00 }
            sensors:
              - { name: air, kind: simulated, simulated: { quantities: [pm2_5], interval: 00:00:01 } }
              - { name: noise, kind: simulated, simulated: { quantities: [laeq], interval: 00:00:01 } }
            """,
            Cancel);
        await _broker.StartAsync();
    }

    private AgentProcess Start() =>
        new(new Dictionary<string, string>(), "run", "--station-file", _folder.File("station.yaml"), "--data", _folder.File("data"));
}
