using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Hub.Tests.Benchmarks.Ingest;
using Hub.Tests.Journeys.Programs;
using Microsoft.Playwright;

namespace Hub.Tests.Benchmarks.Portal;

/// <summary>
/// A city's page with thousands of stations whose values change all the time: what hundreds of open pages cost the hub, each listening to the live events and fetching itself anew once a minute as the page does, and how much of
/// a browser's main thread one of them takes.
/// </summary>
internal static class ViewersBenchmark
{
    private const int Stations = 2_000;
    private const int UpdatesPerSecond = 2_000;
    private const double MainThreadGoal = 0.5;
    private const double CoreGoal = 1;

    /// <summary>Once a minute a page fetches its regions anew (<c>refreshEvery</c> in live.ts).</summary>
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromMinutes(1);

    /// <summary>Runs it and prints the figures; 1 when a goal is missed.</summary>
    /// <param name="viewers">Open pages.</param>
    /// <param name="seconds">How long each stretch lasts.</param>
    /// <param name="output">Where the figures go.</param>
    public static async Task<int> RunAsync(int viewers, int seconds, TextWriter output)
    {
        var report = new Report(output);
        report.Heading($"Portal, live: {Stations} stations, {UpdatesPerSecond} updates/s, {viewers} viewers of the city");
        await using var hub = await HubUnderLoad.StartAsync(Stations);
        var now = TimeProvider.System.GetUtcNow();
        using var load = new LoadGenerator(hub.Stations, now.AddHours(-2).ToUnixTimeSeconds());
        await load.ConnectAsync(hub.MqttPort);
        await load.FirstSightAsync();
        report.Line($"{Stations} stations with {PackWriter.Readings} quantities each are known");

        var lasting = TimeSpan.FromSeconds(seconds);
        var rows = new List<IReadOnlyList<string>>();
        var alone = await StretchAsync("no viewer", []);
        double crowd;
        List<Viewer> watching = [];
        try
        {
            for (var i = 0; i < viewers; i++)
            {
                watching.Add(await Viewer.OpenAsync(hub.Http, i));
            }

            crowd = await StretchAsync($"{viewers} viewers", watching);
        }
        finally
        {
            watching.ForEach(viewer => viewer.Dispose());
        }

        report.Table(["", "hub, of a core", "updates/s", "p99 of an acknowledgement, ms", "events of a viewer a second", "kB of a viewer a second", "pages"], rows);
        var busy = await BrowserAsync();
        report.AtMost($"what {viewers} viewers cost the hub", crowd - alone, CoreGoal, "of a core");
        report.AtMost("main thread of a browser with the city's page", busy, MainThreadGoal, "of a core");
        report.End();
        return report.ExitCode;

        async Task<double> StretchAsync(string name, IReadOnlyList<Viewer> open)
        {
            using var enough = new CancellationTokenSource();
            var reading = open.Select(viewer => viewer.ReadAsync(enough.Token)).ToArray();
            var pages = PagesAsync(open.Count, enough.Token);
            await Task.Delay(TimeSpan.FromSeconds(2));
            foreach (var viewer in open)
            {
                viewer.Reset();
            }

            var (used, from) = (hub.Figures.Processor, TimeProvider.System.GetTimestamp());
            var (outcome, held) = await load.EvenlyAsync(UpdatesPerSecond / PackWriter.Readings, lasting);
            var elapsed = TimeProvider.System.GetElapsedTime(from).TotalSeconds;
            var share = (hub.Figures.Processor - used).TotalSeconds / elapsed;
            var events = open.Count == 0 ? 0 : open.Average(viewer => viewer.Events) / elapsed;
            await enough.CancelAsync();
            await Task.WhenAll(reading);
            report.Must(held == 0, $"{name}: no update had to wait for its connection");
            report.Must(open.All(viewer => viewer.Events > 0), $"{name}: every viewer heard of them");
            rows.Add([
                name, Report.Figure(share), Report.Figure(outcome.AcknowledgedPerSecond), Report.Figure(outcome.Latencies.Milliseconds(0.99)), Report.Figure(events),
                Report.Figure(open.Count == 0 ? 0 : open.Average(viewer => viewer.Bytes) / elapsed / 1e3), Report.Figure(await pages),
            ]);
            return share;
        }

        // As many pages as so many viewers fetch, at an even rate.
        async Task<long> PagesAsync(int open, CancellationToken stop)
        {
            if (open == 0)
            {
                return 0;
            }

            using var client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = System.Net.DecompressionMethods.None }) { BaseAddress = hub.Http };
            client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("br");
            client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("pt-PT");
            var pages = 0L;
            using var tick = new PeriodicTimer(RefreshEvery / open, TimeProvider.System);
            try
            {
                while (await tick.WaitForNextTickAsync(stop))
                {
                    using var answer = await client.GetAsync("m/load", stop);
                    await answer.Content.CopyToAsync(Stream.Null, stop);
                    answer.EnsureSuccessStatusCode();
                    pages++;
                }
            }
            catch (OperationCanceledException)
            {
                // The stretch is over.
            }

