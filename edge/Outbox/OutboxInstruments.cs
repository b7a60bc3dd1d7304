using System.Diagnostics.Metrics;

namespace Hub.Edge.Outbox;

/// <summary>Instruments of the outbox, meter <c>Hub.Edge.Outbox</c>: the counters of <see cref="OutboxCounters"/> and the cost of the disk.</summary>
internal sealed class OutboxInstruments : IDisposable
{
    private readonly Meter _meter = new("Hub.Edge.Outbox");
    private readonly Histogram<double> _flush;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _bytes;
    private long _written;

    public OutboxInstruments(Func<OutboxCounters> counters)
    {
        _meter.CreateObservableCounter("outbox.taken", () => counters().Taken, "{reading}", "Readings appended.");
        _meter.CreateObservableCounter("outbox.released", () => counters().Released, "{reading}", "Readings released after the hub's acknowledgement.");
        _meter.CreateObservableCounter("outbox.refused", () => counters().Refused, "{reading}", "Of the released ones: refused by the hub for good.");
        _meter.CreateObservableGauge("outbox.held", () => counters().Held, "{reading}", "Readings waiting.");
        _meter.CreateObservableGauge("outbox.unwritten", () => counters().Unwritten, "{reading}", "Of the waiting ones: in memory only.");
        _meter.CreateObservableCounter(
            "outbox.dropped",
            () =>
            {
                var now = counters();
                return (Measurement<long>[])[
                    new(now.DroppedFull, new KeyValuePair<string, object?>("reason", "full")),
                    new(now.DroppedAge, new KeyValuePair<string, object?>("reason", "age")),
                    new(now.DroppedDamaged, new KeyValuePair<string, object?>("reason", "damaged")),
                    new(now.DroppedExpired, new KeyValuePair<string, object?>("reason", "expired"))];
            },
            "{reading}",
            "Readings lost, by reason.");
        _flush = _meter.CreateHistogram<double>("outbox.flush.duration", "s", "Time of one write and flush to disk.");
        _bytes = _meter.CreateCounter<long>("outbox.disk.written", "By", "Bytes written to disk, in whole pages as the kernel counts them; what the file system adds is not in it.");
        _failures = _meter.CreateCounter<long>("outbox.append.failed", "{append}", "Appends the disk refused.");
    }

    /// <summary>Bytes written to disk since the outbox was opened, in whole pages.</summary>
    public long Written => Interlocked.Read(ref _written);

    public void Flushed(TimeSpan elapsed, long bytes)
    {
        _flush.Record(elapsed.TotalSeconds);
        Wrote(bytes);
    }

    public void Wrote(long bytes)
    {
        _bytes.Add(bytes);
        Interlocked.Add(ref _written, bytes);
    }

    public void AppendFailed(int appends) => _failures.Add(appends);

    public void Dispose() => _meter.Dispose();
}
