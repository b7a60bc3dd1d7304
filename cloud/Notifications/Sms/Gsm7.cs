using System.Globalization;
using System.Text;

namespace Hub.Cloud.Notifications.Sms;

/// <summary>
/// How much of an SMS a text takes. The GSM 7-bit alphabet (3GPP TS 23.038, 6.2.1) holds 160 characters, or 153 in each part of a longer message; a single character outside it makes the whole message UCS-2: 70 and 67. Pure.
/// </summary>
internal static class Gsm7
{
    // In the order of the table, without the escape.
    private const string Alphabet =
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

    // Each takes the escape as well.
    private const string Extension = "\f^{}\\[~]|€";

    /// <summary>Whether every character is in the alphabet or its extension.</summary>
    public static bool Holds(string text) => text.All(c => Alphabet.Contains(c, StringComparison.Ordinal) || Extension.Contains(c, StringComparison.Ordinal));

    /// <summary>Messages that a text takes, 1 or more.</summary>
    public static int PartsOf(string text)
    {
        var isGsm = Holds(text);
        var (single, each) = isGsm ? (160, 153) : (70, 67);
        var (used, parts, free) = (0, 1, each);
        foreach (var rune in text.EnumerateRunes())
        {
            // An escaped character and a surrogate pair are not parted.
            var cost = !isGsm ? rune.Utf16SequenceLength : Extension.Contains((char)rune.Value, StringComparison.Ordinal) ? 2 : 1;
            if (cost > free)
            {
                (parts, free) = (parts + 1, each);
            }

            (used, free) = (used + cost, free - cost);
        }

        return used <= single ? 1 : parts;
    }

    /// <summary>The text with signs that the alphabet lacks, but that are not letters, in their plain form: a single µ would halve the message.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            plain.Append(c switch
            {
                '\u00a0' or '\u202f' => " ",
                '–' or '—' or '−' or '⁻' => "-",
                '“' or '”' or '«' or '»' => "\"",
                '‘' or '’' => "'",
                '…' => "...",
                'µ' or 'μ' => "u",
                '²' => "2",
                '³' => "3",
                '°' => "",
                _ => c.ToString(),
            });
        }

        return plain.ToString();
    }

    /// <summary>The text with letters that the alphabet lacks written without their accents.</summary>
    public static string Unaccented(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var letter in text.EnumerateRunes().Select(rune => rune.ToString()))
        {
            plain.Append(Holds(letter) ? letter : string.Concat(letter.Normalize(NormalizationForm.FormKD).Where(part => CharUnicodeInfo.GetUnicodeCategory(part) != UnicodeCategory.NonSpacingMark)));
        }

        return plain.ToString();
    }
}
