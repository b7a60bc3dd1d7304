using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Series.Tests;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;

namespace Hub.Tests.Dashboards;

/// <summary>
/// What the dashboards are asked against, once for all tests: a real InfluxDB, a real hub that keeps its series there, Debian's Prometheus and node exporter with the repository's own configuration. Two
/// municipalities have sent eight days of the quantities of a city, one old day of which only rollups are kept, and what a station says of itself; one alarm is active.
/// </summary>
public sealed class City : IAsyncLifetime
{
    /// <summary>Who answers the questions of a data source.</summary>
    /// <param name="Source">The data source's uid.</param>
    /// <param name="Client">How it is asked.</param>
    /// <param name="IsHub">The hub's own /query: it puts days of which only rollups are kept among the observations by itself, and has no measurement of them.</param>
    public sealed record Endpoint(string Source, InfluxClient Client, bool IsHub);

    /// <summary>A station with everything, and one with the same in another municipality.</summary>
    public const string Municipality = "braga";
    public const string Station = "avenida-da-liberdade";
    private const string Other = "aveiro";
    private const string OtherStation = "rossio";
    private const int OldDays = 40;
    private const int KeptDays = 20;

    // Unit, and values that run around a middle as a street's do.
    private static readonly (string Property, string Unit, double Middle, double Swing)[] Street =
    [
        ("pm2_5", "ug/m3", 14, 6), ("pm10", "ug/m3", 28, 12), ("no2", "ug/m3", 35, 20), ("o3", "ug/m3", 60, 30), ("so2", "ug/m3", 5, 3), ("co", "mg/m3", 0.4, 0.2), ("temperature", "Cel", 17, 6),
        ("relative_humidity", "%RH", 65, 20), ("laeq", "dB", 62, 8), ("lafmax", "dB", 75, 6), ("lafmin", "dB", 48, 4), ("la10", "dB", 66, 6), ("la50", "dB", 60, 6), ("la90", "dB", 52, 5),
        ("vehicle_count", "count", 300, 250), ("vehicle_count_car", "count", 240, 200), ("vehicle_count_heavy", "count", 20, 15), ("pedestrian_count", "count", 80, 70), ("bicycle_count", "count", 12, 10),
        ("mean_speed", "km/h", 38, 10), ("space_mean_speed", "km/h", 35, 9), ("v85", "km/h", 47, 8), ("occupancy", "/100", 12, 8), ("travel_time", "s", 140, 50),
    ];

    private static readonly (string Property, string Unit, double Middle, double Swing)[] Equipment =
    [
        ("battery", "V", 12.4, 0.3), ("disk_free", "/100", 61, 1), ("outbox_depth", "count", 20, 15), ("clock_state", "count", 3, 0), ("link_quality", "dBm", -84, 6), ("cpu_temperature", "Cel", 52, 5),
        ("undervoltage", "/100", 1, 1), ("throttled", "/100", 1, 1), ("uptime", "s", 500_000, 3_000),
    ];

    private static readonly string[] Old = ["pm2_5", "pm10", "laeq"];

    private readonly TempFolder _folder = new();
    private readonly InfluxServer _influx = new();
    private int _sent;
    private RunningProgram? _machine;
    private HubOperator _operator = null!;

    public City() => Hub = new HubProgram(_folder.File("data"));

    public HubProgram Hub { get; }

    public InfluxClient Influx { get; private set; } = null!;

    public PrometheusProgram Prometheus { get; private set; } = null!;

    /// <summary>With what an administrator of the municipality signs in.</summary>
    public (string UserName, string Password) Login => _operator.Login;

    /// <summary>End of the time ranges that are asked for: now, rounded up to a minute.</summary>
    public DateTime To { get; private set; }

    /// <summary>
    /// Who answers InfluxQL, by the data source's uid: each question of a source is asked of each of its endpoints. An installation may give <c>hub-series</c> the hub itself; where this hub has <c>/query</c>
    /// it answers both sources here as well.
    /// </summary>
    public IReadOnlyList<Endpoint> Endpoints { get; private set; } = [];

    public async ValueTask DisposeAsync()
    {
        if (Prometheus is not null)
        {
            await Prometheus.DisposeAsync();
        }

        if (_machine is not null)
        {
            await _machine.DisposeAsync();
        }

        await Hub.DisposeAsync();
        await _influx.DisposeAsync();
        Influx?.Dispose();
        foreach (var endpoint in Endpoints)
        {
            endpoint.Client.Dispose();
        }

        _folder.Dispose();
    }

    /// <summary>Another reading, so that counters move: of another moment each time, because what is sent again is not stored again.</summary>
    public Task SendAsync() => _operator.PostReadingsAsync(Station, $"[{HubOperator.Record("air", "pm2_5", "ug/m3", Now().AddMilliseconds(++_sent), 21)}]");

