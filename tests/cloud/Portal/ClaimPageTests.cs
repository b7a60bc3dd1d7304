using System.Net;
using Hub.Cloud.Fleet;
using Hub.Cloud.Portal.Pages.Fleet;
using Hub.Cloud.Portal.Tests.World;
using Hub.Cloud.Series;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>From nothing to a station that reports: a new station, its code, the label, the page a phone opens. By forms alone.</summary>
public sealed class ClaimPageTests
{
    private const string Page = "/stations/braga/avenida-central/claim";

    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_code_is_shown_once_with_what_to_do_and_the_page_follows_it_until_values_arrive()
    {
        var clock = new FakeTimeProvider(new(Noon));
        await using var host = await StartAsync(clock);
        using var browser = await SignedInAsync(host, "en");
        var station = host.City.Datastream("braga", "avenida-central", City.Pm10).Station;
        Assert.Contains("There is no code to be used.", await browser.GetStringAsync(Page, Cancel), StringComparison.Ordinal);
        using var made = await browser.PostAsync(Page, Form(await browser.GetStringAsync(Page, Cancel), ("act", "make"), ("profile", "air-basic")), Cancel);
        var html = Html.Read(await made.Content.ReadAsStringAsync(Cancel));
        Assert.Empty(html.Faults);
        Assert.True(made.Headers.CacheControl!.NoStore);
        Assert.Equal("https://hub.example.pt/install#7K3M-Q9XT-2HWB", html.Tags.Single(tag => tag.Name == "hub-qr")["data-text"]);
        foreach (var text in new[] { "hub=https://hub.example.pt", "hub-agent claim --hub https://hub.example.pt --code <span data-code>7K3M-Q9XT-2HWB", "Waiting for the agent.", "good for 7 d more", "air-basic" })
        {
            Assert.Contains(text, html.Text, StringComparison.Ordinal);
        }

        clock.Advance(TimeSpan.FromHours(25));
        var later = await browser.GetStringAsync(Page, Cancel);
        Assert.DoesNotContain("7K3M", later, StringComparison.Ordinal);
        Assert.Contains("good for 5 d 23 h more", later, StringComparison.Ordinal);

        var used = Noon.AddHours(25);
        host.Fleet.Claim(station.Id, used);
        Assert.Contains("It has yet to connect.", await browser.GetStringAsync(Page, Cancel), StringComparison.Ordinal);
        host.Fleet.Agents[station.Id] = host.Fleet.Example with { StatusAt = used.AddSeconds(20) };
        Assert.Contains("The first values have yet to come.", await browser.GetStringAsync(Page, Cancel), StringComparison.Ordinal);
        await host.City.Series.AppendAsync(new[] { new Observation(host.City.Datastream("braga", "avenida-central", City.Pm10).Id, used.AddMinutes(1), 12, default) }, Cancel);
        var done = Html.Read(await browser.GetStringAsync(Page, Cancel));
        Assert.Contains("The station is reporting.", done.Text, StringComparison.Ordinal);
        Assert.Contains("Raspberry Pi 5", done.Text, StringComparison.Ordinal);
        Assert.Equal("false", done.Tags.Single(tag => tag["id"] == "claim-state")["data-follow"]);
    }

