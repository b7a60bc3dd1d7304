using System.Text.Json;
using Hub.Cloud.Notifications.Telegram;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed class TelegramTests
{
    private const string Token = "123456789:AAHsecretSECRETsecretSECRETsecret_-0";
    private const string Chat = "-1001234567890";

    [Fact]
    public async Task What_comes_later_about_an_alarm_replies_to_the_first_message()
    {
        await using var api = await WebhookReceiver.StartAsync();
        api.Answer = (number, context) => context.Response.WriteAsJsonAsync(new { ok = true, result = new { message_id = 100 + number, chat = new { id = -1001234567890 } } });
        await using var bench = await StartAsync(api);
        await bench.SubscribeAsync(ChannelKind.Telegram, Chat, "pt");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1") with { StationName = "Rua <b>A</b> & \"B\"" }, default);
        await bench.SettledAsync();
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:corrected:2", NotificationKind.Corrected), default);
        await bench.SettledAsync();
        await bench.StopAsync();
        await bench.StartAsync();
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:ended:3", NotificationKind.Ended), default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("b:started:1") with { Alarm = "another" }, default);
        await bench.SettledAsync();

        Assert.All(api.Requests, request => Assert.Equal($"/bot{Token}/sendMessage", request.Path));
        var sent = api.Requests.Select(request => JsonDocument.Parse(request.Body).RootElement).ToList();
        Assert.Equal([null, 100, 100, null], sent.Select(json => json.TryGetProperty("reply_parameters", out var reply) ? reply.GetProperty("message_id").GetInt64() : (long?)null));
        Assert.All(sent, json => Assert.Equal(Chat, json.GetProperty("chat_id").GetString()));
        Assert.True(sent[1].GetProperty("reply_parameters").GetProperty("allow_sending_without_reply").GetBoolean());
        Assert.Equal([false, true, true, false], sent.Select(json => json.GetProperty("disable_notification").GetBoolean()));
        Assert.Equal("HTML", sent[0].GetProperty("parse_mode").GetString());
        var text = sent[0].GetProperty("text").GetString()!;
        Assert.StartsWith("🟠 <b>Aviso: Ruído noturno, 72,4\u00a0dB</b>\nRuído noturno: 72,4\u00a0dB, acima do limite de 70\u00a0dB.\n\nLocal: Rua &lt;b&gt;A&lt;/b&gt; &amp; &quot;B&quot;, Braga\n", text, StringComparison.Ordinal);
        Assert.Contains("Desde: 4 de maio de 2026, 11:54 (UTC+1)", text, StringComparison.Ordinal);
        Assert.EndsWith("<a href=\"https://hub.example.org/stations/braga/avenida\">Ver a estação</a>", text, StringComparison.Ordinal);
        Assert.Equal("***890", (await bench.LogAsync())[0].Target);
    }

    [Fact]
    public async Task In_another_chat_nothing_is_replied_to()
    {
        await using var api = await WebhookReceiver.StartAsync();
        api.Answer = (_, context) => context.Response.WriteAsJsonAsync(new { ok = true, result = new { message_id = 7 } });
        await using var bench = await StartAsync(api);
        var subscriber = await bench.SubscribeAsync(ChannelKind.Telegram, Chat);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1"), default);
        await bench.SettledAsync();
        await bench.Notifications.SaveAsync(subscriber with { Target = "@braga_alarmes" }, default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:ended:2", NotificationKind.Ended), default);
        await bench.SettledAsync();
        Assert.DoesNotContain("reply_parameters", api.Requests[1].Text, StringComparison.Ordinal);
        Assert.Contains("\"@braga_alarmes\"", api.Requests[1].Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(403, "Forbidden: bot was blocked by the user")]
    [InlineData(403, "Forbidden: bot was kicked from the group chat")]
    [InlineData(400, "Bad Request: chat not found")]
    public async Task Whoever_does_not_want_it_or_is_not_there_is_switched_off(int status, string description)
    {
        await using var api = await WebhookReceiver.StartAsync();
        api.Answer = Failing(status, description);
        await using var bench = await StartAsync(api);
        await bench.SubscribeAsync(ChannelKind.Telegram, "42");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1"), default);
        await bench.SwitchedOffAsync();
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:ended:2", NotificationKind.Ended), default);
        Assert.Equal("dead", Assert.Single(await bench.LogAsync()).State);
        Assert.Equal($"{status} {description}", (await bench.Notifications.SubscribersAsync("braga", default))[0].DisabledBecause);
    }

    [Theory]
    [InlineData(401, "Unauthorized", "waiting")]
    [InlineData(404, "Not Found", "waiting")]
    [InlineData(500, "Internal Server Error", "waiting")]
    [InlineData(400, "Bad Request: not enough rights to send text messages to the chat", "waiting")]
    [InlineData(400, "Bad Request: can't parse entities", "dead")]
    public async Task What_somebody_can_put_right_is_tried_again_and_a_message_it_does_not_take_is_dead(int status, string description, string state)
    {
        await using var api = await WebhookReceiver.StartAsync();
        api.Answer = Failing(status, description);
        await using var bench = await StartAsync(api);
        await bench.SubscribeAsync(ChannelKind.Telegram, "42");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].Attempts == 1, "the first attempt is logged");
        var delivery = (await bench.LogAsync())[0];
        Assert.Equal(state, delivery.State);
        Assert.StartsWith($"{status} {description}", delivery.Answer, StringComparison.Ordinal);
        Assert.Equal(status is 401 or 404, delivery.Answer.EndsWith("see Hub:Notifications:Telegram:Token.", StringComparison.Ordinal));
        Assert.Null((await bench.Notifications.SubscribersAsync("braga", default))[0].DisabledBecause);
    }

    [Fact]
    public async Task The_wait_it_asks_for_is_honoured()
    {
        await using var api = await WebhookReceiver.StartAsync();
        var times = new List<DateTimeOffset>();
        await using var bench = await StartAsync(api);
        api.Answer = (number, context) =>
        {
            times.Add(bench.Time.GetUtcNow());
            context.Response.StatusCode = number == 0 ? 429 : 200;
            return number == 0
                ? context.Response.WriteAsJsonAsync(new { ok = false, error_code = 429, description = "Too Many Requests: retry after 700", parameters = new { retry_after = 700 } })
                : context.Response.WriteAsJsonAsync(new { ok = true, result = new { message_id = 1 } });
        };
        await bench.SubscribeAsync(ChannelKind.Telegram, "42");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].Attempts == 1, "the first attempt is logged");
        await bench.SettledAsync(TimeSpan.FromSeconds(10));
        Assert.InRange(times[1] - times[0], TimeSpan.FromSeconds(700), TimeSpan.FromSeconds(1300));
    }

    [Fact]
    public async Task A_group_that_has_become_a_supergroup_is_followed()
    {
        await using var api = await WebhookReceiver.StartAsync();
        api.Answer = (number, context) =>
        {
            context.Response.StatusCode = number == 0 ? 400 : 200;
            return number == 0
                ? context.Response.WriteAsJsonAsync(new { ok = false, description = "Bad Request: group chat was upgraded to a supergroup chat", parameters = new { migrate_to_chat_id = -100987 } })
                : context.Response.WriteAsJsonAsync(new { ok = true, result = new { message_id = 1 } });
        };
        await using var bench = await StartAsync(api);
        await bench.SubscribeAsync(ChannelKind.Telegram, "-987");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync();
        Assert.Equal(("delivered", 1), ((await bench.LogAsync())[0].State, (await bench.LogAsync())[0].Attempts));
        Assert.Equal(["-987", "-100987"], api.Requests.Select(request => JsonDocument.Parse(request.Body).RootElement.GetProperty("chat_id").GetString()));
    }

    [Fact]
    public async Task The_token_is_in_no_log_and_no_answer_even_when_the_server_repeats_it()
    {
        await using var api = await WebhookReceiver.StartAsync();
        api.Answer = async (number, context) =>
        {
            context.Response.StatusCode = number == 0 ? 502 : 400;
            await context.Response.WriteAsync($"Cannot POST {context.Request.Path} ({Uri.EscapeDataString(Token)}) {new string('x', 390 - Token.Length)}{Token}");
        };
        var lines = new RecordedLog();
        await using var bench = await StartAsync(api, lines);
        await bench.SubscribeAsync(ChannelKind.Telegram, "42");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].Attempts == 1, "the first attempt is logged");
        await bench.SettledAsync(TimeSpan.FromSeconds(2));
        var delivery = Assert.Single(await bench.LogAsync());
        Assert.Equal("dead", delivery.State);
        Assert.StartsWith("400 Bad Request: Cannot POST /bot***/sendMessage (***) xxx", delivery.Answer, StringComparison.Ordinal);
        await bench.StopAsync();
        Assert.Contains(lines.Lines, line => line.Contains("Cannot POST /bot***", StringComparison.Ordinal));
        Assert.DoesNotContain(lines.Lines.Append(delivery.Answer), line => line.Contains("AAHsecret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_is_away_is_no_leak_either()
    {
        var port = FreePort.Next();
        var lines = new RecordedLog();
        await using var bench = await StartAsync($"http://127.0.0.1:{port}/", lines);
        await bench.SubscribeAsync(ChannelKind.Telegram, "42");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].Attempts == 1, "the first attempt is logged");
        var delivery = (await bench.LogAsync())[0];
        Assert.Equal("waiting", delivery.State);
        await bench.StopAsync();
        Assert.DoesNotContain(lines.Lines.Append(delivery.Answer), line => line.Contains("AAHsecret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("+42")]
    [InlineData("1.5")]
    [InlineData("@ab")]
    [InlineData("@braga alarmes")]
    [InlineData("https://t.me/braga")]
    public async Task A_chat_that_cannot_be_is_refused(string chat)
    {
        await using var api = await WebhookReceiver.StartAsync();
        await using var bench = await StartAsync(api);
        var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await bench.SubscribeAsync(ChannelKind.Telegram, chat));
        Assert.Equal("Target", refused.ParamName);
    }

    [Fact]
    public async Task Without_a_token_nobody_can_subscribe()
    {
        await using var bench = await NotificationsBench.StartAsync();
        var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await bench.SubscribeAsync(ChannelKind.Telegram, "42"));
        Assert.Equal("Channel", refused.ParamName);
        Assert.Contains("Hub:Notifications:Telegram:Token", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Token", "secret without a colon")]
    [InlineData("BaseUrl", "http://telegram.example.org")]
    [InlineData("BaseUrl", "telegram")]
    [InlineData("Timeout", "00:00:00")]
    public void A_setting_that_cannot_be_is_refused_by_its_name_and_not_repeated(string key, string value)
    {
        var options = new TelegramOptions { Token = key == "Token" ? value : Token, BaseUrl = key == "BaseUrl" ? value : "https://api.telegram.org" };
        options.Timeout = key == "Timeout" ? TimeSpan.Zero : options.Timeout;
        var fault = Assert.Single(options.Faults());
        Assert.Equal(key, fault.Setting);
        Assert.DoesNotContain(value, fault.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not json")]
    [InlineData("[1]")]
    [InlineData("{\"parameters\":3,\"result\":[],\"description\":{}}")]
    [InlineData("{\"result\":{\"message_id\":\"7\"},\"parameters\":{\"retry_after\":1.5}}")]
    public void An_answer_of_something_else_says_nothing(string text) => Assert.Equal(new TelegramAnswer("", null, null, null), TelegramAnswer.Read(text));

    private static Func<int, HttpContext, Task> Failing(int status, string description) => (_, context) =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new { ok = false, error_code = status, description });
    };

    private static Task<NotificationsBench> StartAsync(WebhookReceiver api, ILoggerProvider? log = null) => StartAsync(api.Root, log);

    private static async Task<NotificationsBench> StartAsync(string address, ILoggerProvider? log)
    {
        var bench = new NotificationsBench { Log = log };
        bench.Settings["Hub:Notifications:Telegram:BaseUrl"] = address;
        bench.Settings["Hub:Notifications:Telegram:Token"] = Token;
        await bench.StartAsync();
        return bench;
    }
}
