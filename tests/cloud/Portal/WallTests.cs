using System.Net;
using Hub.Cloud.Alerts;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The screen on the wall: what it chooses to show, to whom, and when it is dimmed.</summary>
public sealed class WallTests
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, 22, 7)]
    [InlineData("", 22, 7)]
    [InlineData("21-6", 21, 6)]
    [InlineData("0-23", 0, 23)]
    [InlineData("never", 0, 0)]
    public void Hours_of_the_night_are_read(string? text, int from, int until)
    {
        Assert.True(NightHours.TryRead(text, out var hours));
        Assert.Equal(new(from, until), hours);
        for (var hour = 0; hour < 24; hour++)
        {
            Assert.Equal(Enumerable.Range(0, ((until - from) + 24) % 24).Any(step => (from + step) % 24 == hour), hours.Contains(hour));
        }
    }

    [Theory]
    [InlineData("24-7")]
    [InlineData("22")]
    [InlineData("22-7-1")]
    [InlineData("-1-7")]
    [InlineData("ten-seven")]
    public async Task Hours_that_cannot_be_read_are_refused_and_the_screen_still_shows(string text)
    {
        await using var host = await StartAsync();
        using var browser = host.Browser();
        using var answer = await browser.GetAsync("/wall?night=" + text, Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var page = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.Empty(Html.Read(page).Faults);
        Assert.Contains("night=22-7", page, StringComparison.Ordinal);
        Assert.Contains("data-night-from=\"22\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everybody_sees_the_public_city_and_its_people_what_is_private_too()
    {
        await using var host = await StartAsync();
        using var stranger = host.Browser();
        var page = await stranger.GetStringAsync("/wall?municipality=braga", Cancel);
        var html = Html.Read(page);
        Assert.Empty(html.Faults);
        Assert.Equal(["a1"], html.Tags.Where(tag => tag["data-alarm"] is not null).Select(tag => tag["data-alarm"]));
        Assert.Contains("<strong>3 de 4</strong>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Oficina", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<nav", page, StringComparison.Ordinal);
        using var unknown = await stranger.GetAsync("/wall?municipality=lisboa", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        var all = Html.Read(await stranger.GetStringAsync("/wall?lang=en", Cancel));
        Assert.Equal(["a2", "a1"], all.Tags.Where(tag => tag["data-alarm"] is not null).Select(tag => tag["data-alarm"]));
    }

    [Fact]
    public async Task A_hub_just_installed_has_a_wall_too()
    {
        await using var host = await PortalHost.StartAsync(new City(Noon) { Empty = true }, new FakeTimeProvider(Noon));
        using var browser = host.Browser();
        var page = await browser.GetStringAsync("/wall", Cancel);
        Assert.Empty(Html.Read(page).Faults);
        Assert.Contains("Nenhum alarme aberto", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_alarms_that_wait_come_first_then_the_serious_then_the_young_and_the_highest_fresh_value_stands_for_a_quantity()
    {
        await using var host = await StartAsync();
        var city = host.City;
        city.Alerts.All = [.. city.Alerts.All, city.Fresh("b1"), city.Fresh("b2"), city.Fresh("b3")];
        await host.Handling.AcknowledgeAsync("b3", new HandledBy("ana"), null, Cancel);
        using var browser = host.Browser();
        var page = await browser.GetStringAsync("/wall?municipality=braga", Cancel);
        Assert.Contains("data-alarm=\"b1\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("e mais", page, StringComparison.Ordinal);
        city.Alerts.All = [.. city.Alerts.All, city.Fresh("b4")];
        page = await browser.GetStringAsync("/wall?municipality=braga", Cancel);
        var shown = Html.Read(page).Tags.Where(tag => tag["data-alarm"] is not null).Select(tag => tag["data-alarm"]).ToList();
        Assert.Equal(WallView.AlarmsMax, shown.Count);
        Assert.DoesNotContain("b3", shown);
        Assert.Contains("e mais 1 alarme", page, StringComparison.Ordinal);
    }

    private static Task<PortalHost> StartAsync() => PortalHost.StartAsync(new City(Noon), new FakeTimeProvider(Noon));
}
