using System.Buffers;
using System.Collections;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Cloud.Ingest.Quarantine;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// The hub's own broker. A publish of readings is acknowledged when its pack is on disk. Those with quality of service 1 on the station's own topic never get here: their connection
/// takes them (<see cref="BrokerConnection"/>). All others do: the library answers when <see cref="OnPublishAsync"/> ends, and takes the next packet of that connection only then.
/// Started and stopped once, by the host.
/// </summary>
internal sealed class EmbeddedBroker : IHostedService, IHubPublisher, IHubBroker, IAsyncDisposable
{
    /// <summary>Name of TCP and TLS in counters and in the quarantine.</summary>
    public const string Transport = "mqtt";

    /// <summary>Messages that may wait for one subscriber; past it new ones are not queued, and counted.</summary>
    private const int DeliveriesWaitingMax = 1_000;

    /// <summary>How long stopping waits for packs being taken.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    private readonly MqttOptions _options;
    private readonly IngestPipeline _pipeline;
    private readonly IStations _stations;
    private readonly StationMessageBoard _board;
    private readonly IngestInstruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger<EmbeddedBroker> _logger;
    private readonly RetainedMessages _retained;
    private readonly BrokerLogins _logins;
    private readonly ReadingsIntake _intake;
    private readonly BrokerListener _listener;
    private readonly WebSocketDoor _door;
    private readonly MqttServer _server;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _hurry = new();
    private readonly Lazy<Task> _stop;
    private readonly IHostApplicationLifetime _lifetime;
    private CancellationTokenRegistration _stopWithHost;
    private List<MqttApplicationMessage> _kept = [];

    public EmbeddedBroker(
        IOptions<MqttOptions> options,
        IngestPipeline pipeline,
        IStations stations,
        StationMessageBoard board,
        IDbContextFactory<IngestDbContext> contexts,
        IngestInstruments instruments,
        TimeProvider time,
        IHostApplicationLifetime lifetime,
        ILogger<EmbeddedBroker> logger)
    {
        _options = options.Value;
        _pipeline = pipeline;
        _stations = stations;
        _board = board;
        _instruments = instruments;
        _time = time;
        _logger = logger;
        _retained = new RetainedMessages(contexts);
        _logins = new BrokerLogins(_options, stations, instruments, logger);
        _intake = new ReadingsIntake(pipeline, stations, instruments, logger, _stopping.Token);
        _listener = new BrokerListener(_options, _intake, instruments, time, logger);
        _door = new WebSocketDoor(_options, _listener, instruments, logger);
        _lifetime = lifetime;
        _stop = new Lazy<Task>(StopOnceAsync);
        var factory = new MqttServerFactory();
        var serverOptions = factory.CreateServerOptionsBuilder()
            .WithDefaultCommunicationTimeout(_options.LoginTimeout)
            .WithPersistentSessions()
            .WithMaxPendingMessagesPerClient(DeliveriesWaitingMax)
            .Build();
        serverOptions.PendingMessagesOverflowStrategy = MqttPendingMessagesOverflowStrategy.DropNewMessage;
        _server = factory.CreateMqttServer(serverOptions, [_listener], new LibraryLog(logger));
        _server.ValidatingConnectionAsync += OnConnectAsync;
        _server.InterceptingPublishAsync += OnPublishAsync;
        _server.InterceptingSubscriptionAsync += OnSubscribeAsync;
        _server.InterceptingUnsubscriptionAsync += OnUnsubscribeAsync;
        _server.SessionDeletedAsync += OnSessionDeletedAsync;
        _server.ApplicationMessageEnqueuedOrDroppedAsync += OnEnqueuedAsync;
        _server.LoadingRetainedMessageAsync += OnLoadRetainedAsync;
        _server.RetainedMessageChangedAsync += OnRetainedAsync;
    }

    /// <summary>Where the broker really listens without TLS; null when it does not.</summary>
    public IPEndPoint? BoundEndpoint => _listener.BoundEndpoint;

    /// <summary>Where the broker really listens with TLS; null when it does not.</summary>
    public IPEndPoint? BoundTlsEndpoint => _listener.BoundTlsEndpoint;

    /// <inheritdoc/>
    public bool ChecksSecrets => true;

    /// <inheritdoc/>
    public IReadOnlyList<BrokerEndpoint> Endpoints =>
    [
        .. from bound in new[] { (Endpoint: BoundTlsEndpoint, Tls: true), (Endpoint: BoundEndpoint, Tls: false) }
           where bound.Endpoint is not null
           let any = bound.Endpoint.Address.Equals(IPAddress.Any) || bound.Endpoint.Address.Equals(IPAddress.IPv6Any)
           select new BrokerEndpoint(any ? "" : bound.Endpoint.Address.ToString(), bound.Endpoint.Port, bound.Tls),
    ];

    /// <summary>Connections open now, logged in or not.</summary>
    public int ConnectionCount => _listener.ConnectionCount;

