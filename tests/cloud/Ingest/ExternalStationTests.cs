using System.Globalization;
using System.Text;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using MQTTnet;
using MQTTnet.Protocol;
using Xunit;
using static Hub.Cloud.Ingest.Tests.MqttTest;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>What stations say besides readings, through a real Mosquitto with the access list of firmware-config/broker.</summary>
public sealed class ExternalStationTests
{
    private const string Status = "hub/v1/braga/air-1/status";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_station_asks_for_the_time_and_one_of_two_hubs_answers()
    {
        await using var broker = await Mosquitto.StartAsync(("braga/air-1", IngestHost.Secret));
        await using var first = await IngestHost.StartAsync(broker.HubSettings());
        var settings = broker.HubSettings();
        settings["Hub:Mqtt:External:ClientId"] = "hub-2";
        await using var second = await IngestHost.StartAsync(settings);
        await Eventually.TrueAsync(() => first.External.IsConnected && second.External.IsConnected, "both are there");
        using var station = await ConnectAsync(broker.Port);
        var answers = new System.Collections.Concurrent.ConcurrentQueue<MqttApplicationMessage>();
        station.ApplicationMessageReceivedAsync += e =>
        {
            answers.Enqueue(e.ApplicationMessage);
            return Task.CompletedTask;
        };
        await station.SubscribeAsync("hub/v1/braga/air-1/command/time", cancellationToken: Cancel);
        for (byte i = 1; i <= 4; i++)
        {
            var asked = TimeProvider.System.GetUtcNow();
            await station.PublishAsync(new MqttApplicationMessageBuilder().WithTopic("hub/v1/braga/air-1/time").WithResponseTopic("hub/v1/braga/air-1/command/time").WithCorrelationData([i]).Build(), Cancel);
            await Eventually.TrueAsync(() => answers.Any(a => a.CorrelationData is [var c] && c == i), "an answer");
            var answer = Assert.Single(answers, a => a.CorrelationData is [var c] && c == i);
            var seconds = decimal.Parse(answer.ConvertPayloadToString(), CultureInfo.InvariantCulture);
            Assert.InRange(DateTimeOffset.UnixEpoch.AddSeconds((double)seconds), asked.AddSeconds(-1), TimeProvider.System.GetUtcNow().AddSeconds(1));
            Assert.False(answer.Retain);
        }

        // Not to another station's topic, whoever asks for it.
        await station.PublishAsync(new MqttApplicationMessageBuilder().WithTopic("hub/v1/braga/air-1/time").WithResponseTopic("hub/v1/braga/noise-1/command/time").WithCorrelationData([9]).Build(), Cancel);
        await Eventually.TrueAsync(() => first.Counters.RefusedTopics + second.Counters.RefusedTopics == 1, "that one is refused");
    }

    [Fact]
    public async Task States_and_answers_come_to_every_hub_and_readings_to_one()
    {
        await using var broker = await Mosquitto.StartAsync(("braga/air-1", IngestHost.Secret));
        await using var first = await IngestHost.StartAsync(broker.HubSettings());
        var settings = broker.HubSettings();
        settings["Hub:Mqtt:External:ClientId"] = "hub-2";
        await using var second = await IngestHost.StartAsync(settings);
        var (one, two) = (new Listener(), new Listener());
        using var subscribed = first.Services.GetRequiredService<IStationMessages>().Subscribe(one);
        using var subscribedToo = second.Services.GetRequiredService<IStationMessages>().Subscribe(two);
        await Eventually.TrueAsync(() => first.External.IsConnected && second.External.IsConnected, "both are there");
        using var station = await ConnectAsync(broker.Port);
        Assert.True((await station.PublishAsync(Message(Status, Packs.Bytes("here"), retain: true), Cancel)).IsSuccess);
        Assert.True((await station.PublishAsync(Message("hub/v1/braga/air-1/config/reported", Packs.Bytes("report"), retain: true), Cancel)).IsSuccess);
        Assert.True((await station.PublishAsync(StationMessageTests.Answer("answer", [5]), Cancel)).IsSuccess);
        Assert.True((await station.PublishAsync(Message(AirTopic, Packs.Temperatures(3)), Cancel)).IsSuccess);
        foreach (var listener in new[] { one, two })
        {
            await listener.HasAsync("braga/air-1 Status: here", "braga/air-1 Reported: report", "braga/air-1 Reply: answer");
            Assert.Equal([5], listener.Heard.Single(m => m.Kind == StationMessageKind.Reply).Correlation.ToArray());
            Assert.All(listener.Heard, m => Assert.False(m.Retained));
        }

        await Eventually.TrueAsync(() => first.Counters.Stored + second.Counters.Stored == 3, "each reading is stored once");
    }

