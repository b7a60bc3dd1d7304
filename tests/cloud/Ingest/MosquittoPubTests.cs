using System.Globalization;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>What a person does by hand: Debian's mosquitto_pub and mosquitto_sub against the embedded broker.</summary>
public sealed class MosquittoPubTests
{
    private const string Pub = "/usr/bin/mosquitto_pub";
    private const string Sub = "/usr/bin/mosquitto_sub";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("mqttv311", "1")]
    [InlineData("mqttv311", "2")]
    [InlineData("mqttv5", "1")]
    [InlineData("mqttv5", "2")]
    [InlineData("mqttv31", "1")]
    public async Task A_hand_written_pack_with_a_stations_credentials_is_stored(string version, string qos)
    {
        await using var host = await IngestHost.StartAsync();
        var pack = """[{"bn":"bme280/","bt":1719792000,"n":"temperature","u":"Cel","v":21.5},{"n":"relative_humidity","u":"%RH","v":55}]""";
        var (code, output) = await PubAsync(host, version, "-u", "braga/air-1", "-P", IngestHost.Secret, "-q", qos, "-t", MqttTest.AirTopic, "-m", pack);
        Assert.True(code == 0, output);
        Assert.Equal(21.5, Assert.Single(await host.StoredAsync(host.Air, "bme280", "temperature")).Result);
        Assert.Equal(55, Assert.Single(await host.StoredAsync(host.Air, "bme280", "relative_humidity")).Result);
    }

    [Theory]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task One_bad_record_of_five_stores_four(string version)
    {
        await using var host = await IngestHost.StartAsync();
        var (code, output) = await PubAsync(
            host, version, "-u", "braga/air-1", "-P", IngestHost.Secret, "-q", "1", "-t", MqttTest.AirTopic, "-m", System.Text.Encoding.UTF8.GetString(Packs.FourGoodOneBad()));
        Assert.True(code == 0, output);
        Assert.Equal((4, 1), (host.Counters.Stored, host.Counters.Quarantined));
    }

    [Theory]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task Another_stations_topic_and_anonymous_are_refused(string version)
    {
        await using var host = await IngestHost.StartAsync();
        var pack = System.Text.Encoding.UTF8.GetString(Packs.Temperatures(1));
        await PubAsync(host, version, "-u", "braga/air-1", "-P", IngestHost.Secret, "-q", "1", "-t", "hub/v1/braga/noise-1/readings", "-m", pack);
        var anonymous = await PubAsync(host, version, "-q", "1", "-t", MqttTest.AirTopic, "-m", pack);
        var wrong = await PubAsync(host, version, "-u", "braga/air-1", "-P", "wrong", "-q", "1", "-t", MqttTest.AirTopic, "-m", pack);
        Assert.NotEqual(0, anonymous.ExitCode);
        Assert.NotEqual(0, wrong.ExitCode);
        Assert.True(host.Counters.RefusedTopics >= 1);
        Assert.Equal((0, 2), (host.Series.LastCommit, host.Counters.RefusedLogins));
    }

    [Theory]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task Twenty_thousand_lines_from_standard_input_are_all_stored(string version)
    {
        await using var host = await IngestHost.StartAsync();
        using var folder = new Hub.Tests.Kit.TempFolder();
        await File.WriteAllLinesAsync(folder.File("lines"), Enumerable.Range(0, 20_000).Select(i => $"[{Packs.Temperature(i)}]"), Cancel);
        var (code, output) = await Command.RunAsync(
            "/bin/sh", "-c", $"{Pub} -V {version} -h 127.0.0.1 -p {host.Port} -u braga/air-1 -P {IngestHost.Secret} -q 1 -t {MqttTest.AirTopic} -l < {folder.File("lines")}");
        Assert.True(code == 0, output);
        Assert.Equal(20_000, (await host.StoredAsync(host.Air, "bme280", "temperature")).Count);
    }

    [Fact]
    public async Task Mosquitto_sub_reads_a_retained_alarm_as_a_reader()
    {
        await using var host = await IngestHost.StartAsync(new()
        {
            ["Hub:Mqtt:Readers:0:User"] = "wall",
            ["Hub:Mqtt:Readers:0:Secret"] = "a-secret-for-the-wall",
            ["Hub:Mqtt:Readers:0:Municipalities:0"] = "braga",
        });
        await host.Publisher.PublishAsync("hub/v1/braga/alarms/pm/air-1", Packs.Bytes("{\"state\":\"firing\"}"), "application/json", retain: true, Cancel);
        var (code, output) = await Command.RunAsync(
            Sub, "-h", "127.0.0.1", "-p", host.Port.ToString(CultureInfo.InvariantCulture), "-u", "wall", "-P", "a-secret-for-the-wall", "-q", "1", "-t", "hub/v1/braga/alarms/#", "-C", "1", "-W", "30", "-v");
        Assert.Equal((0, "hub/v1/braga/alarms/pm/air-1 {\"state\":\"firing\"}"), (code, output.Trim()));
    }

    private static Task<(int ExitCode, string Output)> PubAsync(IngestHost host, string version, params string[] arguments) =>
        Command.RunAsync(Pub, ["-h", "127.0.0.1", "-p", host.Port.ToString(CultureInfo.InvariantCulture), "-V", version, .. arguments]);
}
