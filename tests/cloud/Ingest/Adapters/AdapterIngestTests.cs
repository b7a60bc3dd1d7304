using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Ingest.Adapters;
using Hub.Edge.Contract.Encoding;
using Xunit;

namespace Hub.Cloud.Ingest.Tests.Adapters;

public sealed class AdapterIngestTests
{
    private const string Push = """{"sensordatavalues":[{"value_type":"SDS_P1","value":"4.0"}]}""";

    [Fact]
    public async Task Only_the_secret_of_this_station_and_adapter_opens()
    {
        await using var bench = await AdapterBench.StartAsync();
        var good = AdapterBench.SecretOf("airrohr");
        string?[] wrong =
        [
            "", "Bearer", "Bearer ", "Bearer wrong", $"Bearer {AdapterBench.SecretOf("telraam")}", $"Bearer {IngestHost.Secret}", $"Basic {Base64($"braga/air-1:{IngestHost.Secret}")}",
            $"Basic {Base64("braga/air-1:")}", "Basic %%%", $"Token {good}", "Bearer " + new string('a', 5_000),
        ];
        foreach (var authorization in wrong)
        {
            var (status, body) = await bench.PostAsync("airrohr", Encoding.UTF8.GetBytes(Push), authorization: authorization);
            Assert.Equal((HttpStatusCode.Unauthorized, "ingest.credentials"), (status, body.GetProperty("code").GetString()));
        }

        // Not in the address, where logs on the way would keep it; not for another station; not for packs.
        Assert.Equal(HttpStatusCode.Unauthorized, (await bench.PostAsync("airrohr", Encoding.UTF8.GetBytes(Push), $"?token={good}", "")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await bench.PostAsync("airrohr", Encoding.UTF8.GetBytes(Push), station: "braga/noise-1")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await bench.PostAsync("airrohr", Encoding.UTF8.GetBytes(Push), station: "braga/no-such-station")).Status);
        using var client = bench.Host.Http();
        using var pack = new HttpRequestMessage(HttpMethod.Post, "/ingest/v1/braga/air-1") { Content = new ByteArrayContent(Packs.Temperatures(1)) };
        pack.Content.Headers.TryAddWithoutValidation("Content-Type", "application/senml+json");
        pack.Headers.TryAddWithoutValidation("Authorization", $"Basic {Base64($"braga/air-1:{good}")}");
        using (var refused = await client.SendAsync(pack, AdapterBench.Cancel))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        var (forbidden, problem) = await bench.PostAsync("airrohr", Encoding.UTF8.GetBytes(Push), authorization: $"Basic {Base64($"braga/noise-1:{good}")}");
        Assert.Equal((HttpStatusCode.Forbidden, "ingest.station"), (forbidden, problem.GetProperty("code").GetString()));
        Assert.Equal((0, wrong.Length + 4, 1), (bench.Host.Counters.Received, bench.Host.Counters.RefusedLogins, bench.Host.Counters.RefusedTopics));
        Assert.Empty(await bench.StoredAsync());

        Assert.Equal(HttpStatusCode.Created, (await bench.PostAsync("airrohr", Encoding.UTF8.GetBytes(Push), authorization: $"Basic {Base64($"braga/air-1:{good}")}")).Status);
        Assert.Equal(HttpStatusCode.Created, (await bench.PostAsync("airrohr", Encoding.UTF8.GetBytes(Push), authorization: $"bearer {good}")).Status);
    }

    [Fact]
    public async Task The_answer_comes_after_the_commit()
    {
        await using var bench = await AdapterBench.StartAsync();
        var held = new TaskCompletionSource();
        bench.Host.Series.BeforeCommit = token => held.Task.WaitAsync(token);
        var posting = bench.PostAsync("airrohr", Push);
        await Hub.Tests.Kit.Eventually.TrueAsync(() => bench.Host.Pipeline.InFlight == 1, "the push is being committed");
        Assert.False(posting.IsCompleted);
        held.SetResult();
        Assert.Equal(HttpStatusCode.Created, (await posting).Status);
    }

