using Hub.Cloud.Notifications.Duty;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>A roster begins again after its last step while nobody acknowledges, and its calls are known. The clock begins at 13:00 in Braga.</summary>
public sealed class DutyRepeatTests
{
    private const string Key = "night-noise-avenida-1-20260504T105400Z";

    private static readonly DateTime Noon = new(2026, 5, 4, 12, 0, 0, DateTimeKind.Utc);

    private static AlarmMessage Started => NotificationsBench.Message($"{Key}:started:1", severity: Severity.Alert);

    [Fact]
    public async Task After_the_last_step_the_first_is_called_again_under_a_key_of_its_own_until_somebody_acknowledges()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await RosterAsync(bench, repeatCount: 10);
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana");
        await PassAsync(bench, 10, "ana", "bruno");

        // The last step has its ten minutes too.
        await PassAsync(bench, 9, "ana", "bruno");
        await PassAsync(bench, 1, "ana", "bruno", "ana");
        var again = bench.Mails.Where(mail => mail.To.ToString() == "ana@example.org").ToList();
        Assert.NotEqual(again[0].MessageId, again[1].MessageId);
        Assert.Contains(again[0].MessageId, again[1].References);
        Assert.StartsWith("Unacknowledged for 20 min: Night noise", again[1].Subject, StringComparison.Ordinal);
        Assert.Contains("You get this message again", again[1].TextBody, StringComparison.Ordinal);
        await PassAsync(bench, 10, "ana", "bruno", "ana", "bruno");
        var call = Assert.Single(await bench.Duty.CallsAsync("braga", 10, default));
        Assert.Equal((1, Noon, (DateTime?)Noon.AddMinutes(40), null), (call.Round, call.BeganAt, call.NextAt, call.End));

