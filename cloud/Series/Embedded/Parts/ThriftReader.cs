using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Hub.Cloud.Series;

/// <summary>Reads the Thrift compact protocol out of bytes that may be damaged: every length is checked against what is left, so nothing is allocated for a length that is only claimed.</summary>
internal ref struct ThriftReader(ReadOnlySpan<byte> bytes)
{
    private const int DepthMax = 16;
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private Outer _outer;
    private int _depth;
    private int _field;

    /// <summary>Number of bytes read.</summary>
    public int Position { get; private set; }

    private readonly int Left => _bytes.Length - Position;

    /// <summary>Begins a structure.</summary>
    public void Begin()
    {
        if (_depth == DepthMax)
        {
            throw new InvalidDataException("structures are nested too deep");
        }

        _outer[_depth++] = _field;
        _field = 0;
    }

    /// <summary>The next field of the structure; false at its end, which also ends it.</summary>
    public bool Next(out int field, out ThriftType type)
    {
        var head = Byte();
        type = (ThriftType)(head & 0x0F);
        if (type == ThriftType.Stop)
        {
            field = 0;
            _field = _outer[--_depth];
            return false;
        }

        var step = head >> 4;
        field = step != 0 ? _field + step : Narrow(Signed(), short.MinValue, short.MaxValue);
        if (field <= _field || type > ThriftType.Struct)
        {
            throw new InvalidDataException($"a field {field} of type {(int)type} does not belong here");
        }

        _field = field;
        return true;
    }

    public int I32(ThriftType type)
    {
        Expect(type, ThriftType.I32);
        return Narrow(Signed(), int.MinValue, int.MaxValue);
    }

    public long I64(ThriftType type)
    {
        Expect(type, ThriftType.I64);
        return Signed();
    }

    public static bool Bool(ThriftType type) => type switch
    {
        ThriftType.True => true,
        ThriftType.False => false,
        _ => throw new InvalidDataException($"a truth value has the type {(int)type}"),
    };

    public ReadOnlySpan<byte> Binary(ThriftType type)
    {
        Expect(type, ThriftType.Binary);
        return Binary();
    }

    /// <summary>An integer or the bits of a double in Parquet's plain encoding.</summary>
    public long Plain(ThriftType type, PartType physical)
    {
        Expect(type, ThriftType.Binary);
        return Plain(physical);
    }

    /// <summary>Begins a list and says how many elements follow; each takes a byte at least.</summary>
    public int List(ThriftType type, ThriftType element)
    {
        Expect(type, ThriftType.List);
        var head = Byte();
        var count = head >> 4 == 15 ? Narrow(checked((long)Math.Min(Unsigned(), int.MaxValue)), 0, int.MaxValue) : head >> 4;
        Expect((ThriftType)(head & 0x0F), element);
        return count <= Left ? count : throw new InvalidDataException($"a list of {count} elements has {Left} bytes left");
    }

    public ReadOnlySpan<byte> Binary()
    {
        var length = Unsigned();
        if (length > (ulong)Left)
        {
            throw new InvalidDataException($"a value of {length} bytes has {Left} bytes left");
        }

        var value = _bytes.Slice(Position, (int)length);
        Position += (int)length;
        return value;
    }

    public long Plain(PartType physical)
    {
        var value = Binary();
        return (physical, value.Length) switch
        {
            (PartType.Int32, sizeof(int)) => BinaryPrimitives.ReadInt32LittleEndian(value),
            (not PartType.Int32, sizeof(long)) => BinaryPrimitives.ReadInt64LittleEndian(value),
            _ => throw new InvalidDataException($"a value of type {physical} has {value.Length} bytes"),
        };
    }

    /// <summary>An element of a list of integers.</summary>
    public long Signed()
    {
        var value = Unsigned();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>An element of a list of booleans.</summary>
    public bool Bool() => Bool((ThriftType)Byte());

    /// <summary>Passes over a value.</summary>
    public void Skip(ThriftType type)
    {
        switch (type)
        {
            case ThriftType.True or ThriftType.False:
                break;
            case ThriftType.Byte:
                Byte();
                break;
            case ThriftType.I16 or ThriftType.I32 or ThriftType.I64:
                Unsigned();
                break;
            case ThriftType.Binary:
                Binary();
                break;
            case ThriftType.Struct:
                Begin();
                while (Next(out _, out var inner))
                {
                    Skip(inner);
                }

                break;
            default:
                throw new InvalidDataException($"a value of type {(int)type} does not belong here");
        }
    }

    private static void Expect(ThriftType type, ThriftType expected)
    {
        if (type != expected)
        {
            throw new InvalidDataException($"a value has type {(int)type} and not {(int)expected}");
        }
    }

    private static int Narrow(long value, int min, int max) => value >= min && value <= max ? (int)value : throw new InvalidDataException($"the number {value} is out of range");

    private ulong Unsigned()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("a number does not end");
    }

    private byte Byte() => Left > 0 ? _bytes[Position++] : throw new InvalidDataException("it ends too early");

    [InlineArray(DepthMax)]
    private struct Outer
    {
        private int _first;
    }
}
