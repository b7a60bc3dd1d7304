using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Hub.Cloud.Series.Tests;
using Hub.Cloud.Stations;
using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Cloud.Server.Tests;

/// <summary>A hub that hub.json sends to InfluxDB: a push goes in over HTTP, is in the open API, and is on the server.</summary>
public sealed class InfluxHubTests(InfluxServer server) : IClassFixture<InfluxServer>, IDisposable
{
    private const string Push = """{"esp8266id":"1","software_version":"NRZ-2024-136-B1","sensordatavalues":[{"value_type":"SDS_P1","value":"21.50"}]}""";

    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public async Task Configuration_alone_moves_the_series_to_InfluxDB()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        await File.WriteAllTextAsync(
            _folder.File("hub.json"), $$"""{"series": {"store": "influx", "influx": {"address": "{{server.Address}}", "database": "city"} } }""", Stop);
        using var said = new SaidConsole();
        var configuration = HubConfiguration.Build(
            [
                new("Hub:Data", _folder.Path), new("Hub:Http:Endpoint", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}")),
                new("Hub:Mqtt:Endpoint", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}")),
            ],
            null,
            []);
        await using var app = await HubHost.StartAsync(configuration, _ => { }, Stop);
        using var client = new HttpClient { BaseAddress = new Uri(HubHost.Address(app)) };
        await ToolAsync("municipality", "add", "braga", "--name", "Braga");
        var added = await ToolAsync("station", "add", "braga/rotunda", "--name", "Rotunda", "--latitude", "41.55", "--longitude", "-8.42", "--adapter", "airrohr");
        await Eventually.TrueAsync(async () => await PostAsync(client, added["path"], added["secret"]) == HttpStatusCode.Created, "the new station may push");
        await Eventually.TrueAsync(
            async () =>
            {
                using var latest = await client.GetAsync("/api/v1/observations/latest?municipality=braga", Stop);
                return latest.IsSuccessStatusCode && (await latest.Content.ReadAsStringAsync(Stop)).Contains("21.5", StringComparison.Ordinal);
            },
            "it is in the open API");
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/ready", Stop)).StatusCode);
        Assert.Contains("21.5", Assert.Single(await server.AskAsync("city", "SELECT result FROM observation")), StringComparison.Ordinal);

        // Another hub, with a data folder of its own, is told who has the database.
        using var elsewhere = new TempFolder();
        await File.WriteAllTextAsync(elsewhere.File("hub.json"), await File.ReadAllTextAsync(_folder.File("hub.json"), Stop), Stop);
        var second = await Assert.ThrowsAsync<StartException>(async () => await (await HubHost.StartAsync(
            HubConfiguration.Build([new("Hub:Data", elsewhere.Path), new("Hub:Http:Endpoint", "127.0.0.1:0"), new("Hub:Mqtt:Endpoint", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}"))], null, []), _ => { }, Stop)).DisposeAsync());
        Assert.StartsWith($"InfluxDB at {server.Address} is used by another hub, {Environment.MachineName}:{_folder.Path}", second.Message, StringComparison.Ordinal);

        // What dashboards choose by. A new name for people is no new series.
        const string Labels = "SHOW SERIES FROM observation";
        string[] labelled = ["[\"observation,datastream=1,municipality=braga,period=0,property=pm10,sensor=sds011,station=rotunda\"]"];
        Assert.Equal(labelled, await server.AskAsync("city", Labels));
        var stations = app.Services.GetRequiredService<IStations>();
        Assert.True(stations.TryGet("braga", "rotunda", out var station));
        await stations.UpdateAsync(station with { Name = "Rotunda do Pópulo" }, Stop);
        await NextSecondAsync();
        Assert.Equal(HttpStatusCode.Created, await PostAsync(client, added["path"], added["secret"], Push.Replace("21.50", "21.75", StringComparison.Ordinal)));
        Assert.Equal(2, (await server.AskAsync("city", "SELECT result FROM observation WHERE station = 'rotunda' AND property = 'pm10'")).Count);
        Assert.Equal(labelled, await server.AskAsync("city", Labels));
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "series", "parts")), "nothing is kept in the embedded store");

        // Without the server readings are still taken, and the hub says what the matter is.
        await server.KillAsync();
        await NextSecondAsync();
        Assert.Equal(HttpStatusCode.Created, await PostAsync(client, added["path"], added["secret"], Push.Replace("21.50", "22.75", StringComparison.Ordinal)));
        var ready = await client.GetAsync("/health/ready", Stop);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        await server.StartAsync();
        await Eventually.TrueAsync(async () => (await server.AskAsync("city", "SELECT result FROM observation")).Count == 3, "what waited is handed over");
        await app.StopAsync(Stop);
    }

    /// <summary>A push has the second of its arrival: two in one second are two values for one time.</summary>
    private static async Task NextSecondAsync()
    {
        var second = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        await Eventually.TrueAsync(() => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() > second, "the next second has begun");
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, string path, string secret, string push = Push)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(push, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"braga/rotunda:{secret}")));
        using var response = await client.SendAsync(request, Stop);
        return response.StatusCode;
    }

    private Task<Dictionary<string, string>> ToolAsync(params string[] arguments) => SaidConsole.ToolAsync(_folder.Path, arguments);
}
