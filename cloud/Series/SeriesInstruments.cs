using System.Diagnostics.Metrics;

namespace Hub.Cloud.Series;

/// <summary>Meter <c>Hub.Cloud.Series</c>. Each appended observation is counted once, when its fate is known: stored, duplicate, corrected, or refused (not acknowledged).</summary>
internal sealed class SeriesInstruments : IDisposable
{
    public const string MeterName = "Hub.Cloud.Series";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _commits;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _observations;
    private readonly Counter<long> _history;
    private readonly Counter<long> _observerFailures;
    private readonly Counter<long> _lookups;
    private readonly Histogram<double> _commitDuration;
    private readonly Histogram<int> _commitSize;
    private readonly Counter<long> _flushes;
    private readonly Counter<long> _flushFailures;
    private readonly Counter<long> _compactions;
    private readonly Counter<long> _compactionFailures;
    private readonly Counter<long> _rowsWritten;
    private readonly Counter<long> _bytesWritten;
    private readonly Counter<long> _deleted;
    private readonly Counter<long> _condensed;
    private readonly Counter<long> _rollupWrites;
    private readonly Counter<long> _rollupFailures;
    private readonly Counter<long> _rollupServed;
    private readonly Counter<long> _rollupDamaged;
    private readonly Histogram<double> _workDuration;
    private readonly Histogram<double> _flushWait;
    private readonly Counter<long> _partFailures;

    public SeriesInstruments()
    {
        _commits = _meter.CreateCounter<long>("hub.series.commits", "{commit}", "Group commits that are durable.");
        _failures = _meter.CreateCounter<long>("hub.series.commit.failures", "{commit}", "Group commits that failed; nothing of them was acknowledged.");
        _observations = _meter.CreateCounter<long>("hub.series.observations", "{observation}", "Appended observations by outcome.");
        _history = _meter.CreateCounter<long>("hub.series.history", "{observation}", "Losing values kept in the history.");
        _observerFailures = _meter.CreateCounter<long>("hub.series.observer.failures", "{call}", "Calls in which an observer threw.");
        _lookups = _meter.CreateCounter<long>("hub.series.key.lookups", "{query}", "Queries for stored keys, by kind: a whole day, single keys, or ahead of the commit.");
        _commitDuration = _meter.CreateHistogram<double>("hub.series.commit.duration", "s", "From the start of a group commit until it is durable.");
        _commitSize = _meter.CreateHistogram<int>("hub.series.commit.size", "{observation}", "Observations in a group commit.");
        _flushes = _meter.CreateCounter<long>("hub.series.flushes", "{flush}", "Memory tables written as parts.");
        _flushFailures = _meter.CreateCounter<long>("hub.series.flush.failures", "{flush}", "Attempts that failed; nothing is lost, they are repeated.");
        _compactions = _meter.CreateCounter<long>("hub.series.compactions", "{merge}", "Merges of the parts of a day.");
        _compactionFailures = _meter.CreateCounter<long>("hub.series.compaction.failures", "{merge}", "Merges that failed; the parts stay as they are.");
        _rowsWritten = _meter.CreateCounter<long>("hub.series.part.rows", "{observation}", "Rows written to parts, by what wrote them.");
        _bytesWritten = _meter.CreateCounter<long>("hub.series.part.bytes", "By", "Bytes written to parts, by what wrote them.");
        _deleted = _meter.CreateCounter<long>("hub.series.deleted", "{observation}", "Observations deleted on request.");
        _condensed = _meter.CreateCounter<long>("hub.series.condensed", "{observation}", "Observations removed on request whose rollups are kept.");
        _rollupWrites = _meter.CreateCounter<long>("hub.series.rollups", "{file}", "Months of rollups written.");
        _rollupFailures = _meter.CreateCounter<long>("hub.series.rollup.failures", "{file}", "Attempts that failed; answers come from the observations meanwhile.");
        _rollupServed = _meter.CreateCounter<long>("hub.series.rollup.served", "{cell}", "Cells that questions took from rollups instead of their observations.");
        _rollupDamaged = _meter.CreateCounter<long>("hub.series.rollup.damaged", "{month}", "Months that a question folded from observations because the file of their derived rollups is damaged.");
        _workDuration = _meter.CreateHistogram<double>("hub.series.part.duration", "s", "Duration of a flush or a merge.");
        _flushWait = _meter.CreateHistogram<double>("hub.series.flush.wait", "s", "Time a commit waited because too many memory tables were not written yet.");
        _partFailures = _meter.CreateCounter<long>("hub.series.part.failures", "{part}", "Parts found that cannot be read, each once: damaged, gone, or on a disk that refuses.");
    }

