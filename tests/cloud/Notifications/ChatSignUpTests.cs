using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Hub.Cloud.Notifications.SignUp;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>Signing up for messages of the Telegram bot: confirmed, changed and ended from the chat.</summary>
public sealed class ChatSignUpTests
{
    private const string Token = "123456789:AAHsecretSECRETsecretSECRETsecret_-0";

    private static readonly SignUpRequest Asked = SignUpTests.Request("") with { Channel = ChannelKind.Telegram };

    [Fact]
    public async Task The_link_opens_a_chat_start_confirms_it_and_stop_deletes_everything()
    {
        await using var api = await BotApi.StartAsync();
        await using var bench = await StartAsync(api);
        var link = await bench.SignUp.RequestChatAsync(Asked, null, default);
        Assert.StartsWith("https://t.me/braga_alertas_bot?start=", link, StringComparison.Ordinal);
        var token = link!["https://t.me/braga_alertas_bot?start=".Length..];

        // Telegram hands over at most 64 of these characters.
        Assert.Matches("^[A-Za-z0-9_-]{1,64}$", token);
        Assert.Empty(bench.Mails);
        Assert.Equal((ConfirmOutcome.Unknown, null), await bench.SignUp.ConfirmAsync(token, default));

        Assert.StartsWith("Confirmado: os alertas chegam a esta conversa.", await api.WriteAsync(42, $"/start {token}"), StringComparison.Ordinal);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1"), default);
        await bench.SettledAsync();
        var delivery = Assert.Single(await bench.LogAsync());
        Assert.Equal((ChannelKind.Telegram, "delivered"), (delivery.Channel, delivery.State));
        Assert.Contains("Ruído noturno", api.SaidTo(42)[^1], StringComparison.Ordinal);

        var settings = await api.WriteAsync(42, "/settings@braga_alertas_bot");
        var preferences = settings[(settings.IndexOf("?t=", StringComparison.Ordinal) + 3)..];
        Assert.Contains("https://hub.example.org/subscriptions?t=", settings, StringComparison.Ordinal);
        var kept = await bench.SignUp.FindPreferencesAsync(preferences, default);
        Assert.Equal((ChannelKind.Telegram, "42", 1), (kept!.Channel, kept.Target, kept.Subscriptions.Count));

        // What comes again after a crash, and what somebody else was told, confirms nothing more.
        Assert.StartsWith("Já está", await api.WriteAsync(42, $"/start {token}"), StringComparison.Ordinal);
        Assert.StartsWith("Esta ligação já não é válida.", await api.WriteAsync(43, $"/start {token}"), StringComparison.Ordinal);

        Assert.StartsWith("Feito:", await api.WriteAsync(42, "/stop"), StringComparison.Ordinal);
        Assert.StartsWith("Nesta conversa não há alertas.", await api.WriteAsync(42, "/stop"), StringComparison.Ordinal);
        Assert.Null(await bench.SignUp.FindPreferencesAsync(preferences, default));
        await using var db = await bench.Contexts.CreateDbContextAsync();
        Assert.Equal((0, 0, 0), (await db.Subscribers.CountAsync(), await db.Requests.CountAsync(), await db.Deliveries.CountAsync(row => row.TargetMasked != "")));
    }

    [Fact]
    public async Task Whatever_else_is_written_is_answered_in_the_language_of_who_wrote_and_groups_and_pictures_are_passed_over()
    {
        await using var api = await BotApi.StartAsync();
        await using var bench = await StartAsync(api);
        api.Bring("""{"message":{"chat":{"id":-100,"type":"group"},"text":"/start x"}}""");
        api.Bring("""{"message":{"chat":{"id":7,"type":"private"},"photo":[]}}""");
        api.Bring("""{"message":{"chat":{"id":"seven","type":"private"},"text":"/stop"}}""");
        api.Bring("""{"edited_message":{}}""");
        api.Bring("""[]""");
        Assert.StartsWith("There are no alerts in this chat. Choose which ones to get: https://hub.example.org/subscribe", await api.WriteAsync(7, "hello", "en"), StringComparison.Ordinal);
        Assert.StartsWith("Nesta conversa não há alertas.", await api.WriteAsync(8, new string('x', 150), "pt-br"), StringComparison.Ordinal);
        Assert.StartsWith("This link does not work any more.", await api.WriteAsync(7, "/start nonsense", "de"), StringComparison.Ordinal);
        Assert.Empty(api.SaidTo(-100));
        Assert.Equal(2, api.SaidTo(7).Count);
    }

