using System.Globalization;
using System.Text.RegularExpressions;

namespace Hub.Tests.Dashboards;

/// <summary>Puts values in the place of Grafana's variables, as Grafana does: its InfluxDB data source escapes values within regular expressions and joins several of them.</summary>
public static partial class Filling
{
    // What Grafana rounds intervals to, and from where on (rangeUtil.roundInterval).
    private static readonly (int BelowMilliseconds, int Milliseconds)[] Rounded =
    [
        (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1_500, 1_000), (3_500, 2_000), (7_500, 5_000), (12_500, 10_000), (17_500, 15_000), (25_000, 20_000), (45_000, 30_000),
        (90_000, 60_000), (210_000, 120_000), (450_000, 300_000), (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000), (2_700_000, 1_800_000), (5_400_000, 3_600_000), (9_000_000, 7_200_000),
        (16_200_000, 10_800_000), (32_400_000, 21_600_000), (86_400_000, 43_200_000),
    ];

    /// <summary>A panel of half a screen has about so many points.</summary>
    private const int PointsMax = 900;

    /// <summary>Fills in a question in InfluxQL.</summary>
    /// <param name="question">The question.</param>
    /// <param name="from">Begin of the time range.</param>
    /// <param name="to">Its end.</param>
    /// <param name="values">The chosen values of each variable; null stands for all, where the dashboard offers that (its allValue).</param>
    public static string InfluxQl(Question question, DateTime from, DateTime to, IReadOnlyDictionary<string, string[]?> values)
    {
        var interval = Interval(to - from, question.MinInterval);
        var text = question.Text
            .Replace("$__interval_ms", interval.TotalMilliseconds.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("$__interval", Word(interval), StringComparison.Ordinal)
            .Replace("$timeFilter", string.Create(CultureInfo.InvariantCulture, $"time >= {Milliseconds(from)}ms and time <= {Milliseconds(to)}ms"), StringComparison.Ordinal);
        foreach (var (name, chosen) in values)
        {
            text = text.Replace($"${name}", chosen is null ? ".*" : chosen.Length == 1 ? Escape(chosen[0]) : $"({string.Join('|', chosen.Select(Escape))})", StringComparison.Ordinal);
        }

        // A dollar that is left ends a regular expression, or is a variable that Grafana would not know either.
        return text.Replace("$/", "/", StringComparison.Ordinal).Contains('$', StringComparison.Ordinal) ? throw new InvalidOperationException($"A variable is left in {text}") : text;
    }

    /// <summary>Fills in an expression of PromQL for a Prometheus that scrapes once a second.</summary>
    public static string PromQl(Question question) => question.Text
        .Replace("$__rate_interval", "20s", StringComparison.Ordinal)
        .Replace("$instance", ".*", StringComparison.Ordinal);

    /// <summary>A duration as panels state their shortest interval.</summary>
    public static TimeSpan Duration(string text)
    {
        var number = int.Parse(text[..^1], CultureInfo.InvariantCulture);
        return text[^1] switch { 's' => TimeSpan.FromSeconds(number), 'm' => TimeSpan.FromMinutes(number), 'h' => TimeSpan.FromHours(number), 'd' => TimeSpan.FromDays(number), _ => throw new FormatException(text) };
    }

    private static TimeSpan Interval(TimeSpan range, TimeSpan shortest)
    {
        var raw = range.TotalMilliseconds / PointsMax;
        var nice = TimeSpan.FromMilliseconds(Rounded.Append((int.MaxValue, 86_400_000)).First(step => raw < step.Item1).Item2);
        return nice < shortest ? shortest : nice;
    }

    private static string Word(TimeSpan interval) => interval switch
    {
        _ when interval.Ticks % TimeSpan.TicksPerDay == 0 => string.Create(CultureInfo.InvariantCulture, $"{interval.Days}d"),
        _ when interval.Ticks % TimeSpan.TicksPerHour == 0 => string.Create(CultureInfo.InvariantCulture, $"{interval.TotalHours}h"),
        _ when interval.Ticks % TimeSpan.TicksPerMinute == 0 => string.Create(CultureInfo.InvariantCulture, $"{interval.TotalMinutes}m"),
        _ when interval.Ticks % TimeSpan.TicksPerSecond == 0 => string.Create(CultureInfo.InvariantCulture, $"{interval.TotalSeconds}s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{interval.TotalMilliseconds}ms"),
    };

    private static long Milliseconds(DateTime time) => (long)(time - DateTime.UnixEpoch).TotalMilliseconds;

    private static string Escape(string value) => Special().Replace(value, @"\$0");

    [GeneratedRegex(@"[\\^$*+?.()|[\]{}/]")]
    private static partial Regex Special();
}
