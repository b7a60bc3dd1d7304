using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>
/// The client's end of a WebSocket (RFC 6455) that does what the test says and nothing by itself: what is written leaves as one binary message, what is read are the payloads of binary messages.
/// </summary>
internal sealed class RawWebSocket : Stream
{
    public const byte Continuation = 0;
    public const byte Text = 1;
    public const byte Binary = 2;
    public const byte CloseFrame = 8;
    public const byte Ping = 9;
    public const byte Pong = 10;

    private static readonly byte[] Mask = [0x37, 0xfa, 0x21, 0x3d];

    private readonly Stream _wire;
    private readonly SemaphoreSlim _writing = new(1);
    private int _left;

    private RawWebSocket(Stream wire) => _wire = wire;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Status of the hub's close frame; null before.</summary>
    public int? CloseStatus { get; private set; }

    /// <summary>Payloads of the pongs that came.</summary>
    public List<string> Pongs { get; } = [];

    /// <summary>Binary messages that came.</summary>
    public int Messages { get; private set; }

    /// <summary>Whether everything written is cut into fragments of this many bytes; 0 for not.</summary>
    public int FragmentBytes { get; set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Asks for a WebSocket, and must get it with the sub-protocol mqtt and no extension.</summary>
    public static async Task<RawWebSocket> OpenAsync(Stream wire)
    {
        var (status, headers) = await AskAsync(wire);
        Assert.Equal(101, status);
        Assert.Equal("mqtt", headers["Sec-WebSocket-Protocol"]);

        // Of RFC 6455, section 1.3: what belongs to the key of the request.
        Assert.Equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", headers["Sec-WebSocket-Accept"]);
        Assert.DoesNotContain("Sec-WebSocket-Extensions", headers);
        return new RawWebSocket(wire);
    }

    /// <summary>Asks for a WebSocket with some headers changed (empty: left out), and returns the answer.</summary>
    public static async Task<(int Status, Dictionary<string, string> Headers)> AskAsync(Stream wire, string path = "/mqtt", params (string Name, string Value)[] changed)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["Host"] = "hub.example",
            ["Upgrade"] = "websocket",
            ["Connection"] = "Upgrade",
            ["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ==",
            ["Sec-WebSocket-Version"] = "13",
            ["Sec-WebSocket-Protocol"] = "mqtt",
            ["Sec-WebSocket-Extensions"] = "permessage-deflate; client_max_window_bits",
        };
        foreach (var (name, value) in changed)
        {
            headers[name] = value;
        }

        var request = $"GET {path} HTTP/1.1\r\n{string.Concat(headers.Where(h => h.Value.Length > 0).Select(h => $"{h.Key}: {h.Value}\r\n"))}\r\n";
        await wire.WriteAsync(Encoding.ASCII.GetBytes(request), Cancel);
        await wire.FlushAsync(Cancel);
        var answer = new List<byte>();
        var one = new byte[1];
        while (answer.Count < 4 || !answer[^4..].SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            await wire.ReadExactlyAsync(one, Cancel).AsTask().WaitAsync(Eventually.Limit, Cancel);
            answer.Add(one[0]);
        }

        var lines = Encoding.ASCII.GetString([.. answer]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        return (int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture),
            lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>A frame as a client sends it.</summary>
    public static byte[] Frame(byte kind, ReadOnlySpan<byte> payload, bool final = true, bool masked = true)
    {
        var frame = new List<byte> { (byte)(kind | (final ? 0x80 : 0)) };
        var mark = masked ? 0x80 : 0;
        switch (payload.Length)
        {
            case < 126:
                frame.Add((byte)(mark | payload.Length));
                break;
            case < 65_536:
                frame.AddRange([(byte)(mark | 126), (byte)(payload.Length >> 8), (byte)payload.Length]);
                break;
            default:
                frame.Add((byte)(mark | 127));
                var length = new byte[8];
                BinaryPrimitives.WriteInt64BigEndian(length, payload.Length);
                frame.AddRange(length);
                break;
        }

        if (!masked)
        {
            return [.. frame, .. payload];
        }

        frame.AddRange(Mask);
        for (var i = 0; i < payload.Length; i++)
        {
            frame.Add((byte)(payload[i] ^ Mask[i % 4]));
        }

        return [.. frame];
    }

    /// <summary>Sends bytes as they are: frames, or what is none.</summary>
    public async Task SendRawAsync(params byte[][] bytes)
    {
        await _writing.WaitAsync(Cancel);
        try
        {
            await _wire.WriteAsync(bytes.SelectMany(b => b).ToArray(), Cancel);
            await _wire.FlushAsync(Cancel);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Sends a close frame: nothing more comes.</summary>
    public Task CloseAsync() => SendRawAsync(Frame(CloseFrame, [0x03, 0xE8]));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (FragmentBytes == 0)
        {
            await SendRawAsync(Frame(Binary, buffer.Span));
            return;
        }

        var frames = new List<byte[]>();
        for (var at = 0; at < buffer.Length; at += FragmentBytes)
        {
            frames.Add(Frame(at == 0 ? Binary : Continuation, buffer.Span[at..Math.Min(buffer.Length, at + FragmentBytes)], final: at + FragmentBytes >= buffer.Length));
        }

        await SendRawAsync([.. frames]);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (CloseStatus is null)
        {
            if (_left > 0)
            {
                var count = await _wire.ReadAsync(buffer[..Math.Min(buffer.Length, _left)], cancellationToken);
                _left -= count;
                return count > 0 ? count : throw new IOException("The connection ended in the middle of a frame.");
            }

            var head = new byte[10];
            if (await _wire.ReadAtLeastAsync(head.AsMemory(0, 2), 2, throwOnEndOfStream: false, cancellationToken) < 2)
            {
                return 0;
            }

            // What a server sends is not masked, and has no reserved bits.
            Assert.Equal((0, 0), (head[0] & 0x70, head[1] & 0x80));
            var length = head[1] & 0x7f;
            if (length >= 126)
            {
                var more = length == 126 ? 2 : 8;
                await _wire.ReadExactlyAsync(head.AsMemory(2, more), cancellationToken);
                length = more == 2 ? BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(2)) : checked((int)BinaryPrimitives.ReadInt64BigEndian(head.AsSpan(2)));
            }

            switch (head[0] & 0x0f)
            {
                case Binary:
                    Messages++;
                    _left = length;
                    break;
                case Continuation:
                    _left = length;
                    break;
                case var control:
                    var payload = new byte[length];
                    await _wire.ReadExactlyAsync(payload, cancellationToken);
                    if (control == Pong)
                    {
                        Pongs.Add(Encoding.UTF8.GetString(payload));
                        break;
                    }

                    Assert.Equal(CloseFrame, control);
                    CloseStatus = BinaryPrimitives.ReadUInt16BigEndian(payload);
                    try
                    {
                        await SendRawAsync(Frame(CloseFrame, payload.AsSpan(0, 2)));
                    }
                    catch (IOException)
                    {
                        // Closed on the other side already.
                    }

                    break;
            }
        }

        return 0;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _wire.Dispose();
        _writing.Dispose();
        base.Dispose(disposing);
    }
}
