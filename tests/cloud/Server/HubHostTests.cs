using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Hub.Cloud.Municipalities;
using Hub.Cloud.QualityControl;
using Hub.Cloud.Retention;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
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
            Assert.Equal(HttpStatusCode.NoContent, (await client.GetAsync("/ping", Stop)).StatusCode);
            using var question = new FormUrlEncodedContent([KeyValuePair.Create("q", "SHOW MEASUREMENTS")]);
            Assert.Contains("\"observation\"", await (await client.PostAsync("/query?db=hub", question, Stop)).Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
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
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/query?q=SHOW+DATABASES&u=admin&p={Uri.EscapeDataString(password)}", Stop)).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/query?q=SHOW+DATABASES&u=admin&p=wrong", Stop)).StatusCode);
        });

        // The ports are free again.
        using var http = new TcpListener(IPAddress.Loopback, _http);
        http.Start();
        using var mqtt = new TcpListener(IPAddress.Loopback, _mqtt);
        mqtt.Start();
    }

    [Theory]
    [InlineData("/mqtt")]
    [InlineData("/stations/ws")]
    public async Task The_broker_is_reached_over_WebSockets_at_the_address_of_the_pages(string path)
    {
        using var web = new System.Net.WebSockets.ClientWebSocket();
        web.Options.AddSubProtocol("mqtt");
        await RunAsync(
            async app =>
            {
                await web.ConnectAsync(new UriBuilder(HubHost.Address(app)) { Scheme = "ws", Path = path }.Uri, Stop);

                // Nobody may come in without a name (MQTT 3.1.1: return code 5), and the broker says so here too.
                await web.SendAsync("\u0010\u000c\0\u0004MQTT\u0004\u0002\0\0\0\0"u8.ToArray(), System.Net.WebSockets.WebSocketMessageType.Binary, true, Stop);
                var answer = new byte[4];
                Assert.Equal(4, (await web.ReceiveAsync(answer, Stop)).Count);
                Assert.Equal([0x20, 2, 0, 5], answer);
                Assert.Equal(System.Net.WebSockets.WebSocketMessageType.Close, (await web.ReceiveAsync(answer, Stop)).MessageType);
            },
            Settings(("Hub:Mqtt:WebSocketPath", path)));
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
    [InlineData("Hub:Http:Hosts:0", "https://hub.example.org", "Hub:Http:Hosts has 'https://hub.example.org', which is no name of a host")]
    [InlineData("Hub:Http:Hosts:0", "hub.example.org:8080", "without a port")]
    [InlineData("Hub:Http:HstsMaxAge", "1000.00:00:00", "Hub:Http:HstsMaxAge is 1000.00:00:00")]
    [InlineData("Hub:Mqtt:Endpoint", "0.0.0.0:1883", "Hub:Mqtt:Tls:Endpoint")]
    [InlineData("Hub:Series:QueriesMax", "0", "Hub:Series:QueriesMax is 0")]
    [InlineData("Hub:Series:QueriesMax", "many", "Hub:Series:QueriesMax")]
    [InlineData("Hub:StopTimeout", "soon", "Hub:StopTimeout")]
    [InlineData("Hub:Mqtt:ConnectionsMax", "0", "Hub:Mqtt:ConnectionsMax")]
    [InlineData("Hub:Mqtt:WebSocketPath", "mqtt", "Hub:Mqtt:WebSocketPath 'mqtt' is not a path")]
    [InlineData("Hub:Mqtt:WebSocketPath", "/Login", "Hub:Mqtt:WebSocketPath /Login is an address of the hub's")]
    [InlineData("Hub:Ingest:PacksInFlightMax", "0", "Hub:Ingest:PacksInFlightMax")]
    [InlineData("Hub:Notifications:ConcurrencyPerChannel", "0", "Hub:Notifications:ConcurrencyPerChannel")]
    [InlineData("Hub:PublicUrl", "ftp://hub.example.org", "Hub:PublicUrl")]
    public async Task A_wrong_setting_is_one_line_that_names_it(string key, string value, string expected) =>
        Assert.Contains(expected, await RefusedAsync((key, value)), StringComparison.Ordinal);

    [Fact]
    public async Task A_database_that_is_none_is_one_line_for_the_hub_and_for_its_tools()
    {
        Assert.SkipWhen(Hub.Tests.Kit.PostgreSql.OnPostgreSql.IsOn, "It is about a file.");
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
    public async Task What_quality_control_finds_is_seen_by_whoever_reads_and_stored_nowhere()
    {
        var at = new DateTime(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc);
        var datastream = 0;
        await RunAsync(async app =>
        {
            await app.Services.GetRequiredService<IMunicipalities>().SaveAsync(new Municipality("braga", "Braga", "Norte", "0303", 41.55, -8.42, "Europe/Lisbon"), Stop);
            var stations = app.Services.GetRequiredService<IStations>();
            var (station, _) = await stations.RegisterAsync(new StationRegistration("braga", "centro", "Centro", 41.55, -8.42), Stop);
            datastream = await stations.ResolveAsync(station.Id, "air", QuantityCatalogue.TryGet("pm10", out var pm10) ? pm10 : throw new InvalidOperationException(), 60, Stop);
            var quality = app.Services.GetRequiredService<IQualityControl>();
            await quality.DeclareAsync("braga", "pm10", null, new CheckParameters { Range = new RangeParameters(0, 100) }, "ana", Stop);
            await app.Services.GetRequiredService<ISeries>().AppendAsync(new[] { new Observation(datastream, at, 50, Quality.Good), new Observation(datastream, at.AddMinutes(1), 150, Quality.Good) }, Stop);
            await quality.CaughtUpAsync(Stop);
            await SeenAsync(app);
        });
        await RunAsync(SeenAsync);

        async Task SeenAsync(WebApplication app)
        {
            using var client = new HttpClient { BaseAddress = new Uri(HubHost.Address(app)) };
            var address = string.Create(CultureInfo.InvariantCulture, $"/api/v1/datastreams/{datastream}/observations?from={at:O}&to={at.AddDays(1):O}&format=csv");
            Assert.Contains(",150,ug/m3,out-of-range,", await client.GetStringAsync(address, Stop), StringComparison.Ordinal);
            Assert.DoesNotContain("150", await client.GetStringAsync(address + "&quality=good", Stop), StringComparison.Ordinal);
            var series = app.Services.GetRequiredService<ISeries>();
            Assert.True(series.TryGetLatest(datastream, out var latest));
            Assert.True(series.Stored().TryGetLatest(datastream, out var stored));
            Assert.Equal((Quality.OutOfRange, Quality.Good), (latest.Quality, stored.Quality));
        }
    }

    [Fact]
    public async Task Retention_keeps_the_rollups_of_what_it_deletes_with_the_flags_found_on_it()
    {
        var day = DateTime.SpecifyKind(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(-100), DateTimeKind.Utc);
        await RunAsync(async app =>
        {
            await app.Services.GetRequiredService<IMunicipalities>().SaveAsync(new Municipality("braga", "Braga", "Norte", "0303", 41.55, -8.42, "Europe/Lisbon"), Stop);
            var stations = app.Services.GetRequiredService<IStations>();
            var (station, _) = await stations.RegisterAsync(new StationRegistration("braga", "centro", "Centro", 41.55, -8.42), Stop);
            var datastream = await stations.ResolveAsync(station.Id, "air", QuantityCatalogue.TryGet("pm10", out var pm10) ? pm10 : throw new InvalidOperationException(), 60, Stop);
            var quality = app.Services.GetRequiredService<IQualityControl>();
            await quality.DeclareAsync("braga", "pm10", null, new CheckParameters { Range = new RangeParameters(0, 100) }, "ana", Stop);
            var series = app.Services.GetRequiredService<ISeries>();
            await series.AppendAsync(Enumerable.Range(0, 1440).Select(minute => new Observation(datastream, day.AddMinutes(minute), minute == 30 ? 150 : 50, Quality.Good)).ToArray(), Stop);
            await quality.CaughtUpAsync(Stop);
            var question = new AggregateQuery(datastream, day, day.AddDays(1), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Mean, Quality.OutOfRange);
            var before = await series.AggregateAsync(question, Stop);
            Assert.Equal([59.0, 60, 60], before.Take(3).Select(bucket => (double)bucket.Count));

            // The first day that is kept begins at midnight in Lisbon, so the day is either all older or not at all.
            var retention = app.Services.GetRequiredService<IRetention>();
            await retention.SavePoliciesAsync("braga", [new RetentionPolicy("pm10", 30) { RollupDays = 400 }], "ana", Stop);
            var run = Assert.Single(await retention.RunAsync("braga", "ana", Stop));
            Assert.Equal((1440L, 1440L), (run.Observations, run.Condensed));
            Assert.Equal(0, await series.CountAsync(datastream, day, day.AddDays(1), Stop));
            Assert.Equal(before.Select(bucket => (bucket.Start, bucket.Value, bucket.Count)), (await series.AggregateAsync(question, Stop)).Select(bucket => (bucket.Start, bucket.Value, bucket.Count)));
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

    [Fact]
    public async Task Only_the_hosts_that_are_named_are_served()
    {
        await RunAsync(
            async app =>
            {
                Assert.Equal(HttpStatusCode.OK, await AskAsync(app, "hub.example.org"));
                Assert.Equal(HttpStatusCode.OK, await AskAsync(app, "air.CITY.example"));
                Assert.Equal(HttpStatusCode.OK, await AskAsync(app, "public.example:8443"));
                Assert.Equal(HttpStatusCode.BadRequest, await AskAsync(app, "city.example"));
                Assert.Equal(HttpStatusCode.BadRequest, await AskAsync(app, "rebound.attacker.example"));
                Assert.Equal(HttpStatusCode.BadRequest, await AskAsync(app, "127.0.0.1"));
            },
            Settings(("Hub:Http:Hosts:0", "hub.example.org"), ("Hub:Http:Hosts:1", "*.city.example"), ("Hub:PublicUrl", "https://public.example:8443")));
        await RunAsync(async app => Assert.Equal(HttpStatusCode.OK, await AskAsync(app, "any.example")));

        static async Task<HttpStatusCode> AskAsync(WebApplication app, string host)
        {
            using var client = new HttpClient();
            using var request = new HttpRequestMessage(HttpMethod.Get, HubHost.Address(app) + "/health/live");
            request.Headers.Host = host;
            using var response = await client.SendAsync(request, Stop);
            return response.StatusCode;
        }
    }

    [Theory]
    [InlineData(null, "max-age=2592000")]
    [InlineData("365.00:00:00", "max-age=31536000")]
    [InlineData("00:00:00", null)]
    public async Task Browsers_are_told_to_come_back_over_HTTPS(string? maxAge, string? expected)
    {
        using var authority = new TestAuthority();
        authority.IssueFiles(_folder.File("hub.pem"), _folder.File("hub.key"), "hub.example.org");
        (string, string)[] tls = [("Hub:Http:CertificateFile", _folder.File("hub.pem")), ("Hub:Http:KeyFile", _folder.File("hub.key"))];
        await RunAsync(
            async app =>
            {
                using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = static (_, _, _, _) => true };
                using var client = new HttpClient(handler);
                using var request = new HttpRequestMessage(HttpMethod.Get, HubHost.Address(app) + "/health/live");
                request.Headers.Host = "hub.example.org";
                using var response = await client.SendAsync(request, Stop);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                Assert.Equal(expected, response.Headers.TryGetValues("Strict-Transport-Security", out var said) ? said.Single() : null);
            },
            Settings(maxAge is null ? tls : [.. tls, ("Hub:Http:HstsMaxAge", maxAge)]));
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
        using var said = new SaidConsole();
        await using var app = await HubHost.StartAsync(settings ?? Settings(), _ => { }, Stop);
        await meanwhile(app);
        using var stop = new CancellationTokenSource();
        var waiting = HubHost.WaitAsync(app, stop.Token);
        await stop.CancelAsync();
        await waiting;

        return said.Output;
    }
}
