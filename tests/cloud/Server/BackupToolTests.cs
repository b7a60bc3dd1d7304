using System.Net.Sockets;
using Hub.Cloud.Series;
using Hub.Cloud.Series.Tests;
using Hub.Cloud.Server.Tools.Backup;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Cloud.Server.Tests;

/// <summary>hub check, backup and restore on a data folder with everything in it.</summary>
public sealed class BackupToolTests : IDisposable
{
    private static readonly DateTime Start = new(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => _folder.File("data");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public void A_folder_without_a_hub_is_neither_well_nor_backed_up()
    {
        Assert.Contains("No hub has stored anything", Assert.Throws<StartException>(() => Check(Data)).Message, StringComparison.Ordinal);
        var backup = _folder.File("backup");
        Assert.Contains("--data", Assert.Throws<StartException>(() => Backup(backup)).Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(backup) || Path.Exists(backup + ".partial"));
    }

    [Fact]
    public async Task Backup_of_a_working_hub_is_restored_with_all_it_had_acknowledged()
    {
        await PrepareAsync();

        // An agent beside the hub, as in the demonstration, listens in the folder: a socket cannot be copied.
        using var agent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        agent.Bind(new UnixDomainSocketEndPoint(Path.Combine(Data, "status.sock")));
        var backup = _folder.File("backup");
        int before;
        await using (var services = await OpenAsync(Data, small: true))
        {
            var series = services.GetRequiredService<ISeries>();
            using var stop = new CancellationTokenSource();
            var acknowledged = 0;
            var appending = Task.Run(
                async () =>
                {
                    for (; !stop.IsCancellationRequested; Volatile.Write(ref acknowledged, acknowledged + 5))
                    {
                        await series.AppendAsync(Rows(acknowledged, 5), CancellationToken.None);
                    }
                },
                Cancel);
            // Parts are written by another thread than the one that takes readings, one after the other: with the second the first is in the store's list.
            var parts = Path.Combine(Data, "series", "parts", "observations");
            await Eventually.TrueAsync(
                () => (Volatile.Read(ref acknowledged) > 600 && Directory.Exists(parts) && Directory.GetFiles(parts).Length > 1) || appending.IsCompleted, "the hub works and has written parts");
            before = Volatile.Read(ref acknowledged);
            var (manifest, said) = Backup(backup);
            Assert.Contains("series up to commit", said, StringComparison.Ordinal);
            Assert.Contains(manifest.Files, file => file.Path == "hub.db");
            Assert.Contains(manifest.Files, file => file.Path == "series/manifest");
            Assert.Contains(manifest.Files, file => file.Path.StartsWith("series/parts/observations/", StringComparison.Ordinal));
            Assert.Contains(manifest.Files, file => file.Path.StartsWith("series/log/", StringComparison.Ordinal));
            Assert.DoesNotContain(manifest.Files, file => file.Path.EndsWith("lock", StringComparison.Ordinal) || file.Path.EndsWith("-wal", StringComparison.Ordinal));

            // Its own hub may be checked while it works.
            var (code, report) = Check(Data);
            Assert.True(code == 0, report);
            Assert.Contains("a hub is running", report, StringComparison.Ordinal);
            await stop.CancelAsync();
            await appending;
        }

        var restored = _folder.File("restored");
        Restore(backup, restored);
        var (afterwards, checkedAs) = Check(restored);
        Assert.True(afterwards == 0, checkedAs);
        Assert.Equal("the key", await File.ReadAllTextAsync(Path.Combine(restored, "keys", "key.xml"), Cancel));
        Assert.Equal("""{"http": "8081"}""", await File.ReadAllTextAsync(Path.Combine(restored, "hub.json"), Cancel));
        Assert.Contains("braga", await StationsAsync(restored), StringComparison.Ordinal);
        await using (var services = await OpenAsync(restored))
        {
            var rows = new List<Observation>();
            await foreach (var row in services.GetRequiredService<ISeries>().RangeAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel))
            {
                rows.Add(row);
            }

            Assert.True(rows.Count >= before);
            Assert.Equal(Rows(0, rows.Count), rows);
        }
    }

