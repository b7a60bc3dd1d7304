using System.Net.Sockets;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>What senders may cost the process: memory by what they announce, and five thousand of them.</summary>
[Collection(typeof(Alone))]
public sealed class SharedMemoryTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, new byte[] { 0x10, 0xFF, 0xFF, 0xFF, 0x7F })]
    [InlineData(false, new byte[] { 0x10, 0x81, 0x80, 0x01 })]
    [InlineData(false, new byte[] { 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 })]
    [InlineData(true, new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0x7F })]
    public async Task A_packet_that_announces_too_much_is_cut_off_before_anything_is_allocated(bool loggedIn, byte[] header)
    {
        await using var host = await IngestHost.StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", host.Port, Cancel);
        var stream = socket.GetStream();
        if (loggedIn)
        {
            await stream.WriteAsync(LoadTests.ConnectPacket("braga/air-1", IngestHost.Secret), Cancel);
            Assert.True(await stream.ReadAsync(new byte[256], Cancel) > 0);
        }

        var before = GC.GetTotalAllocatedBytes();
        await stream.WriteAsync(header, Cancel);

        // Our side stays open: only the limit ends this connection.
        await LoadTests.DrainAsync(stream);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 50_000_000);
    }

    [Fact]
    public async Task A_frame_that_says_it_has_a_terabyte_costs_no_memory()
    {
        await using var hub = await WireHost.StartAsync();
        var (client, web) = await WebSocketTests.OpenAsync(hub, Wire.Ws, v5: true);
        await using var closing = client;
        await client.SendAsync(client.Connect("braga/air-1", IngestHost.Secret, "x"));
        await client.ExpectLoginAsync();

        // What comes of it is taken packet by packet, and nothing is set aside for the rest.
        var before = GC.GetTotalAllocatedBytes();
        await web.SendRawAsync([0x82, 0xFF, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        await web.SendRawAsync([.. Enumerable.Range(1, 300).Select(i => client.Publish((ushort)i, Packs.Temperatures(1, i)))]);
        await client.ExpectAcksAsync(Enumerable.Range(1, 200));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 50_000_000);
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.Ws)]
    public async Task Five_thousand_connections_send_twice_and_all_of_it_is_acknowledged_and_stored(Wire wire)
    {
        const int count = 5_000;
        var limit = (await File.ReadAllLinesAsync("/proc/self/limits", Cancel)).First(l => l.StartsWith("Max open files", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        Assert.SkipUnless(limit == "unlimited" || int.Parse(limit, System.Globalization.CultureInfo.InvariantCulture) > (2 * count) + 1_000, $"Only {limit} files may be open.");
        var stations = new FakeStations();
        for (var i = 0; i < count / 500; i++)
        {
            stations.Add("braga", $"st-{i}", IngestHost.Secret);
        }

        await using var hub = await WireHost.StartAsync(new() { ["Hub:Mqtt:ConnectionsPerUserMax"] = "1000", ["Hub:Mqtt:LoginTimeout"] = "00:01:00" }, stations);
        var host = hub.Host;
        var clients = new RawMqtt[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Cancel }, async (i, _) =>
        {
            var client = clients[i] = await hub.OpenAsync(wire, i % 2 == 0, bufferBytes: 512);
            await client.SendAsync(client.Connect($"braga/st-{i / 500}", IngestHost.Secret, $"c{i}"));
            await client.ExpectLoginAsync();
        });
        Assert.Equal(count, host.Broker.ConnectionCount);
        foreach (var round in (int[])[0, 1])
        {
            await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Cancel }, async (i, _) =>
                await clients[i].SendAsync(clients[i].Publish((ushort)(round + 1), Packs.Temperatures(1, (i % 500 * 2) + round), $"hub/v1/braga/st-{i / 500}/readings")));
        }

        foreach (var client in clients)
        {
            await client.ExpectAcksAsync(1, 2);
        }

        Assert.Equal((2 * count, 2 * count), (host.Counters.Received, host.Counters.Stored));
        clients.AsParallel().ForAll(c => c.Kill());
        await Eventually.TrueAsync(() => host.Broker.ConnectionCount == 0, "all connections are closed");
    }
}
