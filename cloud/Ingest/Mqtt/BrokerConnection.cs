using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Hub.Cloud.Ingest.Pipeline;
using MQTTnet.Adapter;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// One connection of the embedded broker: its bytes in and out, and what stands between the library's packets and its sessions. It takes readings past the library (BrokerConnection.Readings.cs),
/// gives each session a key of its own user, tells a client our limits in the CONNACK, and never has more deliveries unacknowledged than the client allows. The library asks for one packet at
/// a time; sends may overlap.
/// </summary>
internal sealed partial class BrokerConnection : IMqttChannelAdapter
{
    /// <summary>Largest packet before the login, bytes.</summary>
    public const int LoginPacketBytesMax = 16 * 1024;

    /// <summary>Largest packet after it: a pack of readings, its topic and its properties, bytes.</summary>
    public const int PacketBytesMax = Edge.Contract.Encoding.ReadingPack.BytesMax + LoginPacketBytesMax;

    /// <summary>Topic aliases a client may use.</summary>
    public const ushort TopicAliasMax = 16;

    /// <summary>
    /// Most publishes of readings that are taken and not yet acknowledged; what we announce as receive maximum. A client that has more under way is not read from until some are
    /// acknowledged, in MQTT 3.1.1 too, which has no word for it.
    /// </summary>
    public const ushort ReceiveMaximum = 256;

    /// <summary>Most deliveries a client may leave unacknowledged, whatever it allows.</summary>
    private const int DeliveriesMax = 100;

    /// <summary>Smallest packet a client must be able to take before it is told why something was refused, bytes.</summary>
    private const int ExplanationBytesMin = 4 * 1024;

    private const string Unsent = "unsent";

    /// <summary>How long a client that does not read may take for the last words.</summary>
    private static readonly TimeSpan FarewellPatience = TimeSpan.FromSeconds(1);

    private readonly ConnectionWire _wire;
    private readonly Stream _stream;
    private readonly ReadingsIntake _intake;
    private readonly TimeProvider _time;
    private readonly IngestInstruments _instruments;
    private readonly ReceiveBuffer _received = new();
    private readonly ConnectionOutput _output;
    private readonly HashSet<ushort> _deliveries = [];
    private readonly ConcurrentQueue<ushort> _expired = new();
    private readonly CancellationTokenSource _sentAway = new();
    private readonly string?[] _aliases = new string?[TopicAliasMax + 1];
    private bool[] _ownAliases = [];
    private CancellationTokenSource? _reading;
    private CancellationToken _readingFor;
    private SemaphoreSlim _window = new(DeliveriesMax);
    private string? _assignedClientId;
    private bool _explains = true;
    private bool _sessionShortened;
    private bool _loggedIn;
    private TimeSpan _aliveEvery = Timeout.InfiniteTimeSpan;
    private long _returned;
    private bool _readSinceReturn;
    private long _bytesReceived;

    public BrokerConnection(ConnectionWire wire, ReadingsIntake intake, TimeProvider time)
    {
        _wire = wire;
        _stream = wire.Stream;
        _intake = intake;
        _instruments = intake.Instruments;
        _time = time;
        _claim = new BytesClaim(Changed);
        PacketFormatterAdapter = new MqttPacketFormatterAdapter(new MqttBufferWriter(1024, 65_535));
        _output = new ConnectionOutput(_stream, PacketFormatterAdapter, Changed);
    }

    /// <summary>What the client's certificate proves.</summary>
    public ClientCertificates Certificate => _wire.Certificate;

    /// <summary>What carries it: its name in counters and in the quarantine.</summary>
    public string Transport => _wire.Transport;

    /// <summary>True for MQTT 5, which can say no without closing the connection.</summary>
    public bool CanRefuse => PacketFormatterAdapter.ProtocolVersion == MqttProtocolVersion.V500;

    /// <summary>Client identifier as sent, before it was made a session key; empty when none was.</summary>
    public string ClientId { get; private set; } = "";

    /// <summary>Key of the session, and the library's client identifier; empty before CONNECT.</summary>
    public string SessionKey { get; private set; } = "";

    /// <summary>User that logged in; null before.</summary>
    public string? User { get; set; }

    /// <summary>Called once when the connection ends; null before the login.</summary>
    public Action? Closed { get; set; }

    /// <summary>Topic of the will; null without one.</summary>
    public string? WillTopic { get; private set; }

    /// <inheritdoc/>
    public long BytesReceived => Interlocked.Read(ref _bytesReceived);

    /// <inheritdoc/>
    public long BytesSent => _output.Written;

    /// <inheritdoc/>
    public X509Certificate2 ClientCertificate => null!;

    /// <inheritdoc/>
    public EndPoint RemoteEndPoint => _wire.Remote!;

    /// <inheritdoc/>
    public EndPoint LocalEndPoint => _wire.Local!;

