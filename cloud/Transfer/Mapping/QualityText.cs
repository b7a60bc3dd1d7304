using System.Globalization;
using System.Numerics;
using System.Text;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Transfer.Mapping;

/// <summary>Quality as the API writes it: a word per flag, lower case with hyphens, in order of the flags, with spaces between; empty for good.</summary>
internal static class QualityText
{
    private static readonly string[] Words = [.. Enum.GetValues<Quality>().Where(q => q != Quality.Good).Order().Select(q => Hyphenated(q.ToString()))];

    // Nearly every observation has one of few combinations of flags.
    private static readonly Dictionary<Quality, string> Written = new() { [Quality.Good] = "" };

    /// <summary>All words.</summary>
    public static string All => string.Join(", ", Words);

    /// <summary>The words of some flags.</summary>
    public static string Of(Quality quality)
    {
        lock (Written)
        {
            if (!Written.TryGetValue(quality, out var text))
            {
                var words = new List<string>();
                for (var rest = (uint)quality; rest != 0; rest &= rest - 1)
                {
                    var bit = BitOperations.TrailingZeroCount(rest);
                    words.Add(bit < Words.Length ? Words[bit] : string.Create(CultureInfo.InvariantCulture, $"flag-{bit}"));
                }

                text = string.Join(' ', words);
                if (Written.Count < 1_024)
                {
                    Written.Add(quality, text);
                }
            }

            return text;
        }
    }

    /// <summary>Reads words back, in any order; <c>good</c> and nothing are no flag. A whole number alone is flags.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out Quality quality)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var flags))
        {
            quality = (Quality)flags;
            return true;
        }

        quality = Quality.Good;
        foreach (var range in text.Split(' '))
        {
            var word = text[range];
            if (word.IsEmpty || word is "good")
            {
                continue;
            }

            var bit = Bit(word);
            if (bit < 0)
            {
                return false;
            }

            quality |= (Quality)(1 << bit);
        }

        return true;
    }

    /// <summary>A name in Pascal case as the hub's words are written.</summary>
    public static string Hyphenated(string pascal)
    {
        var text = new StringBuilder(pascal.Length + 4);
        foreach (var c in pascal)
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0)
            {
                text.Append('-');
            }

            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }

    private static int Bit(ReadOnlySpan<char> word)
    {
        for (var bit = 0; bit < Words.Length; bit++)
        {
            if (word.SequenceEqual(Words[bit]))
            {
                return bit;
            }
        }

        return word.StartsWith("flag-") && int.TryParse(word[5..], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= Words.Length && number < 31 ? number : -1;
    }
}
