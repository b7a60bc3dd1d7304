using System.Buffers.Text;
using System.Text;

namespace Hub.Edge.Contract.Encoding;

/// <summary>
/// Escapes of JSON texts. Written out because the framework's way throws for a lone surrogate, and input must never cost an exception per record.
/// </summary>
internal static class JsonText
{
    /// <summary>Unescapes the inside of a JSON text that the reader has already found well-formed.</summary>
    /// <returns>False when it does not fit, or has a surrogate without its pair.</returns>
    public static bool TryUnescape(ReadOnlySpan<byte> escaped, Span<byte> destination, out int written)
    {
        written = 0;
        int i = 0;
        while (i < escaped.Length)
        {
            byte b = escaped[i];
            if (b != (byte)'\\')
            {
                if (written == destination.Length)
                {
                    return false;
                }

                destination[written++] = b;
                i++;
                continue;
            }

            if (i + 1 >= escaped.Length)
            {
                return false;
            }

            Rune rune;
            if (escaped[i + 1] != (byte)'u')
            {
                rune = new Rune(escaped[i + 1] switch
                {
                    (byte)'b' => '\b',
                    (byte)'f' => '\f',
                    (byte)'n' => '\n',
                    (byte)'r' => '\r',
                    (byte)'t' => '\t',
                    _ => (char)escaped[i + 1],
                });
                i += 2;
            }
            else
            {
                if (!TryHex(escaped[i..], out char high))
                {
                    return false;
                }

                i += 6;
                if (char.IsHighSurrogate(high))
                {
                    if (!TryHex(escaped[Math.Min(i, escaped.Length)..], out char low) || !Rune.TryCreate(high, low, out rune))
                    {
                        return false;
                    }

                    i += 6;
                }
                else if (!Rune.TryCreate(high, out rune))
                {
                    return false;
                }
            }

            if (!rune.TryEncodeToUtf8(destination[written..], out int bytes))
            {
                return false;
            }

            written += bytes;
        }

        return true;
    }

    /// <summary>True when the inside of a JSON text ends in <c>_</c>, written plainly or as <c>\u005f</c>.</summary>
    public static bool EndsInUnderscore(ReadOnlySpan<byte> escaped)
    {
        if (escaped.EndsWith("_"u8))
        {
            return true;
        }

        if (escaped.Length < 6 || !TryHex(escaped[^6..], out char last) || last != '_')
        {
            return false;
        }

        // An even number of backslashes before it would make this one the second half of an escaped backslash.
        int backslashes = 0;
        for (int i = escaped.Length - 6; i >= 0 && escaped[i] == (byte)'\\'; i--)
        {
            backslashes++;
        }

        return backslashes % 2 == 1;
    }

    private static bool TryHex(ReadOnlySpan<byte> escape, out char value)
    {
        value = '\0';
        if (escape.Length >= 6 && escape[0] == (byte)'\\' && escape[1] == (byte)'u'
            && Utf8Parser.TryParse(escape.Slice(2, 4), out ushort code, out int used, 'x') && used == 4)
        {
            value = (char)code;
            return true;
        }

        return false;
    }
}
