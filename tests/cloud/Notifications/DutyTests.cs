using CsCheck;
using Hub.Cloud.Notifications.Duty;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>Serious alarms go by the roster: the next one is called while nobody acknowledges, and nobody afterwards.</summary>
public sealed class DutyTests
{
    private const string Key = "night-noise-avenida-1-20260504T105400Z";

    private static AlarmMessage Started => NotificationsBench.Message($"{Key}:started:1", severity: Severity.Alert);

    private static AlarmMessage Acknowledged => NotificationsBench.Message($"{Key}:acknowledged", NotificationKind.Acknowledged, Severity.Alert) with { By = "carla" };

    [Fact]
    public async Task The_next_is_called_while_nobody_acknowledges_and_those_called_hear_who_did()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await RosterAsync(bench);
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana@example.org", "other@example.org");
        bench.Pass(TimeSpan.FromMinutes(9));
        await bench.SettledAsync();
        Assert.Equal(2, bench.Mails.Count);

        bench.Pass(TimeSpan.FromMinutes(1));
        await ToldAsync(bench, "ana@example.org", "other@example.org", "bruno@example.org");
        var call = bench.Mails[^1];
        Assert.StartsWith("Unacknowledged for 10 min: Night noise", call.Subject, StringComparison.Ordinal);
        Assert.Contains("Nobody has acknowledged this alarm for 10 min.", call.TextBody, StringComparison.Ordinal);
        Assert.Contains("you are next on duty", call.TextBody, StringComparison.Ordinal);

        await bench.Notifications.EnqueueAsync(Acknowledged, default);
        await ToldAsync(bench, "ana@example.org", "other@example.org", "bruno@example.org", "ana@example.org", "bruno@example.org");
        var known = bench.Mails[^1];
        Assert.StartsWith("Acknowledged: Night noise", known.Subject, StringComparison.Ordinal);
        Assert.Contains("carla has acknowledged the alarm", known.TextBody, StringComparison.Ordinal);

