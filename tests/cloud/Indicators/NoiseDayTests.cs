using Hub.Cloud.Indicators;

namespace Hub.Cloud.Indicators.Tests;

public sealed class NoiseDayTests
{
    [Fact]
    public void Each_period_is_the_mean_of_its_energies()
    {
        var day = new NoiseDay();
        day.Add(NoisePeriod.Day, 65);
        day.Add(NoisePeriod.Evening, 62);
        day.Add(NoisePeriod.Night, 60);
        day.Add(NoisePeriod.Night, 50);
        Assert.Equal(57.404, day.LevelOf(NoisePeriod.Night), 3);
        Assert.Equal(2, day.CountOf(NoisePeriod.Night));
        Assert.Equal(DayEveningNight.Lden(65, 62, day.LevelOf(NoisePeriod.Night)), day.Lden, 9);
        day.Clear();
        Assert.Equal(double.NaN, day.LevelOf(NoisePeriod.Day));
    }

    [Fact]
    public void Without_one_of_its_periods_a_day_has_no_lden()
    {
        var day = new NoiseDay();
        day.Add(NoisePeriod.Day, 65);
        day.Add(NoisePeriod.Night, 57);
        Assert.True(double.IsNaN(day.Lden));
    }

    [Theory]
    [InlineData(NoisePeriod.Day, 7)]
    [InlineData(NoisePeriod.Evening, 20)]
    [InlineData(NoisePeriod.Night, 23)]
    public void Periods_begin_as_the_regulation_says(NoisePeriod period, int hour) => Assert.Equal(TimeSpan.FromHours(hour), NoiseDay.BeginOf(period));
}
