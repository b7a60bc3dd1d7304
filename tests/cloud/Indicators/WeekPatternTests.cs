using Hub.Cloud.Indicators;

namespace Hub.Cloud.Indicators.Tests;

public sealed class WeekPatternTests
{
    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    [Fact]
    public void Hours_are_grouped_by_the_local_clock()
    {
        Assert.Equal((6, 23), WeekPattern.PlaceOf(new DateTime(2026, 1, 18, 23, 0, 0, DateTimeKind.Utc), Lisbon));
        Assert.Equal((0, 0), WeekPattern.PlaceOf(new DateTime(2026, 7, 5, 23, 0, 0, DateTimeKind.Utc), Lisbon));
    }

    [Fact]
    public void Levels_are_averaged_as_energy()
    {
        // Mondays at noon, 60 and 70 dB of equal length: 67.4 dB, not 65.
        var monday = new DateTime(2026, 1, 12, 12, 0, 0, DateTimeKind.Utc);
        HourFigure[] hours = [new(monday, 60, 60), new(monday.AddDays(7), 70, 60), new(monday.AddDays(14), double.NaN, 60)];
        var cells = WeekPattern.EnergyMeans(hours, Lisbon);
        Assert.Equal(168, cells.Count);
        Assert.Equal(67.404, cells[12].Value, 3);
        Assert.Equal(2, cells[12].Hours);
        Assert.Equal(PatternCell.None.Hours, cells[13].Hours);
        Assert.Equal(67.404, WeekPattern.EnergyMeansByHour(hours, Lisbon)[12].Value, 3);
        Assert.Equal(24, WeekPattern.EnergyMeansByHour(hours, Lisbon).Count);
    }

    [Fact]
    public void The_usual_is_a_median_with_its_quartiles()
    {
        var monday = new DateTime(2026, 1, 12, 8, 0, 0, DateTimeKind.Utc);
        var cell = WeekPattern.Medians(new[] { 100, 120, 5_000, 110, 90.0 }.Select((value, i) => new HourFigure(monday.AddDays(7 * i), value, 1)), Lisbon)[8];
        Assert.Equal((110, 100, 120, 5), (cell.Value, cell.Low, cell.High, cell.Hours));
    }

    [Fact]
    public void The_hour_that_comes_twice_counts_twice_and_the_one_left_out_is_not_there()
    {
        HourFigure[] Day(int month, int day, int hours)
        {
            var start = new DateTime(2026, month, day, 0, 0, 0, DateTimeKind.Utc);
            start -= Lisbon.GetUtcOffset(start);
            return [.. Enumerable.Range(0, hours).Select(i => new HourFigure(start.AddHours(i), 50, 1))];
        }

        var autumn = WeekPattern.Medians(Day(10, 25, 25), Lisbon);
        Assert.Equal(2, autumn[(6 * 24) + 1].Hours);
        Assert.Equal(25, autumn.Sum(static cell => cell.Hours));
        var spring = WeekPattern.Medians(Day(3, 29, 23), Lisbon);
        Assert.Equal(0, spring[(6 * 24) + 1].Hours);
        Assert.Equal(23, spring.Sum(static cell => cell.Hours));
    }

    [Theory]
    [InlineData(new double[] { }, 0.5, double.NaN)]
    [InlineData(new double[] { 3 }, 0.9, 3)]
    [InlineData(new double[] { 1, 2, 3, 4 }, 0.5, 2.5)]
    [InlineData(new double[] { 1, 2, 3, 4 }, 1, 4)]
    public void Quantiles_are_those_of_the_series(double[] ordered, double share, double expected) => Assert.Equal(expected, WeekPattern.Quantile(ordered, share));
}
