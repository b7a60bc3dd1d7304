using System.Buffers;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hub.Edge.Contract.Encoding;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace Hub.Edge.Uplink.Tests;

/// <summary>A pack as it arrived, with the codes it was answered with.</summary>
internal sealed record ArrivedPack(string ClientId, string Topic, string ContentType, byte[] Payload, IReadOnlyList<ArrivedReading> Readings, int Code)
{
    /// <summary>Message expiry, s; 0 for none.</summary>
    public uint Expiry { get; init; }
}

/// <summary>An answer of a station to a command.</summary>
internal sealed record ArrivedReply(string Topic, string Correlation, string Payload);

/// <summary>A reading as the hub would see it.</summary>
internal sealed record ArrivedReading(string Sensor, string Property, DateTime PhenomenonTime, double Value, TimeSpan Period);

/// <summary>An MQTT broker in this process that keeps what it is sent and answers as the test wants. Starting again on the same port is a broker's restart.</summary>
internal sealed class TestBroker(int port) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<ArrivedPack> _packs = [];
    private readonly List<(string Topic, string Payload, bool Retain)> _others = [];
    private readonly List<uint> _expiries = [];
    private readonly List<MqttConnectPacket> _connects = [];
    private readonly List<ArrivedReply> _replies = [];
    private readonly List<(string Filter, int Code)> _subscriptions = [];
    private MqttServer? _server;
    private int _acknowledged;

    public int Port => port;

    /// <summary>Reason code for a pack, given its number from 0 on and its readings; 0 is success.</summary>
    public Func<int, IReadOnlyList<ArrivedReading>, int> Answer { get; set; } = (_, _) => 0;

    /// <summary>Awaited before a pack is answered.</summary>
    public Func<int, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>The thumbprints of the certificates clients showed; where not null, one is asked for.</summary>
    public System.Collections.Concurrent.ConcurrentBag<string>? ClientThumbprints { get; set; }

    /// <summary>When set, the broker speaks TLS only, with this certificate.</summary>
    public X509Certificate2? Certificate { get; set; }

    public Func<ValidatingConnectionEventArgs, MqttConnectReasonCode> Login { get; set; } = _ => MqttConnectReasonCode.Success;

    /// <summary>Reason code for a subscription; null to break the connection instead of answering.</summary>
    public Func<string, MqttSubscribeReasonCode?> Subscription { get; set; } = _ => MqttSubscribeReasonCode.GrantedQoS1;

    /// <summary>True for a topic over which the connection is broken instead of answering.</summary>
    public Func<string, bool> BreakOver { get; set; } = _ => false;

    /// <summary>Reason code for a message that is no pack of readings; 0 is success.</summary>
    public Func<string, int> AnswerOther { get; set; } = _ => 0;

    /// <summary>What a station that asks for the time is told; nothing where null.</summary>
    public Func<DateTimeOffset>? Time { get; set; }

    /// <summary>True to break every connection at a pack instead of answering it: the readings have arrived, the acknowledgement is lost.</summary>
    public Func<int, bool> LoseAck { get; set; } = _ => false;

    public IReadOnlyList<ArrivedPack> Packs
    {
        get
        {
            lock (_gate)
            {
                return [.. _packs];
            }
        }
    }

    public IReadOnlyList<(string Topic, string Payload, bool Retain)> Others
    {
        get
        {
            lock (_gate)
            {
                return [.. _others];
            }
        }
    }

    /// <summary>Message expiry of each of <see cref="Others"/>, s.</summary>
    public IReadOnlyList<uint> Expiries
    {
        get
        {
            lock (_gate)
            {
                return [.. _expiries];
            }
        }
    }

    /// <summary>What stations answered to commands.</summary>
    public IReadOnlyList<ArrivedReply> Replies
    {
        get
        {
            lock (_gate)
            {
                return [.. _replies];
            }
        }
    }

    /// <summary>What stations reported on their twins, oldest first.</summary>
    public IReadOnlyList<string> Reports => [.. Others.Where(other => other.Topic.EndsWith("/config/reported", StringComparison.Ordinal)).Select(other => other.Payload)];

    /// <summary>Filters that were subscribed to, and how that was answered.</summary>
    public IReadOnlyList<(string Filter, int Code)> Subscriptions
    {
        get
        {
            lock (_gate)
            {
                return [.. _subscriptions];
            }
        }
    }

    public int Connects
    {
        get
        {
            lock (_gate)
            {
                return _connects.Count;
            }
        }
    }

    /// <summary>Messages to stations that they have acknowledged: what is not is delivered again with the next connection.</summary>
    public int Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>All readings of packs that were answered with success, each once.</summary>
    public HashSet<ArrivedReading> Taken => [.. Packs.Where(pack => pack.Code == 0).SelectMany(pack => pack.Readings)];

    public MqttServer Server => _server!;

    public async Task StartAsync()
    {
        var builder = new MqttServerOptionsBuilder().WithPersistentSessions();
        if (Certificate is { } certificate)
        {
            builder.WithoutDefaultEndpoint().WithEncryptedEndpoint().WithEncryptedEndpointPort(port).WithEncryptedEndpointBoundIPAddress(IPAddress.Loopback)
                .WithEncryptedEndpointBoundIPV6Address(IPAddress.None).WithTlsEndpointReuseAddress().WithEncryptionCertificate(certificate);
            if (ClientThumbprints is { } thumbprints)
            {
                builder.WithClientCertificate((_, shown, _, _) =>
                {
                    if (shown is not null)
                    {
                        thumbprints.Add(shown.GetCertHashString());
                    }

                    return shown is not null;
                });
            }
        }
        else
        {
            builder.WithDefaultEndpoint().WithDefaultEndpointPort(port).WithDefaultEndpointBoundIPAddress(IPAddress.Loopback)
                .WithDefaultEndpointBoundIPV6Address(IPAddress.None).WithDefaultEndpointReuseAddress();
        }

        var options = builder.Build();
        var server = new MqttServerFactory().CreateMqttServer(options);
        server.ValidatingConnectionAsync += e =>
        {
            e.ReasonCode = Login(e);
            lock (_gate)
            {
                _connects.Add(new MqttConnectPacket
                {
                    ClientId = e.ClientId, Username = e.UserName, CleanSession = e.CleanSession ?? false, SessionExpiryInterval = e.SessionExpiryInterval,
                    KeepAlivePeriod = e.KeepAlivePeriod ?? 0, WillDelayInterval = e.WillDelayInterval, Password = Encoding.UTF8.GetBytes(e.Password ?? ""),
                });
            }

            return Task.CompletedTask;
        };
        server.InterceptingPublishAsync += PublishAsync;
        server.ClientAcknowledgedPublishPacketAsync += _ =>
        {
            Interlocked.Increment(ref _acknowledged);
            return Task.CompletedTask;
        };
        server.InterceptingSubscriptionAsync += e =>
        {
            var code = Subscription(e.TopicFilter.Topic);
            lock (_gate)
            {
                _subscriptions.Add((e.TopicFilter.Topic, (int?)code ?? -1));
            }

            e.CloseConnection = code is null;
            e.ProcessSubscription = code <= MqttSubscribeReasonCode.GrantedQoS2;
            e.Response.ReasonCode = code ?? MqttSubscribeReasonCode.UnspecifiedError;
            return Task.CompletedTask;
        };
        await server.StartAsync();
        _server = server;
    }

    public async Task StopAsync()
    {
        var server = _server;
        _server = null;
        if (server is not null)
        {
            await server.StopAsync(new MqttServerStopOptions());
            server.Dispose();
        }
    }

    public MqttConnectPacket Connect(int index)
    {
        lock (_gate)
        {
            return _connects[index];
        }
    }

    /// <summary>Says something to stations, as the hub does.</summary>
    public Task SendAsync(string topic, string payload, bool retain = false, string? responseTopic = null, byte[]? correlation = null) =>
        _server!.InjectApplicationMessage(new InjectedMqttApplicationMessage(new MqttApplicationMessage
        {
            Topic = topic, Payload = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(payload)), Retain = retain, ResponseTopic = responseTopic, CorrelationData = correlation,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce, ContentType = "application/json",
        }));

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task PublishAsync(InterceptingPublishEventArgs e)
    {
        var message = e.ApplicationMessage;
        if (message.Topic.EndsWith("/time", StringComparison.Ordinal) && !message.Topic.EndsWith("/command/time", StringComparison.Ordinal))
        {
            e.ProcessPublish = false;
            if (Time is { } time)
            {
                var seconds = (time() - DateTimeOffset.UnixEpoch).Ticks / (decimal)TimeSpan.TicksPerSecond;
                await _server!.InjectApplicationMessage(new InjectedMqttApplicationMessage(new MqttApplicationMessage
                {
                    Topic = message.ResponseTopic, CorrelationData = message.CorrelationData,
                    Payload = new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(seconds.ToString("0.000000", System.Globalization.CultureInfo.InvariantCulture))),
                }));
            }

            return;
        }

        if (message.Topic.Contains("/command/", StringComparison.Ordinal) || message.Topic.EndsWith("/config/desired", StringComparison.Ordinal))
        {
            // What the hub says.
            return;
        }

        if (message.Topic.EndsWith("/reply", StringComparison.Ordinal))
        {
            lock (_gate)
            {
                _replies.Add(new ArrivedReply(message.Topic, Convert.ToHexString(message.CorrelationData ?? []), Encoding.UTF8.GetString(message.Payload.ToArray())));
            }

            e.Response.ReasonCode = (MqttPubAckReasonCode)AnswerOther(message.Topic);
            e.ProcessPublish = false;
            return;
        }

        if (!message.Topic.EndsWith("/readings", StringComparison.Ordinal))
        {
            lock (_gate)
            {
                _expiries.Add(message.MessageExpiryInterval);
                _others.Add((message.Topic, Encoding.UTF8.GetString(message.Payload.ToArray()), message.Retain));
            }

            if (BreakOver(message.Topic))
            {
                e.ProcessPublish = false;
                e.CloseConnection = true;
                await _server!.DisconnectClientAsync(e.ClientId, new MqttServerClientDisconnectOptions());
                return;
            }

            if (AnswerOther(message.Topic) is var other and > 0)
            {
                e.ProcessPublish = false;
                e.Response.ReasonCode = (MqttPubAckReasonCode)other;
            }

            return;
        }

        var payload = message.Payload.ToArray();
        var sink = new Sink();
        Assert.True(PackFormats.TryParse(message.ContentType, payload, out var format));
        ReadingPack.Decode(payload, format.Value, new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc), ref sink);
        Assert.Empty(sink.Refusals);
        int number, code;
        lock (_gate)
        {
            number = _packs.Count;
            code = Answer(number, sink.Readings);
            _packs.Add(new ArrivedPack(e.ClientId, message.Topic, message.ContentType, payload, sink.Readings, code) { Expiry = message.MessageExpiryInterval });
        }

        await Before(number, e.CancellationToken);
        e.ProcessPublish = false;
        e.Response.ReasonCode = (MqttPubAckReasonCode)code;
        if (LoseAck(number))
        {
            e.CloseConnection = true;
            await _server!.DisconnectClientAsync(e.ClientId, new MqttServerClientDisconnectOptions());
        }
    }

    private sealed class Sink : IReadingSink
    {
        public List<ArrivedReading> Readings { get; } = [];

        public List<string> Refusals { get; } = [];

        public void OnReading(int recordIndex, in WireReading reading) => Readings.Add(new ArrivedReading(
            Encoding.UTF8.GetString(reading.Sensor), reading.Quantity.Id, reading.PhenomenonTime, reading.Value, TimeSpan.FromSeconds(reading.PeriodSeconds)));

        public void OnRefused(Refusal refusal, ReadOnlySpan<byte> record) => Refusals.Add($"{refusal}");
    }
}
