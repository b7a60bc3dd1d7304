using Hub.Cloud.Alerts.Handling;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>What people do with alarms, and what it does to what is told.</summary>
public sealed class HandlingTests
{
    private const string Rule = "night-noise";
    private static readonly HandledBy Ana = new("ana");
    private static readonly HandledBy Rui = new("rui");

    private static DateTime T0 => AlertsBench.T0;

    [Theory]
    [InlineData(true, false, false, AlarmState.ActiveUnacknowledged)]
    [InlineData(true, true, false, AlarmState.ActiveAcknowledged)]
    [InlineData(false, false, false, AlarmState.ReturnedUnacknowledged)]
    [InlineData(false, true, false, AlarmState.Normal)]
    [InlineData(true, false, true, AlarmState.Normal)]
    [InlineData(true, true, true, AlarmState.Normal)]
    public void The_state_is_that_of_the_table(bool open, bool acknowledged, bool withdrawn, AlarmState expected)
    {
        var alarm = new Alarm("a", "braga", Rule, "se", 1, Severity.Warning, T0, T0, open ? null : T0.AddMinutes(5), 1, 1, 1, T0, Past: false, withdrawn);
        Assert.Equal(expected, AlarmStates.Of(alarm, acknowledged));
    }

    [Fact]
    public void What_was_over_when_it_became_known_asks_for_nobody_but_what_ended_later_does()
    {
        var alarm = new Alarm("a", "braga", Rule, "se", 1, Severity.Warning, T0, T0, T0.AddMinutes(5), 1, 1, 1, T0.AddHours(1), Past: true, Withdrawn: false);
        Assert.Equal(AlarmState.Normal, AlarmStates.Of(alarm, acknowledged: false));
        Assert.Equal(AlarmState.ReturnedUnacknowledged, AlarmStates.Of(alarm with { EndedAt = T0.AddHours(2) }, acknowledged: false));
        Assert.Equal(AlarmState.ActiveUnacknowledged, AlarmStates.Of(alarm with { EndedAt = null }, acknowledged: false));
    }

    [Fact]
    public void Whatever_evaluation_stores_has_its_word_in_the_history()
    {
        foreach (var kind in Enum.GetValues<TransitionKind>())
        {
            Assert.Equal(kind.ToString(), ((AlarmEventKind)kind).ToString());
        }

        foreach (var cause in Enum.GetValues<Cause>())
        {
            Assert.Equal(cause.ToString(), ((AlarmEventCause)cause).ToString());
        }
    }

    [Fact]
    public async Task That_an_active_alarm_is_acknowledged_is_handed_over_once_with_who_even_after_a_failure()
    {
        await using var bench = await LoudAsync();
        var alarm = Assert.Single(bench.Alerts.Active("braga"));
        var failures = 1;
        bench.Notifications.Before = message =>
        {
            if (message.Kind == NotificationKind.Acknowledged && Interlocked.Decrement(ref failures) >= 0)
            {
                throw new IOException("the outbox is away");
            }
        };
        Assert.True(await bench.Handling.AcknowledgeAsync(alarm.Id, Ana, null, default));
        await Eventually.TrueAsync(
            () =>
            {
                bench.Time.Advance(TimeSpan.FromSeconds(1));
                return bench.Notifications.Messages.Any(message => message.Kind == NotificationKind.Acknowledged);
            },
            "the acknowledgement is handed over");
        await bench.CaughtUpAsync();
        var told = Assert.Single(bench.Notifications.Messages, message => message.Kind == NotificationKind.Acknowledged);
        Assert.Equal((alarm.Thread, $"{alarm.Id}:acknowledged", "ana", (DateTime?)null), (told.Alarm, told.Key, told.By, told.EndedAt));
    }

    [Fact]
    public async Task That_an_alarm_which_is_over_is_acknowledged_is_told_to_nobody()
    {
        await using var bench = await LoudAsync();
        var alarm = Assert.Single(bench.Alerts.Active("braga"));
        bench.Time.Advance(TimeSpan.FromMinutes(1));
        await bench.AppendAsync(Obs.At(1, T0, 50));
        await bench.CaughtUpAsync();
        Assert.True(await bench.Handling.AcknowledgeAsync(alarm.Id, Ana, null, default));
        await bench.CaughtUpAsync();
        Assert.DoesNotContain(bench.Notifications.Messages, message => message.Kind == NotificationKind.Acknowledged);
    }

