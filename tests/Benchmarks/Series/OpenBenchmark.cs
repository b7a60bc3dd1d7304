using System.Globalization;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Tests.Benchmarks.Series;

/// <summary>
/// A store of a stated size, written straight into settled days; on top of it a process that appends at full speed and is killed with -9. How long opening takes in a new process, and whether it answers
/// as before: the counts of some series, and every reading that had been acknowledged.
/// </summary>
internal static class OpenBenchmark
{
    private const double GoalSeconds = 5;
    private const int Stations = 2_000;
    private const int Kills = 4;
    private const int Batch = 5_000;

    /// <summary>Runs it and prints the figures; 1 when the goal is missed or an answer is wrong.</summary>
    /// <param name="millions">Readings in settled days, millions; at least a day's 14.4 are made.</param>
    /// <param name="output">Where the figures go.</param>
    public static async Task<int> RunAsync(int millions, TextWriter output)
    {
        var days = Math.Max(1, (int)Math.Ceiling(millions * 1e6 / (Stations * CityWorkload.Quantities * 1_440)));
        var workload = new CityWorkload(Stations, days * 1_440);
        var report = new Report(output);
        report.Heading($"Series, opening: {workload.Readings / 1e6:0} million readings in {workload.SeriesCount} series over {days} days");
        using var folder = new TempFolder();
        var from = TimeProvider.System.GetTimestamp();
        SettledDays.Write(folder.File("series"), workload, series => series + 1);
        report.Line($"written as settled days in {TimeProvider.System.GetElapsedTime(from).TotalSeconds:0} s, {Contender.FolderBytes(folder.Path) / 1e6:0} MB");
        var rows = new List<IReadOnlyList<string>>();
        var (worst, acknowledged) = (0.0, 0L);
        var before = await OpenAsync(folder, acknowledged);
        rows.Add(Row("nothing in the log", before));
        for (var kill = 1; kill <= Kills; kill++)
        {
            // The log is longest when a table is about to be full, and two wait to be written.
            var wanted = acknowledged + 900_000 + (kill * 170_000);
            acknowledged = await AppendAndKillAsync(folder, acknowledged, wanted);
            var logBytes = Contender.FolderBytes(Path.Combine(folder.File("series"), "log"));
            var after = await OpenAsync(folder, acknowledged);
            worst = Math.Max(worst, after.Seconds);
            rows.Add(Row(string.Create(CultureInfo.InvariantCulture, $"killed, {logBytes / 1e6:0} MB of log"), after));
            report.Must(after.Settled == before.Settled && before.Settled == days * 1_440L * OpenedSeries, $"{OpenedSeries} series hold {after.Settled} readings in the settled days, as before");
            report.Must(after.Appended >= acknowledged, $"of {acknowledged} readings acknowledged since, {after.Appended} are there");
        }

        report.Table(["opened in a process of its own", "seconds", "processor s", "first answers ms", "resident MiB"], rows);
        report.AtMost("opening after kill -9", worst, GoalSeconds, "s");
        report.End();
        return report.ExitCode;
    }

    private const int OpenedSeries = 20;

    /// <summary>A process of the benchmark: opens the store and says what it sees, or appends until it is killed.</summary>
    public static async Task<int> ChildAsync(string verb, string folder)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Data", folder)]).Build();
        await using var services = new ServiceCollection().AddLogging().AddMetrics().AddHubSeries(configuration).BuildServiceProvider();
        var (from, processor) = (TimeProvider.System.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await services.OpenSeriesAsync(CancellationToken.None);
        var (opened, worked) = (TimeProvider.System.GetElapsedTime(from), Environment.CpuUsage.TotalTime - processor);
        var series = services.GetRequiredService<ISeries>();
        if (verb == "open")
        {
            from = TimeProvider.System.GetTimestamp();
            var settled = await CountAsync(series, [.. Enumerable.Range(0, OpenedSeries).Select(i => 1 + (i * 499))], DateTime.MaxValue);
            var answered = TimeProvider.System.GetElapsedTime(from);
            var appended = await CountAsync(series, [Stations * CityWorkload.Quantities + 1], DateTime.MaxValue);
            Console.WriteLine(FormattableString.Invariant($"opened {opened.TotalSeconds} {answered.TotalMilliseconds} {ProcessFigures.Of(Environment.ProcessId).ResidentMiB} {settled} {appended} {worked.TotalSeconds}"));

            // As a killed one: what is in the log stays there.
            using var self = System.Diagnostics.Process.GetCurrentProcess();
            self.Kill();
        }

        // Goes on behind what is there.
        for (var at = await CountAsync(series, [Stations * CityWorkload.Quantities + 1], DateTime.MaxValue); ; at += Batch)
        {
            var first = at;
            await series.AppendAsync(Enumerable.Range(0, Batch).Select(i => new Observation(
                Stations * CityWorkload.Quantities + 1, new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMilliseconds(first + i), (first + i) % 1_009 / 10.0, Quality.Good)).ToArray(), CancellationToken.None);
            Console.WriteLine(FormattableString.Invariant($"appended {at + Batch}"));
        }
    }

    private static async Task<long> CountAsync(ISeries series, int[] datastreams, DateTime to)
    {
        var query = new AggregateQuery(1, CityWorkload.Start, to, new BucketWidth(TimeSpan.FromDays(1)), Statistic.Count);
        return (await series.AggregateManyAsync(datastreams, query, CancellationToken.None)).Values.Sum(buckets => buckets.Sum(bucket => bucket.Count));
    }

    private static IReadOnlyList<string> Row(string what, Seen seen) => [what, Report.Figure(seen.Seconds), Report.Figure(seen.ProcessorSeconds), Report.Figure(seen.Milliseconds), Report.Figure(seen.MiB)];

    private static async Task<Seen> OpenAsync(TempFolder folder, long acknowledged)
    {
        await using var child = Child("open", folder);
        await child.ExitAsync(TimeSpan.FromMinutes(5));
        await child.Process.WaitForExitAsync();
        var words = child.Output.Split('\n').FirstOrDefault(line => line.StartsWith("opened", StringComparison.Ordinal))?.Split(' ')
            ?? throw new InvalidOperationException($"It did not open with {acknowledged} readings appended:\n{child.Output}");
        double Figure(int index) => double.Parse(words[index], CultureInfo.InvariantCulture);
        return new Seen(Figure(1), Figure(2), Figure(3), (long)Figure(4), (long)Figure(5), Figure(6));
    }

    /// <summary>What had been acknowledged when it was killed.</summary>
    private static async Task<long> AppendAndKillAsync(TempFolder folder, long before, long wanted)
    {
        await using var child = Child("append", folder);
        long Said() => child.Output.Split('\n').Where(line => line.StartsWith("appended", StringComparison.Ordinal)).Select(line => long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture)).LastOrDefault(before);
        await Eventually.TrueAsync(() => child.HasExited ? throw new InvalidOperationException(child.Output) : Said() >= wanted, "readings are appended", TimeSpan.FromMinutes(5));
        await child.KillAsync();
        return Said();
    }

    private static RunningProgram Child(string verb, TempFolder folder) => new("dotnet", [typeof(OpenBenchmark).Assembly.Location, "series-open-child", verb, folder.Path]);

    private sealed record Seen(double Seconds, double Milliseconds, double MiB, long Settled, long Appended, double ProcessorSeconds);
}
