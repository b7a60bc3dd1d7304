using System.Globalization;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>
/// Promise 1 with the real programs: agents that replay published rows, a hub that stores them, and kill -9 for either at random moments while data flows. At the
/// end every reading taken is in the store once. HUB_JOURNEY_KILLS and HUB_JOURNEY_SEED make it longer or repeat a run.
/// Each agent speaks over a rationed line. Each kill has a share of the data, which begins to flow before it and goes on after it, for half of it may only
/// pass from the kill on: into the broker where that is another program than the killed one, otherwise as soon as the killed one is back. A kill that came when its share had passed already is not counted.
/// </summary>
public sealed class DurabilityJourney(ITestOutputHelper output)
{
    private static readonly int Kills = Number("HUB_JOURNEY_KILLS", Repeats.Of(2, 40));
    private static readonly int Seed = Number("HUB_JOURNEY_SEED", Environment.ProcessId);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);
    private static readonly string Files = Path.Combine(Repository.Root, "firmware-config", "demo", "data");

    /// <summary>
    /// Whole files, without the publisher's own repetitions: what is taken must be what is stored, row for row. Bytes is what an agent sends of it at the least,
    /// so that shares of it can be made; the journey finds out when it is too much.
    /// </summary>
    private static readonly (string Station, string Replay, long Bytes)[] Stations =
    [
        ("noise", $"format: noisemonitor, file: {Files}/test_data_laeq1s.csv.gz, period: \"00:00:01\"", 1_500_000),
        ("minute", $"format: noisemonitor, file: {Files}/test_data_laeq1m.csv.gz, period: \"00:01:00\"", 300_000),
        ("counter", $"format: telraam, file: {Files}/raw-data-2024West15.csv.gz", 2_000_000),
    ];

    /// <summary>Shares of the data: one for each kill, and a third more for those that came too late to count.</summary>
    private static readonly int Shares = Kills + Math.Max(8, Kills / 3) + 1;

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
        foreach (var (station, _, _) in Stations)
        {
            secrets[station] = await hub.AddStationAsync("braga", station);
        }

        await using var mosquitto = external ? await ExternalBrokerAsync(hub, folder) : null;
        await hub.StartAsync();
        var anchor = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        var sending = Stations.Select(s =>
        {
            var line = new RationedLine(mosquitto?.Port ?? hub.MqttPort);
            return new Sending(Agent(folder, s.Station, s.Replay, secrets[s.Station], line.Port, anchor), line, s.Bytes / Shares);
        }).ToList();
        try
        {
            sending.ForEach(s => s.Agent.Start());
            await KillAsync(hub, sending, mosquitto);
            sending.ForEach(s => s.Line.Open());
            await CompareAsync(hub, sending);
        }
        finally
        {
            foreach (var (agent, line, _) in sending)
            {
                await agent.DisposeAsync();
                await line.DisposeAsync();
            }
        }
    }

    /// <summary>An agent, its line, and the bytes of one share.</summary>
    private sealed record Sending(AgentProgram Agent, RationedLine Line, long ShareBytes);

    private async Task KillAsync(HubProgram hub, List<Sending> sending, MosquittoProgram? mosquitto)
    {
        var random = new Random(Seed);
        var reader = new HubReader(hub.Client);
        var (hubKills, agentKills, late, restarts) = (0, 0, 0, 0);
        while (hubKills + agentKills < Kills)
        {
            Assert.True(hubKills + agentKills + late < Shares, $"{late} kills came too late: the machine is too slow for this journey, or the agents send less than Bytes says.");
            var stored = await StoredAsync(reader);
            var carried = sending.Sum(s => s.Line.Carried);
            sending.ForEach(s => s.Line.Grant(s.ShareBytes / 2));

            // A random moment of the flow: the hub stores what comes, and a part of the half has passed, or all of it that can.
            var wanted = random.NextInt64(1, sending.Sum(s => s.ShareBytes) / 3);
            await Eventually.TrueAsync(
                async () => (sending.Sum(s => s.Line.Carried) >= carried + wanted || sending.TrueForAll(s => !s.Line.IsOpen)) && await StoredAsync(reader) > stored,
                $"{wanted} more bytes have been sent and the hub has stored more than {stored} readings", Limit);
            if (mosquitto is not null && (hubKills + agentKills) % 6 == 5)
            {
                await mosquitto.RestartAsync();
                restarts++;
            }

            // At random, but no kind so seldom that it would not count as killed.
            var rest = Kills - hubKills - agentKills;
            var isHub = random.Next(2) == 0;
            isHub = (Kills / 5) - hubKills >= rest || (isHub && (Kills / 5) - agentKills < rest);

            // However long the looks at the flow took: from here on there is some again.
            sending.ForEach(s => s.Line.Grant(s.ShareBytes - (s.ShareBytes / 2)));
            if (isHub)
            {
                await hub.KillAsync();
                var flowed = sending.Any(s => s.Line.IsOpen);
                (hubKills, late) = flowed ? (hubKills + 1, late) : (hubKills, late + 1);
                await hub.StartAsync();
            }
            else
            {
                var open = sending.Where(s => s.Line.IsOpen).ToList();
                var (agent, line, _) = open.Count > 0 ? open[random.Next(open.Count)] : sending[0];
                await agent.KillAsync();
                (agentKills, late) = line.IsOpen ? (agentKills + 1, late) : (agentKills, late + 1);
                agent.Start();
            }
        }

        output.WriteLine($"killed the hub {hubKills} times and an agent {agentKills} times while data flowed ({late} kills more came after it), restarted the broker {restarts} times");
        Assert.True(hubKills >= Kills / 5 && agentKills >= Kills / 5, "Both kinds of program have been killed.");

        // A line was open at each kill, so data flowed as long as its agent had something to send: it still has.
        foreach (var (agent, line, _) in sending)
        {
            var counters = await RunningAsync(agent);
            output.WriteLine($"{agent.Station}: {counters.Held} of {counters.Taken} readings are still to be sent, {line.Carried} bytes have been");
            Assert.True(counters.Held > 100, $"{agent.Station} had sent everything before the last kill: lower its Bytes.");
        }
    }

    /// <summary>Counters of an agent that has opened its outbox: one killed a moment ago knows of none yet.</summary>
    private static async Task<AgentProgram.Counters> RunningAsync(AgentProgram agent)
    {
        var counters = await agent.CountersAsync();
        await Eventually.TrueAsync(async () => (counters = await agent.CountersAsync()).Taken > 0, $"{agent.Station} is there again", Limit);
        return counters;
    }

    private static async Task<double> StoredAsync(HubReader reader) => await reader.CounterAsync("hub_ingest_records_total", "outcome=\"stored\"");

    private async Task CompareAsync(HubProgram hub, List<Sending> sending)
    {
        await Eventually.TrueAsync(() => DrainedAsync(sending), "every outbox is empty", Limit);
        var reader = new HubReader(hub.Client);
        var streams = await reader.DatastreamsAsync();
        foreach (var (agent, line, _) in sending)
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

            output.WriteLine($"{agent.Station}: taken {counters.Taken}, held {counters.Held}, stored {rows.Count}; {line.Carried} bytes sent");
            Assert.Equal(counters.Taken, counters.Released + counters.Held + counters.Dropped);
            Assert.Equal(0, counters.Dropped);

            // What is held was taken of the present in the last moment; some of it may be stored already, its acknowledgement still on the way.
            Assert.InRange(rows.Count, counters.Taken - counters.Held, counters.Taken);
            Assert.InRange(counters.Held, 0, 200);
            Assert.True(rows.Count > 10_000, "The journey is only worth its name when data flowed.");
        }
    }

    private static async Task<bool> DrainedAsync(List<Sending> sending)
    {
        foreach (var (agent, _, _) in sending)
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
