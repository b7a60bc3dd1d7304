using Hub.Cloud.Series;

namespace Hub.Tests.Benchmarks.Series;

/// <summary>A year of a city at a stated scale in our store, then the questions of dashboards over many series drawn at random: how long the slowest of a hundred takes.</summary>
internal static class YearBenchmark
{
    private const int Batch = 20_000;
    private const int Asked = 300;
    private const double Goal = 100;

    /// <summary>More readings than these do not pass the front door: it would take half an hour.</summary>
    private const long FrontDoorMax = 500_000_000;

    private static readonly TimeSpan QuestionLimit = TimeSpan.FromSeconds(20);

    /// <summary>Runs it and prints the figures; 1 when a goal is missed.</summary>
    /// <param name="stations">Stations, 10 or more.</param>
    /// <param name="days">Days, 31 or more.</param>
    /// <param name="rollups">Rollups kept, as <c>Hub:Series:Rollups</c> names them; null for the default.</param>
    /// <param name="output">Where the figures go.</param>
    public static async Task<int> RunAsync(int stations, int days, string? rollups, TextWriter output)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stations, 10);
        ArgumentOutOfRangeException.ThrowIfLessThan(days, 31);
        var workload = new CityWorkload(stations, days * 1_440);
        var report = new Report(output);
        report.Heading($"Series, dashboards over {days} days of {stations} stations: {workload.Readings / 1e6:0} million readings in {workload.SeriesCount} series, once a minute");
        await using var store = new EmbeddedContender(new CityWorkload(stations, days * 1_440), rollups);
        report.Line($"rollups kept: {rollups ?? "the default"}");
        ProcessFigures.ResetPeak(Environment.ProcessId);
        var from = TimeProvider.System.GetTimestamp();
        if (workload.Readings > FrontDoorMax)
        {
            report.Line($"written straight into settled days, as the compaction leaves them; rolled up by the store ...");
            await store.OpenSettledAsync(workload, line => report.Line($"{line}, {TimeProvider.System.GetElapsedTime(from).TotalSeconds:0} s"));
        }
        else
        {
            await store.OpenAsync();
            var write = store.Writer();
            var visits = new Visit[Batch / CityWorkload.Quantities];
            for (int taken; (taken = workload.Take(visits)) > 0;)
            {
                await write(visits.AsMemory(0, taken));
            }

            var elapsed = TimeProvider.System.GetElapsedTime(from);
            report.Line($"written through the front door at {workload.Readings / elapsed.TotalSeconds / 1e6:0.00} million readings/s, by one writer in batches of {Batch}; settling ...");
            await store.SettleAsync();
        }

        report.Line($"settled, bytes a reading: {store.SizeText}");
        report.Line($"{(double)store.Bytes / workload.Readings:0.00} bytes a reading; peak of the resident memory {store.Figures.PeakMiB:0} MiB");
        report.Line($"");

        var series = store.Store;
        var random = new Random(20261126);
        var lisbon = new BucketWidth(TimeSpan.FromDays(1), TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon"));
        var hour = new BucketWidth(TimeSpan.FromHours(1));
        int Any() => 1 + random.Next(workload.SeriesCount);
        DateTime Within(int span) => CityWorkload.Start.AddDays(random.NextDouble() * (days - span)).Date;

        var rows = new List<IReadOnlyList<string>>();
        var worst = 0.0;
        ProcessFigures.ResetPeak(Environment.ProcessId);
        await MeasureAsync("24 h of one series, any day", async () =>
        {
            var (datastream, begin, found) = (Any(), Within(1), 0L);
            await foreach (var _ in series.RangeAsync(datastream, begin, begin.AddDays(1), CancellationToken.None))
            {
                found++;
            }

            return found;
        });
        await MeasureAsync("30 days of one, hourly", async () =>
        {
            var begin = Within(30);
            return (await series.AggregateAsync(new AggregateQuery(Any(), begin, begin.AddDays(30), hour, Statistic.Mean), CancellationToken.None)).Count;
        });
        await MeasureAsync("latest of all", () => store.AskAsync(new Question(QuestionKind.LatestOfAll, 0, workload.End.AddMinutes(-5), workload.End)));
        await MeasureAsync("all days of one, legal days", async () =>
            (await series.AggregateAsync(new AggregateQuery(Any(), CityWorkload.Start, workload.End, lisbon, Statistic.Mean), CancellationToken.None)).Count);
        int[] many = [.. Enumerable.Range(1, Math.Min(100, workload.SeriesCount))];
        await MeasureAsync($"all days of {many.Length}, legal days", async () =>
            (await series.AggregateManyAsync(many, new AggregateQuery(0, CityWorkload.Start, workload.End, lisbon, Statistic.Mean), CancellationToken.None)).Values.Sum(buckets => buckets.Count));
        await MeasureAsync("top 10 stations by 24 h mean", async () =>
        {
            var begin = Within(1);
            return await store.AskAsync(new Question(QuestionKind.TopTen, 0, begin, begin.AddDays(1)));
        });
        report.Table(["question", "asked", "p50 ms", "p99 ms", "most ms", "processor ms", "rows"], rows);
        report.Line($"peak of the resident memory while asking: {store.Figures.PeakMiB:0} MiB");
        report.AtMost("p99 of the slowest question", worst, Goal, "ms");
        report.End();
        return report.ExitCode;

        async Task MeasureAsync(string name, Func<Task<long>> ask)
        {
            var times = new List<double>();
            var (began, found) = (TimeProvider.System.GetTimestamp(), 0L);
            var processor = TimeSpan.Zero;
            for (var i = 0; times.Count < Asked && (times.Count == 0 || TimeProvider.System.GetElapsedTime(began) < QuestionLimit); i++)
            {
                var at = TimeProvider.System.GetTimestamp();
                var used = Environment.CpuUsage.TotalTime;
                found = await ask();

                // The first ones warm up and are not counted, unless one alone takes all the time there is: a hub is asked for months.
                var isWarm = i > 0 && TimeProvider.System.GetElapsedTime(began) > SeriesBenchmark.WarmUp;
                processor += isWarm ? Environment.CpuUsage.TotalTime - used : TimeSpan.Zero;
                if (TimeProvider.System.GetElapsedTime(at) is var elapsed && (isWarm || elapsed > QuestionLimit))
                {
                    times.Add(elapsed.TotalMilliseconds);
                }
            }

            if (found == 0)
            {
                throw new InvalidOperationException($"'{name}' found nothing.");
            }

            times.Sort();
            var p99 = times[(int)Math.Ceiling(times.Count * 0.99) - 1];
            worst = Math.Max(worst, p99);
            rows.Add([name, Report.Figure(times.Count), Report.Figure(times[times.Count / 2]), Report.Figure(p99), Report.Figure(times[^1]), Report.Figure(processor.TotalMilliseconds / times.Count), Report.Figure(found)]);
        }
    }
}
