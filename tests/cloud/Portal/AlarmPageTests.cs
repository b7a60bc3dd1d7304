using System.Net;
using Hub.Cloud.Alerts;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>What operators do with alarms on the pages, by forms alone, and what anybody else sees of it.</summary>
public sealed class AlarmPageTests
{
    private const string Page = "/alarms/a1";

    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_acknowledges_comments_assigns_shelves_and_takes_it_back()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var page = await browser.GetStringAsync(Page, Cancel);
        Assert.Empty(Html.Read(page).Faults);
        Assert.Contains("Ativo, por reconhecer", page, StringComparison.Ordinal);
        foreach (var (handler, fields) in new (string, (string, string)[])[]
        {
            ("Acknowledge", [("comment", "vou ver")]), ("Acknowledge", []), ("Comment", [("comment", "obras <na> rua")]), ("Assign", [("person", "braga")]), ("Shelve", [("minutes", "120")]),
        })
        {
            using var answer = await browser.PostAsync($"{Page}?handler={handler}", Form(page, fields), Cancel);
            Assert.Equal((HttpStatusCode.Redirect, Page), (answer.StatusCode, answer.Headers.Location?.ToString()));
        }

        page = await browser.GetStringAsync(Page, Cancel);
        var html = Html.Read(page);
        Assert.Empty(html.Faults);
        foreach (var text in new[] { "Ativo, reconhecido", "vou ver", "obras &lt;na&gt; rua", "A cargo de braga", "Silenciado até 23/11, 14:00", "Comunicado aos subscritores: começou", "Deixar de silenciar" })
        {
            Assert.Contains(text, page, StringComparison.Ordinal);
        }

