using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

public sealed class EvaluatorTests
{
    private static DateTime T0 => AlertsBench.T0;

    [Fact]
    public async Task An_alarm_in_the_present_is_told_at_its_start_and_at_its_end()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-2), 60), Obs.At(1, T0.AddMinutes(-1), 72));
        await bench.CaughtUpAsync();
        var active = Assert.Single(bench.Alerts.Active("braga"));
        Assert.Equal("night-noise-avenida-1-20260504T115900Z", active.Id);
        Assert.Equal((72d, 72d, false, false), (active.StartValue, active.Peak, active.Past, active.Withdrawn));

        bench.Time.Advance(TimeSpan.FromMinutes(2));
        await bench.AppendAsync(Obs.At(1, T0, 80));
        await bench.CaughtUpAsync();
        Assert.Equal((80d, 80d), (bench.Alerts.Active(null)[0].Peak, bench.Alerts.Active(null)[0].LastValue));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(1), 50));
        await bench.CaughtUpAsync();

        Assert.Empty(bench.Alerts.Active(null));
        var (started, ended) = (bench.Notifications.Messages[0], bench.Notifications.Messages[1]);
        Assert.Equal(2, bench.Notifications.Messages.Count);
        Assert.Equal((NotificationKind.Started, 72d, 70d, (DateTime?)null), (started.Kind, started.Value, started.Limit, started.EndedAt));
        Assert.Equal((NotificationKind.Ended, 50d, 65d, (DateTime?)T0.AddMinutes(1)), (ended.Kind, ended.Value, ended.Limit, ended.EndedAt));
        Assert.Equal((started.Alarm, 80d), (ended.Alarm, ended.Peak));
        Assert.Equal(("Braga", "Estação avenida", "dB(A)", "Europe/Lisbon"), (started.MunicipalityName, started.StationName, started.Unit, started.Zone));
    }

    [Fact]
    public async Task A_three_hour_outage_neither_fires_a_false_alarm_nor_hides_a_real_one()
    {
        // 11 to 14 h the station is cut off; at 12 h it is loud for half an hour, and from 13:55 on.
        var day = Enumerable.Range(0, 4 * 60).Select(minute => Obs.At(1, T0.AddMinutes(minute - 120), Level(minute))).ToArray();
        static double Level(int minute) => minute is >= 60 and < 90 or >= 235 ? 75 : 50;

        await using var straight = await AlertsBench.StartAsync();
        await straight.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await using var broken = await AlertsBench.StartAsync();
        await broken.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        foreach (var bench in new[] { straight, broken })
        {
            bench.Time.SetUtcNow(T0.AddMinutes(121));
        }

        foreach (var observation in day)
        {
            await straight.AppendAsync(observation);
        }

        await straight.CaughtUpAsync();

        // The outbox drains oldest first, in packs of a few records; the evaluator sees every state in between.
        foreach (var pack in day.Chunk(7))
        {
            await broken.AppendAsync(pack);
            await broken.Alerts.CaughtUpAsync(broken.Series.LastCommit, default);
            if (pack[^1].PhenomenonTime < T0.AddMinutes(100))
            {
                Assert.DoesNotContain(broken.Notifications.Messages, message => message.Kind == NotificationKind.Started);
            }
        }

        Assert.Equal(await straight.EpisodesAsync(), await broken.EpisodesAsync());
        Assert.Equal(["Past 20260504T110000Z", "Started 20260504T135500Z"], broken.Notifications.Told);
        var past = broken.Notifications.Messages[0];
        Assert.Equal((T0.AddMinutes(-60), (DateTime?)T0.AddMinutes(-30), 75d), (past.StartedAt, past.EndedAt, past.Peak));
        Assert.True((await broken.HistoryAsync()).Single(alarm => alarm.StartedAt == T0.AddMinutes(-60)).Past);
    }

    [Fact]
    public async Task An_alarm_told_before_the_outage_ends_when_the_data_says_so()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromHours(3));
        await bench.CaughtUpAsync();
        Assert.Single(bench.Alerts.Active(null));
        Assert.Equal(["Started 20260504T115900Z"], bench.Notifications.Told);

        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(20), 50), Obs.At(1, T0.AddMinutes(30), 78), Obs.At(1, T0.AddMinutes(40), 50), Obs.At(1, T0.AddMinutes(178), 50));
        await bench.CaughtUpAsync();
        Assert.Equal(["Started 20260504T115900Z", "Ended 20260504T115900Z", "Past 20260504T123000Z"], bench.Notifications.Told);
    }

    [Fact]
    public async Task Old_data_that_stops_while_over_the_level_is_never_an_emergency_but_is_not_hidden()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddHours(-2), 75));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Notifications.Messages);
        Assert.Single(bench.Alerts.Active(null));

        bench.Time.Advance(TimeSpan.FromMinutes(14));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Notifications.Messages);
        bench.Time.Advance(TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 1, "the alarm of old data is reported as past");
        Assert.Equal((NotificationKind.Past, (DateTime?)null), (bench.Notifications.Messages[0].Kind, bench.Notifications.Messages[0].EndedAt));

        // The station is back, and it is still loud: now it is an alarm.
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(14), 76));
        await bench.CaughtUpAsync();
        Assert.Equal(["Past 20260504T100000Z", "Started 20260504T100000Z"], bench.Notifications.Told);
        Assert.Single(bench.Notifications.Messages.Select(message => message.Alarm).Distinct());
    }

    [Fact]
    public async Task Data_a_few_minutes_old_is_told_as_active_after_a_moment_without_news()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-10), 75));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Notifications.Messages);
        bench.Time.Advance(TimeSpan.FromSeconds(10));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 1, "the alarm is told");
        Assert.Equal(["Started 20260504T115000Z"], bench.Notifications.Told);
    }

    [Fact]
    public async Task A_clock_that_goes_on_in_the_moment_the_wait_begins_delays_nothing()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        bench.Time.BeforeWait = wait =>
        {
            if (wait > TimeSpan.Zero)
            {
                bench.Time.BeforeWait = null;
                bench.Time.Advance(new AlertsOptions().SettleFor);
            }
        };
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-10), 75));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 1, "the alarm is told");
    }

    [Fact]
    public async Task Late_data_reveals_that_an_alarm_is_active_now_and_it_is_told_at_once()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(forMinutes: 10), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-12), 75));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 1, "the alarm is told without anybody's asking");
        Assert.Equal(["Started 20260504T115900Z"], bench.Notifications.Told);
    }

    [Fact]
    public async Task Late_data_that_moves_the_start_sends_one_correction_in_the_same_thread()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        for (var minute = 2; minute <= 6; minute++)
        {
            await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-minute), 75));
        }

        await bench.CaughtUpAsync();
        await bench.AppendAsync(Obs.At(1, T0, 40));
        await bench.CaughtUpAsync();
        Assert.Equal(["Started 20260504T115900Z", "Corrected 20260504T115400Z", "Ended 20260504T115400Z"], bench.Notifications.Told);
        Assert.Single(bench.Notifications.Messages.Select(message => message.Alarm).Distinct());
        Assert.Equal(T0.AddMinutes(-6), bench.Notifications.Messages[1].StartedAt);
        Assert.All(bench.Notifications.Messages, message => Assert.True(message.ConditionAt <= message.StartedAt));
        var alarm = Assert.Single(await bench.HistoryAsync(), alarm => !alarm.Withdrawn);
        Assert.Equal(T0.AddMinutes(-6), alarm.StartedAt);
    }

    [Fact]
    public async Task A_corrected_value_that_takes_a_told_alarm_away_withdraws_it()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 55, revision: 1));
        await bench.CaughtUpAsync();
        Assert.Equal(["Started 20260504T115900Z", "Corrected 20260504T115900Z withdrawn"], bench.Notifications.Told);
        Assert.True(Assert.Single(await bench.HistoryAsync()).Withdrawn);
        Assert.Empty(bench.Alerts.Active(null));

        // And a further revision that brings it back is an alarm again, under a new key.
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 77, revision: 2));
        await bench.CaughtUpAsync();
        Assert.Equal("Started 20260504T115900Z", bench.Notifications.Told.Last());
        Assert.Equal(3, bench.Notifications.Messages.Count);
    }

    [Fact]
    public async Task A_correction_to_an_ignored_quality_takes_the_observation_out()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-3), 75), Obs.At(1, T0.AddMinutes(-2), 50));
        await bench.CaughtUpAsync();
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-2), 50, Quality.Stuck, revision: 1));
        await bench.CaughtUpAsync();
        Assert.Single(bench.Alerts.Active(null));
    }

    [Fact]
    public async Task What_a_crash_leaves_between_storing_and_handing_over_is_handed_over_later()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        bench.Notifications.Before = _ => throw new IOException("the process dies here");
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75));
        await Eventually.TrueAsync(() => bench.Notifications.Calls > 0, "handing over was tried");
        await bench.StopEvaluatorAsync();
        Assert.Empty(bench.Notifications.Messages);

        bench.Notifications.Before = null;
        await bench.StartEvaluatorAsync();
        await bench.CaughtUpAsync();
        Assert.Equal(["Started 20260504T115900Z"], bench.Notifications.Told);
    }

    [Fact]
    public async Task What_was_taken_but_not_marked_is_handed_over_again_under_the_same_key()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        var died = false;
        bench.Notifications.After = _ =>
        {
            // Dead from now on, once.
            bench.Notifications.After = null;
            Volatile.Write(ref died, true);
            throw new IOException("the process dies here");
        };
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75));
        await Eventually.TrueAsync(() => Volatile.Read(ref died), "handing over was tried");
        await bench.CrashAsync(cursor: 0);
        await bench.CaughtUpAsync();
        Assert.True(bench.Notifications.Calls >= 2);
        Assert.Single(bench.Notifications.Messages);
    }

    [Fact]
    public async Task What_was_committed_while_the_evaluator_was_away_is_evaluated_at_its_start()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-9), 50));
        await bench.CaughtUpAsync();
        await bench.StopEvaluatorAsync();
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-8), 75), Obs.At(1, T0.AddMinutes(-7), 50), Obs.At(2, T0.AddMinutes(-1), 75));
        await bench.StartEvaluatorAsync();
        await bench.CaughtUpAsync();
        Assert.Equal(["Past 20260504T115200Z", "Started 20260504T115900Z"], bench.Notifications.Told.Order());
    }

    [Fact]
    public async Task Series_restored_to_an_earlier_commit_are_evaluated_although_their_numbers_come_again()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-9), 50));
        await bench.CaughtUpAsync();
        await bench.StopEvaluatorAsync();

        // As if the database had been copied some commits after the series.
        await bench.StartEvaluatorAsync();
        await using (var db = await bench.Contexts.CreateDbContextAsync())
        {
            await db.Cursors.ExecuteUpdateAsync(set => set.SetProperty(row => row.Commit, 40));
        }

        await bench.StopEvaluatorAsync();
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-8), 75), Obs.At(1, T0.AddMinutes(-7), 50), Obs.At(2, T0.AddMinutes(-1), 75));
        await bench.StartEvaluatorAsync();
        await bench.CaughtUpAsync();
        await using (var db = await bench.Contexts.CreateDbContextAsync())
        {
            Assert.InRange((await db.Cursors.SingleAsync()).Commit, 0, bench.Series.LastCommit);
        }

        Assert.Contains("Started 20260504T115900Z", bench.Notifications.Told);
        Assert.Contains(await bench.EpisodesAsync(), episode => episode.Contains("20260504T115200Z", StringComparison.Ordinal));
        await bench.AppendAsync(Obs.At(2, T0, 50));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
    }

    [Fact]
    public async Task A_new_rule_finds_what_is_active_and_records_but_does_not_tell_what_was()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.AppendAsync(
            Obs.At(1, T0.AddDays(-3), 75), Obs.At(1, T0.AddDays(-3).AddMinutes(1), 50), Obs.At(1, T0.AddMinutes(-1), 75), Obs.At(2, T0.AddDays(-40), 75), Obs.At(2, T0.AddMinutes(-1), 50));
        await bench.CaughtUpAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.CaughtUpAsync();
        Assert.Equal(["Started 20260504T115900Z"], bench.Notifications.Told);
        var history = await bench.HistoryAsync();
        Assert.Equal(2, history.Count);
        Assert.True(history[1].Past);

        // A higher level: the past is rewritten silently, what was told as active is corrected.
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(set: 90, clear: 80), default);
        await bench.CaughtUpAsync();
        Assert.Equal(["Started 20260504T115900Z", "Corrected 20260504T115900Z withdrawn"], bench.Notifications.Told);
        Assert.All(await bench.HistoryAsync(), alarm => Assert.True(alarm.Withdrawn));
    }

    [Fact]
    public async Task Removing_a_rule_keeps_its_history_and_withdraws_what_is_open()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-9), 75), Obs.At(1, T0.AddMinutes(-8), 50), Obs.At(1, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        await bench.Alerts.RemoveAsync("braga", "night-noise", default);
        Assert.Empty(bench.Alerts.Rules("braga"));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        Assert.Equal([true, false], (await bench.HistoryAsync()).Select(alarm => alarm.Withdrawn));
        Assert.Equal("Corrected 20260504T115900Z withdrawn", bench.Notifications.Told.Last());
        await bench.AppendAsync(Obs.At(1, T0, 90));
        await bench.CaughtUpAsync();
        Assert.Equal(2, (await bench.HistoryAsync()).Count);
    }

    [Fact]
    public async Task A_rule_that_is_off_neither_starts_nor_ends_alarms()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule() with { Enabled = false }, default);
        await bench.AppendAsync(Obs.At(1, T0, 50), Obs.At(2, T0, 90));
        await bench.CaughtUpAsync();
        Assert.Single(bench.Alerts.Active(null));
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.CaughtUpAsync();
        Assert.Equal(["night-noise-se-2-20260504T120000Z"], bench.Alerts.Active(null).Select(alarm => alarm.Id));
    }

    [Fact]
    public async Task A_datastream_that_appears_later_is_covered_by_the_rules()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(77, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        bench.Stations.Add(77, "nova", "laeq", 60);
        await bench.CaughtUpAsync();
        Assert.Equal(["nova"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
    }

    [Fact]
    public async Task Data_older_than_the_horizon_changes_nothing()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 50));
        await bench.CaughtUpAsync();
        await bench.AppendAsync(Obs.At(1, T0.AddDays(-31), 95), Obs.At(1, T0.AddDays(-30), 95), Obs.At(1, T0.AddDays(-29), 50));
        await bench.CaughtUpAsync();
        Assert.Equal([T0.AddDays(-30)], (await bench.HistoryAsync()).Select(alarm => alarm.StartedAt));
    }

    [Fact]
    public async Task Checkpoints_are_kept_for_the_horizon_only_and_an_alarm_older_than_it_still_ends()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        for (var day = 0; day <= 45; day++)
        {
            bench.Time.SetUtcNow(T0.AddDays(day).AddMinutes(1));
            await bench.AppendAsync(Obs.At(1, T0.AddDays(day), 75));
            await bench.CaughtUpAsync();
        }

        await using (var db = await bench.Contexts.CreateDbContextAsync())
        {
            Assert.InRange(db.Checkpoints.Count(), 30, 32);
        }

        await bench.AppendAsync(Obs.At(1, T0.AddDays(45).AddHours(-1), 40));
        await bench.CaughtUpAsync();
        Assert.Equal(
            [T0.AddDays(45), T0], (await bench.HistoryAsync()).Where(alarm => !alarm.Withdrawn).Select(alarm => alarm.StartedAt));
        Assert.Equal(T0.AddDays(45).AddHours(-1), (await bench.HistoryAsync())[1].EndedAt);
    }

    [Fact]
    public async Task Changed_tells_of_every_alarm_that_changed()
    {
        await using var bench = await AlertsBench.StartAsync();
        var seen = new List<string>();
        bench.Alerts.Changed += alarms => { lock (seen) { seen.AddRange(alarms.Select(alarm => $"{alarm.Station} {alarm.LastValue} {alarm.EndedAt is null}")); } };
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        foreach (var (minute, level) in new[] { (-3, 75d), (-2, 77d), (-1, 50d) })
        {
            await bench.AppendAsync(Obs.At(1, T0.AddMinutes(minute), level));
            await bench.CaughtUpAsync();
        }

        Assert.Equal(["avenida 75 True", "avenida 77 True", "avenida 50 False"], seen);
    }

    [Fact]
    public async Task A_database_that_is_busy_delays_evaluation_and_loses_nothing()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.CaughtUpAsync();
        var failures = 0;
        bench.Notifications.Before = _ => { if (failures++ < 3) { throw new IOException("not now"); } };
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75));
        await Eventually.TrueAsync(() => { bench.Time.Advance(TimeSpan.FromSeconds(1)); return bench.Notifications.Messages.Count == 1; }, "the message is handed over in the end");
        Assert.True(failures >= 4);
    }

    [Fact]
    public async Task Hourly_values_are_judged_by_the_end_of_their_hour()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule() with { Slug = "dust", Property = "pm10", SetLevel = 50, ClearLevel = 45, For = TimeSpan.FromHours(3) }, default);
        foreach (var hour in Enumerable.Range(1, 4))
        {
            await bench.AppendAsync(Obs.At(3, T0.AddHours(hour - 5), 60));
        }

        await bench.CaughtUpAsync();
        Assert.Equal(["Started 20260504T110000Z"], bench.Notifications.Told);
    }

    private static Rule SilentRule => AlertsBench.NoiseRule(slug: "silent") with { Measure = Measure.NoData, Window = TimeSpan.FromMinutes(20) };

    [Fact]
    public async Task Silence_is_told_when_it_has_lasted_and_ends_with_the_next_observation()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(SilentRule, default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-2), 60), Obs.At(1, T0.AddMinutes(-1), 61));
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromMinutes(20));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active("braga"));

        // Its own time tells it: nobody has to ask.
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 1, "the silence was told");
        var silent = Assert.Single(bench.Alerts.Active("braga"));
        Assert.Equal((T0.AddMinutes(-1), T0.AddMinutes(20)), (silent.ConditionAt, silent.StartedAt));

        bench.Time.Advance(TimeSpan.FromMinutes(9));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(29), 60));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active("braga"));
        var (started, ended) = (bench.Notifications.Messages[0], bench.Notifications.Messages[1]);
        Assert.Equal((NotificationKind.Started, 21d, 20d, "min"), (started.Kind, started.Value, started.Limit, started.Unit));
        Assert.Equal((NotificationKind.Ended, 30d, (DateTime?)T0.AddMinutes(29)), (ended.Kind, ended.Peak, ended.EndedAt));
    }

    [Fact]
    public async Task Silence_that_a_backlog_fills_never_was()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(SilentRule, default);
        await bench.AppendAsync(Obs.At(1, T0, 60));
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.CaughtUpAsync();
        Assert.Equal([NotificationKind.Started], bench.Notifications.Messages.Select(message => message.Kind));

        // It drains for longer than the window, and reaches back further than it all the while.
        for (var minute = 1; minute <= 60; minute++)
        {
            await bench.AppendAsync(Obs.At(1, T0.AddMinutes(minute), 60));
            await bench.CaughtUpAsync();
            bench.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal([NotificationKind.Started, NotificationKind.Corrected], bench.Notifications.Messages.Select(message => message.Kind));
        Assert.True(bench.Notifications.Messages[1].Withdrawn);
        Assert.Empty(await bench.EpisodesAsync());
    }

    [Fact]
    public async Task An_hour_without_the_hub_is_no_silence_and_a_silence_goes_on_through_a_restart()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(SilentRule, default);
        await bench.AppendAsync(Obs.At(1, T0, 60), Obs.At(2, T0, 60));
        await bench.CaughtUpAsync();
        await bench.StopEvaluatorAsync();
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.StartEvaluatorAsync();
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));

        // One of them has come back; the other is silent by now, for all that the hub has heard.
        await bench.AppendAsync(Obs.At(1, T0.AddHours(1), 60));
        bench.Time.Advance(TimeSpan.FromMinutes(20) + TimeSpan.FromSeconds(1));
        await bench.CaughtUpAsync();
        Assert.Equal(["se"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
        var told = bench.Notifications.Messages.Count;

        await bench.StopEvaluatorAsync();
        await bench.StartEvaluatorAsync();
        await bench.CaughtUpAsync();
        Assert.Equal(["se"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
        Assert.Equal(told, bench.Notifications.Messages.Count);
    }

    [Fact]
    public async Task The_energy_of_an_hour_of_the_clock_is_told_when_the_hour_is_over()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(set: 65, clear: 60, slug: "hour") with { Measure = Measure.Mean, Window = TimeSpan.FromHours(1), OnClock = true }, default);

        // Half an hour at 70 dB and half at 50 are 67.0 dB: the mean of the decibels would be 60.
        for (var minute = 0; minute < 60; minute++)
        {
            await bench.AppendAsync(Obs.At(1, T0.AddMinutes(minute), minute < 30 ? 70 : 50));
        }

        bench.Time.SetUtcNow(T0.AddMinutes(60));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(60), 50));
        bench.Time.SetUtcNow(T0.AddMinutes(61));
        await bench.CaughtUpAsync();
        var alarm = Assert.Single(bench.Alerts.Active(null));
        Assert.Equal(T0.AddMinutes(60), alarm.StartedAt);
        Assert.Equal(67.03, alarm.StartValue, 2);
        Assert.Equal([NotificationKind.Started], bench.Notifications.Messages.Select(message => message.Kind));

        // A quarter of the next hour is missing but for a minute: 45 are enough, 44 say nothing.
        for (var minute = 61; minute < 104; minute++)
        {
            await bench.AppendAsync(Obs.At(1, T0.AddMinutes(minute), 50));
        }

        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(120), 50));
        await bench.CaughtUpAsync();
        Assert.Single(bench.Alerts.Active(null));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(110), 50));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        Assert.Equal(T0.AddMinutes(120), Assert.Single(await bench.HistoryAsync()).EndedAt);
    }
}
