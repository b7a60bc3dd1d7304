using System.Net.Http.Headers;
using System.Text;
using Hub.Cloud.Notifications.Outbox;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Sms;

/// <summary>
/// The HTTP gateway of the settings that carries SMS. 2xx is success; a 4xx that will not pass by itself makes the message dead at once, everything else is tried again. Safe for concurrent callers.
/// </summary>
internal sealed class SmsGateway(TimeProvider time, IOptions<NotificationsOptions> options) : IDisposable
{
    private readonly SmsOptions settings = options.Value.Sms;
    private readonly HttpSender sender = new(time, options.Value.Sms.Timeout, options.Value.Sms.AllowPrivateTargets, $"{NotificationsOptions.Section}:Sms");

    public void Dispose() => sender.Dispose();

    /// <summary>Makes one attempt.</summary>
    /// <param name="target">Telephone number, E.164.</param>
    /// <param name="text">What to say.</param>
    /// <param name="key">The same for every attempt: the gateway knows a repeated message by it, if it can.</param>
    /// <param name="cancellationToken">Gives up; nobody knows then whether it arrived.</param>
    public async Task<Attempt> SendAsync(string target, string text, string key, CancellationToken cancellationToken)
    {
        if (!settings.IsConfigured)
        {
            // It was when the subscriber was saved: nobody loses a message to a setting that is put back within days.
            return new Attempt(AttemptOutcome.Retry, $"{NotificationsOptions.Section}:Sms:{nameof(SmsOptions.Url)} is not set.");
        }

        var template = new SmsTemplate(target, text, settings.From, key, settings.Secret);
        using var request = new HttpRequestMessage(new HttpMethod(settings.Method), template.InUrl(settings.Url));
        if (settings.Method != "GET")
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(template.InBody(settings.Body, settings.ContentType)));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(settings.ContentType);
        }

        foreach (var (name, value) in settings.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, template.InHeader(value));
        }

        if (settings.IdempotencyHeader.Length > 0)
        {
            request.Headers.TryAddWithoutValidation(settings.IdempotencyHeader, key);
        }

        var attempt = await sender.SendAsync(request, JudgeAsync, cancellationToken).ConfigureAwait(false);
        return attempt with { Answer = Masked(attempt.Answer, target) };
    }

    private static async Task<Attempt> JudgeAsync(HttpAnswer answer) => answer switch
    {
        { IsSuccess: true } => new Attempt(AttemptOutcome.Delivered, answer.Line),
        { Status: >= 400 and < 500 and not (408 or 425 or 429) } => new Attempt(AttemptOutcome.GiveUp, await answer.DescribeAsync().ConfigureAwait(false)),
        _ => new Attempt(AttemptOutcome.Retry, await answer.DescribeAsync().ConfigureAwait(false), answer.RetryAfter),
    };

    /// <summary>Gateways like to repeat what they were asked: neither the number nor the secret is for the log.</summary>
    private string Masked(string answer, string target)
    {
        var masked = answer.Replace(target.TrimStart('+'), "***", StringComparison.Ordinal);
        return settings.Secret.Length == 0
            ? masked
            : masked.Replace(settings.Secret, "***", StringComparison.Ordinal).Replace(Uri.EscapeDataString(settings.Secret), "***", StringComparison.Ordinal);
    }
}
