using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using Hub.Cloud.Ingest.Mqtt;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>What WebSockets add to the cases that every wire has: frames, the handshake, whose pages may connect, and the end.</summary>
public sealed class WebSocketTests
{
    private const string Status = "hub/v1/braga/air-1/status";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(101, null)]
    [InlineData(101, null, "Sec-WebSocket-Protocol", "chat, mqtt")]
    [InlineData(101, null, "Origin", "http://hub.example")]
    [InlineData(101, null, "Origin", "https://hub.example")]
    [InlineData(101, null, "Origin", "https://city.example")]
    [InlineData(101, null, "Origin", "https://dashboards.example:8443")]
    [InlineData(403, "origin", "Origin", "https://dashboards.example")]
    [InlineData(403, "origin", "Origin", "https://elsewhere.example")]
    [InlineData(403, "origin", "Origin", "null")]
    [InlineData(400, "sub-protocol", "Sec-WebSocket-Protocol", "")]
    [InlineData(400, "sub-protocol", "Sec-WebSocket-Protocol", "mqttv3.1")]
    [InlineData(400, "sub-protocol", "Sec-WebSocket-Protocol", "MQTT")]
    [InlineData(426, "websocket", "Upgrade", "")]
    [InlineData(426, "websocket", "Connection", "keep-alive")]
    [InlineData(426, "websocket", "Sec-WebSocket-Version", "8")]
    [InlineData(426, "websocket", "Sec-WebSocket-Key", "short")]
    public async Task A_request_is_answered_by_what_it_asks_for_and_where_it_is_from(int status, string? counted, string? header = null, string value = "")
    {
        await using var hub = await WireHost.StartAsync(new()
        {
            ["Hub:PublicUrl"] = "https://city.example/",
            ["Hub:Mqtt:WebSocketOrigins:0"] = "https://dashboards.example:8443",
        });
        var before = hub.Host.Metrics[$"hub.ingest.refused_connections transport=mqtt-websocket reason={counted}"];
        var (stream, socket) = await hub.ConnectAsync(Wire.Ws);
        using var closing = socket;
        var (answered, headers) = await RawWebSocket.AskAsync(stream, changed: header is null ? [] : [(header, value)]);
        Assert.Equal(status, answered);
        Assert.Equal(status == 101 ? "mqtt" : null, headers.GetValueOrDefault("Sec-WebSocket-Protocol"));
        Assert.Equal(status == 426 ? "13" : null, headers.GetValueOrDefault("Sec-WebSocket-Version"));
        Assert.Equal(counted is null ? 0 : 1, hub.Host.Metrics[$"hub.ingest.refused_connections transport=mqtt-websocket reason={counted}"] - before);
        if (status == 101)
        {
            await Eventually.TrueAsync(() => hub.Host.Broker.ConnectionCount == 1, "the connection is there");
        }
        else
        {
            Assert.Equal(0, hub.Host.Broker.ConnectionCount);
        }
    }

    [Theory]
    [InlineData(true, "hub.example", null)]
    [InlineData(true, "hub.example", "https://hub.example")]
    [InlineData(true, "hub.example", "https://HUB.example:443")]
    [InlineData(true, "hub.example:443", "https://hub.example")]
    [InlineData(true, "hub.example:8443", "https://hub.example:8443")]
    [InlineData(true, "127.0.0.1:8080", "http://127.0.0.1:8080")]
    [InlineData(true, "[::1]:8080", "http://[::1]:8080")]
    [InlineData(true, "10.0.0.7:8080", "https://city.example")]
    [InlineData(false, "10.0.0.7:8080", "http://city.example")]
    [InlineData(false, "10.0.0.7:8080", "https://city.example.evil.example")]
    [InlineData(false, "hub.example:8443", "https://hub.example")]
    [InlineData(false, "hub.example", "https://hub.example:8443")]
    [InlineData(false, "hub.example", "https://sub.hub.example")]
    [InlineData(false, "hub.example", "ftp://hub.example")]
    [InlineData(false, "hub.example", "https://hub.example/page")]
    [InlineData(false, "hub.example", "https://user@hub.example")]
    [InlineData(false, "hub.example", "hub.example")]
    [InlineData(false, "hub.example", "file://")]
    [InlineData(false, "hub.example", "")]
    [InlineData(false, "", "https://hub.example")]
    public void A_page_may_connect_to_where_it_came_from(bool allowed, string host, string? origin) =>
        Assert.Equal(allowed, WebSocketOrigins.Allow(origin is null ? [] : [origin], new HostString(host), "https://city.example/", []));

    [Fact]
    public void Two_origins_are_none() => Assert.False(WebSocketOrigins.Allow(["https://hub.example", "https://hub.example"], new HostString("hub.example"), "", ["https://hub.example"]));

    [Fact]
    public async Task The_path_can_be_another_or_none_and_with_an_external_broker_there_is_none()
    {
        await using (var hub = await WireHost.StartAsync(new() { ["Hub:Mqtt:WebSocketPath"] = "/broker/ws" }))
        {
            foreach (var (path, status) in ((string, int)[])[("/mqtt", 404), ("/broker/ws", 101), ("/broker/ws/more", 404)])
            {
                var (stream, socket) = await hub.ConnectAsync(Wire.Ws);
                using var closing = socket;
                Assert.Equal(status, (await RawWebSocket.AskAsync(stream, path)).Status);
            }
        }

        await using (var hub = await WireHost.StartAsync(new() { ["Hub:Mqtt:WebSocketPath"] = "" }))
        {
            var (stream, socket) = await hub.ConnectAsync(Wire.Ws);
            using var closing = socket;
            Assert.Equal(404, (await RawWebSocket.AskAsync(stream)).Status);
        }
    }

    [Theory]
    [InlineData(Wire.Ws, true, 1)]
    [InlineData(Wire.Ws, false, 1)]
    [InlineData(Wire.Wss, true, 3)]
    [InlineData(Wire.Ws, true, 7)]
    public async Task Packets_may_be_cut_into_fragments_with_pings_between_them_and_many_may_be_in_one_frame(Wire wire, bool v5, int fragmentBytes)
    {
        await using var hub = await WireHost.StartAsync();
        var (client, web) = await OpenAsync(hub, wire, v5);
        await using var closing = client;
        web.FragmentBytes = fragmentBytes;
        await client.SendAsync(client.Connect("braga/air-1", IngestHost.Secret, "x"), client.Publish(1, Packs.Temperatures(2, 1)), client.Publish(2, Packs.Temperatures(2, 10)));
        await client.ExpectLoginAsync();
        await client.ExpectAcksAsync(1, 2);

        // One message of MQTT in many frames, with others between them that are no data, and empty ones.
        var packet = client.Publish(3, Packs.Temperatures(2, 20));
        await web.SendRawAsync(RawWebSocket.Frame(RawWebSocket.Binary, packet.AsSpan(0, 5), final: false), RawWebSocket.Frame(RawWebSocket.Ping, "are you there"u8));
        await web.SendRawAsync(RawWebSocket.Frame(RawWebSocket.Continuation, [], final: false), RawWebSocket.Frame(RawWebSocket.Pong, "unasked"u8), RawWebSocket.Frame(RawWebSocket.Continuation, packet.AsSpan(5)));
        await web.SendRawAsync(RawWebSocket.Frame(RawWebSocket.Binary, []), RawWebSocket.Frame(RawWebSocket.Ping, []));
        await client.ExpectAcksAsync(3);

        // Many packets in one frame, and the last one only begun in it.
        var many = Enumerable.Range(4, 40).SelectMany(i => client.Publish((ushort)i, Packs.Temperatures(2, i * 10))).ToArray();
        await web.SendRawAsync(RawWebSocket.Frame(RawWebSocket.Binary, many.AsSpan(0, many.Length - 9)), RawWebSocket.Frame(RawWebSocket.Binary, many.AsSpan(many.Length - 9)));
        await client.ExpectAcksAsync(Enumerable.Range(4, 40));
        await client.SendAsync(RawMqtt.Ping);
        await client.ExpectAsync(MqttControlPacketType.PingResp);
        Assert.Equal(["are you there", ""], web.Pongs);
        Assert.Equal((86, 0), (hub.Host.Counters.Stored, hub.Host.Counters.Quarantined));
    }

    [Fact]
    public async Task Publishes_that_come_in_a_frame_each_are_still_taken_together()
    {
        await using var hub = await WireHost.StartAsync();
        var commits = new Gate(hub.Host.Series);
        var (client, web) = await OpenAsync(hub, Wire.Ws, v5: true);
        await using var closing = client;
        await client.SendAsync(client.Connect("braga/air-1", IngestHost.Secret, "x"));
        await client.ExpectLoginAsync();
        await client.SendAsync(client.Publish(1, Packs.Temperatures(1, 1)));
        await commits.ReachedAsync(1);
        await web.SendRawAsync([.. Enumerable.Range(2, 60).Select(i => RawWebSocket.Frame(RawWebSocket.Binary, client.Publish((ushort)i, Packs.Temperatures(1, i))))]);
        await client.SendAsync(RawMqtt.Ping);
        await client.ExpectAsync(MqttControlPacketType.PingResp);
        commits.Open();
        await client.ExpectAcksAsync(Enumerable.Range(1, 61));
        Assert.InRange(hub.Host.Series.LastCommit, 2, 20);
        Assert.Equal(61, hub.Host.Counters.Stored);
    }

    [Theory]
    [InlineData(Wire.Ws, true)]
    [InlineData(Wire.Wss, false)]
    public async Task Text_ends_the_connection_and_what_came_before_it_is_stored(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        var listener = new Listener();
        using var subscription = hub.Host.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
        var (client, web) = await OpenAsync(hub, wire, v5);
        await using var closing = client;
        await client.SendAsync(client.Connect("braga/air-1", IngestHost.Secret, "x", will: Status));
        await client.ExpectLoginAsync();
        var packet = client.Publish(2, Packs.Temperatures(1, 2));
        await web.SendRawAsync(RawWebSocket.Frame(RawWebSocket.Binary, client.Publish(1, Packs.Temperatures(1, 1))), RawWebSocket.Frame(RawWebSocket.Text, packet));
        while (await client.ReceiveAsync() is { } answer)
        {
            // The commit may have been quicker than the end.
            Assert.Equal((MqttControlPacketType.PubAck, 1), (answer.Type, answer.Identifier));
        }

        Assert.Equal((int)WebSocketCloseStatus.InvalidMessageType, web.CloseStatus);
        await listener.HasAsync("braga/air-1 Status: gone");
        await Eventually.TrueAsync(() => hub.Host is { Counters.Stored: 1, Broker.ConnectionCount: 0 }, "the first is stored, and the connection gone");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_close_frame_in_the_middle_of_a_packet_ends_the_connection_and_what_was_whole_is_acknowledged(bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        var listener = new Listener();
        using var subscription = hub.Host.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
        var commits = new Gate(hub.Host.Series);
        var (client, web) = await OpenAsync(hub, Wire.Ws, v5);
        await using var closing = client;
        await client.SendAsync(client.Connect("braga/air-1", IngestHost.Secret, "x", will: Status));
        await client.ExpectLoginAsync();
        await web.SendRawAsync(RawWebSocket.Frame(RawWebSocket.Binary, [.. client.Publish(1, Packs.Temperatures(1, 1)), .. client.Publish(2, Packs.Temperatures(1, 2)).AsSpan(0, 60)]));
        await web.CloseAsync();
        await commits.ReachedAsync(1);
        commits.Open();
        await client.ExpectAcksAsync(1);
        Assert.Null(await client.ReceiveAsync());
        Assert.Equal((int)WebSocketCloseStatus.NormalClosure, web.CloseStatus);
        await listener.HasAsync("braga/air-1 Status: gone");
        await Eventually.TrueAsync(() => hub.Host is { Counters.Stored: 1, Broker.ConnectionCount: 0 }, "the whole one is stored, and the connection gone");
        Assert.Equal(0, hub.Host.Pipeline.Uncommitted.Used);
    }

    /// <summary>What no client may send, after a login.</summary>
    public static TheoryData<string, byte[]> Violations => new()
    {
        { "not masked", RawWebSocket.Frame(RawWebSocket.Binary, [0xC0, 0, 0xC0, 0, 0xC0, 0, 0xC0, 0], masked: false) },
        { "a reserved bit", [0xC2, 0x80, 0, 0, 0, 0] },
        { "an unknown kind", [0x83, 0x80, 0, 0, 0, 0] },
        { "a continuation of nothing", RawWebSocket.Frame(RawWebSocket.Continuation, [0xC0, 0]) },
        { "a message within a message", [.. RawWebSocket.Frame(RawWebSocket.Binary, [0xC0], final: false), .. RawWebSocket.Frame(RawWebSocket.Binary, [0])] },
        { "a ping in fragments", RawWebSocket.Frame(RawWebSocket.Ping, [1], final: false) },
        { "a long ping", RawWebSocket.Frame(RawWebSocket.Ping, new byte[126]) },
        { "a length that is none", [0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0] },
        { "a close frame of one byte", RawWebSocket.Frame(RawWebSocket.CloseFrame, [3]) },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task A_frame_that_is_none_ends_its_connection_and_no_other(string what, byte[] bytes)
    {
        await using var hub = await WireHost.StartAsync();
        await using var other = await hub.LoginAsync(Wire.Ws, v5: true, "braga/noise-1");
        var (client, web) = await OpenAsync(hub, Wire.Ws, v5: true);
        await using var closing = client;
        await client.SendAsync(client.Connect("braga/air-1", IngestHost.Secret, "x"));
        await client.ExpectLoginAsync();
        await web.SendRawAsync(bytes);
        Assert.Null(await client.ReceiveAsync());
        Assert.True(web.CloseStatus is null or (int)WebSocketCloseStatus.ProtocolError, $"{what}: {web.CloseStatus}");
        await Eventually.TrueAsync(() => hub.Host.Broker.ConnectionCount == 1, "it is gone");
        await other.SendAsync(RawMqtt.Ping);
        await other.ExpectAsync(MqttControlPacketType.PingResp);
    }

    [Fact]
    public async Task A_frame_may_be_longer_than_any_packet_and_a_packet_not_longer_than_announced()
    {
        await using var hub = await WireHost.StartAsync();
        var (client, web) = await OpenAsync(hub, Wire.Ws, v5: true);
        await using var closing = client;
        await client.SendAsync(client.Connect("braga/air-1", IngestHost.Secret, "x"));
        await client.ExpectLoginAsync();
        await client.SendAsync([.. Enumerable.Range(1, 200).Select(i => client.Publish((ushort)i, Packs.Temperatures(50, i * 100)))]);
        await client.ExpectAcksAsync(Enumerable.Range(1, 200));
        await client.SendAsync([0x32, 0xFF, 0xFF, 0x7F]);
        await client.ExpectEndAsync(MqttDisconnectReasonCode.PacketTooLarge);
        Assert.Equal((int)WebSocketCloseStatus.NormalClosure, web.CloseStatus);
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_cut_off_by_its_keep_alive_and_holds_nobody_up()
    {
        await using var hub = await WireHost.StartAsync();
        var (stream, socket) = await hub.ConnectAsync(Wire.Ws);
        socket.ReceiveBufferSize = 4096;
        await using var client = new RawMqtt(await RawWebSocket.OpenAsync(stream), v5: true, socket);
        await client.SendAsync(client.Connect("braga/air-1", IngestHost.Secret, "x", keepAlive: 5), client.Subscribe(1, "hub/v1/braga/air-1/command/#"));
        await client.ExpectLoginAsync();
        await client.ExpectAsync(MqttControlPacketType.SubAck);
        var large = new byte[256 * 1024];
        for (var i = 0; i < 60; i++)
        {
            await hub.Host.Publisher.PublishAsync($"hub/v1/braga/air-1/command/c{i}", large, "text/plain", retain: false, Cancel);
        }

        await using var other = await hub.LoginAsync(Wire.Ws, v5: true, "braga/noise-1");
        await other.SendAsync(other.Publish(1, Packs.Temperatures(1), "hub/v1/braga/noise-1/readings"));
        await other.ExpectAcksAsync(1);
        await Eventually.TrueAsync(() => hub.Host.Broker.ConnectionCount == 1, "it is gone");
        await other.SendAsync(RawMqtt.Ping);
        await other.ExpectAsync(MqttControlPacketType.PingResp);
    }

    [Fact]
    public async Task Too_many_are_told_to_try_again_and_one_that_leaves_makes_room()
    {
        await using var hub = await WireHost.StartAsync(new() { ["Hub:Mqtt:ConnectionsMax"] = "2" });
        await using var tcp = await hub.LoginAsync(Wire.Tcp, v5: true, clientId: "a");
        await using (var web = await hub.LoginAsync(Wire.Ws, v5: true, clientId: "b"))
        {
            var before = hub.Host.Metrics["hub.ingest.refused_connections transport=mqtt-websocket reason=connections"];
            var (stream, socket) = await hub.ConnectAsync(Wire.Ws);
            using var closing = socket;
            var (status, headers) = await RawWebSocket.AskAsync(stream);
            Assert.Equal((503, "10"), (status, headers["Retry-After"]));
            Assert.Equal(1, hub.Host.Metrics["hub.ingest.refused_connections transport=mqtt-websocket reason=connections"] - before);
        }

        await Eventually.TrueAsync(() => hub.Host.Broker.ConnectionCount == 1, "there is room");
        await using var again = await hub.LoginAsync(Wire.Ws, v5: true, clientId: "c");
    }

    [Fact]
    public async Task Who_opens_a_socket_and_says_nothing_is_closed_when_the_time_to_log_in_is_over()
    {
        await using var hub = await WireHost.StartAsync(new() { ["Hub:Mqtt:LoginTimeout"] = "00:00:01" });
        var (silent, web) = await OpenAsync(hub, Wire.Ws, v5: true);
        await using var closing = silent;
        Assert.Null(await silent.ReceiveAsync());
        await Eventually.TrueAsync(() => hub.Host.Broker.ConnectionCount == 0, "it is gone");
    }

    [Theory]
    [InlineData(Wire.Ws, true)]
    [InlineData(Wire.Wss, true)]
    [InlineData(Wire.Ws, false)]
    public async Task A_hub_that_stops_says_so_in_mqtt_and_in_the_close_frame(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        var (client, web) = await OpenAsync(hub, wire, v5);
        await using var closing = client;
        await client.SendAsync(client.Connect("braga/air-1", IngestHost.Secret, "x"));
        await client.ExpectLoginAsync();

        // And one that has not even logged in.
        var (silent, _) = await OpenAsync(hub, wire, v5);
        await using var silentClosing = silent;
        var stopping = hub.Host.StopAsync();
        await client.ExpectEndAsync(MqttDisconnectReasonCode.ServerShuttingDown);
        Assert.Equal((int)WebSocketCloseStatus.EndpointUnavailable, web.CloseStatus);
        await stopping;
        Assert.Equal(0, hub.Host.Broker.ConnectionCount);
    }

    [Fact]
    public async Task What_comes_this_way_is_counted_and_kept_under_its_name()
    {
        await using var hub = await WireHost.StartAsync();
        long Count(string key) => hub.Host.Metrics[key];
        var before = (Count("hub.ingest.packs transport=mqtt-websocket"), Count("hub.ingest.refused_logins transport=mqtt-websocket reason=credentials"), Count("hub.ingest.refused_topics transport=mqtt-websocket"), Count("hub.ingest.connections transport=mqtt-websocket"));
        await using (var wrong = await hub.OpenAsync(Wire.Wss, v5: true))
        {
            await wrong.SendAsync(wrong.Connect("braga/air-1", "wrong", "x"));
            Assert.Equal((byte)MqttConnectReasonCode.BadUserNameOrPassword, (await wrong.ExpectAsync(MqttControlPacketType.ConnAck)).Body[1]);
            Assert.Null(await wrong.ReceiveAsync());
        }

        await using var client = await hub.LoginAsync(Wire.Ws, v5: true);
        await client.SendAsync(client.Publish(1, Packs.FourGoodOneBad()), client.Publish(2, Packs.Bytes("{}"), qos: 2), client.Publish(3, Packs.Temperatures(1), "hub/v1/braga/noise-1/readings"));
        await client.ExpectAcksAsync(1);
        await client.ExpectAsync(MqttControlPacketType.PubRec);
        Assert.Equal((byte)MqttPubAckReasonCode.NotAuthorized, (await client.ExpectAsync(MqttControlPacketType.PubAck)).Reason);
        await Eventually.TrueAsync(() => Count("hub.ingest.connections transport=mqtt-websocket") == before.Item4 + 1, "the wrong one is gone");
        Assert.Equal(
            (before.Item1 + 2, before.Item2 + 1, before.Item3 + 1),
            (Count("hub.ingest.packs transport=mqtt-websocket"), Count("hub.ingest.refused_logins transport=mqtt-websocket reason=credentials"), Count("hub.ingest.refused_topics transport=mqtt-websocket")));
        Assert.All(await hub.Host.Quarantine.ListAsync("braga", "air-1", null, null, 10, Cancel), entry => Assert.Equal(WebSocketDoor.Transport, entry.Transport));
    }

    [Theory]
    [InlineData(false, MqttProtocolVersion.V500)]
    [InlineData(false, MqttProtocolVersion.V311)]
    [InlineData(true, MqttProtocolVersion.V500)]
    public async Task The_librarys_own_client_publishes_subscribes_and_takes_leave(bool secure, MqttProtocolVersion version)
    {
        await using var hub = await WireHost.StartAsync();
        var uri = secure ? $"wss://127.0.0.1:{hub.Host.WebPorts.Https}/mqtt" : $"ws://127.0.0.1:{hub.Host.WebPorts.Http}/mqtt";
        var options = new MqttClientOptionsBuilder().WithWebSocketServer(web => web.WithUri(uri)).WithProtocolVersion(version).WithClientId("x").WithCredentials("braga/air-1", IngestHost.Secret);
        if (secure)
        {
            options.WithTlsOptions(tls => tls.UseTls().WithCertificateValidationHandler(e => hub.IsOurs(e.Certificate)));
        }

        using var client = new MqttClientFactory().CreateMqttClient();
        Assert.Equal(MqttClientConnectResultCode.Success, (await client.ConnectAsync(options.Build(), Cancel)).ResultCode);
        var told = new TaskCompletionSource<string>();
        client.ApplicationMessageReceivedAsync += e =>
        {
            told.TrySetResult(e.ApplicationMessage.ConvertPayloadToString());
            return Task.CompletedTask;
        };
        await client.SubscribeAsync("hub/v1/braga/air-1/command/#", MqttQualityOfServiceLevel.AtLeastOnce, Cancel);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => client.PublishAsync(MqttTest.Message311(MqttTest.AirTopic, Packs.Temperatures(20, i * 20)), Cancel)));
        await hub.Host.Publisher.PublishAsync("hub/v1/braga/air-1/command/restart", Packs.Bytes("now"), "text/plain", retain: false, Cancel);
        Assert.Equal("now", await told.Task.WaitAsync(Eventually.Limit, Cancel));
        await client.DisconnectAsync(cancellationToken: Cancel);
        Assert.Equal(4_000, hub.Host.Counters.Stored);
        await Eventually.TrueAsync(() => hub.Host.Broker.ConnectionCount == 0, "the connection is gone");
    }

    [Fact]
    public async Task Over_http_2_it_is_the_same_and_longer_than_any_request_may_be()
    {
        // A clock that stands: the hub's patience with who is slow to close is not over before a busy machine has closed.
        await using var hub = await WireHost.StartAsync(time: WireHost.StandingClock());
        using var web = new ClientWebSocket();
        web.Options.HttpVersion = HttpVersion.Version20;
        web.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        web.Options.AddSubProtocol("mqtt");
        using var handler = new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, _) => hub.IsOurs(certificate) } };
        using var invoker = new HttpMessageInvoker(handler);
        await web.ConnectAsync(new Uri($"wss://127.0.0.1:{hub.Host.WebPorts.Https}/mqtt"), invoker, Cancel);
        Assert.Equal("mqtt", web.SubProtocol);
        await using var client = new RawMqtt(WebSocketStream.Create(web, WebSocketMessageType.Binary), v5: true);
        await client.SendAsync(client.Connect("braga/air-1", IngestHost.Secret, "x"));
        await client.ExpectLoginAsync();
        var pack = Packs.Temperatures(2_000);
        for (var id = 1; id <= 20; id++)
        {
            await client.SendAsync(client.Publish((ushort)id, pack));
            await client.ExpectAcksAsync(id);
        }

        Assert.True(20 * pack.Length > 1024 * 1024);
        Assert.Equal((2_000, 38_000), (hub.Host.Counters.Stored, hub.Host.Counters.Duplicate));
        var stopping = hub.Host.StopAsync();
        await client.ExpectEndAsync(MqttDisconnectReasonCode.ServerShuttingDown);
        await web.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Cancel);
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, web.CloseStatus);
        await stopping;
    }

    internal static async Task<(RawMqtt Client, RawWebSocket Web)> OpenAsync(WireHost hub, Wire wire, bool v5)
    {
        var (stream, socket) = await hub.ConnectAsync(wire);
        var web = await RawWebSocket.OpenAsync(stream);
        return (new RawMqtt(web, v5, socket), web);
    }
}
