using System.Globalization;

namespace Hub.Cloud.InfluxQl.Language;

/// <summary>Lengths of time as InfluxQL writes them: one or more numbers with a unit of ns, u, µ, ms, s, m, h, d, w.</summary>
internal static class Durations
{
    private const long Second = 1_000_000_000;

    /// <summary>Nanoseconds of a token.</summary>
    /// <exception cref="QuestionException">A unit is none, or it is too long for 64 bits.</exception>
    public static long Read(Token token)
    {
        var text = token.Text.AsSpan();
        long sum = 0;
        while (text.Length > 0)
        {
            var digits = text.IndexOfAnyExceptInRange('0', '9');
            var unit = digits <= 0 ? "" : text[digits..];
            var letters = unit.IndexOfAnyInRange('0', '9');
            unit = letters < 0 ? unit : unit[..letters];
            long? scale = unit switch
            {
                "ns" => 1,
                "u" or "µ" or "μ" => 1_000,
                "ms" => 1_000_000,
                "s" => Second,
                "m" => 60 * Second,
                "h" => 3_600 * Second,
                "d" => 86_400 * Second,
                "w" => 7 * 86_400 * Second,
                _ => null,
            };
            if (scale is null)
            {
                throw new QuestionException($"invalid duration {token.Shown}: a number with a unit of ns, u, ms, s, m, h, d or w", token.Place);
            }

            try
            {
                sum = checked(sum + (long.Parse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture) * scale.Value));
            }
            catch (OverflowException)
            {
                throw new QuestionException($"duration {token.Shown} is longer than 292 years", token.Place);
            }

            text = text[(digits + unit.Length)..];
        }

        return sum;
    }
}