        // Those called hear who knows, once each, and nobody is called after that.
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message($"{Key}:acknowledged", NotificationKind.Acknowledged, Severity.Alert) with { By = "carla" }, default);
        await ToldAsync(bench, "ana", "bruno", "ana", "bruno", "ana", "bruno");
        bench.Pass(TimeSpan.FromHours(3));
        await bench.SettledAsync();
        Assert.Equal(6, bench.Mails.Count);
        call = Assert.Single(await bench.Duty.CallsAsync("braga", 10, default));
        Assert.Equal((DutyCallEnd.Acknowledged, "carla", 1, null), (call.End, call.By, call.Round, call.NextAt));
        Assert.Equal(["a***@example.org", "b***@example.org", "a***@example.org", "b***@example.org"], call.Told.Select(told => told.Target));
        Assert.All(call.Told, told => Assert.Equal("delivered", told.State));
    }

    [Fact]
    public async Task It_ends_after_as_many_rounds_as_the_roster_says_and_an_answer_that_comes_later_is_known()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await RosterAsync(bench, repeatCount: 1);
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana");
        await PassAsync(bench, 10, "ana", "bruno");
        await PassAsync(bench, 10, "ana", "bruno", "ana");
        await PassAsync(bench, 10, "ana", "bruno", "ana", "bruno");
        await bench.SettledAsync();
        bench.Pass(TimeSpan.FromDays(1));
        await bench.SettledAsync();
        Assert.Equal(4, bench.Mails.Count);
        Assert.Equal(DutyCallEnd.Unanswered, Assert.Single(await bench.Duty.CallsAsync("braga", 10, default)).End);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message($"{Key}:ended:2", NotificationKind.Ended, Severity.Alert), default);
        Assert.Equal(DutyCallEnd.Over, Assert.Single(await bench.Duty.CallsAsync("braga", 10, default)).End);
    }

    [Fact]
    public async Task A_repetition_survives_a_stop_and_is_made_once_and_the_alarm_s_end_ends_it()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await RosterAsync(bench, repeatCount: 3);
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana");
        await PassAsync(bench, 10, "ana", "bruno");
        await bench.StopAsync();
        bench.Time.Advance(TimeSpan.FromHours(5));
        await bench.StartAsync();
        await ToldAsync(bench, "ana", "bruno", "ana");
        await bench.StopAsync();
        await bench.StartAsync();
        await bench.SettledAsync();
        Assert.Equal(3, bench.Mails.Count);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message($"{Key}:ended:2", NotificationKind.Ended, Severity.Alert), default);
        await ToldAsync(bench, "ana", "bruno", "ana", "ana", "bruno");
        bench.Pass(TimeSpan.FromDays(1));
        await bench.SettledAsync();
        Assert.Equal(5, bench.Mails.Count);
    }

    [Fact]
    public async Task Of_a_single_step_and_with_nobody_on_duty_the_roster_waits_a_quarter_of_an_hour()
    {
        await using var bench = await NotificationsBench.StartAsync();
        var ana = await bench.SubscribeAsync(ChannelKind.Mail, "ana@example.org");
        await bench.Duty.SaveAsync(new DutyRoster("braga", Severity.Warning, [new DutyStep(TimeSpan.Zero, [new DutyEntry(ana.Id, "day")])]) { RepeatCount = 2 }, default);
        bench.Time.Advance(TimeSpan.FromHours(6) + TimeSpan.FromMinutes(50));

        // 19:50 in Braga: there; 20:05: not; 20:20: not, and that was the last round.
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana");
        bench.Pass(TimeSpan.FromMinutes(15));

        // The next round is a quarter of an hour from when this one was over, so the clock waits for that.
        var next = bench.Time.GetUtcNow().UtcDateTime.AddMinutes(15);
        await Eventually.TrueAsync(async () => (await CallAsync(bench)).NextAt == next, "the first round is over");
        bench.Pass(TimeSpan.FromMinutes(15));
        await Eventually.TrueAsync(async () => (await CallAsync(bench)).End == DutyCallEnd.Unanswered, "the last round is over");
        await bench.SettledAsync();

        Assert.Single(bench.Mails);
    }

    [Fact]
    public void Somebody_who_comes_on_duty_is_called_in_a_later_round_and_a_step_that_is_away_costs_no_time()
    {
        var roster = new DutyRoster("braga", Severity.Alert, [new(TimeSpan.Zero, [new(1, "")]), new(TimeSpan.FromMinutes(10), [new(2, "")])]) { RepeatCount = 2 };
        var none = DutySteps.Of(roster, 0, 0, Noon, (_, _) => false);
        Assert.Equal(new DutyNext(0, 1, Noon.AddMinutes(10)), none.Next);
        Assert.Empty(none.Subscribers);

        // The second is away: the first, who has had ten minutes, is called again at once.
        var first = DutySteps.Of(roster, 1, 0, Noon, (_, entry) => entry.Subscriber == 1);
        Assert.Equal([1], first.Subscribers);
        Assert.Equal((1, new DutyNext(1, 1, Noon.AddMinutes(10))), (first.Round, first.Next));
        Assert.Null(DutySteps.Of(roster, 0, 2, Noon, (_, _) => false).Next);
    }

    [Fact]
    public void The_largest_roster_fits_the_record_and_says_how_many_people_it_has()
    {
        var small = DutyRecord.Of(new("braga", Severity.Alert, [new(TimeSpan.Zero, [new(1, "night")])]) { RepeatCount = 2 });
        Assert.Equal("""{"SeverityMin":"alert","Steps":[{"AfterMinutes":0,"OnDuty":[{"Subscriber":1,"Schedule":"night"}]}],"RepeatCount":2}""", System.Text.Json.JsonSerializer.Serialize(small));
        var large = DutyRecord.Of(new("braga", Severity.Alert, [.. Enumerable.Range(0, 10).Select(step => new DutyStep(TimeSpan.FromMinutes(step), [.. Enumerable.Range(0, 50).Select(one => new DutyEntry(int.MaxValue - one, new string('x', 200)))]))]));
        Assert.InRange(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(large).Length, 1, 16 * 1024);
        Assert.All(large.Steps, step => Assert.Equal(50, step.PeopleCount));
    }

    [Fact]
    public async Task Of_two_who_change_a_roster_from_the_same_state_the_second_is_refused()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await RosterAsync(bench, repeatCount: 1);
        var known = (await bench.Duty.FindAsync("braga", default))!;
        Assert.Equal(1, known.RepeatCount);
        var version = DutyRoster.VersionOf(known);
        Assert.False(await bench.Duty.SaveOverAsync(known with { RepeatCount = 2 }, "", default));
        Assert.True(await bench.Duty.SaveOverAsync(known with { RepeatCount = 2 }, version, default));
        Assert.False(await bench.Duty.SaveOverAsync(known with { RepeatCount = 3 }, version, default));
        Assert.Equal(2, (await bench.Duty.FindAsync("braga", default))!.RepeatCount);
    }

    /// <summary>Ana at once, Bruno after 10 minutes.</summary>
    private static async Task RosterAsync(NotificationsBench bench, int repeatCount)
    {
        var ana = await bench.SubscribeAsync(ChannelKind.Mail, "ana@example.org");
        var bruno = await bench.SubscribeAsync(ChannelKind.Mail, "bruno@example.org");
        await bench.Duty.SaveAsync(
            new DutyRoster("braga", Severity.Warning, [new DutyStep(TimeSpan.Zero, [new DutyEntry(ana.Id, "")]), new DutyStep(TimeSpan.FromMinutes(10), [new DutyEntry(bruno.Id, "")])]) { RepeatCount = repeatCount }, default);
    }

    private static async Task<DutyCall> CallAsync(NotificationsBench bench) => Assert.Single(await bench.Duty.CallsAsync("braga", 10, default));

    private static async Task PassAsync(NotificationsBench bench, int minutes, params string[] everybody)
    {
        await bench.SettledAsync();
        bench.Pass(TimeSpan.FromMinutes(minutes));
        await ToldAsync(bench, everybody);
    }

    private static async Task ToldAsync(NotificationsBench bench, params string[] everybody)
    {
        await Eventually.TrueAsync(() => bench.Mails.Count >= everybody.Length, $"{everybody.Length} mails are there");
        await bench.SettledAsync();
        Assert.Equal(everybody.Order(), bench.Mails.Select(mail => mail.To.ToString().Split('@')[0]).Order());
    }
}
