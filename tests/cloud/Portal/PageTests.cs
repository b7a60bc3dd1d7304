using System.Net;
using System.Security.Claims;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

public sealed class PageTests : IAsyncLifetime
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private readonly FakeTimeProvider clock = new(new(Noon));
    private PortalHost host = null!;

    public static TheoryData<string, string> Pages()
    {
        TheoryData<string, string> all = [];
        foreach (var page in new[]
        {
            "/", "/m/braga", "/m/evora?quantity=laeq", "/stations/braga/avenida-central", "/stations/evora/aqueduto", "/alarms", "/alarms?municipality=evora", "/login", "/logout", "/about",
        })
        {
            all.Add(page, "pt");
            all.Add(page, "en");
        }

        return all;
    }

    public async ValueTask InitializeAsync() => host = await PortalHost.StartAsync(new(Noon), clock);

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Each_page_is_well_made_in_both_languages(string page, string language)
    {
        using var browser = host.Browser();
        using var answer = await browser.GetAsync(page + (page.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "lang=" + language, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var html = Html.Read(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Empty(html.Faults);
        Assert.Equal(language == "pt" ? "pt-PT" : "en-GB", html.Tags.First(tag => tag.Name == "html")["lang"]);
        Assert.Equal(language == "pt" ? "pt-PT" : "en-GB", Assert.Single(answer.Content.Headers.ContentLanguage));
        foreach (var tag in html.Tags)
        {
            foreach (var attribute in new[] { "href", "src", "action" })
            {
                if (tag[attribute] is { } address && address.Contains("//", StringComparison.Ordinal))
                {
                    // People may follow a licence; the page itself fetches nothing outside.
                    Assert.Equal("a", tag.Name);
                    Assert.True(address is "https://www.openstreetmap.org/copyright" or "https://creativecommons.org/licenses/by/4.0/", address);
                }
            }

            if (tag.Name == "script")
            {
                Assert.True(tag["src"] is not null || tag["type"] == "application/json", "An inline script would be refused by the content policy.");
            }
        }
    }

    [Fact]
    public async Task Pages_carry_the_security_headers()
    {
        using var browser = host.Browser();
        foreach (var page in new[] { "/", "/login", "/nothing-here" })
        {
            using var answer = await browser.GetAsync(page, Cancel);
            var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.Contains("script-src 'self'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("same-origin", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
        }
    }

    [Fact]
    public async Task Numbers_are_written_as_the_language_writes_them()
    {
        var value = Latest("braga", "ponte", City.No2);
        Assert.Contains($">{value.ToString("F1", System.Globalization.CultureInfo.InvariantCulture).Replace('.', ',')}<", await Get("/m/braga?lang=pt"), StringComparison.Ordinal);
        Assert.Contains($">{value.ToString("F1", System.Globalization.CultureInfo.InvariantCulture)}<", await Get("/m/braga?lang=en"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_language_is_remembered_and_the_browser_is_asked_first()
    {
        using var english = host.Browser("en-US,en;q=0.9,pt;q=0.5");
        Assert.Contains("<html lang=\"en-GB\"", await Text(english, "/"), StringComparison.Ordinal);
        await Text(english, "/?lang=pt");
        Assert.Contains("<html lang=\"pt-PT\"", await Text(english, "/about"), StringComparison.Ordinal);
        using var other = host.Browser("de");
        Assert.Contains("<html lang=\"pt-PT\"", await Text(other, "/"), StringComparison.Ordinal);
        Assert.Contains("<html lang=\"pt-PT\"", await Text(other, "/?lang=xx"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_theme_is_remembered()
    {
        using var browser = host.Browser();
        Assert.Contains("data-theme=\"auto\"", await Text(browser, "/"), StringComparison.Ordinal);
        Assert.Contains("data-theme=\"dark\"", await Text(browser, "/about?theme=dark"), StringComparison.Ordinal);
        Assert.Contains("data-theme=\"dark\"", await Text(browser, "/"), StringComparison.Ordinal);
        Assert.Contains("data-theme=\"auto\"", await Text(browser, "/?theme=%22%3E%3Cscript"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stale_value_is_marked_and_a_fresh_one_is_not()
    {
        var html = Html.Read(await Get("/m/braga"));
        HtmlTag Row(string station, Hub.Edge.Contract.Quantities.Quantity quantity) => html.Tags.First(tag =>
            tag.Name == "tr" && tag["data-datastream"] == host.City.Datastream("braga", station, quantity).Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Contains("is-stale", Row("ponte", City.Pm25)["class"], StringComparison.Ordinal);
        Assert.DoesNotContain("is-stale", Row("avenida-central", City.Pm25)["class"], StringComparison.Ordinal);
        HtmlTag Card(string station) => html.Tags.First(tag => tag["data-station"] == "braga/" + station);
        Assert.Equal("stale", Card("ponte")["data-status"]);
        Assert.Equal("alarm", Card("avenida-central")["data-status"]);
        Assert.Equal("fresh", Card("se")["data-status"]);

        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal("stale", Html.Read(await Get("/m/braga")).Tags.First(tag => tag["data-station"] == "braga/se")["data-status"]);
    }

    [Fact]
    public async Task Strangers_do_not_learn_of_private_stations()
    {
        using var browser = host.Browser();
        using var answer = await browser.GetAsync("/stations/braga/oficina", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        using var missing = await browser.GetAsync("/stations/braga/nothing", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        foreach (var page in new[] { "/", "/m/braga", "/alarms", "/alarms?municipality=braga", "/about", "/stations/braga/se" })
        {
            Assert.DoesNotContain("oficina", await Text(browser, page), StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task People_of_the_municipality_see_its_private_stations_until_they_sign_out()
    {
        using var browser = host.Browser();
        using var refused = await SignIn(browser, "braga", "wrong");
        Assert.Equal(HttpStatusCode.OK, refused.StatusCode);
        var again = Html.Read(await refused.Content.ReadAsStringAsync(Cancel));
        Assert.Empty(again.Faults);
        Assert.Contains(again.Tags, tag => tag["role"] == "alert" && tag["id"] == "problem");
        Assert.DoesNotContain("wrong", again.Text, StringComparison.Ordinal);

        using var accepted = await SignIn(browser, "braga", "right", "/stations/braga/oficina");
        Assert.Equal(HttpStatusCode.Redirect, accepted.StatusCode);
        Assert.Equal("/stations/braga/oficina", accepted.Headers.Location?.OriginalString);
        Assert.Contains("Oficina municipal", await Text(browser, "/stations/braga/oficina"), StringComparison.Ordinal);
        Assert.Contains("Oficina municipal", await Text(browser, "/alarms"), StringComparison.Ordinal);

        var form = await Text(browser, "/logout");
        using var left = await browser.PostAsync("/logout", Form(form), Cancel);
        Assert.Equal(HttpStatusCode.Redirect, left.StatusCode);
        using var gone = await browser.GetAsync("/stations/braga/oficina", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Theory]
    [InlineData("viewer@braga", true)]
    [InlineData("Viewer@braga", true)]
    [InlineData("Administrator@*", true)]
    [InlineData("Administrator@aveiro", false)]
    [InlineData("nonsense", false)]
    public void Roles_open_the_private_stations_of_their_municipality_only(string claim, bool sees)
    {
        ClaimsPrincipal person = new(new ClaimsIdentity([new Claim(Rights.ClaimType, claim)], "test"));
        // The name of a role is written as in the enumeration.
        Assert.Equal(sees && char.IsUpper(claim[0]), person.MaySee(host.City.Private));
        Assert.True(person.MaySee(host.City.Stations.All[0]));
        Assert.False(new ClaimsPrincipal(new ClaimsIdentity()).MaySee(host.City.Private));
    }

    [Theory]
    [InlineData("https://elsewhere.example/")]
    [InlineData("//elsewhere.example/")]
    [InlineData("/\\elsewhere.example")]
    [InlineData("javascript:alert(1)")]
    public async Task Signing_in_never_leads_away_from_the_hub(string back)
    {
        using var browser = host.Browser();
        using var answer = await SignIn(browser, "braga", "right", back);
        Assert.Equal("/", answer.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task Signing_in_needs_the_form_and_words_when_busy_or_empty()
    {
        using var browser = host.Browser();
        using var forged = await browser.PostAsync("/login", new FormUrlEncodedContent([new("name", "braga"), new("password", "right")]), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, forged.StatusCode);
        using var busy = await SignIn(browser, "busy", "right");
        Assert.Contains("Há muitas tentativas", await busy.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        using var empty = await SignIn(browser, "", "");
        Assert.Contains("Escreva o nome", await empty.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hub_without_accounts_says_so()
    {
        await using var bare = await PortalHost.StartAsync(new(Noon), clock, withSignIn: false);
        using var browser = bare.Browser();
        var page = Html.Read(await Text(browser, "/login"));
        Assert.Empty(page.Faults);
        Assert.DoesNotContain(page.Tags, tag => tag.Name == "form");
        Assert.DoesNotContain(Html.Read(await Text(browser, "/")).Tags, tag => tag["href"] == "/login");
    }

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/m/atlantis")]
    [InlineData("/alarms?municipality=atlantis")]
    [InlineData("/stations/braga")]
    [InlineData("/error")]
    [InlineData("/apiary")]
    public async Task What_does_not_exist_gets_a_page_that_helps(string path)
    {
        using var browser = host.Browser();
        using var answer = await browser.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        var page = Html.Read(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Empty(page.Faults);
        Assert.Contains(page.Tags, tag => tag.Name == "a" && tag["class"] == "button" && tag["href"] == "/");
    }

    [Theory]
    [InlineData("/api/v1/nothing")]
    [InlineData("/ingest/v1/braga/x")]
    [InlineData("/health/live")]
    public async Task Programs_are_not_answered_with_pages(string path)
    {
        using var browser = host.Browser();
        using var answer = await browser.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Fact]
    public async Task A_failure_gets_a_page_without_its_insides()
    {
        host.City.Stations.Broken = true;
        using var browser = host.Browser();
        using var answer = await browser.GetAsync("/", Cancel);
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        var page = Html.Read(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Empty(page.Faults);
        Assert.DoesNotContain("database", page.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        host.City.Stations.Broken = false;
        Assert.Contains("<h1>A cidade agora</h1>", await Text(browser, "/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hostile_names_stay_text()
    {
        const string evil = "</script><img src=x onerror=alert(1)>\"'&";
        var station = host.City.Stations.Add(new(0, "braga", "evil", evil, 41.55, -8.42, Public: true, evil));
        host.City.Stations.Add(station, "x", City.Pm25 with { NamePt = evil, NameEn = evil }, TimeSpan.FromMinutes(1));
        foreach (var path in new[] { "/", "/m/braga", "/stations/braga/evil", "/about" })
        {
            var page = Html.Read(await Get(path));
            Assert.Empty(page.Faults);
            Assert.DoesNotContain(page.Tags, tag => tag.Name == "img");
        }
    }

    [Fact]
    public async Task An_empty_hub_says_what_comes_next()
    {
        await using var empty = await PortalHost.StartAsync(new(Noon) { Empty = true }, clock);
        using var browser = empty.Browser();
        foreach (var path in new[] { "/", "/alarms", "/about" })
        {
            Assert.Empty(Html.Read(await Text(browser, path)).Faults);
        }

        Assert.Contains("Ainda não há estações", await Text(browser, "/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replays_say_whose_data_they_are()
    {
        foreach (var path in new[] { "/", "/about", "/stations/braga/avenida-central" })
        {
            var page = Html.Read(await Get(path)).Text;
            Assert.Contains("Reprodução", page, StringComparison.Ordinal);
            Assert.Contains(City.ZurichSource, page, StringComparison.Ordinal);
            Assert.DoesNotContain("Replay", page, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("station-source", await Get("/stations/braga/se"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_is_no_replay_is_named_and_not_called_one()
    {
        var page = Html.Read(await Get("/stations/braga/ponte")).Text;
        Assert.Contains(City.Neighbours, page, StringComparison.Ordinal);
        Assert.DoesNotContain("Reprodução", page, StringComparison.Ordinal);
        Assert.Contains(City.Neighbours, Html.Read(await Get("/about")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain(City.Neighbours, await Get("/m/braga"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_table_keeps_its_limit_and_says_so()
    {
        await using var small = await PortalHost.StartAsync(new(Noon), clock, settings: values => values["Hub:Portal:LatestMax"] = "10");
        using var browser = small.Browser();
        var page = Html.Read(await Text(browser, "/"));
        Assert.Equal(10, page.Tags.Count(tag => tag.Name == "tr" && tag["data-datastream"] is not null));
        Assert.Contains("Aparecem os primeiros 10 de", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_station_with_many_quantities_does_not_fill_the_city_page()
    {
        Assert.True(host.City.Stations.TryGet("braga", "avenida-central", out var station));
        foreach (var quantity in Hub.Edge.Contract.Quantities.QuantityCatalogue.All.Where(one => one.Id is "so2" or "co" or "wind_speed" or "rain" or "uptime"))
        {
            host.City.Stations.Add(station, "more", quantity, TimeSpan.FromMinutes(30));
        }

        var page = Html.Read(await Get("/m/braga"));
        // Five quantities and four more, the computer's own time not counted: six are shown, three are behind the link.
        Assert.Contains("mais 3 medições na página da estação", page.Text, StringComparison.Ordinal);
        Assert.Equal(6, page.Tags.Count(tag => tag.Name == "a" && tag["href"]?.StartsWith("/stations/braga/avenida-central#ds-", StringComparison.Ordinal) == true));
        Assert.DoesNotContain("mais 3 medições", Html.Read(await Get("/m/braga?quantity=so2")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_computer_that_reports_its_own_state_does_not_make_a_station_report()
    {
        Assert.True(host.City.Stations.TryGet("evora", "aqueduto", out var station));
        var battery = host.City.Stations.DatastreamsOf(station.Id).Single(one => one.Quantity.Id == "battery");
        await host.City.Series.AppendAsync(new Hub.Cloud.Series.Observation[] { new(battery.Id, Noon.AddMinutes(-1), 3.9, default) }, TestContext.Current.CancellationToken);
        var page = Html.Read(await Get("/stations/evora/aqueduto"));
        Assert.Equal("silent", page.Tags.First(tag => tag["data-station"] == "evora/aqueduto")["data-status"]);
    }

    [Fact]
    public async Task Dozens_of_ended_alarms_are_folded()
    {
        var ended = host.City.Alerts.All.Single(alarm => alarm.Id == "a3");
        host.City.Alerts.All.AddRange(Enumerable.Range(0, 40).Select(number => ended with { Id = "n" + number }));
        var page = await Get("/alarms");
        Assert.Contains("Mostrar mais 23 alarmes", page, StringComparison.Ordinal);
        Assert.Empty(Html.Read(page).Faults);
    }

    [Fact]
    public async Task Alarms_show_what_is_open_past_and_withdrawn()
    {
        var page = Html.Read(await Get("/alarms"));
        string?[] states = [.. page.Tags.Where(tag => tag.Name == "li" && tag["class"] == "alarm").Select(tag => tag["data-state"])];
        Assert.Equal(["open", "open", "ended", "past", "withdrawn"], states);
        Assert.Contains("≥ 25 µg/m³", page.Text, StringComparison.Ordinal);
        Assert.Contains("Anulado", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_alarm_counts_from_when_its_condition_began_as_its_mail_does()
    {
        // It had held for ten minutes when it became an alarm, and for 1 h 12 min after that.
        var page = Html.Read(await Get("/alarms?municipality=aveiro"));
        Assert.Contains("1 h 22 min", page.Text, StringComparison.Ordinal);
        Assert.Contains(page.Tags, tag => tag.Name == "time" && tag["datetime"] == Iso(Noon.AddHours(-9).AddMinutes(-10)));
    }

    [Fact]
    public async Task A_table_that_scrolls_can_be_reached_by_keyboard_and_has_a_name()
    {
        foreach (var path in new[] { "/", "/stations/braga/avenida-central" })
        {
            var frames = Html.Read(await Get(path)).Tags.Where(tag => tag["class"] == "table-frame").ToArray();
            Assert.NotEmpty(frames);
            Assert.All(frames, frame => Assert.True(frame["tabindex"] == "0" && frame["role"] == "region" && (frame["aria-labelledby"] ?? frame["aria-label"]) is { Length: > 0 }));
        }
    }

    private static string Iso(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private double Latest(string municipality, string station, Hub.Edge.Contract.Quantities.Quantity quantity) =>
        host.City.Series.TryGetLatest(host.City.Datastream(municipality, station, quantity).Id, out var latest) ? latest.Result : throw new KeyNotFoundException();

    private async Task<string> Get(string path)
    {
        using var browser = host.Browser();
        return await Text(browser, path);
    }

    private static async Task<string> Text(HttpClient browser, string path)
    {
        using var answer = await browser.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Cancel);
    }

    internal static async Task<HttpResponseMessage> SignIn(HttpClient browser, string name, string password, string? back = null)
    {
        var form = await Text(browser, "/login");
        return await browser.PostAsync("/login", Form(form, new("name", name), new("password", password), new("back", back ?? "/")), Cancel);
    }

    private static FormUrlEncodedContent Form(string page, params KeyValuePair<string, string>[] fields)
    {
        var token = Html.Read(page).Tags.First(tag => tag["name"] == "__RequestVerificationToken")["value"]!;
        return new([.. fields, new("__RequestVerificationToken", token)]);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
