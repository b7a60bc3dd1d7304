using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Hub.Edge.Contract.Encoding;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

public sealed class HttpIngestTests
{
    private const string Path = "/ingest/v1/braga/air-1";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_good_pack_is_created_after_the_commit()
    {
        await using var host = await IngestHost.StartAsync();
        var held = new TaskCompletionSource();
        host.Series.BeforeCommit = token => held.Task.WaitAsync(token);
        var posting = PostAsync(host, Packs.Temperatures(3));
        await Hub.Tests.Kit.Eventually.TrueAsync(() => host.Pipeline.InFlight == 1, "the pack is being committed");
        Assert.False(posting.IsCompleted);
        held.SetResult();
        var (status, body) = await posting;
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal((3, 3, 0), (body.GetProperty("received").GetInt32(), body.GetProperty("stored").GetInt32(), body.GetProperty("quarantined").GetInt32()));
        Assert.Equal(3, (await host.StoredAsync(host.Air, "bme280", "temperature")).Count);
    }

    [Fact]
    public async Task A_partly_refused_pack_is_created_and_lists_the_refusals()
    {
        await using var host = await IngestHost.StartAsync();
        var (status, body) = await PostAsync(host, Packs.FourGoodOneBad());
        Assert.Equal(HttpStatusCode.Created, status);
        var refusal = Assert.Single(body.GetProperty("refusals").EnumerateArray());
        Assert.Equal((2, "UnknownQuantity"), (refusal.GetProperty("record").GetInt32(), refusal.GetProperty("reason").GetString()));
        Assert.Equal((5, 4, 1), (body.GetProperty("received").GetInt32(), body.GetProperty("stored").GetInt32(), body.GetProperty("quarantined").GetInt32()));
        var (again, duplicate) = await PostAsync(host, Packs.FourGoodOneBad());
        Assert.Equal((HttpStatusCode.Created, 4), (again, duplicate.GetProperty("duplicate").GetInt32()));
        IngestHost.AssertAddUp(host.Counters);
    }

