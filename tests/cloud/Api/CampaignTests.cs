using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Hub.Edge.Contract.Bundles;

namespace Hub.Cloud.Api.Tests;

/// <summary>Bundles and campaigns, for those who may.</summary>
public sealed class CampaignTests
{
    private const string Operator = "Operator@braga";
    private const string Administrator = "Administrator@*";
    private const string Bundles = "/api/v1/agent-bundles";
    private const string Campaigns = "/api/v1/agent-campaigns";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_bundle_is_published_by_administrators_and_seen_by_operators()
    {
        await using var host = await StartAsync();
        await ApiHost.ProblemAsync(await PublishAsync(host, null, Bundle("1.4.0")), 401, "sign-in-needed");
        await ApiHost.ProblemAsync(await PublishAsync(host, Operator, Bundle("1.4.0")), 403, "not-allowed");
        await ApiHost.ProblemAsync(await PublishAsync(host, Administrator, "no bundle"u8.ToArray()), 422, "bundle-refused");
        await ApiHost.ProblemAsync(await PublishAsync(host, Administrator, []), 422, "bundle-refused");
        var bytes = Bundle("1.4.0");
        using var published = await PublishAsync(host, Administrator, bytes);
        Assert.Equal(HttpStatusCode.Created, published.StatusCode);
        var listed = (await host.GetAsync(Bundles, Operator)).GetProperty("items");
        Assert.Equal((1, Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length), (listed.GetArrayLength(), listed[0].GetProperty("sha256").GetString(), listed[0].GetProperty("bytes").GetInt32()));
        await host.ProblemAsync(Bundles, 401, "sign-in-needed");
        await host.ProblemAsync(Bundles, 403, "not-allowed", "Viewer@braga");
    }

    [Fact]
    public async Task A_campaign_is_started_seen_and_steered()
    {
        await using var host = await StartAsync();
        (await PublishAsync(host, Administrator, Bundle("1.4.0"))).EnsureSuccessStatusCode();
        using var client = host.Client(Operator);
        using var started = await PostAsync(client, Campaigns, """{"name":"spring","version":"1.4.0","municipality":"braga","waveSize":2,"failureLimit":3}""");
        Assert.Equal((HttpStatusCode.Created, "/api/v1/agent-campaigns/1"), (started.StatusCode, started.Headers.Location?.ToString()));
        var campaign = await JsonAsync(started);
        Assert.Equal(("running", 2, 3, false), (campaign.GetProperty("state").GetString(), campaign.GetProperty("waveSize").GetInt32(), campaign.GetProperty("failureLimit").GetInt32(), campaign.GetProperty("force").GetBoolean()));
        var all = host.Stations.All.Count(s => s.Municipality == "braga");
        Assert.Equal((all, all, 0), (campaign.GetProperty("stations").GetInt32(), campaign.GetProperty("counts").GetProperty("pending").GetInt32(), campaign.GetProperty("ended").GetInt32()));

        var detail = await host.GetAsync(Campaigns + "/1", Operator);
        Assert.Equal(all, detail.GetProperty("stations").GetArrayLength());
        Assert.All(detail.GetProperty("stations").EnumerateArray(), station => Assert.Equal("pending", station.GetProperty("status").GetString()));
        Assert.Equal("paused", (await JsonAsync(await PostAsync(client, Campaigns + "/1/pause"))).GetProperty("state").GetString());
        await ApiHost.ProblemAsync(await PostAsync(client, Campaigns + "/1/pause"), 409, "campaign-refused");
        Assert.Equal("running", (await JsonAsync(await PostAsync(client, Campaigns + "/1/resume"))).GetProperty("state").GetString());
        Assert.Equal("cancelled", (await JsonAsync(await PostAsync(client, Campaigns + "/1/cancel"))).GetProperty("state").GetString());
        await ApiHost.ProblemAsync(await PostAsync(client, Campaigns + "/1/resume"), 409, "campaign-refused");
        Assert.Equal(["running", "paused", "running", "cancelled"], (await host.GetAsync(Campaigns + "/1", Operator)).GetProperty("events").EnumerateArray().Select(e => e.GetProperty("state").GetString()));
        Assert.Equal(["1"], ApiHost.Texts(await host.GetAsync(Campaigns, Operator), "campaign"));
    }

