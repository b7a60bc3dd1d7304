using System.Globalization;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>
/// Promise 1 with the real programs: agents that replay published rows, a hub that stores them, and kill -9 for either at random moments while data flows. At the
/// end every reading taken is in the store once. HUB_JOURNEY_KILLS and HUB_JOURNEY_SEED make it longer or repeat a run.
/// </summary>
public sealed class DurabilityJourney(ITestOutputHelper output)
{
    private static readonly int Kills = Number("HUB_JOURNEY_KILLS", 24);
    private static readonly int Seed = Number("HUB_JOURNEY_SEED", Environment.ProcessId);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);
    private static readonly string Files = Path.Combine(Repository.Root, "firmware-config", "demo", "data");

    /// <summary>Whole files, without the publisher's own repetitions: what is taken must be what is stored, row for row.</summary>
    private static readonly (string Station, string Replay)[] Stations =
    [
        ("noise", $"format: noisemonitor, file: {Files}/test_data_laeq1s.csv.gz, period: \"00:00:01\""),
        ("minute", $"format: noisemonitor, file: {Files}/test_data_laeq1m.csv.gz, period: \"00:01:00\""),
        ("counter", $"format: telraam, file: {Files}/raw-data-2024West15.csv.gz"),
    ];

    [Fact]
    public Task Nothing_is_lost_and_nothing_twice_with_the_embedded_broker() => RunAsync(external: false);

    [Fact]
    public Task Nothing_is_lost_and_nothing_twice_with_Mosquitto() => RunAsync(external: true);

    private async Task RunAsync(bool external)
    {
        output.WriteLine($"{Kills} kills, HUB_JOURNEY_SEED={Seed}");
        using var folder = new TempFolder();
        await using var hub = new HubProgram(folder.File("data"));
        var secrets = new Dictionary<string, string>();
        foreach (var (station, _) in Stations)
        {
            secrets[station] = await hub.AddStationAsync("braga", station);
        }

        await using var mosquitto = external ? await ExternalBrokerAsync(hub, folder) : null;
        await hub.StartAsync();
        var anchor = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        var agents = Stations.Select(s => Agent(folder, s.Station, s.Replay, secrets[s.Station], mosquitto?.Port ?? hub.MqttPort, anchor)).ToList();
        try
        {
            agents.ForEach(agent => agent.Start());
            await KillAsync(hub, agents, external);
            await CompareAsync(hub, agents);
        }
        finally
        {
            foreach (var agent in agents)
            {
                await agent.DisposeAsync();
            }
        }
    }

    private async Task KillAsync(HubProgram hub, List<AgentProgram> agents, bool external)
    {
        var random = new Random(Seed);
        var reader = new HubReader(hub.Client);
        var (hubKills, agentKills) = (0, 0);
        for (var kill = 0; kill < Kills; kill++)
        {
            // A random moment of the flow: so many readings after the last kill.
            var before = await reader.CounterAsync("hub_ingest_records_total");
            var wanted = random.Next(1, 2_000);
            await Eventually.TrueAsync(
                // An external broker may have taken everything before the hub was killed often enough: the rest of the kills come while the hub fetches it.
                async () => await reader.CounterAsync("hub_ingest_records_total") >= before + wanted || (external && await DrainedAsync(agents)), $"{wanted} more readings have arrived: kill {kill} comes while data flows", Limit);
            if (random.Next(2) == 0)
            {
                hubKills++;
                await hub.KillAsync();
                await hub.StartAsync();
            }
            else
            {
                var agent = agents[random.Next(agents.Count)];
                agentKills++;
                await agent.KillAsync();
                agent.Start();
            }
        }

        var held = 0L;
        foreach (var agent in agents)
        {
            held += (await agent.CountersAsync()).Held;
        }

        output.WriteLine($"killed the hub {hubKills} times and an agent {agentKills} times; {held} readings were still to be sent after the last");
    }

    private async Task CompareAsync(HubProgram hub, List<AgentProgram> agents)
    {
        await Eventually.TrueAsync(() => DrainedAsync(agents), "every outbox is empty", Limit);
        var reader = new HubReader(hub.Client);
        var streams = await reader.DatastreamsAsync();
        foreach (var agent in agents)
        {
            // Stopped first, so that what it takes of the present does not move while we count.
            await agent.StopAsync();
            var counters = await agent.CountersAsync();
            var mine = streams.Where(s => s.Station == agent.Station).ToList();

            // What the agents have handed to an external broker is the hub's to fetch.
            await Eventually.TrueAsync(
                async () =>
                {
                    var stored = 0L;
                    foreach (var stream in mine)
                    {
                        stored += await reader.CountAsync(stream.Id);
                    }

                    return stored >= counters.Taken - counters.Held;
                },
                $"everything that {agent.Station} has sent is stored ({counters.Taken} taken, {counters.Held} held)",
                Limit);
            var rows = new List<HubReader.Row>();
            foreach (var stream in mine)
            {
                var stored = await reader.ObservationsAsync(stream.Id, new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc));
                Assert.Equal(stored.Count, stored.Select(r => r.Time).Distinct().Count());
                rows.AddRange(stored);
            }

            output.WriteLine($"{agent.Station}: taken {counters.Taken}, held {counters.Held}, stored {rows.Count}");
            Assert.Equal(counters.Taken, counters.Released + counters.Held + counters.Dropped);
            Assert.Equal(0, counters.Dropped);

            // What is held was taken of the present in the last moment; some of it may be stored already, its acknowledgement still on the way.
            Assert.InRange(rows.Count, counters.Taken - counters.Held, counters.Taken);
            Assert.InRange(counters.Held, 0, 200);
            Assert.True(rows.Count > 10_000, "The journey is only worth its name when data flowed.");
        }
    }

    private static async Task<bool> DrainedAsync(List<AgentProgram> agents)
    {
        foreach (var agent in agents)
        {
            var counters = await agent.CountersAsync();
            if (counters.Taken == 0 || counters.Held > 10)
            {
                return false;
            }
        }

        return true;
    }

    private static AgentProgram Agent(TempFolder folder, string station, string replay, string secret, int port, string anchor)
    {
        var file = folder.File($"{station}.yaml");
        File.WriteAllText(file, $$"""
            municipality: braga
            station: {{station}}
            name: {{station}}
            location: { latitude: 41.55, longitude: -8.42 }
            uplink: { packReadings: 20, window: 2 }
            sensors:
              - name: {{station}}
                kind: replay
                replay: { {{replay}}, history: all, publisher: test, licence: test }
            """);
        return new AgentProgram(station, file, folder.File($"agent-{station}"), secret, port, anchor, "all");
    }

    private static async Task<MosquittoProgram> ExternalBrokerAsync(HubProgram hub, TempFolder folder)
    {
        var broker = folder.File("broker");
        var hubSecret = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));
        var secretFile = folder.File("hub-secret");
        await File.WriteAllTextAsync(secretFile, hubSecret);
        await hub.ToolAsync("station", "mosquitto", "--out", broker, "--hub-secret-file", secretFile);
        var mosquitto = await MosquittoProgram.StartAsync(broker, Path.Combine(broker, "passwords"), Path.Combine(broker, "acl"));
        hub.Set("Hub:Mqtt:Mode", "external");
        hub.Set("Hub:Mqtt:External:Address", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{mosquitto.Port}"));
        hub.Set("Hub:Mqtt:External:User", "hub");
        hub.Set("Hub:Mqtt:External:SecretFile", secretFile);
        return mosquitto;
    }

    private static int Number(string variable, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : standard;
}
