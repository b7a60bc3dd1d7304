using Hub.Cloud.Ingest.Mqtt;
using MQTTnet.Protocol;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>
/// Who is taken for dead. That is decided by the library, by the system's clock: half as much again as the keep-alive, nine seconds here, is how long a busy machine may stand still before a client of
/// these tests is silent, whatever it means to do. All wires are waited for at once.
/// </summary>
[Collection(typeof(Alone))]
public sealed class KeepAliveTests
{
    private const ushort Seconds = 6;

    [Fact]
    public async Task A_client_that_only_sends_readings_is_not_taken_for_dead()
    {
        await using var hub = await WireHost.StartAsync(new() { ["Hub:Mqtt:ConnectionsPerUserMax"] = "100" });
        await Task.WhenAll(Enum.GetValues<Wire>().SelectMany(wire => new[] { StaysAsync(hub, wire, false), StaysAsync(hub, wire, true) }));
    }

    [Fact]
    public async Task A_client_the_hub_does_not_read_from_is_not_taken_for_dead_either()
    {
        await using var hub = await WireHost.StartAsync(new() { ["Hub:Mqtt:ConnectionsPerUserMax"] = "100" });
        var commits = new Gate(hub.Host.Series);
        var clients = new List<RawMqtt>();
        foreach (var v5 in (bool[])[true, false])
        {
            var waiting = await hub.LoginAsync(Wire.Tcp, v5, clientId: $"waiting {v5}", keepAlive: Seconds);
            clients.Add(waiting);
            await waiting.SendAsync([.. Enumerable.Range(1, BrokerConnection.ReceiveMaximum + 10).Select(i => waiting.Publish((ushort)i, Packs.Temperatures(1, i)))]);
        }

        await commits.ReachedAsync(1);
        await using var silent = await hub.LoginAsync(Wire.Tcp, v5: true, "braga/noise-1", keepAlive: Seconds);
        await silent.CutOffAsync();
        commits.Open();
        foreach (var client in clients)
        {
            await client.ExpectAcksAsync(Enumerable.Range(1, BrokerConnection.ReceiveMaximum + 10));
            await client.DisposeAsync();
        }
    }

    private static async Task StaysAsync(WireHost hub, Wire wire, bool v5)
    {
        await using var busy = await hub.LoginAsync(wire, v5, clientId: $"{wire} {v5}", keepAlive: Seconds);

        // Connected later with the same keep-alive, and silent: when the library has cut this one off, the other's time would have been over too.
        await using var silent = await hub.LoginAsync(wire, v5, "braga/noise-1", clientId: $"{wire} {v5}", keepAlive: Seconds);
        var cut = silent.CutOffAsync();
        var id = 0;
        while (!cut.IsCompleted)
        {
            id = (id % 60_000) + 1;
            await busy.SendAsync(busy.Publish((ushort)id, Packs.Temperatures(1, id % 50)));
            await busy.ExpectAcksAsync(id);
        }

        await cut;

        // One after the other: a ping is answered at once, a reading when it is on disk.
        await busy.SendAsync(busy.Publish(60_001, Packs.Temperatures(1)));
        await busy.ExpectAcksAsync(60_001);
        await busy.SendAsync(RawMqtt.Ping);
        await busy.ExpectAsync(MqttControlPacketType.PingResp);
    }
}
