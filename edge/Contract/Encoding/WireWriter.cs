using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;

namespace Hub.Edge.Contract.Encoding;

/// <summary>Writes JSON and CBOR pieces into a buffer writer without allocating. Nothing is handed over before <see cref="Flush"/>.</summary>
internal ref struct WireWriter(IBufferWriter<byte> output)
{
    private const int BlockBytes = 4096;

    private readonly IBufferWriter<byte> _output = output;
    private Span<byte> _block;
    private int _used;

    public void Raw(byte value)
    {
        Reserve(1)[0] = value;
        _used++;
    }

    public void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        _used += bytes.Length;
    }

    /// <summary>Writes text that is known to be ASCII without quotes, backslashes or control characters.</summary>
    public void Ascii(string text)
    {
        System.Text.Encoding.ASCII.GetBytes(text, Reserve(text.Length));
        _used += text.Length;
    }

    /// <summary>Writes the shortest JSON number that reads back as the same double.</summary>
    public void JsonNumber(double value)
    {
        Span<byte> span = Reserve(32);
        value.TryFormat(span, out int length, default, CultureInfo.InvariantCulture);

        // "If the value has an exponent, the e MUST be in lower case" (RFC 8428 section 5).
        int exponent = span[..length].IndexOf((byte)'E');
        if (exponent >= 0)
        {
            span[exponent] = (byte)'e';
        }

        _used += length;
    }

    public void JsonInteger(long value)
    {
        value.TryFormat(Reserve(20), out int length, default, CultureInfo.InvariantCulture);
        _used += length;
    }

    /// <summary>Writes microseconds as decimal seconds, without digits that say nothing.</summary>
    public void JsonSeconds(long micros)
    {
        if (micros < 0)
        {
            Raw((byte)'-');
            micros = -micros;
        }

        (long seconds, long fraction) = Math.DivRem(micros, 1_000_000);
        JsonInteger(seconds);
        if (fraction == 0)
        {
            return;
        }

        Span<byte> span = Reserve(7);
        span[0] = (byte)'.';
        int last = 0;
        for (int place = 6; place >= 1; place--)
        {
            (fraction, long digit) = Math.DivRem(fraction, 10);
            span[place] = (byte)('0' + digit);
            last = last == 0 && digit != 0 ? place : last;
        }

        _used += last + 1;
    }

    /// <summary>Writes the head of a CBOR item in its shortest form.</summary>
    public void CborHead(int major, ulong argument)
    {
        Span<byte> span = Reserve(9);
        byte type = (byte)(major << 5);
        switch (argument)
        {
            case < 24:
                span[0] = (byte)(type | (byte)argument);
                _used += 1;
                break;
            case <= byte.MaxValue:
                span[0] = (byte)(type | 24);
                span[1] = (byte)argument;
                _used += 2;
                break;
            case <= ushort.MaxValue:
                span[0] = (byte)(type | 25);
                BinaryPrimitives.WriteUInt16BigEndian(span[1..], (ushort)argument);
                _used += 3;
                break;
            case <= uint.MaxValue:
                span[0] = (byte)(type | 26);
                BinaryPrimitives.WriteUInt32BigEndian(span[1..], (uint)argument);
                _used += 5;
                break;
            default:
                span[0] = (byte)(type | 27);
                BinaryPrimitives.WriteUInt64BigEndian(span[1..], argument);
                _used += 9;
                break;
        }
    }

    public void CborInteger(long value) => CborHead(value < 0 ? 1 : 0, (ulong)(value < 0 ? -1 - value : value));

    public void CborText(string ascii)
    {
        CborHead(3, (ulong)ascii.Length);
        Ascii(ascii);
    }

    /// <summary>Writes the shortest CBOR number that reads back as the same double: an integer, or half, single or double precision.</summary>
    public void CborNumber(double value)
    {
        bool negativeZero = value == 0 && double.IsNegative(value);
        if (value == Math.Floor(value) && Math.Abs(value) < 9_007_199_254_740_992 && !negativeZero)
        {
            CborInteger((long)value);
            return;
        }

        Span<byte> span = Reserve(9);
        if ((double)(Half)value == value)
        {
            span[0] = 0xF9;
            BinaryPrimitives.WriteHalfBigEndian(span[1..], (Half)value);
            _used += 3;
        }
        else if ((double)(float)value == value)
        {
            span[0] = 0xFA;
            BinaryPrimitives.WriteSingleBigEndian(span[1..], (float)value);
            _used += 5;
        }
        else
        {
            span[0] = 0xFB;
            BinaryPrimitives.WriteDoubleBigEndian(span[1..], value);
            _used += 9;
        }
    }

    public void Flush()
    {
        _output.Advance(_used);
        _block = default;
        _used = 0;
    }

    private Span<byte> Reserve(int bytes)
    {
        if (_block.Length - _used < bytes)
        {
            if (_used > 0)
            {
                Flush();
            }

            _block = _output.GetSpan(Math.Max(bytes, BlockBytes));
        }

        return _block[_used..];
    }
}
