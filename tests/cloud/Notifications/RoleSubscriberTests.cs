using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>Operators are told by the role they hold: at each message those who hold it then, each by themselves, nobody twice, and nobody who has lost it.</summary>
public sealed class RoleSubscriberTests
{
    private const string Key = "night-noise-avenida-1-20260504T105400Z";
    private static readonly AlarmMessage Started = NotificationsBench.Message($"{Key}:started:1", severity: Severity.Alert);
    private static readonly AlarmMessage Ended = NotificationsBench.Message($"{Key}:ended:2", NotificationKind.Ended, Severity.Alert);

    [Fact]
    public async Task Each_message_goes_to_those_who_hold_the_role_then_and_to_user_names_that_are_addresses()
    {
        await using var bench = await NotificationsBench.StartAsync();
        Hire(bench, ("ana@example.org", "braga", StaffRole.Operator), ("rui@example.org", "braga", StaffRole.Administrator), ("eva@example.org", "braga", StaffRole.Viewer), ("ivo@example.org", "evora", StaffRole.Operator), ("admin", "braga", StaffRole.Administrator));
        await SubscribeAsync(bench, StaffRole.Operator);
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana@example.org", "rui@example.org");

        var audience = await bench.Notifications.AudienceAsync(StaffRole.Operator, "braga", default);
        Assert.Equal(["ana@example.org", "rui@example.org"], audience.Addresses);
        Assert.Equal(["admin"], audience.Unreachable);

        // Bea is new, Rui has gone.
        Dismiss(bench, "rui@example.org");
        Hire(bench, ("bea@example.org", "braga", StaffRole.Operator));
        await bench.Notifications.EnqueueAsync(Ended, default);
        await ToldAsync(bench, "ana@example.org", "rui@example.org", "ana@example.org", "bea@example.org");
    }