    /// <summary>With the series on InfluxDB: what it has not yet got is nowhere but here.</summary>
    [Fact]
    public async Task What_waits_for_InfluxDB_is_in_the_backup_and_the_rest_is_said_not_to_be()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        await using var server = new InfluxServer();
        await server.InitializeAsync();
        await PrepareAsync();
        await File.WriteAllTextAsync(
            Path.Combine(Data, "hub.json"), $$"""{"series": {"store": "influx", "influx": {"address": "{{server.Address}}", "database": "city", "retryMax": "00:00:00.2"} } }""", Cancel);
        var (acknowledged, before) = (10, 0);
        await using (var services = await OpenToolsSeriesAsync(Data))
        {
            var series = services.GetRequiredService<ISeries>();
            await series.AppendAsync(Rows(0, 10), Cancel);
            await server.KillAsync();
            using var stop = new CancellationTokenSource();
            var appending = Task.Run(
                async () =>
                {
                    for (; !stop.IsCancellationRequested; Volatile.Write(ref acknowledged, acknowledged + 5))
                    {
                        await series.AppendAsync(Rows(acknowledged, 5), CancellationToken.None);
                    }
                },
                Cancel);
            await Eventually.TrueAsync(() => Volatile.Read(ref acknowledged) > 200 || appending.IsCompleted, "the hub works without its server");
            before = Volatile.Read(ref acknowledged);
            var (manifest, said) = Backup(_folder.File("backup"));
            await stop.CancelAsync();
            await appending;
            Assert.Contains($"note: the time series are on the InfluxDB at {server.Address} and not in this backup, but for what waits here for it", said, StringComparison.Ordinal);
            Assert.Contains(manifest.Files, file => file.Path == "series/influx/spill/00000001.log" && file.Bytes > 0);
            Assert.DoesNotContain(manifest.Files, file => file.Path.EndsWith("owner", StringComparison.Ordinal) || file.Path.EndsWith("lock", StringComparison.Ordinal));

            // Later, the hub hands it over and a value is corrected: the restored copy must not put the old one back.
            await server.StartAsync();
            await Eventually.TrueAsync(() => services.GetRequiredService<ISeriesHealth>() is { Waiting: 0, Warning: null }, "what waited is handed over");
            await series.AppendAsync(new[] { Rows(12, 1)[0] with { Result = 99, Revision = 1 } }, Cancel);
            await series.DeleteAsync([1], Rows(15, 1)[0].PhenomenonTime, DateTime.MaxValue, Cancel);
        }

        var restored = _folder.File("restored");
        Restore(_folder.File("backup"), restored);
        await using (var services = await OpenToolsSeriesAsync(restored))
        {
            await Eventually.TrueAsync(() => services.GetRequiredService<ISeriesHealth>() is { Waiting: 0, Warning: null }, "what was restored is handed over");
            var rows = new List<Observation>();
            await foreach (var row in services.GetRequiredService<ISeries>().RangeAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel))
            {
                rows.Add(row);
            }

