using Hub.Edge.Contract.Encoding;
using Hub.Tests.Kit;
using MQTTnet;
using MQTTnet.Protocol;
using Xunit;
using static Hub.Cloud.Ingest.Tests.MqttTest;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>The hub as a client of a real Mosquitto that runs with the shipped configuration.</summary>
public sealed class ExternalBrokerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Readings_come_through_the_broker_and_its_access_list_keeps_strangers_out()
    {
        await using var broker = await Mosquitto.StartAsync(("braga/air-1", IngestHost.Secret), ("evora/new-1", "y"));
        await using var host = await IngestHost.StartAsync(broker.HubSettings());
        await Eventually.TrueAsync(() => host.External.IsConnected, "the hub is connected");
        using var station = await ConnectAsync(broker.Port);
        using var unknown = await ConnectAsync(broker.Port, "evora/new-1", "y");
        Assert.True((await station.PublishAsync(Message(AirTopic, Packs.FourGoodOneBad()), Cancel)).IsSuccess);
        Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, (await station.PublishAsync(Message("hub/v1/braga/noise-1/readings", Packs.Temperatures(1)), Cancel)).ReasonCode);
        Assert.True((await unknown.PublishAsync(Message("hub/v1/evora/new-1/readings", Packs.Temperatures(1)), Cancel)).IsSuccess);
        await Eventually.TrueAsync(() => host.Counters.Received == 6, "both packs have arrived");
        Assert.Equal((4, 2), (host.Counters.Stored, host.Counters.Quarantined));
        var entry = Assert.Single(await host.Quarantine.ListAsync("evora", "new-1", RefusalReason.Station, null, 10, Cancel));
        Assert.Equal("mqtt-client", entry.Transport);
        await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(broker.Port, null));
    }

    [Fact]
    public async Task What_is_sent_while_the_hub_is_down_and_the_broker_restarts_arrives_once()
    {
        await using var broker = await Mosquitto.StartAsync(("braga/air-1", IngestHost.Secret));
        using var folder = new TempFolder();
        var (series, stations) = (new MemorySeries(), new FakeStations());
        var air = stations.Add("braga", "air-1", IngestHost.Secret);
        await using (var first = await IngestHost.StartAsync(broker.HubSettings(), folder, series, stations))
        {
            await Eventually.TrueAsync(() => first.External.IsConnected, "the hub is connected");
        }

        using (var station = await ConnectAsync(broker.Port))
        {
            for (var i = 0; i < 150; i++)
            {
                Assert.True((await station.PublishAsync(Message(AirTopic, Packs.Temperatures(2, first: i * 2)), Cancel)).IsSuccess);
            }
        }

        await broker.StopAsync();
        await broker.RunAsync();
        await using var second = await IngestHost.StartAsync(broker.HubSettings(), folder, series, stations);
        await Eventually.TrueAsync(() => second.Counters.Stored == 300, "everything has arrived");
        Assert.Equal(300, (await second.StoredAsync(air, "bme280", "temperature")).Count);
        IngestHost.AssertAddUp(second.Counters);
    }

    [Fact]
    public async Task Before_a_hub_has_joined_the_broker_says_that_it_keeps_nothing()
    {
        await using var broker = await Mosquitto.StartAsync(("braga/air-1", IngestHost.Secret));
        using var station = await ConnectAsync(broker.Port);

        // An agent takes this answer for what it is: "not now".
        Assert.Equal(MqttClientPublishReasonCode.NoMatchingSubscribers, (await station.PublishAsync(Message(AirTopic, Packs.Temperatures(1)), Cancel)).ReasonCode);
        await using var host = await IngestHost.StartAsync(broker.HubSettings());
        await Eventually.TrueAsync(() => host.External.IsConnected, "the hub is connected");
        Assert.Equal(MqttClientPublishReasonCode.Success, (await station.PublishAsync(Message(AirTopic, Packs.Temperatures(1)), Cancel)).ReasonCode);
        await Eventually.TrueAsync(() => host.Counters.Stored == 1, "the second is stored");
    }

    [Fact]
    public async Task A_full_broker_acknowledges_nothing_that_it_does_not_keep()
    {
        // A limit that leaves some bytes when the last pack does not fit any more: a Mosquitto filled to the last one does not even take the hub's login.
        await using var broker = await Mosquitto.StartAsync(null, ("memory_limit 2147483648", "memory_limit 504000"), ("braga/air-1", IngestHost.Secret));
        using var folder = new TempFolder();
        var (series, stations) = (new MemorySeries(), new FakeStations());
        var air = stations.Add("braga", "air-1", IngestHost.Secret);
        await using (var first = await IngestHost.StartAsync(broker.HubSettings(), folder, series, stations))
        {
            await Eventually.TrueAsync(() => first.External.IsConnected, "the hub is connected");
        }

        var acknowledged = 0;
        using (var station = await ConnectAsync(broker.Port))
        {
            try
            {
                while (acknowledged < 1_000)
                {
                    Assert.Equal(MqttClientPublishReasonCode.Success, (await station.PublishAsync(Message(AirTopic, Packs.Temperatures(100, first: acknowledged * 100)), Cancel)).ReasonCode);
                    acknowledged++;
                }
            }
            catch (Exception exception) when (exception is MQTTnet.Exceptions.MqttCommunicationException or MQTTnet.Exceptions.MqttClientDisconnectedException)
            {
                // Full: the connection is ended without an acknowledgement.
            }
        }

        Assert.InRange(acknowledged, 10, 999);
        await using var second = await IngestHost.StartAsync(broker.HubSettings(), folder, series, stations);
        await Eventually.TrueAsync(() => second.Counters.Stored >= acknowledged * 100, "everything acknowledged has arrived");
        Assert.InRange((await second.StoredAsync(air, "bme280", "temperature")).Count, acknowledged * 100, (acknowledged + 1) * 100);
    }

    [Fact]
    public async Task A_hub_that_dies_between_receiving_and_acknowledging_gets_it_again()
    {
        await using var broker = await Mosquitto.StartAsync(("braga/air-1", IngestHost.Secret));
        using var folder = new TempFolder();
        var stations = new FakeStations();
        var air = stations.Add("braga", "air-1", IngestHost.Secret);
        var stuck = new MemorySeries { BeforeCommit = token => Task.Delay(Timeout.Infinite, token) };
        var first = await IngestHost.StartAsync(broker.HubSettings(), folder, stuck, stations);
        await Eventually.TrueAsync(() => first.External.IsConnected, "the hub is connected");
        using var station = await ConnectAsync(broker.Port);
        for (var i = 0; i < 3; i++)
        {
            await station.PublishAsync(Message(AirTopic, Packs.Temperatures(1, first: i)), Cancel);
        }

        await Eventually.TrueAsync(() => first.Pipeline.InFlight == 3, "three packs have been received and none is committed");
        await first.DisposeAsync();
        Assert.Equal(0, stuck.LastCommit);
        await using var second = await IngestHost.StartAsync(broker.HubSettings(), folder, null, stations);
        await Eventually.TrueAsync(() => second.Counters.Stored == 3, "the broker sent them again");
        Assert.Equal(3, (await second.StoredAsync(air, "bme280", "temperature")).Count);
    }

    [Fact]
    public async Task While_the_store_is_away_the_hub_waits_and_loses_nothing()
    {
        await using var broker = await Mosquitto.StartAsync(("braga/air-1", IngestHost.Secret));
        var settings = broker.HubSettings();
        settings["Hub:Mqtt:External:ReceiveMaximum"] = "4";
        await using var host = await IngestHost.StartAsync(settings);
        await Eventually.TrueAsync(() => host.External.IsConnected, "the hub is connected");
        host.Series.UnavailableBecause = "the disk is full";
        using var station = await ConnectAsync(broker.Port);
        for (var i = 0; i < 30; i++)
        {
            await station.PublishAsync(Message(AirTopic, Packs.Temperatures(1, first: i)), Cancel);
        }

        await Eventually.TrueAsync(() => host.Counters.Unavailable >= 10, "the hub tries again and again");
        Assert.Equal((0, 0), (host.Counters.Received, host.Series.LastCommit));
        host.Series.UnavailableBecause = null;
        await Eventually.TrueAsync(() => host.Counters.Stored == 30, "everything is stored");
        Assert.Equal((30, 0), (host.Counters.Received, host.Counters.Duplicate));
        Assert.True(host.External.IsConnected);
    }

    [Fact]
    public async Task The_hub_comes_back_by_itself_when_the_broker_does_and_publishes_alarms()
    {
        await using var broker = await Mosquitto.StartAsync(("braga/air-1", IngestHost.Secret));
        await using var host = await IngestHost.StartAsync(broker.HubSettings());
        await Eventually.TrueAsync(() => host.External.IsConnected, "the hub is connected");
        await broker.StopAsync();
        await Eventually.TrueAsync(() => !host.External.IsConnected, "the hub has noticed");
        await broker.RunAsync();
        await host.Publisher.PublishAsync("hub/v1/braga/air-1/config/desired", Packs.Bytes("every 60 s"), "text/plain", retain: true, Cancel);
        using var station = await ConnectAsync(broker.Port);
        var got = new TaskCompletionSource<string>();
        station.ApplicationMessageReceivedAsync += e =>
        {
            got.TrySetResult(e.ApplicationMessage.ConvertPayloadToString());
            return Task.CompletedTask;
        };
        await station.SubscribeAsync("hub/v1/braga/air-1/config/desired", MqttQualityOfServiceLevel.AtLeastOnce, Cancel);
        Assert.Equal("every 60 s", await got.Task.WaitAsync(Eventually.Limit, Cancel));
        Assert.True((await station.PublishAsync(Message(AirTopic, Packs.Temperatures(1)), Cancel)).IsSuccess);
        await Eventually.TrueAsync(() => host.Counters.Stored == 1, "readings flow again");
    }

    [Fact]
    public async Task Random_bytes_through_the_broker_go_to_the_quarantine_and_the_next_pack_is_stored()
    {
        await using var broker = await Mosquitto.StartAsync(("braga/air-1", IngestHost.Secret));
        await using var host = await IngestHost.StartAsync(broker.HubSettings());
        await Eventually.TrueAsync(() => host.External.IsConnected, "the hub is connected");
        using var station = await ConnectAsync(broker.Port);
        var random = new Random(7);
        for (var i = 0; i < 50; i++)
        {
            var bytes = new byte[random.Next(1, 300)];
            random.NextBytes(bytes);
            bytes[0] = 0xFF;
            await station.PublishAsync(Message(AirTopic, bytes, type: null), Cancel);
        }

        await station.PublishAsync(Message(AirTopic, Packs.Temperatures(1)), Cancel);
        await Eventually.TrueAsync(() => host.Counters.Stored == 1 && host.Counters.Quarantined >= 50, "the good pack is stored and the others are quarantined");
        Assert.Equal((51, 50), (host.Counters.Received, host.Counters.Quarantined));
    }

    [Fact]
    public async Task Without_a_broker_publishing_fails_as_transient_and_the_hub_starts_all_the_same()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.File("secret"), "x", Cancel);
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        await using var host = await IngestHost.StartAsync(
            new()
            {
                ["Hub:Mqtt:Mode"] = "External",
                ["Hub:Mqtt:External:Address"] = $"127.0.0.1:{FreePort.Next()}",
                ["Hub:Mqtt:External:User"] = "hub",
                ["Hub:Mqtt:External:SecretFile"] = folder.File("secret"),
            },
            time: time);
        var publishing = host.Publisher.PublishAsync("hub/v1/braga/alarms/a/b", Packs.Bytes("x"), "text/plain", false, Cancel).AsTask();
        time.Advance(TimeSpan.FromSeconds(11));
        await Assert.ThrowsAsync<BrokerUnavailableException>(() => publishing);
    }
}
