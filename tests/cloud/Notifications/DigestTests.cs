using Hub.Cloud.Notifications.Mail;
using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Notifications.Storage;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>Quiet hours, storms and what is past, for people who signed up. The clock begins at 13:00 in Braga.</summary>
public sealed class DigestTests
{
    private static readonly QuietHours Siesta = new(new(12, 0), new(15, 0));

    [Fact]
    public async Task In_quiet_hours_nothing_comes_and_an_alarm_that_ended_meanwhile_is_one_message_afterwards()
    {
        await using var bench = await SignUpTests.StartAsync();
        await SignUpTests.ConfirmedAsync(bench, SignUpTests.Request(quiet: Siesta));
        await bench.Notifications.EnqueueAsync(Message("a", NotificationKind.Started), default);
        bench.Time.Advance(TimeSpan.FromMinutes(30));
        await bench.Notifications.EnqueueAsync(Message("a", NotificationKind.Ended), default);
        Assert.All(await bench.LogAsync(), delivery => Assert.Equal(("waiting", 0), (delivery.State, delivery.Attempts)));
        await bench.SettledAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(["a:Started gathered", "a:Ended delivered"], await LinesAsync(bench));
        var mail = Alarms(bench).Single();
        Assert.StartsWith("Terminou: Ruído noturno", mail.Subject, StringComparison.Ordinal);
        Assert.Contains("Início:", mail.TextBody, StringComparison.Ordinal);
        Assert.True(mail.Date >= new DateTimeOffset(2026, 5, 4, 14, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public async Task An_alarm_that_goes_on_is_told_when_the_quiet_hours_end_and_one_that_never_was_is_not()
    {
        await using var bench = await SignUpTests.StartAsync();
        await SignUpTests.ConfirmedAsync(bench, SignUpTests.Request(quiet: Siesta));
        await bench.Notifications.EnqueueAsync(Message("a", NotificationKind.Started), default);
        await bench.Notifications.EnqueueAsync(Message("b", NotificationKind.Started), default);
        await bench.Notifications.EnqueueAsync(Message("b", NotificationKind.Corrected) with { Withdrawn = true }, default);
        await bench.SettledAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(["a:Started delivered", "b:Started suppressed", "b:Corrected suppressed"], await LinesAsync(bench));
        Assert.StartsWith("Aviso: Ruído noturno", Alarms(bench).Single().Subject, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_alarms_of_the_quiet_hours_are_one_mail()
    {
        await using var bench = await SignUpTests.StartAsync();
        await SignUpTests.ConfirmedAsync(bench, SignUpTests.Request(quiet: Siesta));
        await bench.Notifications.EnqueueAsync(Message("a", NotificationKind.Started), default);
        await bench.Notifications.EnqueueAsync(Message("b", NotificationKind.Started), default);
        await bench.Notifications.EnqueueAsync(Message("a", NotificationKind.Ended), default);
        await bench.SettledAsync(TimeSpan.FromMinutes(5));
        var mail = Alarms(bench).Single();
        Assert.Equal("Resumo: 2 alarmes – Braga", mail.Subject);
        Assert.Contains("Um ainda está ativo.", mail.TextBody, StringComparison.Ordinal);
        Assert.Contains("List-Unsubscribe=One-Click", mail.Headers[MimeKit.HeaderId.ListUnsubscribePost], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, NotificationKind.Started, true)]
    [InlineData(true, NotificationKind.Past, false)]
    [InlineData(false, NotificationKind.Started, false)]
    public async Task The_highest_severity_comes_in_quiet_hours_unless_it_is_past_or_the_person_said_no(bool except, NotificationKind kind, bool atOnce)
    {
        await using var bench = await SignUpTests.StartAsync();
        await SignUpTests.ConfirmedAsync(bench, SignUpTests.Request(quiet: Siesta with { ExceptHighest = except }));
        await bench.Notifications.EnqueueAsync(Message("a", kind) with { Severity = Severity.Alert }, default);
        if (atOnce)
        {
            await bench.SettledAsync();
        }

        Assert.Equal(atOnce ? "delivered" : "waiting", (await bench.LogAsync()).Single().State);
    }

    [Fact]
    public async Task The_more_serious_level_of_a_rule_does_not_wait_with_the_lesser_one()
    {
        await using var bench = await SignUpTests.StartAsync();
        await SignUpTests.ConfirmedAsync(bench, SignUpTests.Request(quiet: Siesta with { ExceptHighest = true }));
        await bench.Notifications.EnqueueAsync(Message("w", NotificationKind.Started) with { Incident = "w" }, default);
        await bench.Notifications.EnqueueAsync(Message("x", NotificationKind.Started) with { Severity = Severity.Alert, Incident = "w" }, default);
        await bench.Notifications.EnqueueAsync(Message("x", NotificationKind.Ended) with { Severity = Severity.Alert, Incident = "w" }, default);
        await Eventually.TrueAsync(
            async () => (await LinesAsync(bench)).SequenceEqual(["w:Started waiting", "x:Started delivered", "x:Ended delivered"]), "the alert is told in the quiet hours, and its end");
        await bench.SettledAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(["w:Started delivered", "x:Started delivered", "x:Ended delivered"], await LinesAsync(bench));
    }

    [Fact]
    public async Task What_is_too_much_in_an_hour_is_gathered_and_a_serious_alarm_is_not_held_back_by_small_ones()
    {
        await using var bench = await SignUpTests.StartAsync(("Hub:Notifications:MessagesPerHourMax", "3"));
        await SignUpTests.ConfirmedAsync(bench, SignUpTests.Request());
        await bench.SubscribeAsync(ChannelKind.Mail, "operator@example.org");
        for (var alarm = 0; alarm < 6; alarm++)
        {
            await bench.Notifications.EnqueueAsync(Message($"a{alarm}", NotificationKind.Started), default);
            await bench.Notifications.EnqueueAsync(Message($"a{alarm}", NotificationKind.Ended), default);
        }

        await bench.Notifications.EnqueueAsync(Message("fire", NotificationKind.Started) with { Severity = Severity.Alert }, default);
        await Eventually.TrueAsync(() => Alarms(bench).Count == 4 && Alarms(bench, "operator@example.org").Count == 13, "what goes at once is out");
        Assert.Contains(Alarms(bench), mail => mail.Subject!.StartsWith("Alerta", StringComparison.Ordinal));
        await bench.SettledAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(5, Alarms(bench).Count);

        // Two alarms had been told at once, one of them with its end; the hour was over at 14:00.
        var digest = Alarms(bench)[^1];
        Assert.Equal("Resumo: 5 alarmes – Braga", digest.Subject);
        Assert.True(digest.Date >= new DateTimeOffset(2026, 5, 4, 13, 0, 0, TimeSpan.Zero));

        // Another hour, another count.
        await bench.Notifications.EnqueueAsync(Message("b", NotificationKind.Started), default);
        await bench.SettledAsync();
        Assert.Equal(6, Alarms(bench).Count);
    }

    [Fact]
    public async Task The_past_is_told_in_a_digest_and_only_operators_subscribers_get_it_by_itself()
    {
        await using var bench = await SignUpTests.StartAsync();
        await SignUpTests.ConfirmedAsync(bench, SignUpTests.Request());
        await bench.SubscribeAsync(ChannelKind.Mail, "operator@example.org");
        await bench.Notifications.SaveAsync(new(0, "braga", ChannelKind.Mail, "digest@example.org", "en", null, Severity.Information, "") { Digest = true }, default);
        await bench.Notifications.EnqueueAsync(Message("a", NotificationKind.Past), default);
        await Eventually.TrueAsync(() => Alarms(bench, "operator@example.org").Count == 1, "the operator's subscriber has it");
        Assert.Empty(Alarms(bench));
        await bench.SettledAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Resumo: 1 alarme – Braga", Alarms(bench).Single().Subject);
        Assert.Contains("Isto não é uma emergência", Alarms(bench).Single().TextBody, StringComparison.Ordinal);
        Assert.Equal("Summary: 1 alarm – Braga", Alarms(bench, "digest@example.org").Single().Subject);
    }

    [Fact]
    public async Task A_hub_killed_between_any_two_steps_sends_the_same_digest_again_and_no_other()
    {
        await using var bench = await SignUpTests.StartAsync();
        await SignUpTests.ConfirmedAsync(bench, SignUpTests.Request());
        foreach (var alarm in new[] { "a", "b" })
        {
            await bench.Notifications.EnqueueAsync(Message(alarm, NotificationKind.Past), default);
        }

        // Killed before it was gathered.
        await bench.StopAsync();
        await bench.StartAsync();
        Assert.Equal(["a:Past waiting", "b:Past waiting"], await LinesAsync(bench));
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.SettledAsync();
        var (first, id) = (Assert.Single(Alarms(bench)).MessageId, (await bench.LogAsync())[0]);
        Assert.Equal(NotificationKind.Digest, id.Kind);

        // Killed when the receiver had it and nobody had noted that; meanwhile there is more to tell.
        await bench.StopAsync();
        await using (var db = bench.Database())
        {
            await db.Deliveries.Where(row => row.Kind == NotificationKind.Digest).ExecuteUpdateAsync(set => set.SetProperty(row => row.State, DeliveryState.Waiting).SetProperty(row => row.DeliveredAt, (DateTime?)null));
        }

        await bench.StartAsync();
        await bench.Notifications.EnqueueAsync(Message("c", NotificationKind.Past), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync()).Count(delivery => delivery is { Kind: NotificationKind.Digest, State: "delivered" }) == 1, "it went out again");
        Assert.Equal(first, Assert.Single(Alarms(bench)).MessageId);
        Assert.DoesNotContain("Message-c", Alarms(bench)[0].TextBody, StringComparison.Ordinal);
        await bench.SettledAsync(TimeSpan.FromMinutes(10));
        Assert.Equal(2, Alarms(bench).Count);
        Assert.Equal("Resumo: 1 alarme – Braga", Alarms(bench)[^1].Subject);
    }

    [Fact]
    public async Task Who_pauses_gets_nothing_of_what_was_held()
    {
        await using var bench = await SignUpTests.StartAsync();
        var token = await SignUpTests.ConfirmedAsync(bench, SignUpTests.Request(quiet: Siesta));
        await bench.Notifications.EnqueueAsync(Message("a", NotificationKind.Started), default);
        await bench.SignUp.ChangeAsync(token, "pt", Siesta, DateTime.MaxValue, default);
        await bench.SettledAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(["a:Started suppressed"], await LinesAsync(bench));
        Assert.Empty(Alarms(bench));
    }

    [Theory]
    [InlineData("2026-05-04T12:00:00Z", "01:00:00", "2026-05-04T13:00:00Z")]
    [InlineData("2026-05-04T12:59:59Z", "01:00:00", "2026-05-04T13:00:00Z")]
    [InlineData("2026-05-04T12:00:03Z", "00:00:05", "2026-05-04T12:00:05Z")]
    [InlineData("2026-05-04T12:00:00Z", "1.00:00:00", "2026-05-04T23:00:00Z")]
    [InlineData("2026-05-04T12:00:00Z", "06:00:00", "2026-05-04T17:00:00Z")]
    [InlineData("2026-03-28T12:00:00Z", "1.00:00:00", "2026-03-29T00:00:00Z")]
    [InlineData("2026-03-29T00:00:00Z", "1.00:00:00", "2026-03-29T23:00:00Z")]
    [InlineData("2026-03-29T00:30:00Z", "01:00:00", "2026-03-29T01:00:00Z")]
    [InlineData("2026-10-24T23:00:00Z", "1.00:00:00", "2026-10-26T00:00:00Z")]
    [InlineData("2026-10-25T00:30:00Z", "01:00:00", "2026-10-25T01:00:00Z")]
    [InlineData("2026-10-25T00:00:00Z", "02:00:00", "2026-10-25T02:00:00Z")]
    public void What_is_gathered_goes_out_at_the_next_whole_multiple_by_the_clock_on_the_wall(string now, string every, string at)
    {
        var culture = System.Globalization.CultureInfo.InvariantCulture;
        var found = DeliveryPlan.NextDigest(DateTime.Parse(now, culture, System.Globalization.DateTimeStyles.AdjustToUniversal), TimeSpan.Parse(every, culture), TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon"));
        Assert.Equal(DateTime.Parse(at, culture, System.Globalization.DateTimeStyles.AdjustToUniversal), found);
    }

    [Fact]
    public async Task The_time_of_the_digest_is_a_setting()
    {
        await using var bench = await SignUpTests.StartAsync(("Hub:Notifications:DigestEvery", "00:05:00"));
        await SignUpTests.ConfirmedAsync(bench, SignUpTests.Request());
        await bench.Notifications.EnqueueAsync(Message("a", NotificationKind.Past), default);
        await bench.Notifications.EnqueueAsync(Message("b", NotificationKind.Past), default);
        bench.Time.Advance(TimeSpan.FromMinutes(5));
        await bench.SettledAsync();
        Assert.Equal("Resumo: 2 alarmes – Braga", Alarms(bench).Single().Subject);
    }

    [Fact]
    public void A_digest_s_key_is_a_function_of_what_it_holds()
    {
        Assert.Equal(DigestPlan.KeyOf(1, ["a", "b"]), DigestPlan.KeyOf(1, ["a", "b"]));
        Assert.Equal(4, new[] { DigestPlan.KeyOf(1, ["a", "b"]), DigestPlan.KeyOf(2, ["a", "b"]), DigestPlan.KeyOf(1, ["a"]), DigestPlan.KeyOf(1, ["ab"]) }.Distinct().Count());
        Assert.InRange(DigestPlan.KeyOf(1, ["a"]).Length, 1, NotificationOutbox.KeyLengthMax);
    }

    [Fact]
    public void Every_gathered_delivery_is_accounted_for_once_and_a_long_digest_has_an_end()
    {
        List<Gathered> gathered = [.. Enumerable.Range(0, 250).Select(number => new Gathered(number, Gathering.Storm, Message($"a{number % 120}", number < 120 ? NotificationKind.Started : NotificationKind.Ended)))];
        gathered.Add(new(250, Gathering.Storm, Message("w", NotificationKind.Corrected) with { Withdrawn = true }));
        var plan = DigestPlan.Of(gathered, new HashSet<string>());
        Assert.Equal(gathered.Select(one => one.Id), plan.Merged.Concat(plan.Untold).Order());
        Assert.Equal((120, DigestContent.MessageCountMax), (plan.Digest!.AlarmCount, plan.Digest.Messages.Count));
        Assert.Contains("E mais 20", DigestText.Write(plan.Digest, "pt", _ => null, null).Text, StringComparison.Ordinal);

        // Told before, a withdrawal is told too.
        Assert.Single(DigestPlan.Of([gathered[^1]], new HashSet<string> { "w" }).Digest!.Messages);
    }

    /// <summary>The digest as people read it: golden/digest.{language}.txt. Change the file only after reading it aloud.</summary>
    [Theory]
    [InlineData("pt")]
    [InlineData("en")]
    public async Task The_text_is_the_one_in_the_golden_file(string language)
    {
        var digest = new DigestContent(
            [Message("a", NotificationKind.Started), Message("b", NotificationKind.Ended), Message("c", NotificationKind.Past) with { Severity = Severity.Alert }, Message("d", NotificationKind.Corrected) with { Withdrawn = true, StationName = "<Se>" }], 4);
        var (subject, text, html) = DigestText.Write(
            digest, language, message => $"https://hub.example.org/stations/braga/{message.Station}", new("https://hub.example.org/unsubscribe?t=T", "https://hub.example.org/subscriptions?t=T"));
        Assert.Contains("&lt;Se&gt;", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<Se>", html, StringComparison.Ordinal);
        var written = $"{subject}\n\n{text}";
        var file = Path.Combine(AppContext.BaseDirectory, "golden", $"digest.{language}.txt");
        Assert.True(File.Exists(file), $"{file} is missing; it would be:\n{written}");
        Assert.Equal(await File.ReadAllTextAsync(file), written);
    }

    private static AlarmMessage Message(string alarm, NotificationKind kind) => NotificationsBench.Message($"{alarm}:{kind}", kind) with { Alarm = alarm };

    private static IReadOnlyList<MimeKit.MimeMessage> Alarms(NotificationsBench bench, string target = "maria@example.org") =>
        [.. bench.Mails.Where(mail => mail.To.Mailboxes.Single().Address == target && !mail.TextBody!.Contains("/subscribe/confirm", StringComparison.Ordinal))];

    private static async Task<IEnumerable<string>> LinesAsync(NotificationsBench bench) => (await bench.LogAsync()).OrderBy(delivery => delivery.Id).Select(delivery => $"{delivery.Key} {delivery.State}");
}
