using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Portal.Tests.World;
using Hub.Tests.Kit;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The operator's own map by configuration: what is refused at start, what the content policy opens, and what is served.</summary>
public sealed class OwnMapTests : IDisposable
{
    private const string Parishes = """{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"São Vicente"},"geometry":{"type":"Polygon","coordinates":[[[-8.43,41.55],[-8.41,41.55],[-8.41,41.57],[-8.43,41.55]]]}}]}""";

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Nothing_of_it_is_needed()
    {
        Assert.True(new MapOptionsValidator().Validate(null, new()).Succeeded);
        Assert.Equal("", new OwnMap(Options.Create(new MapOptions())).Origins);
    }

    [Theory]
    [InlineData("tiles.example.org/{z}/{x}/{y}.png", "Tiles:Url must be an https")]
    [InlineData("https://tiles.example.org/{z}/{x}.png", "Tiles:Url must be an https")]
    [InlineData("ftp://tiles.example.org/{z}/{x}/{y}.png", "Tiles:Url must be an https")]
    [InlineData("https://{s}.example.org/{z}/{x}/{y}.png", "Tiles:Url must be an https")]
    [InlineData("https://me:secret@tiles.example.org/{z}/{x}/{y}.png", "Tiles:Url must be an https")]
    public void A_template_that_is_none_is_refused_by_its_full_key(string url, string expected) =>
        Refused(new() { Tiles = { Url = url, Attribution = "A" } }, expected);

    [Fact]
    public void Each_message_names_the_full_key()
    {
        Refused(new() { Tiles = { Url = "https://tiles.example.org/{z}/{x}/{y}.png" } }, "Tiles:Attribution must be 1 to 300");
        Refused(new() { Tiles = { MaxZoom = 30, Size = 100 } }, "Tiles:MaxZoom must be", "Tiles:Size must be");
        Refused(new() { Tiles = { Url = "https://tiles.example.org/{z}/{x}/{y}.png", Attribution = "A", AttributionUrl = "x" }, PmTiles = { Source = "http://example.org/a.pmtiles", Attribution = "A" } },
            "Tiles:AttributionUrl must be", "Tiles:Url must be empty while Hub:Portal:Map:PmTiles:Source is set", "PmTiles:Source must be an https address");
        Refused(new() { Boundary = { Name = "" } }, "Boundary:Name must be");
    }

    [Fact]
    public void A_file_that_is_no_archive_is_refused_saying_why()
    {
        RefusedArchive("{}"u8.ToArray(), "which is no PMTiles archive");
        RefusedArchive(Archive(version: 2), "version 2");
        RefusedArchive(Archive(type: 9), "unknown kind (9 at byte 99)");
        RefusedArchive(Archive(compression: 3), "cannot unpack");
        RefusedArchive(Archive(dataLength: 5_000), "is cut off: it has 227 bytes and should have 5127");
        Refused(new() { PmTiles = { Source = Path.Combine(folder.Path, "nothing.pmtiles"), Attribution = "A" } }, "which cannot be read");
        Assert.True(new MapOptionsValidator().Validate(null, new() { PmTiles = { Source = Write("good.pmtiles", Archive()), Attribution = "A" } }).Succeeded);
    }

    [Fact]
    public void A_file_that_is_no_GeoJSON_of_areas_is_refused_saying_where()
    {
        RefusedBoundary("{\n\"type\": ", "which is not JSON (line 2)");
        RefusedBoundary("[]", "which is no GeoJSON FeatureCollection");
        RefusedBoundary("""{"type":"FeatureCollection","features":[]}""", "which has no features");
        RefusedBoundary("""{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null}]}""", "whose feature 0 (counted from 0) has no geometry");
        RefusedBoundary("""{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}}]}""", "is a Point: areas and lines are expected");

        // As Portuguese authorities give them out: metres of PT-TM06.
        RefusedBoundary(Parishes.Replace("-8.43,41.55", "-21530.2,208114.7", StringComparison.Ordinal), "convert it to WGS84 (EPSG:4326)");
        Assert.True(new MapOptionsValidator().Validate(null, new() { Boundary = { File = Write("good.geojson", Encoding.UTF8.GetBytes(Parishes)) } }).Succeeded);
    }

