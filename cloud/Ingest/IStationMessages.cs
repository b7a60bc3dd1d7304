namespace Hub.Cloud.Ingest;

/// <summary>What a station says besides readings.</summary>
public enum StationMessageKind
{
    /// <summary>Its birth, or its last will: <c>status</c>.</summary>
    Status,

    /// <summary>What became of the configuration wanted of it: <c>config/reported</c>.</summary>
    Reported,

    /// <summary>The answer to a command: <c>reply</c>.</summary>
    Reply,
}

/// <summary>One message of a station. Immutable.</summary>
/// <param name="Municipality">Slug of the municipality of the station that sent it: proven at login, or by the access list of an external broker.</param>
/// <param name="Station">Slug of the station.</param>
/// <param name="Kind">Which topic it came on.</param>
/// <param name="Payload">The bytes, not yet read by anybody; empty where the station cleared a retained message. At most 128 KiB.</param>
/// <param name="Correlation">Correlation data of a reply, 1 to 64 bytes; empty for the other kinds.</param>
/// <param name="Expiry">How long the sender says it holds (message expiry); null for ever.</param>
/// <param name="ReceivedAt">UTC instant of arrival, at the hub.</param>
/// <param name="Retained">True when it was said before the hub was there, and kept by the broker: <paramref name="ReceivedAt"/> then tells nothing of when it was said.</param>
public sealed record StationMessage(
    string Municipality, string Station, StationMessageKind Kind, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte> Correlation, TimeSpan? Expiry, DateTime ReceivedAt, bool Retained);

/// <summary>Takes what stations say besides readings.</summary>
public interface IStationListener
{
    /// <summary>
    /// Called with one message after the other, never concurrently for one listener. May take its time: no broker waits. While it does, newer states of a station take the place of
    /// older ones, and answers wait in a bounded queue. What it throws is logged and counted; the message is not brought again.
    /// </summary>
    ValueTask OnMessageAsync(StationMessage message, CancellationToken cancellationToken);
}

/// <summary>Where to listen to stations, whichever broker is configured. Safe for concurrent callers.</summary>
public interface IStationMessages
{
    /// <summary>Begins to hand messages to a listener, until the result is disposed. Before the broker has started it misses nothing: what brokers keep comes first, marked as retained.</summary>
    IDisposable Subscribe(IStationListener listener);
}

/// <summary>Where a broker can be reached.</summary>
/// <param name="Host">Name or address; empty for every address of this machine.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Tls">Whether TLS is spoken.</param>
public sealed record BrokerEndpoint(string Host, int Port, bool Tls);

/// <summary>The broker this hub lives on, as others have to know it.</summary>
public interface IHubBroker
{
    /// <summary>True when the hub itself is the broker, so that a station's secret counts from the moment it is stored; false when a broker elsewhere has a password file of its own.</summary>
    bool ChecksSecrets { get; }

    /// <summary>Where it can be reached, with TLS first; empty before an embedded broker has started.</summary>
    IReadOnlyList<BrokerEndpoint> Endpoints { get; }
}
