using Microsoft.Win32.SafeHandles;

namespace Hub.Cloud.Series;

/// <summary>
/// The files of the embedded store as they belong together at one moment, held open so that they can be copied while the hub goes on: parts and states never change and only lose their names, of the
/// log's segments so many bytes count as held whole groups at that moment. It needs nothing of the hub, which neither waits nor knows, and a killed holder leaves nothing behind. Not for concurrent use.
/// </summary>
public sealed class SeriesSnapshot : IDisposable
{
    /// <summary>Attempts to find everything that a manifest names; each one that fails means that the store has changed in the few milliseconds of the attempt.</summary>
    private const int AttemptsMax = 200;

    private readonly List<SeriesSnapshotFile> _files;

    private SeriesSnapshot(Manifest manifest, LogWalk log, long logObservations, long firstLogCommit, List<SeriesSnapshotFile> files)
    {
        (Manifest, Log, LogObservations, FirstLogCommit, _files) = (manifest, log, logObservations, firstLogCommit, files);
        LastCommit = Math.Max(manifest.LastCommit, log.LastCommit);
        Bytes = files.Sum(file => file.Bytes);
    }

    /// <summary>Number of the last commit in it: everything acknowledged before the snapshot was taken.</summary>
    public long LastCommit { get; }

    /// <summary>Bytes of all files.</summary>
    public long Bytes { get; }

    /// <summary>The files; a store with exactly these opens as if it had crashed at that moment.</summary>
    public IReadOnlyList<SeriesSnapshotFile> Files => _files;

    internal Manifest Manifest { get; }

    internal LogWalk Log { get; }

    internal long LogObservations { get; }

    /// <summary>Commit of the first group in the log; 0 when it holds none.</summary>
    internal long FirstLogCommit { get; }

    /// <summary>Holds the store in a folder.</summary>
    /// <exception cref="InvalidDataException">The manifest, or the log, is damaged, or a file that it names is missing or has another length; the message says which and what to do.</exception>
    /// <exception cref="IOException">A file cannot be read, or the store changes faster than it can be held.</exception>
    internal static SeriesSnapshot Take(string root)
    {
        var folder = new SeriesFolder(root);
        for (var attempt = 1; ; attempt++)
        {
            var files = new List<SeriesSnapshotFile>();
            List<LogReader> readers = [];
            var held = false;
            try
            {
                var before = ReadManifest(folder);
                var manifest = Manifest.Read(folder.Manifest);
                var missing = Hold(folder, manifest, before, files);
                var isHeld = missing is not null || !Directory.Exists(folder.Log) || TryHoldLog(folder.Log, out readers);

                // The segments go only after a manifest that does not need them is there: with the same manifest before and after, what was opened between belongs to it.
                if (!isHeld || !Same(before, ReadManifest(folder)))
                {
                    if (attempt == AttemptsMax)
                    {
                        throw new IOException($"The series store in {root} changes faster than it can be held ({AttemptsMax} attempts): try again when less is going on.");
                    }

                    continue;
                }

                if (missing is not null)
                {
                    throw new InvalidDataException($"The file {missing} is missing: put it back from a backup, or restore the folder from one (hub restore).");
                }

                var snapshot = Walk(folder, manifest, readers, files);
                held = true;
                return snapshot;
            }
            finally
            {
                if (!held)
                {
                    files.ForEach(file => file.Dispose());
                    LogWalk.Close(readers);
                }
            }
        }
    }

    /// <summary>Lets go of the files.</summary>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    /// <summary>Opens what the manifest names.</summary>
    /// <returns>What is not there; null when all is.</returns>
    private static string? Hold(SeriesFolder folder, Manifest manifest, byte[]? bytes, List<SeriesSnapshotFile> files)
    {
        if (bytes is not null)
        {
            files.Add(SeriesSnapshotFile.Of(folder, folder.Manifest, bytes));
        }

        foreach (var (path, length) in manifest.Parts.Select(part => (folder.Part(part), (long?)part.Summary.Bytes)).Concat(States(folder, manifest).Select(path => (path, (long?)null))))
        {
            try
            {
                var file = SeriesSnapshotFile.Open(folder, path);
                files.Add(file);
                if (length is { } expected && expected != file.Bytes)
                {
                    throw new InvalidDataException(FormattableString.Invariant($"The part {path} has {file.Bytes} bytes instead of {expected}: put it back from a backup, or restore the folder from one (hub restore)."));
                }
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return path;
            }
        }

        return null;
    }

    private static IEnumerable<string> States(SeriesFolder folder, Manifest manifest) =>
        manifest.Changes.Select(change => change.File).Concat(manifest.Latest is { } latest ? [latest] : []).Select(folder.StateFile);

    /// <summary>Opens the segments; false when one of them went between the look into the folder and its opening, as those do that this very manifest does not need any more.</summary>
    private static bool TryHoldLog(string folder, out List<LogReader> readers)
    {
        readers = [];
        try
        {
            readers = LogWalk.Open(folder);
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    private static SeriesSnapshot Walk(SeriesFolder folder, Manifest manifest, List<LogReader> readers, List<SeriesSnapshotFile> files)
    {
        var walk = new LogWalk();
        var (observations, first) = (0L, 0L);
        walk.Run(readers, (_, group) =>
        {
            observations += group.Rows.Length;
            first = first == 0 ? group.Commit : first;
        });
        foreach (var (segment, reader) in walk.Segments.Zip(readers))
        {
            files.Add(SeriesSnapshotFile.Of(folder, reader.Path, reader.File, segment.Bytes));
        }

        walk.Blank?.Dispose();
        return new SeriesSnapshot(manifest, walk, observations, first, files);
    }

    private static byte[]? ReadManifest(SeriesFolder folder)
    {
        try
        {
            return File.ReadAllBytes(folder.Manifest);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static bool Same(byte[]? a, byte[]? b) => a is null ? b is null : b is not null && a.AsSpan().SequenceEqual(b);
}

/// <summary>One file of a snapshot, or the first bytes of it that belong to it.</summary>
public sealed class SeriesSnapshotFile : IDisposable
{
    private readonly SafeFileHandle? _file;
    private readonly byte[] _content;

    private SeriesSnapshotFile(string path, SafeFileHandle? file, byte[] content, long bytes) => (Path, _file, _content, Bytes) = (path, file, content, bytes);

    /// <summary>Path inside the store's folder, with forward slashes.</summary>
    public string Path { get; }

    /// <summary>Its length.</summary>
    public long Bytes { get; }

    internal static SeriesSnapshotFile Open(SeriesFolder folder, string path)
    {
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        return Of(folder, path, file, RandomAccess.GetLength(file));
    }

    internal static SeriesSnapshotFile Of(SeriesFolder folder, string path, SafeFileHandle file, long bytes) => new(Relative(folder, path), file, [], bytes);

    internal static SeriesSnapshotFile Of(SeriesFolder folder, string path, byte[] content) => new(Relative(folder, path), null, content, content.Length);

    /// <summary>Reads from a place on; 0 at the end.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public int Read(Span<byte> into, long offset)
    {
        var count = (int)Math.Clamp(Bytes - offset, 0, into.Length);
        if (_file is not null)
        {
            return count == 0 ? 0 : RandomAccess.Read(_file, into[..count], offset);
        }

        _content.AsSpan((int)Math.Min(offset, Bytes), count).CopyTo(into);
        return count;
    }

    /// <summary>Lets go of the file.</summary>
    public void Dispose() => _file?.Dispose();

    private static string Relative(SeriesFolder folder, string path) => System.IO.Path.GetRelativePath(folder.Root, path).Replace('\\', '/');
}
