using System.Net.Http.Headers;
using System.Text.Json;
using Hub.Cloud.Notifications.Outbox;
using Microsoft.Extensions.Options;
using static Hub.Cloud.Notifications.Telegram.TelegramAnswer;

namespace Hub.Cloud.Notifications.Telegram;

/// <summary>What somebody wrote to the bot.</summary>
/// <param name="Chat">Number of the chat with that person.</param>
/// <param name="Language"><c>pt</c> or <c>en</c>: <c>pt</c> unless the person's program says that it speaks another language.</param>
/// <param name="Text">What was written.</param>
internal sealed record ChatMessage(string Chat, string Language, string Text);

/// <summary>What has come since it was asked last.</summary>
/// <param name="Messages">Written in chats with one person, oldest first; whatever else there is (groups, pictures, edits) is passed over.</param>
/// <param name="Next">Number of the update that comes next; asked for, those before it are forgotten by Telegram.</param>
internal sealed record ChatNews(IReadOnlyList<ChatMessage> Messages, long Next);

/// <summary>
/// The bot's side of conversations with people (Bot API: getMe, getUpdates, sendMessage). What Telegram does not do ends in a <see cref="TelegramException"/>, whose message says what Telegram answered, without the token. Safe for concurrent callers.
/// </summary>
internal sealed class TelegramBot(TimeProvider time, IOptions<NotificationsOptions> options) : IDisposable
{
    private const int AnswerBytesMax = 1024 * 1024;

    /// <summary>Updates taken at once: the Bot API's own limit.</summary>
    private const int CountMax = 100;

    /// <summary>Longest text looked at: a command and a token.</summary>
    private const int TextLengthMax = 200;

    private static readonly string[] Heard = ["message"];

    private readonly TelegramOptions settings = options.Value.Telegram;

    // The address is the operator's own: a Bot API server of theirs may be in their network.
    private readonly HttpSender sender = new(time, options.Value.Telegram.Timeout, allowPrivateTargets: true, $"{NotificationsOptions.Section}:Telegram");
    private string? name;

    /// <summary>Name of the bot, as in its address; null until Telegram has said it.</summary>
    public string? Name => Volatile.Read(ref name);

    public void Dispose() => sender.Dispose();

    /// <summary>Address that opens a chat with the bot and hands it a token.</summary>
    /// <param name="token">At most 64 letters, digits, - and _.</param>
    public string? LinkOf(string token) => Name is { } bot ? $"https://t.me/{bot}?start={token}" : null;

    /// <summary>Asks what the bot is called.</summary>
    public async Task AskNameAsync(CancellationToken cancellationToken)
    {
        var result = await CallAsync("getMe", "{}"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref name, result.ValueKind == JsonValueKind.Object && result.TryGetProperty("username", out var said) && said.GetString() is { Length: > 0 } known
            ? known
            : throw new TelegramException("Telegram does not say what the bot is called."));
    }

    /// <summary>Waits for what is written to the bot, at most about as long as one attempt may take.</summary>
    /// <param name="next">See <see cref="ChatNews.Next"/>; 0 at first.</param>
    /// <param name="cancellationToken">Gives up; nothing is lost.</param>
    public async Task<ChatNews> NewsAsync(long next, CancellationToken cancellationToken)
    {
        var patience = Math.Max(0, (int)settings.Timeout.TotalSeconds - 5);
        var question = JsonSerializer.SerializeToUtf8Bytes(new { offset = next, timeout = patience, limit = CountMax, allowed_updates = Heard });
        var result = await CallAsync("getUpdates", question, cancellationToken).ConfigureAwait(false);
        var messages = new List<ChatMessage>();
        if (result.ValueKind != JsonValueKind.Array)
        {
            throw new TelegramException("Telegram's answer has no list of updates.");
        }

        foreach (var update in result.EnumerateArray())
        {
            // One that cannot be read is passed over like any other: it would come again for ever.
            next = Math.Max(next, Number(update, "update_id") + 1 ?? next);
            if (Read(update) is { } message)
            {
                messages.Add(message);
            }
        }

        return new(messages, next);
    }

    /// <summary>Answers in a chat, without a sound and without a preview of links.</summary>
    /// <param name="chat">The chat.</param>
    /// <param name="text">At most 4,096 characters, plain.</param>
    /// <param name="cancellationToken">Gives up; nobody knows then whether it arrived.</param>
    public Task AnswerAsync(string chat, string text, CancellationToken cancellationToken) => CallAsync(
        "sendMessage", JsonSerializer.SerializeToUtf8Bytes(new { chat_id = chat, text, disable_notification = true, link_preview_options = new { is_disabled = true } }), cancellationToken);

    private static ChatMessage? Read(JsonElement update)
    {
        if (Member(update, "message") is not { } message || Member(message, "chat") is not { } chat || Text(chat, "type") != "private"
            || Number(chat, "id") is not { } id || Text(message, "text") is not { Length: <= TextLengthMax } text)
        {
            return null;
        }

        var spoken = Member(message, "from") is { } from ? Text(from, "language_code") : null;
        return new(id.ToString(System.Globalization.CultureInfo.InvariantCulture), spoken is null || spoken.StartsWith("pt", StringComparison.OrdinalIgnoreCase) ? "pt" : "en", text.Trim());
    }

    private async Task<JsonElement> CallAsync(string method, byte[] question, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{settings.BaseUrl.TrimEnd('/')}/bot{settings.Token}/{method}") { Content = new ByteArrayContent(question) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        JsonElement? result = null;
        var attempt = await sender.SendAsync(
            request,
            async answer =>
            {
                var text = await answer.TextAsync(AnswerBytesMax).ConfigureAwait(false);
                var said = TelegramAnswer.Read(text);
                if (!answer.IsSuccess)
                {
                    return new Attempt(AttemptOutcome.Retry, said.Description.Length > 0 ? $"{answer.Status} {said.Description}" : answer.Line, said.RetryAfter ?? answer.RetryAfter);
                }

                result = TelegramAnswer.ResultOf(text);
                return new Attempt(result is null ? AttemptOutcome.Retry : AttemptOutcome.Delivered, "The answer is none of the Bot API's.");
            },
            cancellationToken).ConfigureAwait(false);
        return result ?? throw new TelegramException(settings.Masked(attempt.Answer)) { RetryAfter = attempt.RetryAfter };
    }

    private static string? Text(JsonElement parent, string name) => Member(parent, name) is { ValueKind: JsonValueKind.String } found ? found.GetString() : null;
}

/// <summary>Telegram did not do what was asked; the message says why, without the bot's token.</summary>
internal sealed class TelegramException(string message) : Exception(message)
{
    /// <summary>How long Telegram asks to wait; null when it does not.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
