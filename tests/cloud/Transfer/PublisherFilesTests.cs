using System.Globalization;
using Hub.Cloud.Series;
using Hub.Cloud.Transfer.Import;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hub.Cloud.Transfer.Tests;

/// <summary>The publishers' files of the demonstration, by the mapping that comes with the hub, into the real store: a year of measurements.</summary>
public sealed class PublisherFilesTests
{
    private static readonly string Data = Path.Combine(Repository.Root, "firmware-config", "demo", "data");
    private static readonly string Mapping = Path.Combine(Repository.Root, "firmware-config", "import", "publishers.yaml");

    /// <summary>Which datastream holds a series of facts.csv: file, series, station, sensor, property, period, factor.</summary>
    private static readonly (string File, string Series, string Station, string Sensor, string Property, int Period, double Factor)[] Known =
    [
        .. new[]
        {
            ("CO", "co", 1.1644), ("Hr", "relative_humidity", 1), ("NO", "no", 1.2474), ("NO2", "no2", 1.9125), ("NOx", "nox", 1.9125), ("O3", "o3", 1.9953), ("p", "pressure", 1), ("PM10", "pm10", 1), ("PM2.5", "pm2_5", 1),
            ("PN", "particle_number", 1), ("SO2", "so2", 2.6633), ("StrGlo", "solar_radiation", 1), ("T", "temperature", 1), ("WD", "wind_direction", 1), ("WVv", "wind_speed", 1), ("RainDur", "rain_duration", 1),
        }.SelectMany(column => new[] { "braga/avenida-da-liberdade", "aveiro/universidade" }.Select(station =>
            ("Zch_Stampfenbachstrasse_min30_2017.csv.gz", $"Zch_Stampfenbachstrasse {column.Item1}", station, "air", column.Item2, 1800, column.Item3))),
        .. new[] { ("StG_Blumenbergplatz", "braga/avenida-joao-xxi"), ("Zch_Rosengartenstrasse", "aveiro/a25-esgueira"), ("Zch_Schimmelstrasse", "aveiro/avenida-lourenco-peixinho"), ("Opf_Balsberg", "evora/portas-de-lagoa") }
            .SelectMany(place => new[] { ("NOx", "nox"), ("NO2", "no2") }.Select(column => ("ol_nox_covid19_2020.csv.gz", $"{place.Item1} {column.Item1}", place.Item2, "air", column.Item2, 1800, 1.9125))),
        .. new[]
        {
            ("62b864331d75e2001c93e346", "braga/campus-de-gualtar"), ("6273edbea66ded001b7f4f9c", "braga/praca-da-republica"), ("5ea45ff9c2c39c001c5be108", "aveiro/rossio"), ("6398c664a7390d001b5e0744", "evora/praca-do-giraldo"),
            ("5fa5cae667d8a1001b1e3fea", "evora/universidade"),
        }.Select(box => ("pm25_berlin.csv.gz", box.Item1, box.Item2, "pm", "pm2_5", 0, 1.0)),
        .. new[]
        {
            ("179364", "braga/avenida-joao-xxi"), ("158983", "braga/campus-de-gualtar"), ("158595", "aveiro/a25-esgueira"), ("192627", "aveiro/avenida-lourenco-peixinho"), ("179038", "evora/portas-de-lagoa"), ("181088", "evora/universidade"),
        }.SelectMany(road => new[] { ("vehicleCount without repeats", "vehicle_count"), ("avgSpeed where vehicleCount > 0, without repeats", "space_mean_speed") }
            .Select(column => ($"AarhusTrafficData{road.Item1}.csv.gz", column.Item1, road.Item2, "traffic", column.Item2, 300, 1.0))),
        .. new[] { ("East", "braga/avenida-da-liberdade"), ("West", "aveiro/avenida-lourenco-peixinho") }.SelectMany(counter => new[]
            {
                ("Pedestrian Total", "pedestrian_count"), ("Bike Total", "bicycle_count"), ("Car Total", "vehicle_count_car"), ("Large vehicle Total", "vehicle_count_heavy"), ("Night Total", "vehicle_count_unclassified"), ("Speed V85 km/h", "v85"),
            }.Select(column => ($"raw-data-2024{counter.Item1}15.csv.gz", column.Item1, counter.Item2, "counter", column.Item2, 900, 1.0))),
        ("test_data_laeq1m.csv.gz", "LEQ dB -A", "aveiro/rossio", "noise", "laeq", 60, 1),
        ("test_data_laeq1m.csv.gz", "LEQ dB -A", "evora/praca-do-giraldo", "noise", "laeq", 60, 1),
        ("test_data_laeq1s.csv.gz", "LEQ dB -A", "braga/praca-da-republica", "noise", "laeq", 1, 1),
    ];

