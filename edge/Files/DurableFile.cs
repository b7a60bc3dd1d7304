using System.Runtime.InteropServices;

namespace Hub.Edge.Files;

/// <summary>Writes small files so that a power cut or kill at any instant leaves the whole old content or the whole new one. Not for two writers of one file at a time.</summary>
public static partial class DurableFile
{
    /// <summary>What only the agent's own user may read and write: secrets.</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>What everybody may read.</summary>
    public const UnixFileMode Readable = Private | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    // Beside the file: a rename goes from name to name of one file system only.
    private const string Suffix = ".new";

    /// <summary>Puts new content in the place of a file, or makes it; its folder must be there. What stands under the file's name with <c>.new</c> behind it is overwritten.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">All of its new content.</param>
    /// <param name="mode">Permissions of the new file, from its first byte on.</param>
    /// <exception cref="IOException">The disk refused; the old content is still there.</exception>
    /// <exception cref="UnauthorizedAccessException">File or folder may not be written; the old content is still there.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content, UnixFileMode mode = Readable)
    {
        var full = Path.GetFullPath(path);
        var temporary = full + Suffix;

        // One that a crash left may have other permissions: those given at creation hold only for a file that is new.
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }

        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, full, overwrite: true);
        FolderSync.Flush(Path.GetDirectoryName(full)!);
    }

    /// <summary>Removes a file for good; nothing happens when there is none.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void Remove(string path)
    {
        var full = Path.GetFullPath(path);
        if (File.Exists(full))
        {
            File.Delete(full);
            FolderSync.Flush(Path.GetDirectoryName(full)!);
        }
    }

    /// <summary>Renames a file, link or folder within its file system for good, over a file or link that is there.</summary>
    /// <exception cref="IOException">The disk refused, or there is nothing of that name.</exception>
    public static void Rename(string from, string to)
    {
        if (OperatingSystem.IsWindows())
        {
            File.Move(from, to, overwrite: true);
            return;
        }

        // File.Move asks what a link points to, and refuses one to a folder.
        if (RenameEntry(from, to) != 0)
        {
            throw new IOException($"Cannot rename {from} to {to} (error {Marshal.GetLastPInvokeError()}).");
        }

        FolderSync.Flush(Path.GetDirectoryName(Path.GetFullPath(to))!);
    }

    /// <summary>Points a symbolic link elsewhere for good, or makes it; at every instant there is the old one or the new.</summary>
    /// <exception cref="IOException">The disk refused; the old link is still there.</exception>
    public static void Link(string path, string target)
    {
        var temporary = path + Suffix;
        File.Delete(temporary);
        File.CreateSymbolicLink(temporary, target);
        Rename(temporary, path);
    }

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameEntry(string from, string to);
}