    /// <exception cref="BrokerStartException">An endpoint or a file of the settings cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Read here because the library would start without them if they cannot be read.
        _kept = await _retained.LoadAsync().ConfigureAwait(false);
        foreach (var message in _kept)
        {
            if (HubTopic.TryParse(message.Topic, out var topic) && topic.Kind is TopicKind.Status or TopicKind.ConfigReported)
            {
                HandOn(topic, message, isRetained: true);
            }
        }

        await _server.StartAsync().ConfigureAwait(false);
        _kept = [];

        // The web server stops before the broker's turn comes, and waits for its WebSockets: they must have been told by then.
        _stopWithHost = _lifetime.ApplicationStopping.Register(() => _ = Task.Run(() => _stop.Value));
        _logger.Listening(BoundEndpoint, (object?)BoundTlsEndpoint ?? "none", _options.WebSocketPath.Length > 0 ? _options.WebSocketPath : "none");
    }

    /// <summary>Serves a request for a WebSocket; ends when its connection has.</summary>
    public Task EnterAsync(HttpContext context) => _door.EnterAsync(context);

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_server.IsStarted || _stop.IsValueCreated)
        {
            await using var hurry = cancellationToken.Register(_hurry.Cancel).ConfigureAwait(false);
            await _stop.Value.ConfigureAwait(false);
        }
    }

    private async Task StopOnceAsync()
    {
        _server.AcceptNewConnections = false;
        var stop = DrainAndStopAsync();
        try
        {
            await stop.WaitAsync(StopPatience, _time, _hurry.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            _logger.StoppedBusy();
            await _stopping.CancelAsync().ConfigureAwait(false);
            await Task.WhenAny(stop, Task.Delay(StopPatience, _time, CancellationToken.None)).ConfigureAwait(false);
        }
    }

    /// <summary>Reads no more readings, lets those that are on their way be acknowledged, and only then ends the connections.</summary>
    private async Task DrainAndStopAsync()
    {
        await _intake.CloseAsync().ConfigureAwait(false);
        await _server.StopAsync(new MqttServerStopOptions
        {
            DefaultClientDisconnectOptions = new MqttServerClientDisconnectOptions { ReasonCode = MqttDisconnectReasonCode.ServerShuttingDown },
        }).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask PublishAsync(HubMessage message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (!_server.IsStarted)
        {
            throw new BrokerUnavailableException("The embedded broker is not running.");
        }

        var packet = MessageExpiry.Packet(message);
        MessageExpiry.Stamp(packet, _time.GetUtcNow());
        await _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(packet) { SenderClientId = "" }, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopWithHost.DisposeAsync().ConfigureAwait(false);
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        _server.Dispose();
        _listener.Dispose();
        _stopping.Dispose();
        _hurry.Dispose();
    }

    private Task OnConnectAsync(ValidatingConnectionEventArgs e)
    {
        _logins.Login(e, (BrokerConnection)e.ChannelAdapter);
        return Task.CompletedTask;
    }

    private async Task OnPublishAsync(InterceptingPublishEventArgs e)
    {
        if (ReferenceEquals(e.SessionItems, _server.ServerSessionItems))
        {
            // The hub's own message.
            return;
        }

        var (topic, user) = (e.ApplicationMessage.Topic ?? "", e.UserName);
        Station? station = null;
        var right = BrokerLogins.TryStation(user, out var municipality, out var slug) && _stations.TryGet(municipality, slug, out station)
            ? BrokerRules.Publish(municipality, slug, topic)
            : PublishRight.Refused;
        switch (right)
        {
            case PublishRight.Readings:
                e.ProcessPublish = false;
                await TakeAsync(e, station!).ConfigureAwait(false);
                break;
            case PublishRight.Time when TimeAnswer.IsFair(e.ApplicationMessage, municipality!, slug!):
                e.ProcessPublish = false;
                await _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(TimeAnswer.Of(e.ApplicationMessage, _time)) { SenderClientId = "" }, _stopping.Token).ConfigureAwait(false);
                break;
            case PublishRight.Time:
                Refuse(e, MqttPubAckReasonCode.TopicNameInvalid);
                break;
            case PublishRight.State when e.ApplicationMessage.Payload.Length > _options.RetainedBytesMax:
                Refuse(e, MqttPubAckReasonCode.QuotaExceeded);
                break;
            case PublishRight.State:
                _ = HubTopic.TryParse(topic, out var state);
                HandOn(state, e.ApplicationMessage, isRetained: false);
                break;
            case PublishRight.Reply when e.ApplicationMessage.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtMostOnce || e.ApplicationMessage.CorrelationData is not { Length: > 0 and <= CommandReply.CorrelationBytesMax }:
                _instruments.TopicRefused(_logins.TransportOf(e.ClientId));
                Refuse(e, MqttPubAckReasonCode.PayloadFormatInvalid);
                break;
            case PublishRight.Reply when e.ApplicationMessage.Payload.Length > CommandReply.BytesMax:
                Refuse(e, MqttPubAckReasonCode.QuotaExceeded);
                break;
            case PublishRight.Reply:
                // Taken here: nobody can subscribe to it, and nothing of it is kept.
                e.ProcessPublish = false;
                _ = HubTopic.TryParse(topic, out var reply);
                HandOn(reply, e.ApplicationMessage, isRetained: false);
                break;
            default:
                _instruments.TopicRefused(_logins.TransportOf(e.ClientId));
                _logger.PublishRefused(user, topic);
                Refuse(e, MqttPubAckReasonCode.NotAuthorized);
                break;
        }
    }

    /// <summary>Gives listeners a copy of what a station says; the library's buffer is used again.</summary>
    private void HandOn(HubTopic topic, MqttApplicationMessage message, bool isRetained) =>
        _board.Post(StationMessageBoard.Read(topic, message, _time.GetUtcNow().UtcDateTime, isRetained));

    /// <summary>
    /// Says no. MQTT 5 has a code for it and the connection stays; MQTT 3.1.1 has none, so a publish that expects an acknowledgement ends the connection rather than
    /// being acknowledged as if it had been taken.
    /// </summary>
    private void Refuse(InterceptingPublishEventArgs e, MqttPubAckReasonCode code)
    {
        e.ProcessPublish = false;
        e.Response.ReasonCode = code;
        e.CloseConnection = e.ApplicationMessage.QualityOfServiceLevel != MqttQualityOfServiceLevel.AtMostOnce && !_logins.CanRefuse(e.ClientId);
    }

    private async Task TakeAsync(InterceptingPublishEventArgs e, Station station)
    {
        var payload = e.ApplicationMessage.Payload;
        var bytes = payload.IsSingleSegment ? payload.First : payload.ToArray();
        var format = PackFormats.TryParse(e.ApplicationMessage.ContentType, bytes.Span, out var known) ? known : null;
        try
        {
            var receipt = await _pipeline.AcceptAsync(new ArrivedPack(station, format, bytes, _time.GetUtcNow().UtcDateTime, _logins.TransportOf(e.ClientId)), _stopping.Token).ConfigureAwait(false);
            if (receipt.Quarantined > 0)
            {
                e.Response.ReasonString = PublishAnswer.Reason(receipt);
                e.Response.UserProperties = PublishAnswer.Properties(receipt);
            }

            e.Response.ReasonCode = PublishAnswer.Code(receipt);
        }
        catch (SeriesUnavailableException)
        {
            await SendAwayAsync(e, MqttDisconnectReasonCode.ServerBusy).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await SendAwayAsync(e, MqttDisconnectReasonCode.ServerShuttingDown).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Anything else is a bug, and must not acknowledge either.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _logger.PackFailed(exception);
            await SendAwayAsync(e, MqttDisconnectReasonCode.ImplementationSpecificError).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the connection without acknowledging, so that the sender keeps the pack and sends it again.</summary>
    private async Task SendAwayAsync(InterceptingPublishEventArgs e, MqttDisconnectReasonCode reason)
    {
        e.CloseConnection = true;
        try
        {
            await _server.DisconnectClientAsync(e.ClientId, new MqttServerClientDisconnectOptions { ReasonCode = reason }).ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            // It has left already.
        }
    }

    private Task OnSubscribeAsync(InterceptingSubscriptionEventArgs e)
    {
        var filter = e.TopicFilter.Topic ?? "";
        if (!_logins.MaySubscribe(e.UserName, filter))
        {
            e.ProcessSubscription = false;
            e.Response.ReasonCode = MqttSubscribeReasonCode.NotAuthorized;
            _instruments.TopicRefused(_logins.TransportOf(e.ClientId));
            _logger.SubscriptionRefused(e.UserName, filter);
        }
        else if (!_logins.AddFilter(e.ClientId, filter))
        {
            e.ProcessSubscription = false;
            e.Response.ReasonCode = MqttSubscribeReasonCode.QuotaExceeded;
        }

        return Task.CompletedTask;
    }

    private Task OnUnsubscribeAsync(InterceptingUnsubscriptionEventArgs e)
    {
        _logins.RemoveFilter(e.ClientId, e.Topic);
        return Task.CompletedTask;
    }

    private Task OnSessionDeletedAsync(SessionDeletedEventArgs e)
    {
        _logins.ForgetFilters(e.Id);
        return Task.CompletedTask;
    }

    private Task OnEnqueuedAsync(ApplicationMessageEnqueuedEventArgs e)
    {
        if (e.IsDropped)
        {
            _instruments.MessageUndelivered();
        }

        return Task.CompletedTask;
    }

    private Task OnLoadRetainedAsync(LoadingRetainedMessagesEventArgs e)
    {
        e.LoadedRetainedMessages = _kept;
        return Task.CompletedTask;
    }

    private async Task OnRetainedAsync(RetainedMessageChangedEventArgs e)
    {
        try
        {
            await _retained.KeepAsync(e.ChangedRetainedMessage).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is DbUpdateException or System.Data.Common.DbException or InvalidOperationException)
        {
            _logger.RetainedNotWritten(exception, e.ChangedRetainedMessage.Topic);
        }
    }
}
