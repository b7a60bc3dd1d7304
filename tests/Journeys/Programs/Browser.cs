using System.Text.Json;
using Hub.Tests.Kit;
using Microsoft.Playwright;

namespace Hub.Tests.Journeys.Programs;

/// <summary>Debian's Chromium, driven by Playwright, with a fresh profile. Any request that leaves the machine fails the test that made it.</summary>
public sealed class Browser : IAsyncDisposable
{
    /// <summary>Playwright's own half a minute is not enough for a map that is drawn without a graphics card on a busy machine.</summary>
    private static readonly float LimitMilliseconds = (float)Eventually.Limit.TotalMilliseconds;

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Folder that keeps the screenshots for a person to leaf through.</summary>
    public static string Screenshots { get; } = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "screenshots")).FullName;

    public List<string> OutsideRequests { get; } = [];

    public List<string> PageErrors { get; } = [];

    public static async Task<Browser> StartAsync()
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium",
            Headless = true,
            Timeout = LimitMilliseconds,
            Args =
            [
                "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
            ],
        });
        return new Browser(playwright, browser);
    }

    /// <summary>Opens a page in a profile of its own.</summary>
    /// <param name="address">Where.</param>
    /// <param name="width">Of the window, CSS pixels.</param>
    /// <param name="height">Of the window, CSS pixels.</param>
    /// <param name="scheme">What the visitor's system asks for.</param>
    /// <param name="locale">The visitor's language.</param>
    /// <param name="without">Pattern of addresses that are not fetched: a map drawn without a graphics card takes most of the processor.</param>
    public async Task<IPage> OpenAsync(string address, int width = 1440, int height = 900, ColorScheme scheme = ColorScheme.Light, string locale = "pt-PT", string? without = null)
    {
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = scheme,
            Locale = locale,
            TimezoneId = "Europe/Lisbon",
        });
        context.SetDefaultTimeout(LimitMilliseconds);
        var page = await context.NewPageAsync();
        page.Request += (_, request) =>
        {
            if (Uri.TryCreate(request.Url, UriKind.Absolute, out var target) && target.Scheme is "http" or "https" or "ws" or "wss" && !target.IsLoopback)
            {
                OutsideRequests.Add(request.Url);
            }
        };
        page.PageError += (_, error) => PageErrors.Add(error);
        if (without is not null)
        {
            await page.RouteAsync(without, route => route.AbortAsync());
        }

        await page.GotoAsync(address);
        return page;
    }

    public static Task ShootAsync(IPage page, string name) =>
        page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Screenshots, $"{name}.png"), FullPage = true });

    /// <summary>What axe-core finds against WCAG 2.2 AA and its own best practice on a page with everything unfolded; one line for each place.</summary>
    public static async Task<IReadOnlyList<string>> BarriersAsync(IPage page)
    {
        // The build of the pages installs it; it is no part of them. The debugger may run what the page's content policy forbids.
        var axe = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "cloud", "Portal", "web", "node_modules", "axe-core", "axe.min.js"));
        var debugger = await page.Context.NewCDPSessionAsync(page);
        await RunAsync("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
        await RunAsync(axe);
        var found = await RunAsync(
            "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((found) => found.violations.flatMap((one) => one.nodes.map((node) => one.id + ' at ' + node.target.join(' ') + ': ' + node.failureSummary)))");
        return [.. found!.Value.GetProperty("result").GetProperty("value").EnumerateArray().Select(one => one.GetString()!)];

        Task<JsonElement?> RunAsync(string script) =>
            debugger.SendAsync("Runtime.evaluate", new Dictionary<string, object> { ["expression"] = script, ["awaitPromise"] = true, ["returnByValue"] = true });
    }

    /// <summary>How wide the page is, in CSS pixels; more than its window is a page that must be scrolled sideways.</summary>
    public static async Task<int> WidthAsync(IPage page)
    {
        var debugger = await page.Context.NewCDPSessionAsync(page);
        var width = await debugger.SendAsync("Runtime.evaluate", new Dictionary<string, object> { ["expression"] = "document.documentElement.scrollWidth", ["returnByValue"] = true });
        return width!.Value.GetProperty("result").GetProperty("value").GetInt32();
    }

    public async ValueTask DisposeAsync()
    {
        MakeLeafable();
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    /// <summary>One page with all pictures there are, index.html beside them. Several programs may do so at once: the last one counts.</summary>
    private static void MakeLeafable()
    {
        var pictures = Directory.GetFiles(Screenshots, "*.png").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)
            .Select(name => $"<figure><a href=\"{name}.png\"><img loading=\"lazy\" src=\"{name}.png\" alt=\"\"></a><figcaption>{name}</figcaption></figure>");
        var draft = Path.Combine(Screenshots, $".{Environment.ProcessId}.html");
        File.WriteAllText(
            draft,
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Hub: pages and their states</title><style>body{font:14px system-ui;background:#777;display:grid;gap:1rem;"
            + "grid-template-columns:repeat(auto-fill,minmax(18rem,1fr))}figure{margin:0}img{width:100%;max-height:24rem;object-fit:cover;object-position:top}figcaption{color:#fff}</style>\n"
            + string.Join('\n', pictures));
        File.Move(draft, Path.Combine(Screenshots, "index.html"), overwrite: true);
    }
}
