using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tests;

/// <summary>A station that others made, from the operator's command to its value in the open API, over real HTTP and beside a running hub.</summary>
public sealed class ForeignStationTests : IDisposable
{
    private const string Push = """{"esp8266id":"1","software_version":"NRZ-2024-136-B1","sensordatavalues":[{"value_type":"SDS_P1","value":"21.50"},{"value_type":"BME280_pressure","value":"100613.25"}]}""";

    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public async Task It_is_registered_pushes_is_rotated_and_revoked()
    {
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
        Assert.Equal(("braga/rotunda", "/ingest/v1/braga/rotunda/airrohr"), (added["user"], added["path"]));

        // The running hub sees it within a few seconds; what is on disk is in the open API.
        await Eventually.TrueAsync(async () => await PostAsync(client, added["path"], added["secret"]) == HttpStatusCode.Created, "the new station may push");
        var text = "";
        await Eventually.TrueAsync(
            async () =>
            {
                using var latest = await client.GetAsync("/api/v1/observations/latest?municipality=braga", Stop);
                text = await latest.Content.ReadAsStringAsync(Stop);
                return latest.IsSuccessStatusCode;
            },
            "the running hub knows the municipality, which it looks for by itself");
        Assert.Contains("21.5", text, StringComparison.Ordinal);
        Assert.Contains("1006.1325", text, StringComparison.Ordinal);

        // Another adapter, and packs, have secrets of their own.
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, "/ingest/v1/braga/rotunda/telraam", added["secret"]));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, "/ingest/v1/braga/rotunda", added["secret"]));

        var rotated = await ToolAsync("station", "rotate-secret", "braga/rotunda", "--adapter", "airrohr", "--overlap", "0");
        await Eventually.TrueAsync(async () => await PostAsync(client, added["path"], rotated["secret"]) == HttpStatusCode.Created, "the new secret opens");
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, added["path"], added["secret"]));

        var telraam = await ToolAsync("station", "rotate-secret", "braga/rotunda", "--adapter", "telraam");
        Assert.Equal("/ingest/v1/braga/rotunda/telraam", telraam["path"]);
        await ToolAsync("station", "revoke-secret", "braga/rotunda", "--adapter", "airrohr");
        await Eventually.TrueAsync(async () => await PostAsync(client, added["path"], rotated["secret"]) == HttpStatusCode.Unauthorized, "the revoked secret is closed");
        await app.StopAsync(Stop);
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, string path, string secret)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(Push, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"braga/rotunda:{secret}")));
        using var response = await client.SendAsync(request, Stop);
        return response.StatusCode;
    }

    private Task<Dictionary<string, string>> ToolAsync(params string[] arguments) => SaidConsole.ToolAsync(_folder.Path, arguments);
}