    public async ValueTask InitializeAsync()
    {
        await _influx.InitializeAsync();
        Influx = new InfluxClient(new Uri(_influx.Address));
        Hub.Set("Hub:Series:Store", "Influx");
        Hub.Set("Hub:Series:Influx:Address", _influx.Address);
        _operator = await HubOperator.AddAsync(Hub, Municipality, Station, "Administrator");
        var secret = await Hub.AddStationAsync(Other, OtherStation);
        await Hub.StartAsync();

        var machinePort = FreePort.Next();
        _machine = new RunningProgram("/usr/bin/prometheus-node-exporter", [string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{machinePort}"), "--log.level=error"]);
        Prometheus = await PrometheusProgram.StartAsync(_folder.File("prometheus"), Hub.HttpPort, machinePort);

        await _operator.PutRuleAsync("pm25-high", """{"namePt":"PM2,5 altas","nameEn":"High PM2.5","severity":"warning","property":"pm2_5","crossing":"above","setLevel":20,"clearLevel":15}""");
        var now = Now();
        foreach (var pack in Packs(now))
        {
            await _operator.PostReadingsAsync(Station, pack);
        }

        await PostAsync(Other, OtherStation, secret, Pack(Street.Select(q => (q, now.AddMinutes(-10), 600)).SelectMany(one => Records(one.q, one.Item2, one.Item2.AddMinutes(10), one.Item3))));
        await CondenseAsync();
        await SendAsync();
        To = Now().AddMinutes(1);

        Endpoints =
        [
            new Endpoint("hub-series", new InfluxClient(new Uri(_influx.Address)), IsHub: false),
            .. await HubAnswersAsync() ? ((string[])["hub-series", "hub"]).Select(source => new Endpoint(source, new InfluxClient(Hub.Client.BaseAddress!), IsHub: true)) : [],
        ];
    }

    /// <summary>Old days go, their rollups stay: a policy of the municipality, run at once.</summary>
    private async Task CondenseAsync()
    {
        var policies = JsonSerializer.Serialize(new { policies = new[] { new { property = (string?)null, days = KeptDays, rollupDays = 400 } } });
        await _operator.SendAsync(HttpMethod.Put, $"api/v1/retention/{Municipality}/policies", policies);
        await _operator.SendAsync(HttpMethod.Post, $"api/v1/retention/{Municipality}/runs", "{}");
    }

    private static IEnumerable<string> Packs(DateTime now)
    {
        var hour = now.AddMinutes(-now.Minute);
        foreach (var quantity in Street)
        {
            // Eight days by the quarter of an hour; the last of it ends before now.
            yield return Pack(Records(quantity, hour.AddDays(-8), hour, 900));
        }

        foreach (var quantity in Street.Where(q => Old.Contains(q.Property)))
        {
            yield return Pack(Records(quantity, hour.AddDays(-OldDays), hour.AddDays(-OldDays + 2), 1_800));
        }

        yield return Pack(Equipment.SelectMany(quantity => Records(quantity, now.AddMinutes(-50), now, 60)));

        // Out of the plausible range, as its station has flagged it.
        yield return Pack([HubOperator.Record("weather", "pressure", "hPa", now.AddMinutes(-5), 1_180).Replace("}", ",\"hq\":2}", StringComparison.Ordinal)]);
    }

    private static string Pack(IEnumerable<string> records) => $"[{string.Join(',', records)}]";

    private static IEnumerable<string> Records((string Property, string Unit, double Middle, double Swing) quantity, DateTime from, DateTime to, int period)
    {
        var number = 0;
        for (var at = from; at < to; at = at.AddSeconds(period))
        {
            var value = quantity.Middle + (quantity.Swing * Math.Sin(number++ * 0.35));
            if (quantity.Unit == "count")
            {
                value = Math.Round(value);
            }

            yield return string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"bver":26,"n":"{{Sensor(quantity.Property)}}/{{quantity.Property}}","u":"{{quantity.Unit}}","t":{{(at - DateTime.UnixEpoch).TotalSeconds:F0}},"v":{{value:R}},"hp":{{period}},"hr":{{value * 1.1:R}},"hv":1}""");
        }
    }

    private static string Sensor(string property) => property switch
    {
        _ when property.StartsWith('l') && property != "link_quality" => "microphone",
        _ when property.Contains("count", StringComparison.Ordinal) || property.Contains("speed", StringComparison.Ordinal) || property is "v85" or "occupancy" or "travel_time" => "counter",
        _ when Equipment.Any(quantity => quantity.Property == property) => "agent",
        _ => "air",
    };

    /// <summary>The minute that has begun last.</summary>
    private static DateTime Now() => new(TimeProvider.System.GetUtcNow().UtcTicks / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, DateTimeKind.Utc);

    private async Task PostAsync(string municipality, string station, string secret, string pack)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"ingest/v1/{municipality}/{station}") { Content = new StringContent(pack, Encoding.UTF8, "application/senml+json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{municipality}/{station}:{secret}")));
        using var answer = await Hub.Client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<bool> HubAnswersAsync()
    {
        using var answer = await Hub.Client.GetAsync("ping");
        return answer.Headers.Contains("X-Influxdb-Version");
    }
}

/// <summary>Tests that look at the one city.</summary>
[CollectionDefinition(nameof(City))]
public sealed class CityTests : ICollectionFixture<City>;
