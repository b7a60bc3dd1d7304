using System.Collections.Concurrent;
using System.Text;
using Hub.Cloud.Ingest;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Topics;

namespace Hub.Cloud.Fleet.Tests;

/// <summary>A broker in memory that keeps what is retained and lets a test speak as a station. Outlives the hubs of a test, as a real one would.</summary>
internal sealed class FakeBroker : IHubPublisher, IHubBroker, IStationMessages
{
    private IStationListener? listener;
    private int refusals;

    public ConcurrentDictionary<string, string> Retained { get; } = new();

    public ConcurrentQueue<HubMessage> Published { get; } = new();

    /// <summary>While true nothing is taken.</summary>
    public bool Away { get; set; }

    /// <summary>Messages that were not taken.</summary>
    public int Refusals => Volatile.Read(ref refusals);

    /// <summary>Called with each command that is taken.</summary>
    public Func<HubMessage, Task>? OnCommand { get; set; }

    public bool ChecksSecrets { get; set; } = true;

    public IReadOnlyList<BrokerEndpoint> Endpoints { get; set; } = [new("", 8883, true), new("127.0.0.1", 1883, false)];

    public async ValueTask PublishAsync(HubMessage message, CancellationToken cancellationToken)
    {
        if (Away)
        {
            Interlocked.Increment(ref refusals);
            throw new BrokerUnavailableException("away");
        }

        Published.Enqueue(message);
        if (message.Retain && message.Payload.IsEmpty)
        {
            Retained.TryRemove(message.Topic, out _);
        }
        else if (message.Retain)
        {
            Retained[message.Topic] = Encoding.UTF8.GetString(message.Payload.Span);
        }

        if (HubTopic.TryParse(message.Topic, out var topic) && topic.Kind == TopicKind.Command && OnCommand is { } command)
        {
            await command(message);
        }
    }

    public IDisposable Subscribe(IStationListener listener)
    {
        this.listener = listener;
        return new Ending(() => this.listener = null);
    }

    public ValueTask SayAsync(
        string municipality, string station, StationMessageKind kind, string payload, DateTime now, ReadOnlyMemory<byte> correlation = default, TimeSpan? expiry = null, bool retained = false) =>
        listener!.OnMessageAsync(new StationMessage(municipality, station, kind, Encoding.UTF8.GetBytes(payload), correlation, expiry, now, retained), TestContext.Current.CancellationToken);

    public ValueTask ReplyAsync(HubMessage command, CommandReply reply, DateTime now)
    {
        _ = HubTopic.TryParse(command.Topic, out var topic);
        return SayAsync(topic.Municipality, topic.Station, StationMessageKind.Reply, Encoding.UTF8.GetString(reply.ToUtf8()), now, command.Correlation);
    }

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}

internal sealed class FakeRules : IEdgeRules
{
    // The keeper reads while a test writes.
    private readonly ConcurrentDictionary<string, List<Edge.Contract.Twin.EdgeRule>> byStation = new();
    private int asked;

    public event Action? Changed;

    /// <summary>How often somebody asked for a station's rules.</summary>
    public int Asked => Volatile.Read(ref asked);

    public IReadOnlyList<Edge.Contract.Twin.EdgeRule> For(Stations.Station station)
    {
        var found = byStation.GetValueOrDefault($"{station.Municipality}/{station.Slug}", []);
        Interlocked.Increment(ref asked);
        return found;
    }

    public void Set(string station, params Edge.Contract.Twin.EdgeRule[] rules)
    {
        byStation[station] = [.. rules];
        Changed?.Invoke();
    }

    public static Edge.Contract.Twin.EdgeRule Rule(string slug, double level = 50) => new(slug, "pm10", Edge.Contract.Twin.EdgeCrossing.Above, level, level - 5, 600);
}
