using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Hub.Cloud.Notifications.Outbox;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Webhook;

/// <summary>Signed HTTP POST (Standard Webhooks 1.0.0). Only a 2xx answer is success; redirects are not followed; the address is judged when the connection is made.</summary>
internal sealed class WebhookChannel(TimeProvider time, IOptions<NotificationsOptions> options) : INotificationChannel, IDisposable
{
    private readonly HttpSender sender = new(time, options.Value.Webhook.Timeout, options.Value.Webhook.AllowPrivateTargets, $"{NotificationsOptions.Section}:Webhook");

    public ChannelKind Kind => ChannelKind.Webhook;

    public void Dispose() => sender.Dispose();

    public async Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        if (!WebhookSignature.TryReadSecret(outgoing.Subscriber.Secret, out var key))
        {
            return new Attempt(AttemptOutcome.GiveUp, "The subscriber's secret cannot be read.");
        }

        var body = AlarmJson.Webhook(outgoing.Message, outgoing.CreatedAt);
        var id = WebhookSignature.IdOf(outgoing.Message.Key);
        var now = time.GetUtcNow();
        var timestamp = now.ToUnixTimeSeconds();
        var signatures = WebhookSignature.Sign(key, id, timestamp, body);
        if (outgoing.Subscriber.SecretPreviousUntil > now.UtcDateTime && WebhookSignature.TryReadSecret(outgoing.Subscriber.SecretPrevious, out var previous))
        {
            // The receiver may not have the new secret yet: any signature of the list is enough.
            signatures += " " + WebhookSignature.Sign(previous, id, timestamp, body);
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, outgoing.Subscriber.Target) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", signatures);
        return await sender.SendAsync(request, JudgeAsync, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<Attempt> JudgeAsync(HttpAnswer answer) => answer switch
    {
        { IsSuccess: true } => new Attempt(AttemptOutcome.Delivered, answer.Line),
        { Status: (int)HttpStatusCode.Gone } => new Attempt(AttemptOutcome.Disable, answer.Line),
        _ => new Attempt(AttemptOutcome.Retry, await answer.DescribeAsync().ConfigureAwait(false), answer.RetryAfter),
    };
}
