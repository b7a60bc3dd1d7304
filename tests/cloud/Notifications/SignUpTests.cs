using System.Net;
using System.Text.RegularExpressions;
using Hub.Cloud.Notifications.SignUp;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using MimeKit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed partial class SignUpTests
{
    private static readonly Wish Everything = new(null, null, null, null, Severity.Information);

    [Fact]
    public async Task Nothing_is_sent_but_one_mail_until_its_link_is_confirmed_and_then_what_was_asked_for()
    {
        await using var bench = await StartAsync();
        Assert.Equal(RequestOutcome.Taken, await bench.SignUp.RequestAsync(Request(), null, default));
        await MailsAsync(bench, 1);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1"), default);
        Assert.Empty(await bench.LogAsync());
        var letter = bench.Mails[0];
        Assert.Equal("Confirme os alertas de Braga", letter.Subject);
        Assert.Contains("todas as estações", letter.TextBody, StringComparison.Ordinal);
        Assert.Contains("48 horas", letter.TextBody, StringComparison.Ordinal);
        Assert.Null(letter.Headers[HeaderId.ListUnsubscribe]);
        var token = TokenOf(letter, "/subscribe/confirm");

        // As a scanner of links looks, any number of times.
        for (var look = 0; look < 3; look++)
        {
            var pending = await bench.SignUp.FindPendingAsync(token, default);
            Assert.Equal(("braga", "m***@example.org", Everything), (pending!.Municipality, pending.TargetMasked, pending.Wish));
        }

        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:2"), default);
        Assert.Empty(await bench.LogAsync());
        var (outcome, preferences) = await bench.SignUp.ConfirmAsync(token, default);
        Assert.Equal(ConfirmOutcome.Confirmed, outcome);
        Assert.Equal((ConfirmOutcome.Unknown, null), await bench.SignUp.ConfirmAsync(token, default));
        Assert.Null(await bench.SignUp.FindPendingAsync(token, default));
        Assert.Equal("maria@example.org", (await bench.SignUp.FindPreferencesAsync(preferences, default))!.Target);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:3"), default);
        await bench.SettledAsync();
        Assert.Equal(["a:started:3"], (await bench.LogAsync()).Select(delivery => delivery.Key));
        Assert.Equal(2, bench.Mails.Count);
    }

    [Fact]
    public async Task Two_clicks_on_one_button_confirm_once()
    {
        await using var bench = await StartAsync();
        await bench.SignUp.RequestAsync(Request(), null, default);
        await MailsAsync(bench, 1);
        var token = TokenOf(bench.Mails[0], "/subscribe/confirm");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => bench.SignUp.ConfirmAsync(token, default).AsTask()));
        Assert.Single(outcomes, one => one.Outcome == ConfirmOutcome.Confirmed);
    }

    [Fact]
    public async Task What_nobody_confirms_is_forgotten()
    {
        await using var bench = await StartAsync();
        await bench.SignUp.RequestAsync(Request(), null, default);
        await MailsAsync(bench, 1);
        var token = TokenOf(bench.Mails[0], "/subscribe/confirm");
        bench.Time.Advance(TimeSpan.FromHours(48));
        await Eventually.TrueAsync(async () => await CountAsync(bench) == 0, "the request is gone");
        Assert.Equal(ConfirmOutcome.Unknown, (await bench.SignUp.ConfirmAsync(token, default)).Outcome);
    }

    [Fact]
    public async Task No_answer_tells_whether_an_address_is_known_and_a_link_goes_only_to_one_that_is()
    {
        await using var bench = await StartAsync();
        await ConfirmedAsync(bench, Request());
        Assert.Equal(RequestOutcome.Taken, await bench.SignUp.RequestLinkAsync(ChannelKind.Mail, "nobody@example.org", "en", null, default));
        Assert.Equal(RequestOutcome.Taken, await bench.SignUp.RequestLinkAsync(ChannelKind.Mail, "MARIA@example.org", "en", null, default));
        Assert.Equal(RequestOutcome.Taken, await bench.SignUp.RequestAsync(Request(), null, default));
        await MailsAsync(bench, 3);
        await Eventually.TrueAsync(async () => await DueAsync(bench) == 0, "every request is answered");
        Assert.All(bench.Mails, mail => Assert.Equal("maria@example.org", mail.To.Mailboxes.Single().Address));

        // In the language that the person has, not in that of who asked.
        var link = bench.Mails.Single(mail => mail.Subject == "As suas subscrições de alertas");
        Assert.Single((await bench.SignUp.FindPreferencesAsync(TokenOf(link, "/subscriptions"), default))!.Subscriptions);
    }

    [Fact]
    public async Task Nobody_is_written_to_more_than_three_times_a_day_and_nobody_asks_more_than_ten_times_an_hour()
    {
        await using var bench = await StartAsync();
        for (var time = 0; time < 5; time++)
        {
            Assert.Equal(RequestOutcome.Taken, await bench.SignUp.RequestAsync(Request(), IPAddress.Parse($"192.0.2.{time}"), default));
        }

        await Eventually.TrueAsync(async () => await DueAsync(bench) == 0, "every request is answered");
        Assert.Equal(3, bench.Mails.Count);

        // One household, whatever address of its network it takes.
        for (var time = 0; time < 10; time++)
        {
            Assert.Equal(RequestOutcome.Taken, await bench.SignUp.RequestAsync(Request($"p{time}@example.org"), IPAddress.Parse($"2001:db8::{time:x}"), default));
        }

        Assert.Equal(RequestOutcome.Busy, await bench.SignUp.RequestAsync(Request("q@example.org"), IPAddress.Parse("2001:db8::ffff"), default));
        Assert.Equal(RequestOutcome.Busy, await bench.SignUp.RequestLinkAsync(ChannelKind.Mail, "q@example.org", "pt", IPAddress.Parse("2001:db8::1"), default));
        Assert.Equal(RequestOutcome.Taken, await bench.SignUp.RequestAsync(Request("q@example.org"), IPAddress.Parse("2001:db8:0:1::1"), default));
        bench.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(RequestOutcome.Taken, await bench.SignUp.RequestAsync(Request("r@example.org"), IPAddress.Parse("2001:db8::1"), default));
        bench.Time.Advance(TimeSpan.FromHours(24));
        Assert.Equal(RequestOutcome.Taken, await bench.SignUp.RequestAsync(Request(), null, default));
        await Eventually.TrueAsync(() => bench.Mails.Count(mail => mail.To.Mailboxes.Single().Address == "maria@example.org") == 4, "a day later there is another mail");
    }

    [Fact]
    public async Task Each_mail_says_how_to_end_it_in_its_header_on_one_line_in_its_text_and_in_its_html()
    {
        await using var bench = await StartAsync();
        await ConfirmedAsync(bench, Request());
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync();
        var mail = bench.Mails.Single(one => one.Subject!.StartsWith("Aviso", StringComparison.Ordinal));
        var file = Directory.GetFiles(bench.MailFolder).Single(path => File.ReadAllText(path).Contains("X-Hub-Alarm", StringComparison.Ordinal));
        var line = Assert.Single(await File.ReadAllLinesAsync(file), one => one.StartsWith("List-Unsubscribe:", StringComparison.Ordinal));
        Assert.Matches(@"^List-Unsubscribe: <https://hub\.example\.org/unsubscribe\?t=[A-Za-z0-9_-]{50}>$", line);
        Assert.Contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click", await File.ReadAllLinesAsync(file));
        var token = TokenOf(mail, "/unsubscribe");
        Assert.Contains($"href=\"https://hub.example.org/unsubscribe?t={token}\"", mail.HtmlBody, StringComparison.Ordinal);
        Assert.Contains("https://hub.example.org/subscriptions?t=", mail.TextBody, StringComparison.Ordinal);
        Assert.DoesNotContain("maria", mail.TextBody, StringComparison.Ordinal);

        // A look changes nothing; once ended, ending it again is no error.
        Assert.Equal(new Unsubscription("braga", 1), await bench.SignUp.FindUnsubscriptionAsync(token, default));
        Assert.True(await bench.SignUp.UnsubscribeAsync(token, default));
        Assert.True(await bench.SignUp.UnsubscribeAsync(token, default));
        Assert.Equal(new Unsubscription(null, 0), await bench.SignUp.FindUnsubscriptionAsync(token, default));
        Assert.False(await bench.SignUp.UnsubscribeAsync(TokenOf(mail, "/subscriptions"), default));
        Assert.False(await bench.SignUp.UnsubscribeAsync(token[..^1] + (token[^1] == 'A' ? 'B' : 'A'), default));
        Assert.Null(await bench.SignUp.FindPreferencesAsync(TokenOf(mail, "/subscriptions"), default));
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("b:started:1"), default);
        Assert.Equal("", Assert.Single(await bench.LogAsync()).Target);
    }

    [Fact]
    public async Task A_subscriber_of_an_operator_gets_the_mail_it_always_got()
    {
        await using var bench = await StartAsync();
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync();
        Assert.Null(bench.Mails[0].Headers[HeaderId.ListUnsubscribe]);
        Assert.DoesNotContain("unsubscribe", bench.Mails[0].TextBody, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Preferences_are_seen_changed_paused_and_deleted()
    {
        await using var bench = await StartAsync();
        await ConfirmedAsync(bench, Request(wish: Everything with { Station = "se" }, quiet: new(new(22, 0), new(7, 0))));
        await ConfirmedAsync(bench, Request(wish: Everything with { Property = "laeq" }) with { Municipality = "aveiro", MunicipalityName = "Aveiro", Language = "en" });
        var token = await ConfirmedAsync(bench, Request("Maria@Example.org"));
        var all = (await bench.SignUp.FindPreferencesAsync(token, default))!;
        Assert.Equal(["se", null, null], all.Subscriptions.Select(one => one.Wish.Station));
        Assert.Equal(["braga", "aveiro", "braga"], all.Subscriptions.Select(one => one.Municipality));

        // What was chosen last holds for the address.
        Assert.Equal(("pt", null, null), (all.Language, all.Quiet, all.PausedUntil));
        var quiet = new QuietHours(new(23, 30), new(6, 15), ExceptHighest: false);
        var until = bench.Time.GetUtcNow().UtcDateTime.AddDays(7);
        Assert.True(await bench.SignUp.ChangeAsync(token, "en", quiet, until, default));
        Assert.Equal(ConfirmOutcome.Confirmed, (await bench.SignUp.ChangeSubscriptionAsync(token, all.Subscriptions[0].Id, "braga", all.Subscriptions[0].Wish with { SeverityMin = Severity.Alert }, default)).Outcome);
        all = (await bench.SignUp.FindPreferencesAsync(token, default))!;
        Assert.Equal(("en", quiet, until, Severity.Alert), (all.Language, all.Quiet, all.PausedUntil, all.Subscriptions[0].Wish.SeverityMin));
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        Assert.Empty(await bench.LogAsync());
        bench.Time.Advance(TimeSpan.FromDays(7));
        Assert.Null((await bench.SignUp.FindPreferencesAsync(token, default))!.PausedUntil);

        Assert.True(await bench.SignUp.RemoveSubscriptionAsync(token, all.Subscriptions[0].Id, default));
        Assert.True(await bench.SignUp.RemoveSubscriptionAsync(token, all.Subscriptions[0].Id, default));
        Assert.Equal(2, (await bench.SignUp.FindPreferencesAsync(token, default))!.Subscriptions.Count);
        Assert.False(await bench.SignUp.RemoveSubscriptionAsync("nonsense", all.Subscriptions[1].Id, default));

        // With the last one in its municipality the person is forgotten there.
        Assert.True(await bench.SignUp.RemoveSubscriptionAsync(token, all.Subscriptions[2].Id, default));
        Assert.Null(await bench.SignUp.FindPreferencesAsync(token, default));
        await using var db = await bench.Contexts.CreateDbContextAsync();
        Assert.Equal("aveiro", (await db.Subscribers.SingleAsync()).Municipality);
    }

    [Fact]
    public async Task A_subscription_is_changed_in_all_it_asks_for_and_moves_to_another_municipality_without_another_mail()
    {
        await using var bench = await StartAsync();
        await ConfirmedAsync(bench, Request(wish: Everything with { Station = "se" }, quiet: new(new(22, 0), new(7, 0))));
        var token = await ConfirmedAsync(bench, Request(wish: Everything with { Property = "laeq" }, quiet: new(new(22, 0), new(7, 0))));
        await bench.SettledAsync();
        var mails = bench.Mails.Count;
        var mine = (await bench.SignUp.FindPreferencesAsync(token, default))!;
        var circle = new Wish(null, new Circle(41.55, -8.42, 2_000), "pm2_5", null, Severity.Information);
        var (outcome, next) = await bench.SignUp.ChangeSubscriptionAsync(token, mine.Subscriptions[0].Id, "braga", circle, default);
        Assert.Equal(ConfirmOutcome.Confirmed, outcome);
        mine = (await bench.SignUp.FindPreferencesAsync(next, default))!;
        Assert.Equal((circle, "braga"), (mine.Subscriptions[0].Wish, mine.Subscriptions[0].Municipality));

        // Like another of theirs: the two are one.
        Assert.Equal(ConfirmOutcome.Confirmed, (await bench.SignUp.ChangeSubscriptionAsync(token, mine.Subscriptions[1].Id, "braga", circle, default)).Outcome);
        var only = Assert.Single((await bench.SignUp.FindPreferencesAsync(token, default))!.Subscriptions);

        // Elsewhere: the last one in Braga goes, and with it the links of Braga; language and quiet hours stay.
        (_, next) = await bench.SignUp.ChangeSubscriptionAsync(token, only.Id, "aveiro", circle with { Area = null, Station = "ria" }, default);
        Assert.Null(await bench.SignUp.FindPreferencesAsync(token, default));
        mine = (await bench.SignUp.FindPreferencesAsync(next, default))!;
        Assert.Equal(("aveiro", "ria", new TimeOnly(22, 0)), (Assert.Single(mine.Subscriptions).Municipality, mine.Subscriptions[0].Wish.Station, mine.Quiet!.From));
        Assert.Equal(only.Since, mine.Subscriptions[0].Since);
        await bench.SettledAsync();
        Assert.Equal(mails, bench.Mails.Count);

        // What is not good is refused as at sign-up, and what is gone or not theirs changes nothing.
        await Assert.ThrowsAsync<ArgumentException>(async () => await bench.SignUp.ChangeSubscriptionAsync(next, mine.Subscriptions[0].Id, "Not A Slug", circle, default));
        Assert.Equal("Area", (await Assert.ThrowsAsync<ArgumentException>(async () =>
            await bench.SignUp.ChangeSubscriptionAsync(next, mine.Subscriptions[0].Id, "aveiro", circle with { Station = "ria" }, default))).ParamName);
        Assert.Equal(ConfirmOutcome.Unknown, (await bench.SignUp.ChangeSubscriptionAsync("nonsense", mine.Subscriptions[0].Id, "aveiro", circle, default)).Outcome);
        Assert.Equal(ConfirmOutcome.Confirmed, (await bench.SignUp.ChangeSubscriptionAsync(next, only.Id, "aveiro", circle, default)).Outcome);
        Assert.Equal("ria", Assert.Single((await bench.SignUp.FindPreferencesAsync(next, default))!.Subscriptions).Wish.Station);
    }

    [Fact]
    public async Task A_municipality_that_is_full_takes_no_subscription_of_another()
    {
        await using var bench = await StartAsync(("Hub:Notifications:SubscriberCountMax", "1"));
        var token = await ConfirmedAsync(bench, Request());
        await bench.Notifications.SaveAsync(new Subscriber(0, "aveiro", ChannelKind.Mail, "x@example.org", "pt", null, Severity.Information, ""), default);
        var mine = (await bench.SignUp.FindPreferencesAsync(token, default))!;
        Assert.Equal((ConfirmOutcome.Full, null), await bench.SignUp.ChangeSubscriptionAsync(token, mine.Subscriptions[0].Id, "aveiro", Everything, default));
        Assert.Equal("braga", Assert.Single((await bench.SignUp.FindPreferencesAsync(token, default))!.Subscriptions).Municipality);
    }

    [Fact]
    public async Task Deleting_everything_leaves_no_trace_of_the_address_in_any_table()
    {
        await using var bench = await StartAsync();
        var token = await ConfirmedAsync(bench, Request(quiet: new(new(14, 0), new(15, 0))));
        await ConfirmedAsync(bench, Request() with { Municipality = "aveiro", MunicipalityName = "Aveiro" });
        await bench.SignUp.RequestLinkAsync(ChannelKind.Mail, "maria@example.org", "pt", null, default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1", severity: Severity.Alert), default);
        await bench.SettledAsync();
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("b:past:1", NotificationKind.Past), default);
        await using (var db = await bench.Contexts.CreateDbContextAsync())
        {
            // As a mail server answers.
            await db.Deliveries.ExecuteUpdateAsync(set => set.SetProperty(row => row.Answer, "250 maria@example.org ok"));
        }

        Assert.True(await bench.SignUp.ForgetAsync(token, default));
        Assert.Null(await bench.SignUp.FindPreferencesAsync(token, default));
        Assert.False(await bench.SignUp.ForgetAsync(token, default));
        await bench.StopAsync();
        await bench.StartAsync();
        await using (var db = await bench.Contexts.CreateDbContextAsync())
        {
            Assert.Equal(0, await db.Subscribers.CountAsync() + await db.Subscriptions.CountAsync() + await db.Requests.CountAsync());
            Assert.Equal(["a:started:1"], await db.Deliveries.Select(row => row.Key).ToListAsync());
            Assert.Equal([""], await db.Deliveries.Select(row => row.TargetMasked + row.Answer).ToListAsync());
        }
    }

    [Fact]
    public async Task A_person_gets_one_message_however_many_wishes_match_and_none_about_what_is_not_public()
    {
        await using var bench = await StartAsync();
        await ConfirmedAsync(bench, Request());
        await ConfirmedAsync(bench, Request(wish: Everything with { Station = "avenida" }));
        await ConfirmedAsync(bench, Request(wish: Everything with { Rule = "night-noise" }));
        await ConfirmedAsync(bench, Request("joao@example.org", Everything with { Station = "se" }));
        await ConfirmedAsync(bench, Request("rui@example.org", Everything with { SeverityMin = Severity.Alert }));
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1"), default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("b:started:1") with { Public = false }, default);
        await bench.SettledAsync();
        Assert.Equal(["m***@example.org"], (await bench.LogAsync()).Select(delivery => delivery.Target));
    }

    [Theory]
    [InlineData(true, null, null, null, Severity.Information, null)]
    [InlineData(true, "avenida", null, null, Severity.Warning, null)]
    [InlineData(false, "se", null, null, Severity.Information, null)]
    [InlineData(true, null, "laeq", null, Severity.Information, null)]
    [InlineData(false, null, "no2", null, Severity.Information, null)]
    [InlineData(true, null, null, "night-noise", Severity.Information, null)]
    [InlineData(false, null, null, "dust", Severity.Information, null)]
    [InlineData(false, null, null, null, Severity.Alert, null)]
    // The station is 667 m from there.
    [InlineData(true, null, null, null, Severity.Information, 680)]
    [InlineData(false, null, null, null, Severity.Information, 650)]
    public void A_wish_asks_for_place_thing_and_severity(bool wanted, string? station, string? property, string? rule, Severity severity, int? metres)
    {
        Circle? area = metres is { } radius ? new(41.5578, -8.4220, radius) : null;
        var wish = new Wish(station, area, property, rule, severity);
        Assert.Equal(wanted, wish.Wants(NotificationsBench.Message()));
        Assert.False(wish.Wants(NotificationsBench.Message() with { Public = false }));
        Assert.True(area is null || !wish.Wants(NotificationsBench.Message() with { Latitude = null }));
    }

    [Fact]
    public void Distances_are_those_on_the_globe()
    {
        // Braga to Aveiro, and across the date line.
        Assert.Equal(103_000, new Circle(41.5503, -8.4229, 100).MetresTo(40.6405, -8.6538), 1_000.0);
        Assert.Equal(111_195, new Circle(0, 179.5, 100).MetresTo(0, -179.5), 10.0);
    }

    [Fact]
    public async Task Links_work_after_a_restart_and_people_are_in_no_list_of_operators()
    {
        await using var bench = await StartAsync();
        var token = await ConfirmedAsync(bench, Request());
        await bench.StopAsync();
        await bench.StartAsync();
        Assert.NotNull(await bench.SignUp.FindPreferencesAsync(token, default));
        Assert.Empty(await bench.Notifications.SubscribersAsync("braga", default));
        await using var db = await bench.Contexts.CreateDbContextAsync();
        var id = await db.Subscribers.Select(row => row.Id).SingleAsync();
        await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Notifications.SaveAsync(new(id, "braga", ChannelKind.Mail, "x@example.org", "pt", null, Severity.Information, ""), default));
        await bench.Notifications.RemoveAsync(id, default);
        Assert.Null(await bench.SignUp.FindPreferencesAsync(token, default));
    }

    [Fact]
    public async Task There_is_a_limit_of_subscriptions_and_the_same_one_twice_is_one()
    {
        await using var bench = await StartAsync(("Hub:Notifications:SignUp:SubscriptionsPerPersonMax", "1"), ("Hub:Notifications:SubscriberCountMax", "2"));
        await bench.SubscribeAsync(ChannelKind.Mail, "operator@example.org");
        await ConfirmedAsync(bench, Request());
        var token = await ConfirmedAsync(bench, Request());
        Assert.Single((await bench.SignUp.FindPreferencesAsync(token, default))!.Subscriptions);
        Assert.Equal(ConfirmOutcome.Full, await TryConfirmAsync(bench, Request(wish: Everything with { Station = "se" })));
        Assert.Equal(ConfirmOutcome.Full, await TryConfirmAsync(bench, Request("joao@example.org")));
    }

    [Theory]
    [InlineData("Target", "nobody", null)]
    [InlineData("Target", "a@example.org\r\nBcc: b@example.org", null)]
    [InlineData("Language", "a@example.org", "fr")]
    public async Task What_breaks_a_rule_is_refused_by_the_name_of_the_field(string field, string target, string? language)
    {
        await using var bench = await StartAsync();
        var request = Request(target) with { Language = language ?? "pt" };
        Assert.Equal(field, (await Assert.ThrowsAsync<ArgumentException>(async () => await bench.SignUp.RequestAsync(request, null, default))).ParamName);
        Wish[] wishes = [Everything with { Station = "Not A Slug" }, Everything with { Area = new(91, 0, 500) }, Everything with { Area = new(41, -8, 99) }, Everything with { Area = new(double.NaN, 0, 500) }, Everything with { SeverityMin = 0 }];
        foreach (var wish in wishes)
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await bench.SignUp.RequestAsync(Request(wish: wish), null, default));
        }

        QuietHours[] hours = [new(new(7, 0), new(7, 0)), new(new(7, 0), new(5, 1)), new(new(7, 0, 30), new(8, 0))];
        foreach (var quiet in hours)
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await bench.SignUp.RequestAsync(Request(quiet: quiet), null, default));
        }
    }

    [Theory]
    [InlineData(null, "https://hub.example.org", "mail.example.org", true)]
    [InlineData(null, "https://hub.example.org", "", false)]
    [InlineData(null, "", "mail.example.org", false)]
    [InlineData(null, "http://127.0.0.1:8080", "mail.example.org", false)]
    [InlineData("true", "http://127.0.0.1:8080", "", true)]
    [InlineData("false", "https://hub.example.org", "mail.example.org", false)]
    public async Task It_is_offered_where_mails_and_their_links_work_unless_it_is_said_otherwise(string? enabled, string url, string host, bool offered)
    {
        await using var bench = await NotificationsBench.StartAsync([
            ("Hub:PublicUrl", url), ("Hub:Notifications:Mail:Smtp:Host", host), .. enabled is null ? Array.Empty<(string, string)>() : [("Hub:Notifications:SignUp:Enabled", enabled)],
        ]);
        Assert.Equal(offered, bench.SignUp.Offer.Enabled);
        if (!offered)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await bench.SignUp.RequestAsync(Request(), null, default));
        }
    }

    internal static Task<NotificationsBench> StartAsync(params (string Key, string Value)[] settings) => NotificationsBench.StartAsync([("Hub:Notifications:SignUp:Enabled", "true"), .. settings]);

    internal static SignUpRequest Request(string target = "maria@example.org", Wish? wish = null, QuietHours? quiet = null) =>
        new("braga", "Braga", ChannelKind.Mail, target, "pt", wish ?? Everything, quiet, "todas as estações, todos os alarmes");

    /// <summary>Signs somebody up, all the way; returns the token of the preferences.</summary>
    internal static async Task<string> ConfirmedAsync(NotificationsBench bench, SignUpRequest request)
    {
        var (outcome, preferences) = await bench.SignUp.ConfirmAsync(await LinkAsync(bench, request), default);
        Assert.Equal(ConfirmOutcome.Confirmed, outcome);
        return preferences!;
    }

    private static async Task<ConfirmOutcome> TryConfirmAsync(NotificationsBench bench, SignUpRequest request) => (await bench.SignUp.ConfirmAsync(await LinkAsync(bench, request), default)).Outcome;

    private static async Task<string> LinkAsync(NotificationsBench bench, SignUpRequest request)
    {
        HashSet<string> before = [.. Confirmations(bench)];
        await bench.SignUp.RequestAsync(request, null, default);
        await Eventually.TrueAsync(() => Confirmations(bench).Any(token => !before.Contains(token)), "the confirmation mail is there");
        return Confirmations(bench).Single(token => !before.Contains(token));
    }

    private static IEnumerable<string> Confirmations(NotificationsBench bench) =>
        bench.Mails.Where(mail => mail.TextBody!.Contains("/subscribe/confirm", StringComparison.Ordinal)).Select(mail => TokenOf(mail, "/subscribe/confirm"));

    private static string TokenOf(MimeMessage mail, string path) => Link().Matches(mail.TextBody!).Single(match => match.Groups["path"].Value == path).Groups["token"].Value;

    private static Task MailsAsync(NotificationsBench bench, int count) => Eventually.TrueAsync(() => bench.Mails.Count == count, $"there are {count} mails");

    private static async Task<int> CountAsync(NotificationsBench bench)
    {
        await using var db = await bench.Contexts.CreateDbContextAsync();
        return await db.Requests.CountAsync();
    }

    private static async Task<int> DueAsync(NotificationsBench bench)
    {
        await using var db = await bench.Contexts.CreateDbContextAsync();
        return await db.Requests.CountAsync(row => row.NextAt != null);
    }

    [GeneratedRegex(@"https://hub\.example\.org(?<path>/[a-z/]+)\?t=(?<token>[A-Za-z0-9_-]+)")]
    private static partial Regex Link();
}
