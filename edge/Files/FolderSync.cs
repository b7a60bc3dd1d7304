using System.Runtime.InteropServices;

namespace Hub.Edge.Files;

/// <summary>Makes creations, renames and deletions in a folder survive a power cut (POSIX: fsync of the folder itself).</summary>
public static partial class FolderSync
{
    private const int ReadOnlyDirectoryCloseOnExec = 0x80000;

    /// <summary>Flushes a folder's entries; does nothing on Windows, whose file system journals them.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Open(folder, ReadOnlyDirectoryCloseOnExec);
        if (descriptor < 0)
        {
            throw new IOException($"Cannot open the folder {folder} to flush it (error {Marshal.GetLastPInvokeError()}).");
        }

        try
        {
            if (Fsync(descriptor) != 0)
            {
                throw new IOException($"Cannot flush the folder {folder} (error {Marshal.GetLastPInvokeError()}).");
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
