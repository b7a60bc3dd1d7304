using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Hub.Edge.Update.Tests;

/// <summary>An HTTP server on 127.0.0.1 that answers each connection's one request as the test wants, byte by byte.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public RawServer()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Called with the number of the request from 0 on, its head, and where the answer goes.</summary>
    public Func<int, string, Stream, Task> Answer { get; set; } = (_, _, stream) => WriteAsync(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");

    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>When set, the server speaks TLS with this certificate.</summary>
    public X509Certificate2? Certificate { get; init; }

    public Uri Address => new($"{(Certificate is null ? "http" : "https")}://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public static Task WriteAsync(Stream stream, string text) => stream.WriteAsync(Encoding.ASCII.GetBytes(text)).AsTask();

    /// <summary>Sends content as good servers do, heeding Range and If-Range; no more than some bytes of it, and then the line breaks.</summary>
    public static async Task SendAsync(string request, Stream stream, byte[] content, string? tag = "\"one\"", int break_ = int.MaxValue)
    {
        var from = From(request) is { } start && (IfRange(request) is not { } condition || condition == tag) ? start : 0;
        var head = from == 0 ? "HTTP/1.1 200 OK\r\n" : string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{content.Length - 1}/{content.Length}\r\n");
        await WriteAsync(stream, string.Create(CultureInfo.InvariantCulture, $"{head}Content-Length: {content.Length - from}\r\n{(tag is null ? "" : $"ETag: {tag}\r\n")}Connection: close\r\n\r\n"));
        await stream.WriteAsync(content.AsMemory(from, Math.Min(break_, content.Length - from)));
    }

    public static int? From(string request) => Header(request, "Range") is { } range ? int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture) : null;

    public static string? IfRange(string request) => Header(request, "If-Range");

    public static string? Header(string request, string name) => request.Split("\r\n").FirstOrDefault(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var number = 0;
        var answers = new List<Task>();
        try
        {
            while (true)
            {
                answers.Add(AnswerAsync(number++, await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(answers);
        }
    }

    private async Task AnswerAsync(int number, TcpClient client)
    {
        using (client)
        {
            Stream stream = client.GetStream();
            var head = new StringBuilder();
            try
            {
                if (Certificate is not null)
                {
                    var secured = new SslStream(stream);
                    stream = secured;
                    await secured.AuthenticateAsServerAsync(Certificate);
                }

                var one = new byte[1];
                while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, _stop.Token) == 1)
                {
                    head.Append((char)one[0]);
                }

                if (head.Length == 0)
                {
                    // Hung up without a question: a client that does not believe our certificate.
                    return;
                }

                Requests.Enqueue(head.ToString());
                await Answer(number, head.ToString(), stream).WaitAsync(_stop.Token);
                await stream.DisposeAsync();
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or AuthenticationException)
            {
                // The station hung up, or the test is over.
            }
        }
    }
}
