using System.Buffers.Binary;

namespace Hub.Edge.Update;

/// <summary>
/// Looks at the end of a ZIP file before anything reads it: the library takes as many entries as there are, and a quarter of a gigabyte of them would take the station's memory. Only
/// what bundles are is let through: one disk, no comment at the end, no ZIP64, a bounded directory that fills the space before the end record exactly (APPNOTE 6.3.10, sections 4.3.12 and 4.3.16).
/// </summary>
internal static class BundleShape
{
    private const int EndBytes = 22;
    private const int EntryBytes = 46;
    private const uint EndMark = 0x06054B50;
    private const uint EntryMark = 0x02014B50;

    /// <summary>Longest directory of <see cref="Contract.Bundles.BundleManifest.FilesMax"/> files with names of 200 characters, with room for extra fields.</summary>
    private const int DirectoryBytesMax = 512 * 1024;

    /// <summary>Null when it may be opened; otherwise what is wrong.</summary>
    public static string? Mistake(Stream file)
    {
        if (file.Length < EndBytes)
        {
            return "it is no ZIP file.";
        }

        Span<byte> end = stackalloc byte[EndBytes];
        file.Position = file.Length - EndBytes;
        file.ReadExactly(end);
        var entries = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]);
        var directoryBytes = BinaryPrimitives.ReadUInt32LittleEndian(end[12..]);
        var directoryAt = BinaryPrimitives.ReadUInt32LittleEndian(end[16..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(end) != EndMark || BinaryPrimitives.ReadUInt32LittleEndian(end[4..]) != 0
            || BinaryPrimitives.ReadUInt16LittleEndian(end[8..]) != entries || BinaryPrimitives.ReadUInt16LittleEndian(end[20..]) != 0)
        {
            return "it is no ZIP file, is cut off, or has something behind its end.";
        }

        if (entries > Contract.Bundles.BundleManifest.FilesMax + 2 || directoryBytes > DirectoryBytesMax || directoryAt + (long)directoryBytes != file.Length - EndBytes)
        {
            return $"its directory of {entries} entries is too long or not where it should be.";
        }

        var directory = new byte[directoryBytes];
        file.Position = directoryAt;
        file.ReadExactly(directory);
        var at = 0;
        for (var i = 0; i < entries; i++)
        {
            if (directory.Length - at < EntryBytes || BinaryPrimitives.ReadUInt32LittleEndian(directory.AsSpan(at)) != EntryMark)
            {
                return "its directory is damaged.";
            }

            at += EntryBytes + BinaryPrimitives.ReadUInt16LittleEndian(directory.AsSpan(at + 28)) + BinaryPrimitives.ReadUInt16LittleEndian(directory.AsSpan(at + 30))
                + BinaryPrimitives.ReadUInt16LittleEndian(directory.AsSpan(at + 32));
        }

        return at == directory.Length ? null : "its directory is damaged.";
    }
}
