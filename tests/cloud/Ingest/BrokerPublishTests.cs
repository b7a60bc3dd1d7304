using Hub.Edge.Contract.Encoding;
using Hub.Tests.Kit;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Xunit;
using static Hub.Cloud.Ingest.Tests.MqttTest;

namespace Hub.Cloud.Ingest.Tests;

public sealed class BrokerPublishTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(MqttProtocolVersion.V500, MqttQualityOfServiceLevel.AtLeastOnce)]
    [InlineData(MqttProtocolVersion.V500, MqttQualityOfServiceLevel.ExactlyOnce)]
    [InlineData(MqttProtocolVersion.V311, MqttQualityOfServiceLevel.AtLeastOnce)]
    [InlineData(MqttProtocolVersion.V311, MqttQualityOfServiceLevel.ExactlyOnce)]
    public async Task A_publish_is_acknowledged_only_after_the_commit(MqttProtocolVersion version, MqttQualityOfServiceLevel qos)
    {
        await using var host = await IngestHost.StartAsync();
        var held = new TaskCompletionSource();
        var reached = new TaskCompletionSource();
        host.Series.BeforeCommit = token =>
        {
            reached.TrySetResult();
            return held.Task.WaitAsync(token);
        };
        using var client = await ConnectAsync(host.Port, version: version);
        var message = version == MqttProtocolVersion.V500 ? Message(AirTopic, Packs.Temperatures(3), qos) : Message311(AirTopic, Packs.Temperatures(3), qos);
        var publishing = client.PublishAsync(message, Cancel);
        await reached.Task.WaitAsync(Eventually.Limit, Cancel);

        // The commit is held back; another client's round trip through the same broker shows that it had every chance to answer.
        using (var other = await ConnectAsync(host.Port, "braga/noise-1", IngestHost.OtherSecret))
        {
            await other.PingAsync(Cancel);
        }

        Assert.False(publishing.IsCompleted);
        Assert.Empty(await host.StoredAsync(host.Air, "bme280", "temperature"));
        held.SetResult();
        Assert.True((await publishing).IsSuccess);
        Assert.Equal(3, (await host.StoredAsync(host.Air, "bme280", "temperature")).Count);
    }

    [Fact]
    public async Task Four_good_records_and_a_bad_one_are_taken_and_the_sender_is_told()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port);
        var result = await client.PublishAsync(Message(AirTopic, Packs.FourGoodOneBad()), Cancel);
        Assert.Equal(MqttClientPublishReasonCode.Success, result.ReasonCode);
        Assert.Equal(("5", "4", "1"), (result.UserProperties.Property("received"), result.UserProperties.Property("stored"), result.UserProperties.Property("quarantined")));
        Assert.Contains("UnknownQuantity", result.ReasonString, StringComparison.Ordinal);
        Assert.Single(await host.Quarantine.ListAsync("braga", "air-1", null, null, 10, Cancel));
    }

    [Fact]
    public async Task A_client_that_wants_no_explanations_gets_none()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port, more: o => o.WithRequestProblemInformation(false));
        var result = await client.PublishAsync(Message(AirTopic, Packs.FourGoodOneBad()), Cancel);
        Assert.True(result.IsSuccess);
        Assert.True(string.IsNullOrEmpty(result.ReasonString));
        Assert.True(result.UserProperties is null or { Count: 0 });
    }

    [Fact]
    public async Task A_refused_pack_that_the_quarantine_keeps_is_taken_and_one_it_must_cut_is_not()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port);
        Assert.Equal(MqttClientPublishReasonCode.Success, (await client.PublishAsync(Message(AirTopic, Packs.Bytes("not senml")), Cancel)).ReasonCode);
        Assert.Equal(MqttClientPublishReasonCode.PayloadFormatInvalid, (await client.PublishAsync(Message(AirTopic, Packs.Bytes(new string('x', 100_000))), Cancel)).ReasonCode);
        Assert.True(client.IsConnected);
        Assert.Equal(2, host.Counters.Quarantined);
    }

    [Fact]
    public async Task In_311_a_hopeless_pack_does_not_stand_in_the_way_of_the_next()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port, version: MqttProtocolVersion.V311);
        await client.PublishAsync(Message311(AirTopic, Packs.Bytes(new string('x', 100_000))), Cancel);
        await client.PublishAsync(Message311(AirTopic, Packs.Temperatures(1)), Cancel);
        Assert.Equal((1, 1), (host.Counters.Stored, host.Counters.Quarantined));
    }

    [Fact]
    public async Task Cbor_and_a_missing_content_type_are_understood()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port);
        var cbor = new System.Buffers.ArrayBufferWriter<byte>();
        ReadingPack.Encode(cbor, PackFormat.Cbor, [new("bme280", "temperature", DateTime.UnixEpoch.AddSeconds(Packs.Start), 21.5)]);
        await client.PublishAsync(Message(AirTopic, cbor.WrittenSpan.ToArray(), type: "application/senml+cbor"), Cancel);
        await client.PublishAsync(Message(AirTopic, Packs.Temperatures(1, first: 1), type: null), Cancel);
        Assert.Equal([21.5, 11], (await host.StoredAsync(host.Air, "bme280", "temperature")).Select(o => o.Result));
    }

    [Fact]
    public async Task Without_acknowledgement_readings_are_stored_too()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port);
        await client.PublishAsync(Message(AirTopic, Packs.Temperatures(2), MqttQualityOfServiceLevel.AtMostOnce), Cancel);
        await Eventually.TrueAsync(() => host.Counters.Stored == 2, "two readings are stored");
    }

    [Fact]
    public async Task A_station_that_asks_is_told_the_time_on_its_own_topic_only()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port);
        var answers = new TaskCompletionSource<MqttApplicationMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.ApplicationMessageReceivedAsync += e =>
        {
            answers.TrySetResult(e.ApplicationMessage);
            return Task.CompletedTask;
        };
        await client.SubscribeAsync("hub/v1/braga/air-1/command/time", cancellationToken: Cancel);
        var elsewhere = await client.PublishAsync(
            new MqttApplicationMessageBuilder().WithTopic("hub/v1/braga/air-1/time").WithResponseTopic("hub/v1/braga/noise-1/command/time")
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build(),
            Cancel);
        Assert.Equal(MqttClientPublishReasonCode.TopicNameInvalid, elsewhere.ReasonCode);
        var before = TimeProvider.System.GetUtcNow();
        await client.PublishAsync(
            new MqttApplicationMessageBuilder().WithTopic("hub/v1/braga/air-1/time").WithResponseTopic("hub/v1/braga/air-1/command/time").WithCorrelationData([1, 2, 3]).Build(), Cancel);
        var answer = await answers.Task.WaitAsync(Eventually.Limit, Cancel);
        Assert.Equal(("hub/v1/braga/air-1/command/time", false), (answer.Topic, answer.Retain));
        Assert.Equal([1, 2, 3], answer.CorrelationData);
        var seconds = decimal.Parse(answer.ConvertPayloadToString(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond)), before.AddSeconds(-1), TimeProvider.System.GetUtcNow().AddSeconds(1));
        Assert.Equal(0, host.Counters.Received);
    }

    [Fact]
    public async Task Another_stations_topic_is_refused_and_the_connection_stays()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port);
        foreach (var topic in (string[])[
            "hub/v1/braga/noise-1/readings", "hub/v1/aveiro/air-1/readings", "hub/v1/braga/air-1/config/desired", "hub/v1/braga/air-1/command/reboot",
            "hub/v1/braga/alarms/rule/air-1", "hub/v1/braga/air-1", "hub/v1/braga/air-1/readings/more", "elsewhere", "hub/v1/braga/air-1/Readings", "$SYS/x"])
        {
            var result = await client.PublishAsync(Message(topic, Packs.Temperatures(1)), Cancel);
            Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, result.ReasonCode);
        }

        Assert.Equal((10, 0, 0), (host.Counters.RefusedTopics, host.Counters.Received, host.Series.LastCommit));
        Assert.True((await client.PublishAsync(Message(AirTopic, Packs.Temperatures(1)), Cancel)).IsSuccess);
    }

    [Fact]
    public async Task In_311_a_refused_publish_is_never_acknowledged_and_ends_the_connection()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port, version: MqttProtocolVersion.V311);
        await client.PublishAsync(Message311("hub/v1/braga/noise-1/readings", Packs.Temperatures(1), MqttQualityOfServiceLevel.AtMostOnce), Cancel);
        await Eventually.TrueAsync(() => host.Counters.RefusedTopics == 1, "the message without acknowledgement is dropped");
        await client.PingAsync(Cancel);
        await Assert.ThrowsAnyAsync<Exception>(() => client.PublishAsync(Message311("hub/v1/braga/noise-1/readings", Packs.Temperatures(1)), Cancel));
        await Eventually.TrueAsync(() => !client.IsConnected, "the connection is closed");
        Assert.Equal((2, 0), (host.Counters.RefusedTopics, host.Series.LastCommit));
    }

    [Fact]
    public async Task While_the_store_is_away_nothing_is_acknowledged_and_the_redelivery_is_stored_once()
    {
        await using var host = await IngestHost.StartAsync();
        host.Series.UnavailableBecause = "the disk is full";
        using (var client = await ConnectAsync(host.Port))
        {
            var gone = new TaskCompletionSource<MqttClientDisconnectReason>();
            client.DisconnectedAsync += e =>
            {
                gone.TrySetResult(e.Reason);
                return Task.CompletedTask;
            };
            await Assert.ThrowsAnyAsync<Exception>(() => client.PublishAsync(Message(AirTopic, Packs.FourGoodOneBad()), Cancel));
            Assert.Equal(MqttClientDisconnectReason.ServerBusy, await gone.Task.WaitAsync(Eventually.Limit, Cancel));
        }

        Assert.Equal((0, 0, 1), (host.Counters.Received, host.Series.LastCommit, host.Counters.Unavailable));
        host.Series.UnavailableBecause = null;
        using var back = await ConnectAsync(host.Port);
        Assert.True((await back.PublishAsync(Message(AirTopic, Packs.FourGoodOneBad()), Cancel)).IsSuccess);
        Assert.True((await back.PublishAsync(Message(AirTopic, Packs.FourGoodOneBad()), Cancel)).IsSuccess);
        Assert.Equal(4, (await host.StoredAsync(host.Air, "bme280", "temperature")).Count);
        Assert.Equal((10, 4, 4, 2), (host.Counters.Received, host.Counters.Stored, host.Counters.Duplicate, host.Counters.Quarantined));
    }

    [Fact]
    public async Task A_client_that_dies_while_its_pack_is_being_committed_leaves_it_stored_once()
    {
        await using var host = await IngestHost.StartAsync();
        var held = new TaskCompletionSource();
        var reached = new TaskCompletionSource();
        host.Series.BeforeCommit = token =>
        {
            reached.TrySetResult();
            return held.Task.WaitAsync(token);
        };
        var client = await ConnectAsync(host.Port);
        var publishing = client.PublishAsync(Message(AirTopic, Packs.Temperatures(3)), Cancel);
        await reached.Task.WaitAsync(Eventually.Limit, Cancel);
        client.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => publishing);
        held.SetResult();
        await Eventually.TrueAsync(() => host.Counters.Stored == 3, "the pack is stored");
        using var back = await ConnectAsync(host.Port);
        Assert.True((await back.PublishAsync(Message(AirTopic, Packs.Temperatures(3)), Cancel)).IsSuccess);
        Assert.Equal((3, 3), (host.Counters.Stored, host.Counters.Duplicate));
    }

    [Fact]
    public async Task Readings_are_never_retained_nor_passed_on()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port);
        Assert.True((await client.PublishAsync(Message(AirTopic, Packs.Temperatures(1), retain: true), Cancel)).IsSuccess);
        Assert.True((await client.PublishAsync(Message("hub/v1/braga/air-1/status", Packs.Bytes("""{"online":true}"""), retain: true), Cancel)).IsSuccess);
        await using var context = await host.ContextAsync();
        Assert.Equal(["hub/v1/braga/air-1/status"], context.Retained.Select(r => r.Topic));
        Assert.Equal(1, host.Counters.Stored);
    }

    [Fact]
    public async Task A_removed_station_can_publish_nothing_more()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port);
        await host.Stations.RemoveAsync(host.Air.Id, Cancel);
        Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, (await client.PublishAsync(Message(AirTopic, Packs.Temperatures(1)), Cancel)).ReasonCode);
    }

    [Fact]
    public async Task A_packet_over_the_limit_ends_the_connection_and_only_that()
    {
        await using var host = await IngestHost.StartAsync();
        using var other = await ConnectAsync(host.Port, "braga/noise-1", IngestHost.OtherSecret);
        using var client = await ConnectAsync(host.Port);
        var gone = new TaskCompletionSource<MqttClientDisconnectReason>();
        client.DisconnectedAsync += e =>
        {
            gone.TrySetResult(e.Reason);
            return Task.CompletedTask;
        };
        await Assert.ThrowsAnyAsync<Exception>(() => client.PublishAsync(Message(AirTopic, new byte[400_000]), Cancel));
        await gone.Task.WaitAsync(Eventually.Limit, Cancel);
        await other.PingAsync(Cancel);
        Assert.Equal(0, host.Counters.Received);
    }

    [Fact]
    public async Task The_hub_stops_in_the_middle_of_a_commit_without_acknowledging()
    {
        var host = await IngestHost.StartAsync();
        var reached = new TaskCompletionSource();
        host.Series.BeforeCommit = token =>
        {
            reached.TrySetResult();
            return Task.Delay(Timeout.Infinite, token);
        };
        using var client = await ConnectAsync(host.Port);
        var publishing = client.PublishAsync(Message(AirTopic, Packs.Temperatures(3)), Cancel);
        await reached.Task.WaitAsync(Eventually.Limit, Cancel);
        await host.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => publishing);
        Assert.Equal(0, host.Series.LastCommit);
    }
}
