using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Hub.Cloud.Notifications.Webhook;

namespace Hub.Cloud.Notifications.Outbox;

/// <summary>
/// Makes the HTTP requests of a channel: one attempt each, without redirects, cookies or proxy; the address is judged when the connection is made, and what comes back is read to a bound.
/// </summary>
internal sealed class HttpSender : IDisposable
{
    private readonly HttpClient client;
    private readonly TimeProvider time;
    private readonly TimeSpan timeout;
    private readonly bool allowPrivateTargets;
    private readonly string section;

    /// <summary>Makes one.</summary>
    /// <param name="time">Clock of the timeout.</param>
    /// <param name="timeout">Time for one attempt, from the connection to the end of the answer.</param>
    /// <param name="allowPrivateTargets">Whether private and loopback addresses may be connected to.</param>
    /// <param name="section">The channel's settings, named when an address is refused.</param>
    public HttpSender(TimeProvider time, TimeSpan timeout, bool allowPrivateTargets, string section)
    {
        (this.time, this.timeout, this.allowPrivateTargets, this.section) = (time, timeout, allowPrivateTargets, section);
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
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Hub", "1"));
    }

    public void Dispose() => client.Dispose();

    /// <summary>Makes one attempt.</summary>
    /// <param name="request">What to send.</param>
    /// <param name="judge">Says what an answer means. No answer at all is tried again, an address that is not allowed given up.</param>
    /// <param name="cancellationToken">Gives up; nobody knows then whether it arrived.</param>
    public async Task<Attempt> SendAsync(HttpRequestMessage request, Func<HttpAnswer, Task<Attempt>> judge, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, over.Token).ConfigureAwait(false);
            return await judge(new HttpAnswer(response, time, over.Token)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Attempt(AttemptOutcome.Retry, $"No answer within {timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.");
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

    /// <summary>Resolves the name and connects to an address that is allowed: what was resolved is what is connected to, so that a name cannot change in between.</summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host;
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
        var allowed = allowPrivateTargets ? addresses : Array.FindAll(addresses, address => !PrivateAddresses.Contains(address));
        if (allowed.Length == 0 && addresses.Length > 0)
        {
            throw new TargetRefusedException($"Refused: {host} is a private or loopback address ({addresses[0]}); {section}:AllowPrivateTargets allows it.");
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

/// <summary>What a receiver answered; its text is read when asked for.</summary>
internal sealed class HttpAnswer(HttpResponseMessage response, TimeProvider time, CancellationToken cancellationToken)
{
    /// <summary>Bytes of an answer that are read for the delivery log: more than it keeps, so that a secret that is taken out of them is not cut in two before.</summary>
    private const int LogBytesMax = 4 * DeliveryWorker.AnswerLengthMax;

    public int Status => (int)response.StatusCode;

    public bool IsSuccess => response.IsSuccessStatusCode;

    /// <summary>Status and reason, e.g. <c>404 Not Found</c>.</summary>
    public string Line => $"{Status} {response.ReasonPhrase}";

    /// <summary>How long the receiver asks to wait; null when it does not.</summary>
    public TimeSpan? RetryAfter => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow(),
        _ => null,
    };

    /// <summary>The line with the beginning of the text, or with what is wrong with a redirect: for the delivery log.</summary>
    public async Task<string> DescribeAsync()
    {
        if (Status is >= 300 and < 400)
        {
            return $"{Line}: redirects are not followed";
        }

        var text = await TextAsync(LogBytesMax).ConfigureAwait(false);
        return text.Length == 0 ? Line : $"{Line}: {text}";
    }

    /// <summary>The beginning of the text, on one line.</summary>
    public async Task<string> TextAsync(int bytesMax)
    {
        var buffer = new byte[bytesMax];
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return new string([.. Encoding.UTF8.GetString(buffer, 0, length).Select(c => char.IsControl(c) ? ' ' : c)]).Trim();
    }
}
