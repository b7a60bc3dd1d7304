using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>A rule with several levels: each has its alarms, one is told at a time, and what belongs together is one conversation.</summary>
public sealed class LevelTests
{
    private static readonly HandledBy Ana = new("ana");

    /// <summary>A warning from 70 dB on, an alert from 80; each ends 5 dB lower.</summary>
    private static readonly Rule Noise = AlertsBench.NoiseRule() with { Levels = [new(Severity.Alert, 80, 75)] };

    private static DateTime T0 => AlertsBench.T0;

    [Fact]
    public async Task A_jump_is_one_message_and_a_fall_tells_the_end_and_what_is_still_active()
    {
        await using var bench = await QuietAsync(Noise);
        await PresentAsync(bench, 85);
        Assert.Equal(["Started Alert 1200-"], bench.Notifications.ToldByLevel);
        Assert.Equal([Severity.Alert, Severity.Warning], bench.Alerts.Active("braga").Select(alarm => alarm.Severity).OrderDescending());
        Assert.Equal(["night-noise-avenida-1-20260504T120000Z", "night-noise-avenida-1-20260504T120000Z-alert"], bench.Alerts.Active("braga").Select(alarm => alarm.Id).Order(StringComparer.Ordinal));

        await PresentAsync(bench, 76);
        Assert.Single(bench.Notifications.Messages);
        await PresentAsync(bench, 72);
        await PresentAsync(bench, 50);
        Assert.Equal(["Started Alert 1200-", "Ended Alert 1200-1202", "Started Warning 1200-", "Ended Warning 1200-1203"], bench.Notifications.ToldByLevel);
        Assert.Equal([80d, 75, 70, 65], bench.Notifications.Messages.Select(message => message.Limit));
        Assert.Single(bench.Notifications.Messages.Select(message => message.Incident ?? message.Alarm).Distinct());
        Assert.Equal(2, bench.Notifications.Messages.Select(message => message.Alarm).Distinct().Count());
    }

    [Fact]
    public async Task A_rise_tells_the_alert_in_the_conversation_of_the_warning_and_a_fall_says_what_is_active_again()
    {
        await using var bench = await QuietAsync(Noise);
        await PresentAsync(bench, 72);
        await PresentAsync(bench, 85);
        await PresentAsync(bench, 72);
        await PresentAsync(bench, 72);
        await PresentAsync(bench, 60);
        Assert.Equal(
            ["Started Warning 1200-", "Started Alert 1201-", "Ended Alert 1201-1202", "Started Warning 1200-", "Ended Warning 1200-1204"], bench.Notifications.ToldByLevel);
        var warning = bench.Notifications.Messages[0].Alarm;
        Assert.All(bench.Notifications.Messages, message => Assert.Equal(warning, message.Incident ?? message.Alarm));
        Assert.Distinct(bench.Notifications.Messages.Select(message => message.Key));
        Assert.All(await bench.HistoryAsync(), alarm => Assert.Equal(warning, alarm.Incident));

        // The next time is another conversation.
        await PresentAsync(bench, 85);
        Assert.NotEqual(warning, bench.Notifications.Messages[^1].Incident ?? bench.Notifications.Messages[^1].Alarm);
    }

    [Fact]
    public async Task What_ends_together_is_told_once_and_a_warning_that_was_told_before_is_closed_behind_the_mask()
    {
        await using var bench = await QuietAsync(Noise);
        await PresentAsync(bench, 85);
        await PresentAsync(bench, 50);
        Assert.Equal(["Started Alert 1200-", "Ended Alert 1200-1201"], bench.Notifications.ToldByLevel);

        // It clears at 65, the alert of this rule only at 60.
        await bench.Alerts.SaveAsync(Noise with { Levels = [new(Severity.Alert, 80, 60)] }, default);
        await PresentAsync(bench, 72);
        await PresentAsync(bench, 85);
        await PresentAsync(bench, 63);
        await PresentAsync(bench, 72);
        await PresentAsync(bench, 63);
        await PresentAsync(bench, 50);
        Assert.Equal(
            ["Started Warning 1202-", "Started Alert 1203-", "Ended Warning 1202-1204", "Ended Alert 1203-1207"], bench.Notifications.ToldByLevel.Skip(2));
        Assert.Equal(3, (await bench.HistoryAsync()).Count(alarm => alarm.Severity == Severity.Warning));
    }

