using System.Globalization;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>The real hub on a real file system of 64 MB that somebody fills, while stations publish: it stops acknowledging and says why, goes on by itself when there is room, and has lost nothing.</summary>
public sealed class DiskFullJourney(ITestOutputHelper output)
{
    private static readonly string[] Sensors = ["one", "two", "three", "four"];

    [Fact]
    public async Task A_full_disk_stops_the_acknowledgements_and_says_so_and_room_lets_everything_go_on()
    {
        using var folder = new TempFolder();
        await using var disk = await SmallDisk.MountAsync(folder.Path, 64);
        await using var hub = new HubProgram(folder.File("data"), disk);
        hub.Set("Hub:Series:RetryAfter", "00:00:01");
        hub.Set("Hub:Series:FlushObservationsMax", "20000");
        var secret = await hub.AddStationAsync("braga", "rotunda");
        await hub.StartAsync();
        var stations = Sensors.Select(sensor => new PackPublisher(hub.Mqtt, "braga/rotunda", secret, sensor)).ToList();
        try
        {
            await GoOnAsync(stations, 50);
            for (var times = 1; times <= 2; times++)
            {
                disk.Fill();
                await StopsAsync(hub, stations, disk);
                disk.Clear();
                await Eventually.TrueAsync(async () => (await HealthAsync(hub)).StartsWith("Healthy", StringComparison.Ordinal), "the hub is ready again by itself");
                Assert.Equal(1, await AvailableAsync(hub));
                await GoOnAsync(stations, 50);
            }

            // Full, killed, and full at the start: it comes up or says in one line why not; with room it is there.
            disk.Fill();
            await StopsAsync(hub, stations, disk);
            await hub.KillAsync();
            await hub.StartAsync(wait: false);
            var health = "";
            await Eventually.TrueAsync(async () => hub.HasExited || (health = await HealthAsync(hub)).Length > 0, "the hub has ended, or answers");
            output.WriteLine($"started on a full disk: {(hub.HasExited ? hub.Output.Split('\n')[^1] : health)}");
            if (hub.HasExited)
            {
                // What it printed comes by another way than its end, and may be the later.
                await Eventually.TrueAsync(() => hub.Output.Contains("free space", StringComparison.Ordinal), "it says why it has ended");
                disk.Clear();
                await hub.StartAsync();
            }
            else
            {
                disk.Clear();
                await hub.ReadyAsync();
            }

            await GoOnAsync(stations, 50);
            foreach (var station in stations)
            {
                await station.StopAsync();
            }

            await CompareAsync(hub, stations);
            await hub.KillAsync();
            output.WriteLine(await hub.ToolAsync("check"));
        }
        finally
        {
            foreach (var station in stations)
            {
                await station.DisposeAsync();
            }
        }
    }

    private static async Task GoOnAsync(List<PackPublisher> stations, int packs)
    {
        var before = stations.ConvertAll(station => station.Acknowledged);
        await Eventually.TrueAsync(() => stations.Zip(before).All(pair => pair.First.Acknowledged >= pair.Second + packs), $"every station had {packs} more packs acknowledged", TimeSpan.FromMinutes(3));
    }

    /// <summary>Nothing more is acknowledged, health and metrics say so, and what is stored can be read meanwhile.</summary>
    private async Task StopsAsync(HubProgram hub, List<PackPublisher> stations, SmallDisk disk)
    {
        // The hub makes room for itself, by merging parts and dropping log that is in them, and then goes on for a moment: what it made is taken away until there is no more.
        for (var rounds = 1; ; rounds++)
        {
            var health = "";
            await Eventually.TrueAsync(
                async () =>
                {
                    disk.Fill();
                    health = await HealthAsync(hub);
                    return health.StartsWith("Unhealthy", StringComparison.Ordinal) && await AvailableAsync(hub) == 0;
                },
                "the hub says that it is not ready", TimeSpan.FromMinutes(3));
            Assert.Contains("cannot commit", health, StringComparison.Ordinal);
            Assert.Contains("disk is not full", health, StringComparison.Ordinal);
            Assert.True(await new HubReader(hub.Client).CounterAsync("hub_series_commit_failures") > 0);

            // Refusals go on, acknowledgements do not.
            var before = stations.ConvertAll(station => (station.Acknowledged, station.Failed));
            bool GoesOn() => stations.Zip(before).Any(pair => pair.First.Acknowledged != pair.Second.Acknowledged);
            await Eventually.TrueAsync(
                () => GoesOn() || stations.Zip(before).All(pair => pair.First.Failed >= pair.Second.Failed + 5), "every station was refused five times, or the hub has made room once more", TimeSpan.FromMinutes(3));
            if (!GoesOn())
            {
                output.WriteLine($"full, {rounds} times filled: {health.ReplaceLineEndings(" ")}");
                break;
            }

            Assert.True(rounds < 20, "Acknowledgements go on.");
        }

        Assert.All(stations, station => Assert.Contains(station.Refusals.Keys, reason => reason.Contains("QuotaExceeded", StringComparison.Ordinal) || reason.Contains("ServerBusy", StringComparison.Ordinal)));
        output.WriteLine($"refused with {string.Join(", ", stations[0].Refusals.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value} x {pair.Key}")))}");
        var streams = await new HubReader(hub.Client).DatastreamsAsync();
        Assert.Equal(Sensors.Length, streams.Count);
        Assert.True(await new HubReader(hub.Client).CountAsync(streams[0].Id) > 0);
    }

    private async Task CompareAsync(HubProgram hub, List<PackPublisher> stations)
    {
        var reader = new HubReader(hub.Client);
        var streams = await reader.DatastreamsAsync();
        foreach (var station in stations)
        {
            var stored = (await reader.ObservationsAsync(streams.Single(stream => stream.Sensor == station.Sensor).Id, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc)))
                .Select(row => (row.Time, Value: row.Result)).ToList();
            var acknowledged = station.Readings.ToList();
            output.WriteLine($"{station.Sensor}: {acknowledged.Count} readings acknowledged, {stored.Count} stored");

            // The last pack may be stored and its acknowledgement lost.
            Assert.InRange(stored.Count, acknowledged.Count, acknowledged.Count + PackPublisher.PerPack);
            Assert.Equal(acknowledged, stored.Take(acknowledged.Count));
        }
    }

    private static async Task<double> AvailableAsync(HubProgram hub) => await new HubReader(hub.Client).CounterAsync("hub_series_available");

    /// <summary>Status and reasons; empty while nobody answers.</summary>
    private static async Task<string> HealthAsync(HubProgram hub)
    {
        try
        {
            using var answer = await hub.Client.GetAsync("health/ready");
            return await answer.Content.ReadAsStringAsync();
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return "";
        }
    }
}
