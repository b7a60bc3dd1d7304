using Hub.Tests.Benchmarks.Series;

namespace Hub.Tests.Benchmarks.Ingest;

/// <summary>What the real hub program needs of memory on a large store, while stations publish as fast as it takes and clients ask for everything and read slowly.</summary>
internal static class MemoryBenchmark
{
    private const int Stations = 50;
    private const int Window = 16;
    private const int Readers = 8;
    private const double Goal = 600;
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(20);

    /// <summary>Runs it and prints the figures; 1 when the goal is missed.</summary>
    /// <param name="millions">Readings in the store, millions.</param>
    /// <param name="seconds">How long each stretch lasts.</param>
    /// <param name="output">Where the figures go.</param>
    public static async Task<int> RunAsync(int millions, int seconds, TextWriter output)
    {
        var days = Math.Max(1, (int)Math.Ceiling(millions * 1e6 / (Stations * CityWorkload.Quantities * 1_440)));
        var workload = new CityWorkload(Stations, days * 1_440);
        var report = new Report(output);
        report.Heading($"Memory of the hub: {workload.Readings / 1e6:0} million readings over {days} days, {Stations} stations that publish as fast as they can, {Readers} slow readers of everything");
        await using var hub = await HubUnderLoad.StartAsync(Stations);

        // The settled days end three days ago; stations publish from the day before yesterday on, as the hub takes nothing of the future.
        var today = TimeProvider.System.GetUtcNow().UtcDateTime.Date;
        var start = (today.AddDays(-2).Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond;
        var earlier = (int)(CityWorkload.Start.AddDays(days + 1) - today.AddDays(-2)).TotalDays;
        using (var first = new LoadGenerator(hub.Stations, start))
        {
            await first.ConnectAsync(hub.MqttPort);
            await first.FirstSightAsync();
        }

        await hub.RestartAsync((series, datastreams) => SettledDays.Write(series, workload, number => datastreams[number], earlier));
        using var load = new LoadGenerator(hub.Stations, start + 3_600);
        await load.ConnectAsync(hub.MqttPort);
        var rows = new List<IReadOnlyList<string>>();
        var worst = 0.0;
        void Note(string what, string more)
        {
            var figures = hub.Figures;
            worst = Math.Max(worst, figures.PeakMiB);
            rows.Add([what, Report.Figure(figures.PeakMiB), Report.Figure(figures.ResidentMiB), more]);
        }

        Note("started", "");
        hub.ResetPeak();
        var alone = await load.SaturateAsync(Window, TimeSpan.FromSeconds(seconds));
        Note("ingest alone", $"{Report.Figure(alone.AcknowledgedPerSecond)} readings/s");
        hub.ResetPeak();
        using (var enough = new CancellationTokenSource(TimeSpan.FromSeconds(seconds)))
        {
            var (answers, refused, bytes) = await hub.AskForEverythingAsync(Readers, Slow, enough.Token);
            Note("asked for everything", $"{answers} answers, {refused} refused, {bytes / 1e6:0} MB");
            report.Must(answers > 0, $"{answers} answers were read to their end");
        }

        hub.ResetPeak();
        using (var enough = new CancellationTokenSource())
        {
            var asking = hub.AskForEverythingAsync(Readers, Slow, enough.Token);
            var beside = await load.SaturateAsync(Window, TimeSpan.FromSeconds(seconds));
            await enough.CancelAsync();
            var (answers, refused, bytes) = await asking;
            Note("both", $"{Report.Figure(beside.AcknowledgedPerSecond)} readings/s, p99 {Report.Figure(beside.Latencies.Milliseconds(0.99))} ms; {answers} answers, {refused} refused, {bytes / 1e6:0} MB");
        }

        report.Table(["", "peak MiB", "at the end MiB", ""], rows);
        report.AtMost("peak of the resident memory", worst, Goal, "MiB");
        report.End();
        return report.ExitCode;
    }
}
