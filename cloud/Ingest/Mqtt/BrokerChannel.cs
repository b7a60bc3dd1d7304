using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Channel;
using MQTTnet.Exceptions;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// The bytes of one connection. Reads ahead into one buffer, and follows the packet headers that pass, because the library above allocates whatever length a packet
/// announces: a packet over the limit ends the connection before its length is told. One reader and one writer at a time.
/// </summary>
internal sealed class BrokerChannel : IMqttChannel
{
    private const int BufferBytes = 8 * 1024;

    private readonly Stream _stream;
    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _start;
    private int _end;
    private long _bodyLeft;
    private int _length;
    private int _lengthShift = -1;

    public BrokerChannel(Stream stream, EndPoint? local, EndPoint? remote, int packetBytesMax)
    {
        _stream = stream;
        LocalEndPoint = local!;
        RemoteEndPoint = remote!;
        PacketBytesMax = packetBytesMax;
    }

    /// <summary>Largest body of a packet now.</summary>
    public int PacketBytesMax { get; set; }

    /// <summary>True after a packet announced more than <see cref="PacketBytesMax"/>.</summary>
    public bool PacketTooLarge { get; private set; }

    /// <inheritdoc/>
    public X509Certificate2 ClientCertificate => null!;

    /// <inheritdoc/>
    public EndPoint LocalEndPoint { get; }

    /// <inheritdoc/>
    public EndPoint RemoteEndPoint { get; }

    /// <inheritdoc/>
    public bool IsSecureConnection => _stream is SslStream;

    /// <inheritdoc/>
    public Task ConnectAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task DisconnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_stream is SslStream tls)
            {
                await tls.ShutdownAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            }

            _stream.Close();
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The other side has gone already.
        }
    }

    /// <inheritdoc/>
    public async Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        var ahead = _buffer;
        ObjectDisposedException.ThrowIf(ahead is null, this);
        if (_start == _end)
        {
            _start = 0;
            _end = 0;
            _end = await _stream.ReadAsync(ahead.AsMemory(0, BufferBytes), cancellationToken).ConfigureAwait(false);
            if (_end == 0)
            {
                return 0;
            }
        }

        var taken = Math.Min(count, _end - _start);
        Follow(ahead.AsSpan(_start, taken));
        ahead.AsSpan(_start, taken).CopyTo(buffer.AsSpan(offset));
        _start += taken;
        return taken;
    }

    /// <inheritdoc/>
    public async Task WriteAsync(ReadOnlySequence<byte> buffer, bool isEndOfPacket, CancellationToken cancellationToken)
    {
        foreach (var segment in buffer)
        {
            await _stream.WriteAsync(segment, cancellationToken).ConfigureAwait(false);
        }

        if (isEndOfPacket)
        {
            await _stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _stream.Dispose();
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Follows the fixed headers in the bytes handed over: type, then the remaining length in up to four groups of seven bits.</summary>
    private void Follow(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_bodyLeft > 0)
            {
                var skipped = (int)Math.Min(_bodyLeft, bytes.Length);
                _bodyLeft -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            if (_lengthShift < 0)
            {
                (_length, _lengthShift) = (0, 0);
            }
            else
            {
                _length |= (bytes[0] & 0x7f) << _lengthShift;
                _lengthShift += 7;
                if ((bytes[0] & 0x80) == 0)
                {
                    _bodyLeft = _length;
                    _lengthShift = -1;
                    if (_length > PacketBytesMax)
                    {
                        PacketTooLarge = true;
                        throw new MqttProtocolViolationException($"A packet of {_length} bytes is over the limit of {PacketBytesMax}.");
                    }
                }
                else if (_lengthShift > 21)
                {
                    throw new MqttProtocolViolationException("The remaining length of a packet has more than four bytes.");
                }
            }

            bytes = bytes[1..];
        }
    }
}
