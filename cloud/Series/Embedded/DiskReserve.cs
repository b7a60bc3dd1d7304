namespace Hub.Cloud.Series;

/// <summary>
/// Room on the disk that is kept for deletions: deleting writes (what is in memory, what is left of parts, the manifest) before it frees, and on a full disk it would be the one thing that cannot be done.
/// Safe for concurrent callers.
/// </summary>
internal sealed class DiskReserve(string root, long bytes)
{
    private readonly Lock _lock = new();
    private readonly string _path = Path.Combine(root, "reserve");

    /// <summary>Whether the room is kept.</summary>
    public bool IsKept => bytes == 0 || new FileInfo(_path) is { Exists: true } file && file.Length == bytes;

    /// <summary>Keeps the room; false when there is none.</summary>
    public bool TryKeep()
    {
        lock (_lock)
        {
            if (IsKept)
            {
                return true;
            }

            try
            {
                File.Delete(_path);

                // Asks the file system for the blocks, without writing them.
                using var file = File.OpenHandle(_path, FileMode.CreateNew, FileAccess.Write, FileShare.None, preallocationSize: bytes);
                RandomAccess.SetLength(file, bytes);
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
            {
                // The last: a file of that length is too long for the file system, or for what the process may write.
                LetGo();
                return false;
            }
        }
    }

    /// <summary>Gives the room up; false when there was none to give.</summary>
    public bool LetGo()
    {
        lock (_lock)
        {
            if (bytes == 0 || !File.Exists(_path))
            {
                return false;
            }

            try
            {
                File.Delete(_path);
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }
}