    [Theory]
    [InlineData("airrohr")]
    [InlineData("things-stack")]
    [InlineData("telraam")]
    public async Task What_is_too_large_is_refused_and_its_beginning_kept(string adapter)
    {
        await using var bench = await AdapterBench.StartAsync();
        var large = new byte[ReadingPack.BytesMax + 5_000];
        Array.Fill(large, (byte)' ');
        var (status, body) = await bench.PostAsync(adapter, large);
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "ingest.too-large", 1), (status, body.GetProperty("code").GetString(), body.GetProperty("receipt").GetProperty("quarantined").GetInt32()));
        var entry = Assert.Single(await bench.QuarantineAsync());
        Assert.Equal((RefusalReason.TooLarge, 64 * 1024, ReadingPack.BytesMax + 1L), (entry.Refusal.Reason, entry.Payload.Length, entry.PayloadLength));
        Assert.True((await bench.Host.Quarantine.ReleaseAsync(entry.Id, AdapterBench.Cancel)).AllRefused);
    }

    [Fact]
    public async Task A_packed_body_is_unpacked_and_bounded()
    {
        await using var bench = await AdapterBench.StartAsync();
        Assert.Equal(HttpStatusCode.Created, (await PostPackedAsync(bench, Encoding.UTF8.GetBytes(Push), "gzip")).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PostPackedAsync(bench, new byte[50_000_000], "gzip")).Status);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await PostPackedAsync(bench, Encoding.UTF8.GetBytes(Push), "br")).Status);
    }

    [Fact]
    public async Task Readings_over_the_stations_limit_are_kept_as_packs_and_released_when_it_is_raised()
    {
        await using var bench = await AdapterBench.StartAsync();
        bench.Host.Stations.DatastreamsMax = 1;
        const string two = """{"sensordatavalues":[{"value_type":"SDS_P1","value":"4.0"},{"value_type":"SDS_P2","value":"2.5"},{"value_type":"SDS_P2","value":"x"}]}""";
        var (status, body) = await bench.PostAsync("airrohr", two);
        Assert.Equal((HttpStatusCode.Created, 3, 1, 2), (status, body.GetProperty("received").GetInt32(), body.GetProperty("stored").GetInt32(), body.GetProperty("quarantined").GetInt32()));
        var entries = await bench.QuarantineAsync();
        Assert.Equal([PackFormat.Json, null], entries.OrderBy(e => e.Format is null).Select(e => e.Format));
        bench.Host.Stations.DatastreamsMax = 10;
        bench.Time.Advance(TimeSpan.FromHours(3));
        Assert.Equal(1, (await bench.Host.Quarantine.ReleaseAsync(entries.Single(e => e.Format is not null).Id, AdapterBench.Cancel)).Stored);
        await bench.AssertStoredAsync(new("sds011", "pm10", 0, AdapterBench.Now, 4), new("sds011", "pm2_5", 0, AdapterBench.Now, 2.5));
    }

    [Fact]
    public async Task A_push_released_later_keeps_its_moment_and_its_headers()
    {
        // As if a sensor had not been known when the push came: its envelope is what a release translates.
        await using var bench = await AdapterBench.StartAsync();
        await bench.PostAsync("airrohr", """{"sensordatavalues":[{"value_type":"P1","value":"4.0"},{"value_type":"later_known","value":"1"}]}""", headers: [("X-PIN", "1")]);
        var entry = Assert.Single(await bench.QuarantineAsync());
        using var kept = JsonDocument.Parse(entry.Payload);
        Assert.Equal(("airrohr", "2026-11-26T12:00:30Z", "1"), (
            kept.RootElement.GetProperty("adapter").GetString(), kept.RootElement.GetProperty("received_at").GetString(), kept.RootElement.GetProperty("context").GetProperty("pin").GetString()));
        var push = AdapterEnvelope.Open(new Ingest.Adapters.Airrohr.AirrohrAdapter(), entry.Payload, AdapterBench.Now.AddDays(3));
        Assert.Equal((AdapterBench.Now, "1"), (push.ReceivedAt, push.Context["pin"]));
        Assert.Equal("""{"sensordatavalues":[{"value_type":"later_known","value":"1"}]}""", Encoding.UTF8.GetString(push.Body.Span));
    }

    /// <summary>A day in the life of the way in: three adapters, good and bad, told twice, the store away in between; everything adds up and is found where it belongs.</summary>
    [Fact]
    public async Task Three_kinds_of_stations_and_everything_adds_up()
    {
        await using var bench = await AdapterBench.StartAsync();
        var quarters = TelraamTests.Recorded().ToJsonString();
        (string Adapter, string Body, string Query)[] pushes =
        [
            ("airrohr", AdapterBench.Sample("airrohr/push-sds011-bme280.json"), ""),
            ("airrohr", """{"sensordatavalues":[{"value_type":"SDS_P1","value":"nan"},{"value_type":"huh","value":"1"}]}""", ""),
            ("things-stack", AdapterBench.Sample("things-stack/Milesight_AM319/ThingsStackIndustries-payload.json"), "?model=milesight-iot/am319"),
            ("things-stack", AdapterBench.Sample("things-stack/Decentlab_DL-PM/ThingsStackCommunity-payload.json"), "?model=decentlab/dl-pm"),
            ("things-stack", AdapterBench.Sample("things-stack/Milesight_WS302/ThingsStackCommunity-payload.json"), "?model=nobody/knows"),
            ("things-stack", "{", ""),
            ("telraam", quarters, ""),
        ];
        int received = 0, stored = 0, duplicate = 0, quarantined = 0;
        for (var round = 0; round < 2; round++)
        {
            if (round == 1)
            {
                bench.Host.Series.UnavailableBecause = "the disk is full";
                Assert.All(await Task.WhenAll(pushes.Where(p => p.Adapter != "things-stack").Select(p => bench.PostAsync(p.Adapter, p.Body, p.Query))), a => Assert.True(a.Status is HttpStatusCode.ServiceUnavailable or HttpStatusCode.UnprocessableEntity));
                bench.Host.Series.UnavailableBecause = null;
            }

            foreach (var (adapter, body, query) in pushes)
            {
                var (status, answer) = await bench.PostAsync(adapter, body, query);
                var receipt = (int)status < 400 ? answer : answer.GetProperty("receipt");
                received += receipt.GetProperty("received").GetInt32();
                stored += receipt.GetProperty("stored").GetInt32();
                duplicate += receipt.GetProperty("duplicate").GetInt32();
                quarantined += receipt.GetProperty("quarantined").GetInt32();
            }
        }

        Assert.Equal(received, stored + duplicate + quarantined);
        Assert.Equal(stored, duplicate);
        Assert.Equal(stored, (await bench.StoredAsync()).Count);
        Assert.Equal(stored, bench.Host.Counters.Stored);

        // Twice the same is once: two values of the airrohr, the model nobody knows, and what is no JSON.
        Assert.Equal(["airrohr", "airrohr", "things-stack", "things-stack"], (await bench.QuarantineAsync()).Select(e => e.Transport).Order());
        IngestHost.AssertAddUp(bench.Host.Counters);
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> PostPackedAsync(AdapterBench bench, byte[] body, string encoding)
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(body, AdapterBench.Cancel);
        }

        using var client = bench.Host.Http();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/ingest/v1/braga/air-1/airrohr") { Content = new ByteArrayContent(packed.ToArray()) };
        request.Content.Headers.ContentEncoding.Add(encoding);
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {AdapterBench.SecretOf("airrohr")}");
        using var response = await client.SendAsync(request, AdapterBench.Cancel);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(AdapterBench.Cancel));
        return (response.StatusCode, document.RootElement.Clone());
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
