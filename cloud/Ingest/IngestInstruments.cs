using System.Diagnostics.Metrics;

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
    private readonly Counter<long> _adapterFields;
    private readonly Counter<long> _polls;
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
        _refusedConnections = _meter.CreateCounter<long>("hub.ingest.refused_connections", "{connection}", "MQTT connections closed by a limit, by reason.");
        _quarantineLeft = _meter.CreateCounter<long>("hub.ingest.quarantine.left", "{entry}", "Entries that left the quarantine, by reason: released, discarded, evicted.");
        _undelivered = _meter.CreateCounter<long>("hub.ingest.undelivered", "{message}", "Messages not queued for a subscriber whose queue was full.");
        _adapterFields = _meter.CreateCounter<long>("hub.ingest.adapter.fields", "{field}", "Fields of foreign pushes that became no reading, by adapter and outcome: ignored (known, left out on purpose), unknown (in the quarantine).");
        _polls = _meter.CreateCounter<long>("hub.ingest.telraam.polls", "{request}", "Requests to the Telraam API, by outcome.");
        _connections = _meter.CreateUpDownCounter<long>("hub.ingest.connections", "{connection}", "Open MQTT connections.");
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

    public void PackTaken(string transport, in PackReceipt receipt, TimeSpan duration)
    {
        lock (_gate)
        {
            _totals = _totals with
            {
                Packs = _totals.Packs + 1,
                Received = _totals.Received + receipt.Received,
                Stored = _totals.Stored + receipt.Stored,
                Corrected = _totals.Corrected + receipt.Corrected,
                Duplicate = _totals.Duplicate + receipt.Duplicate,
                Quarantined = _totals.Quarantined + receipt.Quarantined,
            };
        }

        var tag = new KeyValuePair<string, object?>("transport", transport);
        _packs.Add(1, tag);
        _duration.Record(duration.TotalSeconds, tag);
        Records(receipt.Stored, tag, "stored");
        Records(receipt.Corrected, tag, "corrected");
        Records(receipt.Duplicate, tag, "duplicate");
        Records(receipt.Quarantined, tag, "quarantined");
    }

    public void StoreUnavailable(string transport)
    {
        lock (_gate)
        {
            _totals = _totals with { Unavailable = _totals.Unavailable + 1 };
        }

        _unavailable.Add(1, new KeyValuePair<string, object?>("transport", transport));
    }

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

    public void ConnectionRefused(string reason) => _refusedConnections.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void ConnectionOpened() => _connections.Add(1);

    public void ConnectionClosed() => _connections.Add(-1);

    public void MessageUndelivered() => _undelivered.Add(1);

    public void FieldsIgnored(string adapter, int count) => AdapterFields(adapter, "ignored", count);

    public void FieldsUnknown(string adapter, int count) => AdapterFields(adapter, "unknown", count);

    public void TelraamPolled(string outcome) => _polls.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void QuarantineEvicted(long count) => _quarantineLeft.Add(count, new KeyValuePair<string, object?>("reason", "evicted"));

    public void QuarantineReleased() => _quarantineLeft.Add(1, new KeyValuePair<string, object?>("reason", "released"));

    public void QuarantineDiscarded() => _quarantineLeft.Add(1, new KeyValuePair<string, object?>("reason", "discarded"));

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
