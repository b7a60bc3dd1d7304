using Hub.Cloud.Portal.Tests.World;
using Hub.Tests.Kit;
using Microsoft.Playwright;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The charts of a station under a hand and under the keys.</summary>
public sealed partial class BrowserTests
{
    [Fact]
    public async Task Charts_zoom_move_and_go_back_together_and_ask_for_what_is_finer()
    {
        var pm25 = city.Datastream("braga", "avenida-central", City.Pm25);
        var page = await OpenAsync("/stations/braga/avenida-central?compare=yesterday");
        var frame = page.Locator($"#ds-{pm25.Id} .chart-frame");
        var chart = page.Locator($"#ds-{pm25.Id} hub-chart");
        await page.Locator($"#ds-{pm25.Id} hub-chart.drawn").WaitForAsync();
        Assert.Equal(("application", "0"), (await frame.GetAttributeAsync("role"), await frame.GetAttributeAsync("tabindex")));
        Assert.Empty(host.Api.Asked);

        // A drag over the middle half shows twelve hours, as they are: 720 minutes, and the half of that on either side.
        await frame.ScrollIntoViewIfNeededAsync();
        var place = (await frame.Locator(".u-over").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(place.X + (place.Width * 0.25f), place.Y + 40);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(place.X + (place.Width * 0.75f), place.Y + 50, new() { Steps = 4 });
        await page.Mouse.UpAsync();
        await page.Mouse.MoveAsync(5, 5);
        await Eventually.TrueAsync(() => Task.FromResult(page.Url.Contains("from=", StringComparison.Ordinal)), "the address says what is shown");
        await Eventually.TrueAsync(() => Task.FromResult(host.Api.Asked.Any(one => one.Datastream == pm25.Id && one.Points is > 600 and <= 2_000)), "finer values were asked for");
        Assert.Contains("compare=yesterday", page.Url, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await page.Locator($"#ds-{pm25.Id} [data-readout]").TextContentAsync())!.Contains("observação", StringComparison.Ordinal), "each point is an observation now");
        var link = (await page.Locator($"#ds-{pm25.Id} [data-as-shown][download]").GetAttributeAsync("href"))!;
        var asked = new Uri(page.Url).Query;
        Assert.Contains(Uri.EscapeDataString(asked.Split("from=")[1].Split('&')[0]), link, StringComparison.Ordinal);
        Assert.DoesNotContain("every=", link, StringComparison.Ordinal);

        // By keyboard: the other chart has moved along, Escape goes back to the day, and then there is nothing to go back to.
        var other = page.Locator(".chart-frame").Nth(1);
        await other.FocusAsync();
        var before = page.Url;
        await page.Keyboard.PressAsync("ArrowLeft");
        await Eventually.TrueAsync(() => Task.FromResult(page.Url != before), "the arrow moved it");
        await page.Keyboard.PressAsync("Escape");
        await Eventually.TrueAsync(() => Task.FromResult(page.Url == before), "Escape goes one step back");
        await page.Keyboard.PressAsync("Escape");
        await Eventually.TrueAsync(() => Task.FromResult(!page.Url.Contains("from=", StringComparison.Ordinal)), "and to where the page began");
        Assert.Equal("true", await page.Locator("[data-view=back]").GetAttributeAsync("aria-disabled"));

        // The same address shows the same to somebody else; a hub that does not answer is said, and what was there stays.
        await page.GotoAsync(before);
        await page.Locator($"#ds-{pm25.Id} hub-chart.drawn").WaitForAsync();
        host.Api.Away = true;
        await page.Locator("[data-view=out]").ClickAsync();
        await page.Locator($"#ds-{pm25.Id} [data-fault]").WaitForAsync(new() { State = WaitForSelectorState.Visible });
        Assert.Contains("503", await page.Locator($"#ds-{pm25.Id} [data-fault]").TextContentAsync(), StringComparison.Ordinal);
        host.Api.Away = false;
        await page.Locator("[data-view=later]").ClickAsync();
        await Eventually.TrueAsync(async () => !await page.Locator($"#ds-{pm25.Id} [data-fault]").IsVisibleAsync(), "it is asked again");
        Assert.Equal("false", await chart.GetAttributeAsync("data-asking"));
        Assert.Empty(shared.Browser.PageErrors);
    }
}
