using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Series;

/// <summary>The embedded store's files for the tools that check and copy them; nothing here needs the store to be open, or closed.</summary>
public static class SeriesFiles
{
    private const int AttemptsMax = 20;

    /// <summary>Folder of the store by the settings, absolute.</summary>
    public static string Folder(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var options = new SeriesOptions();
        configuration.GetSection(SeriesOptions.Section).Bind(options);
        new SeriesFolderSetup(configuration).PostConfigure(null, options);
        return Path.GetFullPath(options.Folder);
    }

    /// <summary>
    /// Holds what is acknowledged and waits in the hub for an InfluxDB, or was refused by it, so that it can be copied; a hub may hand it over meanwhile. Without the note of who holds the database: a copy
    /// is another hub, and compares what waits with what is there before it hands it over.
    /// </summary>
    /// <returns>To be disposed of; empty when nothing was ever kept on an InfluxDB.</returns>
    /// <exception cref="InvalidDataException">What was acknowledged is damaged.</exception>
    /// <exception cref="IOException">A file cannot be read, or what waits changes faster than it can be held.</exception>
    public static IReadOnlyList<SeriesSnapshotFile> HoldWaiting(IConfiguration configuration)
    {
        var folder = new SeriesFolder(Folder(configuration));
        var (spill, refused) = (Path.Combine(folder.Root, "influx", "spill"), Path.Combine(folder.Root, "influx", "refused.jsonl"));
        for (var attempt = 1; ; attempt++)
        {
            var files = new List<SeriesSnapshotFile>();
            try
            {
                // What is refused is kept as such before the log lets go of it: held in this order, it is in one of them at least.
                if (Directory.Exists(spill))
                {
                    var (walk, readers) = (new LogWalk(), LogWalk.Open(spill));
                    walk.Run(readers, static (_, _) => { });
                    files.AddRange(walk.Segments.Zip(readers, (segment, reader) => SeriesSnapshotFile.Of(folder, reader.Path, reader.File, segment.Bytes)));
                    walk.Blank?.Dispose();
                }

                if (File.Exists(refused))
                {
                    files.Add(SeriesSnapshotFile.Of(folder, refused, WholeLines(refused)));
                }

                return files;
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                files.ForEach(file => file.Dispose());
                if (attempt == AttemptsMax)
                {
                    throw new IOException($"What waits in {spill} for InfluxDB changes faster than it can be held ({AttemptsMax} attempts): try again when less is going on.", e);
                }
            }
        }
    }

    /// <summary>Holds the store as it is now, so that it can be copied; also while a hub writes to it.</summary>
    /// <returns>Null when there is no embedded store in the folder.</returns>
    /// <exception cref="InvalidDataException">It is damaged, or of a layout that has to be taken over first; the message says what to do.</exception>
    /// <exception cref="IOException">A file cannot be read, or the store changes faster than it can be held.</exception>
    public static SeriesSnapshot? Hold(IConfiguration configuration)
    {
        var folder = new SeriesFolder(Folder(configuration));
        return Exists(folder) ? SeriesSnapshot.Take(folder.Root) : null;
    }

    /// <summary>Reads everything and compares it with what the store says of itself. Changes nothing; a hub may run meanwhile.</summary>
    /// <param name="configuration">The hub's settings.</param>
    /// <param name="progress">Called before each part, on this thread.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>Null when there is no embedded store in the folder.</returns>
    /// <exception cref="InvalidDataException">The store is of a layout that has to be taken over first; the message says what to do.</exception>
    public static SeriesCheckResult? Check(IConfiguration configuration, Action<SeriesCheckProgress> progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(progress);
        var folder = new SeriesFolder(Folder(configuration));
        return Exists(folder) ? new SeriesCheck(folder, progress).Run(stop) : null;
    }

    private static byte[] WholeLines(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return bytes[..(bytes.AsSpan(0, length).LastIndexOf((byte)'\n') + 1)];
    }

    private static bool Exists(SeriesFolder folder)
    {
        if (File.Exists(folder.Duck))
        {
            throw new InvalidDataException($"The folder {folder.Root} holds a store of the first layout ({Path.GetFileName(folder.Duck)}): start the hub once and let it take it over; it says in its log when it has.");
        }

        return File.Exists(folder.Manifest) || Directory.Exists(folder.Log);
    }
}
