using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using CsCheck;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Encoding;
using Hub.Tests.Kit;
using MQTTnet;
using Xunit;
using static Hub.Cloud.Ingest.Tests.MqttTest;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>Many senders at once, and senders that mean harm.</summary>
public sealed class LoadTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>One pack of a random load: records by number, of which some are bad; the number decides time and value, so equal numbers are duplicates.</summary>
    private static readonly Gen<(bool Air, int Transport, int[] Records, int[] Bad)> Load =
        Gen.Select(Gen.Bool, Gen.Int[0, 2], Gen.Int[0, 60].Array[0, 12], Gen.Int[0, 9].Array[0, 3]);

    [Fact]
    public async Task Counters_add_up_and_every_reading_is_there_once_under_random_load_with_outages()
    {
        await Load.Array[20, 60].SampleAsync(
            async load =>
            {
                await using var host = await IngestHost.StartAsync(new() { ["Hub:Mqtt:ConnectionsPerUserMax"] = "1000" });
                using var air = await ConnectAsync(host.Port);
                using var noise = await ConnectAsync(host.Port, "braga/noise-1", IngestHost.OtherSecret);
                using var http = host.Http();
                var commits = 0;
                host.Series.BeforeCommit = _ => Interlocked.Increment(ref commits) % 7 == 3 ? throw new SeriesUnavailableException("now and then") : Task.CompletedTask;
                var attempts = 0L;
                await Task.WhenAll(load.Select(pack => SendAsync(host, http, pack, () => Interlocked.Increment(ref attempts))));
                var counters = host.Counters;
                IngestHost.AssertAddUp(counters);
                var sent = load.Where(p => p.Records.Length + p.Bad.Length > 0).ToArray();
                Assert.Equal(sent.Sum(p => p.Records.Length + p.Bad.Length), counters.Received);
                Assert.Equal(sent.Sum(p => p.Bad.Length), counters.Quarantined);
                Assert.Equal(attempts, counters.Packs + counters.Unavailable);
                foreach (var isAir in (bool[])[true, false])
                {
                    var expected = sent.Where(p => p.Air == isAir).SelectMany(p => p.Records).Distinct().Order().Select(r => DateTime.UnixEpoch.AddSeconds(Packs.Start + (r * 60)));
                    Assert.Equal(expected, (await host.StoredAsync(isAir ? host.Air : host.Noise, "bme280", "temperature")).Select(o => o.PhenomenonTime));
                    var bad = sent.Where(p => p.Air == isAir).SelectMany(p => p.Bad).Distinct().Count();
                    Assert.Equal(bad, (await host.Quarantine.ListAsync("braga", isAir ? "air-1" : "noise-1", null, null, 1000, Cancel)).Count);
                }
            },
            iter: 4,
            threads: 1);
    }

    [Fact]
    public async Task Random_bytes_never_stop_the_hub_and_the_quarantine_stays_within_its_bounds()
    {
        await using var host = await IngestHost.StartAsync(new() { ["Hub:Ingest:QuarantineEntriesMax"] = "40", ["Hub:Ingest:QuarantinePackEntriesMax"] = "20" });
        using var client = await ConnectAsync(host.Port);
        using var http = host.Http();
        var valid = Encoding.UTF8.GetString(Packs.FourGoodOneBad());
        var random = new Random(20240701);
        for (var i = 0; i < 300; i++)
        {
            var bytes = Hostile(random, valid);
            var type = (i % 3) switch { 0 => "application/senml+json", 1 => "application/senml+cbor", _ => null };
            if (i % 2 == 0)
            {
                Assert.True((await client.PublishAsync(Message(AirTopic, bytes, type: type), Cancel)).ReasonCode is MqttClientPublishReasonCode.Success or MqttClientPublishReasonCode.PayloadFormatInvalid);
            }
            else
            {
                using var response = await PostAsync(http, "braga/air-1", IngestHost.Secret, bytes, type ?? "application/senml+json");
                Assert.True((int)response.StatusCode is 201 or 422, response.StatusCode.ToString());
            }
        }

        Assert.InRange((await host.Quarantine.ListAsync("braga", "air-1", null, null, 1000, Cancel)).Count, 1, 40);
        IngestHost.AssertAddUp(host.Counters);
        Assert.True((await client.PublishAsync(Message(AirTopic, Packs.Temperatures(1)), Cancel)).IsSuccess);
    }

    [Fact]
    public async Task Random_bytes_on_the_wire_end_only_their_own_connection()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = await ConnectAsync(host.Port, "braga/noise-1", IngestHost.OtherSecret);
        var random = new Random(5);
        var login = ConnectPacket("braga/air-1", IngestHost.Secret);
        for (var i = 0; i < 120; i++)
        {
            var garbage = new byte[random.Next(1, 2000)];
            random.NextBytes(garbage);
            using var socket = new TcpClient();
            await socket.ConnectAsync("127.0.0.1", host.Port, Cancel);
            var stream = socket.GetStream();
            if (i % 2 == 0)
            {
                await stream.WriteAsync(login, Cancel);
                Assert.True(await stream.ReadAsync(new byte[64], Cancel) > 0);
            }

            await stream.WriteAsync(garbage, Cancel);
            socket.Client.Shutdown(SocketShutdown.Send);
            await DrainAsync(stream);
        }

        await client.PingAsync(Cancel);
        await Eventually.TrueAsync(() => host.Broker.ConnectionCount == 1, "only the good client is left");
        Assert.True((await client.PublishAsync(Message("hub/v1/braga/noise-1/readings", Packs.Temperatures(1)), Cancel)).IsSuccess);
    }

    internal static async Task DrainAsync(NetworkStream stream)
    {
        var buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer, Cancel) > 0)
            {
            }
        }
        catch (IOException)
        {
            // Reset by the hub: as good as closed.
        }
    }

    /// <summary>A CONNECT of MQTT 3.1.1.</summary>
    internal static byte[] ConnectPacket(string user, string secret)
    {
        var body = new List<byte>();
        Text("MQTT");
        body.AddRange([4, 0xC2, 0, 60]);
        Text("fuzz");
        Text(user);
        Text(secret);
        return [0x10, (byte)body.Count, .. body];

        void Text(string text)
        {
            body.AddRange([0, (byte)text.Length]);
            body.AddRange(Encoding.UTF8.GetBytes(text));
        }
    }

    /// <summary>Bytes of three kinds: noise, a good pack with some bytes changed, and a good pack cut short.</summary>
    private static byte[] Hostile(Random random, string valid)
    {
        var bytes = Encoding.UTF8.GetBytes(valid);
        switch (random.Next(4))
        {
            case 0:
                bytes = new byte[random.Next(0, 3000)];
                random.NextBytes(bytes);
                break;
            case 1:
                bytes = bytes[..random.Next(bytes.Length)];
                break;
            case 2:
                // Many small records, all bad.
                bytes = Encoding.UTF8.GetBytes("[" + string.Join(',', Enumerable.Range(0, 200).Select(i => $$"""{"n":"x/temperature","t":{{i}},"vs":"{{random.Next()}}"}""")) + "]");
                break;
            default:
                for (var i = 0; i < 5; i++)
                {
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                }

                break;
        }

        return bytes;
    }

    private static async Task SendAsync(IngestHost host, HttpClient http, (bool Air, int Transport, int[] Records, int[] Bad) pack, Action attempt)
    {
        if (pack.Records.Length + pack.Bad.Length == 0)
        {
            return;
        }

        var (user, secret) = pack.Air ? ("braga/air-1", IngestHost.Secret) : ("braga/noise-1", IngestHost.OtherSecret);
        var records = pack.Records.Select(r => Packs.Temperature(r)).Concat(pack.Bad.Select(b => $$"""{"n":"bme280/happiness","u":"Cel","t":{{Packs.Start + b}},"v":1}"""));
        var payload = Encoding.UTF8.GetBytes($"[{string.Join(',', records)}]");
        while (true)
        {
            attempt();
            try
            {
                switch (pack.Transport)
                {
                    case 0:
                        await host.Ingest.AcceptAsync(Packs.Arrived(pack.Air ? host.Air : host.Noise, payload), Cancel);
                        return;
                    case 1:
                        // A connection of its own: the store's outage ends it.
                        using (var client = await ConnectAsync(host.Port, user, secret, Guid.NewGuid().ToString("N")))
                        {
                            await client.PublishAsync(Message($"hub/v1/{user}/readings", payload), Cancel);
                        }

                        return;
                    default:
                        using (var response = await PostAsync(http, user, secret, payload, "application/senml+json"))
                        {
                            if ((int)response.StatusCode is 201 or 422)
                            {
                                return;
                            }

                            Assert.Equal(503, (int)response.StatusCode);
                        }

                        break;
                }
            }
            catch (SeriesUnavailableException)
            {
                // Again.
            }
            catch (Exception exception) when (pack.Transport == 1 && exception is not Xunit.Sdk.XunitException && !Cancel.IsCancellationRequested)
            {
                // Again.
            }
        }
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient http, string user, string secret, byte[] payload, string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/ingest/v1/{user}") { Content = new ByteArrayContent(payload) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{secret}")));
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return await http.SendAsync(request, Cancel);
    }
}
