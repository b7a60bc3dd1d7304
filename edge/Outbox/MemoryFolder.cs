using System.Globalization;
using System.Runtime.InteropServices;

namespace Hub.Edge.Outbox;

/// <summary>
/// A folder of this user alone in memory-backed storage (tmpfs), where the <see cref="Journal"/> stands: it outlives the process, not the power. Everything about it is looked at
/// before it is used, because what holds such folders (<c>/dev/shm</c>) is open to every user of the machine.
/// </summary>
internal static partial class MemoryFolder
{
    /// <summary>f_type of statfs(2): TMPFS_MAGIC and RAMFS_MAGIC.</summary>
    private const uint Tmpfs = 0x01021994;
    private const uint Ramfs = 0x858458F6;

    /// <summary>AT_FDCWD and AT_SYMLINK_NOFOLLOW of statx(2); its structure is the same on every processor, which stat's is not.</summary>
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;

    /// <summary>STATX_BASIC_STATS and STATX_BTIME.</summary>
    private const uint Wanted = 0xFFF;

    private const int KindMask = 0xF000;
    private const int KindFolder = 0x4000;
    private const int Sticky = 0x200;
    private const int OthersWrite = 0x2;
    private const int OwnerAlone = 0x1C0;

    /// <summary>Name of the folder of this user.</summary>
    public static string Name => string.Create(CultureInfo.InvariantCulture, $"hub-agent-{(OperatingSystem.IsLinux() ? EffectiveUser() : 0)}");

    /// <summary>Makes, or finds, the folder of this user in <paramref name="parent"/>.</summary>
    /// <param name="parent">A folder that is there, in memory-backed storage.</param>
    /// <param name="why">Why there is none, for people.</param>
    /// <returns>Its path, or null.</returns>
    public static string? TryOpen(string parent, out string why)
    {
        why = "";
        if (!OperatingSystem.IsLinux())
        {
            why = "only Linux has folders in memory";
            return null;
        }

        if (!TryLook(parent, 0, out var above) || !above.IsFolder)
        {
            why = $"{parent} is no folder";
            return null;
        }

        if ((above.Mode & OthersWrite) != 0 && (above.Mode & Sticky) == 0)
        {
            why = $"every user can rename what is in {parent}";
            return null;
        }

        if (!IsInMemory(parent))
        {
            why = $"{parent} is not in memory (tmpfs)";
            return null;
        }

        var path = Path.Combine(parent, Name);
        try
        {
            // What is there already is left as it is.
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            why = $"{path} cannot be made: {e.Message}";
            return null;
        }

        if (!TryLook(path, NoFollow, out var folder) || !folder.IsFolder)
        {
            why = $"{path} is a link or a file, not a folder";
        }
        else if (folder.User != EffectiveUser())
        {
            why = string.Create(CultureInfo.InvariantCulture, $"{path} belongs to user {folder.User}");
        }
        else if ((folder.Mode & 0x1FF) != OwnerAlone)
        {
            why = $"{path} is open to other users (mode {Convert.ToString(folder.Mode & 0x1FF, 8)} instead of 700)";
        }
        else if (!IsInMemory(path))
        {
            why = $"{path} is not in memory (tmpfs)";
        }

        return why.Length == 0 ? path : null;
    }

    /// <summary>A name for a folder that no other folder has had since the machine started: copies and successors of it are not it. Null where the system does not say.</summary>
    public static string? IdentityOf(string folder) =>
        OperatingSystem.IsLinux() && TryLook(folder, 0, out var found)
            ? string.Create(CultureInfo.InvariantCulture, $"{found.Inode:x}-{found.Born:x}")
            : null;

    private static bool TryLook(string path, int flags, out Found found)
    {
        Span<byte> buffer = stackalloc byte[256];
        buffer.Clear();
        if (StatX(CurrentFolder, path, flags, Wanted, ref MemoryMarshal.GetReference(buffer)) != 0)
        {
            found = default;
            return false;
        }

        // Offsets of struct statx, statx(2).
        found = new Found(
            MemoryMarshal.Read<uint>(buffer[20..]), MemoryMarshal.Read<ushort>(buffer[28..]), MemoryMarshal.Read<ulong>(buffer[32..]),
            unchecked((MemoryMarshal.Read<ulong>(buffer[80..]) * 1_000_000_000) + MemoryMarshal.Read<uint>(buffer[88..])));
        return true;
    }

    private static bool IsInMemory(string path)
    {
        // Larger than struct statfs of any processor; the kind stands first.
        Span<byte> buffer = stackalloc byte[256];
        buffer.Clear();
        return StatFs(path, ref MemoryMarshal.GetReference(buffer)) == 0 && MemoryMarshal.Read<uint>(buffer) is Tmpfs or Ramfs;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, ref byte buffer);

    [LibraryImport("libc", EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatFs(string path, ref byte buffer);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    private readonly record struct Found(uint User, int Mode, ulong Inode, ulong Born)
    {
        public bool IsFolder => (Mode & KindMask) == KindFolder;
    }
}