    /// <summary>Whether a meter is this one: several stores may live in one process.</summary>
    public bool Owns(Meter meter) => ReferenceEquals(meter, _meter);

    public void Watch(Func<long> queued, Func<long> waitingCalls, Func<long> knownKeys, Func<long> lastCommit)
    {
        _meter.CreateObservableGauge("hub.series.queue.observations", queued, "{observation}", "Observations admitted and not yet committed.");
        _meter.CreateObservableGauge("hub.series.queue.waiting", waitingCalls, "{call}", "Calls that wait because the queue is full.");
        _meter.CreateObservableGauge("hub.series.known.keys", knownKeys, "{key}", "Stored keys held in memory.");
        _meter.CreateObservableGauge("hub.series.commit.last", lastCommit, "{commit}", "Number of the last durable commit.");
    }

    public void WatchFiles(Func<long> memoryRows, Func<long> frozen, Func<long> parts, Func<long> partBytes, Func<long> logBytes, Func<long> openParts, Func<long> aside, Func<bool> canCommit)
    {
        _meter.CreateObservableGauge("hub.series.queue.aside", aside, "{observation}", "Observations of calls whose many late keys are being looked up ahead of their commit.");
        _meter.CreateObservableGauge("hub.series.memory.rows", memoryRows, "{observation}", "Rows in memory tables, not in parts yet.");
        _meter.CreateObservableGauge("hub.series.memory.frozen", frozen, "{table}", "Memory tables that wait to be written as parts.");
        _meter.CreateObservableGauge("hub.series.parts", parts, "{part}", "Live parts.");
        _meter.CreateObservableGauge("hub.series.parts.bytes", partBytes, "By", "Bytes of the live parts.");
        _meter.CreateObservableGauge("hub.series.log.bytes", logBytes, "By", "Bytes of the write-ahead log.");
        _meter.CreateObservableGauge("hub.series.parts.open", openParts, "{part}", "Parts open for reading.");
        _meter.CreateObservableGauge("hub.series.available", () => canCommit() ? 1L : 0L, "1", "1 while the store takes appends, 0 while it cannot commit: see the health for the reason.");
    }

    public void Flushed(long rows, long bytes, TimeSpan took) => Written("flush", _flushes, rows, bytes, took);

    public void FlushFailed() => _flushFailures.Add(1);

    public void Compacted(long rows, long bytes, TimeSpan took) => Written("compaction", _compactions, rows, bytes, took);

    public void CompactionFailed() => _compactionFailures.Add(1);

    public void RolledUp(long rows, long bytes, TimeSpan took) => Written("rollup", _rollupWrites, rows, bytes, took);

    public void RollupFailed() => _rollupFailures.Add(1);

    public void RollupDamaged() => _rollupDamaged.Add(1);

    public void RollupServed(int cells)
    {
        if (cells > 0)
        {
            _rollupServed.Add(cells);
        }
    }

    public void WaitedForFlush(TimeSpan took) => _flushWait.Record(took.TotalSeconds);

    public void Deleted(long count) => _deleted.Add(count);

    public void Condensed(long count) => _condensed.Add(count);

    public void Committed(int observations, TimeSpan took)
    {
        _commits.Add(1);
        _commitSize.Record(observations);
        _commitDuration.Record(took.TotalSeconds);
    }

    public void PartFailed() => _partFailures.Add(1);

    public void Failed() => _failures.Add(1);

    public void Observed(string outcome, long count)
    {
        if (count > 0)
        {
            _observations.Add(count, new KeyValuePair<string, object?>("outcome", outcome));
        }
    }

    public void Lost(int count)
    {
        if (count > 0)
        {
            _history.Add(count);
        }
    }

    public void ObserverFailed() => _observerFailures.Add(1);

    public void LookedUp(string kind) => _lookups.Add(1, new KeyValuePair<string, object?>("kind", kind));

    public void Dispose() => _meter.Dispose();

    private void Written(string by, Counter<long> times, long rows, long bytes, TimeSpan took)
    {
        var tag = new KeyValuePair<string, object?>("by", by);
        times.Add(1);
        _rowsWritten.Add(rows, tag);
        _bytesWritten.Add(bytes, tag);
        _workDuration.Record(took.TotalSeconds, tag);
    }
}