    [Theory]
    [InlineData("", 400, "bad-body", "name")]
    [InlineData("[]", 400, "bad-body", "object")]
    [InlineData("""{"name":"","version":"1.4.0","municipality":"braga"}""", 400, "bad-body", "name")]
    [InlineData("""{"name":"a","version":"latest","municipality":"braga"}""", 400, "bad-body", "version")]
    [InlineData("""{"name":"a","version":"1.4.0","municipality":"braga","waveSize":0}""", 400, "bad-body", "waveSize")]
    [InlineData("""{"name":"a","version":"1.4.0","municipality":"braga","waveSize":1.5}""", 400, "bad-body", "waveSize")]
    [InlineData("""{"name":"a","version":"1.4.0","municipality":"braga","wave":5}""", 400, "bad-body", "wave")]
    [InlineData("""{"name":"a","version":"1.4.0","municipality":"nowhere"}""", 404, "unknown-municipality", "nowhere")]
    [InlineData("""{"name":"a","version":"1.4.0","municipality":"braga","stations":["nowhere"]}""", 404, "unknown-station", "nowhere")]
    [InlineData("""{"name":"a","version":"1.4.0","municipality":"braga","stations":["aveiro/porto"]}""", 404, "unknown-station", "aveiro/porto")]
    [InlineData("""{"name":"a","version":"1.4.0","municipality":"braga","stations":[1]}""", 400, "bad-body", "stations")]
    [InlineData("""{"name":"a","version":"9.9.9","municipality":"braga"}""", 409, "campaign-refused", "9.9.9")]
    [InlineData("""{"name":"a","version":"1.4.0","municipality":"braga","stations":[]}""", 409, "campaign-refused", "no station")]
    [InlineData("""{"name":"a","version":"1.4.0","municipality":"aveiro"}""", 403, "not-allowed", "aveiro")]
    [InlineData("""{"name":"a","version":"1.4.0"}""", 403, "not-allowed", "administrators")]
    public async Task What_cannot_be_started_says_why(string body, int status, string code, string says)
    {
        await using var host = await StartAsync();
        (await PublishAsync(host, Administrator, Bundle("1.4.0"))).EnsureSuccessStatusCode();
        using var client = host.Client(Operator);
        var problem = await ApiHost.ProblemAsync(await PostAsync(client, Campaigns, body), status, code);
        Assert.Contains(says, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(await host.Updates.CampaignsAsync(null, 10, Cancel));
    }

    [Fact]
    public async Task What_one_municipality_does_another_does_not_see()
    {
        await using var host = await StartAsync();
        (await PublishAsync(host, Administrator, Bundle("1.4.0"))).EnsureSuccessStatusCode();
        using (var braga = host.Client(Operator))
        {
            (await PostAsync(braga, Campaigns, """{"name":"a","version":"1.4.0","municipality":"braga"}""")).EnsureSuccessStatusCode();
        }

        using (var administrator = host.Client(Administrator))
        {
            (await PostAsync(administrator, Campaigns, """{"name":"b","version":"1.4.0","stations":["aveiro/porto"]}""")).EnsureSuccessStatusCode();
        }

        Assert.Equal(["2", "1"], ApiHost.Texts(await host.GetAsync(Campaigns, Administrator), "campaign"));
        Assert.Equal(["1"], ApiHost.Texts(await host.GetAsync(Campaigns, Operator), "campaign"));
        Assert.Empty(ApiHost.Texts(await host.GetAsync(Campaigns, "Operator@aveiro"), "campaign"));
        Assert.Empty(ApiHost.Texts(await host.GetAsync(Campaigns, "Viewer@braga"), "campaign"));
        foreach (var (rights, id, status, code) in ((string?, int, int, string)[])[
            (null, 1, 401, "sign-in-needed"), ("Operator@aveiro", 1, 404, "unknown-campaign"), ("Viewer@braga", 1, 404, "unknown-campaign"), ("Operator@aveiro", 2, 404, "unknown-campaign"), (Operator, 2, 404, "unknown-campaign"),
            (Operator, 99, 404, "unknown-campaign"), ("Administrator@aveiro", 2, 404, "unknown-campaign")])
        {
            await host.ProblemAsync($"{Campaigns}/{id}", status, code, rights);
            foreach (var act in new[] { "pause", "resume", "cancel" })
            {
                using var client = host.Client(rights);
                await ApiHost.ProblemAsync(await PostAsync(client, $"{Campaigns}/{id}/{act}"), status, code);
            }
        }
    }

    private static async Task<ApiHost> StartAsync()
    {
        var host = await ApiHost.StartAsync();
        await host.MigrateFleetAsync();
        return host;
    }

    private static Task<HttpResponseMessage> PublishAsync(ApiHost host, string? rights, byte[] bundle) => host.Client(rights).PostAsync(Bundles, new ByteArrayContent(bundle), Cancel);

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string address, string? body = null) =>
        client.PostAsync(address, body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"), Cancel);

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage answer) => JsonElement.Parse(await answer.Content.ReadAsStringAsync(Cancel));

    private static byte[] Bundle(string version)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var program = "#!/bin/sh\n"u8.ToArray();
        var manifest = new BundleManifest(1, version, "linux-arm64", [new BundleFile("hub-agent", program.Length, Convert.ToHexStringLower(SHA256.HashData(program)), true)]).ToUtf8();
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in new[] { ("manifest.json", manifest), ("manifest.sig", key.SignData(manifest, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)), ("hub-agent", program) })
            {
                using var target = zip.CreateEntry(name).Open();
                target.Write(content);
            }
        }

        return stream.ToArray();
    }
}