    /// <inheritdoc/>
    public bool IsSecureConnection => _wire.IsSecure;

    /// <inheritdoc/>
    public MqttPacketFormatterAdapter PacketFormatterAdapter { get; }

    /// <inheritdoc/>
    public Task ConnectAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void ResetStatistics() => Interlocked.Exchange(ref _bytesReceived, 0);

    /// <summary>Sends what is left, says goodbye in TLS or WebSocket, and closes. A client that does not read loses what is left.</summary>
    public async Task DisconnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var patience = new CancellationTokenSource(FarewellPatience, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            await _output.EndAsync(either.Token).ConfigureAwait(false);
            switch (_stream)
            {
                case SslStream tls:
                    await tls.ShutdownAsync().WaitAsync(either.Token).ConfigureAwait(false);
                    break;
                case WebSocketWire socket:
                    await socket.CloseAsync(_intake.IsClosed, either.Token).ConfigureAwait(false);
                    break;
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException or MqttCommunicationException or SocketException)
        {
            // The other side has gone already, or does not listen.
        }

        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The next packet for the library; null when the connection has ended.</summary>
    public async Task<MqttPacket> ReceivePacketAsync(CancellationToken cancellationToken)
    {
        var ending = Ending(cancellationToken);
        try
        {
            while (!ending.IsCancellationRequested)
            {
                if (_expired.TryDequeue(out var expired))
                {
                    // The session keeps a delivery until it is acknowledged: what was not sent because it had expired is acknowledged in the client's place.
                    return Returned(new MqttPubAckPacket { PacketIdentifier = expired });
                }

                if (_readSinceReturn && _aliveEvery > TimeSpan.Zero && TimeProvider.System.GetElapsedTime(_returned) >= _aliveEvery)
                {
                    return SignOfLife();
                }

                switch (Next(out var packet))
                {
                    case Step.Packet:
                        return Returned(packet!);
                    case Step.Wait:
                        // While it is us who do not read, the client must not be taken for dead; it may well be when it is the client who does not read.
                        if (!await WaitForChangeAsync(_paused == Unsent ? Timeout.InfiniteTimeSpan : _aliveEvery, ending).ConfigureAwait(false))
                        {
                            return SignOfLife();
                        }

                        break;
                    default:
                        if (!await ReceiveAsync(ending).ConfigureAwait(false))
                        {
                            return null!;
                        }

                        break;
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The connection has ended, from either side.
        }
        catch (PacketException exception)
        {
            // What came before it was good.
            HandOver();
            if (_loggedIn && CanRefuse)
            {
                await SendAwayAsync(exception.Code).ConfigureAwait(false);
            }

            throw;
        }

        return null!;
    }

    /// <inheritdoc/>
    public async Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken)
    {
        switch (packet)
        {
            case MqttConnAckPacket connack:
                OnConnAck(connack);
                break;
            case MqttPubAckPacket ack when !_explains:
                (ack.ReasonString, ack.UserProperties) = (null, null);
                break;
            case MqttPubRecPacket received when !_explains:
                (received.ReasonString, received.UserProperties) = (null, null);
                break;
            case MqttPublishPacket { MessageExpiryInterval: > 0, QualityOfServiceLevel: MqttQualityOfServiceLevel.AtLeastOnce } publish when MessageExpiry.Left(publish, _time.GetUtcNow()) is 0:
                _instruments.MessageExpired();
                _expired.Enqueue(publish.PacketIdentifier);
                return;
            case MqttPublishPacket { QualityOfServiceLevel: > MqttQualityOfServiceLevel.AtMostOnce } publish:
                if (publish.MessageExpiryInterval > 0)
                {
                    publish.MessageExpiryInterval = MessageExpiry.Left(publish, _time.GetUtcNow());
                }

                await _window.WaitAsync(cancellationToken).ConfigureAwait(false);
                lock (_deliveries)
                {
                    _deliveries.Add(publish.PacketIdentifier);
                }

                break;
        }

        long position;
        lock (_output.Gate)
        {
            position = _output.Add(packet);
            switch (packet)
            {
                case MqttPubAckPacket ack:
                    Answered(ack.PacketIdentifier);
                    break;
                case MqttPubRecPacket received:
                    Answered(received.PacketIdentifier);
                    break;
            }
        }

        _output.Flush();
        if (packet is MqttPubAckPacket or MqttPubRecPacket)
        {
            Changed();
        }

        try
        {
            await _output.WrittenAsync(position, cancellationToken).ConfigureAwait(false);
        }
        catch (MqttCommunicationException) when (_loggedIn && _output.HasFailed)
        {
            // Whoever does not take what we send may have said goodbye before it left, which is still to be read: the end of what can be received ends the connection, not this.
            return;
        }

        if (packet is MqttConnAckPacket { ReasonCode: MqttConnectReasonCode.Success })
        {
            _loggedIn = true;
            OpenForReadings();
        }
    }

    public void Dispose()
    {
        if (_batch is not null)
        {
            // Gathered and never handed over.
            _intake.Pipeline.Uncommitted.Return(_batch.Bytes);
            _batch = null;
            _intake.End();
        }

        _intake.Pipeline.Uncommitted.Withdraw(_claim);
        _output.Dispose();
        _stream.Dispose();
        _received.Dispose();
        _window.Dispose();
        _reading?.Dispose();
        _sentAway.Dispose();
        Closed?.Invoke();
        Closed = null;
    }

    /// <summary>Goes through what was received, packet by packet, until one is for the library, something must be waited for, or bytes are missing.</summary>
    private Step Next(out MqttPacket? packet)
    {
        packet = null;
        while (true)
        {
            var unread = _received.Unread;
            if (!PacketHeader.TryRead(unread, out var header))
            {
                HandOver();
                return Step.Receive;
            }

            var bytesMax = _loggedIn ? PacketBytesMax : LoginPacketBytesMax;
            if (header.BodyBytes > bytesMax)
            {
                throw new PacketException(MqttDisconnectReasonCode.PacketTooLarge, $"A packet of {header.BodyBytes} bytes is over the limit of {bytesMax}.");
            }

            if (header.TotalBytes > unread.Length)
            {
                HandOver();
                return Step.Receive;
            }

            var body = unread.Slice(header.Bytes, header.BodyBytes);
            switch (TryTakeReadings(header, body))
            {
                case true:
                    _received.Consume(header.TotalBytes);
                    continue;
                case false:
                    HandOver();
                    return Step.Wait;
            }

            // Acknowledgements leave in the order of the publishes, and who takes leave shall have his first.
            HandOver();
            if (header.Type == MqttControlPacketType.Disconnect || (header.Type == MqttControlPacketType.Publish && header.QualityOfService > 0))
            {
                if (HasBatches())
                {
                    Pause("order");
                    return Step.Wait;
                }
            }

            packet = Decode(header, body);
            _received.Consume(header.TotalBytes);
            return Step.Packet;
        }
    }

    private async ValueTask<bool> ReceiveAsync(CancellationToken cancellationToken)
    {
        var count = await _stream.ReadAsync(_received.Room(), cancellationToken).ConfigureAwait(false);
        if (count > 0)
        {
            _received.Filled(count);
            Interlocked.Add(ref _bytesReceived, count);
            return true;
        }

        // The client says nothing more, but may still listen for what it is owed.
        while (HasBatches())
        {
            await WaitForChangeAsync(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
        }

        return false;
    }

    /// <summary>Lets the library decode a packet. The bytes are copied first: what it makes of them may point into them.</summary>
    private MqttPacket Decode(in PacketHeader header, ReadOnlySpan<byte> body)
    {
        if (header is { Type: MqttControlPacketType.Publish, QualityOfService: 3 })
        {
            throw new PacketException(MqttDisconnectReasonCode.MalformedPacket, "A PUBLISH has the quality of service 3.");
        }

        var received = new ReceivedMqttPacket(header.First, new ArraySegment<byte>(body.ToArray()), header.TotalBytes);
        MqttPacket? packet;
        try
        {
            if (PacketFormatterAdapter.ProtocolVersion == MqttProtocolVersion.Unknown)
            {
                PacketFormatterAdapter.DetectProtocolVersion(received);
            }

            packet = PacketFormatterAdapter.Decode(received);
        }
#pragma warning disable CA1031 // Whatever a packet does to the library's decoder, it ends its own connection and no more.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            throw new PacketException(MqttDisconnectReasonCode.MalformedPacket, $"A packet of type {header.Type} cannot be decoded: {exception.Message}");
        }

        switch (packet)
        {
            case null:
                throw new PacketException(MqttDisconnectReasonCode.MalformedPacket, $"A packet of type {header.Type} cannot be decoded.");
            case MqttConnectPacket connect when SessionKey.Length == 0:
                OnConnect(connect);
                break;
            case MqttPublishPacket publish:
                OnPublish(publish);
                break;
            case MqttPubAckPacket ack:
                Delivered(ack.PacketIdentifier);
                break;
            case MqttPubCompPacket complete:
                Delivered(complete.PacketIdentifier);
                break;
            case MqttPubRecPacket { ReasonCode: >= MqttPubRecReasonCode.UnspecifiedError } refused:
                Delivered(refused.PacketIdentifier);
                break;
        }

        return packet;
    }

    /// <summary>The aliases are ours, because the library does not see all packets that set one: it gets every publish with its topic.</summary>
    private void OnPublish(MqttPublishPacket publish)
    {
        if (publish.TopicAlias > TopicAliasMax)
        {
            throw new PacketException(MqttDisconnectReasonCode.TopicAliasInvalid, "A topic alias is over the limit announced.");
        }

        if (publish.TopicAlias > 0 && !string.IsNullOrEmpty(publish.Topic))
        {
            _aliases[publish.TopicAlias] = publish.Topic;
            if (_topic is not null)
            {
                _ownAliases[publish.TopicAlias] = string.Equals(publish.Topic, _topicText, StringComparison.Ordinal);
            }
        }
        else if (publish.TopicAlias > 0)
        {
            publish.Topic = _aliases[publish.TopicAlias] ?? throw new PacketException(MqttDisconnectReasonCode.ProtocolError, $"Topic alias {publish.TopicAlias} has not been given a topic.");
        }

        publish.TopicAlias = 0;
        if (publish.QualityOfServiceLevel > MqttQualityOfServiceLevel.AtMostOnce)
        {
            ExpectAnswer(publish.PacketIdentifier);
        }
    }

    /// <summary>The token to read under: the library's, or ours when the connection is sent away.</summary>
    private CancellationToken Ending(CancellationToken cancellationToken)
    {
        if (_reading is null || _readingFor != cancellationToken)
        {
            _reading?.Dispose();
            (_reading, _readingFor) = (CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _sentAway.Token), cancellationToken);
        }

        return _reading.Token;
    }

    /// <summary>The library's clock of the client's keep-alive only sees what is returned to it: this means nothing else, because nothing was delivered under this identifier.</summary>
    private MqttPubAckPacket SignOfLife() => Returned(new MqttPubAckPacket());

    private T Returned<T>(T packet)
        where T : MqttPacket
    {
        // The library compares with the system's clock, so this must be the same.
        (_returned, _readSinceReturn) = (TimeProvider.System.GetTimestamp(), false);
        return packet;
    }

    /// <summary>
    /// Makes the client identifier the key of a session that only this user can reach: the user name itself for the client whose identifier is its user name, else
    /// user name, bar and identifier (no user name has a bar). Only the former may leave a session behind, so there are never more of them than users.
    /// </summary>
    private void OnConnect(MqttConnectPacket connect)
    {
        ClientId = connect.ClientId ?? "";
        WillTopic = connect.WillFlag ? connect.WillTopic : null;
        _explains = connect.RequestProblemInformation && connect.MaximumPacketSize is 0 or >= ExplanationBytesMin;
        if (connect.KeepAlivePeriod > 0)
        {
            _aliveEvery = TimeSpan.FromSeconds(connect.KeepAlivePeriod / 4.0);
        }

        var window = connect.ReceiveMaximum == 0 ? DeliveriesMax : Math.Min((int)connect.ReceiveMaximum, DeliveriesMax);
        _window.Dispose();
        _window = new SemaphoreSlim(window);
        var user = connect.Username ?? "";
        if (ClientId.Length > 0 && string.Equals(ClientId, user, StringComparison.Ordinal))
        {
            SessionKey = user;
            return;
        }

        var clientId = ClientId;
        if (clientId.Length == 0)
        {
            if (!CanRefuse && !connect.CleanSession)
            {
                // MQTT 3.1.1 forbids a lasting session without an identifier; the library refuses an empty one, if it lets the packet through at all.
                SessionKey = user + "|";
                return;
            }

            clientId = Guid.NewGuid().ToString("N");
            _assignedClientId = CanRefuse ? clientId : null;
        }

        _sessionShortened = connect.SessionExpiryInterval > 0;
        connect.SessionExpiryInterval = 0;
        connect.CleanSession = true;
        SessionKey = $"{user}|{clientId}";
        connect.ClientId = SessionKey;
    }

    private void OnConnAck(MqttConnAckPacket connack)
    {
        connack.MaximumPacketSize = PacketBytesMax;
        connack.ReceiveMaximum = ReceiveMaximum;
        connack.TopicAliasMaximum = TopicAliasMax;
        connack.AssignedClientIdentifier = _assignedClientId;
        if (connack.ReasonCode == MqttConnectReasonCode.Success && _sessionShortened)
        {
            (connack.UserProperties ??= []).Add(new MqttUserProperty("session", "ends with the connection: only a client identifier equal to the user name keeps one"u8.ToArray()));
        }
    }

    private void Delivered(ushort packetIdentifier)
    {
        bool known;
        lock (_deliveries)
        {
            known = _deliveries.Remove(packetIdentifier);
        }

        if (known)
        {
            _window.Release();
        }
    }

    private enum Step
    {
        /// <summary>A packet is there for the library.</summary>
        Packet,

        /// <summary>Bytes are missing.</summary>
        Receive,

        /// <summary>Nothing can be taken until something changes.</summary>
        Wait,
    }
}
