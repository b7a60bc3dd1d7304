using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox.Tests;

/// <summary>The outbox without a disk, for tests of others; it passes the same suite.</summary>
internal sealed class MemoryOutbox : IOutbox
{
    private readonly Lock _gate = new();
    private readonly List<Reading> _readings = [];
    private readonly HashSet<long> _released = [];
    private readonly Dictionary<string, byte[]> _cursors = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _refused;
    private long _expired;

    public long Head
    {
        get
        {
            lock (_gate)
            {
                return Held(0);
            }
        }
    }

    public long Live
    {
        get
        {
            lock (_gate)
            {
                return _readings.Count;
            }
        }
    }

    public OutboxCounters Counters
    {
        get
        {
            lock (_gate)
            {
                return new OutboxCounters(_readings.Count, _released.Count - _expired, _readings.Count - _released.Count, 0, 0, 0, _refused) { DroppedExpired = _expired };
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

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

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
                if (Read(from, long.MaxValue, countMax) is { } batch)
                {
                    return batch;
                }

                more = _more.Task;
            }

            await more.WaitAsync(cancellationToken);
        }
    }

    public ValueTask<OutboxBatch?> TryReadAsync(long from, long until, int countMax, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return ValueTask.FromResult(Read(from, until, countMax));
        }
    }

    public ValueTask ReleaseAsync(long from, long until, int refused, int expired, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(refused);
        lock (_gate)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(until, _readings.Count);
            var left = 0;
            for (var sequence = from; sequence < until; sequence++)
            {
                left += _released.Add(sequence) ? 1 : 0;
            }

            var dropped = Math.Min(expired, left);
            _expired += dropped;
            _refused += Math.Min(refused, left - dropped);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private long Held(long from)
    {
        while (_released.Contains(from))
        {
            from++;
        }

        return from;
    }

    private OutboxBatch? Read(long from, long until, int countMax)
    {
        var start = Held(from);
        var end = start;
        while (end < Math.Min(until, _readings.Count) && end < start + countMax && !_released.Contains(end))
        {
            end++;
        }

        return end <= start ? null : new OutboxBatch(start, end, _readings.GetRange((int)start, (int)(end - start)));
    }
}
