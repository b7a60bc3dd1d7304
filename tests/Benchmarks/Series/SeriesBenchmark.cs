using System.Globalization;

namespace Hub.Tests.Benchmarks.Series;

/// <summary>
/// Our store beside the servers people use, on the same readings, in the same minutes: durable ingest in batches of 5,000 by two writers, settled size, and the five questions. Ours is asked in its
/// process, the servers over HTTP, as each is used.
/// </summary>
internal static class SeriesBenchmark
{
    private const int BatchReadings = 5_000;
    private const int Writers = 2;
    private const int Runs = 7;
    private const double BytesGoal = 0.7;
    private const double TimesFastestGoal = 2;
    private const double LatestGoal = 1;

    // A store that needs longer for its seven runs is slow enough to be known by fewer.
    private static readonly TimeSpan QuestionLimit = TimeSpan.FromSeconds(20);

    // A store is asked for months, not for seven times: so long the runtime compiles what it runs, and caches fill.
    internal static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    private static readonly (QuestionKind Kind, string Name)[] Questions =
    [
        (QuestionKind.LatestOfAll, "latest of all"),
        (QuestionKind.Range, "24 h of one"),
        (QuestionKind.HourlyOfOne, "hourly, one"),
        (QuestionKind.HourlyOfMany, "hourly, 100"),
        (QuestionKind.TopTen, "top 10"),
    ];

    /// <summary>The wide workload W: many stations, a day and a bit.</summary>
    public static Task<int> WideAsync(int minutes, TextWriter output) => RunAsync("W", 2_000, minutes, output);

    /// <summary>The long workload L: few stations, many days.</summary>
    public static Task<int> LongAsync(int days, TextWriter output) => RunAsync("L", 92, days * 1_440, output);

    private static async Task<int> RunAsync(string name, int stations, int minutes, TextWriter output)
    {
        if (minutes < 1_440)
        {
            throw new ArgumentOutOfRangeException(nameof(minutes), minutes, "The questions look at 24 hours: give 1440 minutes or more.");
        }

        var report = new Report(output);
        report.Heading($"Series, workload {name}: {stations} stations x {CityWorkload.Quantities} quantities, {minutes} minutes");
        var seen = new List<Outcome>();
        foreach (var make in (Func<CityWorkload, Contender>[])[workload => new EmbeddedContender(workload), workload => new InfluxContender(workload), workload => new VictoriaContender(workload)])
        {
            await using var contender = make(new CityWorkload(stations, minutes));
            seen.Add(await MeasureAsync(contender, new CityWorkload(stations, minutes), report));
        }

        Print(report, seen);
        var ours = seen[0];
        var peers = seen.Skip(1).ToArray();
        report.AtMost("settled bytes per reading, without rollups and latest values", ours.BytesOfReading, BytesGoal, "B");
        foreach (var (question, i) in Questions.Select((question, i) => (question, i)))
        {
            var fastest = peers.Min(peer => peer.Answers[i].Milliseconds);
            report.AtMost($"{question.Name}, times the fastest peer", ours.Answers[i].Milliseconds / fastest, TimesFastestGoal, "x");
        }

        report.AtMost("latest of all", ours.Answers[0].Milliseconds, LatestGoal, "ms");
        report.End();
        return report.ExitCode;
    }

    private static async Task<Outcome> MeasureAsync(Contender contender, CityWorkload workload, Report report)
    {
        report.Line($"{contender.Name}: writing {workload.Readings / 1e6:0.0} million readings ...");
        var (start, end) = (CityWorkload.Start, workload.End);
        var truth = new Truth(Station: 7 % workload.Stations, end.AddHours(-24), end);
        GC.Collect();
        await contender.OpenAsync();
        ProcessFigures.ResetPeak(Environment.ProcessId);
        var embedded = contender is EmbeddedContender;
        var (clientBefore, storeBefore) = (Own(), embedded ? TimeSpan.Zero : contender.Figures.Processor);
        var from = TimeProvider.System.GetTimestamp();
        await WriteAsync(contender, workload, truth);
        var elapsed = TimeProvider.System.GetElapsedTime(from);
        var processor = Own() - clientBefore + (embedded ? TimeSpan.Zero : contender.Figures.Processor - storeBefore);
        var peak = contender.Figures.PeakMiB;

        report.Line($"{contender.Name}: {workload.Readings / elapsed.TotalSeconds / 1e6:0.00} million readings/s; settling ...");
        await contender.SettleAsync();
        var (bytes, readings) = ((double)contender.Bytes / workload.Readings, (double)contender.ReadingsBytes / workload.Readings);
        if (contender is EmbeddedContender store)
        {
            report.Line($"settled, bytes a reading: {store.SizeText}");
        }

        var check = await contender.CheckAsync(truth.Station, truth.From, truth.To);
        report.Must(
            check.Count == truth.Count && Math.Abs(check.Mean - (truth.Sum / truth.Count)) < 1e-6,
            $"{contender.Name} answers with the readings that were written: {check.Count} of {truth.Count} in a day of one series, mean {check.Mean:0.000000}");

        var answers = new List<Answer>();
        foreach (var (kind, _) in Questions)
        {
            answers.Add(await AskAsync(contender, kind, workload, start, end));
        }

        return new Outcome(contender.Name, workload.Readings / elapsed.TotalSeconds, processor.TotalSeconds / (workload.Readings / 1e6), peak, bytes, readings, answers);
    }