            return pages;
        }

        async Task<double> BrowserAsync()
        {
            await using var browser = await Browser.StartAsync();
            var page = await browser.OpenAsync(new Uri(hub.Http, "m/load").ToString());
            var debugger = await page.Context.NewCDPSessionAsync(page);
            await debugger.SendAsync("Performance.enable");

            // What it takes to open the page is not what it takes to keep it open.
            await load.EvenlyAsync(UpdatesPerSecond / PackWriter.Readings, TimeSpan.FromSeconds(10));
            const string values = "[...document.querySelectorAll('[data-value]')].map((one) => one.textContent)";
            var shown = await page.EvaluateAsync<string[]>(values);
            var (before, from) = (await TasksAsync(), TimeProvider.System.GetTimestamp());
            await load.EvenlyAsync(UpdatesPerSecond / PackWriter.Readings, lasting);
            var elapsed = TimeProvider.System.GetElapsedTime(from).TotalSeconds;
            var after = await TasksAsync();
            report.Line($"main thread: {(after["TaskDuration"] - before["TaskDuration"]) / elapsed * 100:0.0} % of a core, of it script {(after["ScriptDuration"] - before["ScriptDuration"]) / elapsed * 100:0.0}, layout {(after["LayoutDuration"] - before["LayoutDuration"]) / elapsed * 100:0.0}, style {(after["RecalcStyleDuration"] - before["RecalcStyleDuration"]) / elapsed * 100:0.0}; {after["Nodes"]:0} nodes");
            report.Must(await page.EvaluateAsync<string>("document.documentElement.dataset.live") == "live", $"the page is live");
            var changed = (await page.EvaluateAsync<string[]>(values)).Zip(shown, (one, other) => one == other ? 0 : 1).Sum();
            report.Must(changed > shown.Length / 2, $"{changed} of {shown.Length} values shown have changed");
            report.Must(browser.PageErrors.Count == 0, $"no script failed {string.Join("; ", browser.PageErrors)}");
            return (after["TaskDuration"] - before["TaskDuration"]) / elapsed;

            async Task<Dictionary<string, double>> TasksAsync() =>
                (await debugger.SendAsync("Performance.getMetrics"))!.Value.GetProperty("metrics").EnumerateArray().ToDictionary(one => one.GetProperty("name").GetString()!, one => one.GetProperty("value").GetDouble());
        }
    }

    /// <summary>One open page's event stream, read and thrown away, counted.</summary>
    private sealed class Viewer(Socket socket) : IDisposable
    {
        public long Events { get; private set; }

        public long Bytes { get; private set; }

        public static async Task<Viewer> OpenAsync(Uri hub, int number)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(hub.Host, hub.Port);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /api/v1/live?batch=true&municipality=load HTTP/1.1\r\nHost: {hub.Authority}\r\nUser-Agent: viewer-{number}\r\nAccept: text/event-stream\r\n\r\n"));
            return new Viewer(socket);
        }

        public void Reset() => (Events, Bytes) = (0, 0);

        public async Task ReadAsync(CancellationToken stop)
        {
            var buffer = new byte[128 * 1024];
            try
            {
                for (int count; (count = await socket.ReceiveAsync(buffer, stop)) > 0;)
                {
                    Bytes += count;
                    Events += Count(buffer.AsSpan(0, count));
                }
            }
            catch (OperationCanceledException)
            {
                // The stretch is over.
            }
        }

        public void Dispose() => socket.Dispose();

        private static int Count(ReadOnlySpan<byte> bytes)
        {
            var found = 0;
            for (int at; (at = bytes.IndexOf("event: observations"u8)) >= 0; bytes = bytes[(at + 1)..])
            {
                found++;
            }

            return found;
        }
    }
}
