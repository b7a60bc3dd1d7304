using Hub.Cloud.Indicators;

namespace Hub.Cloud.Indicators.Tests;

public sealed class AirFiguresTests
{
    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    [Fact]
    public void The_index_names_all_pollutants_in_the_class_that_decides()
    {
        var found = AirIndex.Of(new AirAverages(Ozone: 61, NitrogenDioxide: 5, Pm10: 16))!;
        Assert.Equal([2, 1, 2], found.Classes);
        Assert.Equal([AirPollutant.Ozone, AirPollutant.Pm10], found.Dominant);
        Assert.Equal(found.Worst, found.Dominant.First());
    }

    [Fact]
    public void A_rose_counts_hours_by_where_the_wind_came_from_and_what_it_brought()
    {
        var rose = PollutionRose.Of(
            [new(4, 0, 3), new(12, 359, 3), new(200, 11.24, 3), new(7, 11.25, 3), new(7, 360, double.NaN), new(9, 180, 0.4), new(double.NaN, 90, 3), new(9, double.NaN, 3)], [5, 15, 50, 90, 140]);
        Assert.Equal((16, 6, 1), (rose.Sectors.Count, rose.Total, rose.Calm));
        Assert.Equal([1, 2, 0, 0, 0, 1], rose.Sectors[0].Counts);
        Assert.Equal(4, rose.Sectors[0].Hours);
        Assert.Equal((4 + 12 + 200 + 7) / 4.0, rose.Sectors[0].Mean);
        Assert.Equal((22.5, 1), (rose.Sectors[1].Direction, rose.Sectors[1].Hours));
        Assert.True(double.IsNaN(rose.Sectors[8].Mean));
        Assert.Equal(rose.Total, rose.Calm + rose.Sectors.Sum(static sector => sector.Hours));
    }

    [Theory]
    [InlineData(2026, "pm10", AirLimitPeriod.Day, 50, 35)]
    [InlineData(2026, "no2", AirLimitPeriod.Hour, 200, 18)]
    [InlineData(2026, "so2", AirLimitPeriod.Day, 125, 3)]
    [InlineData(2026, "pm2_5", AirLimitPeriod.Year, 25, 0)]
    [InlineData(2029, "o3", AirLimitPeriod.EightHours, 120, 25)]
    [InlineData(2030, "pm2_5", AirLimitPeriod.Day, 25, 18)]
    [InlineData(2030, "pm10", AirLimitPeriod.Day, 45, 18)]
    [InlineData(2030, "no2", AirLimitPeriod.Hour, 200, 3)]
    [InlineData(2031, "o3", AirLimitPeriod.EightHours, 120, 18)]
    public void Limits_are_those_of_the_year(int year, string property, AirLimitPeriod period, double limit, int allowed)
    {
        var found = Assert.Single(AirLimits.Of(year), one => one.Property == property && one.Period == period);
        Assert.Equal((limit, allowed), (found.Limit, found.Allowed));
    }

    [Fact]
    public void Eight_hours_belong_to_the_day_on_which_they_end()
    {
        // 140 from 17:00 to 24:00 of 3 July: the mean that ends at 01:00 of the 4th has seven of these hours and one of 60.
        var begin = new DateTime(2026, 7, 2, 23, 0, 0, DateTimeKind.Utc);
        WindowMean[] hours = [.. Enumerable.Range(0, 48).Select(i => new WindowMean(begin.AddHours(i), begin.AddHours(i + 1), i is >= 17 and < 24 ? 140 : 60, 1))];
        var days = EightHourMeans.MaximaOf(hours, Lisbon);

        // The last windows reach into the 5th, and say too little of it.
        Assert.Equal([new DateOnly(2026, 7, 3), new DateOnly(2026, 7, 4), new DateOnly(2026, 7, 5)], days.Select(day => DateOnly.FromDateTime(day.Start + Lisbon.GetUtcOffset(day.Start))));
        Assert.Equal(((7 * 140) + 60) / 8.0, days[0].Mean);
        Assert.Equal(((7 * 140) + 60) / 8.0, days[1].Mean);
        Assert.True(days[0].Coverage >= 0.75 && days[1].Coverage == 1 && days[2].Coverage < 0.75);
    }

    [Fact]
    public void Eight_hours_need_six_and_a_day_eighteen_of_its_means()
    {
        var begin = new DateTime(2026, 1, 10, 0, 0, 0, DateTimeKind.Utc);

        // Every third hour is missing: of eight there are five or six.
        var gaps = EightHourMeans.MaximaOf([.. Enumerable.Range(0, 24).Where(static i => i % 3 != 0).Select(i => new WindowMean(begin.AddHours(i), begin.AddHours(i + 1), 100, 1))], Lisbon);
        Assert.True(gaps[0].Coverage < 0.75);
        Assert.Equal(100, gaps[0].Mean);
        Assert.Empty(EightHourMeans.MaximaOf([.. Enumerable.Range(0, 5).Select(i => new WindowMean(begin.AddHours(i), begin.AddHours(i + 1), 100, 1))], Lisbon));
        Assert.Empty(EightHourMeans.MaximaOf([], Lisbon));

        // A day of 25 hours has all its means.
        var change = new DateTime(2026, 10, 24, 16, 0, 0, DateTimeKind.Utc);
        var days = EightHourMeans.MaximaOf([.. Enumerable.Range(0, 32).Select(i => new WindowMean(change.AddHours(i), change.AddHours(i + 1), 80, 1))], Lisbon);
        Assert.Equal(1, days.Single(day => DateOnly.FromDateTime(day.Start + Lisbon.GetUtcOffset(day.Start)) == new DateOnly(2026, 10, 25)).Coverage);
    }
}
