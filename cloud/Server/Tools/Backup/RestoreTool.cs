using System.CommandLine;
using Hub.Cloud.Database;
using Hub.Cloud.Series;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools.Backup;

/// <summary><c>hub restore</c>: puts a backup into an empty data folder, after every checksum was compared. One that is interrupted is noticed by the hub, and may simply be started again.</summary>
internal static class RestoreTool
{
    /// <summary>Lies in the data folder from the first file to the last.</summary>
    private const string Unfinished = "restore-not-complete";

    /// <summary>Builds the verb.</summary>
    public static Command Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var backup = new Argument<string>("BACKUP") { Description = "Folder that hub backup made" };
        var verb = new Command("restore", "Put a backup into an empty data folder (--data), after checking it.") { backup };
        verb.SetAction((result, stop) => guard(async () =>
        {
            await Task.Run(() => Run(settings(result), Path.GetFullPath(result.GetValue(backup)!), ByteProgress.OnConsole(TimeProvider.System), Console.Out, stop), stop);
            return 0;
        }));
        return verb;
    }

    /// <summary>Restores a backup.</summary>
    /// <exception cref="StartException">It cannot be restored: the folder is not empty, the backup is damaged, the disk is full.</exception>
    public static void Run(IConfiguration configuration, string backup, ByteProgress progress, TextWriter output, CancellationToken stop)
    {
        var data = configuration["Hub:Data"]!;
        var mark = Path.Combine(data, Unfinished);
        if (!File.Exists(mark) && Directory.EnumerateFileSystemEntries(data).FirstOrDefault() is { } first)
        {
            throw new StartException($"The data folder {data} is not empty ({Path.GetFileName(first)}). Give a new one with --data, or move what is there away.");
        }

        var manifest = BackupManifest.Read(backup);
        var hasDump = manifest.Files.Any(IsDump);
        if (hasDump && !HubDatabase.IsPostgreSql(configuration))
        {
            throw new StartException($"The tables in the backup {backup} are a dump of PostgreSQL. Name an empty database on one in Hub:Database (a settings file with --settings, or HUB_DATABASE).");
        }

        if (hasDump)
        {
            DatabaseServer.DemandEmpty(configuration, stop);
        }

        try
        {
            Verify(manifest, backup, progress, stop);
            Copy(manifest, backup, data, mark, progress, hasDump ? () => DatabaseServer.Restore(configuration, Path.Combine(backup, BackupManifest.DataFolder, DatabaseServer.DumpName), stop) : null, stop);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"The backup was not restored: {exception.Message}", exception);
        }

        output.WriteLine(FormattableString.Invariant($"restored: {manifest.Files.Count} files, {ByteProgress.Size(manifest.Bytes)}, of {manifest.BegunAt:yyyy-MM-dd HH:mm:ss} UTC, in {data}"));
        if (hasDump)
        {
            output.WriteLine($"restored: the tables, into {HubDatabase.Describe(configuration)}");
        }
        else if (HubDatabase.IsPostgreSql(configuration) && manifest.Files.Any(static file => file.Path == "hub.db"))
        {
            output.WriteLine($"note: the tables were restored into a file of SQLite, {Path.Combine(data, "hub.db")}, and Hub:Database names {HubDatabase.Describe(configuration)}: take this setting away.");
        }

        foreach (var (key, setting) in (IEnumerable<(string, string?)>)[("Hub:Series:Folder", SeriesElsewhere(configuration, data)), ("Hub:Database", DatabaseElsewhere(configuration, data))])
        {
            if (setting is not null)
            {
                output.WriteLine($"note: {key} names {setting}. What was restored is in {data}: take this setting away, or move the files there.");
            }
        }
    }

    /// <summary>A hub does not start on half of a backup.</summary>
    /// <exception cref="StartException">A restore was interrupted.</exception>
    public static void RefuseUnfinished(IConfiguration configuration)
    {
        if (configuration["Hub:Data"] is { } data && File.Exists(Path.Combine(data, Unfinished)))
        {
            throw new StartException($"A backup was being restored into {data} and it was interrupted. Start hub restore again, with the same --data.");
        }
    }

    private static void Verify(BackupManifest manifest, string backup, ByteProgress progress, CancellationToken stop)
    {
        progress.Begin("checking the backup", manifest.Bytes);
        var copy = new FileCopy(progress);
        foreach (var file in manifest.Files)
        {
            var path = Source(backup, file);
            try
            {
                Demand(file, copy.Sum(path, stop), path);
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                throw new StartException($"The backup is damaged: {path} is missing. Nothing was restored; take another backup.", exception);
            }
        }

        progress.End();
    }

    private static void Copy(BackupManifest manifest, string backup, string data, string mark, ByteProgress progress, Action? fillDatabase, CancellationToken stop)
    {
        Durable.Write(mark, System.Text.Encoding.UTF8.GetBytes($"{backup}\n"));
        Durable.FlushFolder(data);
        progress.Begin("restoring", manifest.Bytes);
        var copy = new FileCopy(progress);
        foreach (var file in manifest.Files.Where(static file => !IsDump(file)))
        {
            Demand(file, copy.Copy(Source(backup, file), Path.Combine(data, file.Path), stop), Source(backup, file));
        }

        // All of it or nothing, and last: whoever is interrupted before finds the database as empty as it was.
        fillDatabase?.Invoke();
        Durable.FlushFolders(data);
        File.Delete(mark);
        Durable.FlushFolder(data);
        progress.End();
    }

    private static bool IsDump(BackupFile file) => file.Path == DatabaseServer.DumpName;

    private static void Demand(BackupFile file, (long Bytes, string Sha256) seen, string path)
    {
        if (seen.Bytes != file.Bytes)
        {
            throw new StartException(FormattableString.Invariant($"The backup is damaged: {path} has {seen.Bytes} bytes instead of {file.Bytes}. Take another backup."));
        }

        if (seen.Sha256 != file.Sha256)
        {
            throw new StartException($"The backup is damaged: {path} does not have its checksum. Take another backup.");
        }
    }

    private static string Source(string backup, BackupFile file) => Path.Combine(backup, BackupManifest.DataFolder, file.Path);

    private static string? SeriesElsewhere(IConfiguration configuration, string data) =>
        SeriesFiles.Folder(configuration) is var folder && folder != Path.Combine(data, "series") ? folder : null;

    private static string? DatabaseElsewhere(IConfiguration configuration, string data) =>
        DatabaseFile.Path(configuration) is { } path && path != Path.Combine(data, "hub.db") ? path : null;
}