    [Fact]
    public async Task A_short_excursion_that_the_alert_does_not_hold_for_is_a_warning_alone()
    {
        await using var bench = await QuietAsync(Noise with { Levels = [new(Severity.Alert, 80, 75, TimeSpan.FromMinutes(5))] });
        await PresentAsync(bench, 85);
        await PresentAsync(bench, 72);
        Assert.Equal(["Started Warning 1200-"], bench.Notifications.ToldByLevel);
        for (var minute = 0; minute < 6; minute++)
        {
            await PresentAsync(bench, 85);
        }

        Assert.Equal(["Started Warning 1200-", "Started Alert 1207-"], bench.Notifications.ToldByLevel);
    }

    [Fact]
    public async Task Three_levels_are_told_one_at_a_time()
    {
        await using var bench = await QuietAsync(Noise with { Severity = Severity.Information, Levels = [new(Severity.Warning, 75, 74), new(Severity.Alert, 80, 79)] });
        foreach (var level in new[] { 85, 77, 72, 50 })
        {
            await PresentAsync(bench, level);
        }

        Assert.Equal(
            ["Started Alert 1200-", "Ended Alert 1200-1201", "Started Warning 1200-", "Ended Warning 1200-1202", "Started Information 1200-", "Ended Information 1200-1203"],
            bench.Notifications.ToldByLevel);
        Assert.Single(bench.Notifications.Messages.Select(message => message.Incident ?? message.Alarm).Distinct());
    }

