using System.Diagnostics.Metrics;

namespace Hub.Edge.Outbox;

/// <summary>Instruments of the outbox, meter <c>Hub.Edge.Outbox</c>: the counters of <see cref="OutboxCounters"/> and the cost of the disk.</summary>
internal sealed class OutboxInstruments : IDisposable
{
    private readonly Meter _meter = new("Hub.Edge.Outbox");
    private readonly Histogram<double> _flush;
    private readonly Counter<long> _failures;

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
                    new(now.DroppedDamaged, new KeyValuePair<string, object?>("reason", "damaged"))];
            },
            "{reading}",
            "Readings lost, by reason.");
        _flush = _meter.CreateHistogram<double>("outbox.flush.duration", "s", "Time of one write and flush to disk.");
        _failures = _meter.CreateCounter<long>("outbox.append.failed", "{append}", "Appends the disk refused.");
    }

    public void Flushed(TimeSpan elapsed) => _flush.Record(elapsed.TotalSeconds);

    public void AppendFailed(int appends) => _failures.Add(appends);

    public void Dispose() => _meter.Dispose();
}
