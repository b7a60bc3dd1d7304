using Hub.Edge.Contract.Readings;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Thresholds.Tests;

/// <summary>Rules and readings for tests.</summary>
internal static class Sample
{
    public static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    public static EdgeRule Rule(string slug = "pm10-high", double set = 50, double clear = 45, int forSeconds = 0, string? sensor = null, int? period = null, EdgeCrossing crossing = EdgeCrossing.Above) =>
        new(slug, "pm10", crossing, set, clear, forSeconds, sensor, period);

    public static Reading Reading(double value, int seconds = 0, string sensor = "air", int period = 60, Quality quality = Quality.Good, string property = "pm10") =>
        new(sensor, property, Noon.AddSeconds(seconds), value) { Period = TimeSpan.FromSeconds(period), Quality = quality };

    public static ThresholdBook Book(params EdgeRule[] rules)
    {
        var book = new ThresholdBook(TimeSpan.FromMinutes(15));
        book.Set(rules, complete: true);
        return book;
    }
}
