using System.Net;
using System.Net.Http.Headers;
using System.Xml.Linq;
using Hub.Cloud.Notifications;

namespace Hub.Cloud.Api.Tests;

/// <summary>The feed of alarms and its alerts, over the real archive.</summary>
public sealed class CapEndpointTests
{
    private const string Feed = "/api/v1/municipalities/braga/alarms.atom";

    private static readonly XNamespace Atom = "http://www.w3.org/2005/Atom";
    private static readonly XNamespace Cap = "urn:oasis:names:tc:emergency:cap:1.2";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Anybody_reads_the_feed_and_finds_each_alert_at_its_address()
    {
        await using var host = await StartAsync(("Hub:PublicUrl", "https://hub.example.org/city/"));
        await host.Notifications.EnqueueAsync(Message("a:started:1"), Cancel);
        await host.Notifications.EnqueueAsync(Message("a:ended:2", NotificationKind.Ended), Cancel);
        using var client = host.Client();
        using var answer = await client.GetAsync(Feed, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/atom+xml; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal(new DateTimeOffset(ApiHost.Now), answer.Content.Headers.LastModified);
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        var feed = XDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).Root!;
        Assert.Equal("https://hub.example.org/city/api/v1/municipalities/braga/alarms.atom", feed.Element(Atom + "link")!.Attribute("href")!.Value);
        var links = feed.Elements(Atom + "entry").Select(entry => entry.Element(Atom + "link")!.Attribute("href")!.Value).ToArray();
        Assert.Equal(2, links.Length);
        foreach (var (link, type) in links.Zip(["Update", "Alert"]))
        {
            using var alert = await client.GetAsync(link.Replace("https://hub.example.org/city", "", StringComparison.Ordinal), Cancel);
            Assert.Equal("application/cap+xml; charset=utf-8", alert.Content.Headers.ContentType!.ToString());
            Assert.Equal(new DateTimeOffset(ApiHost.Now), alert.Content.Headers.LastModified);
            var document = XDocument.Parse(await alert.Content.ReadAsStringAsync(Cancel)).Root!;
            Assert.Equal((Cap + "alert", type), (document.Name, document.Element(Cap + "msgType")!.Value));
            Assert.EndsWith($"/{document.Element(Cap + "identifier")!.Value}.cap", link, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Whoever_has_it_already_is_told_so_until_there_is_news()
    {
        await using var host = await StartAsync();
        await host.Notifications.EnqueueAsync(Message("a:started:1"), Cancel);
        using var client = host.Client();
        using var first = await client.GetAsync(Feed, Cancel);
        Assert.Equal(HttpStatusCode.NotModified, await StatusAsync(client, Feed, request => request.Headers.IfNoneMatch.Add(first.Headers.ETag!)));
        Assert.Equal(HttpStatusCode.NotModified, await StatusAsync(client, Feed, request => request.Headers.IfModifiedSince = first.Content.Headers.LastModified));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, Feed, request => request.Headers.IfNoneMatch.Add(new EntityTagHeaderValue("\"other\""))));
        host.Time.Advance(TimeSpan.FromMinutes(1));
        await host.Notifications.EnqueueAsync(Message("a:ended:2", NotificationKind.Ended), Cancel);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, Feed, request => request.Headers.IfNoneMatch.Add(first.Headers.ETag!)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, Feed, request => request.Headers.IfModifiedSince = first.Content.Headers.LastModified));

        var alert = (await AddressesAsync(client))[^1];
        using var document = await client.GetAsync(alert, Cancel);
        Assert.Equal(HttpStatusCode.NotModified, await StatusAsync(client, alert, request => request.Headers.IfNoneMatch.Add(document.Headers.ETag!)));
    }

    [Fact]
    public async Task What_not_everybody_may_see_is_not_there_for_anybody()
    {
        await using var host = await StartAsync();
        await host.Notifications.EnqueueAsync(Message("a:started:1"), Cancel);
        await host.Notifications.EnqueueAsync(Message("b:started:1") with { Station = "escola", Alarm = "b", Public = false }, Cancel);
        using var client = host.Client("Administrator@*");
        var alert = Assert.Single(await AddressesAsync(client));

        // Withdrawn from the public since.
        host.Stations.Replace(host.Centro with { Public = false });
        Assert.Empty(await AddressesAsync(client));
        await host.ProblemAsync(alert, 404, "unknown-alert", "Administrator@*");
        host.Stations.Replace(host.Centro);
        Assert.Single(await AddressesAsync(client));
    }

    [Fact]
    public async Task It_is_written_in_the_language_asked_for_and_for_the_host_asked_when_nothing_else_is_known()
    {
        await using var host = await StartAsync();
        using var client = host.Client();
        var pt = XDocument.Parse(await client.GetStringAsync(Feed, Cancel)).Root!;
        var en = XDocument.Parse(await client.GetStringAsync(Feed + "?language=en", Cancel)).Root!;
        Assert.Equal(("Alarmes: Braga", "Alarms: Braga"), (pt.Element(Atom + "title")!.Value, en.Element(Atom + "title")!.Value));
        Assert.Equal("http://localhost" + Feed, pt.Element(Atom + "link")!.Attribute("href")!.Value);
        Assert.Equal($"http://localhost{Feed}?language=en", en.Element(Atom + "link")!.Attribute("href")!.Value);
        await host.ProblemAsync(Feed + "?language=fr", 400, "bad-parameter");
        await host.ProblemAsync("/api/v1/municipalities/nowhere/alarms.atom", 404, "unknown-municipality");
        await host.ProblemAsync("/api/v1/municipalities/braga/alarms/0123.cap", 404, "unknown-alert");
    }

    internal static AlarmMessage Message(string key, NotificationKind kind = NotificationKind.Started) => new(
        key, kind, "a", "braga", "Braga", "centro", "Estação centro", "pm10-day", "PM10", "PM10", Severity.Warning, "pm10", "µg/m³", 80, 50,
        ApiHost.Now.AddHours(-1), ApiHost.Now.AddHours(-1), kind == NotificationKind.Ended ? ApiHost.Now : null, 95, "Europe/Lisbon")
    {
        Latitude = 41.5, Longitude = -8.4, Public = true,
    };

    private static async Task<ApiHost> StartAsync(params (string Key, string Value)[] settings)
    {
        var host = await ApiHost.StartAsync(settings);
        await host.MigrateNotificationsAsync();
        return host;
    }

    private static async Task<string[]> AddressesAsync(HttpClient client)
    {
        var feed = XDocument.Parse(await client.GetStringAsync(Feed, Cancel)).Root!;
        return [.. feed.Elements(Atom + "entry").Select(entry => new Uri(entry.Element(Atom + "link")!.Attribute("href")!.Value).AbsolutePath)];
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string address, Action<HttpRequestMessage> ask)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        ask(request);
        using var answer = await client.SendAsync(request, Cancel);
        return answer.StatusCode;
    }
}
