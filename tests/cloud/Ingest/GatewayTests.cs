using System.Globalization;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>firmware-config/broker/bridge.conf, started for real: a Mosquitto on a site between microcontrollers and the hub's own broker.</summary>
public sealed class GatewayTests
{
    private const string DevicePassword = "of-the-gateway-only";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_microcontrollers_say_reaches_the_hub_also_after_hub_and_gateway_were_away()
    {
        using var folder = new TempFolder();
        using var series = new MemorySeries();
        var stations = new FakeStations();
        var station = stations.Add("braga", "air-1", IngestHost.Secret);
        var port = FreePort.Next();
        Dictionary<string, string?> settings = new() { ["Hub:Mqtt:Endpoint"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}") };
        var host = await IngestHost.StartAsync(settings, folder, series, stations);
        await using var gateway = await Mosquitto.StartAsync(null, ("allow_anonymous false", "allow_anonymous false\n" + Bridge(port)), ("braga/air-1", DevicePassword));
        try
        {
            await SayAsync(gateway, 0, 50);
            await StoredAsync(50);

            await host.DisposeAsync();
            await SayAsync(gateway, 50, 50);
            await gateway.StopAsync();
            await gateway.RunAsync();
            await SayAsync(gateway, 100, 50);

            host = await IngestHost.StartAsync(settings, folder, series, stations);
            await StoredAsync(150);
            Assert.Equal((0, 0), (host.Counters.Quarantined, host.Counters.RefusedTopics));
        }
        finally
        {
            await host.DisposeAsync();
        }

        async Task StoredAsync(int count)
        {
            try
            {
                await Eventually.TrueAsync(async () => (await host.StoredAsync(station, "bme280", "temperature")).Count == count, $"{count} readings are stored");
            }
            catch (TimeoutException e)
            {
                throw new TimeoutException($"{e.Message} Stored: {(await host.StoredAsync(station, "bme280", "temperature")).Count}. The gateway said:\n{string.Join('\n', gateway.Lines.TakeLast(40))}", e);
            }
        }
    }

    [Fact]
    public async Task What_the_hub_says_to_a_station_passes_the_gateway()
    {
        await using var host = await IngestHost.StartAsync();
        await using var gateway = await Mosquitto.StartAsync(null, ("allow_anonymous false", "allow_anonymous false\n" + Bridge(host.Port)), ("braga/air-1", DevicePassword));
        await host.Publisher.PublishAsync("hub/v1/braga/air-1/config/desired", "{\"version\":1}"u8.ToArray(), "application/json", retain: true, Cancel);
        var (code, output) = await Command.RunAsync(
            "/usr/bin/mosquitto_sub", "-h", "127.0.0.1", "-p", gateway.Port.ToString(CultureInfo.InvariantCulture), "-u", "braga/air-1", "-P", DevicePassword, "-q", "1", "-t", "hub/v1/braga/air-1/config/desired", "-C", "1", "-W", "30");
        Assert.Equal((0, "{\"version\":1}"), (code, output.Trim()));
    }

    /// <summary>The shipped file with the station, address and secret of the test; without TLS, as everything here is on one machine.</summary>
    private static string Bridge(int port)
    {
        var shipped = File.ReadAllText(Mosquitto.RepositoryFile("firmware-config/broker/bridge.conf"));
        foreach (var (theirs, ours) in new (string, string)[]
        {
            ("address hub.example.pt:8883", string.Create(CultureInfo.InvariantCulture, $"address 127.0.0.1:{port}")),
            ("bridge_cafile /etc/ssl/certs/ca-certificates.crt\n", ""),
            ("remote_password SECRET", "remote_password " + IngestHost.Secret),
            ("braga/rotunda", "braga/air-1"),
            ("restart_timeout 2 60", "restart_timeout 1"),
        })
        {
            Assert.Contains(theirs, shipped, StringComparison.Ordinal);
            shipped = shipped.Replace(theirs, ours, StringComparison.Ordinal);
        }

        return shipped;
    }

    private static async Task SayAsync(Mosquitto gateway, int first, int count)
    {
        using var folder = new TempFolder();
        await File.WriteAllLinesAsync(folder.File("lines"), Enumerable.Range(first, count).Select(i => $"[{Packs.Temperature(i)}]"), Cancel);
        var (code, output) = await Command.RunAsync(
            "/bin/sh", "-c", $"/usr/bin/mosquitto_pub -V mqttv311 -h 127.0.0.1 -p {gateway.Port} -u braga/air-1 -P {DevicePassword} -q 1 -t {MqttTest.AirTopic} -l < {folder.File("lines")}");
        Assert.True(code == 0, output);
    }
}
