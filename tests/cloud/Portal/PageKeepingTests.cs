using System.Net;
using Hub.Cloud.Portal.Tests.World;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Cloud.Portal.Tests;

/// <summary>Public pages are made once for all who ask at about the same time, and for nobody who is more than a visitor.</summary>
public sealed class PageKeepingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static readonly DateTime Noon = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    private static Task<PortalHost> StartAsync(FakeTimeProvider clock) =>
        PortalHost.StartAsync(new City(Noon), clock, settings: static values => values["Hub:Portal:PagesKeptFor"] = "00:01:00");

    /// <summary>The clock of the world goes on between two questions, so that a page made anew says so.</summary>
    private static async Task<string> NowOnAsync(HttpClient browser, FakeTimeProvider clock, string address)
    {
        clock.Advance(TimeSpan.FromSeconds(1));
        var page = await browser.GetStringAsync(address, Cancel);
        var at = page.IndexOf("\"now\":", StringComparison.Ordinal);
        return page[at..page.IndexOf(',', at)];
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/m/braga")]
    [InlineData("/stations/braga/ponte")]
    [InlineData("/wall")]
    public async Task A_public_page_is_made_once_for_all_visitors_of_a_language_and_theme(string address)
    {
        var clock = Clock();
        await using var host = await StartAsync(clock);
        var first = await NowOnAsync(host.Browser(), clock, address);
        Assert.Equal(first, await NowOnAsync(host.Browser(), clock, address));
        Assert.NotEqual(first, await NowOnAsync(host.Browser("en"), clock, address));
        Assert.NotEqual(first, await NowOnAsync(host.Browser(), clock, address + "?lang=pt"));
        var person = host.Browser();
        var form = await person.GetStringAsync("/login", Cancel);
        var token = Html.Read(form).Tags.First(tag => tag["name"] == "__RequestVerificationToken")["value"]!;
        using var entry = await person.PostAsync(new Uri("/login", UriKind.Relative), new FormUrlEncodedContent([new("name", "braga"), new("password", "right"), new("__RequestVerificationToken", token)]), Cancel);
        Assert.NotEqual(first, await NowOnAsync(person, clock, address));
        Assert.Equal(first, await NowOnAsync(host.Browser(), clock, address));
    }

    [Fact]
    public async Task It_is_compressed_for_who_takes_that_and_says_how_long_it_may_be_kept()
    {
        var clock = Clock();
        await using var host = await StartAsync(clock);
        var browser = host.Browser();
        using HttpRequestMessage request = new(HttpMethod.Get, "/");
        request.Headers.AcceptEncoding.ParseAdd("br");
        using var packed = await browser.SendAsync(request, Cancel);
        using var plain = await browser.GetAsync("/", Cancel);
        Assert.Equal(("br", 0), (packed.Content.Headers.ContentEncoding.Single(), plain.Content.Headers.ContentEncoding.Count));
        Assert.Equal("public, max-age=60", plain.Headers.CacheControl!.ToString());
        Assert.True(await packed.Content.ReadAsByteArrayAsync(Cancel) is { Length: var small } && small < (await plain.Content.ReadAsByteArrayAsync(Cancel)).Length / 3);
    }

    [Fact]
    public async Task Who_leaves_while_a_page_is_made_takes_it_from_nobody_who_waits_for_it()
    {
        var clock = Clock();
        await using var host = await StartAsync(clock);
        var held = host.City.Alerts.Held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var first = host.Browser().GetAsync("/stations/braga/ponte", leave.Token);
        await Eventually.TrueAsync(() => host.City.Alerts.Waiting == 1, "the first visitor's page is being made");
        var others = Enumerable.Range(0, 3).Select(_ => host.Browser().GetAsync("/stations/braga/ponte", Cancel)).ToArray();
        await leave.CancelAsync();
        held.SetResult();
        Assert.All(await Task.WhenAll(others), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.Equal(1, host.City.Alerts.Waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
    }

    [Fact]
    public async Task What_is_not_found_or_carries_a_form_is_kept_by_nobody()
    {
        var clock = Clock();
        await using var host = await StartAsync(clock);
        using var missing = await host.Browser().GetAsync("/stations/braga/nowhere", Cancel);
        using var login = await host.Browser().GetAsync("/login", Cancel);
        Assert.Equal((HttpStatusCode.NotFound, "no-cache", true), (missing.StatusCode, missing.Headers.CacheControl!.ToString(), login.Headers.CacheControl!.NoCache));
    }

    private static FakeTimeProvider Clock() => new(Noon);
}
