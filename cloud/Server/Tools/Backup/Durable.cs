using System.Runtime.InteropServices;

namespace Hub.Cloud.Server.Tools.Backup;

/// <summary>Files and names that are on the disk when the call returns.</summary>
internal static partial class Durable
{
    private const int ReadOnlyDirectoryCloseOnExec = 0x80000;

    /// <summary>Writes a new small file.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Flushes a file that somebody else wrote.</summary>
    public static void Flush(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>Makes a folder that only its owner can read: it will hold password hashes and the keys of sessions.</summary>
    public static void CreatePrivateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Flushes the names in a folder and in all folders below it.</summary>
    public static void FlushFolders(string folder)
    {
        foreach (var below in Directory.EnumerateDirectories(folder))
        {
            FlushFolders(below);
        }

        FlushFolder(folder);
    }

    /// <summary>Flushes the names in a folder. Windows needs none of it: its file system journals them.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Open(folder, ReadOnlyDirectoryCloseOnExec);
        if (descriptor < 0)
        {
            throw new IOException($"Cannot open the folder {folder} to flush it: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        try
        {
            if (Fsync(descriptor) != 0)
            {
                throw new IOException($"The disk refused to flush the folder {folder}: {Marshal.GetLastPInvokeErrorMessage()}.");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