    [Fact]
    public async Task Members_are_in_no_list_and_are_not_changed_by_number_and_go_with_the_subscriber()
    {
        await using var bench = await NotificationsBench.StartAsync();
        Hire(bench, ("ana@example.org", "braga", StaffRole.Operator));
        var role = await SubscribeAsync(bench, StaffRole.Operator);
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana@example.org");
        Assert.Equal([role.Id], (await bench.Notifications.SubscribersAsync("braga", default)).Select(one => one.Id));
        Assert.Null(await bench.Notifications.FindSubscriberAsync(role.Id + 1, default));
        await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Notifications.SaveAsync(role with { Id = role.Id + 1 }, default));
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await bench.Duty.SaveAsync(new DutyRoster("braga", Severity.Warning, [new DutyStep(TimeSpan.Zero, [new DutyEntry(role.Id + 1, "")])]), default));

        await bench.Notifications.RemoveAsync(role.Id, default);
        await bench.Notifications.EnqueueAsync(Ended, default);
        await ToldAsync(bench, "ana@example.org");
    }

    [Fact]
    public async Task Changed_to_an_address_it_is_told_alone_and_changed_back_the_people_are()
    {
        await using var bench = await NotificationsBench.StartAsync();
        Hire(bench, ("ana@example.org", "braga", StaffRole.Operator), ("rui@example.org", "braga", StaffRole.Operator));
        var role = await SubscribeAsync(bench, StaffRole.Operator);
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana@example.org", "rui@example.org");
        await bench.Notifications.SaveAsync(role with { Role = null, Target = "sala@example.org" }, default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("b-1:started:1"), default);
        await ToldAsync(bench, "ana@example.org", "rui@example.org", "sala@example.org");
        await bench.Notifications.SaveAsync(role with { SeverityMin = Severity.Alert, Language = "pt" }, default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("c-1:started:1"), default);
        await ToldAsync(bench, "ana@example.org", "rui@example.org", "sala@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("d-1:started:1", severity: Severity.Alert), default);
        await ToldAsync(bench, "ana@example.org", "rui@example.org", "sala@example.org", "ana@example.org", "rui@example.org");
        Assert.Contains(bench.Mails, mail => mail.Subject!.Contains("Ruído", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_has_lost_the_role_is_not_sent_what_waited()
    {
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:MessagesPerHourMax", "1"));
        Hire(bench, ("ana@example.org", "braga", StaffRole.Operator), ("rui@example.org", "braga", StaffRole.Operator));
        await bench.Notifications.SaveAsync(Of(StaffRole.Operator) with { Digest = true }, default);
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana@example.org", "rui@example.org");

        // The second of the hour waits for its end, when Rui is an operator no more.
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("b-1:started:1"), default);
        Dismiss(bench, "rui@example.org");
        await bench.SettledAsync(TimeSpan.FromHours(1));
        await ToldAsync(bench, "ana@example.org", "rui@example.org", "ana@example.org");
    }

    [Fact]
    public async Task Nobody_gets_a_message_twice_for_being_somebody_twice_and_the_end_follows_the_start()
    {
        await using var bench = await NotificationsBench.StartAsync();
        Hire(bench, ("Ana@Example.org", "braga", StaffRole.Administrator), ("rui@example.org", "braga", StaffRole.Operator));
        await bench.SubscribeAsync(ChannelKind.Mail, "ana@example.org");
        await SubscribeAsync(bench, StaffRole.Operator);
        await SubscribeAsync(bench, StaffRole.Administrator);
        await bench.Notifications.EnqueueAsync(Started, default);
        await bench.SettledAsync();
        await bench.Notifications.EnqueueAsync(Ended, default);
        await bench.SettledAsync();
        var anas = bench.Mails.Where(mail => mail.To.ToString() == "ana@example.org").ToList();
        Assert.Equal(2, anas.Count);
        Assert.Contains(anas[0].MessageId, anas[1].References);
        Assert.Equal(2, bench.Mails.Count(mail => mail.To.ToString() == "rui@example.org"));
        Assert.Equal(4, bench.Mails.Count);
    }

    [Fact]
    public async Task A_roster_calls_all_who_hold_the_role_at_its_step_and_each_once_in_a_round()
    {
        await using var bench = await NotificationsBench.StartAsync();
        Hire(bench, ("ana@example.org", "braga", StaffRole.Operator), ("rui@example.org", "braga", StaffRole.Administrator));
        var ana = await bench.SubscribeAsync(ChannelKind.Mail, "ana@example.org");
        var operators = await SubscribeAsync(bench, StaffRole.Operator);
        var chiefs = await SubscribeAsync(bench, StaffRole.Administrator);
        await bench.Duty.SaveAsync(
            new DutyRoster(
                "braga", Severity.Warning,
                [new(TimeSpan.Zero, [new(ana.Id, "")]), new(TimeSpan.FromMinutes(10), [new(operators.Id, "")]), new(TimeSpan.FromMinutes(20), [new(chiefs.Id, "")])]) { RepeatCount = 0 },
            default);
        await bench.Notifications.EnqueueAsync(Started, default);
        await ToldAsync(bench, "ana@example.org");

        // Ana, an operator too, has been told; Bea has become one meanwhile.
        Hire(bench, ("bea@example.org", "braga", StaffRole.Operator));
        bench.Pass(TimeSpan.FromMinutes(10));
        await ToldAsync(bench, "ana@example.org", "bea@example.org", "rui@example.org");

        // The only administrator has been told as an operator: there is nobody left to call.
        bench.Pass(TimeSpan.FromMinutes(10));
        await Eventually.TrueAsync(async () => Assert.Single(await bench.Duty.CallsAsync("braga", 10, default)).End == DutyCallEnd.Unanswered, "the call is over");
        await bench.Notifications.EnqueueAsync(Ended, default);
        await ToldAsync(bench, "ana@example.org", "bea@example.org", "rui@example.org", "ana@example.org", "bea@example.org", "rui@example.org");
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_the_field()
    {
        await using var bench = await NotificationsBench.StartAsync();
        foreach (var (wrong, field) in new[]
        {
            (Of(StaffRole.Operator) with { Target = "ana@example.org" }, nameof(Subscriber.Target)),
            (Of(StaffRole.Operator) with { Channel = ChannelKind.Webhook }, nameof(Subscriber.Channel)),
            (Of((StaffRole)9), nameof(Subscriber.Role)),
        })
        {
            var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Notifications.SaveAsync(wrong, default));
            Assert.Equal(field, refused.ParamName);
        }
    }

    private static Subscriber Of(StaffRole role) => new(0, "braga", ChannelKind.Mail, "", "en", null, Severity.Information, "") { Role = role };

    private static ValueTask<Subscriber> SubscribeAsync(NotificationsBench bench, StaffRole role) => bench.Notifications.SaveAsync(Of(role), default);

    private static void Hire(NotificationsBench bench, params (string Name, string Municipality, StaffRole Role)[] people)
    {
        lock (bench.Staff)
        {
            bench.Staff.AddRange(people);
        }
    }

    private static void Dismiss(NotificationsBench bench, string name)
    {
        lock (bench.Staff)
        {
            bench.Staff.RemoveAll(one => one.Name == name);
        }
    }

    private static async Task ToldAsync(NotificationsBench bench, params string[] everybody)
    {
        await Eventually.TrueAsync(() => bench.Mails.Count >= everybody.Length, $"{everybody.Length} mails are there");
        await bench.SettledAsync();
        Assert.Equal(everybody.Order(), bench.Mails.Select(mail => mail.To.ToString()).Order());
    }
}
