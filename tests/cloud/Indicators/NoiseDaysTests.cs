using Hub.Cloud.Indicators;

namespace Hub.Cloud.Indicators.Tests;

public sealed class NoiseDaysTests
{
    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    [Fact]
    public void The_levels_of_the_three_periods_make_the_lden_of_the_day_on_which_they_begin()
    {
        // Ld 65, Le 62, Ln 57 gives 66.03 (13, 3 and 8 hours).
        var day = Assert.Single(NoiseDays.Of(Hours(new DateTime(2026, 1, 15, 7, 0, 0, DateTimeKind.Utc), 24, static hour => hour is >= 7 and < 20 ? 65 : hour is >= 20 and < 23 ? 62 : 57), Lisbon));
        Assert.Equal(new DateOnly(2026, 1, 15), day.Date);
        Assert.Equal((65, 62, 57), (Math.Round(day.Day.Level, 6), Math.Round(day.Evening.Level, 6), Math.Round(day.Night.Level, 6)));
        Assert.Equal(66.03, day.Lden, 2);
        Assert.Equal((1, 1, 1), (day.Day.Coverage, day.Evening.Coverage, day.Night.Coverage));
        Assert.True(day.IsValid(NoiseDays.CoverageMin));
    }

    [Theory]
    [InlineData(2026, 3, 28, 7)]
    [InlineData(2026, 10, 24, 9)]
    [InlineData(2026, 6, 1, 8)]
    public void A_night_in_which_the_clock_changes_is_as_long_as_it_was(int year, int month, int date, int nightHours)
    {
        var begins = new DateOnly(year, month, date);
        Assert.Equal(TimeSpan.FromHours(nightHours), NoiseDays.LengthOf(begins, NoisePeriod.Night, Lisbon));
        Assert.Equal(TimeSpan.FromHours(13), NoiseDays.LengthOf(begins, NoisePeriod.Day, Lisbon));

        // Every hour measured: all of the night is covered, and the energies are those of all its hours.
        var start = new DateTime(year, month, date, 7, 0, 0, DateTimeKind.Utc);
        start -= Lisbon.GetUtcOffset(start);
        var days = NoiseDays.Of(Hours(start, 13 + 3 + nightHours, static _ => 50), Lisbon);
        var day = Assert.Single(days);
        Assert.Equal(1, day.Night.Coverage, 9);
        Assert.Equal(50, day.Night.Level, 9);

        // An hour less is 1/7, 1/8 or 1/9 less.
        day = Assert.Single(NoiseDays.Of(Hours(start, 13 + 3 + nightHours - 1, static _ => 50), Lisbon));
        Assert.Equal((nightHours - 1.0) / nightHours, day.Night.Coverage, 9);
    }

    [Fact]
    public void Hours_weigh_as_much_as_the_levels_in_them_and_too_little_is_said_to_be_not_valid()
    {
        var noon = new DateTime(2026, 1, 15, 12, 0, 0, DateTimeKind.Utc);
        var day = Assert.Single(NoiseDays.Of([new(noon, noon.AddHours(1), 60, 60, 1), new(noon.AddHours(1), noon.AddHours(2), 70, 6, 0.1), new(noon.AddHours(2), noon.AddHours(3), double.NaN, 0, 0)], Lisbon));
        Assert.Equal(10 * Math.Log10(((60 * 1e6) + (6 * 1e7)) / 66), day.Day.Level, 9);
        Assert.Equal(1.1 / 13, day.Day.Coverage, 9);
        Assert.False(day.Day.IsValid(0.75));
        Assert.True(double.IsNaN(day.Night.Level));
        Assert.Equal(0, day.Night.Coverage);
        Assert.True(double.IsNaN(day.Lden));

        // A coverage that nobody knows is enough, as for rules.
        day = Assert.Single(NoiseDays.Of([new(noon, noon.AddHours(1), 60, 1, double.NaN)], Lisbon));
        Assert.True(day.Day.IsValid(0.75));
    }

    [Fact]
    public void Early_hours_belong_to_the_day_before()
    {
        Assert.Equal((new DateOnly(2026, 7, 4), NoisePeriod.Night), NoiseDays.PeriodOf(new DateTime(2026, 7, 5, 5, 59, 59, DateTimeKind.Utc), Lisbon));
        Assert.Equal((new DateOnly(2026, 7, 5), NoisePeriod.Day), NoiseDays.PeriodOf(new DateTime(2026, 7, 5, 6, 0, 0, DateTimeKind.Utc), Lisbon));
        Assert.Equal((new DateOnly(2026, 7, 5), NoisePeriod.Evening), NoiseDays.PeriodOf(new DateTime(2026, 7, 5, 19, 0, 0, DateTimeKind.Utc), Lisbon));
        Assert.Equal((new DateOnly(2026, 7, 5), NoisePeriod.Night), NoiseDays.PeriodOf(new DateTime(2026, 7, 5, 22, 0, 0, DateTimeKind.Utc), Lisbon));
    }

    [Fact]
    public void Several_days_are_averaged_as_energy_over_their_valid_periods()
    {
        NoisePeriodLevel Level(double level, double coverage = 1) => new(level, coverage);
        NoiseDayFigures One(int day, double ld, double ln, double coverage = 1) => new(new(2026, 1, day), Level(ld), Level(60), Level(ln, coverage), 0);
        var all = NoiseDays.Overall([One(1, 60, 50), One(2, 70, 60), One(3, 60, 90, 0.5)])!;
        Assert.Equal(10 * Math.Log10((1e6 + 1e7 + 1e6) / 3), all.Day.Level, 9);
        Assert.Equal(10 * Math.Log10((1e5 + 1e6) / 2), all.Night.Level, 9);
        Assert.Equal(2.0 / 3, all.Night.Coverage, 9);
        Assert.Equal(DayEveningNight.Lden(all.Day.Level, 60, all.Night.Level), all.Lden, 9);
        Assert.Null(NoiseDays.Overall([]));
    }

    [Fact]
    public void Zones_have_the_limits_of_the_regulation_and_the_tags_of_the_rules()
    {
        Assert.Equal((65, 55), (NoiseZone.Mixed.Lden, NoiseZone.Mixed.Ln));
        Assert.Equal((55, 45), (NoiseZone.Sensitive.Lden, NoiseZone.Sensitive.Ln));
        Assert.Equal((63, 53), (NoiseZone.Unclassified.Lden, NoiseZone.Unclassified.Ln));
        Assert.Same(NoiseZone.Sensitive, NoiseZone.OfTags(["escola", "zona-mista", "zona-sensivel"]));
        Assert.Null(NoiseZone.OfTags(["escola"]));
        Assert.Same(NoiseZone.Mixed, NoiseZone.Find("mixed"));
        Assert.Null(NoiseZone.Find("Mixed"));
    }

    private static IEnumerable<HourLevel> Hours(DateTime start, int count, Func<int, double> level) =>
        Enumerable.Range(0, count).Select(i => start.AddHours(i)).Select(at => new HourLevel(at, at.AddHours(1), level((at + Lisbon.GetUtcOffset(at)).Hour), 60, 1));
}