    [Fact]
    public async Task Of_the_past_only_what_no_more_serious_alarm_covers_is_told_and_what_is_uncovered_later_is_told_then()
    {
        await using var bench = await QuietAsync(Noise);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-120), 85), Obs.At(1, T0.AddMinutes(-110), 50), Obs.At(1, T0.AddMinutes(-90), 72), Obs.At(1, T0.AddMinutes(-85), 85), Obs.At(1, T0.AddMinutes(-80), 50));
        await bench.CaughtUpAsync();
        Assert.Equal(["Past Alert 1000-1010", "Past Alert 1035-1040", "Past Warning 1030-1040"], bench.Notifications.ToldByLevel.Order());

        // It was no alert after all; the warning that lay within was one.
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-120), 72, revision: 1));
        await bench.CaughtUpAsync();
        Assert.Equal(["Corrected Alert 1000-1010 withdrawn", "Past Warning 1000-1010"], bench.Notifications.ToldByLevel.Skip(3).Order());
        Assert.Empty(await UnsettledAsync(bench));
    }

    [Fact]
    public async Task Late_data_that_takes_the_alert_away_tells_the_warning_behind_it()
    {
        await using var bench = await QuietAsync(Noise);
        await PresentAsync(bench, 85);
        await bench.AppendAsync(Obs.At(1, T0, 72, revision: 1));
        await bench.CaughtUpAsync();
        Assert.Equal(["Started Alert 1200-", "Corrected Alert 1200- withdrawn", "Started Warning 1200-"], bench.Notifications.ToldByLevel);
    }

    [Fact]
    public async Task Old_data_that_stops_at_the_alert_is_reported_once_and_the_warning_when_the_end_is_known()
    {
        await using var bench = await QuietAsync(Noise);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-60), 85));
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromMinutes(15));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 1, "the alarm of old data is reported as past");
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(14), 72));
        await bench.CaughtUpAsync();
        Assert.Equal(["Past Alert 1100-", "Ended Alert 1100-1214", "Started Warning 1100-"], bench.Notifications.ToldByLevel);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_mask_and_the_conversation_hold_over_a_restart_and_a_crash(bool crash)
    {
        await using var bench = await QuietAsync(Noise);
        await PresentAsync(bench, 85);
        await AgainAsync();
        await bench.CaughtUpAsync();
        Assert.Single(bench.Notifications.Messages);
        await PresentAsync(bench, 72);
        await AgainAsync();
        await bench.CaughtUpAsync();
        await PresentAsync(bench, 85);
        await AgainAsync();

        // Each level reads the series for itself: what comes between their looks at the past may end the one in this pass and the other in the next.
        await bench.CaughtUpAsync();
        await PresentAsync(bench, 50);
        Assert.Equal(
            ["Started Alert 1200-", "Ended Alert 1200-1201", "Started Warning 1200-", "Started Alert 1202-", "Ended Alert 1202-1203", "Ended Warning 1200-1203"], bench.Notifications.ToldByLevel);
        Assert.Single(bench.Notifications.Messages.Select(message => message.Incident ?? message.Alarm).Distinct());

        async Task AgainAsync()
        {
            if (crash)
            {
                await bench.CrashAsync(0);
            }
            else
            {
                await bench.StopEvaluatorAsync();
                await bench.StartEvaluatorAsync();
            }
        }
    }

    [Fact]
    public async Task An_alert_that_ended_while_the_hub_was_away_tells_that_the_warning_is_still_active()
    {
        await using var bench = await QuietAsync(Noise);
        await PresentAsync(bench, 72);
        await PresentAsync(bench, 85);
        await bench.StopEvaluatorAsync();
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(2), 72));
        bench.Time.SetUtcNow(T0.AddMinutes(3));
        await bench.StartEvaluatorAsync();
        await bench.CaughtUpAsync();
        Assert.Equal(["Started Warning 1200-", "Started Alert 1201-", "Ended Alert 1201-1202", "Started Warning 1200-"], bench.Notifications.ToldByLevel);
    }

    [Fact]
    public async Task Shelving_the_rule_hushes_all_levels_and_its_end_tells_the_most_serious()
    {
        await using var bench = await QuietAsync(Noise);
        await bench.Handling.ShelveAsync("braga", "night-noise", "avenida", T0.AddMinutes(30), Ana, null, default);
        await PresentAsync(bench, 85);
        await PresentAsync(bench, 72);
        await PresentAsync(bench, 85);
        Assert.Empty(bench.Notifications.Messages);
        await bench.Handling.UnshelveAsync("braga", "night-noise", "avenida", Ana, null, default);
        await bench.CaughtUpAsync();
        Assert.Equal(["Started Alert 1202-"], bench.Notifications.ToldByLevel);
        await PresentAsync(bench, 72);
        Assert.Equal(["Started Alert 1202-", "Ended Alert 1202-1203", "Started Warning 1200-"], bench.Notifications.ToldByLevel);
    }

    [Fact]
    public async Task Each_level_is_acknowledged_by_itself()
    {
        await using var bench = await QuietAsync(Noise);
        await PresentAsync(bench, 72);
        var warning = Assert.Single(bench.Alerts.Active("braga"));
        await bench.Handling.AcknowledgeAsync(warning.Id, Ana, null, default);
        await PresentAsync(bench, 85);
        var states = await bench.Handling.OfAsync(bench.Alerts.Active("braga").OrderBy(alarm => alarm.Severity).ToList(), default);
        Assert.Equal([AlarmState.ActiveAcknowledged, AlarmState.ActiveUnacknowledged], states.Select(one => one.State));
    }

    [Fact]
    public async Task A_level_that_is_added_is_evaluated_and_one_that_is_removed_is_withdrawn_and_masks_no_more()
    {
        await using var bench = await QuietAsync(AlertsBench.NoiseRule());
        await PresentAsync(bench, 85);
        var before = await bench.EpisodesAsync();
        await bench.Alerts.SaveAsync(Noise, default);
        await bench.CaughtUpAsync();
        Assert.Equal(["Started Warning 1200-", "Started Alert 1200-"], bench.Notifications.ToldByLevel);
        Assert.Equal(2, (await bench.EpisodesAsync()).Length);

        // Another name or severity of the first level changes no alarm.
        await bench.Alerts.SaveAsync(Noise with { NameEn = "Noise", Severity = Severity.Information }, default);
        await bench.CaughtUpAsync();
        Assert.Equal(2, bench.Notifications.Messages.Count);
        await bench.Alerts.SaveAsync(Noise with { NameEn = "Noise", Severity = Severity.Information, Levels = [] }, default);
        await bench.CaughtUpAsync();
        Assert.Equal(before, await bench.EpisodesAsync());
        Assert.Equal(["Corrected Alert 1200- withdrawn"], bench.Notifications.ToldByLevel.Skip(2));

        await bench.Alerts.SaveAsync(Noise, default);
        await bench.CaughtUpAsync();
        await PresentAsync(bench, 72);
        await bench.Alerts.RemoveAsync("braga", "night-noise", default);
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        await using var db = await bench.Contexts.CreateDbContextAsync();
        Assert.Equal(0, await db.Checkpoints.CountAsync());
    }

    [Fact]
    public async Task A_level_whose_alarm_is_gone_with_a_change_frees_the_one_below()
    {
        await using var bench = await QuietAsync(Noise);
        await PresentAsync(bench, 85);
        await bench.Alerts.SaveAsync(Noise with { Levels = [new(Severity.Alert, 90, 75)] }, default);
        await bench.CaughtUpAsync();
        bench.Time.Advance(new AlertsOptions().SettleFor);
        await bench.CaughtUpAsync();
        Assert.Equal(["Started Alert 1200-", "Corrected Alert 1200- withdrawn", "Started Warning 1200-"], bench.Notifications.ToldByLevel);
    }

    [Fact]
    public async Task What_an_earlier_version_stored_goes_on_as_the_first_level()
    {
        Assert.SkipWhen(Hub.Tests.Kit.PostgreSql.OnPostgreSql.IsOn, "Earlier versions were on SQLite only.");
        await using var bench = await QuietAsync(AlertsBench.NoiseRule());
        await PresentAsync(bench, 72);
        await using (var db = await bench.Contexts.CreateDbContextAsync())
        {
            // Down to the tables of the version before, with what is in them, and up again.
            var checkpoints = await db.Checkpoints.CountAsync();
            Assert.NotEqual(0, checkpoints);
            var migrator = db.GetService<IMigrator>();
            await bench.StopEvaluatorAsync();
            await migrator.MigrateAsync("Measures");
            await migrator.MigrateAsync();
            Assert.Equal(checkpoints, await db.Checkpoints.CountAsync());
        }

        await bench.StartEvaluatorAsync();
        await bench.CaughtUpAsync();
        await PresentAsync(bench, 50);
        Assert.Equal(["Started Warning 1200-", "Ended Warning 1200-1201"], bench.Notifications.ToldByLevel);
        Assert.Empty(Assert.Single(bench.Alerts.Rules("braga")).Levels);
    }

    private static async Task<AlertsBench> QuietAsync(Rule rule)
    {
        var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(rule, default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-200), 50));
        await bench.CaughtUpAsync();
        return bench;
    }

    /// <summary>The next minute passes, with its value.</summary>
    private static async Task PresentAsync(AlertsBench bench, double value)
    {
        var at = bench.Time.GetUtcNow().UtcDateTime;
        bench.Time.Advance(TimeSpan.FromMinutes(1));
        await bench.AppendAsync(Obs.At(1, at, value));
        await bench.CaughtUpAsync();
    }

    private static async Task<List<string>> UnsettledAsync(AlertsBench bench)
    {
        await using var db = await bench.Contexts.CreateDbContextAsync();
        return await db.Alarms.Where(row => row.Unsettled).Select(row => row.Id).ToListAsync();
    }
}