    [Fact]
    public async Task While_Telegram_is_away_it_is_not_offered_and_then_it_is()
    {
        await using var api = await BotApi.StartAsync();
        api.IsAway = true;
        var log = new RecordedLog();
        await using var bench = await StartAsync(api, log);
        await Eventually.TrueAsync(() => log.Lines.Any(line => line.Contains("could not be heard", StringComparison.Ordinal)), "it says so");
        Assert.Equal([ChannelKind.Mail], bench.SignUp.Channels);
        Assert.Equal("Channel", (await Assert.ThrowsAsync<ArgumentException>(async () => await bench.SignUp.RequestChatAsync(Asked, null, default))).ParamName);
        api.IsAway = false;
        await Eventually.TrueAsync(
            () =>
            {
                bench.Time.Advance(TimeSpan.FromSeconds(1));
                return bench.SignUp.Channels.Count == 2;
            },
            "it is offered");
        Assert.DoesNotContain(log.Lines, line => line.Contains("AAHsecret", StringComparison.Ordinal));
        Assert.NotNull(await bench.SignUp.RequestChatAsync(Asked, null, default));
    }

    [Fact]
    public async Task A_message_that_was_not_dealt_with_comes_again_and_none_is_lost()
    {
        await using var api = await BotApi.StartAsync();
        await using var bench = await StartAsync(api);
        var token = (await bench.SignUp.RequestChatAsync(Asked, null, default))!.Split('=')[1];
        await bench.StopAsync();
        api.Write(42, $"/start {token}");
        await bench.StartAsync();
        await Eventually.TrueAsync(() => api.SaidTo(42).Count == 1, "what was written meanwhile is answered");
        Assert.StartsWith("Confirmado", api.SaidTo(42)[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_it_is_not_offered_any_more_people_can_still_leave()
    {
        await using var api = await BotApi.StartAsync();
        await using var bench = await StartAsync(api);
        var token = (await bench.SignUp.RequestChatAsync(Asked, null, default))!.Split('=')[1];
        await api.WriteAsync(42, $"/start {token}");
        await bench.StopAsync();
        bench.Settings["Hub:Notifications:SignUp:Enabled"] = "false";
        await bench.StartAsync();
        Assert.StartsWith("Feito:", await api.WriteAsync(42, "/stop"), StringComparison.Ordinal);
        await bench.StopAsync();

        // And where there is nobody, nobody listens.
        api.Write(42, "/stop");
        await bench.StartAsync();
        await bench.Door.ExecuteTask!;
        Assert.Equal(2, api.SaidTo(42).Count);
    }

    [Fact]
    public async Task One_source_asks_so_often_and_a_request_nobody_opens_is_forgotten()
    {
        await using var api = await BotApi.StartAsync();
        await using var bench = await StartAsync(api);
        var source = IPAddress.Parse("192.0.2.1");
        for (var time = 0; time < 10; time++)
        {
            Assert.NotNull(await bench.SignUp.RequestChatAsync(Asked, source, default));
        }

        Assert.Null(await bench.SignUp.RequestChatAsync(Asked, source, default));
        bench.Time.Advance(TimeSpan.FromHours(48));
        await Eventually.TrueAsync(
            async () =>
            {
                await using var db = await bench.Contexts.CreateDbContextAsync();
                return !await db.Requests.AnyAsync();
            },
            "the requests are gone");
    }

    [Fact]
    public async Task A_storm_is_one_digest_there_as_well()
    {
        await using var api = await BotApi.StartAsync();
        await using var bench = await StartAsync(api);
        var token = (await bench.SignUp.RequestChatAsync(Asked with { Language = "en" }, null, default))!.Split('=')[1];
        await api.WriteAsync(42, $"/start {token}");
        for (var i = 0; i < 25; i++)
        {
            await bench.Notifications.EnqueueAsync(NotificationsBench.Message($"{i}:started:1") with { Alarm = $"alarm-{i}" }, default);
        }

        await bench.SettledAsync(TimeSpan.FromMinutes(1));
        var digest = Assert.Single(api.SaidTo(42), text => text.StartsWith("<b>Summary: ", StringComparison.Ordinal));
        Assert.Contains("• Warning: Night noise", digest, StringComparison.Ordinal);
    }

    private static async Task<NotificationsBench> StartAsync(BotApi api, RecordedLog? log = null)
    {
        var bench = new NotificationsBench { Log = log };
        bench.Settings["Hub:Notifications:SignUp:Enabled"] = "true";
        bench.Settings["Hub:Notifications:Telegram:BaseUrl"] = api.Root;
        bench.Settings["Hub:Notifications:Telegram:Token"] = Token;
        await bench.StartAsync();
        if (!api.IsAway)
        {
            await Eventually.TrueAsync(() => bench.SignUp.Channels.Contains(ChannelKind.Telegram), "the bot's name is known");
        }

        return bench;
    }

    /// <summary>A Bot API server: keeps what was written until it has been acknowledged by asking for what comes after it, and takes what the bot says.</summary>
    private sealed class BotApi : IAsyncDisposable
    {
        private readonly WebhookReceiver server;
        private readonly ConcurrentQueue<(long Number, string Json)> updates = new();
        private readonly ConcurrentQueue<(string Chat, string Text)> said = new();
        private volatile TaskCompletionSource news = New();
        private long numbers;
        private long asked;

        private BotApi(WebhookReceiver server)
        {
            this.server = server;
            server.Answer = (_, context) => AnswerAsync(context);
        }

        public string Root => server.Root;

        public bool IsAway { get; set; }

        public static async Task<BotApi> StartAsync() => new(await WebhookReceiver.StartAsync());

        public ValueTask DisposeAsync()
        {
            news.TrySetResult();
            return server.DisposeAsync();
        }

        public IReadOnlyList<string> SaidTo(long chat) => [.. said.Where(one => one.Chat == $"{chat}").Select(one => one.Text)];

        public void Write(long chat, string text, string language = "pt") =>
            Bring(JsonSerializer.Serialize(new { message = new { message_id = 1, chat = new { id = chat, type = "private" }, from = new { id = chat, language_code = language }, text } }));

        /// <summary>Writes to the bot; returns what it answers.</summary>
        public async Task<string> WriteAsync(long chat, string text, string language = "pt")
        {
            var before = SaidTo(chat).Count;
            Write(chat, text, language);
            await Eventually.TrueAsync(() => SaidTo(chat).Count > before, "the bot answers");
            await Eventually.TrueAsync(() => Interlocked.Read(ref asked) > Interlocked.Read(ref numbers), "and asks for what comes after it");
            return SaidTo(chat)[before];
        }

        public void Bring(string update)
        {
            var number = Interlocked.Increment(ref numbers);
            updates.Enqueue((number, update.StartsWith('{') ? $$"""{"update_id":{{number}},{{update[1..]}}""" : update));
            Interlocked.Exchange(ref news, New()).TrySetResult();
        }

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

        private async Task AnswerAsync(HttpContext context)
        {
            if (IsAway)
            {
                context.Response.StatusCode = 502;
                await context.Response.WriteAsync($"Cannot POST {context.Request.Path}");
                return;
            }

            using var question = JsonDocument.Parse(WebhookReceiver.RequestOf(context).Body);
            switch (context.Request.Path.Value!.Split('/')[^1])
            {
                case "getMe":
                    await context.Response.WriteAsJsonAsync(new { ok = true, result = new { id = 123456789, is_bot = true, username = "braga_alertas_bot" } });
                    break;
                case "getUpdates":
                    await UpdatesAsync(context, question.RootElement.GetProperty("offset").GetInt64());
                    break;
                default:
                    said.Enqueue((question.RootElement.GetProperty("chat_id").ToString(), question.RootElement.GetProperty("text").GetString()!));
                    await context.Response.WriteAsJsonAsync(new { ok = true, result = new { message_id = said.Count } });
                    break;
            }
        }

        private async Task UpdatesAsync(HttpContext context, long offset)
        {
            // What came before what was asked for is forgotten, whoever asks for it again.
            offset = Math.Max(offset, Interlocked.Read(ref asked));
            Interlocked.Exchange(ref asked, offset);
            while (true)
            {
                var waiting = news.Task;
                var known = updates.Where(update => update.Number >= offset).Select(update => update.Json).ToList();
                if (known.Count > 0)
                {
                    await context.Response.WriteAsync($$"""{"ok":true,"result":[{{string.Join(',', known)}}]}""");
                    return;
                }

                await waiting.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (context.RequestAborted.IsCancellationRequested)
                {
                    return;
                }
            }
        }
    }
}