    private static async Task WriteAsync(Contender contender, CityWorkload workload, Truth truth)
    {
        var turn = new Lock();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
        {
            var write = contender.Writer();
            var visits = new Visit[BatchReadings / CityWorkload.Quantities];
            while (true)
            {
                int taken;
                lock (turn)
                {
                    taken = workload.Take(visits);
                    truth.See(visits.AsSpan(0, taken));
                }

                if (taken == 0)
                {
                    return;
                }

                await write(visits.AsMemory(0, taken));
            }
        })));
    }

    private static async Task<Answer> AskAsync(Contender contender, QuestionKind kind, CityWorkload workload, DateTime start, DateTime end)
    {
        var times = new List<double>();
        var began = TimeProvider.System.GetTimestamp();
        long size = 0;

        // The first ones warm up and are not counted, unless one alone takes all the time there is.
        var counted = 0;
        for (var run = 0; counted < Runs && (times.Count == 0 || TimeProvider.System.GetElapsedTime(began) < QuestionLimit); run++)
        {
            var isWarm = run > 0 && TimeProvider.System.GetElapsedTime(began) > WarmUp;
            counted += isWarm ? 1 : 0;
            var station = (run * 271) % workload.Stations;
            var question = kind switch
            {
                QuestionKind.LatestOfAll => new Question(kind, 0, end.AddMinutes(-5), end),
                QuestionKind.HourlyOfOne => new Question(kind, station, start, end),
                _ => new Question(kind, station, end.AddHours(-24), end),
            };
            var from = TimeProvider.System.GetTimestamp();
            size = await contender.AskAsync(question);
            if (TimeProvider.System.GetElapsedTime(from) is var elapsed && (isWarm || elapsed > QuestionLimit))
            {
                times.Add(elapsed.TotalMilliseconds);
            }
        }

        var rows = kind switch
        {
            QuestionKind.LatestOfAll => workload.SeriesCount,
            QuestionKind.Range => 1_440,
            QuestionKind.HourlyOfOne => workload.Minutes / 60,
            QuestionKind.HourlyOfMany => contender.Many * 24,
            _ => 10,
        };
        if (size < rows * contender.SizePerRowMin)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{contender.Name} answered {kind} with {size}; {rows} rows were expected."));
        }

        times.Sort();
        return new Answer(times[times.Count / 2], times.Count, size);
    }

    private static void Print(Report report, IReadOnlyList<Outcome> seen)
    {
        report.Line($"");
        report.Line($"Questions: median of {Runs} in ms (of fewer where it is said), after {WarmUp.TotalSeconds:0} s of questions that are not counted. CPU: store and client.");
        report.Line($"");
        string[] header = ["", "ingest readings/s", "CPU s/M", "peak RSS MiB", "B/reading settled", .. Questions.Select(question => question.Name)];
        var rows = seen.Select(outcome => (IReadOnlyList<string>)
        [
            outcome.Name, Report.Figure(outcome.Rate), Report.Figure(outcome.Processor), Report.Figure(outcome.PeakMiB), outcome.BytesPerReading.ToString("0.00", CultureInfo.InvariantCulture),
            .. outcome.Answers.Select(answer => Report.Figure(answer.Milliseconds) + (answer.Runs < Runs ? $" (of {answer.Runs.ToString(CultureInfo.InvariantCulture)})" : "")),
        ]).ToList();
        var (ours, peers) = (seen[0], seen.Skip(1).ToArray());
        rows.Add(
        [
            "ours / best peer", Ratio(ours.Rate / peers.Max(peer => peer.Rate)), Ratio(ours.Processor / peers.Min(peer => peer.Processor)), Ratio(ours.PeakMiB / peers.Min(peer => peer.PeakMiB)),
            Ratio(ours.BytesPerReading / peers.Min(peer => peer.BytesPerReading)),
            .. Questions.Select((_, i) => Ratio(ours.Answers[i].Milliseconds / peers.Min(peer => peer.Answers[i].Milliseconds))),
        ]);
        report.Table(header, rows);
    }

    private static string Ratio(double value) => string.Create(CultureInfo.InvariantCulture, $"{Report.Figure(value)} x");

    private static TimeSpan Own() => Environment.CpuUsage.TotalTime;

    private sealed record Outcome(string Name, double Rate, double Processor, double PeakMiB, double BytesPerReading, double BytesOfReading, IReadOnlyList<Answer> Answers);

    private readonly record struct Answer(double Milliseconds, int Runs, long Size);

    /// <summary>What was written of one series in a span. Used under the workload's lock.</summary>
    private sealed record Truth(int Station, DateTime From, DateTime To)
    {
        private readonly (long From, long To) _seconds = (Seconds(From), Seconds(To));

        public long Count { get; private set; }

        public double Sum { get; private set; }

        public void See(ReadOnlySpan<Visit> visits)
        {
            foreach (ref readonly var visit in visits)
            {
                if (visit.Station == Station && visit.Seconds >= _seconds.From && visit.Seconds < _seconds.To)
                {
                    (Count, Sum) = (Count + 1, Sum + visit.Pm25);
                }
            }
        }

        private static long Seconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond;
    }
}
