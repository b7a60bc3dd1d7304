using System.Globalization;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>
/// A station and its hub over TLS, as on a street: the hub's certificate comes from an authority below the one the installer was given. An agent that was given another
/// authority sends nothing, says why and tries again; with the right file put in its place it delivers everything, without a restart.
/// </summary>
public sealed class TlsJourney
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly string Data = Path.Combine(Repository.Root, "firmware-config", "demo", "data");

    [Fact]
    public async Task An_agent_delivers_over_tls_to_the_hub_it_was_told_to_trust_and_to_no_other()
    {
        using var folder = new TempFolder();
        using var root = new TestAuthority();
        using var authority = new TestAuthority(root);
        using var other = new TestAuthority();
        authority.IssueFiles(folder.File("hub.pem"), folder.File("hub.key"), "127.0.0.1");
        await File.WriteAllTextAsync(folder.File("ca.pem"), other.Pem);
        await using var hub = new HubProgram(folder.File("data"));
        var secret = await hub.AddStationAsync("braga", "minute");
        var port = FreePort.Next();
        hub.Set("Hub:Mqtt:Tls:Endpoint", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"));
        hub.Set("Hub:Mqtt:Tls:CertificateFile", folder.File("hub.pem"));
        hub.Set("Hub:Mqtt:Tls:KeyFile", folder.File("hub.key"));
        await hub.StartAsync();
        await File.WriteAllTextAsync(folder.File("minute.yaml"), $$"""
            municipality: braga
            station: minute
            name: minute
            location: { latitude: 41.55, longitude: -8.42 }
            hub: { tls: true, caFile: {{folder.File("ca.pem")}} }
            sensors:
              - name: minute
                kind: replay
                replay: { format: noisemonitor, file: {{Data}}/test_data_laeq1m.csv.gz, period: "00:01:00", history: all, publisher: test, licence: test }
            """);
        var anchor = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        await using var agent = new AgentProgram("minute", folder.File("minute.yaml"), folder.File("agent"), secret, port, anchor, "all");
        agent.Start();
        await Eventually.TrueAsync(
            async () => (await agent.CountersAsync()).Taken > 0 && agent.Output.Split("The hub's certificate is not accepted").Length > 2, "the agent says twice why it does not deliver", Limit);
        var reader = new HubReader(hub.Client);
        Assert.Empty(await reader.DatastreamsAsync());
        Assert.Equal(0, (await agent.CountersAsync()).Released);

        await File.WriteAllTextAsync(folder.File("ca.pem"), root.Pem);
        await Eventually.TrueAsync(async () => await agent.CountersAsync() is { Taken: > 10_000, Held: < 10 }, "the agent has delivered", Limit);
        await agent.StopAsync();
        var counters = await agent.CountersAsync();
        var stored = 0L;
        foreach (var stream in await reader.DatastreamsAsync())
        {
            stored += await reader.CountAsync(stream.Id);
        }

        Assert.InRange(stored, counters.Taken - counters.Held, counters.Taken);
    }
}
