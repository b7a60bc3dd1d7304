using System.Net;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Adapter;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// One connection of the embedded broker: stands between the library's packets and its sessions. It gives each session a key of its own user, tells a client our
/// limits in the CONNACK, and never has more deliveries unacknowledged than the client allows. Received packets come one at a time, sends may overlap.
/// </summary>
internal sealed class BrokerConnection : IMqttChannelAdapter
{
    /// <summary>Largest packet before the login, bytes.</summary>
    public const int LoginPacketBytesMax = 16 * 1024;

    /// <summary>Largest packet after it: a pack of readings, its topic and its properties, bytes.</summary>
    public const int PacketBytesMax = Edge.Contract.Encoding.ReadingPack.BytesMax + LoginPacketBytesMax;

    /// <summary>Topic aliases a client may use.</summary>
    public const ushort TopicAliasMax = 16;

    /// <summary>What we announce as receive maximum. Publishes of a connection are taken one after the other, so this only bounds what the client has under way.</summary>
    public const ushort ReceiveMaximum = 64;

    /// <summary>Most deliveries a client may leave unacknowledged, whatever it allows.</summary>
    private const int DeliveriesMax = 100;

    private readonly IMqttChannelAdapter _inner;
    private readonly BrokerChannel _channel;
    private readonly HashSet<ushort> _deliveries = [];
    private SemaphoreSlim _window = new(DeliveriesMax);
    private string? _assignedClientId;
    private bool _problemInformation = true;
    private bool _sessionShortened;

    public BrokerConnection(IMqttChannelAdapter inner, BrokerChannel channel)
    {
        _inner = inner;
        _channel = channel;
    }

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
    public long BytesReceived => _inner.BytesReceived;

    /// <inheritdoc/>
    public long BytesSent => _inner.BytesSent;

    /// <inheritdoc/>
    public X509Certificate2 ClientCertificate => _inner.ClientCertificate;

    /// <inheritdoc/>
    public EndPoint RemoteEndPoint => _inner.RemoteEndPoint;

    /// <inheritdoc/>
    public EndPoint LocalEndPoint => _inner.LocalEndPoint;

    /// <inheritdoc/>
    public bool IsSecureConnection => _inner.IsSecureConnection;

    /// <inheritdoc/>
    public MqttPacketFormatterAdapter PacketFormatterAdapter => _inner.PacketFormatterAdapter;

    /// <inheritdoc/>
    public Task ConnectAsync(CancellationToken cancellationToken) => _inner.ConnectAsync(cancellationToken);

    /// <inheritdoc/>
    public Task DisconnectAsync(CancellationToken cancellationToken) => _inner.DisconnectAsync(cancellationToken);

    /// <inheritdoc/>
    public void ResetStatistics() => _inner.ResetStatistics();

    /// <inheritdoc/>
    public async Task<MqttPacket> ReceivePacketAsync(CancellationToken cancellationToken)
    {
        MqttPacket? packet;
        try
        {
            packet = await _inner.ReceivePacketAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (MqttProtocolViolationException) when (_channel.PacketTooLarge && User is not null && CanRefuse)
        {
            await _inner.SendPacketAsync(new MqttDisconnectPacket { ReasonCode = MqttDisconnectReasonCode.PacketTooLarge }, cancellationToken).ConfigureAwait(false);
            throw;
        }

        switch (packet)
        {
            case MqttConnectPacket connect when SessionKey.Length == 0:
                OnConnect(connect);
                break;
            case MqttPublishPacket { TopicAlias: > TopicAliasMax }:
                throw new MqttProtocolViolationException("A topic alias is over the limit announced.");
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

        return packet!;
    }

    /// <inheritdoc/>
    public async Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken)
    {
        switch (packet)
        {
            case MqttConnAckPacket connack:
                OnConnAck(connack);
                break;
            case MqttPubAckPacket ack when !_problemInformation:
                (ack.ReasonString, ack.UserProperties) = (null, null);
                break;
            case MqttPubRecPacket received when !_problemInformation:
                (received.ReasonString, received.UserProperties) = (null, null);
                break;
            case MqttPublishPacket { QualityOfServiceLevel: > MqttQualityOfServiceLevel.AtMostOnce } publish:
                await _window.WaitAsync(cancellationToken).ConfigureAwait(false);
                lock (_deliveries)
                {
                    _deliveries.Add(publish.PacketIdentifier);
                }

                break;
        }

        await _inner.SendPacketAsync(packet, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _inner.Dispose();
        _window.Dispose();
        Closed?.Invoke();
        Closed = null;
    }

    /// <summary>
    /// Makes the client identifier the key of a session that only this user can reach: the user name itself for the client whose identifier is its user name, else
    /// user name, bar and identifier (no user name has a bar). Only the former may leave a session behind, so there are never more of them than users.
    /// </summary>
    private void OnConnect(MqttConnectPacket connect)
    {
        ClientId = connect.ClientId ?? "";
        WillTopic = connect.WillFlag ? connect.WillTopic : null;
        _problemInformation = connect.RequestProblemInformation;
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
                // MQTT 3.1.1 forbids a lasting session without an identifier; the library refuses an empty one with the right code.
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
        if (connack.ReasonCode != MqttConnectReasonCode.Success)
        {
            return;
        }

        _channel.PacketBytesMax = PacketBytesMax;
        if (_sessionShortened)
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
}
