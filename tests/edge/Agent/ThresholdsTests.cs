using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;

namespace Hub.Edge.Agent.Tests;

/// <summary>The real program without a hub: what crosses a threshold happens on the spot, survives kill -9, and is off when the agent stops in good order.</summary>
public sealed class ThresholdsTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestBroker _broker = new(FreePort.Next());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_siren_sounds_without_a_hub_and_after_a_power_cut()
    {
        await _broker.StartAsync();
        await File.WriteAllTextAsync(_folder.File("station.yaml"), $$"""
            municipality: braga
            station: avenida
            hub: { address: 127.0.0.1, port: {{FreePort.Next()}} }
            sensors:
              - { name: air, kind: simulated, simulated: { quantities: [pm10], interval: 00:00:01 } }
            thresholds:
              withoutHubAfter: 00:00:00
              rules:
                - { slug: any-dust, property: pm10, setLevel: -50 }
              actions:
                - { rule: any-dust, onlyWithoutHub: true, mqtt: { port: {{_broker.Port}}, topic: city/siren } }
            """, Cancel);
        var environment = new Dictionary<string, string> { ["HUB_AGENT_SECRET"] = "s3cret" };
        string[] arguments = ["run", "--station-file", _folder.File("station.yaml"), "--data", _folder.File("data")];
        using (var agent = new AgentProcess(environment, arguments))
        {
            await Eventually.TrueAsync(() => Said("\"on\":true") > 0 || agent.HasExited, "the siren is on");
            Assert.False(agent.HasExited, agent.Said);
            await Eventually.TrueAsync(() => File.Exists(_folder.File("data/thresholds.json")), "the alarm is written");
            await agent.KillAsync();
        }

        Assert.Equal(0, Said("\"stopped\":true"));
        var before = Said("\"on\":true");
        using (var agent = new AgentProcess(environment, [.. arguments, "--set", "sensors[0].simulated.interval=01:00:00"]))
        {
            await Eventually.TrueAsync(() => Said("\"on\":true") > before || agent.HasExited, "the siren is on again");
            Assert.False(agent.HasExited, agent.Said);
            Assert.Equal(0, await agent.TerminateAsync());
            Assert.Contains("alarms were on when the agent last ran", agent.Said, StringComparison.Ordinal);
        }

        await Eventually.TrueAsync(() => _broker.Others[^1].Payload.Contains("\"stopped\":true", StringComparison.Ordinal), "the siren is told at the end");
        var last = _broker.Others[^1];
        Assert.Equal(("city/siren", true), (last.Topic, last.Retain));
        Assert.Contains("\"on\":false", last.Payload, StringComparison.Ordinal);
        Assert.Contains("\"stopped\":true", last.Payload, StringComparison.Ordinal);
    }

    private int Said(string text) => _broker.Others.Count(other => other.Payload.Contains(text, StringComparison.Ordinal));
}
