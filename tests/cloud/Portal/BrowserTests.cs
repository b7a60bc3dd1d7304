using Hub.Cloud.Alerts;
using Hub.Cloud.Portal.Tests.World;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Microsoft.Playwright;

namespace Hub.Cloud.Portal.Tests;

/// <summary>One browser for all tests of a class; each page has a profile of its own.</summary>
public sealed class SharedBrowser : IAsyncLifetime
{
    internal Browser Browser { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Browser = await Browser.StartAsync();

    public async ValueTask DisposeAsync() => await Browser.DisposeAsync();
}

/// <summary>The pages in Debian's Chromium, over the made-up city with its event stream: what only a browser can show. Screenshots of every page are in artifacts/screenshots, under names that begin with portal.</summary>
public sealed partial class BrowserTests(SharedBrowser shared) : IClassFixture<SharedBrowser>, IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private readonly City city = new(TimeProvider.System.GetUtcNow().UtcDateTime);
    private readonly int port = FreePort.Next();
    private PortalHost host = null!;

    /// <summary>Pages that are looked at in CI too.</summary>
    private static readonly (string Path, string Name)[] Pages =
    [
        ("/m/braga?lang=en", "municipality"), ("/alarms", "alarms"), ("/stations/braga/avenida-central", "station"), ("/m/braga/noise", "noise"), ("/wall", "wall"), ("/open-data", "open-data"),
        ("/rules/braga/pm25-alto?lang=en", "rule"), ("/subscribe?place=braga&lang=en", "subscribe-what"), ("/duty?municipality=braga", "duty"), ("/m/braga/air?lang=en", "air"),
    ];

    private static readonly (string Path, string Name)[] MorePages =
    [
        ("/m/braga?show=pm2_5&lang=en", "map-value"), ("/?show=index&sort=value", "map-index"),
        ("/", "city"), ("/m/braga/traffic", "traffic"), ("/stations/braga/avenida-central/agent", "agent"), ("/stations/braga/avenida-central/history?lang=en", "station-history"), ("/stations/braga/avenida-central?compare=week&from=2026-01-01&lang=en", "station-compared"), ("/agents?lang=en", "agents"), ("/fleet", "fleet"), ("/quarantine?municipality=braga&reason=unit", "quarantine"), ("/stations/braga/se/claim", "claim"), ("/fleet/new?lang=en", "fleet-new"), ("/install", "install"), ("/alarms?municipality=braga&severity=alert&lang=en", "alarms-found"), ("/alarms/a1", "alarm"),
        ("/deliveries?municipality=braga&lang=en", "deliveries"), ("/rules?municipality=braga", "rules"), ("/subscribe", "subscribe"), ("/about", "about"), ("/login?lang=en", "login"), ("/nowhere", "missing"),
    ];

    /// <summary>What a visitor's window, system and language are: one in CI, desktop and telephone in both themes and languages in the long run.</summary>
    public static TheoryData<int, string, string> Visitors => Repeats.AreMany
        ? [.. from width in new[] { 1440, 390 } from scheme in new[] { "light", "dark" } from locale in new[] { "pt-PT", "en-GB" } select (width, scheme, locale)]
        : [(1440, "light", "pt-PT")];

    private (int Width, string Scheme, string Locale) visitor = (1440, "light", "pt-PT");

    private string Address => $"http://127.0.0.1:{port}";

