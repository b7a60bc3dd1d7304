using System.Net.Sockets;
using CsCheck;
using Hub.Cloud.Ingest.Mqtt;
using Hub.Cloud.Series;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using MQTTnet.Protocol;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>Readings that go past the library's sessions: many in flight, acknowledged after the commit and in order, whatever else is on the connection.</summary>
public sealed class HotPathTests
{
    private const string Status = "hub/v1/braga/air-1/status";

    public static TheoryData<Wire, bool> Wires => WireHost.All;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Sixteen_publishes_in_flight_are_one_commit_and_acknowledged_in_order_only_after_it(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        var commits = new Gate(hub.Host.Series);
        await using var client = await hub.LoginAsync(wire, v5);
        await client.SendAsync([.. Enumerable.Range(1, 16).Select(i => client.Publish((ushort)i, Packs.Temperatures(1, i)))]);
        await commits.ReachedAsync(1);

        // The connection is read from while the first commit is under way, and answers what needs no commit.
        await client.SendAsync(client.Publish(17, Packs.Temperatures(1, 17)), RawMqtt.Ping);
        await client.ExpectAsync(MqttControlPacketType.PingResp);
        Assert.Equal(0, hub.Host.Series.LastCommit);
        commits.Open();
        await client.ExpectAcksAsync(Enumerable.Range(1, 17));
        Assert.Equal((2, 17), (hub.Host.Series.LastCommit, hub.Host.Counters.Stored));
        Assert.Equal(0, hub.Host.Pipeline.Uncommitted.Used);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Of_six_hundred_in_flight_as_many_are_taken_as_announced_and_all_are_acknowledged_once_and_in_order(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        var commits = new Gate(hub.Host.Series);
        await using var client = await hub.LoginAsync(wire, v5);
        var before = hub.Host.Metrics["hub.ingest.pauses reason=connection"];
        var packets = Enumerable.Range(1, 600).Select(i => client.Publish((ushort)i, Packs.Temperatures(1, i))).ToArray();
        var sending = client.SendAsync(packets);
        await Eventually.TrueAsync(() => hub.Host.Metrics["hub.ingest.pauses reason=connection"] > before, "the connection is not read from any more");
        Assert.Equal(packets.Take(BrokerConnection.ReceiveMaximum).Sum(p => Pipeline.IngestPipeline.Expected(p.Length)), hub.Host.Pipeline.Uncommitted.Used);
        commits.Open();
        await client.ExpectAcksAsync(Enumerable.Range(1, 600));
        await sending;
        Assert.Equal(600, (await hub.Host.StoredAsync(hub.Host.Air, "bme280", "temperature")).Count);
    }

    /// <summary>What a client may do, in any order and cut into any pieces.</summary>
    private static readonly Gen<(int[] Kinds, int[] Cuts)> Traffic = Gen.Select(Gen.Int[0, 7].Array[1, 60], Gen.Int[1, 400].Array[1, 20]);

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Whatever_is_mixed_in_and_however_it_is_cut_answers_leave_in_the_order_of_the_publishes(Wire wire, bool v5)
    {
        await Traffic.SampleAsync(
            async traffic =>
            {
                await using var hub = await WireHost.StartAsync();
                var commits = 0;
                hub.Host.Series.BeforeCommit = async _ =>
                {
                    // Some commits take a few turns of the scheduler longer, so that later ones could overtake.
                    for (var turns = Interlocked.Increment(ref commits) % 3 * 5; turns > 0; turns--)
                    {
                        await Task.Yield();
                    }
                };
                await using var client = await hub.LoginAsync(wire, v5);
                var bytes = new List<byte>();
                var expected = new List<(MqttControlPacketType, int)>();
                int good = 0, bad = 0;
                for (var i = 0; i < traffic.Kinds.Length; i++)
                {
                    var id = (ushort)(i + 1);
                    switch (traffic.Kinds[i])
                    {
                        case 0:
                            bytes.AddRange(client.Publish(id, Packs.FourGoodOneBad(i * 10)));
                            (good, bad) = (good + 4, bad + 1);
                            expected.Add((MqttControlPacketType.PubAck, id));
                            break;
                        case 1:
                            bytes.AddRange(client.Publish(id, Packs.Bytes($"{{}} {i}")));
                            bad++;
                            expected.Add((MqttControlPacketType.PubAck, id));
                            break;
                        case 2:
                            bytes.AddRange(client.Publish(id, Packs.Bytes("here"), Status, retain: true));
                            expected.Add((MqttControlPacketType.PubAck, id));
                            break;
                        case 3:
                            bytes.AddRange(client.Publish(id, Packs.Temperatures(1, i * 10), qos: 2));
                            good++;
                            expected.Add((MqttControlPacketType.PubRec, id));
                            break;
                        case 4:
                            bytes.AddRange(client.Publish(0, Packs.Temperatures(1, i * 10), qos: 0));
                            good++;
                            break;
                        case 5:
                            bytes.AddRange(RawMqtt.Ping);
                            break;
                        default:
                            bytes.AddRange(client.Publish(id, Packs.Temperatures(2, i * 10), duplicate: i % 2 == 0));
                            good += 2;
                            expected.Add((MqttControlPacketType.PubAck, id));
                            break;
                    }
                }

                var all = bytes.ToArray();
                var sending = Task.Run(
                    async () =>
                    {
                        for (int at = 0, cut = 0; at < all.Length; cut++)
                        {
                            var size = Math.Min(traffic.Cuts[cut % traffic.Cuts.Length], all.Length - at);
                            await client.SendAsync(all[at..(at + size)]);
                            at += size;
                        }
                    },
                    Cancel);
                var answered = new List<(MqttControlPacketType, int)>();
                while (answered.Count < expected.Count)
                {
                    var packet = await client.ReceiveAsync() ?? throw new Xunit.Sdk.XunitException($"closed after {answered.Count} of {expected.Count} answers");
                    if (packet.Type != MqttControlPacketType.PingResp)
                    {
                        // 0x10 is what the library says of a status nobody listens to.
                        Assert.InRange(packet.Reason, 0, 0x10);
                        answered.Add((packet.Type, packet.Identifier));
                    }
                }

                await sending;
                Assert.Equal(expected, answered);
                await Eventually.TrueAsync(() => hub.Host.Counters.Received == good + bad, "what needs no acknowledgement is taken too");
                var counters = hub.Host.Counters;
                Assert.Equal((good, bad), (counters.Stored, counters.Quarantined));
                await Eventually.TrueAsync(() => hub.Host.Pipeline.Uncommitted.Used == 0, "all bytes are given back, after what needs no acknowledgement too");
            },
            iter: 6,
            threads: 1);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Byte_by_byte_in_the_segment_of_the_login_and_sent_twice(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        await using (var client = await hub.OpenAsync(wire, v5))
        {
            await client.SendAsync(client.Connect("braga/air-1", IngestHost.Secret, "one"), client.Publish(1, Packs.Temperatures(1, 1)), client.Publish(2, Packs.Temperatures(1, 2)));
            await client.ExpectLoginAsync();
            await client.ExpectAcksAsync(1, 2);
            foreach (var one in client.Publish(3, Packs.Temperatures(2, 2), duplicate: true))
            {
                await client.SendAsync([one]);
            }

            await client.ExpectAcksAsync(3);
        }

        Assert.Equal((3, 1), (hub.Host.Counters.Stored, hub.Host.Counters.Duplicate));

        // Without a login, or with a wrong one, nothing of what follows is taken.
        await using (var client = await hub.OpenAsync(wire, v5))
        {
            await client.SendAsync(client.Connect("braga/air-1", "wrong", "two"), client.Publish(1, Packs.Temperatures(1, 9)));
            Assert.NotEqual(0, (await client.ExpectAsync(MqttControlPacketType.ConnAck)).Body[1]);
            Assert.Null(await client.ReceiveAsync());
        }

        await using (var client = await hub.OpenAsync(wire, v5))
        {
            await client.SendAsync(client.Publish(1, Packs.Temperatures(1, 9)));
            Assert.Null(await client.ReceiveAsync());
        }

        Assert.Equal(4, hub.Host.Counters.Received);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_session_taken_over_in_the_middle_of_a_commit_is_told_so_and_not_acknowledged(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        var listener = new Listener();
        using var subscription = hub.Host.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
        var commits = new Gate(hub.Host.Series);
        await using var first = await hub.LoginAsync(wire, v5, will: Status);
        await first.SendAsync([.. Enumerable.Range(1, 5).Select(i => first.Publish((ushort)i, Packs.Temperatures(1, i)))]);
        await commits.ReachedAsync(1);
        await using var second = await hub.LoginAsync(wire, v5);
        await first.ExpectEndAsync(MqttDisconnectReasonCode.SessionTakenOver);
        commits.Open();
        await second.SendAsync([.. Enumerable.Range(1, 6).Select(i => second.Publish((ushort)i, Packs.Temperatures(1, i), duplicate: true))]);
        await second.ExpectAcksAsync(Enumerable.Range(1, 6));

        // Nobody is told of the first one's commit, and it may be counted last.
        await Eventually.TrueAsync(() => hub.Host.Counters.Received == 11, "both commits are counted");
        Assert.Equal((6, 5), (hub.Host.Counters.Stored, hub.Host.Counters.Duplicate));
        Assert.Empty(listener.Heard);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_client_killed_in_the_middle_of_a_commit_leaves_its_readings_once_and_its_will_once(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        var listener = new Listener();
        using var subscription = hub.Host.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
        var commits = new Gate(hub.Host.Series);
        var client = await hub.LoginAsync(wire, v5, will: Status);
        await client.SendAsync([.. Enumerable.Range(1, 20).Select(i => client.Publish((ushort)i, Packs.Temperatures(1, i)))]);
        await commits.ReachedAsync(1);
        client.Kill();
        commits.Open();
        await listener.HasAsync("braga/air-1 Status: gone");
        await Eventually.TrueAsync(() => hub.Host.Broker.ConnectionCount == 0, "the connection is gone");
        await using var back = await hub.LoginAsync(wire, v5);
        await back.SendAsync([.. Enumerable.Range(1, 20).Select(i => back.Publish((ushort)i, Packs.Temperatures(1, i), duplicate: true))]);
        await back.ExpectAcksAsync(Enumerable.Range(1, 20));

        // Nobody is told of the killed one's commit, and it may be counted last.
        await Eventually.TrueAsync(() => hub.Host.Counters.Received == 40, "both commits are counted");
        Assert.Equal((20, 20), (hub.Host.Counters.Stored, hub.Host.Counters.Duplicate));
        await listener.HasAsync("braga/air-1 Status: gone");
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task When_the_store_goes_away_what_is_committed_is_acknowledged_and_the_rest_is_sent_again(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        var commits = 0;
        hub.Host.Series.BeforeCommit = _ => Interlocked.Increment(ref commits) == 2 ? throw new SeriesUnavailableException("the disk is full") : Task.CompletedTask;
        await using (var client = await hub.LoginAsync(wire, v5))
        {
            await client.SendAsync(client.Publish(1, Packs.Temperatures(1, 1)));
            await client.ExpectAcksAsync(1);
            await client.SendAsync([.. Enumerable.Range(2, 8).Select(i => client.Publish((ushort)i, Packs.Temperatures(1, i)))]);
            await client.ExpectEndAsync(MqttDisconnectReasonCode.ServerBusy);
        }

        Assert.Equal((1, 8), (hub.Host.Counters.Received, hub.Host.Counters.Unavailable));
        await using var back = await hub.LoginAsync(wire, v5);
        await back.SendAsync([.. Enumerable.Range(2, 8).Select(i => back.Publish((ushort)i, Packs.Temperatures(1, i), duplicate: true))]);
        await back.ExpectAcksAsync(Enumerable.Range(2, 8));
        Assert.Equal(9, (await hub.Host.StoredAsync(hub.Host.Air, "bme280", "temperature")).Count);
        Assert.Equal(0, hub.Host.Pipeline.Uncommitted.Used);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_bad_pack_hurts_none_of_its_neighbours(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        hub.Host.ErrorsExpected = true;
        var commits = 0;

        // The store refuses a value of the second good pack: first with the others, then alone.
        hub.Host.Series.BeforeCommit = _ => Interlocked.Increment(ref commits) is 1 or 3 ? throw new ArgumentException("the value is odd") : Task.CompletedTask;
        await using var client = await hub.LoginAsync(wire, v5);
        await client.SendAsync(
            client.Publish(1, Packs.Temperatures(2, 1)), client.Publish(2, Packs.Bytes("no pack")), client.Publish(3, Packs.Temperatures(2, 10)), client.Publish(4, Packs.Temperatures(2, 20)),
            client.Publish(5, Packs.Bytes(new string('x', 100_000))));
        var reasons = new List<(ushort, byte)>();
        for (var i = 0; i < 5; i++)
        {
            var ack = await client.ExpectAsync(MqttControlPacketType.PubAck);
            reasons.Add((ack.Identifier, ack.Reason));
            Assert.Equal(v5 && ack.Identifier is 2 or 3 or 5 && v5, ack.Body.Length > 4);
        }

        Assert.Equal([(1, 0), (2, 0), (3, 0), (4, 0), (5, v5 ? (byte)MqttPubAckReasonCode.PayloadFormatInvalid : (byte)0)], reasons);
        Assert.Equal((4, 3), (hub.Host.Counters.Stored, hub.Host.Counters.Quarantined));
        IngestHost.AssertAddUp(hub.Host.Counters);
        var kept = await hub.Host.Quarantine.ListAsync("braga", "air-1", Edge.Contract.Encoding.RefusalReason.Value, null, 10, Cancel);
        hub.Host.Series.BeforeCommit = null;
        Assert.Equal(2, (await hub.Host.Quarantine.ReleaseAsync(Assert.Single(kept).Id, Cancel)).Stored);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task The_hub_stops_only_when_what_is_under_way_is_acknowledged(Wire wire, bool v5)
    {
        // A clock that stands: the hub's patience with commits is not over before a busy machine has made them.
        await using var hub = await WireHost.StartAsync(time: WireHost.StandingClock());
        var commits = new Gate(hub.Host.Series);
        await using var client = await hub.LoginAsync(wire, v5);
        await client.SendAsync([.. Enumerable.Range(1, 16).Select(i => client.Publish((ushort)i, Packs.Temperatures(1, i)))]);
        await commits.ReachedAsync(1);
        var stopping = hub.Host.StopAsync();
        commits.Open();
        await client.ExpectAcksAsync(Enumerable.Range(1, 16));
        await client.ExpectEndAsync(MqttDisconnectReasonCode.ServerShuttingDown);
        await stopping;
        Assert.Equal(16, hub.Host.Counters.Stored);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_station_that_says_goodbye_or_falls_silent_still_gets_its_acknowledgements(Wire wire, bool v5)
    {
        await using var hub = await WireHost.StartAsync();
        foreach (var politely in (bool[])[true, false])
        {
            var commits = new Gate(hub.Host.Series);
            await using var client = await hub.LoginAsync(wire, v5);
            await client.SendAsync([.. Enumerable.Range(1, 4).Select(i => client.Publish((ushort)i, Packs.Temperatures(1, i))), .. politely ? [RawMqtt.Goodbye] : Array.Empty<byte[]>()]);
            if (!politely)
            {
                await client.EndSendingAsync();
            }

            await commits.ReachedAsync(1);
            commits.Open();
            await client.ExpectAcksAsync(Enumerable.Range(1, 4));
            Assert.Null(await client.ReceiveAsync());
        }

        Assert.Equal((4, 4), (hub.Host.Counters.Stored, hub.Host.Counters.Duplicate));
    }
}

/// <summary>Holds the commits of a store back until it is opened, and counts those that have begun.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _reached;

    public Gate(MemorySeries series) => series.BeforeCommit = token =>
    {
        Interlocked.Increment(ref _reached);
        return _open.Task.WaitAsync(token);
    };

    public int Reached => Volatile.Read(ref _reached);

    public Task ReachedAsync(int count) => Eventually.TrueAsync(() => Reached >= count, $"{count} commits have begun");

    public void Open() => _open.TrySetResult();
}
