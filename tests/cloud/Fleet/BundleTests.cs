using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Hub.Tests.Kit;

namespace Hub.Cloud.Fleet.Tests;

/// <summary>Agent bundles: what is taken in, and who gets them.</summary>
public sealed class BundleTests : IDisposable
{
    private readonly FleetHost.World world = new();
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        key.Dispose();
        world.Dispose();
    }

    [Fact]
    public async Task What_is_published_is_kept_once_and_fetched_by_stations_whole_and_in_parts()
    {
        var bytes = TestBundle.Make(key, "1.4.0", content: new string('x', 50_000));
        await using var host = await FleetHost.StartAsync(world);
        var stored = await PublishAsync(host, bytes);
        Assert.Equal(("1.4.0", "linux-arm64", bytes.Length, false, "ana"), (stored.Version, stored.Runtime, stored.Bytes, stored.SignatureChecked, stored.PublishedBy));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), stored.Sha256);
        Assert.Equal(stored, await PublishAsync(host, bytes));
        Assert.Equal([stored], await host.Updates.BundlesAsync(Cancel));
        Assert.Equal([stored.Sha256 + ".zip"], Directory.GetFiles(world.Folder.File("agent-bundles")).Select(Path.GetFileName));

        using var client = Client(host, "braga/air-1", world.Secret!);
        var address = $"/agents/v1/bundles/{stored.Sha256}";
        using var whole = await client.GetAsync(address, Cancel);
        Assert.Equal((HttpStatusCode.OK, $"\"{stored.Sha256}\"", "application/zip"), (whole.StatusCode, whole.Headers.ETag!.Tag, whole.Content.Headers.ContentType!.MediaType));
        Assert.Equal(bytes, await whole.Content.ReadAsByteArrayAsync(Cancel));

        // As a station goes on where it broke off.
        using var rest = new HttpRequestMessage(HttpMethod.Get, address);
        rest.Headers.Range = new RangeHeaderValue(100, null);
        rest.Headers.IfRange = new RangeConditionHeaderValue(whole.Headers.ETag);
        using var part = await client.SendAsync(rest, Cancel);
        Assert.Equal((HttpStatusCode.PartialContent, 100, bytes.Length), (part.StatusCode, part.Content.Headers.ContentRange!.From, part.Content.Headers.ContentRange.Length));
        Assert.Equal(bytes[100..], await part.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Fact]
    public async Task Only_a_stations_own_secret_opens_and_only_bundles_are_behind_it()
    {
        await using var host = await FleetHost.StartAsync(world);
        var stored = await PublishAsync(host, TestBundle.Make(key, "1.4.0"));
        await File.WriteAllTextAsync(world.Folder.File("secret.zip"), "not for stations", Cancel);
        foreach (var (user, secret, path, status) in ((string?, string, string, HttpStatusCode)[])[
            (null, "", stored.Sha256, HttpStatusCode.Unauthorized),
            ("braga/air-1", "wrong", stored.Sha256, HttpStatusCode.Unauthorized),
            ("aveiro/air-1", world.Secret!, stored.Sha256, HttpStatusCode.Unauthorized),
            ("braga/air-1", world.Secret!, new string('0', 64), HttpStatusCode.NotFound),
            ("braga/air-1", world.Secret!, stored.Sha256.ToUpperInvariant(), HttpStatusCode.NotFound),
            ("braga/air-1", world.Secret!, "..%2Fsecret", HttpStatusCode.NotFound)])
        {
            using var client = user is null ? host.Client() : Client(host, user, secret);
            using var answer = await client.GetAsync("/agents/v1/bundles/" + path, Cancel);
            Assert.Equal(status, answer.StatusCode);
            Assert.Equal(status == HttpStatusCode.Unauthorized, answer.Headers.WwwAuthenticate.Count > 0);
        }
    }

    [Fact]
    public async Task What_a_station_would_refuse_is_not_taken_and_leaves_nothing_behind()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllTextAsync(world.Folder.File("key.pub.pem"), key.ExportSubjectPublicKeyInfoPem(), Cancel);
        await using var host = await FleetHost.StartAsync(world, true, ("Hub:Fleet:UpdateKeys:0", world.Folder.File("key.pub.pem")));
        var good = TestBundle.Make(key, "1.4.0");
        foreach (var (bytes, says) in ((byte[], string)[])[
            (TestBundle.Make(other, "1.4.0"), "signature"),
            (Encoding.UTF8.GetBytes("no ZIP at all"), "no ZIP"),
            ([], "no ZIP"),
            (good[..(good.Length / 2)], "no ZIP"),
            (TestBundle.Make(key, "1.4"), "version"),
            (TestBundle.Make(key, "1.4.0", runtime: "../etc"), "runtime"),
            (TestBundle.Make(key, "1.4.0", actual: "#!/bin/sh\nexit 1\n"), "hub-agent"),
            (TestBundle.Make(key, "1.4.0", more: zip => TestBundle.Add(zip, "extra", [1])), "extra")])
        {
            var refused = await Assert.ThrowsAsync<BundleRefusedException>(async () => await PublishAsync(host, bytes));
            Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        }

        Assert.Empty(await host.Updates.BundlesAsync(Cancel));
        Assert.Empty(Directory.GetFiles(world.Folder.File("agent-bundles")));
        Assert.True((await PublishAsync(host, good)).SignatureChecked);
    }

    [Fact]
    public async Task An_upload_that_breaks_off_leaves_nothing_behind()
    {
        await using var host = await FleetHost.StartAsync(world);
        await Assert.ThrowsAsync<IOException>(async () => await host.Updates.PublishAsync(new Breaking(TestBundle.Make(key, "1.4.0")), "ana", Cancel));
        Assert.Empty(await host.Updates.BundlesAsync(Cancel));
        Assert.Empty(Directory.GetFiles(world.Folder.File("agent-bundles")));
    }

    [Fact]
    public async Task The_oldest_that_no_campaign_needs_makes_room()
    {
        await using var host = await FleetHost.StartAsync(world, true, ("Hub:Fleet:BundlesMax", "2"));
        await PublishAsync(host, TestBundle.Make(key, "1.0.0"));
        await host.Updates.StartAsync(new CampaignRequest("first", "1.0.0", "braga"), "ana", Cancel);
        await PublishAsync(host, TestBundle.Make(key, "1.1.0"));
        await PublishAsync(host, TestBundle.Make(key, "1.2.0"));
        Assert.Equal(["1.2.0", "1.0.0"], (await host.Updates.BundlesAsync(Cancel)).Select(b => b.Version));
        Assert.Equal(2, Directory.GetFiles(world.Folder.File("agent-bundles")).Length);
        await host.Updates.StartAsync(new CampaignRequest("second", "1.2.0", "aveiro"), "ana", Cancel);
        Assert.Contains("campaigns under way", (await Assert.ThrowsAsync<BundleRefusedException>(async () => await PublishAsync(host, TestBundle.Make(key, "1.3.0")))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_cannot_be_used_stops_the_start()
    {
        File.WriteAllText(world.Folder.File("private.pem"), key.ExportPkcs8PrivateKeyPem());
        var options = new FleetOptions { UpdateKeys = { world.Folder.File("private.pem"), world.Folder.File("missing.pem") } };
        var result = new FleetOptionsValidator().Validate(null, options);
        Assert.Equal(2, result.Failures!.Count());
        Assert.Contains("private key", result.Failures!.First(), StringComparison.Ordinal);
    }

    private static ValueTask<StoredBundle> PublishAsync(FleetHost host, byte[] bytes) => host.Updates.PublishAsync(new MemoryStream(bytes), "ana", Cancel);

    private static HttpClient Client(FleetHost host, string user, string secret)
    {
        var client = host.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{secret}")));
        return client;
    }

    private sealed class Breaking(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position > 0 ? throw new IOException("The connection was closed.") : base.ReadAsync(buffer[..Math.Min(buffer.Length, 100)], cancellationToken);
    }
}
