using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Hub.Cloud.Series;
using Hub.Cloud.Server.Tools.Backup;
using Hub.Cloud.Transfer;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools;

/// <summary><c>hub migrate series</c>: from one store of time series to another. Neither may be in use by a hub.</summary>
internal static class MigrateTool
{
    /// <summary>Stands for the store that the hub's own settings name.</summary>
    private const string OwnStore = "settings";

    /// <summary>Exit code: done, and the target cannot hold some of it.</summary>
    private const int SomeOutside = 3;

    /// <summary>How long the end of a copy waits for observations that are still on their way to a server.</summary>
    private static readonly TimeSpan SettleWithin = TimeSpan.FromMinutes(1);

    /// <summary>Builds the verb.</summary>
    public static Command Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        const string Spec = "the folder of an embedded store, 'settings' for the store hub.json names, or another hub's settings file (.json) for the store that one names, InfluxDB too";
        var from = new Option<string>("--from") { Description = $"Where the observations are: {Spec}; never changed", Required = true, HelpName = "STORE" };
        var to = new Option<string>("--to") { Description = "Where they go, said in the same way; what is there stays", Required = true, HelpName = "STORE" };
        var cursors = new Option<string?>("--cursors") { Description = "Note of how far each datastream has come [default: in the data folder]", HelpName = "FILE" };
        var command = new Command("migrate", "Move what the hub stores to another store.");
        var series = new Command(
            "series",
            "Copy all observations and their history, and rollups kept without them, to another store, then read both and compare. Stopped with Ctrl-C or killed, the same command goes on. Exit code 0: copied and verified; 1: failed, stopped or different; 2: something to mend first; 3: copied and verified but for what the target cannot hold, or has of its own.")
        {
            from, to, cursors,
        };
        series.SetAction((result, stop) => guard(async () =>
        {
            var configuration = settings(result);
            var (source, target) = (Store(configuration, result.GetValue(from)!, "--from"), Store(configuration, result.GetValue(to)!, "--to"));
            if (source.Name == target.Name)
            {
                throw new StartException($"--from and --to are the same store, {source.Name}.");
            }

            if (source.Folder is { } folder && (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any()))
            {
                throw new StartException($"There is no store in {folder}. The series of a hub are in the folder 'series' of its data folder.");
            }

            var cursorFile = result.GetValue(cursors) ?? CursorFile(configuration["Hub:Data"]!, source.Name, target.Name);
            await using var left = await OpenAsync(source, null, stop);
            await using var right = await OpenAsync(target, HasNames(configuration) ? configuration : null, stop);
            var request = new MigrationRequest(left.GetRequiredService<ISeries>(), right.GetRequiredService<ISeries>(), cursorFile);
            var health = right.GetRequiredService<ISeriesHealth>();
            return await ImportTool.RunAsync(
                progress => MigrateAsync(left.GetRequiredService<ISeriesMigration>(), request, health, progress, stop),
                (summary, elapsed) => Tell(summary, elapsed, health, target.Name),
                "What was copied is there. The same command goes on from there.");
        }));
        command.Add(series);
        return command;
    }

    /// <summary>Whether the data folder has a database: the datastreams of a store that stands alone have numbers and no names.</summary>
    private static bool HasNames(IConfiguration configuration) => DatabaseFile.Path(configuration) is not { } file || File.Exists(file);

    /// <exception cref="StartException">The store cannot be used, is in use, or does not answer.</exception>
    private static async Task<ServiceProvider> OpenAsync((string Name, string? Folder, IConfiguration Settings) store, IConfiguration? names, CancellationToken stop)
    {
        var services = await HubHost.OpenSeriesAsync(store.Settings, store.Folder is null ? names : null, stop);
        if (store.Folder is null && services.GetRequiredService<ISeriesHealth>() is { CanCommit: false, Problem: var problem })
        {
            await services.DisposeAsync();
            throw new StartException(problem ?? $"{store.Name} cannot be used.");
        }

        return services;
    }

    private static async Task<MigrationSummary> MigrateAsync(
        ISeriesMigration migration, MigrationRequest request, ISeriesHealth target, IProgress<TransferProgress> progress, CancellationToken stop)
    {
        try
        {
            var summary = await migration.MigrateAsync(request, progress, stop);
            var begun = TimeProvider.System.GetTimestamp();
            while (target.Waiting > 0 && TimeProvider.System.GetElapsedTime(begun) < SettleWithin)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, stop);
            }

            return summary;
        }
        catch (SeriesUnavailableException exception)
        {
            throw new TransferException($"{exception.Message.TrimEnd('.')}. What was copied is there; mend this and give the same command again.", exception);
        }
    }

    private static int Tell(MigrationSummary summary, TimeSpan elapsed, ISeriesHealth target, string name)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"datastreams",-18}{summary.Datastreams,14:N0}{(summary.Resumed > 0 ? $"  {summary.Resumed:N0} of them copied by the run before" : "")}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"observations",-18}{summary.Observations,14:N0}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"history",-18}{summary.History,14:N0}  values that lost against another one for their time"));
        if (summary.Outside > 0)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"outside",-18}{summary.Outside,14:N0}  of times that {name} cannot hold; they are in the source only"));
        }

        if (summary.Condensed > 0)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"rollups only",-18}{summary.Condensed,14:N0}  days of datastreams whose observations retention has deleted, with their rollups"));
        }

        if (summary.CondensedOwn > 0)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"rollups not taken",-18}{summary.CondensedOwn,14:N0}  such days of which {name} has observations or other rollups; those stay"));
        }

        if (summary.CondensedOutside > 0)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"rollups outside",-18}{summary.CondensedOutside,14:N0}  such days that {name} cannot hold; their rollups are in the source only, and in its backups"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"time",-18}{TransferTerminal.Duration(elapsed),14}"));
        foreach (var difference in summary.Differences)
        {
            Console.Error.WriteLine($"hub: {difference}");
        }

        if (summary.Differences.Count > 0)
        {
            Console.Error.WriteLine("hub: The target does not hold everything. Keep the source, and report this with the lines above.");
            return 1;
        }

        if (target.Waiting > 0 || target.Warning is not null)
        {
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"hub: Not all of it is in {name}: {target.Warning ?? $"{target.Waiting} observations wait on this machine for it."} Mend this and give the same command again; until then keep the source."));
            return 1;
        }

        Console.WriteLine($"The target holds everything{(summary.Outside + summary.CondensedOutside > 0 ? " that it can hold" : "")}, verified by reading both. The source is as it was.");
        return summary.Outside + summary.CondensedOwn + summary.CondensedOutside > 0 ? SomeOutside : 0;
    }

    private static (string Name, string? Folder, IConfiguration Settings) Store(IConfigurationRoot settings, string spec, string option)
    {
        if (spec == OwnStore)
        {
            return Named(settings);
        }

        if (spec.Length == 0)
        {
            throw new StartException($"{option} is empty: give the folder of a store, a settings file, or settings.");
        }

        var path = Path.GetFullPath(spec);
        if (spec.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            // As the hub of that file would open it: what waits for its server, and the lock, lie in its data folder.
            var others = HubConfiguration.FromFile(path).Where(pair => pair.Key.StartsWith("Hub:Series:", StringComparison.OrdinalIgnoreCase) || pair.Key.Equals("Hub:Data", StringComparison.OrdinalIgnoreCase))
                .ToDictionary(StringComparer.OrdinalIgnoreCase);
            var home = Path.GetDirectoryName(path)!;
            others["Hub:Data"] = Path.GetFullPath(Path.Combine(home, others.GetValueOrDefault("Hub:Data") ?? home));
            return Named(new ConfigurationBuilder().AddInMemoryCollection(others).Build());
        }

        return Named(new ConfigurationBuilder().AddConfiguration(settings).AddInMemoryCollection([new("Hub:Series:Folder", path), new("Hub:Series:Store", nameof(SeriesStore.Embedded))]).Build());
    }

    /// <summary>A store by what it is, so that the same one is recognised however it was said.</summary>
    private static (string Name, string? Folder, IConfiguration Settings) Named(IConfiguration settings)
    {
        if (settings.GetSection(SeriesOptions.Section).Get<SeriesOptions>() is not { Store: SeriesStore.Influx })
        {
            var folder = SeriesFiles.Folder(settings);
            return (folder, folder, settings);
        }

        var influx = settings.GetSection(InfluxOptions.Section).Get<InfluxOptions>() ?? new InfluxOptions();
        return ($"InfluxDB at {influx.Address.TrimEnd('/')}, {(influx.Api == InfluxApi.V2 ? $"bucket {influx.Bucket}" : $"database {influx.Database}")}", null, settings);
    }

    private static string CursorFile(string data, string from, string to) =>
        Path.Combine(data, $"migrate-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{from}\n{to}")))[..16]}.cursors");
}
