using System.Buffers;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// What goes to a client. Packets are encoded and put in line under one lock, because the library's encoder has one buffer and the order of bytes is the order of acknowledgements; one
/// writer at a time sends what has gathered, in one go, outside the lock. Nobody who only adds ever waits for the client. Safe for concurrent callers.
/// </summary>
internal sealed class ConnectionOutput(Stream stream, MqttPacketFormatterAdapter formatter, Action drained) : IDisposable
{
    /// <summary>Bytes unsent past which the connection is not read from until the client takes them.</summary>
    public const int UnsentBytesMax = 64 * 1024;

    private const int BytesMin = 1024;

    private readonly List<(long Position, TaskCompletionSource Written)> _waiting = [];
    private byte[] _gathering = [];
    private byte[] _spare = [];
    private int _count;
    private long _added;
    private long _written;
    private bool _writing;
    private bool _ended;
    private Exception? _failure;

    /// <summary>Guards what is added, and whatever else must be in the order of it.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Bytes added and not yet sent; 0 when the connection is gone.</summary>
    public long Unsent => Volatile.Read(ref _failure) is null ? Interlocked.Read(ref _added) - Interlocked.Read(ref _written) : 0;

    /// <summary>Whether the other side does not take what is sent to it, because it has gone.</summary>
    public bool HasFailed => Volatile.Read(ref _failure) is { } failure and not ObjectDisposedException;

    /// <summary>Bytes sent so far.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Adds a PUBACK without reason; the same in all versions. The caller holds <see cref="Gate"/>.</summary>
    public void AddPubAck(ushort packetIdentifier)
    {
        if (!_ended)
        {
            var room = Room(4);
            room[0] = 0x40;
            room[1] = 2;
            room[2] = (byte)(packetIdentifier >> 8);
            room[3] = (byte)packetIdentifier;
            _count += 4;
            Interlocked.Add(ref _added, 4);
        }
    }

    /// <summary>Adds a packet; after a DISCONNECT, and when sending has failed, nothing more is added. The caller holds <see cref="Gate"/>.</summary>
    /// <returns>What to wait for with <see cref="WrittenAsync"/>; -1 when it was not added.</returns>
    public long Add(MqttPacket packet)
    {
        if (_ended)
        {
            return -1;
        }

        try
        {
            var encoded = formatter.Encode(packet);
            var room = Room(encoded.Length);
            encoded.Packet.AsSpan().CopyTo(room);
            encoded.Payload.CopyTo(room[encoded.Packet.Count..]);
            _count += encoded.Length;
            _ended = packet is MqttDisconnectPacket;
            return Interlocked.Add(ref _added, encoded.Length);
        }
        finally
        {
            formatter.Cleanup();
        }
    }

    /// <summary>Sends what has gathered, unless somebody is at it already and will. Never waits for the client.</summary>
    public void Flush()
    {
        lock (Gate)
        {
            if (_writing || _count == 0)
            {
                return;
            }

            _writing = true;
        }

        _ = WriteAsync();
    }

    /// <summary>Waits until everything up to a position is sent.</summary>
    /// <exception cref="MqttCommunicationException">The connection is gone.</exception>
    public Task WrittenAsync(long position, CancellationToken cancellationToken)
    {
        lock (Gate)
        {
            if (_failure is null && position >= 0)
            {
                if (_written >= position)
                {
                    return Task.CompletedTask;
                }

                var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Add((position, written));
                return WaitAsync(written, cancellationToken);
            }
        }

        return Task.FromException(new MqttCommunicationException("The connection is gone.", _failure));
    }

    /// <summary>Lets nothing more be added and waits until the rest is sent.</summary>
    public Task EndAsync(CancellationToken cancellationToken)
    {
        long position;
        lock (Gate)
        {
            _ended = true;
            position = _added;
        }

        Flush();
        return WrittenAsync(position, cancellationToken);
    }

    public void Dispose() => Fail(new ObjectDisposedException(nameof(ConnectionOutput)));

    private async Task WaitAsync(TaskCompletionSource written, CancellationToken cancellationToken)
    {
        await written.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_failure is { } failure)
        {
            throw new MqttCommunicationException("The connection is gone.", failure);
        }
    }

    private async Task WriteAsync()
    {
        while (true)
        {
            byte[] bytes;
            int count;
            lock (Gate)
            {
                if (_count == 0 || _failure is not null)
                {
                    // A quiet connection holds no memory.
                    Give(ref _gathering);
                    Give(ref _spare);
                    (_writing, _count) = (false, 0);
                    return;
                }

                (bytes, count) = (_gathering, _count);
                (_gathering, _spare, _count) = (_spare, [], 0);
            }

            try
            {
                await stream.WriteAsync(bytes.AsMemory(0, count)).ConfigureAwait(false);
                await stream.FlushAsync().ConfigureAwait(false);
            }
#pragma warning disable CA1031 // Whatever the stream throws, the connection is gone, and those who wait must hear of it.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Fail(exception);
            }

            Sent(bytes, count);
        }
    }

    private void Sent(byte[] bytes, int count)
    {
        lock (Gate)
        {
            Interlocked.Add(ref _written, count);
            if (_spare.Length == 0)
            {
                _spare = bytes;
            }
            else
            {
                Give(ref bytes);
            }

            for (var i = _waiting.Count - 1; i >= 0; i--)
            {
                if (_failure is null && _waiting[i].Position <= _written)
                {
                    _waiting[i].Written.TrySetResult();
                    _waiting.RemoveAt(i);
                }
            }
        }

        if (Unsent + count > UnsentBytesMax)
        {
            drained();
        }
    }

    private void Fail(Exception exception)
    {
        lock (Gate)
        {
            _ended = true;
            if (_failure is not null)
            {
                return;
            }

            _failure = exception;
            foreach (var (_, written) in _waiting)
            {
                written.TrySetResult();
            }

            _waiting.Clear();
            if (!_writing)
            {
                Give(ref _gathering);
                Give(ref _spare);
                _count = 0;
            }
        }

        drained();
    }

    private Span<byte> Room(int wanted)
    {
        if (_count + wanted > _gathering.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(BytesMin, Math.Max(_count + wanted, _gathering.Length * 2)));
            _gathering.AsSpan(0, _count).CopyTo(larger);
            Give(ref _gathering);
            _gathering = larger;
        }

        return _gathering.AsSpan(_count);
    }

    private static void Give(ref byte[] bytes)
    {
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = [];
        }
    }
}
