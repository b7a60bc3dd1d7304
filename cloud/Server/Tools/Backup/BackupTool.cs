using System.CommandLine;
using System.Reflection;
using Hub.Cloud.Database;
using Hub.Cloud.Series;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools.Backup;

/// <summary>
/// <c>hub backup</c>: a copy of everything in the data folder, consistent in itself, while a hub runs on it or not. The hub is not asked: the series' files never change once they have their names, so
/// holding them open is enough (<see cref="SeriesSnapshot"/>), and the database has its own means. So no credential is needed, nothing in the hub waits, and a killed backup leaves no trace in it.
/// </summary>
/// <remarks>
/// The series are held first, the database is copied after that: whatever datastream the series know is in the database. What the database remembers beyond the series (how far alarms were evaluated)
/// is put right when the hub starts.
/// </remarks>
internal static class BackupTool
{
    /// <summary>Name of the folder while it is being written, behind the target's.</summary>
    public const string PartialSuffix = ".partial";

    /// <summary>In a partial folder: it is ours, and the next attempt may remove it.</summary>
    private const string PartialMark = "hub-backup-not-complete";

    /// <summary>Builds the verb.</summary>
    public static Command Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var target = new Argument<string>("TARGET") { Description = "Folder to make; it must not be there yet, and lies outside the data folder" };
        var verb = new Command("backup", "Copy everything the hub stores into a new folder, also while the hub runs. See hub restore.") { target };
        verb.SetAction((result, stop) => guard(async () =>
        {
            await Task.Run(() => Run(settings(result), Path.GetFullPath(result.GetValue(target)!), ByteProgress.OnConsole(TimeProvider.System), Console.Out, TimeProvider.System, stop), stop);
            return 0;
        }));
        return verb;
    }

    /// <summary>Makes a backup.</summary>
    /// <exception cref="StartException">It cannot be made; the message says why. Nothing is at the target.</exception>
    public static BackupManifest Run(IConfiguration configuration, string target, ByteProgress progress, TextWriter output, TimeProvider time, CancellationToken stop)
    {
        var data = configuration["Hub:Data"]!;
        target = target.TrimEnd(Path.DirectorySeparatorChar);
        if (Path.Exists(target))
        {
            throw new StartException($"{target} is there already. Name a folder that is not: each backup has its own.");
        }

        if (IsBelow(target, data))
        {
            throw new StartException($"{target} lies in the data folder {data}: the next backup would contain this one. Name a folder elsewhere, best on another disk.");
        }

        DatabaseFile.DemandHub(configuration);
        var partial = target + PartialSuffix;
        RemoveInterrupted(partial);
        try
        {
            Begin(partial);
            var manifest = Write(configuration, data, partial, progress, time.GetUtcNow(), stop);
            File.Delete(Path.Combine(partial, PartialMark));
            Durable.FlushFolders(partial);
            Directory.Move(partial, target);
            Durable.FlushFolder(Path.GetDirectoryName(target)!);
            output.WriteLine(FormattableString.Invariant($"backup: {manifest.Files.Count} files, {ByteProgress.Size(manifest.Bytes)}, in {target}{(manifest.SeriesCommit is { } commit ? $", series up to commit {commit}" : "")}"));
            if (configuration.GetSection(SeriesOptions.Section).Get<SeriesOptions>() is { Store: SeriesStore.Influx })
            {
                var influx = configuration.GetSection(InfluxOptions.Section).Get<InfluxOptions>() ?? new InfluxOptions();
                output.WriteLine($"note: the time series are on the InfluxDB at {influx.Address} and not in this backup, but for what waits here for it; back that server up as well");
            }

            return manifest;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            TryRemove(partial);
            throw new StartException($"The backup was not made: {exception.Message}", exception);
        }
        catch
        {
            TryRemove(partial);
            throw;
        }
    }

    /// <summary>Makes room where an earlier attempt was killed. What somebody else put there is left alone, also when this attempt fails.</summary>
    private static void RemoveInterrupted(string partial)
    {
        if (!Path.Exists(partial))
        {
            return;
        }

        if (!File.Exists(Path.Combine(partial, PartialMark)))
        {
            throw new StartException($"{partial} is in the way and was not made by hub backup. Move it away, or name another target.");
        }

        try
        {
            Directory.Delete(partial, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"{partial}, which an interrupted backup left, cannot be removed ({exception.Message}). Remove it, or name another target.", exception);
        }
    }

    private static void Begin(string partial)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(partial)!);
        Durable.CreatePrivateFolder(partial);
        File.WriteAllText(Path.Combine(partial, PartialMark), "A backup that was interrupted. It is of no use and may be deleted.\n");
    }

    private static BackupManifest Write(IConfiguration configuration, string data, string partial, ByteProgress progress, DateTimeOffset begunAt, CancellationToken stop)
    {
        var files = new List<BackupFile>();
        var into = Path.Combine(partial, BackupManifest.DataFolder);
        Directory.CreateDirectory(into);
        var copy = new FileCopy(progress);

        // The series first, then the database: see the class.
        using var series = SeriesFiles.Hold(configuration);
        var database = DatabaseFile.Path(configuration);
        if (database is not null && File.Exists(database))
        {
            var name = Path.Combine(into, DefaultDatabase);
            progress.Begin("database", new FileInfo(database).Length);
            DatabaseFile.Copy(database, name);
            stop.ThrowIfCancellationRequested();
            Durable.Flush(name);
            var (bytes, sha256) = copy.Sum(name, stop);
            files.Add(new BackupFile(DefaultDatabase, bytes, sha256));
            progress.End();
        }

        if (HubDatabase.IsPostgreSql(configuration))
        {
            var name = Path.Combine(into, DatabaseServer.DumpName);
            progress.Begin("database", 0);
            DatabaseServer.Dump(configuration, name, stop);
            Durable.Flush(name);
            var (bytes, sha256) = copy.Sum(name, stop);
            files.Add(new BackupFile(DatabaseServer.DumpName, bytes, sha256));
            progress.End();
        }

        if (series is not null)
        {
            progress.Begin("series", series.Bytes);
            foreach (var file in series.Files)
            {
                var path = $"{DefaultSeries}/{file.Path}";
                var (bytes, sha256) = copy.Copy(file.Read, Path.Combine(into, path), stop);
                if (bytes != file.Bytes)
                {
                    throw new IOException(FormattableString.Invariant($"{path} gave {bytes} bytes instead of {file.Bytes}."));
                }

                files.Add(new BackupFile(path, bytes, sha256));
            }

            progress.End();
        }

        CopyWaiting(SeriesFiles.HoldWaiting(configuration), into, copy, progress, files, stop);
        CopyOthers(data, into, SeriesFiles.Folder(configuration), database, copy, progress, files, stop);
        var manifest = new BackupManifest(
            BackupManifest.FormatNow,
            typeof(BackupTool).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "",
            begunAt,
            series?.LastCommit,
            [.. files.OrderBy(file => file.Path, StringComparer.Ordinal)]);
        manifest.Write(partial);
        return manifest;
    }

    /// <summary>What is acknowledged and is nowhere but here: observations that wait for an InfluxDB. What the hub hands over meanwhile is on its server, and left out.</summary>
    private static void CopyWaiting(IReadOnlyList<SeriesSnapshotFile> waiting, string into, FileCopy copy, ByteProgress progress, List<BackupFile> files, CancellationToken stop)
    {
        if (waiting.Count == 0)
        {
            return;
        }

        progress.Begin("what waits for InfluxDB", waiting.Sum(file => file.Bytes));
        foreach (var file in waiting)
        {
            using (file)
            {
                var path = $"{DefaultSeries}/{file.Path}";
                var (bytes, sha256) = copy.Copy(file.Read, Path.Combine(into, path), stop);
                files.Add(new BackupFile(path, bytes, sha256));
            }
        }

        progress.End();
    }

    private static void CopyIfThere(string file, string path, string into, FileCopy copy, List<BackupFile> files, CancellationToken stop)
    {
        var target = Path.Combine(into, path);
        try
        {
            var (bytes, sha256) = copy.Copy(file, target, stop);
            files.Add(new BackupFile(path, bytes, sha256));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            File.Delete(target);
        }
    }

    /// <summary>Keys, settings, mail that waits, bundles: small files, each replaced as a whole by whoever writes it. One that goes while they are copied is left out.</summary>
    private static void CopyOthers(
        string data, string into, string seriesFolder, string? database, FileCopy copy, ByteProgress progress, List<BackupFile> files, CancellationToken stop)
    {
        var others = new DirectoryInfo(data)
            .EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Where(file => !IsBelow(file.FullName, seriesFolder) && !IsOfDatabase(file.FullName, database) && !IsPassing(file.Name))
            .ToList();
        progress.Begin("other files", others.Sum(file => file.Length));
        foreach (var file in others)
        {
            CopyIfThere(file.FullName, Path.GetRelativePath(data, file.FullName).Replace('\\', '/'), into, copy, files, stop);
        }

        progress.End();
    }

    /// <summary>Name of the database in a backup, whatever it was called.</summary>
    private const string DefaultDatabase = "hub.db";

    /// <summary>Folder of the series in a backup, wherever it was.</summary>
    private const string DefaultSeries = "series";

    private static bool IsOfDatabase(string path, string? database) =>
        database is not null && path.StartsWith(database, StringComparison.Ordinal) && path[database.Length..] is "" or "-wal" or "-shm" or "-journal";

    /// <summary>Files that are being written, or that say who uses the folder.</summary>
    /// <summary>What is there only while somebody works: halves of files, locks, and sockets, as that of an agent of the demonstration, which cannot be read at all.</summary>
    private static bool IsPassing(string name) => name.EndsWith(".sock", StringComparison.Ordinal) || name.EndsWith(".new", StringComparison.Ordinal) || name.StartsWith(".probe-", StringComparison.Ordinal) || name == "lock";

    private static bool IsBelow(string path, string folder) => (path + Path.DirectorySeparatorChar).StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static void TryRemove(string partial)
    {
        try
        {
            Directory.Delete(partial, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next attempt removes it.
        }
    }
}