    [Fact]
    public async Task A_wholly_refused_pack_is_unprocessable_and_in_the_quarantine()
    {
        await using var host = await IngestHost.StartAsync();
        var (status, body) = await PostAsync(host, Packs.Bytes("{}"));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "ingest.refused"), (status, body.GetProperty("code").GetString()));
        Assert.Equal(1, body.GetProperty("receipt").GetProperty("quarantined").GetInt32());
        Assert.Single(await host.Quarantine.ListAsync("braga", "air-1", null, null, 10, Cancel));
    }

    [Fact]
    public async Task Wrong_credentials_are_401_and_another_station_is_403()
    {
        await using var host = await IngestHost.StartAsync();
        foreach (var authorization in (string?[])[null, "", "Basic", "Basic ", "Basic %%%", "Basic " + Base64("braga/air-1"), "Basic " + Base64("braga/air-1:"), "Basic " + Base64(":x"),
            "Basic " + Base64("braga/air-1:wrong"), "Basic " + Base64("nobody:" + IngestHost.Secret), "Bearer x", "Basic " + new string('A', 5000)])
        {
            var (status, body) = await PostAsync(host, Packs.Temperatures(1), authorization: authorization);
            Assert.Equal((HttpStatusCode.Unauthorized, "ingest.credentials"), (status, body.GetProperty("code").GetString()));
        }

        foreach (var path in (string[])["/ingest/v1/braga/noise-1", "/ingest/v1/aveiro/air-1", "/ingest/v1/braga/no-such-station", "/ingest/v1/BRAGA/air-1"])
        {
            var (status, body) = await PostAsync(host, Packs.Temperatures(1), path: path);
            Assert.Equal((HttpStatusCode.Forbidden, "ingest.station"), (status, body.GetProperty("code").GetString()));
        }

        Assert.Equal((0, 12, 4), (host.Counters.Received, host.Counters.RefusedLogins, host.Counters.RefusedTopics));
        using var client = host.Http();
        using var anonymous = await client.PostAsync(Path, new ByteArrayContent([]), Cancel);
        Assert.Equal("Basic", Assert.Single(anonymous.Headers.WwwAuthenticate).Scheme);
    }

    [Fact]
    public async Task Content_types_encodings_and_sizes_have_their_codes()
    {
        await using var host = await IngestHost.StartAsync();
        foreach (var type in (string?[])[null, "text/plain", "application/json"])
        {
            Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await PostAsync(host, Packs.Temperatures(1), type)).Status);
        }

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await PostAsync(host, Packs.Temperatures(1), encoding: "br")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(host, Packs.Temperatures(1), encoding: "gzip")).Status);
        var (large, body) = await PostAsync(host, new byte[ReadingPack.BytesMax + 1]);
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "ingest.too-large"), (large, body.GetProperty("code").GetString()));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PostAsync(host, Gzip(new byte[50_000_000]), encoding: "gzip")).Status);
        Assert.Equal(0, host.Counters.Received);

        Assert.Equal(HttpStatusCode.Created, (await PostAsync(host, Gzip(Packs.Temperatures(500)), "application/senml+json; charset=utf-8", encoding: "gzip")).Status);
        var cbor = new System.Buffers.ArrayBufferWriter<byte>();
        ReadingPack.Encode(cbor, PackFormat.Cbor, [new("sps30", "pm2_5", DateTime.UnixEpoch.AddSeconds(Packs.Start), 12.5)]);
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(host, cbor.WrittenSpan.ToArray(), "application/senml+cbor")).Status);
        Assert.Equal(501, host.Counters.Stored);
    }

    [Fact]
    public async Task Half_a_gzip_stream_is_refused_whole()
    {
        await using var host = await IngestHost.StartAsync();
        var packed = Gzip(Packs.Temperatures(50));
        foreach (var length in (int[])[0, 5, 10, packed.Length / 2, packed.Length - 9, packed.Length - 8, packed.Length - 1])
        {
            var (status, body) = await PostAsync(host, packed[..length], encoding: "gzip");
            Assert.Equal((HttpStatusCode.BadRequest, "ingest.content-encoding"), (status, body.GetProperty("code").GetString()));
        }

        Assert.Equal(0, host.Counters.Received);
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(host, packed, encoding: "gzip")).Status);
        Assert.Equal((50, 50), (host.Counters.Received, host.Counters.Stored));
    }

    [Fact]
    public async Task While_the_store_is_away_the_sender_is_told_when_to_come_back()
    {
        await using var host = await IngestHost.StartAsync(new() { ["Hub:Ingest:RetryAfter"] = "00:00:17" });
        host.Series.UnavailableBecause = "the disk is full";
        using var client = host.Http();
        using var request = Request(Packs.Temperatures(1));
        using var response = await client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(17), response.Headers.RetryAfter!.Delta);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        host.Series.UnavailableBecause = null;
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(host, Packs.Temperatures(1))).Status);
    }

    [Fact]
    public async Task When_every_place_is_taken_the_sender_is_told_to_wait()
    {
        await using var host = await IngestHost.StartAsync(new() { ["Hub:Ingest:PacksInFlightMax"] = "1" });
        var held = new TaskCompletionSource();
        host.Series.BeforeCommit = token => held.Task.WaitAsync(token);
        var first = PostAsync(host, Packs.Temperatures(1));
        await Hub.Tests.Kit.Eventually.TrueAsync(() => host.Pipeline.IsFull, "the place is taken");
        var (status, body) = await PostAsync(host, Packs.Temperatures(1));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "ingest.busy"), (status, body.GetProperty("code").GetString()));
        held.SetResult();
        Assert.Equal(HttpStatusCode.Created, (await first).Status);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static byte[] Gzip(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return output.ToArray();
    }

    private static HttpRequestMessage Request(byte[] pack, string? type = "application/senml+json", string path = Path, string? encoding = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(pack) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Base64("braga/air-1:" + IngestHost.Secret));
        if (type is not null)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        if (encoding is not null)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        }

        return request;
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(
        IngestHost host, byte[] pack, string? type = "application/senml+json", string path = Path, string? encoding = null, string? authorization = "ours")
    {
        using var client = host.Http();
        using var request = Request(pack, type, path, encoding);
        if (authorization != "ours")
        {
            request.Headers.Authorization = null;
            if (authorization is not null)
            {
                request.Headers.TryAddWithoutValidation("Authorization", authorization);
            }
        }

        using var response = await client.SendAsync(request, Cancel);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancel));
        return (response.StatusCode, document.RootElement.Clone());
    }
}
