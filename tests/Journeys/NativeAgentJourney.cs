using System.Globalization;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>
/// The very file that is put on a Raspberry Pi, arm64 machine code, delivers to the real hub over TLS: killed while data flows and started again, every reading it took is in the hub's
/// store once. An emulator (qemu-user) runs it here, with Debian's arm64 libraries; the native x64 agent does the same without one.
/// </summary>
public sealed class NativeAgentJourney(ITestOutputHelper output)
{
    /// <summary>More than four hundred thousand bytes are sent in all: the kill comes well before their end.</summary>
    private const long BytesBeforeTheKill = 60_000;

    private const long BytesGranted = 90_000;

    /// <summary>Some two seconds of the line: what is on it when the agent is killed.</summary>
    private const long BytesAtTheKill = 150_000;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);
    private static readonly string Data = Path.Combine(Repository.Root, "firmware-config", "demo", "data");
    private static readonly string Arm64Root = Path.Combine(Repository.Root, "artifacts", "arm64-root");

    /// <summary>The one that a Raspberry Pi gets; in the long run the other as well.</summary>
    public static TheoryData<string> Runtimes => Repeats.AreMany ? ["linux-arm64", "linux-x64"] : ["linux-arm64"];

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Killed_and_started_again_it_has_delivered_every_reading_once(string runtime)
    {
        var program = await NativeAgent.GetAsync(runtime, CancellationToken.None);
        Assert.True(runtime != "linux-arm64" || File.Exists(Path.Combine(Arm64Root, "complete")), "The arm64 libraries are missing: run .ci/arm64-root, or .ci/test, once.");
        using var folder = new TempFolder();
        using var authority = new TestAuthority();
        authority.IssueFiles(folder.File("hub.pem"), folder.File("hub.key"), "127.0.0.1");
        await File.WriteAllTextAsync(folder.File("ca.pem"), authority.Pem);
        await using var hub = new HubProgram(folder.File("data"));
        var secret = await hub.AddStationAsync("braga", "minute");
        var tls = FreePort.Next();
        hub.Set("Hub:Mqtt:Tls:Endpoint", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{tls}"));
        hub.Set("Hub:Mqtt:Tls:CertificateFile", folder.File("hub.pem"));
        hub.Set("Hub:Mqtt:Tls:KeyFile", folder.File("hub.key"));
        await hub.StartAsync();
        await File.WriteAllTextAsync(folder.File("minute.yaml"), $$"""
            municipality: braga
            station: minute
            name: minute
            location: { latitude: 41.55, longitude: -8.42 }
            hub: { tls: true, caFile: ca.pem }
            uplink: { packReadings: 20, window: 2 }
            sensors:
              - name: minute
                kind: replay
                replay: { format: noisemonitor, file: {{Data}}/test_data_laeq1m.csv.gz, period: "00:01:00", history: all, publisher: test, licence: test }
            """);
        await using var line = new RationedLine(tls);
        var anchor = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        string[] call = runtime == "linux-arm64" ? ["qemu-aarch64-static", "-L", Arm64Root, program] : [program];
        await using var agent = new AgentProgram("minute", folder.File("minute.yaml"), folder.File("agent"), secret, line.Port, anchor, "all", call);
        agent.Start();
        line.Grant(BytesGranted);
        var reader = new HubReader(hub.Client);
        await Eventually.TrueAsync(
            async () => agent.HasExited
                ? throw new InvalidOperationException($"The agent ended:\n{agent.Output}")
                : line.Carried >= BytesBeforeTheKill && await reader.CounterAsync("hub_ingest_records_total", "outcome=\"stored\"") > 500,
            "the hub stores what the agent sends", Limit);

        // However long it took to see that, and whether the ration has passed meanwhile: now there is more, and the kill comes while it flows.
        line.Grant(BytesAtTheKill);
        await agent.KillAsync();
        Assert.True(line.IsOpen, "Data was to flow at the kill.");
        agent.Start();
        line.Open();
        await Eventually.TrueAsync(async () => await agent.CountersAsync() is { Taken: > 10_000, Held: < 10 }, "the agent has delivered", Limit);
        await agent.StopAsync();

        var counters = await agent.CountersAsync();
        var rows = 0;
        foreach (var stream in await reader.DatastreamsAsync())
        {
            var stored = await reader.ObservationsAsync(stream.Id, new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc));
            Assert.Equal(stored.Count, stored.Select(row => row.Time).Distinct().Count());
            rows += stored.Count;
        }

        output.WriteLine($"{runtime}: taken {counters.Taken}, held {counters.Held}, stored {rows}, {line.Carried} bytes sent");
        Assert.Equal((counters.Taken, 0), (counters.Released + counters.Held, counters.Dropped));

        // What is held was taken in the last moment; some of it may be stored already, its acknowledgement on the way.
        Assert.InRange(rows, counters.Taken - counters.Held, counters.Taken);
        Assert.InRange(counters.Held, 0, 10);
    }
}