    [Fact]
    public async Task A_hub_that_comes_later_is_told_what_is_retained()
    {
        await using var broker = await Mosquitto.StartAsync(("braga/air-1", IngestHost.Secret));
        using var station = await ConnectAsync(broker.Port);
        await station.PublishAsync(Message(Status, Packs.Bytes("here"), retain: true), Cancel);
        for (var round = 0; round < 2; round++)
        {
            // The second time the broker has kept the hub's session, and its subscription is not new.
            await using var host = await IngestHost.StartAsync(broker.HubSettings(), start: false);
            var listener = new Listener();
            using var subscription = host.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
            await host.External.StartAsync(Cancel);
            await Eventually.TrueAsync(() => !listener.Heard.IsEmpty, "it is told");

            // The second time perhaps twice: the hub that went may not have acknowledged it.
            Assert.All(listener.Texts, text => Assert.Equal("braga/air-1 Status: here", text));
            Assert.True(listener.Heard.First().Retained);
            await host.External.StopAsync(Cancel);
        }
    }

    [Fact]
    public async Task The_access_list_lets_a_station_answer_for_itself_only_and_the_hub_command_it()
    {
        await using var broker = await Mosquitto.StartAsync(("braga/air-1", IngestHost.Secret), ("braga/noise-1", IngestHost.OtherSecret));
        await using var host = await IngestHost.StartAsync(broker.HubSettings());
        var listener = new Listener();
        using var subscription = host.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
        await Eventually.TrueAsync(() => host.External.IsConnected, "the hub is connected");
        using var station = await ConnectAsync(broker.Port);
        using var noise = await ConnectAsync(broker.Port, "braga/noise-1", IngestHost.OtherSecret);
        var got = new TaskCompletionSource<MqttApplicationMessage>();
        station.ApplicationMessageReceivedAsync += e =>
        {
            got.TrySetResult(e.ApplicationMessage);
            return Task.CompletedTask;
        };
        await station.SubscribeAsync("hub/v1/braga/air-1/command/+", MqttQualityOfServiceLevel.AtLeastOnce, Cancel);
        await host.Publisher.PublishAsync(
            new HubMessage("hub/v1/braga/air-1/command/identify", Encoding.UTF8.GetBytes("{}"), "application/json") { ResponseTopic = "hub/v1/braga/air-1/reply", Correlation = new byte[] { 7 }, Expiry = TimeSpan.FromSeconds(30) }, Cancel);
        var command = await got.Task.WaitAsync(Eventually.Limit, TimeProvider.System, Cancel);
        Assert.Equal("hub/v1/braga/air-1/reply", command.ResponseTopic);
        Assert.Equal([7], command.CorrelationData);
        Assert.InRange(command.MessageExpiryInterval, 1u, 30u);
        Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, (await noise.PublishAsync(StationMessageTests.Answer("forged", [7]), Cancel)).ReasonCode);
        await station.PublishAsync(StationMessageTests.Answer("true", [7]), Cancel);
        await listener.HasAsync("braga/air-1 Reply: true");
    }
}
