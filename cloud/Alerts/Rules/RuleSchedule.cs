using System.Globalization;
using System.Text.RegularExpressions;

namespace Hub.Cloud.Alerts.Rules;

/// <summary>
/// When a rule is in force, by the municipality's clock: <c>mo-fr 08:00-18:30, sa 09:00-13:00; no holidays</c>. A stretch without days is of every day; one past midnight belongs to the day on which it
/// begins. <c>day</c>, <c>evening</c> and <c>night</c> are the periods of the Portuguese noise regulation (DL 9/2007, art. 3: 07-20, 20-23, 23-07). After a semicolon: <c>no holidays</c>, or
/// <c>holidays</c> for these days only. Holidays are the Portuguese national ones (Código do Trabalho, art. 234). A value.
/// </summary>
internal sealed partial class RuleSchedule
{
    /// <summary>Longest text.</summary>
    public const int LengthMax = 200;

    private const string DayNames = "mo tu we th fr sa su";

    private readonly List<(byte Days, TimeSpan From, TimeSpan To)> _stretches = [];
    private bool? _holidays;

    private RuleSchedule()
    {
    }

    /// <summary>Reads a schedule; null for an empty text: always in force.</summary>
    /// <exception cref="FormatException">It is none; the message says what is expected.</exception>
    public static RuleSchedule? Parse(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }

        if (text.Length > LengthMax)
        {
            throw Wrong(text[..40] + "...");
        }

        var parts = text.Split(';', StringSplitOptions.TrimEntries);
        var schedule = new RuleSchedule
        {
            _holidays = parts.Length == 1 ? null : parts is [_, "no holidays"] ? false : parts is [_, "holidays"] ? true : throw Wrong(text),
        };
        foreach (var part in parts[0].Split(',', StringSplitOptions.TrimEntries))
        {
            var words = part switch { "day" => "07:00-20:00", "evening" => "20:00-23:00", "night" => "23:00-07:00", _ => part };
            var match = StretchPattern().Match(words);
            if (!match.Success || !TryDays(match.Groups["days"].Value, out var days)
                || !TryTime(match.Groups["from"].Value, out var from) || !TryTime(match.Groups["to"].Value, out var to) || from == to || from.TotalHours >= 24)
            {
                throw Wrong(part);
            }

            schedule._stretches.Add((days, from, to));
        }

        return schedule;
    }

    /// <summary>Whether a rule is in force at an instant.</summary>
    /// <param name="at">UTC.</param>
    /// <param name="zone">Time zone of the municipality.</param>
    public bool Covers(DateTime at, TimeZoneInfo zone)
    {
        var local = DateTime.SpecifyKind(at + zone.GetUtcOffset(at), DateTimeKind.Unspecified);
        foreach (var (days, from, to) in _stretches)
        {
            var time = local.TimeOfDay;
            if (from < to)
            {
                if (time >= from && time < to && IsOn(days, local.Date))
                {
                    return true;
                }
            }
            else if ((time >= from && IsOn(days, local.Date)) || (time < to && IsOn(days, local.Date.AddDays(-1))))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a day is a national holiday in Portugal.</summary>
    internal static bool IsHoliday(DateTime day)
    {
        if ((day.Month, day.Day) is (1, 1) or (4, 25) or (5, 1) or (6, 10) or (8, 15) or (10, 5) or (11, 1) or (12, 1) or (12, 8) or (12, 25))
        {
            return true;
        }

        // Good Friday, Easter Sunday, Corpus Christi.
        return (day.Date - Easter(day.Year)).Days is -2 or 0 or 60;
    }

    /// <summary>Easter Sunday of the Gregorian calendar (anonymous algorithm; Meeus, Astronomical Algorithms, chapter 8).</summary>
    internal static DateTime Easter(int year)
    {
        var (a, b, c) = (year % 19, year / 100, year % 100);
        var h = ((19 * a) + b - (b / 4) - ((b - ((b + 8) / 25) + 1) / 3) + 15) % 30;
        var l = (32 + (2 * (b % 4)) + (2 * (c / 4)) - h - (c % 4)) % 7;
        var m = (a + (11 * h) + (22 * l)) / 451;
        var n = h + l - (7 * m) + 114;
        return new DateTime(year, n / 31, (n % 31) + 1);
    }

    private bool IsOn(byte days, DateTime day) =>
        (days & (1 << (((int)day.DayOfWeek + 6) % 7))) != 0 && (_holidays is not { } wanted || IsHoliday(day) == wanted);

    private static bool TryDays(string text, out byte days)
    {
        days = 0;
        if (text.Length == 0)
        {
            days = 0x7F;
            return true;
        }

        var names = DayNames.Split(' ');
        var ends = text.Split('-');
        var (first, last) = (Array.IndexOf(names, ends[0]), Array.IndexOf(names, ends[^1]));
        if (first < 0 || last < 0)
        {
            return false;
        }

        for (var day = first; ; day = (day + 1) % 7)
        {
            days |= (byte)(1 << day);
            if (day == last)
            {
                return true;
            }
        }
    }

    private static bool TryTime(string text, out TimeSpan time)
    {
        time = new TimeSpan(int.Parse(text[..2], CultureInfo.InvariantCulture), int.Parse(text[3..], CultureInfo.InvariantCulture), 0);
        return time <= TimeSpan.FromHours(24) && text[3] < '6';
    }

    private static FormatException Wrong(string text) =>
        new($"has '{text}', where something like 'night', 'mo-fr 08:00-18:30' or several of them with commas is expected, and after a semicolon perhaps 'holidays' or 'no holidays'");

    [GeneratedRegex(@"^((?<days>[a-z]{2}(-[a-z]{2})?) )?(?<from>[0-9]{2}:[0-9]{2})-(?<to>[0-9]{2}:[0-9]{2})$", RegexOptions.CultureInvariant)]
    private static partial Regex StretchPattern();
}