    [Fact]
    public async Task A_code_is_taken_back_and_a_wrong_profile_makes_none()
    {
        await using var host = await StartAsync(new FakeTimeProvider(new(Noon)));
        using var browser = await SignedInAsync(host);
        var page = await browser.GetStringAsync(Page, Cancel);
        using var wrong = await browser.PostAsync(Page, Form(page, ("act", "make"), ("profile", "air basic")), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        var text = await wrong.Content.ReadAsStringAsync(Cancel);
        Assert.Empty(Html.Read(text).Faults);
        Assert.Contains("O nome do perfil não serve.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("7K3M", text, StringComparison.Ordinal);
        await browser.PostAsync(Page, Form(page, ("act", "make")), Cancel);
        using var revoked = await browser.PostAsync(Page, Form(page, ("act", "revoke")), Cancel);
        Assert.Equal((HttpStatusCode.Redirect, Page), (revoked.StatusCode, revoked.Headers.Location!.OriginalString));
        Assert.Contains("Não há código por usar.", await browser.GetStringAsync(Page, Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_station_is_made_and_goes_on_to_its_code()
    {
        await using var host = await StartAsync(new FakeTimeProvider(new(Noon)));
        using var browser = await SignedInAsync(host);
        var page = await browser.GetStringAsync("/fleet/new", Cancel);
        Assert.Empty(Html.Read(page).Faults);
        using var made = await browser.PostAsync("/fleet/new", Form(page, ("municipality", "braga"), ("name", "Praça da República"), ("slug", ""), ("latitude", "41,5518"), ("longitude", "-8.4220")), Cancel);
        Assert.Equal((HttpStatusCode.Redirect, "/stations/braga/praca-da-republica/claim"), (made.StatusCode, made.Headers.Location!.OriginalString));
        Assert.True(host.City.Stations.TryGet("braga", "praca-da-republica", out var station));
        Assert.Equal((41.5518, -8.4220, false, "Praça da República"), (station.Latitude, station.Longitude, station.Public, station.Name));
        Assert.Equal(("station-registered", "station praca-da-republica"), host.Audit.Notes.Select(note => (note.Action, note.Subject)).Single());

        foreach (var (fields, texts) in new ((string, string)[], string[])[]
        {
            ([("name", ""), ("latitude", "north"), ("longitude", "181")], ["Escreva um nome", "A latitude é um número", "A longitude é um número"]),
            ([("name", "Sé"), ("latitude", "41.5 -8.4")], ["Já há uma estação com este nome curto."]),
            ([("name", "Sé nova"), ("slug", "Sé!"), ("latitude", "41.5, -8.4")], ["O nome curto tem 1 a 64"]),
        })
        {
            using var refused = await browser.PostAsync("/fleet/new", Form(page, [("municipality", "braga"), ("visible", "true"), .. fields]), Cancel);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            var html = Html.Read(await refused.Content.ReadAsStringAsync(Cancel));
            Assert.Empty(html.Faults);
            Assert.All(texts, text => Assert.Contains(text, html.Text, StringComparison.Ordinal));
            Assert.Contains(html.Tags, tag => tag["aria-invalid"] == "true");
        }

        Assert.Single(host.Audit.Notes);
    }

    [Fact]
    public async Task For_anybody_else_there_are_no_such_pages_but_the_one_for_the_installer()
    {
        await using var host = await StartAsync(new FakeTimeProvider(new(Noon)));
        using var stranger = host.Browser();
        using var browser = await SignedInAsync(host);
        var token = await stranger.GetStringAsync("/login", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync(Page, Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync("/fleet/new", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.PostAsync(Page, Form(token, ("act", "make")), Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/stations/evora/giraldo/claim", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/fleet/new?municipality=evora", Cancel)).StatusCode);
        using var theirs = await browser.PostAsync("/fleet/new", Form(await browser.GetStringAsync("/fleet/new", Cancel), ("municipality", "evora"), ("name", "x"), ("latitude", "1"), ("longitude", "1")), Cancel);
        Assert.Equal(HttpStatusCode.NotFound, theirs.StatusCode);
        using var install = await stranger.GetAsync("/install", Cancel);
        Assert.True(install.Headers.CacheControl!.NoStore);
        var html = Html.Read(await install.Content.ReadAsStringAsync(Cancel));
        Assert.Empty(html.Faults);
        Assert.Contains("hub=https://hub.example.pt", html.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Avenida João XXI (Rodovia)", "avenida-joao-xxi-rodovia")]
    [InlineData("  Sé  ", "se")]
    [InlineData("-- 2.º --", "2")]
    [InlineData("東京", "")]
    public void A_slug_is_made_of_a_name(string name, string slug) => Assert.Equal(slug, NewModel.SlugOf(name));

    [Theory]
    [InlineData("41.5518, -8.4220", "", "41.5518", "-8.4220")]
    [InlineData("41,5518 -8,4220", "", "41,5518", "-8,4220")]
    [InlineData("41,5518", "", "41,5518", "")]
    [InlineData("41.5, 2", "-8", "41.5, 2", "-8")]
    public void Both_coordinates_may_be_pasted_at_once(string latitude, string longitude, string north, string east) =>
        Assert.Equal((north, east), NewModel.Split(latitude, longitude));

    [Fact]
    public void A_code_that_is_over_is_none_and_values_from_before_the_claim_do_not_count()
    {
        var agent = new AgentView(Presence.Online, null, Noon.AddMinutes(-9), null, null);
        var state = new ClaimState(null, "ana", Noon.AddDays(-7), Noon, null, null);
        Assert.Equal(ClaimProgress.None, ClaimModel.ProgressOf(null, agent, Noon, Noon));
        Assert.Equal(ClaimProgress.None, ClaimModel.ProgressOf(state, agent, Noon, Noon));
        Assert.Equal(ClaimProgress.Waiting, ClaimModel.ProgressOf(state, agent, Noon, Noon.AddTicks(-1)));
        var used = state with { UsedAt = Noon.AddMinutes(-5) };
        Assert.Equal(ClaimProgress.Claimed, ClaimModel.ProgressOf(used, agent, Noon.AddMinutes(-6), Noon));
        Assert.Equal(ClaimProgress.Connected, ClaimModel.ProgressOf(used, agent with { StatusAt = Noon }, null, Noon));
        Assert.Equal(ClaimProgress.Reporting, ClaimModel.ProgressOf(used, agent, Noon.AddMinutes(-5), Noon));
    }

    private static Task<PortalHost> StartAsync(TimeProvider clock) => PortalHost.StartAsync(new(Noon), clock, settings: values => values["Hub:PublicUrl"] = "https://hub.example.pt/");

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
