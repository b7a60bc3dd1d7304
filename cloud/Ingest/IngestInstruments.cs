using System.Diagnostics.Metrics;
using Hub.Cloud.Ingest.Pipeline;

namespace Hub.Cloud.Ingest;

/// <summary>Counts what happens in the ingest stage; methods are named for events. Safe for concurrent callers.</summary>
internal sealed class IngestInstruments : IIngestCounters, IDisposable
{
    public const string MeterName = "Hub.Cloud.Ingest";

    private readonly Lock _gate = new();
    private readonly Meter _meter;
    private readonly Counter<long> _packs;
    private readonly Counter<long> _records;
    private readonly Counter<long> _unavailable;
    private readonly Counter<long> _refusedLogins;
    private readonly Counter<long> _refusedTopics;
    private readonly Counter<long> _refusedConnections;
    private readonly Counter<long> _quarantineLeft;
    private readonly Counter<long> _undelivered;
    private readonly Counter<long> _stationMessages;
    private readonly Counter<long> _expired;
    private readonly Counter<long> _adapterFields;
    private readonly Counter<long> _polls;
    private readonly Counter<long> _pauses;
    private readonly UpDownCounter<long> _connections;
    private readonly Histogram<double> _duration;
    private IngestCounters _totals;

    public IngestInstruments(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _packs = _meter.CreateCounter<long>("hub.ingest.packs", "{pack}", "Packs taken, by transport.");
        _records = _meter.CreateCounter<long>("hub.ingest.records", "{record}", "Records by transport and outcome: stored, corrected, duplicate, quarantined. Their sum is what was received.");
        _unavailable = _meter.CreateCounter<long>("hub.ingest.unavailable", "{pack}", "Packs not acknowledged because the store or the quarantine could not commit, by transport.");
        _refusedLogins = _meter.CreateCounter<long>("hub.ingest.refused_logins", "{login}", "Logins refused, by transport and reason.");
        _refusedTopics = _meter.CreateCounter<long>("hub.ingest.refused_topics", "{message}", "Publishes and subscriptions refused because of their topic, by transport.");
        _refusedConnections = _meter.CreateCounter<long>("hub.ingest.refused_connections", "{connection}", "MQTT connections not taken, by transport and reason: connections (too many), tls (handshake), and of WebSockets origin, sub-protocol, websocket (none).");
        _quarantineLeft = _meter.CreateCounter<long>("hub.ingest.quarantine.left", "{entry}", "Entries that left the quarantine, by reason: released, discarded, evicted.");
        _undelivered = _meter.CreateCounter<long>("hub.ingest.undelivered", "{message}", "Messages not queued for a subscriber whose queue was full.");
        _stationMessages = _meter.CreateCounter<long>("hub.ingest.station_messages", "{message}", "Messages of stations besides readings, by kind (status, reported, reply) and outcome: handed (to a listener), replaced (by a newer one before it was handed), dropped (queue full), failed (the listener), unknown (no such station, or a topic of no station).");
        _expired = _meter.CreateCounter<long>("hub.ingest.expired", "{message}", "Messages of the hub not delivered because they had expired before their receiver was there.");
        _adapterFields = _meter.CreateCounter<long>("hub.ingest.adapter.fields", "{field}", "Fields of foreign pushes that became no reading, by adapter and outcome: ignored (known, left out on purpose), unknown (in the quarantine).");
        _polls = _meter.CreateCounter<long>("hub.ingest.telraam.polls", "{request}", "Requests to the Telraam API, by outcome.");
        _pauses = _meter.CreateCounter<long>("hub.ingest.pauses", "{pause}", "Times an MQTT connection was not read from, by reason: hub (bytes not yet committed, of all), connection (its own publishes not yet acknowledged), order (an acknowledgement must leave first), unsent (its client does not read).");
        _connections = _meter.CreateUpDownCounter<long>("hub.ingest.connections", "{connection}", "Open MQTT connections, by transport.");
        _duration = _meter.CreateHistogram<double>("hub.ingest.pack.duration", "s", "Time from a pack's arrival to its being on disk, by transport.");
    }

    /// <inheritdoc/>
    public IngestCounters Snapshot()
    {
        lock (_gate)
        {
            return _totals;
        }
    }

