using Hub.Cloud.Indicators;

namespace Hub.Cloud.Indicators.Tests;

public sealed class DayEveningNightTests
{
    [Fact]
    public void Lden_weighs_thirteen_three_and_eight_hours() => Assert.Equal(66.03, DayEveningNight.Lden(65, 62, 57), 2);

    [Fact]
    public void Of_one_level_all_day_evening_and_night_weigh_more() => Assert.Equal(50 + (10 * Math.Log10((13 + (3 * Math.Pow(10, 0.5)) + 80) / 24)), DayEveningNight.Lden(50, 50, 50), 9);
}
