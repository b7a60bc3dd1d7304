using System.Net;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The page of the fleet: for operators, by forms alone.</summary>
public sealed class FleetPageTests
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("pt-PT", "Sensor avariado", "<strong>noise</strong>: morto", "Em silêncio", "Por instalar", "a acumular há 2 h", "1.203 leituras|1203 leituras|1\u00a0203 leituras", "acertado pelo hub", "corrigido -2,5 s", "-71 dBm", "há a 9.0.0", "versão 2, quer-se a 3", "recusada", "sem agente")]
    [InlineData("en", "Faulty sensor", "<strong>noise</strong>: dead", "Silent", "Not claimed yet", "piling up, since 2 h ago", "1,203 readings|1203 readings", "set by the hub", "corrected by -2.5 s", "-71 dBm", "9.0.0 is available", "version 2, wanted 3", "refused", "no agent")]
    public async Task An_operator_sees_how_their_own_stations_fare_and_why(string language, params string[] texts)
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host, language);
        var source = await browser.GetStringAsync("/fleet", Cancel);
        var html = Html.Read(source);
        Assert.Empty(html.Faults);
        Assert.All(texts, text => Assert.True(text.Split('|').Any(one => WebUtility.HtmlDecode(source).Contains(one, StringComparison.Ordinal)), text));
        Assert.Contains("href=\"/stations/braga/avenida-central/agent\"", source, StringComparison.Ordinal);
        Assert.Contains("href=\"/fleet\" aria-current=\"page\"", source, StringComparison.Ordinal);
        Assert.DoesNotContain("/stations/evora/", source, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_address_says_which_stations_and_in_which_order_and_what_it_cannot_say_is_refused()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        foreach (var (query, stations) in new[]
        {
            ("?health=faulty", "avenida-central"), ("?health=unclaimed", "nova"), ("?q=JOAO", "rodovia"), ("?q=zzz", ""),
            ("?sort=name", "avenida-central rodovia se nova oficina ponte"), ("?sort=-name", "ponte oficina nova se rodovia avenida-central"),
            ("?sort=outbox&municipality=braga", "avenida-central rodovia se nova oficina ponte"), ("?p=77&sort=health", "avenida-central ponte nova rodovia se oficina"),
            ("?told=1:1.2:x.9999:1..&sort=settings", "avenida-central rodovia se nova oficina ponte"),
        })
        {
            var html = Html.Read(await browser.GetStringAsync("/fleet" + query, Cancel));
            Assert.Empty(html.Faults);
            Assert.Equal((query, stations), (query, string.Join(' ', html.Tags.Where(tag => tag.Name == "input" && tag["name"] == "station").Select(tag => tag["value"]!.Split('/')[1]))));
        }

        foreach (var (query, status) in new[]
        {
            ("?health=ill", HttpStatusCode.BadRequest), ("?health=3", HttpStatusCode.BadRequest), ("?sort=size", HttpStatusCode.BadRequest), ("?p=0", HttpStatusCode.BadRequest),
            ("?municipality=evora", HttpStatusCode.NotFound),
        })
        {
            Assert.Equal((query, status), (query, (await browser.GetAsync("/fleet" + query, Cancel)).StatusCode));
        }
    }

    [Fact]
    public async Task Two_thousand_stations_come_a_page_at_a_time()
    {
        await using var host = await StartAsync();
        for (var i = 0; i < 2_000; i++)
        {
            host.City.Stations.Add(new(0, "braga", $"s{i}", $"Estação {i:0000}", 41.5, -8.4, Public: true, ""));
        }

        using var browser = await SignedInAsync(host, "en");
        var page = await browser.GetStringAsync("/fleet?health=unclaimed&sort=name&p=41", Cancel);
        Assert.Contains("Page 41 of 41 (2,001 stations)", page, StringComparison.Ordinal);
        Assert.Contains("/fleet?health=unclaimed&amp;sort=name&amp;p=40", page, StringComparison.Ordinal);
        Assert.Equal(1, Html.Read(page).Tags.Count(tag => tag["name"] == "station"));
    }

    [Fact]
    public async Task A_command_goes_to_the_chosen_ones_with_an_answer_from_each()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host, "en");
        var page = await browser.GetStringAsync("/fleet?sort=name", Cancel);
        using var sent = await browser.PostAsync("/fleet?sort=name", Form(page, ("command", "identify"), ("station", "braga/avenida-central"), ("station", "braga/se")), Cancel);
        Assert.Equal(HttpStatusCode.Redirect, sent.StatusCode);
        var address = sent.Headers.Location!.OriginalString;
        Assert.StartsWith("/fleet?sort=name&told=", address, StringComparison.Ordinal);
        var told = Html.Read(await browser.GetStringAsync(address.Split('#')[0], Cancel));
        Assert.Empty(told.Faults);
        Assert.Contains("Identify: done", told.Text, StringComparison.Ordinal);
        Assert.Contains("is not connected; nothing was sent", told.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_for_several_or_not_theirs_is_not_sent_to_any()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var page = await browser.GetStringAsync("/fleet", Cancel);
        foreach (var (command, station, status) in new[]
        {
            ("restart", "braga/avenida-central", HttpStatusCode.BadRequest), ("rotate-credentials", "braga/avenida-central", HttpStatusCode.BadRequest), ("identify", "", HttpStatusCode.BadRequest),
            ("identify", "evora/giraldo", HttpStatusCode.NotFound), ("identify", "braga/nowhere", HttpStatusCode.NotFound), ("identify", "nonsense", HttpStatusCode.NotFound),
        })
        {
            (string, string)[] fields = [("command", command), .. station.Length == 0 ? [] : new[] { ("station", station), ("station", "braga/avenida-central") }];
            using var answer = await browser.PostAsync("/fleet", Form(page, fields), Cancel);
            Assert.Equal((command, station, status), (command, station, answer.StatusCode));
        }

        Assert.DoesNotContain((await host.Fleet.LinesAsync(Cancel)).Values, line => line.LastCommand is not null);
    }

    [Fact]
    public async Task For_anybody_else_there_is_no_such_page_and_no_form_of_it_works()
    {
        await using var host = await StartAsync();
        using var stranger = host.Browser();
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync("/fleet", Cancel)).StatusCode);
        using var answer = await stranger.PostAsync("/fleet", Form(await stranger.GetStringAsync("/login", Cancel), ("command", "identify"), ("station", "braga/avenida-central")), Cancel);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.DoesNotContain("href=\"/fleet\"", await stranger.GetStringAsync("/", Cancel), StringComparison.Ordinal);
    }

    private static async Task<PortalHost> StartAsync()
    {
        var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        await FleetScene.FillAsync(host);
        return host;
    }

    private static async Task<HttpClient> SignedInAsync(PortalHost host, string language = "pt-PT")
    {
        var browser = host.Browser(language);
        using var answer = await browser.PostAsync("/login", Form(await browser.GetStringAsync("/login", Cancel), ("name", "braga"), ("password", "right"), ("back", "/")), Cancel);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return browser;
    }

    private static FormUrlEncodedContent Form(string page, params (string Name, string Value)[] fields) =>
        new([.. fields.Select(f => KeyValuePair.Create(f.Name, f.Value)), new("__RequestVerificationToken", Html.Read(page).Tags.First(tag => tag["name"] == "__RequestVerificationToken")["value"]!)]);
}
