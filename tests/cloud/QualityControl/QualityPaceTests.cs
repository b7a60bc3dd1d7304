using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.QualityControl.Tests;

/// <summary>Readings cannot wait, flags can: how judging gives way.</summary>
public sealed class QualityPaceTests
{
    [Theory]
    [InlineData(10, 0.25, false, 30)]
    [InlineData(10, 0.25, true, 190)]
    [InlineData(10, 1, false, 0)]
    [InlineData(10, 1, true, 40)]
    [InlineData(10, 0.01, true, 4_990)]
    [InlineData(0, 0.25, true, 0)]
    [InlineData(0.2, 0.25, false, 0)]
    [InlineData(0.2, 0.25, true, 3.8)]
    public void Work_takes_its_share_and_a_fifth_of_it_while_appends_wait(double workedMilliseconds, double share, bool appendsWait, double restMilliseconds) =>
        Assert.Equal(restMilliseconds, QualityPace.Rest(TimeSpan.FromMilliseconds(workedMilliseconds), share, appendsWait).TotalMilliseconds, 0.001);

    /// <summary>The worker asks the rule with what each piece of its work took, by a clock that takes ten milliseconds between two looks.</summary>
    [Fact]
    public async Task The_worker_rests_by_that_rule()
    {
        var clock = new TickingClock();
        await using var bench = await QualityBench.StartAsync(
            bench =>
            {
                bench.Stations.Add(1, "a", "pm10", "sds011");
                bench.Series.AppendsWait = true;
            },
            clock);
        await JudgeAsync(0);
        Assert.Contains(TimeSpan.FromMilliseconds(190), clock.Asked);
        Assert.DoesNotContain(TimeSpan.FromMilliseconds(30), clock.Asked);

        clock.Asked.Clear();
        bench.Series.AppendsWait = false;
        await JudgeAsync(1);
        Assert.Contains(TimeSpan.FromMilliseconds(30), clock.Asked);
        Assert.DoesNotContain(TimeSpan.FromMilliseconds(190), clock.Asked);

        async Task JudgeAsync(int day)
        {
            await bench.AppendAsync(new Observation(1, QualityBench.T0.AddDays(day), 20, Quality.Good));
            await bench.CaughtUpAsync();
        }
    }

    /// <summary>A step ends after a tenth of a second of work, however many days wait: their share is one of each second, not of each hour.</summary>
    [Fact]
    public async Task A_long_step_is_cut_short()
    {
        var clock = new TickingClock();
        await using var bench = await QualityBench.StartAsync(
            bench =>
            {
                for (var datastream = 1; datastream <= 40; datastream++)
                {
                    bench.Stations.Add(datastream, $"s{datastream}", "pm10", "sds011");
                }
            },
            clock);
        await bench.AppendAsync([.. Enumerable.Range(1, 40).Select(datastream => new Observation(datastream, QualityBench.T0, 20, Quality.Good))]);
        await bench.CaughtUpAsync();

        // Two days of each are within reach. It rests three times as long as it worked, which is a look at the clock for each day and one at either end; what asks for more is not this.
        var rests = clock.Asked.Where(rest => rest < TimeSpan.FromSeconds(10)).ToList();
        Assert.Equal(8, rests.Count);
        Assert.All(rests, rest => Assert.InRange(rest, TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(360)));
    }
}