            Assert.InRange(rows.Count, before, acknowledged);
            Assert.Equal(Rows(0, rows.Count).Select(row => row == Rows(12, 1)[0] ? row with { Result = 99, Revision = 1 } : row), rows);
        }
    }

    [Fact]
    public async Task Damage_is_named_and_ends_with_1_and_a_damaged_store_is_not_backed_up()
    {
        await PrepareAsync();
        await using (var services = await OpenAsync(Data))
        {
            await services.GetRequiredService<ISeries>().AppendAsync(Rows(0, 400), Cancel);
        }

        Assert.Equal(0, Check(Data).Code);
        var part = Directory.GetFiles(Path.Combine(Data, "series", "parts", "observations"))[0];
        Change(part);
        var (code, said) = Check(Data);
        Assert.Equal(1, code);
        Assert.Contains($"PROBLEM", said, StringComparison.Ordinal);
        Assert.Contains(part, said, StringComparison.Ordinal);
        File.Delete(part);
        var error = Assert.Throws<StartException>(() => Backup(_folder.File("backup")));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(_folder.File("backup")) || Path.Exists(_folder.File("backup.partial")));
        SqliteConnection.ClearAllPools();
        var database = Path.Combine(Data, "hub.db");
        var bytes = await File.ReadAllBytesAsync(database, Cancel);
        bytes.AsSpan(4_096, 4_096).Fill(7);
        await File.WriteAllBytesAsync(database, bytes, Cancel);
        Assert.Contains($"The database {database}", Check(Data).Said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("changed", "does not have its checksum")]
    [InlineData("cut", "bytes instead of")]
    [InlineData("gone", "is missing")]
    [InlineData("list changed", "list of files")]
    [InlineData("list of a later version", "has layout 2")]
    [InlineData("outside", "does not lie in a data folder")]
    public async Task Damaged_backup_is_refused_before_anything_is_restored(string how, string says)
    {
        await PrepareAsync();
        var backup = _folder.File("backup");
        Backup(backup);
        var key = Path.Combine(backup, "data", "keys", "key.xml");
        var manifest = BackupManifest.Read(backup);
        switch (how)
        {
            case "changed":
                Change(key);
                break;
            case "cut":
                await File.WriteAllTextAsync(key, "the", Cancel);
                break;
            case "gone":
                File.Delete(key);
                break;
            case "list changed":
                Change(Path.Combine(backup, "backup.json"));
                break;
            case "list of a later version":
                (manifest with { Format = 2 }).Write(backup);
                break;
            default:
                (manifest with { Files = [.. manifest.Files, new BackupFile("../elsewhere", 1, "")] }).Write(backup);
                break;
        }

        var error = Assert.Throws<StartException>(() => Restore(backup, _folder.File("restored")));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.File("restored")));
    }

    [Fact]
    public async Task What_was_interrupted_is_noticed_and_begun_again()
    {
        await PrepareAsync();
        var backup = _folder.File("backup");

        // A backup that was killed leaves its partial folder; another's folder of that name is not touched.
        Directory.CreateDirectory(backup + ".partial");
        await File.WriteAllTextAsync(Path.Combine(backup + ".partial", "mine"), "", Cancel);
        Assert.Contains("in the way", Assert.Throws<StartException>(() => Backup(backup)).Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(backup + ".partial", "hub-backup-not-complete"), "", Cancel);
        Backup(backup);
        Assert.Equal([backup, Data], Directory.GetDirectories(_folder.Path).Order(StringComparer.Ordinal));

        // A restore that was killed: the hub does not start on it, and it may be repeated.
        var restored = _folder.File("restored");
        Directory.CreateDirectory(restored);
        await File.WriteAllTextAsync(Path.Combine(restored, "restore-not-complete"), "", Cancel);
        await File.WriteAllTextAsync(Path.Combine(restored, "hub.json"), "{", Cancel);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Hub:Data"] = restored, ["Hub:Database"] = Path.Combine(restored, "hub.db") }).Build();
        var refused = await Assert.ThrowsAsync<StartException>(() => HubHost.StartAsync(configuration, _ => { }, Cancel));
        Assert.Contains("Start hub restore again", refused.Message, StringComparison.Ordinal);
        RestoreTool.Run(configuration, backup, Quiet(), TextWriter.Null, Cancel);
        Assert.Equal("""{"http": "8081"}""", await File.ReadAllTextAsync(Path.Combine(restored, "hub.json"), Cancel));
        Assert.False(File.Exists(Path.Combine(restored, "restore-not-complete")));
    }

    /// <summary>A data folder with a municipality and a station, a key and settings.</summary>
    private async Task PrepareAsync()
    {
        Assert.Equal(0, await HubCommand.RunAsync(["municipality", "add", "braga", "--name", "Braga", "--data", Data], Cancel));
        Assert.Equal(0, await HubCommand.RunAsync(["station", "add", "braga/a", "--name", "A", "--latitude", "41.5", "--longitude", "-8.4", "--data", Data], Cancel));
        Directory.CreateDirectory(Path.Combine(Data, "keys"));
        await File.WriteAllTextAsync(Path.Combine(Data, "keys", "key.xml"), "the key", Cancel);
        await File.WriteAllTextAsync(Path.Combine(Data, "hub.json"), """{"http": "8081"}""", Cancel);
    }

    private static Observation[] Rows(int from, int count) => [.. Enumerable.Range(from, count).Select(i => new Observation(1, Start.AddMinutes(10 * i), i % 97 / 10.0, Quality.Good))];

    private static async Task<ServiceProvider> OpenAsync(string data, bool small = false)
    {
        var settings = new Dictionary<string, string?> { ["Hub:Data"] = data, ["Hub:Series:FlushObservationsMax"] = small ? "100" : null };
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Where(pair => pair.Value is not null)).Build();
        var services = new ServiceCollection().AddLogging().AddHubSeries(configuration).BuildServiceProvider();
        await services.OpenSeriesAsync(Cancel);
        return services;
    }

    private static Task<ServiceProvider> OpenToolsSeriesAsync(string data) => HubHost.OpenSeriesAsync(Settings(data), null, Cancel);

    private static ByteProgress Quiet() => new(TextWriter.Null, isTerminal: false, TimeProvider.System);

    private static IConfigurationRoot Settings(string data) => HubConfiguration.Build([new("Hub:Data", data)], null, []);

    private (BackupManifest Manifest, string Said) Backup(string target)
    {
        using var said = new StringWriter();
        return (BackupTool.Run(Settings(Data), target, Quiet(), said, TimeProvider.System, Cancel), said.ToString());
    }

    private static void Restore(string backup, string data) => RestoreTool.Run(Settings(data), backup, Quiet(), TextWriter.Null, Cancel);

    private static (int Code, string Said) Check(string data)
    {
        using var said = new StringWriter();
        return (CheckTool.Run(Settings(data), Quiet(), said, Cancel), said.ToString());
    }

    private static void Change(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static async Task<string> StationsAsync(string data)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(data, "hub.db")};Pooling=False");
        await connection.OpenAsync(Cancel);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT group_concat(Municipality || '/' || Slug) FROM stations_station";
        return (string)(await command.ExecuteScalarAsync(Cancel))!;
    }
}