    public void PacksTaken(PackBatch batch, TimeSpan duration)
    {
        int received = 0, stored = 0, corrected = 0, duplicate = 0, quarantined = 0;
        for (var pack = 0; pack < batch.Count; pack++)
        {
            ref readonly var receipt = ref batch.ReceiptOf(pack);
            received += receipt.Received;
            stored += receipt.Stored;
            corrected += receipt.Corrected;
            duplicate += receipt.Duplicate;
            quarantined += receipt.Quarantined;
        }

        lock (_gate)
        {
            _totals = _totals with
            {
                Packs = _totals.Packs + batch.Count,
                Received = _totals.Received + received,
                Stored = _totals.Stored + stored,
                Corrected = _totals.Corrected + corrected,
                Duplicate = _totals.Duplicate + duplicate,
                Quarantined = _totals.Quarantined + quarantined,
            };
        }

        var tag = new KeyValuePair<string, object?>("transport", batch.Transport);
        _packs.Add(batch.Count, tag);
        for (var pack = 0; pack < batch.Count && _duration.Enabled; pack++)
        {
            _duration.Record(duration.TotalSeconds, tag);
        }

        Records(stored, tag, "stored");
        Records(corrected, tag, "corrected");
        Records(duplicate, tag, "duplicate");
        Records(quarantined, tag, "quarantined");
    }

    public void StoreUnavailable(string transport, int packs)
    {
        lock (_gate)
        {
            _totals = _totals with { Unavailable = _totals.Unavailable + packs };
        }

        _unavailable.Add(packs, new KeyValuePair<string, object?>("transport", transport));
    }

    public void ReadingPaused(string reason) => _pauses.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>Shows the bytes not yet committed; called once.</summary>
    public void Observe(UncommittedBytes uncommitted) =>
        _meter.CreateObservableUpDownCounter("hub.ingest.uncommitted", () => uncommitted.Used, "By", "Bytes received and not yet committed: packs and what was made of them.");

    public void LoginRefused(string transport, string reason)
    {
        lock (_gate)
        {
            _totals = _totals with { RefusedLogins = _totals.RefusedLogins + 1 };
        }

        _refusedLogins.Add(1, new("transport", transport), new("reason", reason));
    }

    public void TopicRefused(string transport)
    {
        lock (_gate)
        {
            _totals = _totals with { RefusedTopics = _totals.RefusedTopics + 1 };
        }

        _refusedTopics.Add(1, new KeyValuePair<string, object?>("transport", transport));
    }

    public void ConnectionRefused(string transport, string reason) => _refusedConnections.Add(1, new("transport", transport), new("reason", reason));

    public void ConnectionOpened(string transport) => _connections.Add(1, new KeyValuePair<string, object?>("transport", transport));

    public void ConnectionClosed(string transport) => _connections.Add(-1, new KeyValuePair<string, object?>("transport", transport));

    public void StationMessage(StationMessageKind kind, string outcome) =>
        _stationMessages.Add(1, new("kind", kind switch { StationMessageKind.Status => "status", StationMessageKind.Reported => "reported", _ => "reply" }), new("outcome", outcome));

    public void MessageExpired() => _expired.Add(1);

    public void MessageUndelivered() => _undelivered.Add(1);

    public void FieldsIgnored(string adapter, int count) => AdapterFields(adapter, "ignored", count);

    public void FieldsUnknown(string adapter, int count) => AdapterFields(adapter, "unknown", count);

    public void TelraamPolled(string outcome) => _polls.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void QuarantineEvicted(long count) => _quarantineLeft.Add(count, new KeyValuePair<string, object?>("reason", "evicted"));

    public void QuarantineReleased() => _quarantineLeft.Add(1, new KeyValuePair<string, object?>("reason", "released"));

    public void QuarantineDiscarded(long count = 1) => _quarantineLeft.Add(count, new KeyValuePair<string, object?>("reason", "discarded"));

    public void Dispose() => _meter.Dispose();

    private void AdapterFields(string adapter, string outcome, int count)
    {
        if (count > 0)
        {
            _adapterFields.Add(count, new("adapter", adapter), new("outcome", outcome));
        }
    }

    private void Records(int count, KeyValuePair<string, object?> transport, string outcome)
    {
        if (count > 0)
        {
            _records.Add(count, transport, new("outcome", outcome));
        }
    }
}
