using System.Diagnostics.Metrics;

namespace Hub.Edge.Uplink;

/// <summary>Instruments of the uplink, meter <c>Hub.Edge.Uplink</c>, and the numbers behind <see cref="UplinkState"/>. Methods are named for events; any thread.</summary>
internal sealed class UplinkInstruments : IDisposable
{
    private readonly Meter _meter = new("Hub.Edge.Uplink");
    private readonly Counter<long> _connections;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _acknowledged;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _answers;
    private readonly Histogram<double> _ackDuration;
    private readonly Counter<long> _desired;
    private readonly Counter<long> _commands;
    private readonly Counter<long> _ignored;
    private readonly Counter<long> _repliesDropped;
    private readonly Counter<long> _subscriptionsRefused;
    private long _connectionCount;
    private long _sentCount;
    private long _acknowledgedCount;
    private long _refusedCount;

    public UplinkInstruments()
    {
        _connections = _meter.CreateCounter<long>("uplink.connections", "{connection}", "Connections the hub accepted.");
        _sent = _meter.CreateCounter<long>("uplink.sent", "{reading}", "Readings sent, repeats included.");
        _acknowledged = _meter.CreateCounter<long>("uplink.acknowledged", "{reading}", "Readings the hub took.");
        _refused = _meter.CreateCounter<long>("uplink.refused", "{reading}", "Readings the hub refused for good, or that cannot be encoded.");
        _answers = _meter.CreateCounter<long>("uplink.answers", "{pack}", "Acknowledgements by reason code.");
        _ackDuration = _meter.CreateHistogram<double>("uplink.ack.duration", "s", "From sending a pack to its acknowledgement.");
        _desired = _meter.CreateCounter<long>("uplink.desired", "{document}", "Desired documents handed to the twin.");
        _commands = _meter.CreateCounter<long>("uplink.commands", "{command}", "Commands by outcome: done, refused, failed, repeated.");
        _ignored = _meter.CreateCounter<long>("uplink.downlink.ignored", "{message}", "Messages of the hub that were not acted on, by reason: form, size, full.");
        _repliesDropped = _meter.CreateCounter<long>("uplink.replies_dropped", "{reply}", "Answers that were not sent: too many waited, or the broker refused them.");
        _subscriptionsRefused = _meter.CreateCounter<long>("uplink.subscriptions_refused", "{subscription}", "Subscriptions that the broker refused, did not answer or broke the connection over.");
    }

    public long Connections => Interlocked.Read(ref _connectionCount);

    public long ReadingsSent => Interlocked.Read(ref _sentCount);

    public long ReadingsAcknowledged => Interlocked.Read(ref _acknowledgedCount);

    public long ReadingsRefused => Interlocked.Read(ref _refusedCount);

    public void Connected() => Count(_connections, ref _connectionCount, 1);

    public void Sent(int readings) => Count(_sent, ref _sentCount, readings);

    public void Answered(int reasonCode, TimeSpan elapsed)
    {
        _answers.Add(1, new KeyValuePair<string, object?>("code", reasonCode));
        _ackDuration.Record(elapsed.TotalSeconds);
    }

    public void Acknowledged(int readings) => Count(_acknowledged, ref _acknowledgedCount, readings);

    public void Refused(int readings) => Count(_refused, ref _refusedCount, readings);

    public void Desired() => _desired.Add(1);

    public void Commanded(string outcome) => _commands.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Ignored(string reason) => _ignored.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void ReplyDropped() => _repliesDropped.Add(1);

    public void SubscriptionRefused() => _subscriptionsRefused.Add(1);

    public void Dispose() => _meter.Dispose();

    private static void Count(Counter<long> counter, ref long total, long more)
    {
        counter.Add(more);
        Interlocked.Add(ref total, more);
    }
}
