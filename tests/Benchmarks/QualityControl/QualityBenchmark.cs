using Hub.Cloud.Municipalities;
using Hub.Cloud.QualityControl;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Hub.Tests.Benchmarks.QualityControl;

/// <summary>
/// What quality control takes of a processor: a city of stations 300 m apart with PM2.5, temperature and humidity once a minute, or as often as asked, the embedded store, the hub's own checks, no rests. First a backlog
/// of whole days, then the last readings of a day for everybody, which is what a pass of a running hub costs at worst.
/// </summary>
internal static class QualityBenchmark
{
    private static readonly string[] Properties = ["pm2_5", "temperature", "relative_humidity"];

    /// <summary>Measures it with so many stations over so many days, a reading every so many seconds.</summary>
    public static async Task<int> RunAsync(int stationCount, int days, int seconds, TextWriter output)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(seconds, 1);
        var report = new Report(output);
        report.Heading($"Quality control, {stationCount} stations, {days} days, a reading every {seconds} s");
        using var folder = new TempFolder();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Hub:Data"] = folder.Path, ["Hub:QualityControl:ProcessorShare"] = "1" }).Build();
        var collection = new ServiceCollection().AddLogging().AddSingleton<IConfiguration>(configuration);
        collection.AddHubMunicipalities(configuration);
        collection.AddHubStations(configuration);
        collection.AddHubSeries(configuration);
        collection.AddHubQualityControl(configuration).AddHubQualityControlRunner();
        await using var services = collection.BuildServiceProvider();
        await services.MigrateMunicipalitiesAsync(default);
        await services.MigrateStationsAsync(default);
        await services.OpenSeriesAsync(default);
        await services.MigrateQualityControlAsync(default);
        await services.GetRequiredService<IMunicipalities>().SaveAsync(new Municipality("braga", "Braga", "Norte", "0303", 41.55, -8.42, "Europe/Lisbon"), default);
        var stations = services.GetRequiredService<IStations>();
        var streams = new List<int>();
        for (var station = 0; station < stationCount; station++)
        {
            var (registered, _) = await stations.RegisterAsync(new StationRegistration("braga", $"s{station}", $"S {station}", 41.5 + (station / 40 * 0.0027), -8.4 + (station % 40 * 0.0036)), default);
            foreach (var property in Properties)
            {
                streams.Add(await stations.ResolveAsync(registered.Id, "sds011", QuantityCatalogue.TryGet(property, out var quantity) ? quantity : throw new InvalidOperationException(property), seconds, default));
            }
        }

        var series = services.GetRequiredService<ISeries>();
        var start = new DateTime(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc);
        var levels = streams.Select(_ => 20.0).ToArray();
        var random = new Random(7);
        var count = days * 86_400 / seconds;
        for (var round = 0; round < count - 1; round++)
        {
            await series.AppendAsync(Round(round), default);
        }

        var runner = services.GetServices<IHostedService>().Single(service => service.GetType().Name == "QualityRunner");
        var quality = services.GetRequiredService<IQualityControl>();
        await runner.StartAsync(default);
        await MeasureAsync("backlog", streams.Count * days);
        await series.AppendAsync(Round(count - 1), default);
        await MeasureAsync("last readings of a day", streams.Count);
        var found = await quality.FindingsAsync(new FindingsQuery(streams, start, start.AddDays(days), null, 0, 10_000), default);
        report.Line($"findings: {string.Join(", ", found.GroupBy(one => one.Finding.Check).Select(group => $"{group.Key} {group.Count()}"))}");
        await runner.StopAsync(default);
        report.End();
        return report.ExitCode;

        async Task MeasureAsync(string name, int judged)
        {
            var (processor, began) = (Environment.CpuUsage.TotalTime, TimeProvider.System.GetTimestamp());
            await quality.CaughtUpAsync(default);
            var wall = TimeProvider.System.GetElapsedTime(began);
            var used = Environment.CpuUsage.TotalTime - processor;
            report.Line($"{name}: {judged} days of datastreams, wall {wall.TotalSeconds:0.0} s, processor {used.TotalSeconds:0.0} s, {used.TotalMilliseconds / judged:0.00} ms each");
        }

        // Steps of a tenth, and now and then something that stands out.
        Observation[] Round(int round)
        {
            var observations = new Observation[streams.Count];
            for (var stream = 0; stream < streams.Count; stream++)
            {
                levels[stream] = Math.Clamp(levels[stream] + (random.Next(-3, 4) / 10.0), 5, 80);
                observations[stream] = new Observation(streams[stream], start.AddSeconds(round * seconds), levels[stream] + (random.Next(5_000) == 0 ? 90 : 0), Quality.Good);
            }

            return observations;
        }
    }
}
