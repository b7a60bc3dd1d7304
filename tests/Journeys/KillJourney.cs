using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>
/// The whole hub killed with -9 while stations publish over MQTT (one of them in WebSockets), parts are written and merged all the time, retention deletes and hub backup copies, which is killed too. After each kill hub check is
/// clean; at the end every acknowledged reading is there once, nothing that retention said it deleted is, and every backup that was completed restores, checks clean and holds what had been
/// acknowledged before it. HUB_JOURNEY_KILLS makes it longer (default 40), HUB_JOURNEY_SEED repeats a schedule. Torn ends of the log and hundreds of kills: tests/cloud/Series.
/// </summary>
[Trait("kind", "long")]
public sealed class KillJourney(ITestOutputHelper output)
{
    private static readonly int Kills = Number("HUB_JOURNEY_KILLS", 40);
    private static readonly int Seed = Number("HUB_JOURNEY_SEED", Environment.ProcessId);
    private static readonly string[] Sensors = ["one", "two", "three"];
    private static readonly DateTime Old = new(2020, 5, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly DateTime Begin = new(2016, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly DateTime End = new(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private string _secret = "";
    private string _password = "";
    private int _old;

    [Fact]
    public async Task The_hub_killed_at_any_moment_keeps_what_it_acknowledged_and_nothing_it_deleted()
    {
        output.WriteLine($"{Kills} kills, HUB_JOURNEY_SEED={Seed}");
        var random = new Random(Seed);
        using var folder = new TempFolder();
        await using var hub = new HubProgram(folder.File("data"));
        hub.Set("Hub:Series:FlushObservationsMax", "2000");
        hub.Set("Hub:Series:FlushAfter", "00:00:01");
        hub.Set("Hub:Series:PartsPerDayMax", "2");
        _secret = await hub.AddStationAsync("braga", "rotunda");
        _password = (await hub.ToolAsync("user", "add", "ana", "--role", "Administrator")).Split('\n').Single(line => line.StartsWith("password", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1].Trim();
        await hub.StartAsync();
        using (var policies = await SendAsync(hub, HttpMethod.Put, "api/v1/retention/braga/policies", """{"policies":[{"property":"pm10","days":30}]}"""))
        {
            Assert.True(policies.IsSuccessStatusCode, await policies.Content.ReadAsStringAsync());
        }

        var stations = Sensors.Select(sensor => new PackPublisher(sensor == "two" ? hub.MqttOverWebSockets : hub.Mqtt, "braga/rotunda", _secret, sensor)).ToList();
        var counted = new Dictionary<string, int>();
        var deleted = 0;
        try
        {
            for (var kill = 0; kill < Kills; kill++)
            {
                await PostOldAsync(hub, 5);
                var before = stations.ConvertAll(station => station.Acknowledged);
                var wanted = before.Sum() + random.Next(1, 120);

                // Half way to the kill retention or a backup begins, or both.
                await Eventually.TrueAsync(() => stations.Sum(station => station.Acknowledged) >= wanted, "packs are acknowledged", TimeSpan.FromMinutes(3));
                var known = stations.ConvertAll(station => station.Acknowledged);
                var oldKnown = _old;
                var retention = random.Next(2) == 0 ? RetainAsync(hub) : null;
                var target = folder.File(string.Create(CultureInfo.InvariantCulture, $"backup-{kill}"));
                await using var backup = random.Next(2) == 0 ? new RunningProgram("dotnet", [HubProgram.Executable, "backup", target, "--data", hub.Data]) : null;
                wanted = known.Sum() + random.Next(1, 200);
                await Eventually.TrueAsync(() => stations.Sum(station => station.Acknowledged) >= wanted, "packs are acknowledged", TimeSpan.FromMinutes(3));
                if (backup is not null && random.Next(3) == 0)
                {
                    await backup.KillAsync();
                    Count("backups killed");
                }

                await hub.KillAsync();
                Count("hubs killed");
                if (retention is not null && await retention)
                {
                    deleted = oldKnown;
                    Count("retention runs acknowledged");
                }

                Assert.Contains("all is well", await hub.ToolAsync("check"), StringComparison.Ordinal);
                if (backup is not null && (await backup.ExitAsync()) == 0)
                {
                    Count("backups completed");
                    await CompareBackupAsync(folder, target, stations, known);
                }

                await hub.StartAsync();
                await DeletedStayAsync(hub, deleted);
            }

            foreach (var station in stations)
            {
                await station.StopAsync();
            }

            foreach (var station in stations)
            {
                await CompareAsync(hub, station, station.Acknowledged);
            }

            Assert.True(await RetainAsync(hub));
            await DeletedStayAsync(hub, _old);
        }
        finally
        {
            foreach (var station in stations)
            {
                await station.DisposeAsync();
            }
        }

        output.WriteLine(string.Join(", ", counted.Select(pair => $"{pair.Value} {pair.Key}")));

        void Count(string what) => counted[what] = counted.GetValueOrDefault(what) + 1;
    }

    /// <summary>Restores it, checks it, starts a hub on it and looks.</summary>
    private async Task CompareBackupAsync(TempFolder folder, string backup, List<PackPublisher> stations, List<long> known)
    {
        await using var restored = new HubProgram(folder.File("restored"));
        await restored.ToolAsync("restore", backup);
        Assert.Contains("all is well", await restored.ToolAsync("check"), StringComparison.Ordinal);
        await restored.StartAsync();
        foreach (var (station, packs) in stations.Zip(known))
        {
            await CompareAsync(restored, station, packs, isWhole: false);
        }

        await restored.KillAsync();
        Directory.Delete(restored.Data, recursive: true);
        Directory.Delete(backup, recursive: true);
    }

    /// <summary>So many packs of a station are there, each reading once with its value; behind them what came after, also its own.</summary>
    private async Task CompareAsync(HubProgram hub, PackPublisher station, long packs, bool isWhole = true)
    {
        var reader = new HubReader(hub.Client);
        var stream = (await reader.DatastreamsAsync()).SingleOrDefault(stream => stream.Sensor == station.Sensor);
        var stored = stream is null ? [] : (await reader.ObservationsAsync(stream.Id, Begin, End)).Select(row => (row.Time, Value: row.Result)).ToList();
        var acknowledged = station.Readings.Take((int)packs * PackPublisher.PerPack).ToList();
        Assert.Equal(acknowledged, stored.Take(acknowledged.Count));
        Assert.Equal(stored.Count, stored.Select(row => row.Time).Distinct().Count());
        if (isWhole)
        {
            // The last pack may be stored and its acknowledgement lost.
            Assert.InRange(stored.Count, acknowledged.Count, acknowledged.Count + PackPublisher.PerPack);
            output.WriteLine($"{station.Sensor}: {acknowledged.Count} readings acknowledged, {stored.Count} stored");
        }
    }

    /// <summary>Readings of 2020, for retention to delete.</summary>
    private async Task PostOldAsync(HubProgram hub, int readings)
    {
        var first = (Old.AddMinutes(_old) - DateTime.UnixEpoch).TotalSeconds;
        var pack = string.Join(',', Enumerable.Range(0, readings).Select(i => string.Create(CultureInfo.InvariantCulture, $$"""{"bver":26,"n":"old/pm10","u":"ug/m3","t":{{first + (i * 60):F0}},"v":{{i}}}""")));
        using var request = new HttpRequestMessage(HttpMethod.Post, "ingest/v1/braga/rotunda") { Content = new StringContent($"[{pack}]", Encoding.UTF8, "application/senml+json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"braga/rotunda:{_secret}")));
        using var answer = await hub.Client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        _old += readings;
    }

    /// <summary>Of the old readings the first so many have been deleted: they do not come back.</summary>
    private static async Task DeletedStayAsync(HubProgram hub, int deleted)
    {
        var reader = new HubReader(hub.Client);
        if (deleted > 0 && (await reader.DatastreamsAsync()).SingleOrDefault(stream => stream.Sensor == "old") is { } stream)
        {
            Assert.Empty(await reader.ObservationsAsync(stream.Id, Begin, Old.AddMinutes(deleted)));
        }
    }

    /// <summary>Deletes now; whether the hub lived to say that it has.</summary>
    private async Task<bool> RetainAsync(HubProgram hub)
    {
        try
        {
            using var answer = await SendAsync(hub, HttpMethod.Post, "api/v1/retention/braga/runs", "{}");
            return answer.IsSuccessStatusCode ? true : throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return false;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HubProgram hub, HttpMethod method, string path, string body)
    {
        using var session = await hub.Client.PostAsJsonAsync("api/v1/sessions", new { userName = "ana", password = _password });
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", JsonElement.Parse(await session.Content.ReadAsStringAsync()).GetProperty("accessToken").GetString());
        return await hub.Client.SendAsync(request);
    }

    private static int Number(string variable, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : standard;
}