    public async ValueTask InitializeAsync()
    {
        host = await ServeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>WCAG 2.2 A and AA as far as a program can tell, light and dark, and nothing is wider than its window: ten pages in CI, each in one of the two, all pages in both in the long run.</summary>
    [Fact]
    public async Task No_page_breaks_a_rule_of_accessibility_in_either_theme_and_none_is_wider_than_a_telephone()
    {
        List<string> faults = [];
        var page = await SignedInAsync();
        foreach (var (path, name) in Repeats.AreMany ? [.. Pages, .. MorePages] : Pages)
        {
            foreach (var (scheme, width, height) in new[] { (ColorScheme.Light, 1280, 900), (ColorScheme.Dark, 390, 844) })
            {
                // Half of the pages in each: the long run has all in both.
                if (!Repeats.AreMany && (scheme == ColorScheme.Dark) != (Array.IndexOf(Pages, (path, name)) % 2 == 1))
                {
                    continue;
                }

                await page.SetViewportSizeAsync(width, height);
                await page.EmulateMediaAsync(new() { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
                await page.GotoAsync(Address + path);
                await ShootAsync(page, $"{name}-{(scheme == ColorScheme.Dark ? "dark-phone" : "light")}");
                faults.AddRange((await Browser.BarriersAsync(page)).Select(fault => $"{path} {scheme} {width}: {fault}"));
                if (await Browser.WidthAsync(page) is var wide && wide > width)
                {
                    faults.Add($"{path}: {wide} px wide in a window of {width}");
                }
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));

        // That it would have found something.
        await page.EvaluateAsync("document.querySelector('main').append(new Image())");
        Assert.Contains(await Browser.BarriersAsync(page), fault => fault.StartsWith("image-alt", StringComparison.Ordinal));
        Assert.Empty(shared.Browser.PageErrors);
        Assert.Empty(shared.Browser.OutsideRequests);
    }

    [Theory]
    [MemberData(nameof(Visitors))]
    public async Task An_operator_walks_the_list_and_acknowledges_by_keyboard_and_keeps_the_place(int width, string scheme, string locale)
    {
        visitor = (width, scheme, locale);
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
        var page = await OpenAsync("/alarms?municipality=braga");

        // From this hour of the clock on: from midnight to 23 there would be no night in the last hour of the day.
        var hour = TimeZoneInfo.ConvertTimeFromUtc(city.Now, TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon")).Hour;
        var wall = await OpenAsync($"/wall?municipality=braga&night={hour}-{(hour + 22) % 24}", 1920, 1080);
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

    [Theory]
    [MemberData(nameof(Visitors))]
    public async Task A_hub_that_is_away_is_said_and_its_values_are_greyed_until_it_is_back(int width, string scheme, string locale)
    {
        visitor = (width, scheme, locale);
        var page = await OpenAsync("/m/braga");
        Assert.True(city.Stations.TryGet("braga", "avenida-central", out var station));
        var value = page.Locator($"tr[data-datastream='{city.Stations.DatastreamsOf(station.Id)[0].Id}'] [data-value]");
        var seen = await value.TextContentAsync();
        await page.Locator("html[data-live=live]").WaitForAsync();
        await Eventually.TrueAsync(async () => await value.TextContentAsync() != seen, "a value changes without a reload");
        await host.App.DisposeAsync();
        await page.Locator("html[data-live=lost]").WaitForAsync();
        Assert.True(await page.Locator("[data-lost-banner]").IsVisibleAsync());
        await ShootAsync(page, $"city-lost-{width}-{scheme}-{locale[..2]}");
        host = await ServeAsync();
        await page.Locator("html[data-live=live]").WaitForAsync();
        Assert.False(await page.Locator("[data-lost-banner]").IsVisibleAsync());
        seen = await value.TextContentAsync();
        await Eventually.TrueAsync(async () => await value.TextContentAsync() != seen, "values change again");
    }

    /// <summary>The map is left out: the slider is the list's as well.</summary>
    [Fact]
    public async Task The_slider_moves_the_list_through_the_day_by_keyboard_and_back_to_now()
    {
        var page = await OpenAsync("/m/braga?show=laeq&lang=en");
        var slider = page.Locator("#map-at");
        var value = page.Locator("[data-station='braga/se'] [data-shown-value]");
        var moment = page.Locator("[data-moment]");
        await slider.WaitForAsync();
        Assert.Equal("Now", await moment.TextContentAsync());
        await slider.FocusAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
        await Eventually.TrueAsync(async () => await page.Locator("html.map-then").CountAsync() == 1, "an earlier time is shown");
        await page.Keyboard.PressAsync("Home");
        await Eventually.TrueAsync(async () => await slider.InputValueAsync() == "0", "the slider is at its begin");
        var then = await value.TextContentAsync();
        var datastream = city.Datastream("braga", "se", City.Laeq);
        var written = await moment.TextContentAsync();
        Assert.Equal(written, await slider.GetAttributeAsync("aria-valuetext"));
        Assert.Matches("^[A-Z][a-z]{2},? [0-9/]+, [0-9]{2}:[0-9]{2}–[0-9]{2}:[0-9]{2}$", written!);
        var quarter = TimeSpan.FromMinutes(15);
        var latest = new DateTime(TimeProvider.System.GetUtcNow().UtcTicks / quarter.Ticks * quarter.Ticks, DateTimeKind.Utc).AddHours(-24);

        // A quarter of an hour may have begun since the page was told of the day.
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");
        var from = Assert.Single(new[] { latest, latest - quarter }, begin => written!.EndsWith($"{Clock(begin)}–{Clock(begin + quarter)}", StringComparison.Ordinal));
        string Clock(DateTime utc) => TimeZoneInfo.ConvertTimeFromUtc(utc, zone).ToString("HH:mm", System.Globalization.CultureInfo.InvariantCulture);
        var bucket = await city.Series.AggregateAsync(new(datastream.Id, from, from + quarter, new(quarter), Series.Statistic.EnergyMean), TestContext.Current.CancellationToken);
        Assert.Equal(bucket[0].Value.ToString("F1", System.Globalization.CultureInfo.InvariantCulture), then);

        // Live values do not write over it; the way back is a button.
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Eventually.TrueAsync(async () => await moment.TextContentAsync() == "Now", "now is shown");
        await Eventually.TrueAsync(async () => await value.TextContentAsync() != then, "with its value");
    }

    /// <summary>With the map, which takes most of the processor here: groups of many stations by keyboard, and that the signs say what the list says.</summary>
    [Fact]
    [Trait("kind", "long")]
    public async Task Many_stations_are_drawn_as_groups_that_open_by_keyboard()
    {
        Crowd.Fill(city, 400);
        var page = await shared.Browser.OpenAsync(Address + "/m/braga?show=pm2_5&lang=en", 1366, 1200);
        await page.Locator(".map-sign.group").First.WaitForAsync();
        Assert.InRange(await page.Locator(".map-sign").CountAsync(), 2, 150);
        var group = page.Locator(".map-sign.group").First;
        Assert.Matches("[0-9]+ stations, highest: (up to|above|[0-9]+ to)", await group.TextContentAsync() ?? "");
        await group.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Locator(".map-sign:not(.group)").First.WaitForAsync();

        // A station is found in the list and shown on the map, with the value and the class of its card.
        await page.GotoAsync(Address + "/m/braga?show=pm2_5&lang=en&name=Rua+57");
        await page.Locator("html.map-ready").WaitForAsync();
        var card = page.Locator("[data-card][data-station='braga/rua-57']").First;
        await card.Locator("[data-show-on-map]").ClickAsync();
        var sign = page.Locator(".map-sign:has-text('Rua 57'):not(.group) .value-sign").First;
        await sign.WaitForAsync();
        Assert.Equal(await card.Locator("[data-shown-value]").TextContentAsync(), await sign.TextContentAsync());
        Assert.Empty(shared.Browser.PageErrors);
        await ShootAsync(page, "map-groups");
    }

    [Fact]
    public async Task A_claim_code_is_drawn_as_the_qr_code_of_its_address_and_the_page_says_by_itself_when_it_is_used()
    {
        var page = await SignedInAsync();
        await page.GotoAsync(Address + "/stations/braga/oficina/claim");
        await page.FocusAsync("#claim-profile");
        await page.Keyboard.PressAsync("Enter");
        var picture = page.Locator("hub-qr svg");
        await picture.WaitForAsync();
        var text = (await page.Locator("hub-qr").GetAttributeAsync("data-text"))!;
        Assert.Equal(Address + "/install#7K3M-Q9XT-2HWB", text);
        Assert.Equal(await MatrixAsync(text), await page.EvaluateAsync<string>(
            "(() => { const size = document.querySelector('hub-qr svg').viewBox.baseVal.width - 8; const rows = Array.from({ length: size }, () => Array(size).fill('0'));"
            + "for (const [, x, y] of document.querySelector('.qr-dark').getAttribute('d').matchAll(/M(\\d+) (\\d+)h1v1h-1z/g)) rows[y - 4][x - 4] = '1'; return rows.map((row) => row.join('')).join(' '); })()"));
        await ShootAsync(page, "claim-code");
        if (Repeats.AreMany)
        {
            Assert.Empty(await Browser.BarriersAsync(page));
        }

        Assert.True(city.Stations.TryGet("braga", "oficina", out var station));
        host.Fleet.Claim(station.Id, TimeProvider.System.GetUtcNow().UtcDateTime);
        await page.Locator("#claim-state:has-text('Raspberry Pi 5')").WaitForAsync();
        Assert.True(await picture.IsVisibleAsync());

        var phone = await OpenAsync("/install#7K3M-Q9XT-2HWB", 390, 844);
        await phone.Locator(".claim-ways code:has-text('code=7K3M-Q9XT-2HWB')").WaitForAsync();
        Assert.False(await phone.Locator("[data-no-code]").IsVisibleAsync());
        Assert.Empty(shared.Browser.PageErrors);
    }

    /// <summary>The modules of a QR code as the library makes them outside the browser: rows of 0 and 1.</summary>
    private static async Task<string> MatrixAsync(string text)
    {
        using var node = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("node")
        {
            ArgumentList =
            {
                "-e",
                "const { size, data } = require('qrcode').create(process.argv[1], { errorCorrectionLevel: 'M' }).modules; console.log(Array.from({ length: size }, (_, row) => Array.from(data.slice(row * size, (row + 1) * size)).join('')).join(' '))",
                text,
            },
            WorkingDirectory = Path.Combine(Source.Folder, "web"),
            RedirectStandardOutput = true,
        })!;
        var matrix = await node.StandardOutput.ReadToEndAsync();
        await node.WaitForExitAsync();
        Assert.Equal(0, node.ExitCode);
        return matrix.Trim();
    }

    private Task<PortalHost> ServeAsync() =>
        PortalHost.StartAsync(city, TimeProvider.System, port, signUpFolder: folder.Path, settings: values => values["Hub:PublicUrl"] = Address);

    /// <summary>The map is left out: it takes most of the processor here, and Journeys show it.</summary>
    private Task<IPage> OpenAsync(string path, int? width = null, int? height = null) => shared.Browser.OpenAsync(
        Address + path, width ?? visitor.Width, height ?? (visitor.Width > 600 ? 900 : 844), visitor.Scheme == "dark" ? ColorScheme.Dark : ColorScheme.Light, visitor.Locale, "**/assets/files/map-*.js");

    private async Task<AlarmState?> StateAsync(string alarm) => (await host.Handling.FindAsync(alarm, default))?.Handling.State;

    private async Task<IPage> SignedInAsync()
    {
        var page = await OpenAsync("/login");
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
