using System.Buffers.Binary;
using System.Text;
using Hub.Edge.Files;

namespace Hub.Edge.Outbox;

/// <summary>
/// <c>checkpoint</c>: the ledger and all cursors, replaced atomically and flushed, always before segments are deleted, and at an orderly end. <c>checkpoint.old</c>: the one
/// before, should the newest be damaged. Layout: "HOP" and 2 · CRC-32C u32 of the rest · length (varint) and bytes of the ledger's image · of each cursor the length
/// (varint) and UTF-8 of its source, the length (varint) and bytes of its value.
/// </summary>
internal sealed class CheckpointFiles(string folder)
{
    private const int FileBytesMax = 4 * 1024 * 1024;
    private const int HeadBytes = 8;

    private static ReadOnlySpan<byte> Mark => "HOP\u0002"u8;

    /// <summary>The newest intact one; null when there is none.</summary>
    public (LedgerImage Image, List<SourceCursor> Cursors)? Load()
    {
        (LedgerImage Image, List<SourceCursor> Cursors)? newest = null;
        foreach (var name in (ReadOnlySpan<string>)["checkpoint", "checkpoint.old"])
        {
            var path = Path.Combine(folder, name);
            if (!File.Exists(path) || new FileInfo(path).Length > FileBytesMax)
            {
                continue;
            }

            if (TryRead(File.ReadAllBytes(path)) is { } read && (newest is null || newest.Value.Image.Position.Version < read.Image.Position.Version))
            {
                newest = read;
            }
        }

        return newest;
    }

    /// <summary>Replaces the checkpoint; when this returns it survives a power cut.</summary>
    /// <returns>Bytes of the file.</returns>
    public int Write(LedgerImage image, IEnumerable<SourceCursor> cursors)
    {
        var writer = new ByteWriter(1024);
        writer.Bytes(Mark);
        writer.Skip(4);
        var ledger = image.ToBytes();
        writer.Varint((ulong)ledger.Length);
        writer.Bytes(ledger);
        foreach (var cursor in cursors)
        {
            var source = Encoding.UTF8.GetBytes(cursor.Source);
            writer.Varint((ulong)source.Length);
            writer.Bytes(source);
            writer.Varint((ulong)cursor.Value.Length);
            writer.Bytes(cursor.Value.Span);
        }

        var whole = writer.Written.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(whole.AsSpan(Mark.Length), Sum(whole));

        var path = Path.Combine(folder, "checkpoint");
        var fresh = path + ".new";
        using (var file = File.OpenHandle(fresh, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, whole, 0);
            RandomAccess.FlushToDisk(file);
        }

        if (File.Exists(path))
        {
            File.Move(path, path + ".old", overwrite: true);
        }

        File.Move(fresh, path, overwrite: true);
        FolderSync.Flush(folder);
        return whole.Length;
    }

    private static uint Sum(ReadOnlySpan<byte> file) => ~GroupCodec.Crc(uint.MaxValue, file[HeadBytes..]);

    private static (LedgerImage Image, List<SourceCursor> Cursors)? TryRead(ReadOnlySpan<byte> file)
    {
        if (file.Length < HeadBytes || !file.StartsWith(Mark) || BinaryPrimitives.ReadUInt32LittleEndian(file[Mark.Length..]) != Sum(file))
        {
            return null;
        }

        var reader = new ByteReader(file[HeadBytes..]);
        if (!reader.Varint(out var length) || length > LedgerImage.BytesMax || !reader.Bytes((int)length, out var ledger) || LedgerImage.TryRead(ledger) is not { } image)
        {
            return null;
        }

        var cursors = new List<SourceCursor>();
        while (reader.Left > 0)
        {
            if (!reader.Varint(out var nameBytes) || nameBytes > byte.MaxValue || !reader.Bytes((int)nameBytes, out var name)
                || !reader.Varint(out var valueBytes) || valueBytes > GroupCodec.CursorBytesMax || !reader.Bytes((int)valueBytes, out var value))
            {
                return null;
            }

            cursors.Add(new SourceCursor(Encoding.UTF8.GetString(name), value.ToArray()));
        }

        return (image, cursors);
    }
}
