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

    public SeriesInstruments()
    {
        _commits = _meter.CreateCounter<long>("hub.series.commits", "{commit}", "Group commits that are durable.");
        _failures = _meter.CreateCounter<long>("hub.series.commit.failures", "{commit}", "Group commits that failed; nothing of them was acknowledged.");
        _observations = _meter.CreateCounter<long>("hub.series.observations", "{observation}", "Appended observations by outcome.");
        _history = _meter.CreateCounter<long>("hub.series.history", "{observation}", "Losing values kept in the history.");
        _observerFailures = _meter.CreateCounter<long>("hub.series.observer.failures", "{call}", "Calls in which an observer threw.");
        _lookups = _meter.CreateCounter<long>("hub.series.key.lookups", "{query}", "Queries for stored keys, by kind: a whole day, or single keys.");
        _commitDuration = _meter.CreateHistogram<double>("hub.series.commit.duration", "s", "From the start of a group commit until it is durable.");
        _commitSize = _meter.CreateHistogram<int>("hub.series.commit.size", "{observation}", "Observations in a group commit.");
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

    public void Committed(int observations, TimeSpan took)
    {
        _commits.Add(1);
        _commitSize.Record(observations);
        _commitDuration.Record(took.TotalSeconds);
    }

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
}
