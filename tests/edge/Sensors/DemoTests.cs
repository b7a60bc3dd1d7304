using System.Globalization;
using System.Security.Cryptography;
using Hub.Edge.Sensors.Replay;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Edge.Sensors.Tests;

/// <summary>What firmware-config/demo promises.</summary>
public sealed class DemoTests
{
    private static readonly DateTimeOffset Anchor = new(2026, 11, 22, 15, 4, 5, TimeSpan.Zero);

    public static TheoryData<string> StationFiles => [.. Demo.Stations.Select(file => Path.GetRelativePath(Demo.Folder, file))];

    [Fact]
    public void Files_are_the_publishers_and_stay_small()
    {
        string[][] sources = [.. File.ReadLines(Path.Combine(Demo.Folder, "sources.csv")).Skip(1).Select(line => line.Replace("\"City of Aarhus, CityPulse\"", "Aarhus", StringComparison.Ordinal).Split(','))];
        foreach (string[] source in sources)
        {
            Assert.Equal(source[3], Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Demo.Data(source[0])))));
        }

        string[] data = [.. Directory.EnumerateFiles(Path.Combine(Demo.Folder, "data")).Select(file => Path.GetFileName(file)!).Where(name => name.EndsWith(".gz", StringComparison.Ordinal) || name.EndsWith(".csv", StringComparison.Ordinal))];
        Assert.Equal(data.Order(StringComparer.Ordinal), sources.Select(source => source[0]).Order(StringComparer.Ordinal));
        Assert.InRange(Directory.EnumerateFiles(Demo.Folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length), 1, 6_000_000);
        string notice = File.ReadAllText(Path.Combine(Demo.Folder, "SOURCES.md"));
        Assert.All(sources, source => Assert.Contains(source[2], notice, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_municipality_has_four_stations_with_air_traffic_and_noise()
    {
        ILookup<string, Dictionary<string, string>> stations = Demo.Stations
            .Select(file => Demo.Yaml(file).ToDictionary(pair => pair.Key, pair => pair.Value))
            .ToLookup(station => station["municipality"]);
        string[] slugs = [.. Demo.Yaml(Path.Combine(Demo.Folder, "municipalities.yaml")).Where(pair => pair.Key.EndsWith(":slug", StringComparison.Ordinal)).Select(pair => pair.Value)];
        Assert.Equal(["braga", "aveiro", "evora"], slugs);
        Assert.All(slugs, slug =>
        {
            Assert.True(stations[slug].Count() >= 4);
            string[] formats = [.. stations[slug].SelectMany(station => station).Where(pair => pair.Key.EndsWith(":format", StringComparison.Ordinal)).Select(pair => pair.Value)];
            Assert.Contains("ostluft", formats);
            Assert.Contains("citypulse", formats);
            Assert.Contains("noisemonitor", formats);
        });
    }

    [Theory]
    [MemberData(nameof(StationFiles))]
    public async Task Station_runs_and_says_whose_data_it_shows(string file)
    {
        string path = Path.Combine(Demo.Folder, file);
        Dictionary<string, string> station = Demo.Yaml(path).ToDictionary(pair => pair.Key, pair => pair.Value);
        Assert.Equal(Path.Combine("stations", station["municipality"], station["station"] + ".yaml"), file);
        Assert.InRange(double.Parse(station["location:latitude"], CultureInfo.InvariantCulture), 38, 42);
        Assert.InRange(double.Parse(station["location:longitude"], CultureInfo.InvariantCulture), -9, -7);
        SensorsOptions options = Options(path);
        Assert.All(options.Sensors, sensor => Assert.Contains(sensor.Replay!.Licence, station["attribution"], StringComparison.Ordinal));
        Assert.StartsWith("Replay", station["attribution"], StringComparison.Ordinal);

        var clock = new WaitedClock(Anchor);
        await using ServiceProvider provider = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(clock).AddHubSensors(Demo.Configuration(path, $"{Anchor:O}")).BuildServiceProvider();
        ISensor[] sensors = [.. provider.GetServices<ISensor>()];
        Assert.Equal(options.Sensors.Select(sensor => sensor.Name), sensors.Select(sensor => sensor.Name));
        foreach (ISensor sensor in sensors)
        {
            await using var run = new SensorRun(sensor, clock);
            List<Measurement> backlog = await run.AllAsync();
            DateTime newest = backlog.Max(measurement => measurement.ObservedAt!.Value + measurement.Period);
            Assert.True(newest > Anchor.UtcDateTime.AddHours(-1), $"The newest value of {sensor.Name} is of {newest:O}.");
        }
    }

    [Fact]
    public async Task Noise_event_trips_and_ends_as_the_station_file_says()
    {
        Dictionary<string, string> rule = Rules().Single(candidate => candidate["slug"] == "praca-da-republica-noise-event");
        List<(DateTime ConditionAt, DateTime StartedAt, DateTime EndedAt)> episodes = await EpisodesAsync(rule, Anchor.AddMinutes(3));
        (DateTime ConditionAt, DateTime StartedAt, DateTime EndedAt) first = episodes.First(episode => episode.StartedAt >= Anchor.UtcDateTime);
        Assert.Equal(TimeSpan.FromSeconds(30), first.ConditionAt - Anchor.UtcDateTime);
        Assert.Equal(TimeSpan.FromSeconds(33), first.StartedAt - Anchor.UtcDateTime);
        Assert.Equal(TimeSpan.FromSeconds(44), first.EndedAt - Anchor.UtcDateTime);
    }

    /// <summary>Which rules the week before the first start trips, and which it does not.</summary>
    [Fact]
    public async Task Rules_trip_in_the_backlog_as_their_comments_say()
    {
        List<string> tripped = [];
        List<string> quiet = [];
        foreach (Dictionary<string, string> rule in Rules())
        {
            List<(DateTime, DateTime, DateTime)> episodes = await EpisodesAsync(rule, Anchor);
            (episodes.Count > 0 ? tripped : quiet).Add($"{rule["municipality"]}/{rule["slug"]} {episodes.Count}");
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", tripped));
        Assert.Equal(
            ["braga/praca-da-republica-noise-event", "braga/no2-very-poor", "braga/pm2-5-poor", "aveiro/pm10-high", "aveiro/no2-poor", "aveiro/a25-slow", "evora/o3-poor", "evora/portas-de-lagoa-jam", "evora/noise-high"],
            tripped.Select(text => text.Split(' ')[0]));
        Assert.Equal(["braga/o3-information", "aveiro/o3-information", "evora/o3-information"], quiet.Select(text => text.Split(' ')[0]));
    }

    private static IEnumerable<Dictionary<string, string>> Rules() => Demo.Yaml(Path.Combine(Demo.Folder, "rules.yaml"))
        .Select(pair => (Parts: pair.Key.Split(':'), pair.Value))
        .GroupBy(pair => pair.Parts[1])
        .Select(group => group.ToDictionary(pair => pair.Parts[2], pair => pair.Value));

    private static async Task<List<(DateTime ConditionAt, DateTime StartedAt, DateTime EndedAt)>> EpisodesAsync(Dictionary<string, string> rule, DateTimeOffset now)
    {
        List<(DateTime, DateTime, DateTime)> episodes = [];
        foreach (string file in Demo.Stations.Where(file => file.Contains(Path.Combine("stations", rule["municipality"]), StringComparison.Ordinal)))
        {
            if (rule.TryGetValue("station", out string? station) && station != Path.GetFileNameWithoutExtension(file))
            {
                continue;
            }

            SensorsOptions options = Options(file);
            foreach (SensorOptions sensor in options.Sensors.Where(sensor => !rule.TryGetValue("sensor", out string? wanted) || wanted == sensor.Name))
            {
                List<Measurement> all = await SensorRun.BacklogAsync(sensor, options.Replay, now);
                int period = int.Parse(rule["period_seconds"], CultureInfo.InvariantCulture);
                episodes.AddRange(Episodes(rule, all.Where(measurement => measurement.Property == rule["property"] && measurement.Period.TotalSeconds == period)));
            }
        }

        return episodes;
    }

    private static IEnumerable<(DateTime, DateTime, DateTime)> Episodes(Dictionary<string, string> rule, IEnumerable<Measurement> measurements)
    {
        double sign = rule["crossing"] == "above" ? 1 : -1;
        double set = sign * double.Parse(rule["set_level"], CultureInfo.InvariantCulture);
        double clear = sign * double.Parse(rule["clear_level"], CultureInfo.InvariantCulture);
        TimeSpan hold = TimeSpan.Parse(rule["for"], CultureInfo.InvariantCulture);
        DateTime? condition = null;
        DateTime? started = null;
        foreach (Measurement measurement in measurements.OrderBy(measurement => measurement.ObservedAt))
        {
            double value = sign * measurement.Value;
            DateTime at = measurement.ObservedAt!.Value;
            if (started is not null && value <= clear)
            {
                yield return (condition!.Value, started.Value, at);
                (condition, started) = (null, null);
            }
            else if (started is null)
            {
                condition = value >= set ? condition ?? at : null;
                started = condition is not null && at - condition >= hold ? at : null;
            }
        }
    }

    private static SensorsOptions Options(string stationFile)
    {
        var options = new SensorsOptions();
        Demo.Configuration(stationFile, $"{Anchor:O}").GetSection(SensorsOptions.Section).Bind(options);
        return options;
    }
}