        // One thread with the start.
        Assert.Contains(bench.Mails.Single(mail => mail.To.ToString() == known.To.ToString() && mail.MessageId != known.MessageId).MessageId, known.References);
        bench.Pass(TimeSpan.FromHours(2));
        await bench.SettledAsync();
        Assert.Equal(5, bench.Mails.Count);
    }

    [Theory]
    [InlineData(NotificationKind.Ended, false)]
    [InlineData(NotificationKind.Corrected, true)]
    public async Task The_end_and_a_withdrawal_end_the_call_and_only_who_was_told_hears_of_them(NotificationKind kind, bool withdrawn)
    {
        await using var bench = await NotificationsBench.StartAsync();
        await RosterAsync(bench);
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana@example.org", "other@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message($"{Key}:over:2", kind, Severity.Alert) with { Withdrawn = withdrawn }, default);
        await ToldAsync(bench, "ana@example.org", "other@example.org", "ana@example.org", "other@example.org");
        bench.Pass(TimeSpan.FromHours(2));
        await bench.SettledAsync();
        Assert.Equal(4, bench.Mails.Count);
    }

    [Fact]
    public async Task A_correction_of_an_alarm_that_goes_on_ends_no_call()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await RosterAsync(bench);
        await bench.Notifications.EnqueueAsync(Started, default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message($"{Key}:corrected:2", NotificationKind.Corrected, Severity.Alert), default);
        await ToldAsync(bench, "ana@example.org", "other@example.org", "ana@example.org", "other@example.org");
        bench.Pass(TimeSpan.FromMinutes(10));
        await ToldAsync(bench, "ana@example.org", "other@example.org", "ana@example.org", "other@example.org", "bruno@example.org");
    }

    [Fact]
    public async Task A_call_goes_on_after_a_stop_and_whole_to_the_last_step()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await RosterAsync(bench);
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana@example.org", "other@example.org");
        await bench.StopAsync();
        bench.Time.Advance(TimeSpan.FromMinutes(12));
        await bench.StartAsync();
        await ToldAsync(bench, "ana@example.org", "other@example.org", "bruno@example.org");

        // 15 minutes after Bruno was told, not after he should have been.
        bench.Pass(TimeSpan.FromMinutes(14));
        await bench.SettledAsync();
        Assert.Equal(3, bench.Mails.Count);
        bench.Pass(TimeSpan.FromMinutes(1));
        await ToldAsync(bench, "ana@example.org", "other@example.org", "bruno@example.org", "carla@example.org");
        bench.Pass(TimeSpan.FromDays(1));
        await bench.SettledAsync();
        Assert.Equal(4, bench.Mails.Count);
        await using var db = await bench.Contexts.CreateDbContextAsync();
        Assert.Empty(db.Calls);
    }

    [Fact]
    public async Task Who_is_called_is_called_at_once_however_many_messages_are_gathered_for_them()
    {
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:MessagesPerHourMax", "1"));
        var (ana, _, _, _) = await RosterAsync(bench);
        await bench.Notifications.SaveAsync(ana with { Digest = true }, default);
        for (var i = 0; i < 3; i++)
        {
            await bench.Notifications.EnqueueAsync(NotificationsBench.Message($"{i}:started:1") with { Alarm = $"{i}" }, default);
        }

        await Eventually.TrueAsync(() => bench.Mails.Count(mail => mail.To.ToString() == "ana@example.org") == 3, "Ana is called three times");
    }

    [Fact]
    public async Task An_alarm_that_is_told_again_is_one_call_and_none_after_it_was_acknowledged()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await RosterAsync(bench);
        await bench.Notifications.EnqueueAsync(Started, default);
        await bench.Notifications.EnqueueAsync(Started with { Key = $"{Key}:started:2" }, default);
        await using (var db = await bench.Contexts.CreateDbContextAsync())
        {
            Assert.Single(db.Calls);
        }

        await bench.Notifications.EnqueueAsync(Acknowledged, default);
        await bench.Notifications.EnqueueAsync(Started with { Key = $"{Key}:started:3" }, default);
        await using (var db = await bench.Contexts.CreateDbContextAsync())
        {
            Assert.Empty(db.Calls);
        }
    }

    [Fact]
    public async Task A_step_with_nobody_on_duty_is_passed_over_at_once()
    {
        await using var bench = await NotificationsBench.StartAsync();
        var (ana, bruno, carla, _) = await RosterAsync(bench);
        await bench.Duty.SaveAsync(
            new DutyRoster(
                "braga", Severity.Warning,
                [new DutyStep(TimeSpan.Zero, [new DutyEntry(ana.Id, "day")]), new DutyStep(TimeSpan.FromMinutes(10), [new DutyEntry(bruno.Id, "day")]), new DutyStep(TimeSpan.FromMinutes(30), [new DutyEntry(carla.Id, "")])]),
            default);
        bench.Pass(TimeSpan.FromHours(11));
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "carla@example.org", "other@example.org");
        await using var db = await bench.Contexts.CreateDbContextAsync();
        Assert.Empty(db.Calls);
    }

    [Fact]
    public async Task Less_serious_alarms_and_the_past_are_told_to_all_at_once()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await RosterAsync(bench);
        string[] everybody = ["ana@example.org", "bruno@example.org", "carla@example.org", "other@example.org"];
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1", severity: Severity.Information) with { Alarm = "a" }, default);
        await ToldAsync(bench, everybody);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("b:past:1", NotificationKind.Past, Severity.Alert) with { Alarm = "b" }, default);
        await ToldAsync(bench, [.. everybody, .. everybody]);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:acknowledged", NotificationKind.Acknowledged, Severity.Information) with { Alarm = "a", By = "carla" }, default);
        bench.Pass(TimeSpan.FromHours(2));
        await bench.SettledAsync();
        Assert.Equal(8, bench.Mails.Count);
    }

    [Fact]
    public async Task A_roster_is_kept_replaced_and_removed_and_forgets_who_is_removed()
    {
        await using var bench = await NotificationsBench.StartAsync();
        var (ana, bruno, _, _) = await RosterAsync(bench);
        var found = (await bench.Duty.FindAsync("braga", default))!;
        Assert.Equal([0.0, 10, 25], found.Steps.Select(step => step.After.TotalMinutes));
        await bench.Notifications.RemoveAsync(bruno.Id, default);
        found = (await bench.Duty.FindAsync("braga", default))!;
        Assert.Equal([0.0, 25], found.Steps.Select(step => step.After.TotalMinutes));
        await bench.Duty.SaveAsync(new DutyRoster("braga", Severity.Alert, [new DutyStep(TimeSpan.Zero, [new DutyEntry(ana.Id, "")])]), default);
        Assert.Single((await bench.Duty.FindAsync("braga", default))!.Steps);
        Assert.Null(await bench.Duty.FindAsync("evora", default));
        await bench.Duty.RemoveAsync("braga", default);
        Assert.Null(await bench.Duty.FindAsync("braga", default));
    }

    [Fact]
    public async Task What_is_wrong_is_refused_with_its_field_and_changes_nothing()
    {
        await using var bench = await NotificationsBench.StartAsync();
        var (ana, _, _, _) = await RosterAsync(bench);
        var topic = await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        var elsewhere = await bench.Notifications.SaveAsync(new Subscriber(0, "evora", ChannelKind.Mail, "x@example.org", "en", null, Severity.Information, ""), default);
        var good = new DutyStep(TimeSpan.Zero, [new DutyEntry(ana.Id, "")]);
        (string Field, DutyRoster Roster)[] wrong =
        [
            ("Steps", new DutyRoster("braga", Severity.Alert, [])),
            ("SeverityMin", new DutyRoster("braga", 0, [good])),
            ("RepeatCount", new DutyRoster("braga", Severity.Alert, [good]) { RepeatCount = 11 }),
            ("RepeatCount", new DutyRoster("braga", Severity.Alert, [good]) { RepeatCount = -1 }),
            ("Municipality", new DutyRoster("Not A Slug", Severity.Alert, [good])),
            ("Steps[0].After", new DutyRoster("braga", Severity.Alert, [good with { After = TimeSpan.FromMinutes(1) }])),
            ("Steps[1].After", new DutyRoster("braga", Severity.Alert, [good, good])),
            ("Steps[1].After", new DutyRoster("braga", Severity.Alert, [good, good with { After = TimeSpan.FromHours(25) }])),
            ("Steps[0].Entries", new DutyRoster("braga", Severity.Alert, [good with { Entries = [] }])),
            ("Steps[0].Entries[0].Subscriber", new DutyRoster("braga", Severity.Alert, [good with { Entries = [new DutyEntry(999, "")] }])),
            ("Steps[0].Entries[0].Subscriber", new DutyRoster("braga", Severity.Alert, [good with { Entries = [new DutyEntry(elsewhere.Id, "")] }])),
            ("Steps[0].Entries[0].Subscriber", new DutyRoster("braga", Severity.Alert, [good with { Entries = [new DutyEntry(topic.Id, "")] }])),
            ("Steps[0].Entries[0].Schedule", new DutyRoster("braga", Severity.Alert, [good with { Entries = [new DutyEntry(ana.Id, "when it suits")] }])),
        ];
        foreach (var (field, roster) in wrong)
        {
            var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Duty.SaveAsync(roster, default));
            Assert.Equal(field, refused.ParamName);
            Assert.StartsWith(field, refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(3, (await bench.Duty.FindAsync("braga", default))!.Steps.Count);
    }

    [Fact]
    public void Whatever_the_roster_and_whoever_is_there_everybody_there_is_told_once_and_in_order()
    {
        Gen.Select(Gen.Int[1, 4].Array[1, 6], Gen.Bool.Array[24], Gen.Int[0, 3]).Sample((sizes, there, repeats) =>
        {
            var id = 0;
            var after = TimeSpan.Zero;
            List<DutyStep> steps = [];
            foreach (var size in sizes)
            {
                steps.Add(new DutyStep(after, [.. Enumerable.Range(0, size).Select(_ => new DutyEntry(id++, ""))]));
                after += TimeSpan.FromMinutes(size);
            }

            var now = new DateTime(2026, 5, 4, 12, 0, 0, DateTimeKind.Utc);
            List<int> told = [];
            DateTime? last = null;
            var roster = new DutyRoster("braga", Severity.Alert, steps) { RepeatCount = repeats };
            for (DutyNext? next = new DutyNext(0, 0, now); next is { } due;)
            {
                Assert.True(last is null || due.At > last);
                var turn = DutySteps.Of(roster, due.Step, due.Round, due.At, (_, entry) => there[entry.Subscriber]);
                told.AddRange(turn.Subscribers);
                (last, next) = (due.At, turn.Next);
            }

            // In each round once.
            Assert.Equal(Enumerable.Range(0, repeats + 1).SelectMany(_ => Enumerable.Range(0, id).Where(one => there[one])), told);
        });
    }

    /// <summary>Ana at once, Bruno after 10 minutes, Carla after 25; one more subscriber is not on the roster.</summary>
    private static async Task<(Subscriber Ana, Subscriber Bruno, Subscriber Carla, Subscriber Other)> RosterAsync(NotificationsBench bench)
    {
        var ana = await bench.SubscribeAsync(ChannelKind.Mail, "ana@example.org");
        var bruno = await bench.SubscribeAsync(ChannelKind.Mail, "bruno@example.org");
        var carla = await bench.SubscribeAsync(ChannelKind.Mail, "carla@example.org");
        var other = await bench.SubscribeAsync(ChannelKind.Mail, "other@example.org");
        await bench.Duty.SaveAsync(
            new DutyRoster(
                "braga", Severity.Warning,
                [new DutyStep(TimeSpan.Zero, [new DutyEntry(ana.Id, "")]), new DutyStep(TimeSpan.FromMinutes(10), [new DutyEntry(bruno.Id, "")]), new DutyStep(TimeSpan.FromMinutes(25), [new DutyEntry(carla.Id, "")])]),
            default);
        return (ana, bruno, carla, other);
    }

    private static async Task ToldAsync(NotificationsBench bench, params string[] everybody)
    {
        await Eventually.TrueAsync(() => bench.Mails.Count >= everybody.Length, $"{everybody.Length} mails are there");
        await bench.SettledAsync();
        Assert.Equal(everybody.Order(), bench.Mails.Select(mail => mail.To.ToString()).Order());
    }
}