    [Fact]
    public async Task A_year_of_real_data_goes_in_as_its_facts_say_and_the_second_time_changes_nothing()
    {
        using var folder = new TempFolder();
        var stations = FakeStations.With([.. Known.Select(k => k.Station).Distinct()]);
        await using var services = new ServiceCollection().AddSingleton(NullLoggerFactory.Instance).AddLogging()
            .AddHubSeries(new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Data", folder.Path)]).Build()).BuildServiceProvider();
        await services.OpenSeriesAsync(TestContext.Current.CancellationToken);
        var series = services.GetRequiredService<ISeries>();
        var steps = new List<TransferProgress>();
        var request = new ImportRequest
        {
            Files = [.. Directory.EnumerateFiles(Data, "*.csv.gz").Order(StringComparer.Ordinal)],
            Mapping = Mapping,
            ReportFile = folder.File("report.csv"),
            ProgressFolder = folder.File("progress"),
        };
        var first = await new ImportRun(stations, series, TimeProvider.System).RunAsync(request, new Steps(steps), TestContext.Current.CancellationToken);

        Assert.Equal((0, 0), (first.Refused, first.Corrected));
        Assert.Equal(78, first.Datastreams);

        // Every row of every file, counted by plain code; the records of Aarhus that came twice and three times are duplicates.
        var facts = File.ReadLines(Path.Combine(Repository.Root, "tests", "edge", "Sensors", "facts.csv")).Skip(1).Select(Cells).ToList();
        Assert.Equal(facts.GroupBy(f => f[0]).Sum(file => file.Key == "pm25_berlin.csv.gz" ? file.Sum(f => Number(f[3])) : Number(file.First()[3])), first.Rows);
        Assert.True(first.Duplicate is > 0 and < 100);

        foreach (var known in Known)
        {
            var fact = facts.Single(f => f[0] == known.File && f[1] == known.Series);
            var values = new List<double>();
            await foreach (var observation in series.RangeAsync(
                stations.Find(known.Station, known.Sensor, known.Property, known.Period)!.Id, new DateTime(2010, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc), TestContext.Current.CancellationToken))
            {
                values.Add(observation.Result / known.Factor);
            }

            var name = $"{known.File} {known.Series} in {known.Station}";
            Assert.True(values.Count == (int)Number(fact[4]), $"{name}: {values.Count}");
            Assert.True(Math.Abs(values.Min() - Number(fact[6])) < 1e-6 * Math.Max(1, Math.Abs(Number(fact[6]))), name);
            Assert.True(Math.Abs(values.Max() - Number(fact[7])) < 1e-6 * Math.Max(1, Math.Abs(Number(fact[7]))), name);
            var mean = fact[9] == "energy" ? 10 * Math.Log10(values.Average(v => Math.Pow(10, v / 10))) : values.Average();
            Assert.True(Math.Abs(mean - Number(fact[8])) < 0.000051, $"{name}: mean {mean}");
            if (fact[9].IndexOf("sum=", StringComparison.Ordinal) is >= 0 and var sum)
            {
                Assert.Equal(Number(fact[9][(sum + 4)..]), values.Sum(), 1e-6);
            }
        }

        Assert.Equal(steps.Select(s => s.Share).Order(), steps.Select(s => s.Share));
        Assert.Equal(1, steps[^1].Share, 6);
        var second = await new ImportRun(stations, series, TimeProvider.System).RunAsync(request, null, TestContext.Current.CancellationToken);
        Assert.Equal((0, 0, first.Stored + first.Duplicate), (second.Stored, second.Corrected, second.Duplicate));
    }

    [Fact]
    public void The_mapping_knows_every_station_of_the_demonstration_that_has_data_of_its_own()
    {
        var mapping = Repository.Read("firmware-config/import/publishers.yaml");
        Assert.All(Known, known => Assert.Contains(known.Station, mapping, StringComparison.Ordinal));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static string[] Cells(string line)
    {
        var cells = line.Split('"') is [var before, var quoted, var behind] ? [.. before.TrimEnd(',').Split(','), quoted, .. behind.TrimStart(',').Split(',')] : line.Split(',');
        return [.. cells];
    }

    private sealed class Steps(List<TransferProgress> steps) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => steps.Add(value);
    }
}
