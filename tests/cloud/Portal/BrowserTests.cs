using Hub.Cloud.Alerts;
using Hub.Cloud.Portal.Tests.World;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Microsoft.Playwright;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The pages in Debian's Chromium, over the made-up city with its event stream: what only a browser can show. Screenshots of every page are in artifacts/screenshots, under names that begin with portal.</summary>
public sealed class BrowserTests : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private readonly City city = new(TimeProvider.System.GetUtcNow().UtcDateTime);
    private readonly int port = FreePort.Next();
    private PortalHost host = null!;
    private Browser browser = null!;

    private string Address => $"http://127.0.0.1:{port}";

    public async ValueTask InitializeAsync()
    {
        host = await ServeAsync();
        browser = await Browser.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        await host.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>WCAG 2.2 A and AA as far as a program can tell, on every page, light and dark; and nothing on a telephone is wider than its screen.</summary>
    [Fact]
    public async Task No_page_breaks_a_rule_of_accessibility_in_either_theme_and_none_is_wider_than_a_telephone()
    {
        List<string> faults = [];
        var page = await SignedInAsync();
        foreach (var (path, name) in new[]
        {
            ("/", "city"), ("/m/braga?lang=en", "municipality"), ("/m/braga/air", "air"), ("/m/braga/noise?lang=en", "noise"), ("/m/braga/traffic", "traffic"), ("/stations/braga/avenida-central", "station"), ("/stations/braga/avenida-central/agent", "agent"), ("/agents?lang=en", "agents"), ("/alarms", "alarms"),
            ("/alarms?municipality=braga&severity=alert&lang=en", "alarms-found"), ("/alarms/a1", "alarm"), ("/wall", "wall"), ("/duty?municipality=braga", "duty"), ("/deliveries?municipality=braga&lang=en", "deliveries"),
            ("/rules?municipality=braga", "rules"), ("/rules/braga/pm25-alto?lang=en", "rule"), ("/subscribe", "subscribe"), ("/subscribe?place=braga&lang=en", "subscribe-what"), ("/open-data", "open-data"), ("/about", "about"), ("/login?lang=en", "login"), ("/nowhere", "missing"),
        })
        {
            await page.SetViewportSizeAsync(1280, 900);
            await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light, ReducedMotion = ReducedMotion.Reduce });
            await page.GotoAsync(Address + path);
            await ShootAsync(page, name + "-light");
            faults.AddRange((await Browser.BarriersAsync(page)).Select(fault => $"{path} light: {fault}"));
            await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark, ReducedMotion = ReducedMotion.Reduce });
            await page.SetViewportSizeAsync(390, 844);
            await ShootAsync(page, name + "-dark-phone");
            faults.AddRange((await Browser.BarriersAsync(page, onlyContrast: !Repeats.AreMany)).Select(fault => $"{path} dark, phone: {fault}"));
            if (await Browser.WidthAsync(page) is var width and > 390)
            {
                faults.Add($"{path}: {width} px wide on a telephone of 390");
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));

        // That it would have found something.
        await page.EvaluateAsync("document.querySelector('main').append(new Image())");
        Assert.Contains(await Browser.BarriersAsync(page), fault => fault.StartsWith("image-alt", StringComparison.Ordinal));
        Assert.Empty(browser.PageErrors);
        Assert.Empty(browser.OutsideRequests);
    }

    [Fact]
    public async Task An_operator_walks_the_list_and_acknowledges_by_keyboard_and_keeps_the_place()
    {
        var page = await SignedInAsync();
        await page.GotoAsync(Address + "/alarms?municipality=braga");
        Assert.StartsWith("(2) ", await page.TitleAsync(), StringComparison.Ordinal);

        // Outside the list the keys do nothing.
        await page.Keyboard.PressAsync("a");
        Assert.Equal(AlarmState.ActiveUnacknowledged, await StateAsync("a1"));
        var names = page.Locator("#alarms-open .alarm-name a");
        await names.First.FocusAsync();
        await page.Keyboard.PressAsync("j");
        Assert.Equal(await names.Nth(1).GetAttributeAsync("href"), await FocusedAsync(page));
        await page.Keyboard.PressAsync("ArrowUp");
        var first = (await names.First.GetAttributeAsync("href"))!;
        Assert.Equal(first, await FocusedAsync(page));
        await page.Keyboard.PressAsync("a");
        var id = first["/alarms/".Length..];
        await Eventually.TrueAsync(async () => await StateAsync(id) == AlarmState.ActiveAcknowledged, "the alarm is acknowledged");
        await Eventually.TrueAsync(async () => (await page.TitleAsync()).StartsWith("(1) ", StringComparison.Ordinal), "the title counts one less");

        // The list was written anew, and the focus is where it was.
        Assert.Equal(first, await FocusedAsync(page));
        Assert.Equal(0, await page.Locator($"li[data-alarm='{id}'] form[data-act=acknowledge]").CountAsync());
        await page.Keyboard.PressAsync("s");
        Assert.Equal("shelve-" + id, await page.EvaluateAsync<string>("document.activeElement.id"));
        await page.Keyboard.PressAsync("a");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Eventually.TrueAsync(async () => (await host.Handling.FindAsync(id, default))?.Handling.Shelved is not null, "the alarm is shelved");
    }

    [Fact]
    public async Task A_new_alarm_rings_for_who_has_switched_it_on_and_stands_in_the_title_and_on_the_wall()
    {
        var page = await browser.OpenAsync(Address + "/alarms?municipality=braga");
        var wall = await browser.OpenAsync(Address + "/wall?municipality=braga&night=0-23", 1920, 1080);
        Assert.Equal("true", await wall.Locator("hub-wall").GetAttributeAsync("data-night"));
        var bell = page.Locator("[data-bell]");
        await page.Locator("html[data-live=live]").WaitForAsync();
        await wall.Locator("html[data-live=live]").WaitForAsync();
        Assert.Equal("false", await bell.GetAttributeAsync("aria-pressed"));
        await bell.ClickAsync();
        Assert.Equal("true", await bell.GetAttributeAsync("aria-pressed"));
        Assert.StartsWith("(1) ", await page.TitleAsync(), StringComparison.Ordinal);
        city.Alerts.All = [.. city.Alerts.All, city.Fresh("a7")];
        await page.Locator("#alarms-open [data-alarm=a7]").WaitForAsync();
        await Eventually.TrueAsync(async () => (await page.TitleAsync()).Contains("(2) ", StringComparison.Ordinal), "the title counts it");
        Assert.Equal("1", await page.Locator("html").GetAttributeAsync("data-rung"));
        await wall.Locator("#wall-alarms [data-alarm=a7]").WaitForAsync();
        Assert.Equal("0", await wall.Locator("html").GetAttributeAsync("data-rung"));
        await ShootAsync(wall, "wall-alarms-night");
    }

    [Fact]
    public async Task A_hub_that_is_away_is_said_and_its_values_are_greyed_until_it_is_back()
    {
        var page = await browser.OpenAsync(Address + "/m/braga");
        Assert.True(city.Stations.TryGet("braga", "avenida-central", out var station));
        var value = page.Locator($"tr[data-datastream='{city.Stations.DatastreamsOf(station.Id)[0].Id}'] [data-value]");
        var seen = await value.TextContentAsync();
        await page.Locator("html[data-live=live]").WaitForAsync();
        await Eventually.TrueAsync(async () => await value.TextContentAsync() != seen, "a value changes without a reload");
        await host.App.DisposeAsync();
        await page.Locator("html[data-live=lost]").WaitForAsync();
        Assert.True(await page.Locator("[data-lost-banner]").IsVisibleAsync());
        await ShootAsync(page, "city-lost");
        host = await ServeAsync();
        await page.Locator("html[data-live=live]").WaitForAsync();
        Assert.False(await page.Locator("[data-lost-banner]").IsVisibleAsync());
        seen = await value.TextContentAsync();
        await Eventually.TrueAsync(async () => await value.TextContentAsync() != seen, "values change again");
    }

    private Task<PortalHost> ServeAsync() =>
        PortalHost.StartAsync(city, TimeProvider.System, port, signUpFolder: folder.Path, settings: values => values["Hub:PublicUrl"] = Address);

    private async Task<AlarmState?> StateAsync(string alarm) => (await host.Handling.FindAsync(alarm, default))?.Handling.State;

    private async Task<IPage> SignedInAsync()
    {
        var page = await browser.OpenAsync(Address + "/login");
        await page.FillAsync("#name", "braga");
        await page.FillAsync("#password", "right");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync(address => !address.Contains("login", StringComparison.Ordinal));
        return page;
    }

    private static Task<string?> FocusedAsync(IPage page) => page.EvaluateAsync<string?>("document.activeElement.getAttribute('href')");

    /// <summary>A picture of every page takes as long as all the rest: the long run makes them.</summary>
    private static Task ShootAsync(IPage page, string name) => Repeats.AreMany ? Browser.ShootAsync(page, "portal-" + name) : Task.CompletedTask;
}
