using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox.Tests;

/// <summary>The outbox without a disk, for tests of others; it passes the same suite.</summary>
internal sealed class MemoryOutbox : IOutbox
{
    private readonly Lock _gate = new();
    private readonly List<Reading> _readings = [];
    private readonly Dictionary<string, byte[]> _cursors = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _head;
    private long _refused;

    public long Head
    {
        get
        {
            lock (_gate)
            {
                return _head;
            }
        }
    }

    public OutboxCounters Counters
    {
        get
        {
            lock (_gate)
            {
                return new OutboxCounters(_readings.Count, _head, _readings.Count - _head, 0, 0, 0, _refused);
            }
        }
    }

    public ValueTask AppendAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _ = GroupCodec.Encode(readings.Span, cursor, Sample.Start);
        lock (_gate)
        {
            _readings.AddRange(readings.Span);
            if (cursor is { } position)
            {
                _cursors[position.Source] = position.Value.ToArray();
            }

            _more.TrySetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return ValueTask.CompletedTask;
    }

    public ReadOnlyMemory<byte> Cursor(string source)
    {
        lock (_gate)
        {
            return _cursors.GetValueOrDefault(source);
        }
    }

    public async ValueTask<OutboxBatch> ReadAsync(long from, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        while (true)
        {
            Task more;
            lock (_gate)
            {
                var start = Math.Max(from, _head);
                if (start < _readings.Count)
                {
                    var readings = _readings.GetRange((int)start, (int)Math.Min(countMax, _readings.Count - start));
                    return new OutboxBatch(start, start + readings.Count, readings);
                }

                more = _more.Task;
            }

            await more.WaitAsync(cancellationToken);
        }
    }

    public ValueTask ReleaseAsync(long until, int refused, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(refused);
        lock (_gate)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(until, _readings.Count);
            if (until > _head)
            {
                _refused += Math.Min(refused, until - _head);
                _head = until;
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
