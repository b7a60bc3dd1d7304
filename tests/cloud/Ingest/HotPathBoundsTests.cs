using CsCheck;
using Hub.Cloud.Ingest.Mqtt;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>What bounds the short way of readings: bytes not committed over all connections, a client that does not read.</summary>
public sealed class HotPathBoundsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Over_all_connections_only_so_many_bytes_are_taken_before_they_are_committed(bool v5)
    {
        await using var hub = await WireHost.StartAsync(new() { ["Hub:Ingest:UncommittedBytesMax"] = "1048576", ["Hub:Mqtt:ConnectionsPerUserMax"] = "100" });
        var commits = new Gate(hub.Host.Series);
        var before = hub.Host.Metrics["hub.ingest.pauses reason=hub"];
        var clients = new List<RawMqtt>();
        var pack = Packs.Temperatures(1_000);
        for (var i = 0; i < 20; i++)
        {
            clients.Add(await hub.LoginAsync(i % 2 == 0 ? Wire.Tcp : Wire.Tls, v5, clientId: $"c{i}"));
        }

        var sending = clients.Select(c => c.SendAsync([.. Enumerable.Range(1, 5).Select(i => c.Publish((ushort)i, pack))])).ToArray();
        await Eventually.TrueAsync(() => hub.Host.Pipeline.Uncommitted.WaitingCount >= 10, "most connections wait in the line");
        await Eventually.TrueAsync(() => hub.Host.Metrics["hub.ingest.pauses reason=hub"] - before >= 10, "each of them is counted");
        Assert.InRange(hub.Host.Pipeline.Uncommitted.Used, 1_048_576 - IngestPipeline.Expected(pack.Length + 100), 1_048_576);
        Assert.True(hub.Host.Pipeline.IsFull);
        commits.Open();
        foreach (var client in clients)
        {
            await client.ExpectAcksAsync(Enumerable.Range(1, 5));
            await client.DisposeAsync();
        }

        await Task.WhenAll(sending);
        Assert.Equal((100_000, 1_000), (hub.Host.Counters.Received, hub.Host.Counters.Stored));
        await Eventually.TrueAsync(() => hub.Host.Pipeline.Uncommitted.Used == 0, "all bytes are given back");
    }

    [Fact]
    public async Task A_connection_that_goes_leaves_the_line_and_takes_nothing_with_it()
    {
        await using var hub = await WireHost.StartAsync(new() { ["Hub:Ingest:UncommittedBytesMax"] = "1048576", ["Hub:Mqtt:ConnectionsPerUserMax"] = "100" });
        var commits = new Gate(hub.Host.Series);
        var pack = Packs.Temperatures(2_000);
        var clients = new List<RawMqtt>();
        for (var i = 0; i < 12; i++)
        {
            var client = await hub.LoginAsync(Wire.Tcp, v5: true, clientId: $"c{i}");
            await client.SendAsync(client.Publish(1, pack));
            clients.Add(client);
        }

        await Eventually.TrueAsync(() => hub.Host.Pipeline.Uncommitted.WaitingCount > 3, "some wait in the line");
        clients.ForEach(c => c.Kill());
        commits.Open();
        await Eventually.TrueAsync(() => hub.Host.Broker.ConnectionCount == 0, "all are gone");
        await Eventually.TrueAsync(() => hub.Host.Pipeline.Uncommitted is { Used: 0, WaitingCount: 0 }, "nothing is counted any more");
    }

    /// <summary>Steps of some clients that ask for bytes, give them back or go.</summary>
    private static readonly Gen<(int Client, int Bytes, bool Go)[]> Steps = Gen.Select(Gen.Int[0, 4], Gen.Int[1, 70], Gen.Int[0, 9].Select(i => i == 0)).Array[1, 200];

    [Fact]
    public void The_line_is_served_in_order_and_the_bound_is_kept()
    {
        Steps.Sample(
            steps =>
            {
                var bytes = new UncommittedBytes(100);
                var line = new List<int>();
                var granted = new HashSet<int>();
                var asked = new int[5];
                var held = new long[5];
                var claims = Enumerable.Range(0, 5).Select(i => new BytesClaim(() =>
                {
                    Assert.Equal(line[0], i);
                    line.RemoveAt(0);
                    granted.Add(i);
                })).ToArray();
                foreach (var (client, count, go) in steps)
                {
                    if (go)
                    {
                        line.Remove(client);
                        granted.Remove(client);
                        asked[client] = 0;
                        bytes.Withdraw(claims[client]);
                    }
                    else if (asked[client] == 0 && held[client] > 0)
                    {
                        var all = held[client];
                        held[client] = 0;
                        bytes.Return(all);
                    }
                    else
                    {
                        asked[client] = asked[client] == 0 ? count : asked[client];
                        var mayPass = granted.Contains(client) || line.Count == 0;
                        if (bytes.TryTake(claims[client], asked[client]))
                        {
                            Assert.True(mayPass);
                            granted.Remove(client);
                            held[client] += asked[client];
                            asked[client] = 0;
                        }
                        else if (!line.Contains(client))
                        {
                            line.Add(client);
                        }
                    }

                    Assert.InRange(bytes.Used, 0, 100);
                    Assert.Equal(held.Sum() + granted.Sum(g => asked[g]), bytes.Used);
                    Assert.Equal(line.Count, bytes.WaitingCount);
                }
            },
            iter: 500);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_does_not_read_its_acknowledgements_is_not_read_from_and_loses_none(bool v5)
    {
        await using var host = await IngestHost.StartAsync();
        var intake = new ReadingsIntake(host.Pipeline, host.Stations, host.Services.GetRequiredService<IngestInstruments>(), NullLogger.Instance, default);
        var wire = new HeldWire();
        using var connection = new BrokerConnection(new ConnectionWire(wire, EmbeddedBroker.Transport, false, null, null, new ClientCertificates()), intake, TimeProvider.System) { User = "braga/air-1" };
        var client = new RawMqtt(Stream.Null, v5);
        wire.Feed(client.Connect("braga/air-1", IngestHost.Secret, "x", keepAlive: 1));
        Assert.IsType<MqttConnectPacket>(await connection.ReceivePacketAsync(Cancel));
        await connection.SendPacketAsync(new MqttConnAckPacket(), Cancel);
        var login = wire.Written.Count;

        // The other side takes nothing more. Acknowledgements gather, and then nothing is taken from it.
        wire.Hold();
        var before = host.Metrics["hub.ingest.pauses reason=unsent"];
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var reading = Task.Run(
            async () =>
            {
                // What comes back meanwhile are signs of life, while it is read from.
                while (await connection.ReceivePacketAsync(ending.Token) is MqttPubAckPacket { PacketIdentifier: 0 })
                {
                }
            },
            Cancel);
        var sent = 0;
        while (host.Metrics["hub.ingest.pauses reason=unsent"] == before)
        {
            wire.Feed([.. Enumerable.Range(0, 50).SelectMany(_ => client.Publish((ushort)((sent++ % 60_000) + 1), Packs.Temperatures(1)))]);
            await Eventually.TrueAsync(() => wire.Waiting == 0 || host.Metrics["hub.ingest.pauses reason=unsent"] > before, "it is read, or not read any more");
        }

        Assert.InRange(sent, ConnectionOutput.UnsentBytesMax / 4, 2 * ConnectionOutput.UnsentBytesMax / 4);
        await Eventually.TrueAsync(() => connection.Unacknowledged == 0, "what was taken is committed");

        // It reads again: one acknowledgement for each, in order, and it is read from again.
        wire.Release();
        await Eventually.TrueAsync(() => wire.Written.Count == login + (4 * sent), "every publish is acknowledged once");
        var acks = wire.Written.Skip(login).ToArray();
        for (var i = 0; i < sent; i++)
        {
            Assert.Equal((0x40, 2, (i % 60_000) + 1), (acks[4 * i], acks[(4 * i) + 1], (acks[(4 * i) + 2] << 8) | acks[(4 * i) + 3]));
        }

        // All of a commit leaves in one send.
        Assert.True(wire.Writes < sent);
        await ending.CancelAsync();
        await reading;
    }
}
