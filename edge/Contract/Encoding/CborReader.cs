using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;

namespace Hub.Edge.Contract.Encoding;

/// <summary>
/// Reads CBOR (RFC 8949) as far as a pack needs it, forward only: definite and indefinite lengths, all integers and floats, decimal fractions
/// (tag 4), other tags passed over. Every method returns false for input that is not well-formed or nested too deeply; nothing throws.
/// </summary>
internal ref struct CborReader
{
    public const int ArrayMajor = 4;
    public const int MapMajor = 5;

    /// <summary>Count of an indefinite-length container, as <see cref="TryReadContainer"/> gives it.</summary>
    public const long Indefinite = -1;

    private const int DepthMax = 16;
    private const int TextMajor = 3;
    private const int BytesMajor = 2;
    private const int TagMajor = 6;
    private const byte Break = 0xFF;
    private const ulong DecimalFractionTag = 4;

    private readonly ReadOnlySpan<byte> _data;
    private Extent _keyText;

    public CborReader(ReadOnlySpan<byte> data) => _data = data;

    public int Position { get; private set; }

    public readonly bool AtEnd => Position >= _data.Length;

    /// <summary>The field the last key names.</summary>
    public SenmlLabel KeyLabel { get; private set; }

    /// <summary>The last key was a text ending in <c>_</c>.</summary>
    public bool KeyEndsInUnderscore { get; private set; }

    /// <summary>The last key was the text form of a label that has an integer in CBOR.</summary>
    public bool KeyIsMisspelt { get; private set; }

    /// <summary>The last key, where it was a text (of a chunked one its last chunk).</summary>
    public readonly ReadOnlySpan<byte> KeyText => _data.Slice(_keyText.Start, _keyText.Length);

    /// <summary>Major type of the next item, tags passed over.</summary>
    public bool TryPeekMajor(out int major)
    {
        major = 0;
        if (!TrySkipTags(out _) || AtEnd)
        {
            return false;
        }

        major = _data[Position] >> 5;
        return true;
    }

    /// <summary>Opens an array or map; count is its number of elements or pairs, or <see cref="Indefinite"/>.</summary>
    public bool TryReadContainer(int wanted, out long count)
    {
        count = 0;
        if (!TrySkipTags(out _) || !TryReadHead(out int major, out int info, out ulong argument) || major != wanted)
        {
            return false;
        }

        // Each element takes a byte at least: a count beyond the data is a lie.
        count = info == 31 ? Indefinite : (long)Math.Min(argument, long.MaxValue);
        return count <= _data.Length - Position;
    }

    /// <summary>Says whether a container has a further element, and takes the break where it has none.</summary>
    public bool TryHasNext(ref long remaining, out bool more)
    {
        more = false;
        if (remaining == Indefinite)
        {
            if (AtEnd)
            {
                return false;
            }

            more = _data[Position] != Break;
            Position += more ? 0 : 1;
            return true;
        }

        more = remaining > 0;
        remaining -= more ? 1 : 0;
        return true;
    }

    /// <summary>Reads a map's key; <paramref name="start"/> is where it stood.</summary>
    public bool TryReadKey(out int start)
    {
        start = Position;
        KeyLabel = SenmlLabel.Unknown;
        KeyEndsInUnderscore = false;
        KeyIsMisspelt = false;
        _keyText = default;
        if (!TryPeekMajor(out int major))
        {
            return false;
        }

        switch (major)
        {
            case 0 or 1:
                if (!TryReadHead(out _, out _, out ulong argument))
                {
                    return false;
                }

                if (argument < 64)
                {
                    KeyLabel = SenmlLabels.FromInteger(major == 0 ? (long)argument : -1 - (long)argument);
                }

                return true;
            case TextMajor:
                Span<byte> plain = stackalloc byte[4];
                if (!TryReadText(plain, out Extent whole, out int length, out bool fits))
                {
                    return false;
                }

                _keyText = whole;
                KeyEndsInUnderscore = whole.Length > 0 && _data[whole.Start + whole.Length - 1] == (byte)'_';
                SenmlLabel label = fits ? SenmlLabels.FromText(plain[..length]) : SenmlLabel.Unknown;
                KeyIsMisspelt = label is not SenmlLabel.Unknown and < SenmlLabel.Quality;
                KeyLabel = label;
                return true;
            default:
                return TrySkip();
        }
    }

    /// <summary>Reads a number of any form; another well-formed item is passed over and <paramref name="isNumber"/> is false.</summary>
    public bool TryReadNumber(out double value, out bool isNumber)
    {
        value = 0;
        isNumber = false;
        int start = Position;
        if (!TrySkipTags(out ulong innermost) || AtEnd)
        {
            return false;
        }

        int major = _data[Position] >> 5;
        if (major == ArrayMajor && innermost == DecimalFractionTag)
        {
            return TryReadDecimalFraction(out value, out isNumber);
        }

        // A tag gives the number another meaning (a date, a reference): it is no longer a plain one.
        bool plain = Position == start || innermost == 55799;
        int info = _data[Position] & 31;
        if (major is not (0 or 1) && !(major == 7 && info is 25 or 26 or 27))
        {
            return TrySkip();
        }

        if (!TryReadHead(out _, out _, out ulong argument))
        {
            return false;
        }

        isNumber = plain;
        value = major switch
        {
            0 => argument,
            1 => -1.0 - argument,
            _ when info == 25 => (double)BitConverter.UInt16BitsToHalf((ushort)argument),
            _ when info == 26 => BitConverter.UInt32BitsToSingle((uint)argument),
            _ => BitConverter.UInt64BitsToDouble(argument),
        };
        return true;
    }

    /// <summary>Reads true or false; another well-formed item is passed over and <paramref name="isBoolean"/> is false.</summary>
    public bool TryReadBoolean(out bool value, out bool isBoolean)
    {
        byte next = AtEnd ? (byte)0 : _data[Position];
        value = next == 0xF5;
        isBoolean = next is 0xF4 or 0xF5;
        return TrySkip();
    }

    /// <summary>
    /// Reads a text. A definite one is given as its extent in the data, and copied too where it fits; a chunked one is put together in
    /// <paramref name="target"/> (its extent is then that of its last chunk). <paramref name="fits"/> says that the copy is complete.
    /// </summary>
    public bool TryReadText(scoped Span<byte> target, out Extent whole, out int length, out bool fits) =>
        TryReadString(TextMajor, target, out whole, out length, out fits);

    /// <summary>Reads a byte string; the same rules as <see cref="TryReadText"/>.</summary>
    public bool TryReadBytes(scoped Span<byte> target, out Extent whole, out int length, out bool fits) =>
        TryReadString(BytesMajor, target, out whole, out length, out fits);

    /// <summary>Passes over one item with all that is in it.</summary>
    public bool TrySkip() => TrySkip(DepthMax);

    private bool TrySkip(int depth)
    {
        if (depth == 0 || !TrySkipTags(out _) || !TryReadHead(out int major, out int info, out ulong argument))
        {
            return false;
        }

        switch (major)
        {
            case BytesMajor or TextMajor when info != 31:
                return TryAdvance(argument);
            case BytesMajor or TextMajor:
                return TrySkipChunks(major);
            case ArrayMajor or MapMajor:
                long remaining = info == 31 ? Indefinite : (long)Math.Min(argument, long.MaxValue);
                while (TryHasNext(ref remaining, out bool more))
                {
                    if (!more)
                    {
                        return true;
                    }

                    if (!TrySkip(depth - 1) || (major == MapMajor && !TrySkip(depth - 1)))
                    {
                        return false;
                    }
                }

                return false;
            default:
                // Integers, floats and simple values end with their head; a break stands only where TryHasNext takes it.
                return !(major == 7 && info == 31);
        }
    }

    private bool TrySkipChunks(int major)
    {
        while (!AtEnd)
        {
            if (_data[Position] == Break)
            {
                Position++;
                return true;
            }

            if (!TryReadHead(out int chunk, out int info, out ulong argument) || chunk != major || info == 31 || !TryAdvance(argument))
            {
                return false;
            }
        }

        return false;
    }

    private bool TryReadString(int wanted, scoped Span<byte> target, out Extent whole, out int length, out bool fits)
    {
        whole = default;
        length = 0;
        fits = true;
        if (!TrySkipTags(out _) || !TryReadHead(out int major, out int info, out ulong argument) || major != wanted)
        {
            return false;
        }

        if (info != 31)
        {
            whole = new Extent(Position, (int)Math.Min(argument, int.MaxValue));
            if (!TryAdvance(argument))
            {
                return false;
            }

            fits = whole.Length <= target.Length;
            length = fits ? whole.Length : 0;
            _data.Slice(whole.Start, length).CopyTo(target);
            return true;
        }

        while (!AtEnd)
        {
            if (_data[Position] == Break)
            {
                Position++;
                return true;
            }

            if (!TryReadHead(out int chunk, out int chunkInfo, out argument) || chunk != wanted || chunkInfo == 31)
            {
                return false;
            }

            int from = Position;
            if (!TryAdvance(argument))
            {
                return false;
            }

            // Empty chunks do not change how a text ends.
            whole = argument > 0 ? new Extent(from, (int)argument) : whole;
            fits = fits && (int)argument <= target.Length - length;
            if (fits)
            {
                _data.Slice(from, (int)argument).CopyTo(target[length..]);
                length += (int)argument;
            }
        }

        return false;
    }

    /// <summary>Tag 4: an array of exponent and mantissa, mantissa x 10^exponent.</summary>
    private bool TryReadDecimalFraction(out double value, out bool isNumber)
    {
        value = 0;
        isNumber = false;
        int start = Position;
        if (!TryReadContainer(ArrayMajor, out long count) || count != 2
            || !TryReadInteger(out long exponent) || !TryReadInteger(out long mantissa))
        {
            // Not of that form: whatever it is, it is no number to us.
            Position = start;
            return TrySkip();
        }

        // Through decimal text, so that the result is the double nearest to the decimal number.
        Span<byte> text = stackalloc byte[48];
        mantissa.TryFormat(text, out int digits, default, CultureInfo.InvariantCulture);
        text[digits++] = (byte)'e';
        exponent.TryFormat(text[digits..], out int more, default, CultureInfo.InvariantCulture);
        isNumber = exponent is > -10_000 and < 10_000 && Utf8Parser.TryParse(text[..(digits + more)], out value, out _, 'e');
        return true;
    }

    private bool TryReadInteger(out long value)
    {
        value = 0;
        if (!TryReadHead(out int major, out _, out ulong argument) || major > 1 || argument > long.MaxValue)
        {
            return false;
        }

        value = major == 0 ? (long)argument : -1 - (long)argument;
        return true;
    }

    private bool TrySkipTags(out ulong innermost)
    {
        innermost = 0;
        while (!AtEnd && _data[Position] >> 5 == TagMajor)
        {
            if (!TryReadHead(out _, out int info, out innermost) || info == 31)
            {
                return false;
            }
        }

        return true;
    }

    private bool TryAdvance(ulong count)
    {
        if (count > (ulong)(_data.Length - Position))
        {
            return false;
        }

        Position += (int)count;
        return true;
    }

    /// <summary>Reads an item's first byte and its argument. Info 31 (indefinite, break) is left to the caller; 28 to 30 are not well-formed.</summary>
    private bool TryReadHead(out int major, out int info, out ulong argument)
    {
        major = 0;
        info = 0;
        argument = 0;
        if (AtEnd)
        {
            return false;
        }

        byte first = _data[Position++];
        major = first >> 5;
        info = first & 31;
        ReadOnlySpan<byte> rest = _data[Position..];
        switch (info)
        {
            case < 24:
                argument = (ulong)info;
                return true;
            case 24 when rest.Length >= 1:
                argument = rest[0];
                Position += 1;
                return major != 7 || argument >= 32;
            case 25 when rest.Length >= 2:
                argument = BinaryPrimitives.ReadUInt16BigEndian(rest);
                Position += 2;
                return true;
            case 26 when rest.Length >= 4:
                argument = BinaryPrimitives.ReadUInt32BigEndian(rest);
                Position += 4;
                return true;
            case 27 when rest.Length >= 8:
                argument = BinaryPrimitives.ReadUInt64BigEndian(rest);
                Position += 8;
                return true;
            case 31:
                return major is 2 or 3 or 4 or 5 or 7;
            default:
                return false;
        }
    }
}
