using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>A rule over the days or hours of a year above a limit. The PM10 datastream of the bench has one value an hour.</summary>
public sealed class ExceedanceTests
{
    private const int Pm10 = 3;

    private static readonly Rule Days = FigureOrderTests.Count(35, TimeSpan.FromDays(1), 50, "pm10-days") with { Property = "pm10" };

    private static DateTime T0 => AlertsBench.T0;

    private static DateTime NewYear => new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task The_alarm_starts_with_the_first_day_too_many_of_the_year_long_before_the_horizon()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(Days, default);
        await bench.AppendAsync(Whole(NewYear, 35, 60));
        await bench.AppendAsync(Hours(NewYear.AddDays(35), 24, 50));
        await bench.AppendAsync(Hours(NewYear.AddDays(36), 24, 50.1));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));

        // The day is over when something after it has come.
        await bench.AppendAsync(Hours(NewYear.AddDays(37), 1, 20));
        await bench.CaughtUpAsync();
        var alarm = Assert.Single(bench.Alerts.Active(null));
        Assert.Equal((NewYear.AddDays(37), 36d), (alarm.StartedAt, alarm.StartValue));

        // The data is old: that it is open is told as of the past once nothing more comes.
        bench.Time.Advance(TimeSpan.FromHours(4));
        await bench.CaughtUpAsync();
        var told = Assert.Single(bench.Notifications.Messages);
        Assert.Equal((36d, 35d, "", null), (told.Value, told.Limit, told.Unit, told.DrawnLevel));

        // And what a rehearsal says is the same.
        var tried = await bench.Alerts.RehearseAsync(Days, NewYear.AddDays(30), T0, 10, default);
        Assert.Equal(alarm.StartedAt, Assert.Single(tried.Alarms).StartedAt);
        Assert.Equal((37 * 24) + 1, tried.Observations);

        // What was too many before the time asked for is an alarm with its first day.
        tried = await bench.Alerts.RehearseAsync(Days with { SetLevel = 3, ClearLevel = 3 }, NewYear.AddDays(30).AddHours(1), T0, 10, default);
        Assert.Equal((NewYear.AddDays(31), 31d), (tried.Alarms[0].StartedAt, tried.Alarms[0].StartValue));
    }

    [Theory]
    [InlineData(18, 1)]
    [InlineData(17, 0)]
    public async Task A_day_counts_when_three_quarters_of_it_are_measured(int hours, int count)
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(Days with { SetLevel = 0, ClearLevel = 0 }, default);
        await bench.AppendAsync(Hours(T0.Date.AddDays(-10).AddHours(-1), hours, 60));
        await bench.AppendAsync(Hours(T0.Date.AddDays(-5), 1, 10));
        await bench.CaughtUpAsync();
        Assert.Equal(count, bench.Alerts.Active(null).Count);
    }

    [Fact]
    public async Task Data_that_comes_late_changes_the_count_of_its_year_however_old_it_is_and_of_no_other()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(Days with { SetLevel = 2, ClearLevel = 2 }, default);
        await bench.AppendAsync(Whole(NewYear.AddDays(40), 2, 60));
        await bench.AppendAsync(Whole(NewYear.AddDays(-20), 5, 60));
        await bench.AppendAsync(Hours(T0.AddHours(-1), 1, 10));
        await bench.CaughtUpAsync();
        Assert.Empty(await bench.HistoryAsync());
        await bench.AppendAsync(Whole(NewYear.AddDays(10), 1, 60));
        await bench.CaughtUpAsync();
        var alarm = Assert.Single(bench.Alerts.Active(null));
        Assert.Equal(NewYear.AddDays(42), alarm.StartedAt);

        // One day more moves its start; corrected values take it away again.
        await bench.AppendAsync(Whole(NewYear.AddDays(41).AddDays(-20), 1, 60));
        await bench.CaughtUpAsync();
        Assert.Equal(NewYear.AddDays(41), Assert.Single(bench.Alerts.Active(null)).StartedAt);
        await bench.AppendAsync([.. Whole(NewYear.AddDays(10), 1, 5).Concat(Whole(NewYear.AddDays(21), 1, 5)).Select(o => o with { Revision = 1 })]);
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        Assert.All(await bench.HistoryAsync(), one => Assert.True(one.Withdrawn));
    }

    [Fact]
    public async Task The_alarm_ends_with_the_first_day_of_the_next_year_and_the_count_begins_anew()
    {
        await using var bench = await AlertsBench.StartAsync();
        var rule = Days with { SetLevel = 0, ClearLevel = 0 };
        await bench.Alerts.SaveAsync(rule, default);
        bench.Time.SetUtcNow(NewYear.AddYears(1).AddDays(-1));
        await bench.AppendAsync(Whole(NewYear.AddYears(1).AddDays(-3), 2, 60));
        await bench.CaughtUpAsync();
        Assert.Equal(NewYear.AddYears(1).AddDays(-2), Assert.Single(bench.Alerts.Active(null)).StartedAt);

        // The last day of the year goes on, the first of the next begins at one though both are above.
        bench.Time.SetUtcNow(NewYear.AddYears(1).AddDays(2));
        foreach (var observation in Whole(NewYear.AddYears(1).AddDays(-1), 3, 60))
        {
            await bench.AppendAsync(observation);
            await bench.CaughtUpAsync();
        }

        var history = (await bench.HistoryAsync()).OrderBy(alarm => alarm.StartedAt).ToList();
        Assert.Equal((NewYear.AddYears(1).AddDays(1), 3d, 1d), (history[0].EndedAt, history[0].Peak, history[0].LastValue));
        Assert.Equal((NewYear.AddYears(1).AddDays(1), null, 1d), (history[1].StartedAt, history[1].EndedAt, history[1].StartValue));

        // Long after, when the horizon does not reach into the old year any more, the old one stays as it is; also over a restart and for late data.
        bench.Time.SetUtcNow(NewYear.AddYears(1).AddDays(50));
        await bench.StopEvaluatorAsync();
        await bench.StartEvaluatorAsync();
        await bench.AppendAsync(Hours(NewYear.AddYears(1).AddDays(40), 24, 5));
        await bench.AppendAsync(Hours(NewYear.AddYears(1).AddDays(20), 24, 5));
        await bench.AppendAsync(Hours(NewYear.AddYears(1).AddDays(-2), 24, 1));
        await bench.CaughtUpAsync();
        Assert.Equal(history[0].EndedAt, (await bench.HistoryAsync()).Single(alarm => alarm.Id == history[0].Id).EndedAt);
        Assert.Equal(2, (await bench.HistoryAsync()).Count(alarm => !alarm.Withdrawn));
    }

    [Fact]
    public async Task An_alarm_that_nothing_has_ended_stays_open_over_the_new_year_and_ends_when_data_comes_again()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(Days with { SetLevel = 0, ClearLevel = 0 }, default);
        await bench.AppendAsync(Whole(NewYear.AddDays(40), 2, 60));
        await bench.AppendAsync(Hours(NewYear.AddDays(42), 1, 5));
        await bench.CaughtUpAsync();
        var open = Assert.Single(bench.Alerts.Active(null));
        await bench.StopEvaluatorAsync();
        bench.Time.SetUtcNow(NewYear.AddYears(1).AddDays(100));
        await bench.StartEvaluatorAsync();
        await bench.CaughtUpAsync();
        Assert.Equal(open.Id, Assert.Single(bench.Alerts.Active(null)).Id);
        await bench.AppendAsync(Whole(NewYear.AddYears(1).AddDays(90), 2, 5));
        await bench.CaughtUpAsync();
        var alarm = Assert.Single(await bench.HistoryAsync());
        Assert.Equal((open.Id, NewYear.AddYears(1).AddDays(91).AddHours(-1), false), (alarm.Id, alarm.EndedAt, alarm.Withdrawn));
    }

    [Fact]
    public async Task In_an_area_only_the_windows_count_that_the_station_was_there_for_as_a_whole()
    {
        await using var bench = await AlertsBench.StartAsync(prepare: bench => bench.Stations.Move("avenida", NewYear.AddDays(12).AddHours(12), 41.7, -8.42));
        var rule = Days with { SetLevel = 1, ClearLevel = 1, Area = [new(-8.47, 41.5), new(-8.37, 41.5), new(-8.37, 41.6), new(-8.47, 41.6)] };
        await bench.Alerts.SaveAsync(rule, default);
        await bench.AppendAsync(Whole(NewYear.AddDays(10), 4, 60));
        await bench.CaughtUpAsync();

        // Two days in it, one half in it, and the next ends the alarm.
        var alarm = Assert.Single(await bench.HistoryAsync());
        Assert.Equal((NewYear.AddDays(12), null), (alarm.StartedAt, alarm.EndedAt));
        await bench.AppendAsync(Hours(NewYear.AddDays(14), 1, 60));
        await bench.CaughtUpAsync();
        alarm = Assert.Single(await bench.HistoryAsync());
        Assert.Equal((NewYear.AddDays(12), NewYear.AddDays(14), 2d), (alarm.StartedAt, alarm.EndedAt, alarm.LastValue));
    }

    [Fact]
    public async Task Present_data_tells_at_once_and_levels_are_told_one_at_a_time()
    {
        await using var bench = await AlertsBench.StartAsync();
        var rule = FigureOrderTests.Count(1, TimeSpan.FromHours(1), 70, "loud-hours") with { CoverageMin = 0, Severity = Severity.Warning, Levels = [new(Severity.Alert, 3, 3)] };
        await bench.Alerts.SaveAsync(rule, default);
        for (var hour = 0; hour < 6; hour++)
        {
            await bench.AppendAsync(Obs.At(1, T0.AddHours(hour), 80));
            bench.Time.SetUtcNow(T0.AddHours(hour).AddMinutes(1));
            await bench.CaughtUpAsync();
        }

        Assert.Equal(["Started Warning 1400-", "Started Alert 1600-"], bench.Notifications.ToldByLevel);
        Assert.Equal([2d, 4d], bench.Notifications.Messages.Select(message => message.Value));
        Assert.Equal([1d, 3d], bench.Notifications.Messages.Select(message => message.Limit));
    }

    /// <summary>Every hour of whole days.</summary>
    private static Observation[] Whole(DateTime from, int days, double value) => Hours(from, 24 * days, value);

    private static Observation[] Hours(DateTime from, int count, double value) => [.. Enumerable.Range(0, count).Select(hour => Obs.At(Pm10, from.AddHours(hour), value))];
}
