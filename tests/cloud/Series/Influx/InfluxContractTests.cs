using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>What others rely on: names on the server, what a server of another version receives, settings and counters.</summary>
public sealed class InfluxContractTests(InfluxServer server) : IClassFixture<InfluxServer>
{
    private static readonly DateTime Noon = new(2026, 10, 1, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dashboards_find_labels_values_and_history_under_the_documented_names()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        var database = server.NextDatabase();
        await using var store = await InfluxStore.OpenAsync(server.Address, database, labels: new Labels());
        await store.Series.AppendAsync(
            new[]
            {
                new Observation(1, Noon, 61.5, Quality.Incomplete) { Raw = 60, Calibration = 3, Coverage = 0.75, Revision = 2 },
                new Observation(1, Noon.AddMinutes(1), 60, Quality.Good),
                new Observation(2, Noon, 8, Quality.Good),
            },
            Cancel);
        await store.Series.AppendAsync(new[] { new Observation(2, Noon, 9, Quality.Good) }, Cancel);
        Assert.Equal(
            ["[1790856000000000,61.5,1,60,3,0.75,2,1]".Replace(",1,60", $",{(int)Quality.Incomplete},60", StringComparison.Ordinal)],
            await server.AskAsync(database, "SELECT result,quality,raw,calibration,coverage,revision,\"commit\" FROM observation WHERE station='Praça 1, Norte' AND property='laeq' AND time <= '2026-10-01T12:00:00Z'"));

        // What Grafana sends for a chart and for a list of stations.
        Assert.Equal(["[1790856000000000,60.75]"], await server.AskAsync(database, "SELECT mean(\"result\") FROM \"observation\" WHERE \"municipality\"='evora' AND \"datastream\"='1' AND time >= '2026-10-01T12:00:00Z' AND time < '2026-10-01T13:00:00Z' GROUP BY time(1h) fill(none)"));
        Assert.Equal(["[\"station\",\"Praça 1, Norte\"]", "[\"station\",\"Praça 2, Norte\"]"], await server.AskAsync(database, "SHOW TAG VALUES FROM \"observation\" WITH KEY = \"station\""));
        Assert.Equal(["[1790856000000000,8,\"2\",\"0\"]"], await server.AskAsync(database, "SELECT result,datastream,loser FROM observation_history"));
        Assert.Equal(["[\"calibration\",\"integer\"]", "[\"commit\",\"integer\"]", "[\"coverage\",\"float\"]", "[\"quality\",\"integer\"]", "[\"raw\",\"float\"]", "[\"result\",\"float\"]", "[\"revision\",\"integer\"]", "[\"unstated\",\"integer\"]"], await server.AskAsync(database, "SHOW FIELD KEYS FROM observation"));
    }

