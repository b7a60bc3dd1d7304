using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>One hub with a station in each of two municipalities.</summary>
public sealed class TwoStations : IAsyncLifetime
{
    private readonly TempFolder _folder = new();

    public TwoStations() => Hub = new HubProgram(_folder.File("data"));

    public HubProgram Hub { get; }

    public string Secret { get; private set; } = "";

    public string OtherSecret { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Secret = await Hub.AddStationAsync("braga", "rotunda");
        OtherSecret = await Hub.AddStationAsync("aveiro", "rossio");
        await Hub.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>A person with Debian's mosquitto_pub or curl, a station's secret and a hand-written pack, against the real hub.</summary>
public sealed class WireJourney(TwoStations two) : IClassFixture<TwoStations>
{
    private readonly HubProgram _hub = two.Hub;
    private readonly string _secret = two.Secret;
    private readonly string _other = two.OtherSecret;

    [Fact]
    public async Task A_hand_written_pack_is_stored_and_read_back()
    {
        Assert.Equal(0, await PublishAsync("braga/rotunda", _secret, "braga/rotunda", """[{"bver":26,"n":"hand/pm2_5","u":"ug/m3","v":12.3}]"""));
        var item = Assert.Single(await LatestAsync("braga", "hand"));
        Assert.Equal(12.3, item.GetProperty("result").GetDouble(), 9);
        Assert.Equal("pm2_5", item.GetProperty("property").GetString());
    }

    [Fact]
    public async Task Another_stations_topic_is_refused()
    {
        Assert.NotEqual(0, await PublishAsync("braga/rotunda", _secret, "aveiro/rossio", """[{"bver":26,"n":"foreign/pm2_5","u":"ug/m3","v":1}]"""));
        Assert.Empty(await LatestAsync("aveiro", "foreign"));
    }

    [Fact]
    public async Task Anonymous_and_wrong_passwords_are_refused()
    {
        Assert.NotEqual(0, await PublishAsync(null, null, "braga/rotunda", """[{"bver":26,"n":"anonymous/pm2_5","u":"ug/m3","v":1}]"""));
        Assert.NotEqual(0, await PublishAsync("braga/rotunda", _other, "braga/rotunda", """[{"bver":26,"n":"anonymous/pm2_5","u":"ug/m3","v":1}]"""));
        Assert.Empty(await LatestAsync("braga", "anonymous"));
    }

    [Fact]
    public async Task One_bad_record_of_five_hurts_only_itself()
    {
        const string Pack = """
            [{"bver":26,"bn":"five/","n":"pm2_5","u":"ug/m3","v":1},{"n":"pm10","u":"ug/m3","v":2},{"n":"no_such_thing","u":"ug/m3","v":3},{"n":"pm1","u":"ug/m3","v":4},{"n":"temperature","u":"Cel","v":5}]
            """;
        Assert.Equal(0, await PublishAsync("braga/rotunda", _secret, "braga/rotunda", Pack.Trim()));
        Assert.Equal(4, (await LatestAsync("braga", "five")).Count);

        // The quarantine is for operators: anonymous visitors learn nothing of it.
        using var anonymous = await _hub.Client.GetAsync("api/v1/quarantine?municipality=braga");
        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
    }

    [Fact]
    public async Task The_same_pack_over_HTTP_is_answered_with_a_receipt()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "ingest/v1/braga/rotunda")
        {
            Content = new StringContent("""[{"bver":26,"n":"sds/pm2_5","u":"ug/m3","t":1763900000,"v":7},{"n":"sds/pm10","u":"furlong","t":1763900000,"v":8}]""", Encoding.UTF8, "application/senml+json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"braga/rotunda:{_secret}")));
        using var answer = await _hub.Client.SendAsync(request);
        var receipt = System.Text.Json.JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(1, receipt.GetProperty("stored").GetInt32());
        Assert.Equal(1, receipt.GetProperty("quarantined").GetInt32());
    }

    private async Task<IReadOnlyList<System.Text.Json.JsonElement>> LatestAsync(string municipality, string sensor)
    {
        var latest = await _hub.GetAsync($"api/v1/observations/latest?municipality={municipality}");
        return [.. latest.GetProperty("items").EnumerateArray().Where(item => item.GetProperty("sensor").GetString() == sensor)];
    }

    private async Task<int> PublishAsync(string? user, string? password, string station, string pack)
    {
        string[] login = user is null ? [] : ["-u", user, "-P", password!];
        await using var publisher = new RunningProgram(
            "mosquitto_pub",
            ["-V", "mqttv5", "-h", "127.0.0.1", "-p", _hub.MqttPort.ToString(CultureInfo.InvariantCulture), "-q", "1", .. login, "-t", $"hub/v1/{station}/readings", "-m", pack]);
        var code = await publisher.ExitAsync();

        // mosquitto_pub ends with 0 even when the PUBACK says no; it says so on its error output.
        return code == 0 && publisher.Output.Contains("fail", StringComparison.OrdinalIgnoreCase) ? 1 : code;
    }
}
