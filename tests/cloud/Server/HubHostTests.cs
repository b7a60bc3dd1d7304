using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Hub.Cloud.Municipalities;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Cloud.Server.Tests;

/// <summary>The whole hub, started for real on free ports.</summary>
public sealed class HubHostTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly int _http = FreePort.Next();
    private readonly int _mqtt = FreePort.Next();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public async Task It_starts_serves_stops_and_shows_the_first_password_once()
    {
        var first = await RunAsync(async app =>
        {
            using var client = new HttpClient { BaseAddress = new Uri(HubHost.Address(app)) };
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live", Stop)).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/ready", Stop)).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/metrics", Stop)).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/stations", Stop)).StatusCode);
            using var broker = new TcpClient();
            await broker.ConnectAsync(IPAddress.Loopback, _mqtt, Stop);
        });
        var second = await RunAsync(_ => Task.CompletedTask);

        var password = first.Split('\n').Select(line => line.Trim()).Single(line => line.StartsWith("password", StringComparison.Ordinal))["password".Length..].Trim();
        Assert.True(password.Length >= 12, password);
        Assert.DoesNotContain("password", second, StringComparison.OrdinalIgnoreCase);
        await RunAsync(async app =>
        {
            using var client = new HttpClient { BaseAddress = new Uri(HubHost.Address(app)) };
            using var login = new StringContent(System.Text.Json.JsonSerializer.Serialize(new { userName = "admin", password }), System.Text.Encoding.UTF8, "application/json");
            Assert.Equal(HttpStatusCode.NoContent, NoContentIfSuccess((await client.PostAsync("/api/v1/sessions", login, Stop)).StatusCode));
        });

        // The ports are free again.
        using var http = new TcpListener(IPAddress.Loopback, _http);
        http.Start();
        using var mqtt = new TcpListener(IPAddress.Loopback, _mqtt);
        mqtt.Start();
    }

    [Fact]
    public async Task A_busy_port_is_one_line_that_names_its_option()
    {
        using (var busy = new TcpListener(IPAddress.Loopback, _http))
        {
            busy.Start();
            var line = await RefusedAsync();
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_http}"), line, StringComparison.Ordinal);
            Assert.Contains("--http", line, StringComparison.Ordinal);
        }

        using (var busy = new TcpListener(IPAddress.Loopback, _mqtt))
        {
            busy.Start();
            var line = await RefusedAsync();
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_mqtt}"), line, StringComparison.Ordinal);
            Assert.Contains("--mqtt", line, StringComparison.Ordinal);
        }

        // What was refused has let go of everything, and has made no password that nobody saw.
        Assert.Contains("password", await RunAsync(_ => Task.CompletedTask), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_hub_on_the_same_data_folder_is_one_line_and_leaves_the_first_alone()
    {
        await RunAsync(async app =>
        {
            var line = await RefusedAsync(("Hub:Http:Endpoint", Free()), ("Hub:Mqtt:Endpoint", Free()));
            Assert.Contains("in use by another hub", line, StringComparison.Ordinal);
            using var client = new HttpClient { BaseAddress = new Uri(HubHost.Address(app)) };
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/ready", Stop)).StatusCode);
        });
    }

    [Theory]
    [InlineData("Hub:Http:Endpoint", "0.0.0.0:8080", "Hub:Http:CertificateFile")]
    [InlineData("Hub:Http:Endpoint", "[::]:8080", "Hub:Http:CertificateFile")]
    [InlineData("Hub:Http:CertificateFile", "missing.pem", "Hub:Http:CertificateFile")]
    [InlineData("Hub:Mqtt:Endpoint", "0.0.0.0:1883", "Hub:Mqtt:Tls:Endpoint")]
    [InlineData("Hub:Series:Threads", "0", "Hub:Series:Threads is 0")]
    [InlineData("Hub:Series:Threads", "many", "Hub:Series:Threads")]
    [InlineData("Hub:StopTimeout", "soon", "Hub:StopTimeout")]
    [InlineData("Hub:Mqtt:ConnectionsMax", "0", "Hub:Mqtt:ConnectionsMax")]
    [InlineData("Hub:Ingest:PacksInFlightMax", "0", "Hub:Ingest:PacksInFlightMax")]
    [InlineData("Hub:Notifications:ConcurrencyPerChannel", "0", "Hub:Notifications:ConcurrencyPerChannel")]
    [InlineData("Hub:PublicUrl", "ftp://hub.example.org", "Hub:PublicUrl")]
    public async Task A_wrong_setting_is_one_line_that_names_it(string key, string value, string expected) =>
        Assert.Contains(expected, await RefusedAsync((key, value)), StringComparison.Ordinal);

    [Fact]
    public async Task A_database_that_is_none_is_one_line_for_the_hub_and_for_its_tools()
    {
        await File.WriteAllTextAsync(_folder.File("hub.db"), string.Concat(Enumerable.Repeat("no database ", 1000)), Stop);

        Assert.Contains("hub.db", await RefusedAsync(), StringComparison.Ordinal);
        var tool = await Assert.ThrowsAsync<StartException>(() => HubHost.OpenToolsAsync(Settings(), Stop));
        Assert.Contains("hub.db", tool.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tools_work_beside_a_running_hub()
    {
        await RunAsync(async _ =>
        {
            await using var tools = await HubHost.OpenToolsAsync(Settings(), Stop);
            await tools.GetRequiredService<IMunicipalities>().SaveAsync(new Municipality("braga", "Braga", "Norte", "0303", 41.55, -8.42, "Europe/Lisbon"), Stop);
            Assert.Single(tools.GetRequiredService<IMunicipalities>().All);
        });
    }

    [Fact]
    public async Task Mails_link_to_the_endpoint_unless_told_otherwise()
    {
        var settings = Settings();
        await RunAsync(_ => Task.CompletedTask, settings);
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_http}"), settings["Hub:PublicUrl"]);

        settings = Settings(("Hub:PublicUrl", "https://hub.example.org"));
        await RunAsync(_ => Task.CompletedTask, settings);
        Assert.Equal("https://hub.example.org", settings["Hub:PublicUrl"]);
    }

    [Fact]
    public void A_public_address_comes_from_the_certificate_or_is_left_open()
    {
        using var named = Certificate("hub.example.org");
        using var wild = Certificate("*.example.org");
        Assert.Equal("https://hub.example.org:8443", HubHost.PublicUrl(new IPEndPoint(IPAddress.Any, 8443), named));
        Assert.Null(HubHost.PublicUrl(new IPEndPoint(IPAddress.Any, 8443), wild));
        Assert.Null(HubHost.PublicUrl(new IPEndPoint(IPAddress.Loopback, 0), null));
        Assert.Equal("http://[::1]:8080", HubHost.PublicUrl(new IPEndPoint(IPAddress.IPv6Loopback, 8080), null));
    }

    private static System.Security.Cryptography.X509Certificates.X509Certificate2 Certificate(string name)
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest($"CN={name}", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        var names = new System.Security.Cryptography.X509Certificates.SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
    }

    private static HttpStatusCode NoContentIfSuccess(HttpStatusCode code) => (int)code is >= 200 and < 300 ? HttpStatusCode.NoContent : code;

    private static string Free() => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}");

    private IConfigurationRoot Settings(params (string Key, string Value)[] more)
    {
        var given = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["Hub:Data"] = _folder.Path,
            ["Hub:Http:Endpoint"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_http}"),
            ["Hub:Mqtt:Endpoint"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_mqtt}"),
        };
        foreach (var (key, value) in more)
        {
            given[key] = value;
        }

        return HubConfiguration.Build(given, null, []);
    }

    private async Task<string> RefusedAsync(params (string Key, string Value)[] more)
    {
        var refused = await Assert.ThrowsAsync<StartException>(async () => await (await HubHost.StartAsync(Settings(more), _ => { }, Stop)).DisposeAsync());
        Assert.DoesNotContain('\n', refused.Message);
        return refused.Message;
    }

    /// <summary>What it said on the terminal.</summary>
    private async Task<string> RunAsync(Func<WebApplication, Task> meanwhile, IConfigurationRoot? settings = null)
    {
        var terminal = Console.Out;
        await using var said = new StringWriter(CultureInfo.InvariantCulture);
        Console.SetOut(said);
        try
        {
            await using var app = await HubHost.StartAsync(settings ?? Settings(), _ => { }, Stop);
            await meanwhile(app);
            using var stop = new CancellationTokenSource();
            var waiting = HubHost.WaitAsync(app, stop.Token);
            await stop.CancelAsync();
            await waiting;
        }
        finally
        {
            Console.SetOut(terminal);
        }

        return said.ToString();
    }
}
