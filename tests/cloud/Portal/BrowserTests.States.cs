using Hub.Cloud.Portal.Tests.World;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Microsoft.Playwright;

namespace Hub.Cloud.Portal.Tests;

/// <summary>What a page looks like when it has nothing, not yet, too late, not any more, or may not show it: each says so, keeps the rules of accessibility, and has its picture, light and wide, dark and narrow.</summary>
public sealed partial class BrowserTests
{
    /// <summary>A state of a page.</summary>
    /// <param name="Name">Of its picture.</param>
    /// <param name="Path">Where it is.</param>
    /// <param name="Says">What must be there to be seen: a text, or, where a page without the state has that too, a selector.</param>
    /// <param name="Bring">Brings the page, which shows the path, into it.</param>
    /// <param name="Hold">Addresses that are asked for and do not answer as long as the state lasts.</param>
    /// <param name="Refuse">Addresses that cannot be reached.</param>
    private sealed record State(string Name, string Path, string Says, Func<IPage, Task>? Bring = null, string? Hold = null, string? Refuse = null);

    private static readonly State[] OfAnEmptyHub =
    [
        new("empty-city", "/?lang=en", "There are no stations yet"),
        new("empty-alarms", "/alarms?lang=en", "No open alarm"),
        new("empty-open-data", "/open-data?lang=en", "There are no public measurements yet"),
        new("empty-wall", "/wall?lang=en", "No open alarm"),
    ];

    private static readonly State[] OfAFullOne =
    [
        new("empty-station", "/stations/braga/nova?lang=en", "This station has not reported yet"),
        new("empty-history", "/stations/braga/nova/history?lang=en", "There are no notes yet"),
        new("empty-found", "/alarms?municipality=braga&rule=braga/nothing&lang=en", "No alarm matches the filter"),
        new("empty-fleet", "/fleet?q=zzz&lang=en", "No station matches"),
        new("empty-name", "/m/braga?name=zzz&lang=en", "No station has “zzz” in its name"),
        new("empty-compared", "/stations/braga/avenida-central?from=2026-01-01&to=2026-01-02&lang=en", "No values in this stretch"),
        new("late-station", "/stations/braga/ponte?lang=en", "css=.page-head .card-status:has-text('Late')"),
        new("silent-station", "/stations/evora/aqueduto?lang=en", "css=.page-head .card-status:has-text('Silent')"),
        new("error-address", "/stations/braga/avenida-central?from=yesterday&lang=en", "is not a date and time"),
        new("error-missing", "/stations/braga/nowhere?lang=en", "This page does not exist"),
        new("error-map", "/m/braga?lang=en", "The map could not be drawn", SeeTheMapAsync, Refuse: "**/assets/files/map-*.js"),
        new("error-stations", "/m/braga?show=laeq&lang=en", "The stations did not come from the server", Refuse: "**/map/stations*"),
        new("error-day", "/m/braga?show=laeq&lang=en", "The last 24 hours did not come from the server", MoveTheSliderAsync, Refuse: "**/map/day*"),
        new("error-chart", "/stations/braga/avenida-central?lang=en", "The values of this stretch could not be had", ZoomAsync, Refuse: "**/observations*"),
        new("loading-map", "/m/braga?lang=en", "Loading the map", SeeTheMapAsync, Hold: "**/assets/files/map-*.js"),
        new("loading-day", "/m/braga?show=laeq&lang=en", "css=hub-map-time[aria-busy=true]", MoveTheSliderAsync, Hold: "**/map/day*"),
        new("loading-chart", "/stations/braga/avenida-central?lang=en", "css=hub-chart[data-asking=true]", ZoomAsync, Hold: "**/observations*"),
    ];

    private static readonly State[] OfAStranger =
    [
        new("stranger-fleet", "/fleet?lang=en", "If you work with it, sign in first"),
        new("stranger-private", "/stations/braga/oficina?lang=en", "the station is not public"),
        new("stranger-alarm", "/alarms/a1?lang=en", "High fine particles"),
        new("stranger-wrong-password", "/login?lang=en", "The name or the password is not right", page => TypeAsync(page, "braga", "wrong")),
    ];

    private static readonly State[] OfABrokenOne = [new("error-page", "/?lang=en", "It is not your fault")];

    [Fact]
    [Trait("kind", "long")]
    public async Task Every_state_of_a_page_says_what_it_is()
    {
        city.Stations.Add(new(0, "braga", "nova", "Rua Nova de Sousa", 41.5510, -8.4265, Public: true, ""));
        List<string> faults = [.. await FaultsAsync(OfAFullOne, await SignedInAsync()), .. await FaultsAsync(OfAStranger, await OpenAsync("/about"))];
        city.Stations.Broken = true;
        faults.AddRange(await FaultsAsync(OfABrokenOne, await OpenAsync("/install")));
        city.Stations.Broken = false;
        await host.DisposeAsync();
        host = await PortalHost.StartAsync(new City(TimeProvider.System.GetUtcNow().UtcDateTime) { Empty = true }, TimeProvider.System, port);
        faults.AddRange(await FaultsAsync(OfAnEmptyHub, await SignedInAsync()));
        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.Empty(shared.Browser.OutsideRequests);
    }

    private async Task<List<string>> FaultsAsync(State[] states, IPage page)
    {
        List<string> faults = [];
        foreach (var state in states)
        {
            foreach (var (scheme, width, height) in new[] { (ColorScheme.Light, 1280, 900), (ColorScheme.Dark, 390, 844) })
            {
                await page.UnrouteAllAsync();
                if (state.Refuse is { } refused)
                {
                    await page.RouteAsync(refused, route => route.AbortAsync());
                }

                if (state.Hold is { } held)
                {
                    await page.RouteAsync(held, static _ => { });
                }

                await page.SetViewportSizeAsync(width, height);
                await page.EmulateMediaAsync(new() { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
                await page.GotoAsync(Address + state.Path, new() { WaitUntil = WaitUntilState.DOMContentLoaded });
                if (state.Bring is { } bring)
                {
                    await bring(page);
                }

                var picture = $"state-{state.Name}-{(scheme == ColorScheme.Dark ? "dark-phone" : "light")}";
                try
                {
                    await (state.Says.StartsWith("css=", StringComparison.Ordinal) ? page.Locator(state.Says) : page.GetByText(state.Says)).Filter(new() { Visible = true }).First.WaitForAsync(new() { Timeout = 20_000 });
                }
                catch (TimeoutException)
                {
                    faults.Add($"{picture}: nowhere says '{state.Says}'");
                }

                await Browser.ShootAsync(page, "portal-" + picture);
                faults.AddRange((await Browser.BarriersAsync(page)).Select(fault => $"{picture}: {fault}"));
                if (await Browser.WidthAsync(page) is var wide && wide > width)
                {
                    faults.Add($"{picture}: {wide} px wide in a window of {width}");
                }
            }
        }

        return faults;
    }

    private static async Task SeeTheMapAsync(IPage page) => await page.Locator("hub-map").First.ScrollIntoViewIfNeededAsync();

    private static async Task MoveTheSliderAsync(IPage page)
    {
        await page.Locator("#map-at").FocusAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
    }

    private static async Task ZoomAsync(IPage page)
    {
        await page.Locator("hub-chart.drawn").First.WaitForAsync();
        await page.Locator("[data-view=out]").ClickAsync();
    }

    private static async Task TypeAsync(IPage page, string name, string password)
    {
        await page.FillAsync("#name", name);
        await page.FillAsync("#password", password);
        await page.Locator("main form button").First.ClickAsync();
    }
}
