using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;

namespace Hub.Edge.Sampling.Tests;

/// <summary>An outbox in memory that can refuse to write, and notices two writers at a time.</summary>
internal sealed class FakeOutbox : IOutbox
{
    private readonly Dictionary<string, byte[]> cursors = [];
    private readonly List<Reading> readings = [];
    private int writers;

    /// <summary>Fails an append before anything is kept.</summary>
    public Func<bool> Refuses { get; set; } = () => false;

    public int Appends { get; private set; }

    public bool TwoWriters { get; private set; }

    public Reading[] Readings
    {
        get
        {
            lock (readings)
            {
                return [.. readings];
            }
        }
    }

    public long Head => 0;

    public long Live => Readings.Length;

    public OutboxCounters Counters => new(Readings.Length, 0, Readings.Length, 0, 0, 0, 0);

    public async ValueTask AppendAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        TwoWriters |= Interlocked.Increment(ref writers) > 1;
        try
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            if (Refuses())
            {
                throw new IOException("No space left on device.");
            }

            lock (this.readings)
            {
                this.readings.AddRange(readings.Span);
                if (cursor is { } position)
                {
                    cursors[position.Source] = position.Value.ToArray();
                }

                Appends++;
            }
        }
        finally
        {
            Interlocked.Decrement(ref writers);
        }
    }

    public ReadOnlyMemory<byte> Cursor(string source)
    {
        lock (readings)
        {
            return cursors.GetValueOrDefault(source);
        }
    }

    public ValueTask<OutboxBatch> ReadAsync(long from, int countMax, CancellationToken cancellationToken) => throw new NotSupportedException("Sampling never reads.");

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask<OutboxBatch?> TryReadAsync(long from, long until, int countMax, CancellationToken cancellationToken) => throw new NotSupportedException("Sampling never reads.");

    public ValueTask ReleaseAsync(long from, long until, int refused, int expired, CancellationToken cancellationToken) => throw new NotSupportedException("Sampling never releases.");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
