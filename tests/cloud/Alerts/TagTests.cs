using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>A rule for stations with a tag.</summary>
public sealed class TagTests
{
    private static readonly Rule Tagged = AlertsBench.NoiseRule() with { Tag = "zona-sensivel" };

    private static DateTime T0 => AlertsBench.T0;

    [Fact]
    public async Task Only_stations_with_the_tag_are_concerned()
    {
        await using var bench = await LoudAsync(bench => bench.Stations.Tag("se", "outra", "zona-sensivel"));
        Assert.Equal(["se"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
        var tried = await bench.Alerts.RehearseAsync(Tagged with { Tag = "outra" }, T0.AddDays(-1), T0, 10, default);
        Assert.Equal(["se"], tried.Alarms.Select(alarm => alarm.Station));
        Assert.Equal(1, tried.Datastreams);
        Assert.Equal(0, (await bench.Alerts.RehearseAsync(Tagged with { Tag = "nenhuma" }, T0.AddDays(-1), T0, 10, default)).Datastreams);

        // Another tag is a change of the rule.
        await bench.Alerts.SaveAsync(Tagged with { Tag = "nenhuma" }, default);
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
    }

    [Fact]
    public async Task A_station_that_gets_the_tag_is_evaluated_over_the_horizon_and_one_that_loses_it_has_its_open_alarm_withdrawn()
    {
        await using var bench = await LoudAsync(null);
        await bench.AppendAsync(Obs.At(1, T0.AddDays(-3), 80), Obs.At(1, T0.AddDays(-3).AddMinutes(5), 50));
        await bench.CaughtUpAsync();
        Assert.Empty(await bench.HistoryAsync());

        bench.Stations.Tag("avenida", "zona-sensivel");
        await bench.CaughtUpAsync();
        Assert.Equal(["avenida"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
        Assert.Equal(2, (await bench.HistoryAsync()).Count);

        // Another tag of the same station changes nothing.
        bench.Stations.Tag("avenida", "zona-sensivel", "centro");
        await bench.CaughtUpAsync();
        Assert.Single(bench.Alerts.Active(null));

        bench.Stations.Tag("avenida", "centro");
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        Assert.Equal([(true, false), (false, true)], (await bench.HistoryAsync()).Select(alarm => (alarm.Withdrawn, alarm.EndedAt is not null)));

        // What comes then is not judged; when the tag is back, it is.
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 50), Obs.At(1, T0.AddDays(-2), 80), Obs.At(1, T0.AddDays(-2).AddMinutes(5), 50));
        await bench.CaughtUpAsync();
        Assert.Equal(2, (await bench.HistoryAsync()).Count);
        bench.Stations.Tag("avenida", "zona-sensivel");
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        Assert.Equal(3, (await bench.HistoryAsync()).Count(alarm => !alarm.Withdrawn));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_happens_to_tags_while_the_hub_is_off_is_heeded_at_the_start(bool crash)
    {
        await using var bench = await LoudAsync(bench => bench.Stations.Tag("avenida", "zona-sensivel"));
        Assert.Equal(["avenida"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
        if (!crash)
        {
            await bench.StopEvaluatorAsync();
        }

        bench.Stations.Tag("avenida");
        bench.Stations.Tag("se", "zona-sensivel");
        if (crash)
        {
            await bench.CrashAsync(0);
        }
        else
        {
            await bench.StartEvaluatorAsync();
        }

        await bench.CaughtUpAsync();
        Assert.Equal(["se"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
        await using var db = await bench.Contexts.CreateDbContextAsync();
        Assert.Equal([2], await db.Checkpoints.Select(row => row.Datastream).Distinct().ToListAsync());
    }

    [Fact]
    public async Task Silence_is_watched_at_stations_with_the_tag_only()
    {
        await using var bench = await LoudAsync(bench => bench.Stations.Tag("se", "zona-sensivel"), Tagged with { Measure = Measure.NoData, Window = TimeSpan.FromMinutes(20), SetLevel = 0, ClearLevel = 0 });
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.CaughtUpAsync();
        Assert.Equal(["se"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
        bench.Stations.Tag("se");
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
    }

    [Fact]
    public async Task Exceedances_are_counted_where_the_tag_comes()
    {
        await using var bench = await LoudAsync(null, FigureOrderTests.Count(0, TimeSpan.FromHours(1), 70, "hours") with { Tag = "zona-sensivel", CoverageMin = 0 });
        await bench.AppendAsync(Obs.At(1, T0.AddHours(2), 50));
        bench.Stations.Tag("avenida", "zona-sensivel");
        await bench.CaughtUpAsync();
        Assert.Equal(["avenida"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
        bench.Stations.Tag("avenida");
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
    }

    /// <summary>A bench where both stations are loud now.</summary>
    private static async Task<AlertsBench> LoudAsync(Action<AlertsBench>? prepare, Rule? rule = null)
    {
        var bench = await AlertsBench.StartAsync(prepare: prepare);
        await bench.Alerts.SaveAsync(rule ?? Tagged, default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-2), 75), Obs.At(2, T0.AddMinutes(-2), 75));
        await bench.CaughtUpAsync();
        return bench;
    }
}
