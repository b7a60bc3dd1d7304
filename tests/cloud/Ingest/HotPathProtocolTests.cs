using System.Buffers;
using System.Text;
using CsCheck;
using Hub.Cloud.Ingest.Mqtt;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>The rules of MQTT where readings go past the library: aliases, limits, malformed packets, keep-alive, subscriptions, empty identifiers.</summary>
public sealed class HotPathProtocolTests
{
    private const string Status = "hub/v1/braga/air-1/status";

    public static TheoryData<Wire, bool> Wires => WireHost.All;

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.Tls)]
    [InlineData(Wire.Ws)]
    public async Task A_topic_alias_means_the_same_whichever_way_it_was_set(Wire wire)
    {
        await using var hub = await WireHost.StartAsync();
        await using var client = await hub.LoginAsync(wire, v5: true);

        // Set by readings, used by readings and by what the library takes (quality of service 2 and 0, retained).
        await client.SendAsync(client.Publish(1, Packs.Temperatures(1, 1), alias: 3), client.Publish(2, Packs.Temperatures(1, 2), topic: null, alias: 3));
        await client.ExpectAcksAsync(1, 2);
        await client.SendAsync(client.Publish(3, Packs.Temperatures(1, 3), topic: null, qos: 2, alias: 3));
        Assert.Equal((3, 0), ((await client.ExpectAsync(MqttControlPacketType.PubRec)) is var rec ? rec.Identifier : 0, rec.Reason));
        await client.SendAsync(client.Publish(4, Packs.Temperatures(1, 4), topic: null, retain: true, alias: 3), client.Publish(0, Packs.Temperatures(1, 5), topic: null, qos: 0, alias: 3));
        await client.ExpectAcksAsync(4);

        // Set by what the library takes, used by readings.
        await client.SendAsync(client.Publish(0, Packs.Temperatures(1, 6), qos: 0, alias: 16), client.Publish(5, Packs.Temperatures(1, 7), topic: null, alias: 16));
        await client.ExpectAcksAsync(5);

        // Given to another topic, and back.
        await client.SendAsync(client.Publish(6, Packs.Bytes("here"), Status, alias: 3), client.Publish(7, Packs.Bytes("there"), topic: null, retain: true, alias: 3));
        Assert.Equal(6, (await client.ExpectAsync(MqttControlPacketType.PubAck)).Identifier);
        Assert.Equal(7, (await client.ExpectAsync(MqttControlPacketType.PubAck)).Identifier);
        Assert.Equal(7, hub.Host.Counters.Stored);
        await client.SendAsync(client.Publish(8, Packs.Temperatures(1, 8), alias: 3), client.Publish(9, Packs.Temperatures(1, 9), topic: null, alias: 3));
        await client.ExpectAcksAsync(8, 9);
        Assert.Equal((9, 0), (hub.Host.Counters.Stored, hub.Host.Counters.Quarantined));
        await using var context = await hub.Host.ContextAsync();
        Assert.Equal("there", Encoding.UTF8.GetString(Assert.Single(context.Retained).Payload));
    }

    [Theory]
    [InlineData(0, true, MqttDisconnectReasonCode.TopicAliasInvalid)]
    [InlineData(17, true, MqttDisconnectReasonCode.TopicAliasInvalid)]
    [InlineData(17, false, MqttDisconnectReasonCode.TopicAliasInvalid)]
    [InlineData(5, false, MqttDisconnectReasonCode.ProtocolError)]
    public async Task An_alias_out_of_range_or_never_set_ends_the_connection_after_what_came_before_it(int alias, bool withTopic, MqttDisconnectReasonCode reason)
    {
        await using var hub = await WireHost.StartAsync();
        await using var client = await hub.LoginAsync(Wire.Tcp, v5: true);
        byte[] property = [0x23, 0, (byte)alias];
        await client.SendAsync(client.Publish(1, Packs.Temperatures(1, 1)), client.Publish(2, Packs.Temperatures(1, 2), withTopic ? MqttTest.AirTopic : null, properties: property));
        var end = await client.ReceiveAsync();
        if (end is { Type: MqttControlPacketType.PubAck })
        {
            // The commit was quicker than the goodbye.
            end = await client.ReceiveAsync();
        }

        Assert.Equal((byte)reason, end!.Value.Body[0]);
        Assert.Null(await client.ReceiveAsync());
        await Hub.Tests.Kit.Eventually.TrueAsync(() => hub.Host.Counters.Stored == 1, "what came before is stored");
    }

    /// <summary>Bodies of a PUBLISH with quality of service 1 in MQTT 5 that are none, after a good topic.</summary>
    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 0, 0, 0 })]
    [InlineData(new byte[] { 0, 1 })]
    [InlineData(new byte[] { 0, 1, 5, 0x23 })]
    [InlineData(new byte[] { 0, 1, 2, 0x23, 0 })]
    [InlineData(new byte[] { 0, 1, 2, 0x7F, 0 })]
    [InlineData(new byte[] { 0, 1, 3, 0x03, 0, 9 })]
    [InlineData(new byte[] { 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 })]
    [InlineData(new byte[] { 0, 1, 6, 0x0B, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 })]
    public async Task A_malformed_publish_ends_its_connection_with_a_reason_and_no_other(byte[] rest)
    {
        await using var hub = await WireHost.StartAsync();
        await using var other = await hub.LoginAsync(Wire.Tcp, v5: true, "braga/noise-1");
        await using var client = await hub.LoginAsync(Wire.Tcp, v5: true);
        await client.SendAsync(RawMqtt.Packet(0x32, [0, (byte)MqttTest.AirTopic.Length, .. Encoding.UTF8.GetBytes(MqttTest.AirTopic), .. rest]));
        await client.ExpectEndAsync(MqttDisconnectReasonCode.MalformedPacket);
        await other.SendAsync(RawMqtt.Ping);
        await other.ExpectAsync(MqttControlPacketType.PingResp);
        Assert.Equal(0, hub.Host.Counters.Received);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_packet_may_be_as_large_as_announced_and_not_larger_before_the_login_nor_after_it(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        await using (var client = await hub.OpenAsync(wire, v5))
        {
            await client.SendAsync([0x10, 0x81, 0x80, 0x01]);
            Assert.Null(await client.ReceiveAsync());
        }

        await using (var client = await hub.LoginAsync(wire, v5))
        {
            // A pack of exactly the largest size, and beside it small ones.
            var pack = Packs.Temperatures(3_000);
            Array.Resize(ref pack, Edge.Contract.Encoding.ReadingPack.BytesMax);
            pack.AsSpan(Packs.Temperatures(3_000).Length).Fill((byte)' ');
            await client.SendAsync(client.Publish(1, Packs.Temperatures(1)), client.Publish(2, pack), client.Publish(3, Packs.Temperatures(1)));
            await client.ExpectAcksAsync(1, 2, 3);
            Assert.Equal(3_000, hub.Host.Counters.Stored);
            var header = new List<byte>();
            for (var length = BrokerConnection.PacketBytesMax + 1; length > 0; length >>= 7)
            {
                header.Add((byte)((length & 0x7f) | (length > 127 ? 0x80 : 0)));
            }

            await client.SendAsync([0x32, .. header]);
            await client.ExpectEndAsync(MqttDisconnectReasonCode.PacketTooLarge);
        }

        Assert.Equal(0, hub.Host.Pipeline.Uncommitted.Used);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Nobody_hears_readings_and_who_publishes_them_hears_what_is_meant_for_it(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        await using var client = await hub.LoginAsync(wire, v5);
        await client.SendAsync(client.Publish(1, Packs.Temperatures(1, 1)), client.Subscribe(2, MqttTest.AirTopic), client.Publish(3, Packs.Temperatures(1, 2)), client.Subscribe(4, "hub/v1/braga/air-1/command/#"));
        var subscribed = new Dictionary<ushort, byte>();
        for (var i = 0; i < 4; i++)
        {
            var packet = await client.ReceiveAsync() ?? throw new Xunit.Sdk.XunitException("closed");
            if (packet.Type == MqttControlPacketType.SubAck)
            {
                subscribed[packet.Identifier] = packet.Body[^1];
            }
        }

        Assert.Equal((v5 ? 0x87 : 0x80, 1), (subscribed[2], subscribed[4]));

        // Deliveries between acknowledgements: whole, and each once.
        var large = new byte[20_000];
        large.AsSpan().Fill((byte)'x');
        var telling = Task.Run(async () =>
        {
            for (var i = 0; i < 60; i++)
            {
                await hub.Host.Publisher.PublishAsync($"hub/v1/braga/air-1/command/c{i}", large, "text/plain", retain: false, TestContext.Current.CancellationToken);
            }
        }, TestContext.Current.CancellationToken);
        var sending = client.SendAsync([.. Enumerable.Range(10, 500).Select(i => client.Publish((ushort)i, Packs.Temperatures(1, i)))]);
        var (next, told) = (10, 0);
        while (next < 510 || told < 60)
        {
            var packet = await client.ReceiveAsync() ?? throw new Xunit.Sdk.XunitException("closed");
            if (packet.Type == MqttControlPacketType.PubAck)
            {
                Assert.Equal(next++, packet.Identifier);
                continue;
            }

            Assert.Equal(MqttControlPacketType.Publish, packet.Type);
            Assert.Equal(large, packet.Body[^large.Length..]);
            told++;
            var topic = (packet.Body[0] << 8) | packet.Body[1];
            if ((packet.First & 6) != 0)
            {
                await client.SendAsync([0x40, 2, packet.Body[2 + topic], packet.Body[3 + topic]]);
            }
        }

        await Task.WhenAll(telling, sending);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task An_empty_client_identifier_will_do_where_the_session_ends_with_the_connection(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        await using var client = await hub.LoginAsync(wire, v5, clientId: "");
        await client.SendAsync(client.Publish(1, Packs.Temperatures(1)));
        await client.ExpectAcksAsync(1);
        await using var lasting = await hub.OpenAsync(wire, v5);
        await lasting.SendAsync(lasting.Connect("braga/air-1", IngestHost.Secret, "", clean: false));
        if (v5)
        {
            await lasting.ExpectLoginAsync();
        }
        else
        {
            Assert.Null(await lasting.ReceiveAsync());
        }
    }

    /// <summary>Publishes as the library writes them, and what is random in them.</summary>
    private static readonly Gen<MqttPublishPacket> Publishes =
        from id in Gen.UShort[1, ushort.MaxValue]
        from payload in Gen.Byte.Array[0, 300]
        from type in Gen.Int[0, 4].Select(i => ((string?[])["application/senml+json", "application/senml+cbor", "text/plain", "", null])[i])
        from expiry in Gen.UInt[0, 9]
        from alias in Gen.UShort[0, 16]
        from users in Gen.Int[0, 3]
        from response in Gen.Bool.Select(b => b ? "a/b" : null)
        from duplicate in Gen.Bool
        select new MqttPublishPacket
        {
            Topic = MqttTest.AirTopic,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
            PacketIdentifier = id,
            PayloadSegment = payload,
            ContentType = type,
            MessageExpiryInterval = expiry,
            TopicAlias = alias,
            Dup = duplicate,
            ResponseTopic = response,
            CorrelationData = response is null ? null : [1, 2],
            UserProperties = users == 0 ? null : [.. Enumerable.Range(0, users).Select(i => new MqttUserProperty($"n{i}", Encoding.UTF8.GetBytes("v")))],
        };

    [Fact]
    public void A_publish_is_read_as_the_library_reads_it()
    {
        Publishes.Sample(
            packet =>
            {
                foreach (var version in (MqttProtocolVersion[])[MqttProtocolVersion.V311, MqttProtocolVersion.V500])
                {
                    var v5 = version == MqttProtocolVersion.V500;
                    var bytes = new MqttPacketFormatterAdapter(version, new MqttBufferWriter(64, 65_535)).Encode(packet).ToArray();
                    Assert.True(PacketHeader.TryRead(bytes, out var header));
                    Assert.Equal((bytes.Length, 1, false, MqttControlPacketType.Publish), (header.TotalBytes, header.QualityOfService, header.IsRetained, header.Type));
                    Assert.True(ReadingsPublish.TryRead(bytes.AsSpan(header.Bytes), v5, Encoding.UTF8.GetBytes(MqttTest.AirTopic), new bool[17], out var read));
                    Assert.Equal(packet.PacketIdentifier, read.PacketIdentifier);
                    Assert.Equal(packet.Payload.ToArray(), read.Payload.ToArray());
                    Assert.Equal(v5 ? packet.ContentType ?? "" : "", Encoding.UTF8.GetString(read.ContentType));
                    Assert.Equal(v5 ? packet.TopicAlias : 0, read.TopicAlias);
                    Assert.False(ReadingsPublish.TryRead(bytes.AsSpan(header.Bytes), v5, "hub/v1/braga/air-2/readings"u8, new bool[17], out _));

                    // Cut short, it waits for more; cut and called whole, it is malformed or a shorter payload, never anything else.
                    for (var length = 0; length < bytes.Length; length++)
                    {
                        Assert.True(!PacketHeader.TryRead(bytes.AsSpan(0, length), out var part) || part.TotalBytes > length);
                    }
                }
            },
            iter: 200);
    }

    [Fact]
    public void Nothing_a_client_writes_does_more_than_be_refused()
    {
        Gen.Select(Publishes, Gen.Int[0, 400].Array[1, 6], Gen.Byte.Array[1, 6], Gen.Bool).Sample(
            (packet, places, values, v5) =>
            {
                var bytes = new MqttPacketFormatterAdapter(v5 ? MqttProtocolVersion.V500 : MqttProtocolVersion.V311, new MqttBufferWriter(64, 65_535)).Encode(packet).ToArray();
                for (var i = 0; i < places.Length; i++)
                {
                    bytes[places[i] % bytes.Length] = values[i % values.Length];
                }

                try
                {
                    if (PacketHeader.TryRead(bytes, out var header) && header.TotalBytes <= bytes.Length)
                    {
                        ReadingsPublish.TryRead(bytes.AsSpan(header.Bytes, header.BodyBytes), v5, Encoding.UTF8.GetBytes(MqttTest.AirTopic), new bool[17], out _);
                    }
                }
                catch (MqttProtocolViolationException)
                {
                    // The one thing it may say.
                }
            },
            iter: 3_000);
    }
}
