using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Hub.Cloud.Portal.Assets;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

public sealed partial class AssetTests
{
    private static readonly BuiltAssets Built = new();

    [Theory]
    [InlineData("/")]
    [InlineData("/m/braga")]
    [InlineData("/stations/braga/avenida-central")]
    [InlineData("/stations/braga/avenida-central?span=30d")]
    [InlineData("/m/braga/air")]
    [InlineData("/m/braga/noise")]
    [InlineData("/m/braga/traffic")]
    [InlineData("/alarms")]
    [InlineData("/wall")]
    [InlineData("/open-data")]
    [InlineData("/about")]
    [InlineData("/subscribe")]
    public async Task Public_pages_load_less_than_100_kB_of_script_before_anything_of_them_is_seen(string path)
    {
        City city = new(Noon);
        await using var host = await PortalHost.StartAsync(city, new FakeTimeProvider(new(Noon)));
        var page = await host.Browser().GetStringAsync(path, Cancel);
        List<string> files = [.. ScriptFile().Matches(page).Select(static one => one.Groups["file"].Value).Distinct()];
        Assert.Contains(Built.Entry("portal").File, files);
        Assert.InRange(files.Sum(file => Find(file).Plain.Length), 1, 100_000);
    }

    [Fact]
    public void No_built_file_asks_for_anything_outside()
    {
        foreach (var asset in Built.All.Where(asset => asset.Path.StartsWith("files/", StringComparison.Ordinal)))
        {
            var text = Encoding.UTF8.GetString(asset.Plain);
            foreach (Match address in Address().Matches(text))
            {
                // Names of XML namespaces, and the places that library texts (licence, error messages, attribution) point people to; nothing answers under .invalid.
                var host = address.Groups["host"].Value;
                Assert.True(
                    host.EndsWith(".invalid", StringComparison.Ordinal) || host is "www.w3.org" or "github.com" or "maplibre.org" or "issues.chromium.org" or "bugs.webkit.org" or "bugs.chromium.org" or "developer.mozilla.org" or "wiki.openstreetmap.org" or "www.opengis.net",
                    $"{asset.Path} names {address.Value}.");
            }

            Assert.DoesNotContain("@import", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_map_keeps_its_licence_notice_beside_it_and_its_sources_apart()
    {
        Assert.True(Built.TryGet("map/README.md", out var notice));
        var text = Encoding.UTF8.GetString(notice.Plain);
        foreach (var asset in Built.All.Where(asset => asset.Path.StartsWith("map/", StringComparison.Ordinal) && asset.Path.EndsWith(".geojson", StringComparison.Ordinal)))
        {
            Assert.Contains($"`{asset.Path["map/".Length..]}`", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("licences/maplibre-gl.txt", "MapLibre")]
    [InlineData("licences/uplot.txt", "Leon Sorokin")]
    [InlineData("licences/pmtiles.txt", "Protomaps LLC")]
    [InlineData("licences/fflate.txt", "Arjun Barrett")]
    public void Bundled_libraries_keep_their_licences(string path, string owner) =>
        Assert.Contains(owner, Encoding.UTF8.GetString(Find(path).Plain), StringComparison.Ordinal);

    [Fact]
    public void The_lock_file_names_no_registry()
    {
        var text = File.ReadAllText(Path.Combine(Source.Folder, "web", "package-lock.json"));
        Assert.DoesNotContain("\"resolved\"", text, StringComparison.Ordinal);
        Assert.Contains("\"integrity\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_compressed_cached_and_confirmed()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        using var browser = host.Browser();
        var file = "/assets/" + Built.Entry("portal").File;

        using var plain = await browser.GetAsync(file, Cancel);
        Assert.Equal("text/javascript", plain.Content.Headers.ContentType?.MediaType);
        Assert.Contains("immutable", plain.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        var content = await plain.Content.ReadAsByteArrayAsync(Cancel);
        Assert.Equal(Find(Built.Entry("portal").File).Plain, content);

        using HttpRequestMessage asked = new(HttpMethod.Get, file);
        asked.Headers.AcceptEncoding.ParseAdd("gzip, br");
        using var compressed = await browser.SendAsync(asked, Cancel);
        Assert.Equal("br", Assert.Single(compressed.Content.Headers.ContentEncoding));
        await using BrotliStream unpacked = new(await compressed.Content.ReadAsStreamAsync(Cancel), CompressionMode.Decompress);
        using MemoryStream same = new();
        await unpacked.CopyToAsync(same, Cancel);
        Assert.Equal(content, same.ToArray());
        Assert.NotEqual(plain.Headers.ETag, compressed.Headers.ETag);

        using HttpRequestMessage again = new(HttpMethod.Get, file);
        again.Headers.IfNoneMatch.Add(plain.Headers.ETag!);
        using var unchanged = await browser.SendAsync(again, Cancel);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Theory]
    [InlineData("/assets/nothing.js")]
    [InlineData("/assets/manifest.json")]
    [InlineData("/assets/../Texts/Texts.resx")]
    [InlineData("/assets/%2e%2e/secret")]
    public async Task Nothing_else_is_served(string path)
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        using var browser = host.Browser();
        using var answer = await browser.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private static DateTime Noon { get; } = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static BuiltAsset Find(string path) => Built.TryGet(path, out var asset) ? asset : throw new KeyNotFoundException(path);

    [GeneratedRegex("""<(script[^>]* src|link rel="modulepreload" href)="/assets/(?<file>[^"]+)""")]
    private static partial Regex ScriptFile();

    [GeneratedRegex("""https?://(?<host>[a-zA-Z0-9.-]+)[^\s"'`)\\]*""")]
    private static partial Regex Address();
}
