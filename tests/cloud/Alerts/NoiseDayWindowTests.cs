using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Indicators;
using Hub.Edge.Contract.Quantities;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

public sealed class NoiseDayWindowTests
{
    private static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);

    [Theory]
    [InlineData("Europe/Lisbon", "2026-03-28", "2026-03-28T07:00", 23, 7)]
    [InlineData("Europe/Lisbon", "2026-03-29", "2026-03-29T06:00", 24, 8)]
    [InlineData("Europe/Lisbon", "2026-10-24", "2026-10-24T06:00", 25, 9)]
    [InlineData("Europe/Lisbon", "2026-10-25", "2026-10-25T07:00", 24, 8)]
    [InlineData("Atlantic/Azores", "2026-03-28", "2026-03-28T08:00", 23, 7)]
    [InlineData("Atlantic/Azores", "2026-10-24", "2026-10-24T07:00", 25, 9)]
    [InlineData("Atlantic/Azores", "2026-10-25", "2026-10-25T08:00", 24, 8)]
    public void A_night_counts_as_long_as_it_lasts_and_the_weights_stay(string zone, string day, string begin, int dayHours, int nightHours)
    {
        var begins = DateTime.Parse(begin + ":00Z", System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AdjustToUniversal);
        Assert.Equal(DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture), DateOnly.FromDateTime(begins));
        var ends = begins.AddHours(dayHours);
        var night = ends.AddHours(-nightHours);

        // Loud for one hour of the night, whatever its length.
        double LevelAt(DateTime at) => at < night.AddHours(-3) ? 65 : at < night ? 62 : at < night.AddHours(1) ? 60 : 50;
        var ln = 10 * Math.Log10((1e6 + ((nightHours - 1) * 1e5)) / nightHours);
        foreach (var (measure, expected) in new[] { (Measure.Ln, ln), (Measure.Lden, DayEveningNight.Lden(65, 62, ln)) })
        {
            var window = Window(measure, zone, 1);
            Fill(window, begins, ends, LevelAt);
            Assert.Equal(ends, window.Closes);
            Assert.True(window.TryMeasure(out var found));
            Assert.Equal(expected, found, 9);
        }
    }

    [Fact]
    public void The_worked_example_comes_out()
    {
        var window = Window(Measure.Lden, "Europe/Lisbon", 1);
        var begins = new DateTime(2026, 1, 14, 7, 0, 0, DateTimeKind.Utc);
        Fill(window, begins, begins.AddDays(1), at => at.Hour is >= 7 and < 20 ? 65 : at.Hour is >= 20 and < 23 ? 62 : 57);
        Assert.True(window.TryMeasure(out var lden));
        Assert.Equal(66.03, lden, 2);
    }

    [Theory]
    [InlineData(9, 10, false)]
    [InlineData(21, 22, false)]
    [InlineData(30, 31, false)]
    [InlineData(null, null, true)]
    public void Each_period_needs_its_own_coverage(int? gapFrom, int? gapTo, bool says)
    {
        // An hour is more than 7 % of each of them, and less than that of the whole day.
        var begins = new DateTime(2026, 1, 14, 7, 0, 0, DateTimeKind.Utc);
        var window = Window(Measure.Lden, "Europe/Lisbon", 0.93);
        for (var at = begins; at < begins.AddDays(1); at += Quarter)
        {
            var hour = (at - begins.Date).TotalHours;
            if (!(hour >= gapFrom && hour < gapTo))
            {
                window.Add(at, 60);
            }
        }

        Assert.Equal(says, window.TryMeasure(out _));
        Assert.Equal(says || gapFrom < 23, LnSays(begins, gapFrom, gapTo));
    }

    private static bool LnSays(DateTime begins, int? gapFrom, int? gapTo)
    {
        var window = Window(Measure.Ln, "Europe/Lisbon", 0.93);
        for (var at = begins; at < begins.AddDays(1); at += Quarter)
        {
            var hour = (at - begins.Date).TotalHours;
            if (!(hour >= gapFrom && hour < gapTo))
            {
                window.Add(at, 60);
            }
        }

        return window.TryMeasure(out _);
    }

    private static SignalWindow Window(Measure measure, string zone, double coverage) =>
        new(new Signal(measure, TimeSpan.FromDays(1), true, 0, coverage, Quarter, AveragingRule.EnergyMean, TimeZoneInfo.FindSystemTimeZoneById(zone)));

    private static void Fill(SignalWindow window, DateTime from, DateTime to, Func<DateTime, double> level)
    {
        for (var at = from; at < to; at += Quarter)
        {
            window.Add(at, level(at));
        }
    }
}
