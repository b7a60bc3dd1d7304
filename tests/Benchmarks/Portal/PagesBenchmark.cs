using System.Globalization;
using Hub.Tests.Benchmarks.Ingest;
using Hub.Tests.Benchmarks.Series;
using Hub.Tests.Journeys.Programs;
using Microsoft.Playwright;

namespace Hub.Tests.Benchmarks.Portal;

/// <summary>How long the hub's public pages take at an even rate of requests, with a year of readings behind them: an open loop, so that a request that waits is counted from when it should have left.</summary>
internal static class PagesBenchmark
{
    private const int PerSecond = 200;
    private const double Goal = 100;
    private const double FirstContentGoal = 1_000;
    private const int FirstVisits = 5;

    /// <summary>Connections of the visitors' browsers; one that is busy makes the next request wait, which counts.</summary>
    private const int ConnectionsMax = 256;

    /// <summary>Runs it and prints the figures; 1 when the goal is missed.</summary>
    /// <param name="stations">Stations.</param>
    /// <param name="days">Days of readings, once a minute, five quantities each.</param>
    /// <param name="seconds">How long is measured.</param>
    /// <param name="output">Where the figures go.</param>
    public static async Task<int> RunAsync(int stations, int days, int seconds, TextWriter output)
    {
        var workload = new CityWorkload(stations, days * 1_440);
        var report = new Report(output);
        report.Heading($"Portal, pages: {PerSecond} requests/s over {stations} stations with {days} days of readings ({workload.Readings / 1e6:0} million)");
        await using var hub = await HubUnderLoad.StartAsync(stations);

        // The settled days end three days ago; then each station publishes what is new.
        var today = TimeProvider.System.GetUtcNow().UtcDateTime.Date;
        var earlier = (int)(CityWorkload.Start.AddDays(days + 1) - today.AddDays(-2)).TotalDays;
        using (var first = new LoadGenerator(hub.Stations, new DateTimeOffset(today.AddDays(-2)).ToUnixTimeSeconds()))
        {
            await first.ConnectAsync(hub.MqttPort);
            await first.FirstSightAsync();
        }

        await hub.RestartAsync((series, datastreams) => SettledDays.Write(series, workload, number => datastreams[number], earlier));
        using var load = new LoadGenerator(hub.Stations, TimeProvider.System.GetUtcNow().AddHours(-3).ToUnixTimeSeconds());
        await load.ConnectAsync(hub.MqttPort);
        await load.SaturateAsync(4, TimeSpan.FromSeconds(4));
        report.Line($"a year is stored, the last hours were published; memory {hub.Figures.ResidentMiB:0} MiB");

        // What visitors open: mostly the city and a station near them, then the pages about air, noise and traffic, which reach back over weeks and a year.
        var random = new Random(20261127);
        string Station() => hub.Stations[random.Next(hub.Stations.Count)].Slug;
        (string Kind, int Share, Func<string> Address)[] kinds =
        [
            ("city", 30, () => random.Next(3) == 0 ? "" : "m/load"),
            ("station, 24 h", 30, () => $"stations/load/{Station()}"),
            ("station, 30 days", 2, () => $"stations/load/{Station()}?span=30d"),
            ("air", 12, () => $"m/load/air?station={Station()}"),
            ("noise", 8, () => $"m/load/noise?station={Station()}"),
            ("traffic", 8, () => $"m/load/traffic?station={Station()}"),
            ("alarms, wall, about", 10, () => random.Next(3) switch { 0 => "alarms", 1 => "wall", _ => "about" }),
        ];
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = ConnectionsMax }) { BaseAddress = hub.Http, Timeout = TimeSpan.FromMinutes(1) };
        client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("br");
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("pt-PT");
        var times = kinds.ToDictionary(kind => kind.Kind, _ => new List<double>());
        var (busy, wrong) = (0, 0);

        // Warm: the same for as long, not counted. A hub runs for months.
        await AskAsync();
        foreach (var kind in times.Values)
        {
            kind.Clear();
        }

        (busy, wrong) = (0, 0);
        var used = hub.Figures.Processor;
        var own = Environment.CpuUsage.TotalTime;
        var began = TimeProvider.System.GetTimestamp();
        await AskAsync();
        var elapsed = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var rows = times.Select(kind => (IReadOnlyList<string>)[kind.Key, kind.Value.Count.ToString(CultureInfo.InvariantCulture), Report.Figure(At(kind.Value, 0.5)), Report.Figure(At(kind.Value, 0.99)), Report.Figure(kind.Value.Max())]).ToList();
        List<double> all = [.. times.Values.SelectMany(one => one)];
        rows.Add(["all", all.Count.ToString(CultureInfo.InvariantCulture), Report.Figure(At(all, 0.5)), Report.Figure(At(all, 0.99)), Report.Figure(all.Max())]);
        report.Table(["page", "asked", "p50 ms", "p99 ms", "most ms"], rows);
        report.Line($"the hub took {(hub.Figures.Processor - used).TotalSeconds / elapsed:0.00} of a core, this program {(Environment.CpuUsage.TotalTime - own).TotalSeconds / elapsed:0.00}");
        report.Must(wrong == 0, $"{wrong} answers were neither the page nor that it is busy");
        report.AtMost("first content of the slowest page in a browser that has nothing of the hub yet, median", await FirstContentAsync(), FirstContentGoal, "ms");
        report.AtMost("pages that were too busy", 100.0 * busy / all.Count, 1, "%");
        report.AtMost("p99 of all pages", At(all, 0.99), Goal, "ms");
        report.End();
        return report.ExitCode;

        // In a profile that has nothing of the hub, by a browser that runs already, nothing else going on: what a citizen waits for on a machine as fast as the hub's own.
        async Task<double> FirstContentAsync()
        {
            await using var browser = await Browser.StartAsync();
            List<IReadOnlyList<string>> seen = [];
            var slowest = 0.0;
            (string Name, Func<string> Address)[] pages =
            [
                ("the browser's own start, not counted", static () => "about"),
                ("/", static () => ""), ("city", static () => "m/load"), ("station", () => $"stations/load/{Station()}"), ("air", () => $"m/load/air?station={Station()}"),
                ("noise", () => $"m/load/noise?station={Station()}"), ("traffic", () => $"m/load/traffic?station={Station()}"), ("alarms", static () => "alarms"),
                ("wall", static () => "wall"), ("open data", static () => "open-data"), ("about", static () => "about"), ("subscribe", static () => "subscribe"),
            ];
            foreach (var (name, address) in pages)
            {
                List<double> content = [], answer = [];
                var script = 0.0;
                for (var visit = 0; visit < FirstVisits; visit++)
                {
                    var page = await browser.OpenAsync(new Uri(hub.Http, address()).ToString(), 390, 844);
                    await page.WaitForLoadStateAsync(LoadState.Load);
                    content.Add(await page.EvaluateAsync<double>("new Promise((done) => new PerformanceObserver((list) => { const one = list.getEntriesByName('first-contentful-paint')[0]; if (one) done(one.startTime); }).observe({ type: 'paint', buffered: true }))"));
                    answer.Add(await page.EvaluateAsync<double>("performance.getEntriesByType('navigation')[0].responseEnd"));
                    script = await page.EvaluateAsync<double>("[...document.querySelectorAll('script[src], link[rel=modulepreload]')].flatMap((one) => performance.getEntriesByName(one.src || one.href)).reduce((sum, one) => sum + one.encodedBodySize, 0) / 1000");
                    await page.Context.CloseAsync();
                }

                var median = At(content, 0.5);
                seen.Add([name, Report.Figure(At(answer, 0.5)), Report.Figure(median), Report.Figure(content.Max()), Report.Figure(script)]);
                slowest = address == pages[0].Address ? slowest : Math.Max(slowest, median);
            }

            report.Table([$"first visit of a page, {FirstVisits} times", "answer ms", "first content ms", "most ms", "script kB"], seen);
            return slowest;
        }

        async Task AskAsync()
        {
            var from = TimeProvider.System.GetTimestamp();
            List<Task> asked = [];
            using (var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(1), TimeProvider.System))
            {
                for (var sent = 0; sent < PerSecond * seconds && await tick.WaitForNextTickAsync();)
                {
                    for (var due = Math.Min(PerSecond * seconds, (int)(TimeProvider.System.GetElapsedTime(from).TotalSeconds * PerSecond)); sent < due; sent++)
                    {
                        var (pick, at) = (random.Next(kinds.Sum(kind => kind.Share)), 0);
                        while ((pick -= kinds[at].Share) >= 0)
                        {
                            at++;
                        }

                        var (address, kind, should) = (kinds[at].Address(), kinds[at].Kind, TimeSpan.FromSeconds((double)sent / PerSecond));
                        asked.Add(Task.Run(async () =>
                        {
                            using var answer = await client.GetAsync(address);
                            await answer.Content.CopyToAsync(Stream.Null);
                            var took = (TimeProvider.System.GetElapsedTime(from) - should).TotalMilliseconds;
                            lock (times)
                            {
                                times[kind].Add(took);
                                busy += answer.StatusCode == System.Net.HttpStatusCode.ServiceUnavailable ? 1 : 0;
                                wrong += answer.IsSuccessStatusCode || answer.StatusCode == System.Net.HttpStatusCode.ServiceUnavailable ? 0 : 1;
                            }
                        }));
                    }
                }
            }

            await Task.WhenAll(asked);
        }
    }

    private static double At(List<double> times, double share)
    {
        times.Sort();
        return times.Count == 0 ? 0 : times[(int)Math.Ceiling(times.Count * share) - 1];
    }
}
