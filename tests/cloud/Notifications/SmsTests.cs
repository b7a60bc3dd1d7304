using System.Collections.Concurrent;
using System.Text.Json;
using Hub.Cloud.Notifications.Sms;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed class SmsTests
{
    private const string Maria = "+351912345678";

    private static readonly DateTime Long = new(2026, 1, 31, 23, 30, 0, DateTimeKind.Utc);

    [Fact]
    public async Task The_gateway_gets_JSON_with_everything_escaped_and_one_key_over_all_attempts()
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        gateway.Answer = Answering(503, 202);
        await using var bench = await StartAsync(
            gateway, ("Body", """{"recipient":"{to}","from":"{from}","ref":"{key}","message":{"text":"{text}"}}"""), ("From", "Câmara \"B\""), ("Secret", "s3cret!"), ("Headers:Authorization", "Bearer {secret}"));
        await bench.SubscribeAsync(ChannelKind.Sms, Maria, "pt");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message() with { StationName = "Rua \"da\" {key} \\ Sé" }, default);
        await bench.SettledAsync(TimeSpan.FromSeconds(2));

        var log = Assert.Single(await bench.LogAsync());
        Assert.Equal(("delivered", 2, "202 Accepted", "+351***78"), (log.State, log.Attempts, log.Answer, log.Target));
        Assert.Equal(2, gateway.Requests.Count);
        var request = gateway.Requests[0];
        Assert.Equal(("POST", "application/json", "Bearer s3cret!"), (request.Method, request.Headers["Content-Type"], request.Headers["Authorization"]));
        Assert.Single(gateway.Requests.Select(sent => sent.Headers["Idempotency-Key"]).Distinct());
        Assert.Equal(gateway.Requests[0].Text, gateway.Requests[1].Text);
        using var body = JsonDocument.Parse(request.Body);
        Assert.Equal(Maria, body.RootElement.GetProperty("recipient").GetString());
        Assert.Equal("Câmara \"B\"", body.RootElement.GetProperty("from").GetString());
        Assert.Equal(request.Headers["Idempotency-Key"], body.RootElement.GetProperty("ref").GetString());
        Assert.Equal(
            "Aviso: Ruído noturno, 72,4\u00a0dB, limite 70\u00a0dB. Rua \"da\" {key} \\ Sé, Braga. Desde 04/05 11:54 (UTC+1).",
            body.RootElement.GetProperty("message").GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_form_is_percent_encoded_and_the_header_of_the_key_has_the_name_of_the_settings()
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        await using var bench = await StartAsync(
            gateway, ("ContentType", "application/x-www-form-urlencoded"), ("Body", "to={toDigits}&text={text}&user=hub&password={secret}"), ("Secret", "a&b=c"), ("IdempotencyHeader", "X-Request-Id"));
        await bench.SubscribeAsync(ChannelKind.Sms, Maria);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message() with { StationName = "Câmara & Filhos = 100% +" }, default);
        await bench.SettledAsync();
        var request = Assert.Single(gateway.Requests);
        var form = QueryHelpers.ParseQuery(request.Text);
        Assert.Equal("351912345678", form["to"]);
        Assert.Equal("a&b=c", form["password"]);
        Assert.Contains("Câmara & Filhos = 100% +", form["text"].ToString(), StringComparison.Ordinal);
        Assert.Equal(32, request.Headers["X-Request-Id"].Length);
        Assert.False(request.Headers.ContainsKey("Idempotency-Key"));
    }

    [Fact]
    public async Task A_gateway_that_wants_it_all_in_the_address_gets_it_there()
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        await using var bench = await StartAsync(gateway, ("Method", "GET"), ("Url", gateway.Root + "/send?to={to}&text={text}"));
        await bench.SubscribeAsync(ChannelKind.Sms, Maria);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync();
        var request = Assert.Single(gateway.Requests);
        Assert.Equal(("GET", "/send", 0), (request.Method, request.Path, request.Body.Length));
        Assert.Equal(Maria, QueryHelpers.ParseQuery(request.Query)["to"]);
    }

    [Theory]
    [InlineData(400, "dead", 1)]
    [InlineData(401, "dead", 1)]
    [InlineData(404, "dead", 1)]
    [InlineData(422, "dead", 1)]
    [InlineData(302, "delivered", 2)]
    [InlineData(408, "delivered", 2)]
    [InlineData(425, "delivered", 2)]
    [InlineData(429, "delivered", 2)]
    [InlineData(500, "delivered", 2)]
    [InlineData(503, "delivered", 2)]
    public async Task What_the_gateway_refuses_for_good_is_dead_at_once_and_everything_else_is_tried_again(int status, string state, int attempts)
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        gateway.Answer = Answering(status, 200);
        await using var bench = await StartAsync(gateway);
        await bench.SubscribeAsync(ChannelKind.Sms, Maria);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync(TimeSpan.FromSeconds(2));
        var delivery = Assert.Single(await bench.LogAsync());
        Assert.Equal((state, attempts), (delivery.State, delivery.Attempts));
    }

    [Fact]
    public async Task Retry_After_is_honoured()
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        var times = new ConcurrentQueue<DateTimeOffset>();
        await using var bench = await StartAsync(gateway);
        gateway.Answer = (number, context) =>
        {
            times.Enqueue(bench.Time.GetUtcNow());
            context.Response.StatusCode = number == 0 ? 429 : 200;
            context.Response.Headers.RetryAfter = "600";
            return Task.CompletedTask;
        };
        await bench.SubscribeAsync(ChannelKind.Sms, Maria);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].Attempts == 1, "the first attempt is logged");
        await bench.SettledAsync(TimeSpan.FromSeconds(10));
        Assert.InRange(times.Last() - times.First(), TimeSpan.FromSeconds(600), TimeSpan.FromSeconds(1200));
    }

    [Fact]
    public async Task Neither_number_nor_secret_is_in_the_log_when_the_gateway_repeats_them()
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        gateway.Answer = async (_, context) =>
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("invalid recipient 351912345678 for key s3cret! (s3cret%21)");
        };
        var lines = new RecordedLog();
        await using var bench = await StartAsync(gateway, lines, ("Secret", "s3cret!"));
        await bench.SubscribeAsync(ChannelKind.Sms, Maria);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync();
        Assert.Equal("400 Bad Request: invalid recipient *** for key *** (***)", Assert.Single(await bench.LogAsync()).Answer);

        // The line is written after the row: a worker that was stopped has written it.
        await bench.StopAsync();
        Assert.Contains(lines.Lines, line => line.Contains("invalid recipient ***", StringComparison.Ordinal));
        Assert.DoesNotContain(lines.Lines, line => line.Contains("912345678", StringComparison.Ordinal) || line.Contains("s3cret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_gateway_nobody_can_subscribe_and_what_was_waiting_waits_on()
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        await using var bench = await StartAsync(gateway);
        await bench.SubscribeAsync(ChannelKind.Sms, Maria);
        await bench.StopAsync();
        bench.Settings["Hub:Notifications:Sms:Url"] = "";
        await bench.StartAsync();
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].Attempts == 1, "the first attempt is logged");
        Assert.Equal("Hub:Notifications:Sms:Url is not set.", (await bench.LogAsync())[0].Answer);
        var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await bench.SubscribeAsync(ChannelKind.Sms, Maria));
        Assert.Equal("Channel", refused.ParamName);
        Assert.Contains("Hub:Notifications:Sms:Url", refused.Message, StringComparison.Ordinal);
        Assert.Empty(gateway.Requests);
    }

    [Fact]
    public async Task A_gateway_at_a_private_address_is_refused_unless_allowed()
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        await using var bench = await StartAsync(gateway, ("Url", "https://localhost:1/"), ("AllowPrivateTargets", "false"));
        await bench.SubscribeAsync(ChannelKind.Sms, Maria);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync();
        var delivery = Assert.Single(await bench.LogAsync());
        Assert.Equal("dead", delivery.State);
        Assert.Contains("Hub:Notifications:Sms:AllowPrivateTargets allows it", delivery.Answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("912345678")]
    [InlineData("00351912345678")]
    [InlineData("+0351912345678")]
    [InlineData("+351 912 345 678")]
    [InlineData("+35191234567890123")]
    [InlineData("+351912345678\n")]
    [InlineData("+٣٥١٩١٢٣٤٥٦٧٨")]
    public async Task A_number_that_is_not_E164_is_refused(string number)
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        await using var bench = await StartAsync(gateway);
        var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await bench.SubscribeAsync(ChannelKind.Sms, number));
        Assert.Equal("Target", refused.ParamName);
        Assert.Contains("+351912345678", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Url", "sms.example.org")]
    [InlineData("Url", "http://sms.example.org/")]
    [InlineData("Method", "DELETE")]
    [InlineData("ContentType", "text/xml")]
    [InlineData("Body", """{"to":"{to}","text":{text}}""")]
    [InlineData("Body", """{"to":"{to}","text":"{text}","x":"{nothing}"}""")]
    [InlineData("Body", """{"to":"{to}"}""")]
    [InlineData("Body", """{"text":"{text}"}""")]
    [InlineData("Headers:Content-Type", "text/plain")]
    [InlineData("Headers:X-Text", "{text}")]
    [InlineData("Headers:X-From", "Câmara")]
    [InlineData("Headers:Not a header", "x")]
    [InlineData("IdempotencyHeader", "not a header")]
    [InlineData("Timeout", "00:02:00")]
    [InlineData("From", "a\r\nb")]
    public void A_setting_that_cannot_be_is_refused_by_its_name(string key, string value)
    {
        var options = new SmsOptions { Url = key == "Url" ? value : "https://sms.example.org/send" };
        switch (key)
        {
            case "Method": options.Method = value; break;
            case "ContentType": options.ContentType = value; break;
            case "Body": options.Body = value; break;
            case "IdempotencyHeader": options.IdempotencyHeader = value; break;
            case "Timeout": options.Timeout = TimeSpan.Parse(value, System.Globalization.CultureInfo.InvariantCulture); break;
            case "From": options.From = value; break;
            case "Url": break;
            default: options.Headers[key["Headers:".Length..]] = value; break;
        }

        Assert.Equal(key, Assert.Single(options.Faults()).Setting);
    }

    [Fact]
    public void The_defaults_are_right() => Assert.Empty(new SmsOptions { Url = "https://sms.example.org/send" }.Faults().Concat(new SmsOptions().Faults()));

    [Theory]
    [InlineData("started", "pt", "Aviso: Ruído noturno, 72,4\u00a0dB, limite 70\u00a0dB. Avenida Central, Braga. Desde 04/05 11:54 (UTC+1).", 2)]
    [InlineData("started", "en", "Warning: Night noise, 72.4 dB, limit 70 dB. Avenida Central, Braga. Since 4 May 11:54 (UTC+1).", 1)]
    [InlineData("ended", "pt", "Terminou: Ruído noturno, 63,3\u00a0dB, limite para terminar 65\u00a0dB. Avenida Central, Braga. De 04/05 11:54 (UTC+1) a 04/05 13:16 (UTC+1).", 2)]
    [InlineData("past", "en", "Already over: Night noise, highest 80.1 dB, limit 70 dB. Avenida Central, Braga. From 4 May 11:54 (UTC+1) to 4 May 13:16 (UTC+1). No emergency: it is over.", 1)]
    [InlineData("stopped", "en", "Late data: Night noise, highest 80.1 dB, limit 70 dB. Avenida Central, Braga. Since 4 May 11:54 (UTC+1). No emergency: old data; whether it goes on is not known.", 2)]
    [InlineData("corrected", "en", "Correction: Night noise, highest 80.1 dB, limit 70 dB. Avenida Central, Braga. Since 4 May 11:54 (UTC+1). Still active.", 1)]
    [InlineData("withdrawn", "en", "Withdrawn: Night noise. Avenida Central, Braga. Reported start: 4 May 11:54 (UTC+1).", 1)]
    public void The_text_says_what_how_much_where_and_since_when(string name, string language, string expected, int parts)
    {
        var message = name switch
        {
            "started" => NotificationsBench.Message(),
            "ended" => NotificationsBench.Message(kind: NotificationKind.Ended),
            "past" => NotificationsBench.Message(kind: NotificationKind.Past),
            "stopped" => NotificationsBench.Message(kind: NotificationKind.Past) with { EndedAt = null },
            "corrected" => NotificationsBench.Message(kind: NotificationKind.Corrected),
            _ => NotificationsBench.Message(kind: NotificationKind.Corrected) with { Withdrawn = true },
        };
        var text = SmsText.Write(message, language, unaccented: false);
        Assert.Equal(expected, text);
        Assert.Equal(parts, Gsm7.PartsOf(text));
    }

    [Fact]
    public void Without_accents_a_Portuguese_message_is_one_part()
    {
        var text = SmsText.Write(NotificationsBench.Message() with { StationName = "Praça São João, n.º 3", Unit = "µg/m³" }, "pt", unaccented: true);
        Assert.Equal("Aviso: Ruido noturno, 72,4 ug/m3, limite 70 ug/m3. Praca Sao Joao, n.o 3, Braga. Desde 04/05 11:54 (UTC+1).", text);
        Assert.Equal(1, Gsm7.PartsOf(text));
    }

    [Theory]
    [InlineData("pt", false)]
    [InlineData("pt", true)]
    [InlineData("en", false)]
    public void The_longest_names_are_cut_before_a_figure_is_and_three_parts_are_never_passed(string language, bool unaccented)
    {
        var name = string.Concat(Enumerable.Repeat("Ação ímpar 🏙", 20))[..200];
        foreach (var kind in Enum.GetValues<NotificationKind>())
        {
            var message = NotificationsBench.Message(kind: kind) with
            {
                RuleNamePt = name, RuleNameEn = name, StationName = name, MunicipalityName = name, ConditionAt = Long, EndedAt = kind == NotificationKind.Started ? null : Long.AddDays(2), Unit = "µg/m³",
            };
            var text = SmsText.Write(message, language, unaccented);
            Assert.InRange(Gsm7.PartsOf(text), 1, SmsText.PartsMax);
            Assert.Contains(language == "pt" ? "31/01 23:30 (UTC)" : "31 Jan 23:30 (UTC)", text, StringComparison.Ordinal);
            Assert.DoesNotContain(text.EnumerateRunes(), rune => rune.Value == 0xFFFD);
        }
    }

    [Theory]
    [InlineData(160, "a", 1)]
    [InlineData(161, "a", 2)]
    [InlineData(306, "a", 2)]
    [InlineData(307, "a", 3)]
    [InlineData(80, "€", 1)]
    [InlineData(81, "€", 2)]
    [InlineData(152, "€", 2)]
    [InlineData(153, "€", 3)]
    [InlineData(70, "ã", 1)]
    [InlineData(71, "ã", 2)]
    [InlineData(134, "ã", 2)]
    [InlineData(135, "ã", 3)]
    [InlineData(35, "🏙", 1)]
    [InlineData(36, "🏙", 2)]
    [InlineData(66, "🏙", 2)]
    [InlineData(67, "🏙", 3)]
    public void Parts_are_counted_as_the_network_does(int count, string letter, int parts) => Assert.Equal(parts, Gsm7.PartsOf(string.Concat(Enumerable.Repeat(letter, count))));

    internal static Func<int, HttpContext, Task> Answering(params int[] statuses) => (number, context) =>
    {
        context.Response.StatusCode = statuses[Math.Min(number, statuses.Length - 1)];
        return Task.CompletedTask;
    };

    private static Task<NotificationsBench> StartAsync(WebhookReceiver gateway, params (string Key, string Value)[] settings) => StartAsync(gateway, null, settings);

    private static async Task<NotificationsBench> StartAsync(WebhookReceiver gateway, ILoggerProvider? log, params (string Key, string Value)[] settings)
    {
        var bench = new NotificationsBench { Log = log };
        bench.Settings["Hub:Notifications:Sms:Url"] = gateway.Root + "/sms";
        bench.Settings["Hub:Notifications:Sms:AllowPrivateTargets"] = "true";
        foreach (var (key, value) in settings)
        {
            bench.Settings[$"Hub:Notifications:Sms:{key}"] = value;
        }

        await bench.StartAsync();
        return bench;
    }
}

/// <summary>Keeps every log line, its exception included.</summary>
internal sealed class RecordedLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> lines = new();

    public IReadOnlyList<string> Lines => [.. lines];

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => lines.Enqueue($"{formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
