using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Hub.Edge.Outbox;

/// <summary>
/// Where the outbox writes down what has left it. <c>position</c>: two slots written in turn, in place and unflushed, at every append and release (survives kill -9;
/// after a power cut an older one costs only resending). <c>checkpoint</c>: position and all cursors, replaced atomically and flushed, always before segments are deleted.
/// <c>checkpoint.old</c>: the one before, should the newest be damaged.
/// </summary>
internal sealed class PositionFiles : IDisposable
{
    private const int SlotBytes = 80;
    private readonly string _folder;
    private readonly SafeFileHandle _slots;

    public PositionFiles(string folder)
    {
        _folder = folder;
        _slots = File.OpenHandle(Path.Combine(folder, "position"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
    }

    /// <summary>The newest intact position, and the newest intact set of cursors with the position it belongs to.</summary>
    public (Position? Newest, Position? CursorsAt, List<SourceCursor> Cursors) Load()
    {
        Position? newest = null, cursorsAt = null;
        List<SourceCursor> cursors = [];
        Span<byte> slot = stackalloc byte[SlotBytes];
        for (var i = 0; i < 2; i++)
        {
            if (RandomAccess.Read(_slots, slot, i * SlotBytes) == SlotBytes && TryRead(slot, out var position))
            {
                newest = Newer(newest, position);
            }
        }

        foreach (var name in (ReadOnlySpan<string>)["checkpoint", "checkpoint.old"])
        {
            var path = Path.Combine(_folder, name);
            if (!File.Exists(path) || new FileInfo(path).Length > 4 * 1024 * 1024)
            {
                continue;
            }

            var read = new List<SourceCursor>();
            if (TryRead(File.ReadAllBytes(path), out var position, read))
            {
                newest = Newer(newest, position);
                if (cursorsAt is null || cursorsAt.Value.Version < position.Version)
                {
                    (cursorsAt, cursors) = (position, read);
                }
            }
        }

        return (newest, cursorsAt, cursors);
    }

    /// <summary>Writes the position down where a killed process leaves it; not flushed.</summary>
    public void Note(in Position position)
    {
        Span<byte> slot = stackalloc byte[SlotBytes];
        slot.Clear();
        Write(slot, position);
        RandomAccess.Write(_slots, slot, (position.Version & 1) * SlotBytes);
    }

    /// <summary>Replaces the checkpoint; when this returns it survives a power cut.</summary>
    public void Checkpoint(in Position position, IEnumerable<SourceCursor> cursors)
    {
        var writer = new ByteWriter(1024);
        Span<byte> slot = stackalloc byte[SlotBytes];
        slot.Clear();
        Write(slot, position);
        writer.Bytes(slot);
        foreach (var cursor in cursors)
        {
            var source = System.Text.Encoding.UTF8.GetBytes(cursor.Source);
            writer.Varint((ulong)source.Length);
            writer.Bytes(source);
            writer.Varint((ulong)cursor.Value.Length);
            writer.Bytes(cursor.Value.Span);
        }

        var sum = ~GroupCodec.Crc(uint.MaxValue, writer.Written);
        var tail = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(tail, sum);
        writer.Bytes(tail);

        var path = Path.Combine(_folder, "checkpoint");
        var fresh = path + ".new";
        using (var file = File.OpenHandle(fresh, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, writer.Written, 0);
            RandomAccess.FlushToDisk(file);
        }

        if (File.Exists(path))
        {
            File.Move(path, path + ".old", overwrite: true);
        }

        File.Move(fresh, path, overwrite: true);
        FolderSync.Flush(_folder);
    }

    public void Dispose() => _slots.Dispose();

    private static Position? Newer(Position? a, Position b) => a is null || a.Value.Version < b.Version ? b : a;

    private static void Write(Span<byte> slot, in Position position)
    {
        "HOP\u0001"u8.CopyTo(slot);
        ReadOnlySpan<long> numbers =
            [position.Version, position.Next, position.Head, position.Released, position.Refused, position.DroppedFull, position.DroppedAge, position.DamagedBehind];
        for (var i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(slot[(8 + (i * 8))..], numbers[i]);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(slot[4..], ~GroupCodec.Crc(uint.MaxValue, slot[8..SlotBytes]));
    }

    private static bool TryRead(ReadOnlySpan<byte> slot, out Position position)
    {
        position = default;
        if (slot.Length < SlotBytes || !slot.StartsWith("HOP\u0001"u8) || BinaryPrimitives.ReadUInt32LittleEndian(slot[4..]) != ~GroupCodec.Crc(uint.MaxValue, slot[8..SlotBytes]))
        {
            return false;
        }

        Span<long> n = stackalloc long[8];
        for (var i = 0; i < n.Length; i++)
        {
            n[i] = BinaryPrimitives.ReadInt64LittleEndian(slot[(8 + (i * 8))..]);
        }

        position = new Position(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]);
        return position.IsSound;
    }

    private static bool TryRead(ReadOnlySpan<byte> bytes, out Position position, List<SourceCursor> cursors)
    {
        position = default;
        if (bytes.Length < SlotBytes + 4 || BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]) != ~GroupCodec.Crc(uint.MaxValue, bytes[..^4])
            || !TryRead(bytes[..SlotBytes], out position))
        {
            return false;
        }

        var reader = new ByteReader(bytes[SlotBytes..^4]);
        while (reader.Left > 0)
        {
            if (!reader.Varint(out var nameBytes) || nameBytes > byte.MaxValue || !reader.Bytes((int)nameBytes, out var name)
                || !reader.Varint(out var valueBytes) || valueBytes > GroupCodec.CursorBytesMax || !reader.Bytes((int)valueBytes, out var value))
            {
                return false;
            }

            cursors.Add(new SourceCursor(System.Text.Encoding.UTF8.GetString(name), value.ToArray()));
        }

        return true;
    }
}
