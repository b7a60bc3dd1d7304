using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Api;

/// <summary>How the API writes and reads enumerations, instants and durations. Words are lower case with hyphens.</summary>
internal static partial class Words
{
    private static readonly string[] QualityWords =
        [.. Enum.GetValues<Quality>().Where(q => q != Quality.Good).Order().Select(q => Hyphenated(q.ToString()))];

    /// <summary>Flags that have a word.</summary>
    public static int QualityCount => QualityWords.Length;

    /// <summary>Quality as words: one per flag, in order of the flags; empty when nothing is known against the value.</summary>
    public static IReadOnlyList<string> Of(Quality quality)
    {
        if (quality == Quality.Good)
        {
            return [];
        }

        List<string> words = [];
        for (var rest = (uint)quality; rest != 0; rest &= rest - 1)
        {
            var bit = BitOperations.TrailingZeroCount(rest);
            words.Add(bit < QualityWords.Length ? QualityWords[bit] : string.Create(CultureInfo.InvariantCulture, $"flag-{bit}"));
        }

        return words;
    }

    public static string Of(Statistic statistic) => Hyphenated(statistic.ToString());

    public static string Of<T>(T value)
        where T : struct, Enum => Hyphenated(value.ToString());

    public static string Of(RefusalReason reason) => Hyphenated(reason.ToString());

    /// <summary>Reads a word back; false for anything else, numbers included.</summary>
    public static bool TryRead<T>(string text, out T value)
        where T : struct, Enum
    {
        foreach (var candidate in Enum.GetValues<T>())
        {
            if (Hyphenated(candidate.ToString()) == text)
            {
                value = candidate;
                return true;
            }
        }

        value = default;
        return false;
    }

    public static string All<T>()
        where T : struct, Enum => string.Join(", ", Enum.GetNames<T>().Select(Hyphenated));

    public static string Of(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>ISO 8601 duration, as <c>PT15M</c> or <c>P1D</c>.</summary>
    public static string Of(TimeSpan duration) => System.Xml.XmlConvert.ToString(duration) is "PT0S" or "P0D" ? "PT0S" : System.Xml.XmlConvert.ToString(duration);

    /// <summary>An instant with <c>Z</c> or an offset; a plus sign that arrived as a space is understood.</summary>
    public static bool TryInstant(string text, out DateTime utc)
    {
        utc = default;
        if (!InstantForm().IsMatch(text)
            || !DateTimeOffset.TryParse(text.Replace(' ', '+'), CultureInfo.InvariantCulture, DateTimeStyles.None, out var instant))
        {
            return false;
        }

        utc = instant.UtcDateTime;
        return true;
    }

    /// <summary>A duration of 1 s to 366 days in whole seconds: <c>30s</c>, <c>15m</c>, <c>1h</c>, <c>1d</c> or ISO 8601 without years and months.</summary>
    public static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = default;
        var found = DurationForm().Match(text);
        if (!found.Success || text is "P" || text.EndsWith('T'))
        {
            return false;
        }

        long seconds = 0;
        foreach (var (group, each) in new[] { ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1) })
        {
            foreach (Capture capture in found.Groups[group].Captures)
            {
                seconds += long.Parse(capture.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) * each;
            }
        }

        if (seconds is < 1 or > 366 * 86_400)
        {
            return false;
        }

        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }

    private static string Hyphenated(string pascal)
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

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,7})?)?(Z|[+\- ][0-9]{2}:[0-9]{2})$", RegexOptions.CultureInvariant)]
    private static partial Regex InstantForm();

    [GeneratedRegex(@"^(?:P(?:(?<d>[0-9]{1,9})D)?(?:T(?:(?<h>[0-9]{1,9})H)?(?:(?<m>[0-9]{1,9})M)?(?:(?<s>[0-9]{1,9})S)?)?|(?<d>[0-9]{1,9})d|(?<h>[0-9]{1,9})h|(?<m>[0-9]{1,9})m|(?<s>[0-9]{1,9})s)$", RegexOptions.CultureInvariant)]
    private static partial Regex DurationForm();
}