    // Half a minute of the server's writing; in CI the embedded store is asked.
    [Fact]
    [Trait("kind", "long")]
    public async Task A_percentile_of_more_than_a_million_observations_is_refused_and_says_what_to_do()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        await using var store = await InfluxStore.OpenAsync(server.Address, server.NextDatabase());
        await SeriesConformance.RefusesAPercentileOfMoreThanAMillionAsync(store.Series);
    }

    [Fact]
    public async Task Points_beyond_the_retention_policy_are_kept_until_the_policy_lets_them_in()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        var database = server.NextDatabase();
        await server.AskAsync(database, $"CREATE DATABASE {database} WITH DURATION 2d");
        await using var store = await InfluxStore.OpenAsync(server.Address, database);
        var now = new DateTime(TimeProvider.System.GetUtcNow().Ticks / 10 * 10, DateTimeKind.Utc);
        var (old, recent) = (new Observation(1, now.AddDays(-30), 1, Quality.Good), new Observation(1, now.AddHours(-1), 2, Quality.Good));
        var receipt = await store.Series.AppendAsync(new[] { old, recent }, Cancel);
        Assert.Equal([AppendOutcome.Stored, AppendOutcome.Stored], receipt.Outcomes);
        Assert.Contains("beyond retention policy", await File.ReadAllTextAsync(store.File("refused.jsonl"), Cancel), StringComparison.Ordinal);
        Assert.Equal(["2"], await ResultsAsync());
        Assert.Equal([old, recent], await AllAsync(store));

        // A correction of what is kept loses to it or wins, as everywhere.
        Assert.Equal([AppendOutcome.Duplicate], (await store.Series.AppendAsync(new[] { old }, Cancel)).Outcomes);
        Assert.Equal([AppendOutcome.Corrected], (await store.Series.AppendAsync(new[] { old with { Result = 1.5 } }, Cancel)).Outcomes);
        await server.AskAsync(database, $"ALTER RETENTION POLICY autogen ON {database} DURATION INF");
        await store.ReopenAsync();
        await Eventually.TrueAsync(() => store.Series.Warning is null, "what was refused is handed over");
        Assert.Equal(["1.5", "2"], await ResultsAsync());
        Assert.Equal([old with { Result = 1.5 }, recent], await AllAsync(store));
        Assert.Equal(["[1]"], (await server.AskAsync(database, "SELECT result FROM observation_history")).Select(row => $"[{row.Split(',')[1][..^1]}]"));
        Assert.Equal([1], (await store.Series.ChangedSinceAsync(0, Cancel)).Keys);

        async Task<IEnumerable<string>> ResultsAsync() => (await server.AskAsync(database, "SELECT result FROM observation")).Select(row => row.Split(',')[1][..^1]);
    }

    [Fact]
    public async Task A_field_that_another_program_has_made_of_another_kind_stops_nobody_else()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        var database = server.NextDatabase();
        await server.AskAsync(database, $"CREATE DATABASE {database}");

        // A type holds for a shard, which is a week: only one of the two observations is in it.
        await server.WriteAsync(database, "observation,datastream=x result=\"text\" 1790856000000000");
        await using var store = await InfluxStore.OpenAsync(server.Address, database);
        Observation[] rows = [new(1, Noon, 1, Quality.Good), new(1, Noon.AddDays(30), 2, Quality.Good)];
        await store.Series.AppendAsync(rows, Cancel);
        Assert.Contains("field type conflict", await File.ReadAllTextAsync(store.File("refused.jsonl"), Cancel), StringComparison.Ordinal);
        Assert.Single(await File.ReadAllLinesAsync(store.File("refused.jsonl"), Cancel));
        Assert.Equal([30], (await AllAsync(store)).Where(row => row.Result == 2).Select(row => (row.PhenomenonTime - Noon).Days));
        await store.ReopenAsync();
        Assert.True(store.Series.CanCommit);
        Assert.Equal(2, (await store.Series.AppendAsync(new[] { new Observation(1, Noon.AddDays(31), 2, Quality.Good) }, Cancel)).Commit);
    }

    [Fact]
    public async Task VictoriaMetrics_takes_the_writes_of_the_second_version()
    {
        const string program = "/usr/bin/victoria-metrics";
        Assert.SkipUnless(File.Exists(program), "VictoriaMetrics is not installed (apt install victoria-metrics).");
        using var folder = new TempFolder();
        var port = FreePort.Next();
        using var process = Process.Start(new ProcessStartInfo(
            program, [$"-httpListenAddr=127.0.0.1:{port}", $"-storageDataPath={folder.File("data")}", "-retentionPeriod=100y", "-search.latencyOffset=0s"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.ErrorDataReceived += static (_, _) => { };
        process.OutputDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        try
        {
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
            await Eventually.TrueAsync(async () => await AnswersAsync(http), "VictoriaMetrics serves");
            var options = new InfluxOptions { Address = http.BaseAddress.ToString(), Api = InfluxApi.V2, Organisation = "evora", Bucket = "hub", Token = "t", BatchLinesMax = 100, RequestTimeout = TimeSpan.FromMinutes(1) };
            using var client = new InfluxClient(options, TimeProvider.System, NullLogger.Instance);
            using var instruments = new InfluxInstruments();
            var writer = new InfluxWriter(client, new InfluxRows(client), new Labels(), options, TimeProvider.System, instruments);
            var rows = Enumerable.Range(0, 1_000).Select(i => (new Observation(1 + (i % 2), Noon.AddMinutes(i / 2), i / 10.0, Quality.Good), 1L)).ToList();
            Assert.Empty(await writer.SendAsync(1, [], rows, whole: false, Cancel));
            await Eventually.TrueAsync(
                async () =>
                {
                    var lines = (await http.GetStringAsync(new Uri("api/v1/export?match[]=observation_result", UriKind.Relative), Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
                    return lines.Length == 2 && lines.All(line => Values(line).Count == 500);
                },
                "all values have arrived");
            var one = await http.GetStringAsync(new Uri("api/v1/export?match[]=observation_result{datastream=\"1\",municipality=\"evora\"}", UriKind.Relative), Cancel);
            Assert.Equal(rows.Where(row => row.Item1.Datastream == 1).Select(row => row.Item1.Result), Values(one));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        static List<double> Values(string line)
        {
            using var document = JsonDocument.Parse(line);
            return [.. document.RootElement.GetProperty("values").EnumerateArray().Select(value => value.GetDouble())];
        }
    }

    [Fact]
    public void Settings_out_of_range_are_refused_by_their_full_name_and_only_when_the_store_is_chosen()
    {
        var wrong = new Dictionary<string, string?>
        {
            ["Hub:Series:Folder"] = "/tmp/series",
            ["Hub:Series:Influx:Address"] = "http://influx.example.org:8086",
            ["Hub:Series:Influx:Api"] = "V2",
            ["Hub:Series:Influx:BatchLinesMax"] = "0",
            ["Hub:Series:Influx:TokenFile"] = "/nowhere",
            ["Hub:Series:Influx:Password"] = "a",
            ["Hub:Series:Influx:PasswordFile"] = "b",
            ["Hub:Series:Influx:SpillObservationsMax"] = "10",
        };
        using (var embedded = InfluxChild.Services(new(wrong)))
        {
            Assert.Equal(0, embedded.GetRequiredService<IOptions<InfluxOptions>>().Value.BatchLinesMax);
        }

        wrong["Hub:Series:Store"] = "Influx";
        using var influx = InfluxChild.Services(wrong);
        var failure = Assert.Throws<OptionsValidationException>(() => influx.GetRequiredService<ISeries>());
        foreach (var key in new[] { "Address is plain http", "Bucket is no name", "BatchLinesMax is 0", "TokenFile is '/nowhere'", "Password and PasswordFile are both set", "SpillObservationsMax is 10" })
        {
            Assert.Contains($"Hub:Series:Influx:{key}", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task One_setting_switches_the_store_and_every_observation_is_counted()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        using var folder = new TempFolder();
        await using var services = InfluxChild.Services(InfluxChild.Settings(folder.File("series"), server.Address, server.NextDatabase()));
        await services.OpenSeriesAsync(Cancel);
        var series = services.GetRequiredService<ISeries>();
        Assert.IsType<InfluxSeries>(series);
        Assert.Same(series, services.GetRequiredService<ISeriesHealth>());
        var counted = new Dictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (services.GetRequiredService<SeriesInstruments>().Owns(instrument.Meter) || services.GetRequiredService<InfluxInstruments>().Owns(instrument.Meter))
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            lock (counted)
            {
                var name = $"{instrument.Name} {(tags.Length > 0 ? tags[0].Value : "")}".Trim();
                counted[name] = counted.GetValueOrDefault(name) + value;
            }
        });
        listener.Start();
        var rows = Enumerable.Range(0, 10).Select(i => new Observation(1, Noon.AddMinutes(i), i, Quality.Good)).ToArray();
        await series.AppendAsync(rows, Cancel);
        await series.AppendAsync(rows, Cancel);
        await series.AppendAsync(new[] { rows[3] with { Result = 99 } }, Cancel);
        await Eventually.TrueAsync(
            () =>
            {
                lock (counted)
                {
                    return counted.GetValueOrDefault("hub.series.observations stored") == 10 && counted.GetValueOrDefault("hub.series.observations duplicate") == 10
                        && counted.GetValueOrDefault("hub.series.observations corrected") == 1 && counted.GetValueOrDefault("hub.series.history") == 1
                        && counted.GetValueOrDefault("hub.series.influx.lines taken") == 14;
                }
            },
            "ten stored, ten duplicates, one corrected, one in the history; with two notes fourteen lines");

        // Another hub cannot use the folder with what waits.
        await using var second = InfluxChild.Services(InfluxChild.Settings(folder.File("series"), server.Address, "hub"));
        Assert.Contains("another hub", (await Assert.ThrowsAsync<IOException>(() => second.OpenSeriesAsync(Cancel))).Message, StringComparison.Ordinal);
    }

    private static async Task<bool> AnswersAsync(HttpClient http)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri("health", UriKind.Relative), Cancel);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<List<Observation>> AllAsync(InfluxStore store)
    {
        var rows = new List<Observation>();
        await foreach (var row in store.Series.RangeAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            rows.Add(row);
        }

        return rows;
    }

    private sealed class Labels : IDatastreamLabels
    {
        public long Version => 1;

        public IReadOnlyCollection<KeyValuePair<string, string>> Of(int datastream) =>
        [
            KeyValuePair.Create("station", string.Create(CultureInfo.InvariantCulture, $"Praça {datastream}, Norte")),
            KeyValuePair.Create("municipality", "evora"),
            KeyValuePair.Create("property", "laeq"),
        ];
    }
}