    [Fact]
    public async Task The_policy_opens_the_configured_origin_and_no_other_and_the_credit_is_shown()
    {
        await using var host = await StartAsync(("Tiles:Url", "https://tiles.município.example:8443/{z}/{x}/{y}.png"), ("Tiles:Attribution", "© Município & amigos"), ("Tiles:AttributionUrl", "https://example.org/licence"));
        using var browser = host.Browser();
        using var answer = await browser.GetAsync("/m/braga", Cancel);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("img-src 'self' data: blob: https://tiles.xn--municpio-g2a.example:8443;", policy, StringComparison.Ordinal);
        Assert.Contains("connect-src 'self' https://tiles.xn--municpio-g2a.example:8443;", policy, StringComparison.Ordinal);
        Assert.Equal(2, policy.Split("https://").Length - 1);
        var html = Html.Read(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Empty(html.Faults);
        Assert.Contains("© Município &amp; amigos", html.Text, StringComparison.Ordinal);
        Assert.Contains(html.Tags, tag => tag["href"] == "https://example.org/licence");
        Assert.Equal("https://tiles.município.example:8443/{z}/{x}/{y}.png", html.Tags.Single(tag => tag.Name == "hub-map")["data-tiles"]);
        Assert.Contains("data-tiles=\"https://tiles", await browser.GetStringAsync("/stations/braga/se", Cancel), StringComparison.Ordinal);

        // Without an own map the policy is as strict as ever.
        await using var plain = await StartAsync();
        using var strict = await plain.Browser().GetAsync("/", Cancel);
        Assert.DoesNotContain("https:", Assert.Single(strict.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await plain.Browser().GetAsync(OwnMap.ArchivePath, Cancel)).StatusCode);
    }

    [Fact]
    public async Task Own_files_are_served_in_ranges_and_confirmed()
    {
        var archive = Archive();
        await using var host = await StartAsync(("PmTiles:Source", Write("town.pmtiles", archive)), ("PmTiles:Attribution", "Own"), ("Boundary:File", Write("parishes.geojson", Encoding.UTF8.GetBytes(Parishes))), ("Boundary:Name", "freguesia"));
        using var browser = host.Browser();
        using HttpRequestMessage asked = new(HttpMethod.Get, OwnMap.ArchivePath);
        asked.Headers.Range = new RangeHeaderValue(97, 99);
        using var part = await browser.SendAsync(asked, Cancel);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(archive[97..100], await part.Content.ReadAsByteArrayAsync(Cancel));
        Assert.NotNull(part.Headers.ETag);
        Assert.Equal(Parishes, await browser.GetStringAsync(OwnMap.BoundaryPath, Cancel));
        var map = Html.Read(await browser.GetStringAsync("/m/braga", Cancel)).Tags.Single(tag => tag.Name == "hub-map");
        Assert.Equal((OwnMap.ArchivePath, OwnMap.BoundaryPath, "freguesia"), (map["data-archive"], map["data-boundary"], map["data-boundary-name"]));
    }

    [Fact]
    public async Task A_hub_with_a_wrong_map_does_not_start()
    {
        var thrown = await Assert.ThrowsAnyAsync<OptionsValidationException>(() => StartAsync(("Boundary:File", "/nowhere/parishes.geojson")));
        Assert.Contains("Hub:Portal:Map:Boundary:File names /nowhere/parishes.geojson, which cannot be read", thrown.Message, StringComparison.Ordinal);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Task<PortalHost> StartAsync(params (string Key, string Value)[] settings)
    {
        DateTime noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);
        return PortalHost.StartAsync(new(noon), new FakeTimeProvider(new(noon)), settings: values =>
        {
            foreach (var (key, value) in settings)
            {
                values["Hub:Portal:Map:" + key] = value;
            }
        });
    }

    private static void Refused(MapOptions options, params string[] expected)
    {
        var failures = new MapOptionsValidator().Validate(null, options).Failures!.ToArray();
        foreach (var one in expected)
        {
            Assert.Contains(failures, failure => failure.StartsWith("Hub:Portal:Map:", StringComparison.Ordinal) && failure.Contains(one, StringComparison.Ordinal));
        }
    }

    private void RefusedArchive(byte[] content, string expected) => Refused(new() { PmTiles = { Source = Write("bad.pmtiles", content), Attribution = "A" } }, expected);

    private void RefusedBoundary(string content, string expected) => Refused(new() { Boundary = { File = Write("bad.geojson", Encoding.UTF8.GetBytes(content)) } }, expected);

    private string Write(string name, byte[] content)
    {
        var path = Path.Combine(folder.Path, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>An archive's header with a hundred bytes behind it.</summary>
    private static byte[] Archive(byte version = 3, byte type = 1, byte compression = 2, int dataLength = 100)
    {
        var bytes = new byte[227];
        "PMTiles"u8.CopyTo(bytes);
        (bytes[7], bytes[97], bytes[98], bytes[99]) = (version, compression, compression, type);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(56), 127);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(64), (ulong)dataLength);
        return bytes;
    }
}
