using System.Threading.Channels;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>A connection in memory whose other side says what the test feeds, and can stop taking bytes for a while or for good.</summary>
internal sealed class HeldWire : Stream
{
    private readonly Channel<byte[]> _fed = Channel.CreateBounded<byte[]>(1_000_000);
    private readonly List<byte> _written = [];
    private ReadOnlyMemory<byte> _rest;
    private TaskCompletionSource? _held;
    private int _waiting;

    public int Waiting => Volatile.Read(ref _waiting);

    public int Writes { get; private set; }

    public IReadOnlyList<byte> Written
    {
        get
        {
            lock (_written)
            {
                return [.. _written];
            }
        }
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>While true it takes nothing: writes fail as they do when the other side has gone.</summary>
    public bool IsBroken { get; set; }

    public void Feed(params byte[][] packets)
    {
        foreach (var bytes in packets)
        {
            Interlocked.Add(ref _waiting, bytes.Length);
            Assert.True(_fed.Writer.TryWrite(bytes));
        }
    }

    /// <summary>What was fed is all there will be.</summary>
    public void End() => _fed.Writer.Complete();

    public void Hold() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => Interlocked.Exchange(ref _held, null)!.SetResult();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_rest.IsEmpty)
        {
            if (!await _fed.Reader.WaitToReadAsync(cancellationToken))
            {
                return 0;
            }

            Assert.True(_fed.Reader.TryRead(out var fed));
            _rest = fed;
        }

        var count = Math.Min(buffer.Length, _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        Interlocked.Add(ref _waiting, -count);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_held is { } held)
        {
            await held.Task;
        }

        if (IsBroken)
        {
            throw new IOException("Broken pipe");
        }

        lock (_written)
        {
            Writes++;
            _written.AddRange(buffer.Span);
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
}
