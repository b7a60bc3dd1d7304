using Hub.Cloud.Portal.Tests.World;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Playwright;

namespace Hub.Cloud.Portal.Tests;

/// <summary>How smoothly large charts move under the hand. What is measured is written to the log; only what is drawn and what travels is asserted.</summary>
[Trait("kind", "long")]
public sealed class StationFramesTests
{
    private const int Charts = 4;

    [Theory]
    [InlineData("a year of hours", 3_600, 365 * 24)]
    [InlineData("a day of seconds", 1, 86_400)]
    public async Task Several_large_charts_are_dragged(string what, int step, int count)
    {
        var stop = TestContext.Current.CancellationToken;
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var end = new DateTime(now.Ticks - (now.Ticks % TimeSpan.TicksPerHour), DateTimeKind.Utc);
        var city = new City(now);
        Assert.True(city.Stations.TryGet("braga", "se", out var station));
        for (var chart = 0; chart < Charts; chart++)
        {
            var datastream = city.Stations.Add(station, $"large-{chart}", City.Pm10, TimeSpan.FromSeconds(step));
            var first = end.AddSeconds(-(double)step * count);
            foreach (var chunk in Enumerable.Range(0, count).Select(i => new Observation(datastream.Id, first.AddSeconds((double)step * i), Math.Round(30 + (20 * Math.Sin((i + (chart * 50)) / 90.0)) + (i * 7_919 % 13), 1), i % 997 == 0 ? Quality.Spike : Quality.Good)).Chunk(50_000))
            {
                await city.Series.AppendAsync(chunk, stop);
            }
        }

        var port = FreePort.Next();
        await using var host = await PortalHost.StartAsync(city, TimeProvider.System, port);

        // As Chromium draws on a machine without a graphics card; the other tests' browser imitates one, for the map, which takes ten times as long.
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-gpu"] });
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1366, Height = 900 }, Locale = "pt-PT" });
        page.SetDefaultTimeout((float)Eventually.Limit.TotalMilliseconds);
        List<string> errors = [];
        page.PageError += (_, error) => errors.Add(error);
        await page.RouteAsync("**/assets/files/map-*.js", static route => route.AbortAsync());
        await page.GotoAsync($"http://127.0.0.1:{port}/stations/braga/se?compare=yesterday{(step == 1 ? "" : "&span=1y")}");
        var meter = await page.Context.NewCDPSessionAsync(page);
        await meter.SendAsync("Performance.enable");
        var charts = page.Locator("article.chart").Filter(new() { HasText = "large-" });
        Assert.Equal(Charts, await charts.CountAsync());
        var over = charts.First.Locator(".u-over");
        await charts.Nth(2).ScrollIntoViewIfNeededAsync();
        await over.ScrollIntoViewIfNeededAsync();

        // Half of it, so that finer points are asked for and there is somewhere to move to.
        await page.Locator("[data-view=in]").EvaluateAsync("button => button.click()");
        await page.Locator("[data-view=out]").EvaluateAsync("button => button.click()");
        await page.Locator("[data-view=in]").EvaluateAsync("button => button.click()");
        await Eventually.TrueAsync(async () => await page.Locator("hub-chart[data-asking=true]").CountAsync() == 0 && host.Api.Asked.ToArray().Any(static one => one.Points > 900), "finer points are there");
        await page.EvaluateAsync("window.frames0 = []; (function count(at) { window.frames0.push(at); requestAnimationFrame(count); })(performance.now())");
        var box = (await over.BoundingBoxAsync())!;
        await page.Keyboard.DownAsync("Shift");
        await page.Mouse.MoveAsync(box.X + (box.Width / 2), box.Y + 60);
        await page.Mouse.DownAsync();
        var from = await page.EvaluateAsync<int>("window.frames0.length");
        var work = await WorkAsync(meter);
        for (var turn = 0; turn < 4; turn++)
        {
            await page.Mouse.MoveAsync(box.X + (box.Width * (turn % 2 == 0 ? 0.9f : 0.1f)), box.Y + 60, new() { Steps = 60 });
        }

        var steps = (await page.EvaluateAsync<double[]>("window.frames0.slice(1).map((at, index) => at - window.frames0[index])")).Skip(from).Order().ToArray();
        work = await WorkAsync(meter) - work;
        await page.Mouse.UpAsync();
        await page.Keyboard.UpAsync("Shift");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{what}, {Charts} charts: {steps.Length} frames, {1000 * steps.Length / steps.Sum():F0} frames/s, half of them within {steps[steps.Length / 2]:F1} ms, 95 % within {steps[(int)(steps.Length * 0.95)]:F1} ms, {1000 * work / steps.Length:F1} ms of the processor for each in the page's thread; at most {host.Api.Asked.Max(static one => one.Points)} points travelled at once");
        await Eventually.TrueAsync(async () => await page.Locator("hub-chart[data-asking=true]").CountAsync() == 0, "all is answered");
        Assert.NotEmpty(host.Api.Asked);
        Assert.All(host.Api.Asked.ToArray(), static one => Assert.InRange(one.Points, 0, 2_000));
        Assert.Empty(errors);
    }

    /// <summary>Processor time of the page's thread, seconds.</summary>
    private static async Task<double> WorkAsync(ICDPSession meter) =>
        (await meter.SendAsync("Performance.getMetrics"))!.Value.GetProperty("metrics").EnumerateArray().First(static one => one.GetProperty("name").GetString() == "ThreadTime").GetProperty("value").GetDouble();
}
