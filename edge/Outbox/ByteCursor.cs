using System.Buffers.Binary;
using System.Text;

namespace Hub.Edge.Outbox;

/// <summary>Growing byte array with the outbox's number encodings.</summary>
internal struct ByteWriter(int capacity)
{
    private byte[] _bytes = new byte[Math.Max(16, capacity)];

    public int Length { get; private set; }

    public readonly ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>What is written, to be changed in place; valid until more is.</summary>
    public readonly Span<byte> Room => _bytes.AsSpan(0, Length);

    /// <summary>What is written, where a span cannot stand; valid until more is.</summary>
    public readonly ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    /// <summary>Bytes it can hold without growing.</summary>
    public readonly int Capacity => _bytes.Length;

    /// <summary>Empty again; the room stays.</summary>
    public void Clear() => Length = 0;

    public void Byte(byte value) => Take(1)[0] = value;

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    public void Skip(int count) => Take(count).Clear();

    /// <summary>Takes back the last bytes.</summary>
    public void Shorten(int count) => Length -= count;

    public void Double(double value) => BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);

    public void Int64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);

    public void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            Byte((byte)(value | 0x80));
        }

        Byte((byte)value);
    }

    public void Signed(long value) => Varint((ulong)((value << 1) ^ (value >> 63)));

    /// <summary>The next bytes, to be filled by the caller before it writes more.</summary>
    public Span<byte> Take(int count)
    {
        if (Length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        }

        var room = _bytes.AsSpan(Length, count);
        Length += count;
        return room;
    }
}

/// <summary>Reads what <see cref="ByteWriter"/> wrote; every method is false, never an exception, at the end or at nonsense.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _bytes = bytes;

    public readonly int Left => _bytes.Length;

    public bool Byte(out byte value)
    {
        if (_bytes.IsEmpty)
        {
            value = 0;
            return false;
        }

        value = _bytes[0];
        _bytes = _bytes[1..];
        return true;
    }

    public bool Bytes(int count, out ReadOnlySpan<byte> value)
    {
        if (_bytes.Length < count)
        {
            value = default;
            return false;
        }

        value = _bytes[..count];
        _bytes = _bytes[count..];
        return true;
    }

    public bool Double(out double value)
    {
        var read = Bytes(8, out var bytes);
        value = read ? BinaryPrimitives.ReadDoubleLittleEndian(bytes) : 0;
        return read;
    }

    public bool Int64(out long value)
    {
        var read = Bytes(8, out var bytes);
        value = read ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : 0;
        return read;
    }

    public bool Varint(out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (!Byte(out var b))
            {
                return false;
            }

            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return true;
            }
        }

        return false;
    }

    public bool Signed(out long value)
    {
        var read = Varint(out var zigzag);
        value = (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
        return read;
    }
}

/// <summary>Gives the same string object for the same bytes, so that a long backlog does not become a heap of equal names. 256 slots; one caller at a time.</summary>
internal sealed class StringPool
{
    private readonly string?[] _slots = new string?[256];

    public string Get(ReadOnlySpan<byte> utf8)
    {
        ref var slot = ref _slots[GroupCodec.Crc(0, utf8) & 0xFF];
        if (slot is null || !Ascii.Equals(utf8, slot))
        {
            slot = Encoding.UTF8.GetString(utf8);
        }

        return slot;
    }
}
