using System.Globalization;

namespace Hub.Cloud.Notifications;

/// <summary>How a language writes words, numbers and times: <c>pt</c> is European Portuguese, anything else British English.</summary>
internal sealed class AlarmWords
{
    private static readonly CultureInfo PortugueseCulture = CultureInfo.GetCultureInfo("pt-PT");
    private static readonly CultureInfo EnglishCulture = CultureInfo.GetCultureInfo("en-GB");

    private readonly CultureInfo culture;
    private readonly bool portuguese;

    private AlarmWords(CultureInfo culture, bool portuguese) => (this.culture, this.portuguese) = (culture, portuguese);

    public static AlarmWords Portuguese { get; } = new(PortugueseCulture, portuguese: true);

    public static AlarmWords English { get; } = new(EnglishCulture, portuguese: false);

    /// <summary>The language of a subscriber.</summary>
    public static AlarmWords In(string language) => language == "pt" ? Portuguese : English;

    /// <summary>The time zone in which to write a message's times; UTC where the machine does not know it.</summary>
    public static TimeZoneInfo ZoneOf(AlarmMessage message) => TimeZoneInfo.TryFindSystemTimeZoneById(message.Zone, out var found) ? found : TimeZoneInfo.Utc;

    /// <summary>How numbers and dates are written.</summary>
    public CultureInfo Culture => culture;

    public string Of(string pt, string en) => portuguese ? pt : en;

    /// <summary>A value with its unit: one decimal from 100 up and for sound levels, otherwise two, trailing zeros left out; a no-break space before the unit, none before % and °.</summary>
    public string Number(double value, string unit)
    {
        var number = value.ToString(Math.Abs(value) >= 100 || unit.StartsWith("dB", StringComparison.Ordinal) ? "0.#" : "0.##", culture);
        return unit.Length == 0 ? number : unit is "°" || (unit is "%" && !portuguese) ? number + unit : $"{number}\u00a0{unit}";
    }

    /// <summary>Local time with its offset, so that it is unambiguous in the hour that happens twice; with seconds where minutes would not tell start from end.</summary>
    public string Time(DateTime utc, TimeZoneInfo zone, bool toTheSecond = false) =>
        Local(utc, zone, (portuguese ? "d 'de' MMMM 'de' yyyy, HH:mm" : "d MMMM yyyy, HH:mm") + (toTheSecond ? ":ss" : ""));

    /// <summary>The same as short as can be: day, month, hours and minutes.</summary>
    public string ShortTime(DateTime utc, TimeZoneInfo zone) => Local(utc, zone, portuguese ? "dd/MM HH:mm" : "d MMM HH:mm");

    private string Local(DateTime utc, TimeZoneInfo zone, string pattern)
    {
        var offset = zone.GetUtcOffset(utc);
        var local = DateTime.SpecifyKind(utc + offset, DateTimeKind.Unspecified);
        var sign = offset < TimeSpan.Zero ? "−" : "+";
        var hours = offset.Duration();
        var shift = hours == TimeSpan.Zero ? "UTC" : $"UTC{sign}{(int)hours.TotalHours}{(hours.Minutes == 0 ? "" : $":{hours.Minutes:00}")}";
        return $"{local.ToString(pattern, culture)} ({shift})";
    }
}
