using System.Net;
using System.Net.Sockets;
using System.Text;
using Hub.Cloud.Notifications.Mail;
using Hub.Tests.Kit;
using MimeKit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed class MailTests
{
    private const string Link = "https://hub.example.org/stations/braga/avenida";

    public static TheoryData<string, string> Goldens
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var name in new[] { "started", "ended", "past", "stopped", "corrected", "withdrawn", "below" })
            {
                data.Add(name, "pt");
                data.Add(name, "en");
            }

            return data;
        }
    }

    /// <summary>The mails as people read them: golden/{name}.{language}.txt. Change the file only after reading it aloud.</summary>
    [Theory]
    [MemberData(nameof(Goldens))]
    public async Task The_text_is_the_one_in_the_golden_file(string name, string language)
    {
        var (subject, text, _) = MailText.Write(MessageOf(name), language, Link);
        var written = $"{subject}\n\n{text}";
        var file = Path.Combine(AppContext.BaseDirectory, "golden", $"{name}.{language}.txt");
        Assert.True(File.Exists(file), $"{file} is missing; it would be:\n{written}");
        Assert.Equal(await File.ReadAllTextAsync(file), written);
    }

    [Fact]
    public void Html_says_the_same_and_lets_no_name_in_as_markup()
    {
        var message = NotificationsBench.Message() with { StationName = "<script>alert(1)</script> & Filhos" };
        var (_, _, html) = MailText.Write(message, "pt", Link);
        Assert.DoesNotContain("<script>", html, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;", html, StringComparison.Ordinal);
        Assert.Contains("<html lang=\"pt-PT\">", html, StringComparison.Ordinal);
        Assert.Contains($"href=\"{Link}\"", html, StringComparison.Ordinal);
        Assert.Contains("72,4", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_mail_to_an_operator_that_an_alarm_has_started_carries_the_link_to_acknowledge_it()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org", "pt");
        await bench.SubscribeAsync(ChannelKind.Mail, "ana@cm-braga.pt", "pt");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1"), default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:ended:2", NotificationKind.Ended), default);
        await bench.SettledAsync();
        var mails = Directory.GetFiles(bench.MailFolder).Select(file => MimeMessage.Load(file)).ToList();
        Assert.Equal(4, mails.Count);
        var with = Assert.Single(mails, mail => mail.TextBody!.Contains("/alarms/acknowledge", StringComparison.Ordinal));
        Assert.Equal("ana@cm-braga.pt", with.To.Mailboxes.Single().Address);
        Assert.Contains("Reconhecer o alarme: https://hub.example.org/alarms/acknowledge?token=A&B\n", with.TextBody!.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("href=\"https://hub.example.org/alarms/acknowledge?token=A&amp;B\"", with.HtmlBody!, StringComparison.Ordinal);
        Assert.StartsWith("Aviso", with.Subject, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_server_mail_is_picked_up_from_a_folder_in_one_thread_and_once()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org", "pt");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1", severity: Severity.Alert), default);
        await bench.SettledAsync();
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:corrected:2", NotificationKind.Corrected), default);
        await bench.SettledAsync();
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:ended:3", NotificationKind.Ended), default);
        await bench.SettledAsync();

        var files = Directory.GetFiles(bench.MailFolder);
        Assert.Equal(3, files.Length);
        Assert.All(files, file => Assert.EndsWith(".eml", file, StringComparison.Ordinal));
        var mails = files.Select(file => MimeMessage.Load(file)).ToDictionary(mail => mail.Subject!.Split(' ')[0]);
        var (started, corrected, ended) = (mails["Alerta:"], mails["Correção:"], mails["Terminou:"]);
        Assert.Equal("maria@example.org", started.To.Mailboxes.Single().Address);
        Assert.Equal("hub@localhost", started.From.Mailboxes.Single().Address);
        Assert.Equal("Alerta: Ruído noturno, 72,4\u00a0dB – Avenida Central, Braga", started.Subject);
        Assert.Null(started.InReplyTo);
        Assert.Equal(MessageImportance.High, started.Importance);
        Assert.Equal(MessageImportance.Normal, ended.Importance);
        Assert.Equal([started.MessageId!], corrected.References);
        Assert.Equal([started.MessageId!, corrected.MessageId!], ended.References);
        Assert.Equal(corrected.MessageId, ended.InReplyTo);
        Assert.Equal("auto-generated", ended.Headers[HeaderId.AutoSubmitted]);
        Assert.Contains("63,3\u00a0dB", ended.TextBody, StringComparison.Ordinal);
        Assert.Contains(Link, ended.TextBody, StringComparison.Ordinal);
        Assert.Contains("<html lang=\"pt-PT\">", ended.HtmlBody, StringComparison.Ordinal);
        Assert.Equal("m***@example.org", (await bench.LogAsync())[0].Target);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_tried_again()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await File.WriteAllTextAsync(bench.MailFolder, "in the way");
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].Attempts == 1, "the first attempt failed");
        File.Delete(bench.MailFolder);
        await bench.SettledAsync(TimeSpan.FromSeconds(1));
        Assert.Equal("delivered", (await bench.LogAsync())[0].State);
        Assert.Single(Directory.GetFiles(bench.MailFolder));
    }

    [Fact]
    public async Task A_mail_server_gets_the_mail_after_it_was_busy_and_a_refused_recipient_is_given_up()
    {
        using var server = new SmtpServer();
        await using var bench = await NotificationsBench.StartAsync(
            ("Hub:Notifications:Mail:Smtp:Host", "127.0.0.1"), ("Hub:Notifications:Mail:Smtp:Port", server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ("Hub:Notifications:Mail:Smtp:Security", "None"), ("Hub:Notifications:Mail:From", "Câmara de Braga <alarmes@braga.example>"));
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org", "pt");
        await bench.SubscribeAsync(ChannelKind.Mail, "nobody@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync(TimeSpan.FromSeconds(1));

        var log = await bench.LogAsync();
        var (nobody, maria) = (log[0], log[1]);
        Assert.Equal(("delivered", 2), (maria.State, maria.Attempts));
        Assert.Equal(("dead", 1), (nobody.State, nobody.Attempts));
        Assert.StartsWith("550", nobody.Answer, StringComparison.Ordinal);
        var mail = Assert.Single(server.Messages);
        Assert.Equal("maria@example.org", mail.To.Mailboxes.Single().Address);
        Assert.EndsWith("@braga.example", mail.MessageId, StringComparison.Ordinal);
    }

    private static AlarmMessage MessageOf(string name) => name switch
    {
        "started" => NotificationsBench.Message(),
        "ended" => NotificationsBench.Message(kind: NotificationKind.Ended),
        "past" => NotificationsBench.Message(kind: NotificationKind.Past),
        "stopped" => NotificationsBench.Message(kind: NotificationKind.Past) with { EndedAt = null },
        "corrected" => NotificationsBench.Message(kind: NotificationKind.Corrected),
        "withdrawn" => NotificationsBench.Message(kind: NotificationKind.Corrected) with { Withdrawn = true },
        _ => NotificationsBench.Message(severity: Severity.Information) with
        {
            Property = "battery", Unit = "V", RuleNamePt = "Bateria fraca", RuleNameEn = "Low battery", Value = 11.48, Limit = 11.5, Peak = 11.48,
            ConditionAt = new DateTime(2026, 1, 31, 23, 30, 0, DateTimeKind.Utc),
        },
    };

    /// <summary>As much of a mail server as one client needs (RFC 5321): maria@... is refused for now once, and nobody@... for good.</summary>
    private sealed class SmtpServer : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly List<MimeMessage> messages = [];
        private int recipients;

        public SmtpServer()
        {
            listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        public IReadOnlyList<MimeMessage> Messages
        {
            get
            {
                lock (messages)
                {
                    return [.. messages];
                }
            }
        }

        public void Dispose() => listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var client = await listener.AcceptTcpClientAsync();
                    _ = ServeAsync(client);
                }
            }
            catch (Exception exception) when (exception is InvalidOperationException or SocketException)
            {
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            using (client)
            {
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.Latin1);
                await using var writer = new StreamWriter(stream, Encoding.ASCII) { NewLine = "\r\n", AutoFlush = true };
                await writer.WriteLineAsync("220 test");
                while (await reader.ReadLineAsync() is { } line)
                {
                    if (line == "DATA")
                    {
                        await writer.WriteLineAsync("354 go on");
                        await KeepAsync(reader);
                    }

                    var busy = line.StartsWith("RCPT", StringComparison.Ordinal) && line.Contains("maria", StringComparison.Ordinal) && Interlocked.Increment(ref recipients) == 1;
                    var refused = line.StartsWith("RCPT", StringComparison.Ordinal) && line.Contains("nobody", StringComparison.Ordinal);
                    await writer.WriteLineAsync(line == "QUIT" ? "221 bye" : busy ? "451 busy" : refused ? "550 no such user" : "250 ok");
                }
            }
        }

        private async Task KeepAsync(StreamReader reader)
        {
            using var content = new MemoryStream();
            while (await reader.ReadLineAsync() is { } line && line != ".")
            {
                content.Write(Encoding.Latin1.GetBytes((line.StartsWith('.') ? line[1..] : line) + "\r\n"));
            }

            content.Position = 0;
            lock (messages)
            {
                messages.Add(MimeMessage.Load(content));
            }
        }
    }
}
