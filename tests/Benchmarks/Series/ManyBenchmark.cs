namespace Hub.Tests.Benchmarks.Series;

/// <summary>
/// The two questions about many series by themselves, many times, in a process that has asked them before: the comparison asks each eight times, so it also measures the compiler. Time of the processor
/// tells on a machine that others use.
/// </summary>
internal static class ManyBenchmark
{
    private const int Stations = 2_000;
    private const int Rounds = 3;

    /// <summary>Writes workload W and asks in three rounds.</summary>
    public static async Task<int> RunAsync(int minutes, TextWriter output)
    {
        var report = new Report(output);
        report.Heading($"Many series at once, workload W, {minutes} minutes");
        var workload = new CityWorkload(Stations, minutes);
        await using var store = new EmbeddedContender(new CityWorkload(Stations, minutes));
        await store.OpenAsync();
        var write = store.Writer();
        var visits = new Visit[1_000];
        for (int taken; (taken = workload.Take(visits)) > 0;)
        {
            await write(visits.AsMemory(0, taken));
        }

        await store.SettleAsync();
        foreach (var (kind, name, times) in new[] { (QuestionKind.HourlyOfMany, "hourly, 100", 150), (QuestionKind.TopTen, "top 10", 20) })
        {
            for (var round = 1; round <= Rounds; round++)
            {
                var walls = new double[times];
                var processor = Environment.CpuUsage.TotalTime;
                for (var i = 0; i < times; i++)
                {
                    var from = CityWorkload.Start.AddMinutes(i * 37 % (minutes - 1_439));
                    var began = TimeProvider.System.GetTimestamp();
                    await store.AskAsync(new Question(kind, i * 97 % Stations, from, from.AddDays(1)));
                    walls[i] = TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
                }

                Array.Sort(walls);
                report.Line(
                    $"{name}, round {round}: processor {(Environment.CpuUsage.TotalTime - processor).TotalMilliseconds / times:0.0} ms each; fastest {walls[0]:0.0}, median {walls[times / 2]:0.0} ms");
            }
        }

        report.End();
        return report.ExitCode;
    }
}
