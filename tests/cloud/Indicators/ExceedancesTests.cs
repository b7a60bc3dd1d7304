using Hub.Cloud.Indicators;

namespace Hub.Cloud.Indicators.Tests;

public sealed class ExceedancesTests
{
    private static readonly TimeZoneInfo Azores = TimeZoneInfo.FindSystemTimeZoneById("Atlantic/Azores");
    private static readonly DateTime Noon = new(2026, 5, 4, 12, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData(200.0, 1.0, true, 0)]
    [InlineData(200.01, 1.0, true, 1)]
    [InlineData(250, 0.75, true, 1)]
    [InlineData(250, 0.74999999995, true, 1)]
    [InlineData(250, 0.74, false, 0)]
    [InlineData(250, double.NaN, true, 1)]
    [InlineData(double.NaN, 1.0, false, 0)]
    public void A_mean_above_the_limit_is_one_when_enough_was_measured(double mean, double coverage, bool says, int count)
    {
        Assert.Equal(says, Exceedances.TryCount(default, new WindowMean(Noon, Noon.AddHours(1), mean, coverage), 200, 0.75, Azores, out var after));
        Assert.Equal(count, after.Count);
    }

    [Fact]
    public void Counts_add_up_and_begin_anew_with_the_local_year()
    {
        // New year on the Azores is at 01:00 UTC.
        var begin = new DateTime(2026, 12, 31, 22, 0, 0, DateTimeKind.Utc);
        var count = default(YearCount);
        List<YearCount> counts = [];
        for (var hour = 0; hour < 5; hour++)
        {
            Assert.True(Exceedances.TryCount(count, new WindowMean(begin.AddHours(hour), begin.AddHours(hour + 1), hour == 1 ? 10 : 300, 1), 200, 0.75, Azores, out count));
            counts.Add(count);
        }

        Assert.Equal([new(2026, 1), new(2026, 1), new(2026, 2), new(2027, 1), new(2027, 2)], counts);
    }

    [Fact]
    public void What_says_nothing_leaves_the_count_as_it_is()
    {
        var before = new YearCount(2026, 7);
        Assert.False(Exceedances.TryCount(before, new WindowMean(Noon, Noon.AddHours(1), 300, 0.1), 200, 0.75, Azores, out var after));
        Assert.Equal(before, after);
    }
}
