using System.Diagnostics.Metrics;

namespace Hub.Cloud.Api;

/// <summary>Counters of the Api stage, on a meter named as its assembly.</summary>
internal sealed class ApiInstruments : IDisposable
{
    public const string MeterName = "Hub.Cloud.Api";

    private readonly Meter meter;
    private readonly Counter<long> problems;
    private readonly UpDownCounter<long> listeners;
    private readonly Counter<long> listenersRefused;
    private readonly Counter<long> liveSent;
    private readonly Counter<long> liveCoalesced;
    private readonly Counter<long> liveEvicted;
    private readonly Counter<long> observations;
    private readonly UpDownCounter<long> queries;
    private readonly UpDownCounter<long> queriesWaiting;

    public ApiInstruments(IMeterFactory? meters = null)
    {
        meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        problems = meter.CreateCounter<long>("hub.api.problems", "{problem}", "Requests answered with a problem, by code.");
        observations = meter.CreateCounter<long>("hub.api.observations", "{observation}", "Observations and buckets sent in answers.");
        queries = meter.CreateUpDownCounter<long>("hub.api.queries", "{query}", "Questions that read much, being answered now.");
        queriesWaiting = meter.CreateUpDownCounter<long>("hub.api.queries.waiting", "{query}", "Questions that read much, waiting for their turn.");
        listeners = meter.CreateUpDownCounter<long>("hub.api.live.listeners", "{listener}", "Listeners to live events now.");
        listenersRefused = meter.CreateCounter<long>("hub.api.live.refused", "{listener}", "Listeners refused because there were too many.");
        liveSent = meter.CreateCounter<long>("hub.api.live.sent", "{event}", "Live events sent, by kind.");
        liveCoalesced = meter.CreateCounter<long>("hub.api.live.coalesced", "{observation}", "Committed observations that shared an event with a newer one of their datastream.");
        liveEvicted = meter.CreateCounter<long>("hub.api.live.evicted", "{entry}", "Datastreams or alarms dropped from the memory of recent changes because it was full, oldest first.");
    }

    public void Problem(string code) => problems.Add(1, new KeyValuePair<string, object?>("code", code));

    public void ObservationsSent(int count) => observations.Add(count);

    public void QueriesRunning(int change) => queries.Add(change);

    public void QueriesWaiting(int change) => queriesWaiting.Add(change);

    public void ListenerCame() => listeners.Add(1);

    public void ListenerLeft() => listeners.Add(-1);

    public void ListenerRefused() => listenersRefused.Add(1);

    public void LiveSent(string kind, int count) => liveSent.Add(count, new KeyValuePair<string, object?>("kind", kind));

    public void LiveCoalesced(int count) => liveCoalesced.Add(count);

    public void LiveEvicted(int count) => liveEvicted.Add(count);

    public void Dispose() => meter.Dispose();
}
