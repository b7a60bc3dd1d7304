using System.Globalization;

namespace Hub.Edge.Sensors.Station.Board;

/// <summary>What Linux says in files about the board, as text in and figures out. Pure; safe for concurrent callers. Null is "it does not say".</summary>
internal static class BoardFiles
{
    /// <summary>Bits of the firmware's <c>get_throttled</c> (Raspberry Pi documentation): a hexadecimal number, with or without <c>throttled=</c> and <c>0x</c>.</summary>
    public static uint? Throttled(string text)
    {
        ReadOnlySpan<char> digits = text.AsSpan().Trim();
        digits = digits.StartsWith("throttled=", StringComparison.Ordinal) ? digits["throttled=".Length..] : digits;
        digits = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? digits[2..] : digits;
        return uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint bits) ? bits : null;
    }

    /// <summary>
    /// Percent of its life that a card or eMMC has used up, of <c>life_time</c> ("0x01 0x02", its two kinds of cells; JEDEC eMMC 5.0): the upper end of the worse one's step. 110 is
    /// past the estimate.
    /// </summary>
    public static int? LifeTime(string text)
    {
        int worst = 0;
        foreach (string part in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            if (!part.StartsWith("0x", StringComparison.OrdinalIgnoreCase) || !int.TryParse(part.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int step) || step > 0x0B)
            {
                return null;
            }

            worst = Math.Max(worst, step);
        }

        // Zero is "not defined".
        return worst == 0 ? null : worst * 10;
    }

    /// <summary>Signal level in dBm of <c>/proc/net/wireless</c>: of an interface, or the best there is.</summary>
    public static double? Wireless(string text, string? name)
    {
        double? best = null;
        foreach (string line in text.Split('\n'))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0 || (name is not null && line.AsSpan(0, colon).Trim().CompareTo(name, StringComparison.Ordinal) != 0))
            {
                continue;
            }

            // Status, link, level, noise; a dot behind a number says that it is fresh.
            string[] fields = line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length >= 4 && double.TryParse(fields[2].TrimEnd('.'), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out double level))
            {
                // Some drivers write the byte of it without its sign.
                level = level > 63 ? level - 256 : level;
                best = level is < 0 and > -150 && !(level <= best) ? level : best;
            }
        }

        return best;
    }
}
