using System.Diagnostics;
using System.Globalization;
using Hub.Cloud.Series;
using Hub.Cloud.Series.Tests;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Cloud.Server.Tests;

/// <summary><c>hub migrate series</c> with a real InfluxDB as one end or both: everything arrives, whatever is killed on the way.</summary>
public sealed class InfluxMigrationTests(InfluxServer server) : IClassFixture<InfluxServer>, IDisposable
{
    private const string Absent = "InfluxDB is not installed (apt install influxdb).";

    private static readonly DateTime Begin = new(2025, 3, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_folder.Path, "data");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public async Task There_and_back_everything_is_the_same_and_what_cannot_be_held_is_said()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, Absent);
        var random = new Random(20261126);
        Observation[] set = [.. Enumerable.Range(0, 20_000).Select(_ => Any(random))];
        await FillAsync(_folder.File("a"), set);
        var database = server.NextDatabase();
        var influx = await InfluxFileAsync("influx", database);
        var there = await RunAsync(0, "--from", _folder.File("a"), "--to", influx);
        Assert.Contains("The target holds everything, verified by reading both.", there.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("outside", there.Output, StringComparison.Ordinal);
        var expected = await ContentAsync(Embedded(_folder.File("a")));
        Assert.True(expected.Count(line => line.StartsWith("lost", StringComparison.Ordinal)) > 1_000, "there is history");
        Assert.Equal(expected, await ContentAsync(Influx(influx)));
        Assert.Equal(Figure(there.Output, "observations"), string.Create(CultureInfo.InvariantCulture, $"{expected.Count(line => !line.StartsWith("lost", StringComparison.Ordinal)):N0}"));

        // Back into an empty store, once more into the same, and from one InfluxDB to another.
        await RunAsync(0, "--from", influx, "--to", _folder.File("b"));
        Assert.Equal(expected, await ContentAsync(Embedded(_folder.File("b"))));
        await RunAsync(0, "--from", influx, "--to", _folder.File("b"));
        Assert.Equal(expected, await ContentAsync(Embedded(_folder.File("b"))));
        var second = await InfluxFileAsync("second", server.NextDatabase());
        await RunAsync(0, "--from", influx, "--to", second);
        Assert.Equal(expected, await ContentAsync(Influx(second)));

        // InfluxDB holds 1677 to 2262: the rest stays behind, is counted, and the exit code says so.
        await FillAsync(_folder.File("a"), [new Observation(1, new DateTime(1600, 1, 1, 0, 0, 0, DateTimeKind.Utc), 1, Quality.Good), new Observation(9, new DateTime(2400, 1, 1, 0, 0, 0, DateTimeKind.Utc), 1, Quality.Good), new Observation(9, new DateTime(2400, 1, 1, 0, 0, 0, DateTimeKind.Utc), 2, Quality.Good)]);
        var outside = await RunAsync(3, "--from", _folder.File("a"), "--to", influx);
        Assert.Equal("3", Figure(outside.Output, "outside"));
        Assert.Contains($"of times that InfluxDB at {server.Address}, database {database} cannot hold", outside.Output, StringComparison.Ordinal);
        Assert.Equal(expected, await ContentAsync(Influx(influx)));
    }

    [Fact]
    public async Task Rollups_whose_observations_are_gone_travel_both_ways()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, Absent);
        await FillAsync(_folder.File("a"), [.. Enumerable.Range(0, 60 * 24 * 4).Select(i => new Observation(1 + (i % 4), Begin.AddMinutes(15 * i), (i * 37 % 991 / 10.0) - 5, i % 97 == 3 ? Quality.Stuck : Quality.Good) { Coverage = i % 5 == 0 ? 0.5 : double.NaN })]);
        await using (var services = await HubHost.OpenSeriesAsync(Embedded(_folder.File("a")), null, Stop))
        {
            var series = services.GetRequiredService<ISeries>();
            await series.CondenseAsync([1, 2, 3], Begin, Begin.AddDays(45), Stop);
            await series.AppendAsync(new[] { new Observation(2, Begin.AddDays(3), 1_000, Quality.Good) }, Stop);
        }

        var influx = await InfluxFileAsync("influx", server.NextDatabase());
        var there = await RunAsync(0, "--from", _folder.File("a"), "--to", influx);
        Assert.Contains("The target holds everything, verified by reading both.", there.Output, StringComparison.Ordinal);
        Assert.Equal("135", Figure(there.Output, "rollups only"));
        var (expected, figures) = (await ContentAsync(Embedded(_folder.File("a"))), await FiguresAsync(Embedded(_folder.File("a"))));
        Assert.Equal(135, expected.Count(line => line.StartsWith("kept", StringComparison.Ordinal)));
        Assert.Equal(expected, await ContentAsync(Influx(influx)));
        Assert.Equal(figures, await FiguresAsync(Influx(influx)));

        // Again, and back.
        await RunAsync(0, "--from", _folder.File("a"), "--to", influx);
        await RunAsync(0, "--from", influx, "--to", _folder.File("b"));
        Assert.Equal(expected, await ContentAsync(Embedded(_folder.File("b"))));
        Assert.Equal(figures, await FiguresAsync(Embedded(_folder.File("b"))));

        // What truly cannot be held: the embedded store has no numbers for rollups of so large a datastream.
        await using (var services = await HubHost.OpenSeriesAsync(Influx(influx), null, Stop))
        {
            var series = services.GetRequiredService<ISeries>();
            await series.AppendAsync(new[] { new Observation(int.MaxValue, Begin, 1, Quality.Good) }, Stop);
            await series.CondenseAsync([int.MaxValue], Begin, Begin.AddDays(1), Stop);
        }

        var outside = await RunAsync(3, "--from", influx, "--to", _folder.File("b"));
        Assert.Equal(("135", "1"), (Figure(outside.Output, "rollups only"), Figure(outside.Output, "rollups outside")));
    }

    [Fact]
    public async Task Killed_and_with_the_server_killed_the_same_command_goes_on()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, Absent);
        const int Count = 400_000;
        await FillAsync(_folder.File("a"), [.. Enumerable.Range(0, Count).Select(i => new Observation(1 + (i % 7), Begin.AddSeconds(i / 7 * 10), i % 1000 / 10.0, Quality.Good) { Revision = i % 3 })]);
        var influx = await InfluxFileAsync("influx", server.NextDatabase());
        string[] arguments = ["migrate", "series", "--from", _folder.File("a"), "--to", influx, "--data", Data];

        // The tool is killed when a part is there.
        using (var process = Start(arguments))
        {
            await Eventually.TrueAsync(() => process.HasExited || (Directory.Exists(Data) && Directory.EnumerateFiles(Data, "*.cursors").Any(file => new FileInfo(file).Length > 0)), "something is copied");
            Assert.False(process.HasExited, "it was killed before it had done");
            process.Kill();
            await process.WaitForExitAsync(Stop);
        }

        // The server is killed under the next run, which ends with what to do.
        using (var process = Start(arguments))
        {
            var cursors = Directory.EnumerateFiles(Data, "*.cursors").Single();
            var before = new FileInfo(cursors).Length;
            await Eventually.TrueAsync(() => process.HasExited || new FileInfo(cursors).Length > before, "it goes on");
            Assert.False(process.HasExited, "the server was killed while it went on");
            await server.KillAsync();
            var error = process.StandardError.ReadToEndAsync(Stop);
            await process.WaitForExitAsync(Stop);
            Assert.Equal(2, process.ExitCode);
            Assert.Contains("What was copied is there; mend this and give the same command again.", await error, StringComparison.Ordinal);
        }

        await server.StartAsync();
        var said = await RunAsync(0, "--from", _folder.File("a"), "--to", influx);
        Assert.Equal("400,000", Figure(said.Output, "observations"));
        Assert.Equal(await ContentAsync(Embedded(_folder.File("a"))), await ContentAsync(Influx(influx)));
        Assert.Empty(Directory.EnumerateFiles(Data, "*.cursors"));

        // And back, from a server that goes away under the reader.
        using (var process = Start(["migrate", "series", "--from", influx, "--to", _folder.File("b"), "--data", Data]))
        {
            await Eventually.TrueAsync(() => process.HasExited || Directory.EnumerateFiles(Data, "*.cursors").Any(file => new FileInfo(file).Length > 0), "something is copied");
            Assert.False(process.HasExited, "the server was killed while it went on");
            await server.KillAsync();
            await process.WaitForExitAsync(Stop);
            Assert.Equal(2, process.ExitCode);
        }

        await server.StartAsync();
        await RunAsync(0, "--from", influx, "--to", _folder.File("b"));
        Assert.Equal(await ContentAsync(Embedded(_folder.File("a"))), await ContentAsync(Embedded(_folder.File("b"))));
    }

    [Fact]
    public async Task One_store_by_two_names_a_store_in_use_and_a_server_that_is_away_are_refused()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, Absent);
        var database = server.NextDatabase();
        var influx = await InfluxFileAsync("influx", database);
        Assert.Contains("are the same store, InfluxDB at", (await RunAsync(2, "--from", influx, "--to", influx)).Error, StringComparison.Ordinal);

        // The address differs and the server is one: its lease shows it.
        var alias = await InfluxFileAsync("alias", database, server.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        Assert.Contains("is used by another hub", (await RunAsync(2, "--from", influx, "--to", alias)).Error, StringComparison.Ordinal);
        await FillAsync(_folder.File("a"), [new Observation(1, Begin, 1, Quality.Good)]);
        var away = await InfluxFileAsync("away", database, string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Next()}"));
        Assert.Contains("cannot be reached: see that it runs", (await RunAsync(2, "--from", _folder.File("a"), "--to", away)).Error, StringComparison.Ordinal);

        // Readings that the server refuses for good are not passed over.
        await server.AskAsync("_internal", $"CREATE DATABASE short WITH DURATION 2d");
        var refused = await RunAsync(1, "--from", _folder.File("a"), "--to", await InfluxFileAsync("short", "short"));
        Assert.Contains("refuses 1 observations; the hub keeps them in", refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("The target holds everything", refused.Output, StringComparison.Ordinal);
    }

    private static Observation Any(Random random) => new(1 + random.Next(5), Begin.AddSeconds(random.Next(9_000)), random.Next(5) == 0 ? random.NextDouble() * 1e9 : random.Next(40) / 4.0, (Quality)(random.Next(3) == 0 ? 1 << random.Next(5) : 0))
    {
        Raw = random.Next(3) == 0 ? random.NextDouble() : double.NaN,
        Coverage = random.Next(3) == 0 ? random.NextDouble() : double.NaN,
        Calibration = random.Next(3),
        Revision = random.Next(3),
    };

    private static IConfiguration Embedded(string folder) => new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Series:Folder", folder)]).Build();

    private static IConfiguration Influx(string file) => new ConfigurationBuilder().AddInMemoryCollection(HubConfiguration.FromFile(file)).AddInMemoryCollection([new("Hub:Data", Path.GetDirectoryName(file))]).Build();

    private static async Task FillAsync(string folder, Observation[] set)
    {
        await using var services = await HubHost.OpenSeriesAsync(Embedded(folder), null, Stop);
        foreach (var chunk in set.Chunk(50_000))
        {
            await services.GetRequiredService<ISeries>().AppendAsync(chunk, Stop);
        }
    }

    private static async Task<List<string>> ContentAsync(IConfiguration store)
    {
        await using var services = await HubHost.OpenSeriesAsync(store, null, Stop);
        var series = services.GetRequiredService<ISeries>();
        var content = new List<string>();
        foreach (var datastream in await series.DatastreamsAsync(DateTime.MinValue, DateTime.MaxValue, Stop))
        {
            await foreach (var observation in series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Stop))
            {
                content.Add($"{observation} {observation.Result:R} {observation.Raw:R} {observation.Coverage:R}");
            }

            await foreach (var observation in series.HistoryAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Stop))
            {
                content.Add($"lost {observation} {observation.Result:R} {observation.Raw:R} {observation.Coverage:R}");
            }
        }

        await foreach (var day in series.CondensedDaysAsync(null, DateTime.MinValue, DateTime.MaxValue, Stop))
        {
            content.Add($"kept {day.Datastream} {day.Day:O} {string.Join("; ", day.Cells.Select(cell => string.Create(CultureInfo.InvariantCulture, $"{cell} {cell.Sum:R} {cell.EnergySum:R} {cell.East:R} {cell.North:R}")))}");
        }

        return content;
    }

    private static async Task<List<string>> FiguresAsync(IConfiguration store)
    {
        await using var services = await HubHost.OpenSeriesAsync(store, null, Stop);
        var series = services.GetRequiredService<ISeries>();
        var figures = new List<string>();
        foreach (var statistic in Enum.GetValues<Statistic>())
        {
            for (var datastream = 1; datastream <= 4; datastream++)
            {
                var query = new AggregateQuery(datastream, Begin, Begin.AddDays(60), new BucketWidth(TimeSpan.FromDays(1)), statistic, datastream == 3 ? Quality.Stuck : Quality.Good) { Cadence = TimeSpan.FromMinutes(15) };
                figures.AddRange((await series.AggregateAsync(query, Stop)).Select(bucket => string.Create(CultureInfo.InvariantCulture, $"{statistic} {datastream} {bucket} {bucket.Value:R} {bucket.Coverage:R}")));
            }
        }

        return figures;
    }

    private static string Figure(string output, string name) =>
        output.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))[18..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];

    private static Process Start(string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(HubCommand).Assembly.Location, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    private async Task<string> InfluxFileAsync(string name, string database, string? address = null)
    {
        Directory.CreateDirectory(_folder.File(name));
        var file = Path.Combine(_folder.File(name), "hub.json");
        await File.WriteAllTextAsync(file, $$"""{"series": {"store": "influx", "influx": {"address": "{{address ?? server.Address}}", "database": "{{database}}"} } }""", Stop);
        return file;
    }

    private async Task<(string Output, string Error)> RunAsync(int expected, params string[] arguments)
    {
        using var said = new SaidConsole();
        var code = await HubCommand.RunAsync(["migrate", "series", .. arguments, "--data", Data], Stop);
        Assert.True(code == expected, $"{string.Join(' ', arguments)}: {code} {said.Output}{said.Error}");
        return (said.Output, said.Error);
    }
}
