using System.Globalization;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>Mail to a server as there are in the world: TLS with a certificate that is checked, and a login.</summary>
public sealed class SecureMailTests : IDisposable
{
    private const int Retries = 10;
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private readonly TempFolder _folder = new();
    private readonly TestAuthority _authority = new();

    public SecureMailTests() => File.WriteAllText(_folder.File("ca.pem"), _authority.Pem);

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("StartTls")]
    [InlineData("Tls")]
    public async Task Mail_goes_over_tls_with_a_login(string security)
    {
        using var certificate = _authority.Issue("127.0.0.1");
        using var server = new SecureMailServer(certificate) { IsImplicit = security == "Tls" };
        await using var bench = await BenchAsync(server.Port, ("Security", security));
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org", "pt");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync(Step);

        var log = Assert.Single(await bench.LogAsync());
        Assert.Equal(("delivered", 1), (log.State, log.Attempts));
        Assert.Equal("maria@example.org", Assert.Single(server.Messages).To.Mailboxes.Single().Address);
        Assert.Equal((1, 0), (server.Logins, server.RefusedLogins));

        // Nothing but the wish for TLS was said in the open.
        Assert.DoesNotContain(server.PlainCommands, line => !line.StartsWith("EHLO", StringComparison.Ordinal) && line != "STARTTLS");
    }

    [Fact]
    public async Task A_wrong_password_is_said_and_tried_again_and_nothing_is_lost_when_it_is_put_right()
    {
        using var certificate = _authority.Issue("127.0.0.1");
        using var server = new SecureMailServer(certificate);
        await using var bench = await BenchAsync(server.Port, ("Password", "wrong"));
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await AttemptsAsync(bench, 2);
        var waiting = Assert.Single(await bench.LogAsync());
        Assert.Equal("waiting", waiting.State);
        Assert.Contains("refused the login of Hub:Notifications:Mail:Smtp:User 'hub'", waiting.Answer, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong\"", waiting.Answer, StringComparison.Ordinal);
        Assert.Equal((0, 0), (server.Logins, server.Messages.Count));

        await bench.StopAsync();
        bench.Settings["Hub:Notifications:Mail:Smtp:Password"] = "correct";
        await bench.StartAsync();
        await bench.SettledAsync(Step);
        Assert.Equal("delivered", Assert.Single(await bench.LogAsync()).State);
        Assert.Single(server.Messages);
    }

    [Fact]
    public async Task A_recipient_refused_for_good_is_given_up_and_one_refused_for_policy_is_not()
    {
        using var certificate = _authority.Issue("127.0.0.1");
        using var server = new SecureMailServer(certificate);
        await using var bench = await BenchAsync(server.Port);
        await bench.SubscribeAsync(ChannelKind.Mail, "nobody@example.org");
        await bench.SubscribeAsync(ChannelKind.Mail, "relay@example.org");
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(
            async () =>
            {
                bench.Pass(Step);
                return (await bench.LogAsync()) is { Count: 3 } log && log.All(delivery => delivery.Attempts >= (delivery.State == "waiting" ? 2 : 1));
            },
            "each has been tried, the waiting one twice");
        var log = (await bench.LogAsync()).ToDictionary(delivery => delivery.Target);
        Assert.Equal(("dead", 1), (log["n***@example.org"].State, log["n***@example.org"].Attempts));
        Assert.StartsWith("550", log["n***@example.org"].Answer, StringComparison.Ordinal);
        Assert.Equal("waiting", log["r***@example.org"].State);
        Assert.Equal(("delivered", 1), (log["m***@example.org"].State, log["m***@example.org"].Attempts));
    }

    [Fact]
    public async Task Without_a_login_set_a_server_that_wants_one_is_tried_again()
    {
        using var certificate = _authority.Issue("127.0.0.1");
        using var server = new SecureMailServer(certificate);
        await using var bench = await BenchAsync(server.Port, ("User", ""));
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await AttemptsAsync(bench, 2);
        Assert.Equal("waiting", Assert.Single(await bench.LogAsync()).State);
    }

    [Theory]
    [InlineData("another authority")]
    [InlineData("another name")]
    [InlineData("no tls")]
    public async Task A_server_that_is_not_the_right_one_gets_neither_password_nor_mail(string what)
    {
        using var other = new TestAuthority();
        using var certificate = (what == "another authority" ? other : _authority).Issue(what == "another name" ? "127.0.0.9" : "127.0.0.1");
        using var server = new SecureMailServer(certificate) { OffersStartTls = what != "no tls" };
        await using var bench = await BenchAsync(server.Port);
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await AttemptsAsync(bench, 2);
        var waiting = Assert.Single(await bench.LogAsync());
        Assert.Equal("waiting", waiting.State);
        Assert.Contains(what == "no tls" ? "STARTTLS" : "The certificate of 127.0.0.1 is not accepted", waiting.Answer, StringComparison.Ordinal);
        Assert.Equal((0, 0, 0), (server.Logins, server.RefusedLogins, server.Messages.Count));
    }

    [Fact]
    public async Task A_server_that_is_away_is_tried_until_it_is_back()
    {
        var port = FreePort.Next();
        await using var bench = await BenchAsync(port);
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await AttemptsAsync(bench, 2);
        Assert.Equal("waiting", Assert.Single(await bench.LogAsync()).State);
        using var certificate = _authority.Issue("127.0.0.1");
        using var server = new SecureMailServer(certificate, port);
        await bench.SettledAsync(Step);
        Assert.Equal("delivered", Assert.Single(await bench.LogAsync()).State);
        Assert.Single(server.Messages);
    }

    [Fact]
    public async Task A_server_that_stays_away_ends_as_dead_with_the_reason()
    {
        await using var bench = await BenchAsync(FreePort.Next());
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync(Step);
        var dead = Assert.Single(await bench.LogAsync());
        Assert.Equal(("dead", Retries + 1), (dead.State, dead.Attempts));
        Assert.NotEmpty(dead.Answer);
    }

    private static Task AttemptsAsync(NotificationsBench bench, int count) => Eventually.TrueAsync(
        async () =>
        {
            bench.Pass(Step);
            return (await bench.LogAsync()) is [var delivery] && delivery.Attempts >= count;
        },
        $"it was tried {count} times");

    private Task<NotificationsBench> BenchAsync(int port, params (string Key, string Value)[] smtp)
    {
        (string, string)[] standard =
        [
            ("Host", "127.0.0.1"), ("Port", port.ToString(CultureInfo.InvariantCulture)), ("Security", "StartTls"), ("User", "hub"), ("Password", "correct"),
            ("CertificateAuthorityFile", _folder.File("ca.pem")),
        ];
        return NotificationsBench.StartAsync(
        [
            .. standard.Concat(smtp).Select(pair => ($"Hub:Notifications:Mail:Smtp:{pair.Item1}", pair.Item2)),
            .. Enumerable.Range(0, Retries).Select(i => ($"Hub:Notifications:RetryDelays:{i.ToString(CultureInfo.InvariantCulture)}", "00:00:01")),
        ]);
    }
}
