using Microsoft.Win32.SafeHandles;

namespace Hub.Edge.Outbox;

/// <summary>
/// What stands in the outbox's memory and not yet on disk, once more in memory-backed storage: readings, cursors and the ledger since the last write, as groups like those of a
/// segment (<see cref="GroupCodec"/>). A kill, an update or a crash of the agent takes nothing of it, a power cut all. One file, named for this start of the machine and for
/// the outbox's folder. Not thread-safe: the outbox calls it under its lock; a write is a copy in memory.
/// </summary>
internal sealed class Journal : IDisposable
{
    /// <summary>Bytes past which the outbox writes to disk, so that the journal begins anew.</summary>
    public const long BytesMax = 4 * 1024 * 1024;

    private const string Ending = ".journal";

    private SafeFileHandle? _file;

    private Journal(string path) => Path = path;

    public string Path { get; }

    public long Bytes { get; private set; }

    /// <summary>False once it refused a write: until it is renewed, what is taken goes to disk at once.</summary>
    public bool IsWorking { get; private set; } = true;

    /// <summary>Finds the journal of an outbox's folder; files of earlier starts of the machine are deleted (memory cannot have kept them).</summary>
    /// <param name="memory">From <see cref="MemoryFolder.TryOpen"/>.</param>
    /// <param name="folder">The outbox's folder, locked.</param>
    /// <param name="boot">Name of this start of the machine.</param>
    /// <returns>Null where the system gives the folder no identity.</returns>
    /// <exception cref="IOException">The memory folder cannot be used.</exception>
    public static Journal? Of(string memory, string folder, string boot)
    {
        if (MemoryFolder.IdentityOf(folder) is not { } identity)
        {
            return null;
        }

        // A boot id is of the machine's making, but it becomes part of a path.
        var start = string.Concat(boot.Where(c => char.IsAsciiLetterOrDigit(c) || c == '-'));
        var journal = new Journal(System.IO.Path.Combine(memory, $"{identity}_{start}{Ending}"));
        journal.Bytes = File.Exists(journal.Path) ? new FileInfo(journal.Path).Length : 0;
        foreach (var other in Directory.EnumerateFiles(memory, $"{identity}_*"))
        {
            if (other != journal.Path)
            {
                File.Delete(other);
            }
        }

        return journal;
    }

    /// <summary>Adds groups behind the others; false when the memory refused it, as when it is full.</summary>
    public bool TryAppend(ReadOnlySpan<byte> groups)
    {
        if (!IsWorking)
        {
            return false;
        }

        try
        {
            _file ??= Open();
            RandomAccess.Write(_file, groups, Bytes);
            Bytes += groups.Length;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            IsWorking = false;
            return false;
        }
    }

    /// <summary>
    /// Begins anew with what is not on disk, by replacing the file as a whole. When memory refuses that, the old one stays, which holds more than is needed, unless nothing is
    /// needed.
    /// </summary>
    public void Renew(ReadOnlySpan<byte> groups)
    {
        try
        {
            if (!File.Exists(Path))
            {
                // Whoever cleared the folder left us a file that no start would find.
                Dispose();
            }

            if (groups.IsEmpty)
            {
                Forget();
            }
            else
            {
                var fresh = Path + ".new";
                File.WriteAllBytes(fresh, groups);
                File.Move(fresh, Path, overwrite: true);
                Dispose();
                _file = Open();
                Bytes = groups.Length;
            }

            IsWorking = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            IsWorking = false;
        }
    }

    /// <summary>Deletes it: everything is on disk.</summary>
    /// <exception cref="IOException">It cannot be deleted.</exception>
    public void Delete()
    {
        Dispose();
        if (File.Exists(Path))
        {
            File.Delete(Path);
        }

        Bytes = 0;
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    private void Forget()
    {
        if (_file is null && !File.Exists(Path))
        {
            Bytes = 0;
            return;
        }

        _file ??= Open();
        RandomAccess.SetLength(_file, 0);
        Bytes = 0;
    }

    private SafeFileHandle Open() => File.OpenHandle(Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
}