    [Fact]
    public async Task Through_all_four_states_and_back_with_a_history_that_says_who_and_when()
    {
        await using var bench = await LoudAsync();
        var alarm = Assert.Single(bench.Alerts.Active("braga"));
        Assert.Equal(AlarmState.ActiveUnacknowledged, (await OfAsync(bench, alarm)).State);
        bench.Time.Advance(TimeSpan.FromSeconds(20));
        Assert.True(await bench.Handling.AcknowledgeAsync(alarm.Id, Ana, "  vou ver \r\n já ", default));
        Assert.False(await bench.Handling.AcknowledgeAsync(alarm.Id, Rui, null, default));
        Assert.True(await bench.Handling.AssignAsync(alarm.Id, Ana, "rui", null, default));
        Assert.False(await bench.Handling.AssignAsync(alarm.Id, Ana, "rui", null, default));
        Assert.True(await bench.Handling.CommentAsync(alarm.Id, Rui, "obras na rua", default));
        Assert.False(await bench.Handling.CommentAsync(alarm.Id, Rui, "obras na rua", default));
        var now = await OfAsync(bench, alarm);
        Assert.Equal((AlarmState.ActiveAcknowledged, "ana", T0.AddSeconds(20), "rui"), (now.State, now.AcknowledgedBy, now.AcknowledgedAt, now.AssignedTo));

        bench.Time.Advance(TimeSpan.FromMinutes(1));
        await bench.AppendAsync(Obs.At(1, T0, 50));
        await bench.CaughtUpAsync();
        var story = (await bench.Handling.FindAsync(alarm.Id, default))!;
        Assert.Equal((AlarmState.Normal, (DateTime?)T0), (story.Handling.State, story.Alarm.EndedAt));
        Assert.Equal(
            ["Found Observation", "Told Observation", "Acknowledged Person ana vou ver \n já", "Assigned Person ana", "Commented Person rui obras na rua", "Ended Observation", "Told Observation"],
            story.Events.Select(one => $"{one.Kind} {one.Cause} {one.By} {one.Comment}".TrimEnd()));
        Assert.Equal([NotificationKind.Started, NotificationKind.Ended], story.Events.Where(one => one.Told is not null).Select(one => one.Told!.Value));
        Assert.Equal((T0.AddSeconds(20), "rui"), (story.Events[2].EventAt, story.Events[3].AssignedTo));

        // A new episode is nobody's yet.
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(1), 75));
        await bench.CaughtUpAsync();
        Assert.Equal(AlarmState.ActiveUnacknowledged, (await OfAsync(bench, Assert.Single(bench.Alerts.Active("braga")))).State);
    }

    [Fact]
    public async Task What_nobody_acknowledged_waits_after_its_end_and_an_acknowledgement_by_mail_brings_it_to_rest()
    {
        await using var bench = await LoudAsync();
        await bench.AppendAsync(Obs.At(1, T0, 50));
        await bench.CaughtUpAsync();
        var alarm = Assert.Single(await bench.HistoryAsync());
        Assert.Equal(AlarmState.ReturnedUnacknowledged, (await OfAsync(bench, alarm)).State);
        Assert.True(await bench.Handling.AcknowledgeAsync(alarm.Id, new HandledBy("ana@cm-braga.pt", AlarmEventCause.MailLink), null, default));
        var story = (await bench.Handling.FindAsync(alarm.Id, default))!;
        Assert.Equal(AlarmState.Normal, story.Handling.State);
        Assert.Equal((AlarmEventKind.Acknowledged, AlarmEventCause.MailLink), (story.Events[^1].Kind, story.Events[^1].Cause));
    }

    [Fact]
    public async Task An_acknowledgement_outlives_a_moved_start_and_a_restart()
    {
        await using var bench = await LoudAsync();
        var before = Assert.Single(bench.Alerts.Active("braga"));
        await bench.Handling.AcknowledgeAsync(before.Id, Ana, null, default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-2), 75));
        await bench.CaughtUpAsync();
        var after = Assert.Single(bench.Alerts.Active("braga"));
        Assert.NotEqual(before.Id, after.Id);
        Assert.Equal((AlarmState.ActiveAcknowledged, before.Id), ((await OfAsync(bench, after)).State, after.Thread));

        await bench.StopEvaluatorAsync();
        await bench.StartEvaluatorAsync();
        await bench.CaughtUpAsync();
        after = Assert.Single(bench.Alerts.Active("braga"));
        Assert.Equal((AlarmState.ActiveAcknowledged, "ana"), ((await OfAsync(bench, after)).State, (await OfAsync(bench, after)).AcknowledgedBy));

        // The old identifier, as it stands in a mail, stands for the alarm that lives.
        Assert.True(await bench.Handling.CommentAsync(before.Id, Ana, "ainda", default));
        var (old, now) = ((await bench.Handling.FindAsync(before.Id, default))!, (await bench.Handling.FindAsync(after.Id, default))!);
        Assert.Equal((after.Id, true, null), (old.GoesOnAs, old.Alarm.Withdrawn, now.GoesOnAs));
        Assert.Equal(old.Events, now.Events);
        Assert.Contains(now.Events, one => one is { Kind: AlarmEventKind.Commented, Comment: "ainda" });
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused_with_the_reason()
    {
        await using var bench = await LoudAsync();
        var alarm = Assert.Single(bench.Alerts.Active("braga"));
        await RefusedAsync("must end, and later than now", bench.Handling.ShelveAsync("braga", Rule, "avenida", T0, Ana, null, default));
        await RefusedAsync("at most 3.00:00:00", bench.Handling.ShelveAsync("braga", Rule, "avenida", T0.AddDays(3).AddSeconds(1), Ana, null, default));
        await Assert.ThrowsAsync<KeyNotFoundException>(() => bench.Handling.ShelveAsync("braga", "other", "avenida", T0.AddHours(1), Ana, null, default).AsTask());
        await Assert.ThrowsAsync<KeyNotFoundException>(() => bench.Handling.ShelveAsync("braga", Rule, "nowhere", T0.AddHours(1), Ana, null, default).AsTask());
        await Assert.ThrowsAsync<KeyNotFoundException>(() => bench.Handling.TakeOutOfServiceAsync("braga", "nowhere", null, Ana, null, default).AsTask());
        await Assert.ThrowsAsync<KeyNotFoundException>(() => bench.Handling.AcknowledgeAsync("none", Ana, null, default).AsTask());
        await Assert.ThrowsAsync<ArgumentException>(() => bench.Handling.CommentAsync(alarm.Id, Ana, "  ", default).AsTask());
        await Assert.ThrowsAsync<ArgumentException>(() => bench.Handling.CommentAsync(alarm.Id, Ana, new string('x', 1_001), default).AsTask());
        await Assert.ThrowsAsync<ArgumentException>(() => bench.Handling.AcknowledgeAsync(alarm.Id, new HandledBy(""), null, default).AsTask());
        Assert.Null(await bench.Handling.FindAsync("none", default));

        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 55, revision: 1));
        await bench.CaughtUpAsync();
        await RefusedAsync("withdrawn", bench.Handling.AcknowledgeAsync(alarm.Id, Ana, null, default));
        await RefusedAsync("withdrawn", bench.Handling.AssignAsync(alarm.Id, Ana, "rui", null, default));
        Assert.True(await bench.Handling.CommentAsync(alarm.Id, Ana, "sensor avariado", default));

        await bench.AppendAsync(Obs.At(2, T0.AddHours(-2), 75), Obs.At(2, T0.AddHours(-1), 50));
        await bench.CaughtUpAsync();
        var past = (await bench.HistoryAsync()).Single(one => one.Past);
        Assert.Equal(AlarmState.Normal, (await OfAsync(bench, past)).State);
        await RefusedAsync("over when it became known", bench.Handling.AcknowledgeAsync(past.Id, Ana, null, default));
    }

    [Fact]
    public async Task Shelved_is_evaluated_but_not_told_and_what_is_active_when_the_time_is_over_is_told_then()
    {
        await using var bench = await QuietAsync();
        Assert.True(await bench.Handling.ShelveAsync("braga", Rule, "avenida", T0.AddMinutes(30), Ana, "festa", default));
        Assert.False(await bench.Handling.ShelveAsync("braga", Rule, "avenida", T0.AddMinutes(30), Ana, "festa", default));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75), Obs.At(2, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();

        // The other station is told as ever.
        Assert.Equal(["se"], bench.Notifications.Messages.Select(message => message.Station));
        var alarm = bench.Alerts.Active("braga").Single(one => one.Station == "avenida");
        var handling = await OfAsync(bench, alarm);
        Assert.Equal((AlarmState.ActiveUnacknowledged, T0.AddMinutes(30), "festa", true), (handling.State, handling.Shelved!.Until, handling.Shelved.Comment, handling.IsSilent));

        for (var minute = 0; minute < 29; minute++)
        {
            bench.Time.Advance(TimeSpan.FromMinutes(1));
            await bench.AppendAsync(Obs.At(1, T0.AddMinutes(minute), 75));
        }

        await bench.CaughtUpAsync();
        Assert.Single(bench.Notifications.Messages);
        bench.Time.Advance(TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 2, "the alarm is told when its shelving ends, without anybody's asking");
        Assert.Equal("Started 20260504T115900Z", bench.Notifications.Told.Last());
        Assert.Empty(bench.Handling.Suppressions(null));
        var events = (await bench.Handling.FindAsync(alarm.Id, default))!.Events;
        Assert.Equal(
            [(AlarmEventKind.Shelved, AlarmEventCause.Person, (DateTime?)T0.AddMinutes(30)), (AlarmEventKind.Unshelved, AlarmEventCause.TimeOver, null)],
            events.Where(one => one.Kind is AlarmEventKind.Shelved or AlarmEventKind.Unshelved).Select(one => (one.Kind, one.Cause, one.Until)));
        Assert.Equal(T0.AddMinutes(30), events.Single(one => one.Kind == AlarmEventKind.Unshelved).EventAt);
    }

    [Fact]
    public async Task Unshelved_by_a_person_is_told_at_once_and_what_ended_meanwhile_never()
    {
        await using var bench = await QuietAsync();
        await bench.Handling.ShelveAsync("braga", Rule, "avenida", T0.AddHours(1), Ana, null, default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75), Obs.At(1, T0, 50), Obs.At(1, T0.AddMinutes(1), 75));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Notifications.Messages);
        bench.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(await bench.Handling.UnshelveAsync("braga", Rule, "avenida", Rui, null, default));
        Assert.False(await bench.Handling.UnshelveAsync("braga", Rule, "avenida", Rui, null, default));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 1, "what is active is told when the shelving is taken back");
        await bench.CaughtUpAsync();
        Assert.Equal(["Started 20260504T120100Z"], bench.Notifications.Told);
    }

    [Fact]
    public async Task What_was_told_as_active_before_is_closed_though_shelved_and_not_told_again_after()
    {
        await using var bench = await LoudAsync();
        await bench.Handling.ShelveAsync("braga", Rule, "avenida", T0.AddMinutes(10), Ana, null, default);
        bench.Time.Advance(TimeSpan.FromMinutes(10));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(9), 76));
        await bench.CaughtUpAsync();
        Assert.Equal(["Started 20260504T115900Z"], bench.Notifications.Told);

        await bench.Handling.ShelveAsync("braga", Rule, "avenida", T0.AddMinutes(20), Ana, null, default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(10), 50));
        await bench.CaughtUpAsync();
        Assert.Equal(["Started 20260504T115900Z", "Ended 20260504T115900Z"], bench.Notifications.Told);
    }

    [Fact]
    public async Task A_past_from_before_the_shelving_is_told_when_it_ends()
    {
        await using var bench = await QuietAsync();
        await bench.Handling.ShelveAsync("braga", Rule, "avenida", T0.AddMinutes(10), Ana, null, default);
        await bench.AppendAsync(Obs.At(1, T0.AddHours(-3), 75), Obs.At(1, T0.AddHours(-2), 50));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Notifications.Messages);
        bench.Time.Advance(TimeSpan.FromMinutes(10));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 1, "what late data revealed of the time before is told");
        Assert.Equal(["Past 20260504T090000Z"], bench.Notifications.Told);
    }

    [Fact]
    public async Task A_shelving_that_ends_while_the_hub_is_down_ends_all_the_same()
    {
        await using var bench = await QuietAsync();
        await bench.Handling.ShelveAsync("braga", Rule, "avenida", T0.AddMinutes(10), Ana, null, default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        await bench.StopEvaluatorAsync();
        bench.Time.Advance(TimeSpan.FromMinutes(11));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(10), 75));
        await bench.StartEvaluatorAsync();
        Assert.Empty(bench.Handling.Suppressions("braga"));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 1, "the alarm is told at the next start");
        var alarm = Assert.Single(bench.Alerts.Active("braga"));
        Assert.Contains((await bench.Handling.FindAsync(alarm.Id, default))!.Events, one => one is { Kind: AlarmEventKind.Unshelved, Cause: AlarmEventCause.TimeOver });
    }

    [Fact]
    public async Task A_station_out_of_service_is_silent_in_all_its_rules_until_it_is_returned_across_a_restart()
    {
        await using var bench = await QuietAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(slug: "second", set: 72), default);
        await bench.Handling.TakeOutOfServiceAsync("braga", "avenida", "second", Ana, null, default);
        Assert.True(await bench.Handling.TakeOutOfServiceAsync("braga", "avenida", null, Ana, "calibração", default));
        Assert.False(await bench.Handling.TakeOutOfServiceAsync("braga", "avenida", null, Rui, null, default));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        await bench.StopEvaluatorAsync();
        await bench.StartEvaluatorAsync();
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Notifications.Messages);
        Assert.All(bench.Alerts.Active("braga"), alarm => Assert.Equal("calibração", OfAsync(bench, alarm).GetAwaiter().GetResult().OutOfService!.Comment));

        Assert.True(await bench.Handling.ReturnToServiceAsync("braga", "avenida", null, Ana, null, default));
        await bench.CaughtUpAsync();
        Assert.Equal([Rule], bench.Notifications.Messages.Select(message => message.Rule));
        await bench.Handling.ReturnToServiceAsync("braga", "avenida", "second", Ana, null, default);
        await bench.CaughtUpAsync();
        Assert.Equal([Rule, "second"], bench.Notifications.Messages.Select(message => message.Rule));
        var story = (await bench.Handling.FindAsync(bench.Alerts.Active("braga").Single(one => one.Rule == Rule).Id, default))!;
        Assert.Equal([(AlarmEventKind.OutOfService, true), (AlarmEventKind.Returned, true)], story.Events.Where(one => one.Kind >= AlarmEventKind.OutOfService).Select(one => (one.Kind, one.WholeStation)));
    }

    [Fact]
    public async Task Listeners_hear_of_what_people_do()
    {
        await using var bench = await LoudAsync();
        var alarm = Assert.Single(bench.Alerts.Active("braga"));
        var heard = new List<string>();
        bench.Alerts.Changed += changed => heard.AddRange(changed.Select(one => one.Id));
        await bench.Handling.AcknowledgeAsync(alarm.Id, Ana, null, default);
        await bench.Handling.ShelveAsync("braga", Rule, "avenida", T0.AddHours(1), Ana, null, default);
        await bench.Handling.UnshelveAsync("braga", Rule, "avenida", Ana, null, default);
        await bench.Handling.TakeOutOfServiceAsync("braga", "avenida", null, Ana, null, default);
        Assert.Equal(Enumerable.Repeat(alarm.Id, 4), heard);
    }

    [Fact]
    public async Task What_was_handled_before_all_that_memory_holds_is_read_when_asked_for()
    {
        await using var bench = await LoudAsync();
        var alarm = Assert.Single(bench.Alerts.Active("braga"));
        await bench.Handling.AcknowledgeAsync(alarm.Id, Ana, null, default);
        await using (var db = await bench.Contexts.CreateDbContextAsync())
        {
            db.Threads.AddRange(Enumerable.Range(0, HandlingBook.ThreadsMax).Select(number => new ThreadRow { Thread = $"t{number}", ChangedAt = T0.AddMinutes(1), AcknowledgedAt = T0, AcknowledgedBy = "rui" }));
            await db.SaveChangesAsync();
        }

        await bench.StopEvaluatorAsync();
        await bench.StartEvaluatorAsync();
        Assert.Equal((AlarmState.ActiveAcknowledged, "ana"), ((await OfAsync(bench, alarm)).State, (await OfAsync(bench, alarm)).AcknowledgedBy));
        Assert.Equal("rui", (await OfAsync(bench, alarm with { Thread = "t7" })).AcknowledgedBy);
        Assert.Null((await OfAsync(bench, alarm with { Thread = "none" })).AcknowledgedBy);
    }

    private static async Task<AlertsBench> QuietAsync()
    {
        var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-200), 50));
        await bench.CaughtUpAsync();
        return bench;
    }

    private static async Task<AlertsBench> LoudAsync()
    {
        var bench = await QuietAsync();
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        return bench;
    }

    private static async Task<AlarmHandling> OfAsync(AlertsBench bench, Alarm alarm) => (await bench.Handling.OfAsync([alarm], default))[0];

    private static async Task RefusedAsync(string reason, ValueTask<bool> done) =>
        Assert.Contains(reason, (await Assert.ThrowsAsync<HandlingRefusedException>(() => done.AsTask())).Message, StringComparison.Ordinal);
}
