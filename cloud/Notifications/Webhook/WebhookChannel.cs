using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Hub.Cloud.Notifications.Outbox;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications.Webhook;

/// <summary>Signed HTTP POST (Standard Webhooks 1.0.0). Only a 2xx answer is success; redirects are not followed; the address is judged when the connection is made.</summary>
internal sealed class WebhookChannel : INotificationChannel, IDisposable
{
    private readonly HttpClient client;
    private readonly TimeProvider time;
    private readonly WebhookOptions options;

    public WebhookChannel(TimeProvider time, IOptions<NotificationsOptions> options)
    {
        this.time = time;
        this.options = options.Value.Webhook;
#pragma warning disable CA2000 // The client disposes its handler.
        client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            MaxConnectionsPerServer = 8,
            MaxResponseHeadersLength = 64,
            ConnectCallback = ConnectAsync,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
#pragma warning restore CA2000
    }

    public ChannelKind Kind => ChannelKind.Webhook;

    public void Dispose() => client.Dispose();

    public async Task<Attempt> SendAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        if (!WebhookSignature.TryReadSecret(outgoing.Subscriber.Secret, out var key))
        {
            return new Attempt(AttemptOutcome.GiveUp, "The subscriber's secret cannot be read.");
        }

        var body = AlarmJson.Webhook(outgoing.Message, outgoing.CreatedAt);
        var id = WebhookSignature.IdOf(outgoing.Message.Key);
        var timestamp = time.GetUtcNow().ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, outgoing.Subscriber.Target) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", WebhookSignature.Sign(key, id, timestamp, body));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Hub", "1"));
        using var timeout = new CancellationTokenSource(options.Timeout, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, over.Token).ConfigureAwait(false);
            var answer = $"{(int)response.StatusCode} {response.ReasonPhrase}";
            if (response.IsSuccessStatusCode)
            {
                return new Attempt(AttemptOutcome.Delivered, answer);
            }

            if (response.StatusCode == HttpStatusCode.Gone)
            {
                return new Attempt(AttemptOutcome.Disable, answer);
            }

            var text = await ReadAsync(response, over.Token).ConfigureAwait(false);
            answer = (int)response.StatusCode is >= 300 and < 400 ? $"{answer}: redirects are not followed" : text.Length == 0 ? answer : $"{answer}: {text}";
            return new Attempt(AttemptOutcome.Retry, answer, RetryAfter(response));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Attempt(AttemptOutcome.Retry, $"No answer within {options.Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.");
        }
        catch (HttpRequestException exception) when (exception.InnerException is TargetRefusedException refused)
        {
            return new Attempt(AttemptOutcome.GiveUp, refused.Message);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return new Attempt(AttemptOutcome.Retry, exception.InnerException is { } inner ? $"{exception.Message} ({inner.Message})" : exception.Message);
        }
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow(),
        _ => null,
    };

    private static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var buffer = new byte[400];
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return new string([.. Encoding.UTF8.GetString(buffer, 0, length).Select(c => char.IsControl(c) ? ' ' : c)]).Trim();
    }

    /// <summary>Resolves the name and connects to an address that is allowed: what was resolved is what is connected to, so that a name cannot change in between.</summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host;
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
        var allowed = options.AllowPrivateTargets ? addresses : Array.FindAll(addresses, address => !PrivateAddresses.Contains(address));
        if (allowed.Length == 0 && addresses.Length > 0)
        {
            throw new TargetRefusedException($"Refused: {host} is a private or loopback address ({addresses[0]}); Hub:Notifications:Webhook:AllowPrivateTargets allows it.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The target is not allowed; the message says why.</summary>
    private sealed class TargetRefusedException(string message) : Exception(message);
}
