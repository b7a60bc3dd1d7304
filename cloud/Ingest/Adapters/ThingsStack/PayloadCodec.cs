using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;

namespace Hub.Cloud.Ingest.Adapters.ThingsStack;

/// <summary>
/// Reads the bytes of a device as its table declares, for networks where nobody switched on the maker's decoder. Two families: items that begin with their type (Milesight,
/// Elsys), and words whose presence a bit mask tells (Decentlab).
/// </summary>
internal abstract class PayloadCodec
{
    /// <summary>Reads the bytes.</summary>
    /// <param name="bytes">The payload.</param>
    /// <param name="fields">Receives the fields in order; the same name may come twice.</param>
    /// <returns>Null when all was read; else what could not be, in a sentence.</returns>
    public abstract string? Decode(ReadOnlySpan<byte> bytes, List<(string Name, double Value)> fields);

    /// <summary>Reads a codec's declaration.</summary>
    /// <exception cref="InvalidDataException">It says something wrong.</exception>
    public static PayloadCodec Read(JsonElement codec, string where)
    {
        try
        {
            if (codec.TryGetProperty("tlv", out var tlv))
            {
                var keyBytes = tlv.GetProperty("keyBytes").GetInt32();
                return keyBytes is 1 or 2
                    ? new TypedItems(keyBytes, tlv.GetProperty("bigEndian").GetBoolean(), codec.GetProperty("items").EnumerateObject().ToDictionary(
                        item => int.Parse(item.Name, NumberStyles.HexNumber, CultureInfo.InvariantCulture), item => Parts(item.Value.GetString()!)))
                    : throw new InvalidDataException($"{where}: keyBytes must be 1 or 2.");
            }

            if (codec.TryGetProperty("flagged", out var flagged))
            {
                return new FlaggedWords(flagged.GetProperty("version").GetByte(), [.. codec.GetProperty("groups").EnumerateArray().Select(group => group.EnumerateArray().Select(w => Word(w.GetString()!)).ToArray())]);
            }
        }
        catch (Exception exception) when (exception is KeyNotFoundException or InvalidOperationException or FormatException or OverflowException or ArgumentException or IndexOutOfRangeException)
        {
            throw new InvalidDataException($"{where}: the codec cannot be understood ({exception.Message}).", exception);
        }

        throw new InvalidDataException($"{where}: the codec must be tlv or flagged.");
    }

    /// <summary>Reads <c>name:s2/10 other:u1</c>.</summary>
    private static ItemPart[] Parts(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(part =>
    {
        var colon = part.IndexOf(':', StringComparison.Ordinal);
        var slash = part.IndexOf('/', colon);
        var divisor = slash < 0 ? 1 : int.Parse(part.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture);
        return part[(colon + 1)..(slash < 0 ? part.Length : slash)] is ['u' or 's', '1' or '2' or '4'] type && divisor > 0
            ? new ItemPart(part[..colon], type[1] - '0', type[0] == 's', divisor)
            : throw new FormatException($"'{part}' is not name:u1, u2, u4, s1, s2 or s4, with /divisor");
    })];

    /// <summary>Reads <c>name * factor / divisor + offset</c>.</summary>
    private static WordPart Word(string text)
    {
        var parts = text.Split(' ');
        var offset = parts.Length == 7 ? Number(parts[6]) * (parts[5] == "-" ? -1 : 1) : 0;
        return parts.Length is 5 or 7 && parts[1] == "*" && parts[3] == "/" && Number(parts[4]) != 0
            ? new WordPart(parts[0], Number(parts[2]), Number(parts[4]), offset)
            : throw new FormatException($"'{text}' is not 'name * factor / divisor', with '+ offset' or '- offset'");
    }

    private static double Number(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    private readonly record struct ItemPart(string Name, int Bytes, bool IsSigned, int Divisor);

    private readonly record struct WordPart(string Name, double Factor, double Divisor, double Offset);

    private sealed class TypedItems(int keyBytes, bool bigEndian, IReadOnlyDictionary<int, ItemPart[]> items) : PayloadCodec
    {
        public override string? Decode(ReadOnlySpan<byte> bytes, List<(string Name, double Value)> fields)
        {
            var at = 0;
            while (at < bytes.Length)
            {
                var start = at;
                if (bytes.Length - at < keyBytes
                    || !items.TryGetValue(keyBytes == 1 ? bytes[at] : BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]), out var parts)
                    || bytes.Length - at - keyBytes < parts.Sum(p => p.Bytes))
                {
                    // How long an unknown item is, only its maker knows: what follows cannot be told apart either.
                    return $"The bytes from {start} on ({Convert.ToHexStringLower(bytes[start..Math.Min(bytes.Length, start + 8)])}...) are no item that is declared.";
                }

                at += keyBytes;
                foreach (var part in parts)
                {
                    fields.Add((part.Name, Integer(bytes.Slice(at, part.Bytes), part.IsSigned) / (double)part.Divisor));
                    at += part.Bytes;
                }
            }

            return null;
        }

        private long Integer(ReadOnlySpan<byte> bytes, bool isSigned)
        {
            var value = 0L;
            for (var i = 0; i < bytes.Length; i++)
            {
                value = (value << 8) | bytes[bigEndian ? i : bytes.Length - 1 - i];
            }

            var bits = bytes.Length * 8;
            return isSigned && value >> (bits - 1) == 1 ? value - (1L << bits) : value;
        }
    }

    private sealed class FlaggedWords(byte version, WordPart[][] groups) : PayloadCodec
    {
        private const int HeaderBytes = 5;

        public override string? Decode(ReadOnlySpan<byte> bytes, List<(string Name, double Value)> fields)
        {
            if (bytes.Length < HeaderBytes || bytes[0] != version)
            {
                return $"The payload must begin with version {version} and have {HeaderBytes} bytes or more.";
            }

            var flags = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
            var words = bytes[HeaderBytes..];
            var expected = groups.Where((_, i) => (flags & (1 << i)) != 0).Sum(g => g.Length) * 2;
            if (flags >> groups.Length != 0 || words.Length != expected)
            {
                return $"The payload has {words.Length} bytes of values; its mask {flags:x4} announces {expected}, or sensors nobody declared.";
            }

            foreach (var part in groups.Where((_, i) => (flags & (1 << i)) != 0).SelectMany(g => g))
            {
                fields.Add((part.Name, (part.Factor * BinaryPrimitives.ReadUInt16BigEndian(words) / part.Divisor) + part.Offset));
                words = words[2..];
            }

            return null;
        }
    }
}
