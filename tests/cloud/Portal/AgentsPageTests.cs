using System.Net;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The page of the campaigns that bring new agents: for operators, by forms alone.</summary>
public sealed class AgentsPageTests
{
    private const string Page = "/agents";

    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("pt-PT", "Primavera", "Em pausa", "7 de 12 estações chegaram ao fim", "desfeita", "Retomar", "Inverno")]
    [InlineData("en", "Primavera", "Paused", "7 of 12 stations have come to an end", "rolled back", "Resume", "Inverno")]
    public async Task An_operator_sees_their_own_campaigns(string language, params string[] texts)
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host, language);
        var source = await browser.GetStringAsync(Page, Cancel);
        var html = Html.Read(source);
        Assert.Empty(html.Faults);
        Assert.All(texts, text => Assert.Contains(text, html.Text, StringComparison.Ordinal));
        Assert.Contains("started 3 times, and it did not reach the hub", html.Text, StringComparison.Ordinal);
        Assert.Contains("href=\"/stations/braga/avenida-central/agent\"", source, StringComparison.Ordinal);

        // Neither another municipality's nor the whole hub's.
        Assert.DoesNotContain("vora primeiro", html.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Todas", html.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("/stations/evora/", source, StringComparison.Ordinal);
        Assert.Contains("href=\"/agents\"", await browser.GetStringAsync("/fleet", Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task For_anybody_else_there_is_no_such_page_and_no_form_of_it_works()
    {
        await using var host = await StartAsync();
        using var stranger = host.Browser();
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync(Page, Cancel)).StatusCode);
        Assert.DoesNotContain("href=\"/fleet\"", await stranger.GetStringAsync("/", Cancel), StringComparison.Ordinal);
        var login = await stranger.GetStringAsync("/login", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.PostAsync(Page + "?handler=Cancel", Form(login, ("campaign", "4")), Cancel)).StatusCode);

        // An operator with a campaign of others.
        using var browser = await SignedInAsync(host);
        var page = await browser.GetStringAsync(Page, Cancel);
        foreach (var id in new[] { "2", "3", "99" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await browser.PostAsync(Page + "?handler=Cancel", Form(page, ("campaign", id)), Cancel)).StatusCode);
        }

        using var plain = new FormUrlEncodedContent([new("campaign", "4")]);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.PostAsync(Page + "?handler=Cancel", plain, Cancel)).StatusCode);
        Assert.Empty(host.Updates.Asked);
    }

    [Fact]
    public async Task A_campaign_is_resumed_paused_and_cancelled()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var page = await browser.GetStringAsync(Page, Cancel);
        foreach (var handler in new[] { "Resume", "Pause", "Cancel" })
        {
            using var answer = await browser.PostAsync($"{Page}?handler={handler}", Form(page, ("campaign", "4")), Cancel);
            Assert.Equal((HttpStatusCode.Redirect, "/agents#campaigns"), (answer.StatusCode, answer.Headers.Location?.ToString()));
        }

        Assert.Equal(["resume 4 braga", "pause 4 braga", "cancel 4 braga"], host.Updates.Asked);
        using var late = await browser.PostAsync(Page + "?handler=Resume", Form(page, ("campaign", "4")), Cancel);
        Assert.Contains("A campanha já não está nesse estado.", await late.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    private static async Task<PortalHost> StartAsync()
    {
        var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        host.Fleet.Agents[host.City.Stations.TryGet("braga", "avenida-central", out var station) ? station.Id : 0] = host.Fleet.Example;
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
