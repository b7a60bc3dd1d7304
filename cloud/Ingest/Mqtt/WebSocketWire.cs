using System.Buffers;
using System.Net.WebSockets;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// The bytes of MQTT over a WebSocket (MQTT 5, section 6): the payloads of binary messages one after the other, whatever packets they are cut into; what is sent leaves as one message for
/// each write. A text message ends it. One reader and one writer at a time, as a stream has.
/// </summary>
/// <param name="socket">The accepted WebSocket; belongs to this stream from now on.</param>
/// <param name="abort">Ends the connection underneath at once: what cannot be said goodbye to.</param>
internal sealed class WebSocketWire(WebSocket socket, Action abort) : Stream
{
    /// <summary>Most that is read ahead of who takes it, bytes.</summary>
    private const int BlockBytes = 8 * 1024;

    // A receive that is cancelled would end the socket, and with it the last words to the client. So a receive is never cancelled: who waits for it goes, and it stays. Therefore it must not
    // fill the caller's buffer either, which will be used for something else; and to hold no memory while nothing comes, it begins without a buffer and asks for one when data is there.
    private Task<ValueWebSocketReceiveResult>? _pending;
    private bool _isDataThere;
    private byte[] _block = [];
    private int _start;
    private int _end;
    private bool _ended;
    private Exception? _failure;
    private WebSocketCloseStatus? _fault;
    private int _disposed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Reads what has come, of as many messages as there are and have room: publishes that arrive in a message each are still taken together.</summary>
    /// <returns>Bytes read; 0 when the client has sent a close frame.</returns>
    /// <exception cref="IOException">The connection broke off, the client did not keep to the protocol, or sent text.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            if (_start < _end)
            {
                var count = Math.Min(_end - _start, buffer.Length - filled);
                _block.AsSpan(_start, count).CopyTo(buffer.Span[filled..]);
                _start += count;
                filled += count;
                continue;
            }

            if (_ended || (_failure is not null && filled > 0))
            {
                break;
            }

            if (_failure is not null)
            {
                throw new IOException("The WebSocket has ended.", _failure);
            }

            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (_pending is null)
                {
                    var receive = socket.ReceiveAsync(_isDataThere ? Block() : Memory<byte>.Empty, CancellationToken.None);
                    if (receive.IsCompleted)
                    {
                        Take(await receive.ConfigureAwait(false));
                        continue;
                    }

                    _pending = receive.AsTask();
                    if (!_isDataThere)
                    {
                        // A quiet connection holds no memory.
                        GiveBlock();
                    }
                }

                if (!_pending.IsCompleted && filled > 0)
                {
                    break;
                }

                var result = await _pending.WaitAsync(cancellationToken).ConfigureAwait(false);
                _pending = null;
                Take(result);
            }
            catch (Exception exception) when (exception is WebSocketException or InvalidOperationException or ObjectDisposedException)
            {
                _failure = exception;
            }
        }

        return filled;
    }

    /// <summary>Sends one binary message.</summary>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await socket.SendAsync(buffer, WebSocketMessageType.Binary, WebSocketMessageFlags.EndOfMessage, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is WebSocketException or InvalidOperationException)
        {
            throw new IOException("The WebSocket has ended.", exception);
        }
    }

    /// <summary>
    /// Sends a close frame and waits for the client's; what it says besides is not heard any more. Call it when everything is sent and nobody reads.
    /// </summary>
    /// <param name="isStopping">Whether it is because the hub stops, which the client is told.</param>
    /// <param name="cancellationToken">Ends the wait: the connection is then cut off.</param>
    /// <exception cref="IOException">The connection is gone.</exception>
    public async Task CloseAsync(bool isStopping, CancellationToken cancellationToken)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived))
        {
            return;
        }

        try
        {
            await socket.CloseOutputAsync(_fault ?? (isStopping ? WebSocketCloseStatus.EndpointUnavailable : WebSocketCloseStatus.NormalClosure), null, cancellationToken).ConfigureAwait(false);
            while (!_ended)
            {
                _pending ??= socket.ReceiveAsync(Block(), CancellationToken.None).AsTask();
                var result = await _pending.WaitAsync(cancellationToken).ConfigureAwait(false);
                _pending = null;
                _ended = result.MessageType == WebSocketMessageType.Close;
            }
        }
        catch (Exception exception) when (exception is WebSocketException or InvalidOperationException)
        {
            throw new IOException("The WebSocket has ended.", exception);
        }
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
        if (disposing && Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            if (socket.State != WebSocketState.Closed)
            {
                abort();
            }

            socket.Dispose();
            if (_pending is { IsCompleted: false })
            {
                // It may still write to the block, which therefore is left to the collector.
                _ = _pending.ContinueWith(static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
            else
            {
                GiveBlock();
            }
        }

        base.Dispose(disposing);
    }

    private void Take(ValueWebSocketReceiveResult result)
    {
        switch (result.MessageType)
        {
            case WebSocketMessageType.Close:
                _ended = true;
                break;
            case WebSocketMessageType.Text:
                _fault = WebSocketCloseStatus.InvalidMessageType;
                _failure = new InvalidDataException("The client sent text, and MQTT is binary.");
                break;
            case var _ when _isDataThere:
                (_start, _end, _isDataThere) = (0, result.Count, false);
                break;
            default:
                // Nothing was asked for: unless it was an empty message, there is data now.
                _isDataThere = !result.EndOfMessage;
                break;
        }
    }

    private Memory<byte> Block()
    {
        if (_block.Length == 0)
        {
            _block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        }

        return _block;
    }

    private void GiveBlock()
    {
        if (_block.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = [];
        }

        (_start, _end) = (0, 0);
    }
}