        Assert.Contains(html.Tags, tag => tag["href"] == $"/stations/braga/avenida-central#ds-{host.City.Datastream("braga", "avenida-central", City.Pm25).Id}");
        using var undone = await browser.PostAsync($"{Page}?handler=Unshelve", Form(page, ("back", "/alarms?municipality=braga")), Cancel);
        Assert.Equal("/alarms?municipality=braga", undone.Headers.Location?.ToString());
        using var elsewhere = await browser.PostAsync($"{Page}?handler=Comment", Form(page, ("comment", "x"), ("back", "https://example.org/")), Cancel);
        Assert.Equal(Page, elsewhere.Headers.Location?.ToString());
        Assert.Equal(
            ["alarm-acknowledged", "alarm-commented", "alarm-assigned", "alarm-shelved", "alarm-unshelved", "alarm-commented"], host.Audit.Notes.Select(note => note.Action));
        Assert.All(host.Audit.Notes, note => Assert.Equal(("braga", "braga", "alarm a1"), (note.By, note.Municipality, note.Subject)));
    }

    [Theory]
    [InlineData("Comment", "comment", " ", "The comment is empty")]
    [InlineData("Shelve", "minutes", "10000", "at most 3.00:00:00")]
    [InlineData("Assign", "person", "nobody@example.org", "is no operator of braga")]
    public async Task What_cannot_be_is_shown_with_the_reason_and_is_not_on_record(string handler, string field, string value, string reason)
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        using var answer = await browser.PostAsync($"{Page}?handler={handler}", Form(await browser.GetStringAsync(Page, Cancel), (field, value)), Cancel);
        var page = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.Contains("Não foi feito.", page, StringComparison.Ordinal);
        Assert.Contains(reason, page, StringComparison.Ordinal);
        Assert.Empty(Html.Read(page).Faults);
        Assert.Empty(host.Audit.Notes);
    }

    [Fact]
    public async Task Anybody_sees_the_state_but_neither_names_nor_comments_nor_forms()
    {
        await using var host = await StartAsync();
        await host.Handling.AcknowledgeAsync("a1", new HandledBy("filomena"), "segredo", Cancel);
        await host.Handling.AssignAsync("a1", new HandledBy("filomena"), "zulmira", null, Cancel);
        await host.Handling.ShelveAsync("braga", "pm25-alto", "avenida-central", Noon.AddHours(1), new HandledBy("filomena"), "segredo", Cancel);
        using var stranger = host.Browser("en");
        foreach (var path in new[] { Page, "/alarms", "/stations/braga/avenida-central" })
        {
            var page = await stranger.GetStringAsync(path, Cancel);
            Assert.Empty(Html.Read(page).Faults);
            Assert.Contains("Active, acknowledged", page, StringComparison.Ordinal);
            Assert.Contains("Shelved until 23 Nov, 13:00", page, StringComparison.Ordinal);
            Assert.DoesNotContain("segredo", page, StringComparison.Ordinal);
            Assert.DoesNotContain("filomena", page, StringComparison.Ordinal);
            Assert.DoesNotContain("zulmira", page, StringComparison.Ordinal);
            Assert.DoesNotContain("method=\"post\"", page, StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync("/alarms/a6", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync("/alarms/none", Cancel)).StatusCode);
        var login = await stranger.GetStringAsync("/login", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.PostAsync(Page + "?handler=Acknowledge", Form(login), Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.PostAsync("/alarms?handler=OutOfService", Form(login, ("municipality", "braga"), ("station", "se")), Cancel)).StatusCode);

        // An operator of another municipality is a stranger here.
        using var browser = await SignedInAsync(host);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.PostAsync("/alarms/a2?handler=Acknowledge", Form(await browser.GetStringAsync("/alarms", Cancel)), Cancel)).StatusCode);
        using var plain = new FormUrlEncodedContent([]);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.PostAsync(Page + "?handler=Acknowledge", plain, Cancel)).StatusCode);
        Assert.Empty(host.Audit.Notes);
    }

    [Fact]
    public async Task The_list_has_the_acts_for_the_operators_own_alarms_and_comes_back_to_itself()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var html = Html.Read(await browser.GetStringAsync("/alarms?municipality=braga", Cancel));
        Assert.Empty(html.Faults);
        Assert.Equal(
            ["/alarms/a1?handler=Acknowledge", "/alarms/a1?handler=Shelve", "/alarms/a6?handler=Acknowledge", "/alarms/a6?handler=Shelve"],
            html.Tags.Where(tag => tag.Name == "form" && tag["method"] == "post").Select(tag => tag["action"]).Order());
        Assert.All(html.Tags.Where(tag => tag["name"] == "back"), tag => Assert.Equal("/alarms?municipality=braga", tag["value"]));
        Assert.Equal(4, html.Tags.Count(tag => tag["name"] == "__RequestVerificationToken"));

        // None for those of others.
        Assert.DoesNotContain("/alarms/a2?handler", await browser.GetStringAsync("/alarms", Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_station_is_taken_out_of_service_seen_so_and_returned()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        const string Station = "/stations/braga/avenida-central";
        var page = await browser.GetStringAsync(Station, Cancel);
        using (var answer = await browser.PostAsync("/alarms?handler=OutOfService", Form(page, ("municipality", "braga"), ("station", "avenida-central"), ("back", Station)), Cancel))
        {
            Assert.Equal(Station, answer.Headers.Location?.ToString());
        }

        page = await browser.GetStringAsync(Station, Cancel);
        Assert.Contains("Estação fora de serviço", page, StringComparison.Ordinal);
        Assert.Contains("Devolver ao serviço", page, StringComparison.Ordinal);
        var list = await browser.GetStringAsync("/alarms", Cancel);
        Assert.Contains("Silenciados e fora de serviço", list, StringComparison.Ordinal);
        Assert.Empty(Html.Read(list).Faults);
        using (var answer = await browser.PostAsync("/alarms?handler=Return", Form(list, ("municipality", "braga"), ("station", "avenida-central"), ("rule", ""), ("back", "/alarms")), Cancel))
        {
            Assert.Equal("/alarms", answer.Headers.Location?.ToString());
        }

        Assert.DoesNotContain("Silenciados e fora de serviço", await browser.GetStringAsync("/alarms", Cancel), StringComparison.Ordinal);
        Assert.Equal(["taken-out-of-service", "returned-to-service"], host.Audit.Notes.Select(note => note.Action));
    }

    [Theory]
    [InlineData("state=active-unacknowledged", "a1 a2")]
    [InlineData("state=active-acknowledged", "")]
    [InlineData("state=silent", "a2 a5")]
    [InlineData("state=normal", "a4 a5")]
    [InlineData("state=returned-unacknowledged", "a3")]
    [InlineData("severity=alert&state=normal", "a5")]
    [InlineData("station=braga/avenida-central", "a1")]
    [InlineData("rule=braga/pm25-alto&state=active-unacknowledged", "a1")]
    [InlineData("municipality=evora&state=normal", "a5")]
    [InlineData("from=2026-11-23&to=2026-11-23", "a1 a2 a3")]
    [InlineData("rule=braga/nothing", "")]
    public async Task The_address_says_which_alarms_are_shown(string query, string found)
    {
        await using var host = await StartAsync();
        await host.Handling.ShelveAsync(
            host.City.Alerts.All.Single(alarm => alarm.Id == "a2").Municipality, host.City.Alerts.All.Single(alarm => alarm.Id == "a2").Rule, host.City.Alerts.All.Single(alarm => alarm.Id == "a2").Station,
            Noon.AddHours(1), new HandledBy("x"), null, Cancel);
        using var stranger = host.Browser();
        var html = Html.Read(await stranger.GetStringAsync("/alarms?" + query, Cancel));
        Assert.Empty(html.Faults);
        Assert.Equal(found, string.Join(' ', html.Tags.Select(tag => tag["href"]).Where(one => one?.StartsWith("/alarms/a", StringComparison.Ordinal) == true).Select(one => one!["/alarms/".Length..]).Distinct().Order()));
        Assert.Equal(found.Length == 0, html.Text.Contains("Nenhum alarme corresponde ao filtro", StringComparison.Ordinal));

        // The form shows what the address says.
        foreach (var part in query.Split('&').Where(one => !one.StartsWith("municipality", StringComparison.Ordinal)))
        {
            var (name, value) = (part.Split('=')[0], part.Split('=')[1]);
            Assert.Contains(html.Tags, tag => name is "from" or "to" ? tag["id"] == name && tag["value"] == value : tag.Name == "option" && tag["value"] == value && tag["selected"] is not null);
        }
    }

    [Fact]
    public async Task A_filter_that_cannot_be_is_said_at_its_field_and_private_alarms_stay_private()
    {
        await using var host = await StartAsync();
        using var stranger = host.Browser("en");
        var html = Html.Read(await stranger.GetStringAsync("/alarms?from=yesterday&to=2026-11-20&state=sleepy", Cancel));
        Assert.Empty(html.Faults);
        Assert.Equal("true", html.Tags.Single(tag => tag["id"] == "from")["aria-invalid"]);
        Assert.Contains(html.Tags, tag => tag["id"] == "problem-from");
        Assert.Equal("true", html.Tags.Single(tag => tag["id"] == "state")["aria-invalid"]);
        Assert.Contains("No alarm matches the filter", await stranger.GetStringAsync("/alarms?station=braga/oficina", Cancel), StringComparison.Ordinal);
        Assert.DoesNotContain(html.Tags, tag => tag.Name == "option" && tag["value"] == "braga/oficina");
    }

    [Fact]
    public async Task The_rule_of_an_alarm_is_a_step_away_for_who_may_change_it()
    {
        await using var host = await StartAsync();
        using var stranger = host.Browser();
        Assert.DoesNotContain("/rules/braga/pm25-alto", await stranger.GetStringAsync(Page, Cancel), StringComparison.Ordinal);
        using var browser = await SignedInAsync(host);
        var html = Html.Read(await browser.GetStringAsync(Page, Cancel));
        Assert.Contains(html.Tags, tag => tag["href"] == "/rules/braga/pm25-alto");
        Assert.Contains(html.Tags, tag => tag["href"] == "/stations/braga/avenida-central");
    }

    [Fact]
    public async Task Programs_find_the_feed_in_the_head_and_people_on_the_page()
    {
        using var folder = new Hub.Tests.Kit.TempFolder();
        await using (var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)), signUpFolder: folder.Path))
        {
            using var stranger = host.Browser("en");
            var html = Html.Read(await stranger.GetStringAsync("/alarms?municipality=braga", Cancel));
            Assert.Empty(html.Faults);
            const string Feed = "/api/v1/municipalities/braga/alarms.atom?language=en";
            Assert.Equal(("application/atom+xml", Feed), (html.Tags.Single(tag => tag["rel"] == "alternate")["type"], html.Tags.Single(tag => tag["rel"] == "alternate")["href"]));
            Assert.Contains(html.Tags, tag => tag.Name == "a" && tag["href"] == Feed);
            Assert.Equal(host.City.Municipalities.All.Count, Html.Read(await stranger.GetStringAsync("/alarms", Cancel)).Tags.Count(tag => tag["rel"] == "alternate"));
        }

        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }

    private static Task<PortalHost> StartAsync() => PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));

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
