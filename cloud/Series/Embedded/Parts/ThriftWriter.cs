using System.Buffers.Binary;
using System.Text;

namespace Hub.Cloud.Series;

/// <summary>Types of the Thrift compact protocol, with their numbers.</summary>
internal enum ThriftType
{
    Stop = 0,
    True = 1,
    False = 2,
    Byte = 3,
    I16 = 4,
    I32 = 5,
    I64 = 6,
    Double = 7,
    Binary = 8,
    List = 9,
    Set = 10,
    Map = 11,
    Struct = 12,
}

/// <summary>Writes what Parquet keeps in the Thrift compact protocol: fields in ascending order of their number. Not safe for concurrent use; cleared and used again.</summary>
internal sealed class ThriftWriter
{
    private readonly int[] _outer = new int[16];
    private byte[] _bytes = new byte[1024];
    private int _depth;
    private int _field;

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear()
    {
        Length = 0;
        _depth = 0;
        _field = 0;
    }

    /// <summary>Begins a structure: the whole, or an element of a list.</summary>
    public void Begin()
    {
        _outer[_depth++] = _field;
        _field = 0;
    }

    /// <summary>Begins a structure that is a field.</summary>
    public void Begin(int field)
    {
        Field(field, ThriftType.Struct);
        Begin();
    }

    public void End()
    {
        Byte((byte)ThriftType.Stop);
        _field = _outer[--_depth];
    }

    public void I8(int field, sbyte value)
    {
        Field(field, ThriftType.Byte);
        Byte((byte)value);
    }

    public void I16(int field, short value)
    {
        Field(field, ThriftType.I16);
        Signed(value);
    }

    public void I32(int field, int value)
    {
        Field(field, ThriftType.I32);
        Signed(value);
    }

    public void I64(int field, long value)
    {
        Field(field, ThriftType.I64);
        Signed(value);
    }

    public void Bool(int field, bool value) => Field(field, value ? ThriftType.True : ThriftType.False);

    public void Text(int field, string value)
    {
        Field(field, ThriftType.Binary);
        Text(value);
    }

    public void Binary(int field, ReadOnlySpan<byte> value)
    {
        Field(field, ThriftType.Binary);
        Binary(value);
    }

    /// <summary>An integer or the bits of a double as Parquet's plain encoding: little endian, four bytes or eight.</summary>
    public void Plain(int field, PartType type, long value)
    {
        Field(field, ThriftType.Binary);
        Plain(type, value);
    }

    /// <summary>Begins a list of so many elements; their values follow.</summary>
    public void List(int field, ThriftType element, int count)
    {
        Field(field, ThriftType.List);
        if (count < 15)
        {
            Byte((byte)((count << 4) | (int)element));
        }
        else
        {
            Byte((byte)(0xF0 | (int)element));
            Unsigned((ulong)count);
        }
    }

    /// <summary>An element of a list of booleans.</summary>
    public void Bool(bool value) => Byte((byte)(value ? ThriftType.True : ThriftType.False));

    /// <summary>An element of a list of integers.</summary>
    public void Signed(long value) => Unsigned((ulong)((value << 1) ^ (value >> 63)));

    /// <summary>An element of a list of texts.</summary>
    public void Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        Unsigned((ulong)length);
        Encoding.UTF8.GetBytes(value, Room(length));
    }

    /// <summary>An element of a list of bytes.</summary>
    public void Binary(ReadOnlySpan<byte> value)
    {
        Unsigned((ulong)value.Length);
        value.CopyTo(Room(value.Length));
    }

    /// <inheritdoc cref="Plain(int, PartType, long)"/>
    public void Plain(PartType type, long value)
    {
        var length = type == PartType.Int32 ? sizeof(int) : sizeof(long);
        Unsigned((ulong)length);
        var room = Room(length);
        if (length == sizeof(int))
        {
            BinaryPrimitives.WriteInt32LittleEndian(room, (int)value);
        }
        else
        {
            BinaryPrimitives.WriteInt64LittleEndian(room, value);
        }
    }

    /// <summary>Writes over bytes already written.</summary>
    public void Patch(int position, ReadOnlySpan<byte> value) => value.CopyTo(_bytes.AsSpan(position, value.Length));

    private void Field(int field, ThriftType type)
    {
        var step = field - _field;
        if (step is > 0 and <= 15)
        {
            Byte((byte)((step << 4) | (int)type));
        }
        else
        {
            Byte((byte)type);
            Signed(field);
        }

        _field = field;
    }

    private void Unsigned(ulong value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }

        Byte((byte)value);
    }

    private void Byte(byte value) => Room(1)[0] = value;

    private Span<byte> Room(int length)
    {
        if (_bytes.Length - Length < length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + length));
        }

        var room = _bytes.AsSpan(Length, length);
        Length += length;
        return room;
    }
}
