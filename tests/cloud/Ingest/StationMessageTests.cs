using System.Text;
using Hub.Cloud.Ingest.Mqtt;
using Hub.Edge.Contract.Commands;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Xunit;
using static Hub.Cloud.Ingest.Tests.MqttTest;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>What stations say besides readings, on the embedded broker, and what the hub says to them.</summary>
public sealed class StationMessageTests
{
    private const string Status = "hub/v1/braga/air-1/status";
    private const string Reported = "hub/v1/braga/air-1/config/reported";
    private const string Reply = "hub/v1/braga/air-1/reply";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Birth_report_answer_and_will_are_handed_on()
    {
        await using var host = await IngestHost.StartAsync();
        var listener = new Listener();
        using var subscription = host.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
        var station = await ConnectAsync(host.Port, more: o => o.WithWillTopic(Status).WithWillPayload("gone"u8.ToArray()).WithWillRetain().WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce));
        await station.PublishAsync(new MqttApplicationMessageBuilder().WithTopic(Status).WithPayload("here").WithRetainFlag().WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).WithMessageExpiryInterval(60).Build(), Cancel);
        await listener.HasAsync("braga/air-1 Status: here");
        await station.PublishAsync(Message(Reported, Packs.Bytes("report"), retain: true), Cancel);
        await station.PublishAsync(Answer("answer", [1, 2, 3]), Cancel);
        await listener.HasAsync("braga/air-1 Status: here", "braga/air-1 Reported: report", "braga/air-1 Reply: answer");
        var heard = listener.Heard.ToArray();
        Assert.Equal(TimeSpan.FromSeconds(60), heard.Single(m => m.Kind == StationMessageKind.Status).Expiry);
        Assert.Equal([1, 2, 3], heard.Single(m => m.Kind == StationMessageKind.Reply).Correlation.ToArray());
        Assert.All(heard, m => Assert.False(m.Retained));

        // Without a DISCONNECT the broker says the will.
        station.Dispose();
        await Eventually.TrueAsync(() => listener.Texts.Last() == "braga/air-1 Status: gone", "the will is handed on as well");
    }

    [Fact]
    public async Task Nobody_can_read_an_answer_and_nothing_of_it_is_kept()
    {
        await using var host = await IngestHost.StartAsync();
        using var station = await ConnectAsync(host.Port);
        Assert.Equal(MqttClientSubscribeResultCode.NotAuthorized, (await station.SubscribeAsync(Reply, cancellationToken: Cancel)).Items.First().ResultCode);
        var message = Answer("answer", [1]);
        message.Retain = true;
        Assert.True((await station.PublishAsync(message, Cancel)).IsSuccess);
        await using var context = await host.ContextAsync();
        Assert.Empty(context.Retained);
    }

    [Fact]
    public async Task An_answer_must_be_the_stations_own_acknowledged_correlated_and_not_too_large()
    {
        await using var host = await IngestHost.StartAsync();
        var listener = new Listener();
        using var subscription = host.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
        using var station = await ConnectAsync(host.Port);
        var other = Answer("x", [1]);
        other.Topic = "hub/v1/braga/noise-1/reply";
        Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, (await station.PublishAsync(other, Cancel)).ReasonCode);
        Assert.Equal(MqttClientPublishReasonCode.PayloadFormatInvalid, (await station.PublishAsync(Message(Reply, Packs.Bytes("x")), Cancel)).ReasonCode);
        Assert.Equal(MqttClientPublishReasonCode.PayloadFormatInvalid, (await station.PublishAsync(Answer("x", new byte[65]), Cancel)).ReasonCode);
        Assert.Equal(MqttClientPublishReasonCode.QuotaExceeded, (await station.PublishAsync(Answer(new string('x', CommandReply.BytesMax + 1), [1]), Cancel)).ReasonCode);
        var unacknowledged = Answer("x", [1]);
        unacknowledged.QualityOfServiceLevel = MqttQualityOfServiceLevel.AtMostOnce;
        await station.PublishAsync(unacknowledged, Cancel);
        Assert.True((await station.PublishAsync(Answer(new string('y', CommandReply.BytesMax), new byte[64]), Cancel)).IsSuccess);
        await Eventually.TrueAsync(() => !listener.Heard.IsEmpty, "the good one has come");
        Assert.Equal(CommandReply.BytesMax, Assert.Single(listener.Heard).Payload.Length);
    }

    [Fact]
    public async Task What_was_said_before_a_restart_comes_first_marked_as_kept()
    {
        using var folder = new TempFolder();
        await using (var first = await IngestHost.StartAsync(folder: folder))
        {
            using var station = await ConnectAsync(first.Port);
            await station.PublishAsync(Message(Status, Packs.Bytes("here"), retain: true), Cancel);
            await station.PublishAsync(Message(Reported, Packs.Bytes("report"), retain: true), Cancel);
            await first.Publisher.PublishAsync("hub/v1/braga/air-1/config/desired", Packs.Bytes("wish"), "application/json", retain: true, Cancel);
        }

        await using var second = await IngestHost.StartAsync(folder: folder, start: false);
        var listener = new Listener();
        using var subscription = second.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
        await second.Broker.StartAsync(Cancel);
        await Eventually.TrueAsync(() => listener.Heard.Count == 2, "both have come");
        Assert.Equal(["braga/air-1 Reported: report", "braga/air-1 Status: here"], listener.Texts.Order(StringComparer.Ordinal));
        Assert.All(listener.Heard, m => Assert.True(m.Retained));
    }

    [Fact]
    public async Task A_slow_listener_holds_nobody_up_and_ends_with_the_newest_state()
    {
        await using var host = await IngestHost.StartAsync();
        var gate = new TaskCompletionSource();
        var entered = new TaskCompletionSource();
        var slow = new Listener
        {
            Before = _ =>
            {
                entered.TrySetResult();
                return gate.Task;
            },
        };
        var quick = new Listener();
        using var first = host.Services.GetRequiredService<IStationMessages>().Subscribe(slow);
        using var second = host.Services.GetRequiredService<IStationMessages>().Subscribe(quick);
        using var station = await ConnectAsync(host.Port);
        for (var i = 0; i <= 100; i++)
        {
            Assert.True((await station.PublishAsync(Message(Status, Packs.Bytes($"{i}"), retain: true), Cancel)).IsSuccess);
            if (i == 0)
            {
                // It has the first and is busy with it: of the others only the newest can follow.
                await entered.Task.WaitAsync(Eventually.Limit, Cancel);
            }
        }

        await Eventually.TrueAsync(() => quick.Texts.LastOrDefault() == "braga/air-1 Status: 100", "the quick one has the newest");
        Assert.Empty(slow.Heard);
        gate.SetResult();
        await Eventually.TrueAsync(() => slow.Texts.LastOrDefault() == "braga/air-1 Status: 100", "so has the slow one");
        Assert.Equal(2, slow.Heard.Count);
    }

    [Fact]
    public async Task A_listener_that_fails_gets_the_next_message()
    {
        await using var host = await IngestHost.StartAsync();
        host.ErrorsExpected = true;
        var listener = new Listener { Before = m => m.Payload.Length == 3 ? throw new InvalidOperationException("bad") : Task.CompletedTask };
        using var subscription = host.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
        using var station = await ConnectAsync(host.Port);
        await station.PublishAsync(Message(Status, Packs.Bytes("bad"), retain: true), Cancel);
        await Eventually.TrueAsync(() => host.Metrics["hub.ingest.station_messages kind=status outcome=failed"] > 0, "it is counted");
        await station.PublishAsync(Message(Status, Packs.Bytes("good"), retain: true), Cancel);
        await listener.HasAsync("braga/air-1 Status: good");
    }

    [Fact]
    public async Task Answers_wait_in_a_bounded_queue_and_what_is_over_is_counted()
    {
        var factory = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>();
        using var meters = new IngestHost.MetricsSum(factory);
        using var instruments = new IngestInstruments(factory);
        var gate = new TaskCompletionSource();
        var listener = new Listener { Before = _ => gate.Task };
        using var box = new StationMailbox(listener, instruments, NullLogger.Instance);
        var before = meters["hub.ingest.station_messages kind=reply outcome=dropped"];
        box.Post(Said(0));
        for (var i = 1; i <= StationMailbox.RepliesMax + 10; i++)
        {
            box.Post(Said(i));
        }

        gate.SetResult();
        await Eventually.TrueAsync(() => listener.Heard.Count >= StationMailbox.RepliesMax, "what fits has come");
        var dropped = meters["hub.ingest.station_messages kind=reply outcome=dropped"] - before;
        Assert.InRange(dropped, 10, 11);
        await Eventually.TrueAsync(() => listener.Heard.Count == StationMailbox.RepliesMax + 11 - dropped, "taken = handed + dropped");
        Assert.Equal(listener.Heard.Select(m => m.Correlation.Span[0] + (256 * m.Correlation.Span[1])).Order(), listener.Heard.Select(m => m.Correlation.Span[0] + (256 * m.Correlation.Span[1])));

        static StationMessage Said(int i) => new("braga", "air-1", StationMessageKind.Reply, new byte[10], new[] { (byte)(i % 256), (byte)(i / 256) }, null, DateTime.UnixEpoch, false);
    }

    [Fact]
    public async Task A_command_reaches_the_station_with_what_it_needs_to_answer()
    {
        await using var host = await IngestHost.StartAsync(time: WireHost.StandingClock());
        using var station = await ConnectAsync(host.Port);
        var got = new TaskCompletionSource<MqttApplicationMessage>();
        station.ApplicationMessageReceivedAsync += e =>
        {
            got.TrySetResult(e.ApplicationMessage);
            return Task.CompletedTask;
        };
        await station.SubscribeAsync("hub/v1/braga/air-1/command/+", MqttQualityOfServiceLevel.AtLeastOnce, Cancel);
        await host.Publisher.PublishAsync(
            new HubMessage("hub/v1/braga/air-1/command/identify", Packs.Bytes("{}"), "application/json") { ResponseTopic = Reply, Correlation = new byte[] { 7 }, Expiry = TimeSpan.FromSeconds(30) }, Cancel);
        var command = await got.Task.WaitAsync(Eventually.Limit, TimeProvider.System, Cancel);
        Assert.Equal((Reply, false), (command.ResponseTopic, command.Retain));
        Assert.Equal([7], command.CorrelationData);
        Assert.Equal(30u, command.MessageExpiryInterval);
    }

    [Fact]
    public async Task A_command_that_has_expired_is_not_delivered_to_a_station_that_comes_back_and_the_session_goes_on()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(new DateTimeOffset(2026, 11, 26, 4, 0, 0, TimeSpan.Zero));
        await using var host = await IngestHost.StartAsync(time: time);
        using (var before = await Session(host.Port))
        {
            await before.SubscribeAsync("hub/v1/braga/air-1/command/+", MqttQualityOfServiceLevel.AtLeastOnce, Cancel);
            await before.DisconnectAsync(new MqttClientDisconnectOptions { SessionExpiryInterval = 3600 }, Cancel);
        }

        await Eventually.TrueAsync(() => host.Broker.ConnectionCount == 0, "the station is away");
        await Command("restart", TimeSpan.FromSeconds(30));
        await Command("identify", TimeSpan.FromMinutes(10));
        time.Advance(TimeSpan.FromMinutes(1));
        var got = new System.Collections.Concurrent.ConcurrentQueue<MqttApplicationMessage>();
        using var station = new MqttClientFactory().CreateMqttClient();
        station.ApplicationMessageReceivedAsync += e =>
        {
            got.Enqueue(e.ApplicationMessage);
            return Task.CompletedTask;
        };
        await station.ConnectAsync(Options(host.Port), Cancel);
        await Eventually.TrueAsync(() => !got.IsEmpty, "the one that still holds has come");
        Assert.EndsWith("/identify", Assert.Single(got).Topic, StringComparison.Ordinal);
        Assert.Equal(540u, got.First().MessageExpiryInterval);

        // Two hundred more than the window of deliveries: the swallowed one holds no place of it.
        for (var i = 0; i < 300; i++)
        {
            await Command("identify", TimeSpan.FromMinutes(10));
        }

        await Eventually.TrueAsync(() => got.Count == 301, "deliveries go on");
        Assert.True(host.Metrics["hub.ingest.expired"] > 0);

        Task Command(string name, TimeSpan expiry) =>
            host.Publisher.PublishAsync(new HubMessage($"hub/v1/braga/air-1/command/{name}", Packs.Bytes(""), "application/json") { ResponseTopic = Reply, Correlation = new byte[] { 1 }, Expiry = expiry }, Cancel).AsTask();

        static MqttClientOptions Options(int port) => new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).WithProtocolVersion(MqttProtocolVersion.V500).WithClientId("braga/air-1")
            .WithCredentials("braga/air-1", IngestHost.Secret).WithCleanStart(false).WithSessionExpiryInterval(3600).Build();

        static async Task<IMqttClient> Session(int port)
        {
            var client = new MqttClientFactory().CreateMqttClient();
            await client.ConnectAsync(Options(port), Cancel);
            return client;
        }
    }

    internal static MqttApplicationMessage Answer(string text, byte[] correlation) =>
        new MqttApplicationMessageBuilder().WithTopic(Reply).WithPayload(text).WithContentType("application/json").WithCorrelationData(correlation).WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
}
