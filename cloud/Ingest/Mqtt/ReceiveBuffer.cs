using System.Buffers;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// What a connection has received and nobody has taken yet, in one pooled block. Small while little comes, larger while receives fill it, and as large as a packet that is still coming:
/// it grows with the bytes that are really there, never with what a packet announces. Used by the connection's reader only.
/// </summary>
internal sealed class ReceiveBuffer : IDisposable
{
    /// <summary>Block of a connection that says little, bytes: ten thousand of them wait at once.</summary>
    private const int BytesMin = 4 * 1024;

    /// <summary>Block of a connection that says much, bytes: some sixty publishes are taken together.</summary>
    private const int BytesBusy = 16 * 1024;

    private byte[] _bytes = [];
    private int _start;
    private int _end;
    private int _offered = -1;
    private int _lastFill;

    /// <summary>Received and not taken.</summary>
    public ReadOnlySpan<byte> Unread => _bytes.AsSpan(_start, _end - _start);

    /// <summary>Takes bytes from the front.</summary>
    public void Consume(int count) => _start += count;

    /// <summary>Where the next bytes go: at least one.</summary>
    public Memory<byte> Room()
    {
        var unread = _end - _start;
        if (unread == 0)
        {
            (_start, _end) = (0, 0);
            var wanted = _lastFill == _offered ? BytesBusy : _lastFill < BytesMin / 4 ? BytesMin : Math.Min(_bytes.Length, BytesBusy);
            if (wanted != _bytes.Length)
            {
                Replace(wanted, 0);
            }
        }
        else if (_end == _bytes.Length)
        {
            if (unread <= _bytes.Length / 2)
            {
                _bytes.AsSpan(_start, unread).CopyTo(_bytes);
                (_start, _end) = (0, unread);
            }
            else
            {
                Replace(_bytes.Length * 2, unread);
            }
        }

        _offered = _bytes.Length - _end;
        return _bytes.AsMemory(_end);
    }

    /// <summary>Tells how much of <see cref="Room"/> was filled.</summary>
    public void Filled(int count)
    {
        _end += count;
        _lastFill = count;
    }

    public void Dispose()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }

        (_start, _end) = (0, 0);
    }

    private void Replace(int wanted, int unread)
    {
        var other = ArrayPool<byte>.Shared.Rent(wanted);
        _bytes.AsSpan(_start, unread).CopyTo(other);
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        (_bytes, _start, _end) = (other, 0, unread);
    }
}
