using Hub.Cloud.Indicators;

namespace Hub.Cloud.Indicators.Tests;

public sealed class TrafficFlowTests
{
    private static readonly DateTime Noon = new(2026, 5, 4, 12, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Five = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);

    [Fact]
    public void A_quarter_of_an_hour_of_vehicles_is_four_times_as_many_an_hour()
    {
        Assert.Equal(400, TrafficFlow.FlowOf(100, Quarter));
        Assert.True(double.IsNaN(TrafficFlow.FlowOf(100, TimeSpan.Zero)));
    }

    [Fact]
    public void Time_means_are_put_together_arithmetically_and_space_means_harmonically()
    {
        // As many vehicles at 10 and at 20: time mean 15, space mean 13.33.
        TrafficInterval[] two = [new(Noon, 5, Five, 10), new(Noon + Five, 5, Five, 20), new(Noon + (2 * Five), 0, Five, double.NaN)];
        Assert.Equal(15, TrafficFlow.SpeedOf(two, SpeedMean.Time));
        Assert.Equal(13.333, TrafficFlow.SpeedOf(two, SpeedMean.Space), 3);

        // Weighted by the vehicles, not by the intervals.
        Assert.Equal(17.5, TrafficFlow.SpeedOf([new(Noon, 1, Five, 10), new(Noon, 3, Five, 20)], SpeedMean.Time));
        Assert.True(double.IsNaN(TrafficFlow.SpeedOf([new(Noon, 0, Five, double.NaN)], SpeedMean.Time)));
    }

    [Fact]
    public void Points_are_of_quarters_with_enough_measured()
    {
        var points = TrafficFlow.Diagram(
            [
                new(Noon + (2 * Five), 10, Five, 40), new(Noon, 10, Five, 50), new(Noon + Five, 20, Five, 60),
                new(Noon + Quarter, 10, Five, 40),
                new(Noon + (2 * Quarter), 0, Quarter, double.NaN),
                new(Noon + (3 * Quarter), 12, TimeSpan.FromMinutes(12), 30),
            ],
            Quarter, SpeedMean.Time, 0.75);
        Assert.Equal([new(Noon, 160, 52.5), new(Noon + (3 * Quarter), 60, 30)], points);
    }

    [Fact]
    public void Shares_are_of_all_that_was_counted()
    {
        Assert.Equal([0.75, 0.25], TrafficFlow.Shares([30, 10]));
        Assert.Empty(TrafficFlow.Shares([0, 0]));
    }
}
