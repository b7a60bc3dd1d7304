using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Hub.Cloud.Notifications.Outbox;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Telegram;

/// <summary>
/// Messages of a Telegram bot (Bot API, method sendMessage). What comes later about an alarm replies to the first message about it. Telegram knows no idempotency key: what it took in the moment of a crash comes twice.
/// </summary>
internal sealed class TelegramChannel(TimeProvider time, IOptions<NotificationsOptions> options) : INotificationChannel, IDisposable
{
    private const int AnswerBytesMax = 64 * 1024;

    private static readonly string[] Gone = ["chat not found", "user not found", "PEER_ID_INVALID"];
    private static readonly string[] NotAllowed = ["rights", "CHAT_WRITE_FORBIDDEN"];

    private readonly TelegramOptions settings = options.Value.Telegram;

    // The address is the operator's own: a Bot API server of theirs may be in their network.
    private readonly HttpSender sender = new(time, options.Value.Telegram.Timeout, allowPrivateTargets: true, $"{NotificationsOptions.Section}:Telegram");

    public ChannelKind Kind => ChannelKind.Telegram;

    public void Dispose() => sender.Dispose();

    public async Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        if (!settings.IsConfigured)
        {
            // It was when the subscriber was saved: nobody loses a message to a setting that is put back within days.
            return new Attempt(AttemptOutcome.Retry, $"{NotificationsOptions.Section}:Telegram:{nameof(TelegramOptions.Token)} is not set.");
        }

        var (chat, reply) = (outgoing.Subscriber.Target, outgoing.EarlierReceipts is [{ } first, ..] ? first : null);
        string? movedTo = null;
        var attempt = await SendAsync(outgoing, chat, reply, moved => movedTo = moved, cancellationToken).ConfigureAwait(false);
        if (movedTo is not null)
        {
            // The group has become a supergroup under another number; messages of the old one cannot be replied to.
            attempt = await SendAsync(outgoing, movedTo, reply: null, _ => { }, cancellationToken).ConfigureAwait(false);
        }

        return attempt with { Answer = settings.Masked(attempt.Answer) };
    }

    private async Task<Attempt> SendAsync(Outgoing outgoing, string chat, string? reply, Action<string> moved, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{settings.BaseUrl.TrimEnd('/')}/bot{settings.Token}/sendMessage") { Content = new ByteArrayContent(Body(outgoing, chat, reply)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await sender.SendAsync(request, async answer => Judge(answer, await answer.TextAsync(AnswerBytesMax).ConfigureAwait(false), moved), cancellationToken).ConfigureAwait(false);
    }

    private byte[] Body(Outgoing outgoing, string chat, string? reply)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("chat_id", chat);
            writer.WriteString("text", outgoing.Digest is { } digest
                ? TelegramText.Digest(digest, outgoing.Subscriber.Language)
                : TelegramText.Write(outgoing.Message, outgoing.Subscriber.Language, options.Value.StationLink(outgoing.Message)));
            writer.WriteString("parse_mode", "HTML");

            // Only what somebody may have to act on makes a sound.
            writer.WriteBoolean("disable_notification", outgoing is not { Digest: null, Message: { Kind: NotificationKind.Started, Severity: >= Severity.Warning } });
            writer.WriteStartObject("link_preview_options");
            writer.WriteBoolean("is_disabled", true);
            writer.WriteEndObject();
            if (long.TryParse(reply, NumberStyles.None, CultureInfo.InvariantCulture, out var message))
            {
                // Somebody may have deleted it meanwhile: then it stands alone.
                writer.WriteStartObject("reply_parameters");
                writer.WriteNumber("message_id", message);
                writer.WriteBoolean("allow_sending_without_reply", true);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static Attempt Judge(HttpAnswer answer, string text, Action<string> moved)
    {
        var said = TelegramAnswer.Read(text);
        var line = said.Description.Length > 0 ? $"{answer.Status} {said.Description}" : text.Length > 0 ? $"{answer.Line}: {text}" : answer.Line;
        if (said.MigrateTo is { } other)
        {
            moved(other.ToString(CultureInfo.InvariantCulture));
        }

        return answer.Status switch
        {
            >= 200 and < 300 => new Attempt(AttemptOutcome.Delivered, answer.Line) { Receipt = said.MessageId?.ToString(CultureInfo.InvariantCulture) ?? "" },
            401 or 404 => new Attempt(AttemptOutcome.Retry, $"{line}: see {NotificationsOptions.Section}:Telegram:{nameof(TelegramOptions.Token)}."),
            403 => new Attempt(AttemptOutcome.Disable, line),
            400 when said.MigrateTo is not null => new Attempt(AttemptOutcome.Retry, line),
            400 when Gone.Any(mark => said.Description.Contains(mark, StringComparison.OrdinalIgnoreCase)) => new Attempt(AttemptOutcome.Disable, line),

            // Whoever administers the chat can put it right.
            400 when NotAllowed.Any(mark => said.Description.Contains(mark, StringComparison.OrdinalIgnoreCase)) => new Attempt(AttemptOutcome.Retry, line),
            400 => new Attempt(AttemptOutcome.GiveUp, line),
            _ => new Attempt(AttemptOutcome.Retry, line, said.RetryAfter ?? answer.RetryAfter),
        };
    }
}
