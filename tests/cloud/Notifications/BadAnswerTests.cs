using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>
/// Webhooks answered by what is no answer: a seeded fuzzer on a bare socket. Each delivery is accounted for, what the log keeps of an answer is short and of one line, and the worker lives on: what is sent
/// to a receiver that behaves arrives meanwhile and afterwards. HUB_FUZZ_CASES and HUB_FUZZ_SEED make other answers.
/// </summary>
public sealed class BadAnswerTests(ITestOutputHelper output)
{
    private const int AnswerLengthMax = 500;
    private const int Endpoints = 8;
    private static readonly int Cases = Number("HUB_FUZZ_CASES", Repeats.Of(400, 20_000));
    private static readonly int Seed = Number("HUB_FUZZ_SEED", Repeats.AreMany ? Environment.ProcessId : 1);

    [Fact]
    public async Task Every_delivery_is_accounted_for_whatever_is_answered()
    {
        output.WriteLine($"HUB_FUZZ_CASES={Cases}, HUB_FUZZ_SEED={Seed}");
        using var bad = new RawReceiver(Seed);
        await using var good = await WebhookReceiver.StartAsync();

        // Two attempts, so that a retry is seen as well as a death.
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:RetryDelays:0", "00:00:05"), ("Hub:Notifications:Webhook:Timeout", "00:00:10"));
        for (var endpoint = 0; endpoint < Endpoints; endpoint++)
        {
            await bench.SubscribeAsync(ChannelKind.Webhook, $"http://127.0.0.1:{bad.Port}/{endpoint}", rule: $"bad-{endpoint}");
        }

        await bench.SubscribeAsync(ChannelKind.Webhook, good.Address, rule: "good");
        var (queued, sent) = (0, 0);
        while (bad.Served.Count < Cases)
        {
            for (var endpoint = 0; endpoint < Endpoints; endpoint++)
            {
                await bench.Notifications.EnqueueAsync(Message(queued++, $"bad-{endpoint}"), default);
            }

            await Eventually.TrueAsync(
                async () =>
                {
                    if (bad.Stalled)
                    {
                        // It has sent all that it ever will: only the timeout ends this one.
                        bench.Time.Advance(TimeSpan.FromSeconds(10));
                    }

                    bench.Pass(TimeSpan.FromSeconds(6));
                    return (await bench.Notifications.SearchAsync("braga", DeliveryState.Waiting, null, 1, default)).Count == 0;
                },
                "nothing waits to be delivered");

            // Only now, for the time that passes above would end an attempt at the good one too.
            await bench.Notifications.EnqueueAsync(Message(queued++, "good"), default);
            sent++;
            await bench.SettledAsync();

            // Gone is Gone, however it is said: the operator switches it on again.
            foreach (var off in (await bench.Notifications.SubscribersAsync("braga", default)).Where(subscriber => subscriber.DisabledBecause is not null))
            {
                await bench.Notifications.SaveAsync(off with { Secret = "" }, default);
            }
        }

        var log = new List<Delivery>();
        while (log.Count == 0 || (await bench.Notifications.SearchAsync("braga", null, log[^1].Id, 1, default)).Count > 0)
        {
            log.AddRange(await bench.Notifications.SearchAsync("braga", null, log.Count == 0 ? null : log[^1].Id, 1_000, default));
        }

        // To the good one all at the first attempt; to the others each once delivered or dead, after one attempt or two, and never more than was asked of them.
        Assert.Equal(queued, log.Count);
        Assert.Equal(sent, good.Requests.Select(request => request.Id).Distinct().Count());
        Assert.All(log, delivery =>
        {
            Assert.True(delivery.State is "delivered" or "dead", delivery.ToString());
            Assert.InRange(delivery.Attempts, 0, 2);
            Assert.InRange(delivery.Answer.Length, 1, AnswerLengthMax);
            Assert.DoesNotContain(delivery.Answer, char.IsControl);
            Assert.True(delivery.State == "delivered" || delivery.Attempts == 2 || delivery.Answer.Contains("410", StringComparison.Ordinal), delivery.ToString());
        });
        Assert.True(log.Sum(delivery => delivery.Attempts) >= bad.Served.Count + sent, $"{log.Sum(delivery => delivery.Attempts)} attempts are logged, {bad.Served.Count + sent} were made");
        Assert.Contains(log, delivery => delivery.State == "dead");
        output.WriteLine($"{bad.Served.Count} bad answers ({string.Join(", ", bad.Served.GroupBy(kind => kind).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Count()} {group.Key}"))}); "
            + $"{log.Count(delivery => delivery.State == "dead")} dead, {log.Count(delivery => delivery.State == "delivered") - sent} taken for delivered, {sent} of {sent} to the good one");
    }

    private static AlarmMessage Message(int number, string rule)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{rule}-{number}");
        return NotificationsBench.Message($"{id}:started:1", rule: rule) with { Alarm = id };
    }

    private static int Number(string variable, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : standard;

    /// <summary>Reads a request and answers with bytes of its own; each connection once.</summary>
    private sealed class RawReceiver : IDisposable
    {
        private static readonly string[] StatusLines =
        [
            "HTTP/1.1 200", "HTTP/1.1 2000 OK", "HTTP/1.1 -1 No", "HTTP/1.1  200 OK", "HTTP/9.9 200 OK", "HTTP/1.1 99 Low", "HTTP/1.1 abc OK", "ICY 200 OK", "", "\0\0\0", "<html>", "SSH-2.0-OpenSSH_9.6", "\u0016\u0003\u0001",
            "HTTP/1.1 500 \u0001\u0002\u001b[31mred", "HTTP/1.1 500 a\tb", "HTTP/1.1 410 Gone", "HTTP/1.1 100 Continue", "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 304 Not Modified", "HTTP/1.1 599 ÿþ", "http/1.1 500 small", "HTTP/1.1 307 There",
        ];

        private static readonly string[] Headers =
        [
            "Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 5, 6", "Content-Length: 10\r\nContent-Length: 20", "Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: \u000bchunked", "no colon", ": no name", "Na me: x", "\u0000: \u0000", "X: \u001b[2J", " folded", "Retry-After: -5", "Retry-After: 99999999999999999999", "Retry-After: Thu, 99 Foo 2026 99:99:99 GMT", "Content-Encoding: br",
            "Content-Type: \u0007", "Location: file:///etc/passwd", "Location: //[", "Set-Cookie: a=b; Domain=.example.org", "Connection: upgrade\r\nUpgrade: h2c", "Content-Type: text/plain; charset=utf-99",
        ];

        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _over = new();
        private readonly Random _random;
        private int _stalled;

        public RawReceiver(int seed)
        {
            _random = new Random(seed);
            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        /// <summary>What was answered, by kind.</summary>
        public ConcurrentQueue<string> Served { get; } = new();

        /// <summary>Whether somebody waits for the rest of an answer that does not come.</summary>
        public bool Stalled => Volatile.Read(ref _stalled) > 0;

        public void Dispose()
        {
            _over.Cancel();
            _listener.Dispose();
            _over.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = ServeAsync(await _listener.AcceptSocketAsync());
                }
            }
            catch (Exception exception) when (exception is InvalidOperationException or SocketException)
            {
                // Disposed.
            }
        }

        private async Task ServeAsync(Socket socket)
        {
            using var _ = socket;
            try
            {
                await RequestAsync(socket);
                string kind;
                byte[] answer;
                bool stalls, resets;
                lock (_random)
                {
                    (kind, answer, stalls, resets) = Make();
                }

                Served.Enqueue(kind);
                await socket.SendAsync(answer);
                if (stalls)
                {
                    await StallAsync(socket);
                }
                else if (resets)
                {
                    socket.LingerState = new LingerOption(true, 0);
                }
                else
                {
                    // Closed in order, so that the last bytes arrive: closing on unread ones would be a reset.
                    socket.Shutdown(SocketShutdown.Send);
                    await socket.ReceiveAsync(new byte[1], _over.Token);
                }
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The other side has had enough: of an endless header, of a body longer than it keeps.
            }
        }

        /// <summary>Keeps the connection until the other side gives up.</summary>
        private async Task StallAsync(Socket socket)
        {
            Interlocked.Increment(ref _stalled);
            try
            {
                await socket.ReceiveAsync(new byte[1], _over.Token);
            }
            finally
            {
                Interlocked.Decrement(ref _stalled);
            }
        }

        private async Task RequestAsync(Socket socket)
        {
            var text = new StringBuilder();
            var buffer = new byte[4096];
            while (true)
            {
                var count = await socket.ReceiveAsync(buffer, _over.Token);
                text.Append(Encoding.Latin1.GetString(buffer, 0, count));
                var head = text.ToString();
                var end = head.IndexOf("\r\n\r\n", StringComparison.Ordinal);
                if (count == 0 || (end > 0 && head.Length >= end + 4 + Length(head)))
                {
                    return;
                }
            }

            static int Length(string head)
            {
                var at = head.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase) + "Content-Length: ".Length;
                return int.Parse(head.AsSpan(at, head.IndexOf('\r', at) - at), NumberStyles.None, CultureInfo.InvariantCulture);
            }
        }

        private (string Kind, byte[] Answer, bool Stalls, bool Resets) Make()
        {
            switch (_random.Next(12))
            {
                case 0:
                    return ("status lines", Bytes($"{Of(StatusLines)}\r\nContent-Length: 2\r\n\r\nno"), false, false);
                case 1:
                    return ("headers", Bytes($"HTTP/1.1 500 No\r\n{Of(Headers)}\r\n{Of(Headers)}\r\n\r\nno"), false, false);
                case 2:
                    return ("endless headers", Bytes("HTTP/1.1 200 OK\r\n" + new StringBuilder().Insert(0, $"X: {new string('x', 1_000)}\r\n", _random.Next(100, 300))), false, false);
                case 3:
                    return ("one endless header", Bytes("HTTP/1.1 200 OK\r\nX: " + new string('x', _random.Next(100_000, 400_000))), false, false);
                case 4:
                    return ("huge bodies", Bytes($"HTTP/1.1 500 No\r\nContent-Length: 4000000\r\n\r\n{new string((char)_random.Next(0, 256), 1_000_000)}"), false, false);
                case 5:
                    return ("bodies of noise", [.. Bytes("HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n"), .. Noise(_random.Next(1, 4_000))], false, false);
                case 6:
                    return ("bodies too short", Bytes($"HTTP/1.1 500 No\r\nContent-Length: {_random.Next(10, 1_000)}\r\n\r\nno"), false, false);
                case 7:
                    return ("chunks", Bytes($"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n{Of(["zz\r\nno", "-1\r\n", "5\r\nno", "FFFFFFFFFFFFFFFFFF\r\nno", "2;\u0001=\r\nnox", "0\r\nTrailer no colon\r\n\r\n", "2\r\nno\r\n", "\r\n\r\n"])}"), false, false);
                case 8:
                    return ("nothing", [], false, _random.Next(2) == 0);
                case 9:
                    return ("resets", Bytes(Cut("HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nno")), false, true);
                case 10:
                    return ("noise", Noise(_random.Next(1, 2_000)), false, false);
                default:
                    return ("drips that stop", Bytes(Cut("HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nno")), true, false);
            }
        }

        private string Cut(string text) => text[.._random.Next(0, text.Length + 1)];

        private byte[] Noise(int length)
        {
            var noise = new byte[length];
            _random.NextBytes(noise);
            return noise;
        }

        private string Of(string[] some) => some[_random.Next(some.Length)];

        private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
    }
}
