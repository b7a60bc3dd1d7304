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
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Topics;
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
/// The hub's own broker. A publish of readings is acknowledged when its pack is on disk: the library sends the PUBACK when <see cref="OnPublishAsync"/> ends, and takes
/// the next packet of that connection only then. Started and stopped once, by the host.
/// </summary>
internal sealed class EmbeddedBroker : IHostedService, IHubPublisher, IAsyncDisposable
{
    public const string Transport = "mqtt";

    /// <summary>Messages that may wait for one subscriber; past it new ones are not queued, and counted.</summary>
    private const int DeliveriesWaitingMax = 1_000;

    /// <summary>How long stopping waits for packs being taken.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    private readonly MqttOptions _options;
    private readonly IngestPipeline _pipeline;
    private readonly IStations _stations;
    private readonly IngestInstruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger<EmbeddedBroker> _logger;
    private readonly RetainedMessages _retained;
    private readonly BrokerLogins _logins;
    private readonly BrokerListener _listener;
    private readonly MqttServer _server;
    private readonly CancellationTokenSource _stopping = new();
    private List<MqttApplicationMessage> _kept = [];

    public EmbeddedBroker(
        IOptions<MqttOptions> options,
        IngestPipeline pipeline,
        IStations stations,
        IDbContextFactory<IngestDbContext> contexts,
        IngestInstruments instruments,
        TimeProvider time,
        ILogger<EmbeddedBroker> logger)
    {
        _options = options.Value;
        _pipeline = pipeline;
        _stations = stations;
        _instruments = instruments;
        _time = time;
        _logger = logger;
        _retained = new RetainedMessages(contexts);
        _logins = new BrokerLogins(_options, stations, instruments, logger);
        _listener = new BrokerListener(_options, instruments, time, logger);
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

    /// <summary>Connections open now, logged in or not.</summary>
    public int ConnectionCount => _listener.ConnectionCount;

    /// <exception cref="BrokerStartException">An endpoint or a file of the settings cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Read here because the library would start without them if they cannot be read.
        _kept = await _retained.LoadAsync().ConfigureAwait(false);
        await _server.StartAsync().ConfigureAwait(false);
        _kept = [];
        _logger.Listening(BoundEndpoint, (object?)BoundTlsEndpoint ?? "none");
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!_server.IsStarted)
        {
            return;
        }

        _server.AcceptNewConnections = false;
        var stop = _server.StopAsync(new MqttServerStopOptions
        {
            DefaultClientDisconnectOptions = new MqttServerClientDisconnectOptions { ReasonCode = MqttDisconnectReasonCode.ServerShuttingDown },
        });
        try
        {
            await stop.WaitAsync(StopPatience, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            _logger.StoppedBusy();
            await _stopping.CancelAsync().ConfigureAwait(false);
            await Task.WhenAny(stop, Task.Delay(StopPatience, _time, CancellationToken.None)).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload, string contentType, bool retain, CancellationToken cancellationToken)
    {
        if (!_server.IsStarted)
        {
            throw new BrokerUnavailableException("The embedded broker is not running.");
        }

        var message = new MqttApplicationMessage
        {
            Topic = topic,
            Payload = new ReadOnlySequence<byte>(payload.ToArray()),
            ContentType = contentType,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
            Retain = retain,
        };
        await _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(message) { SenderClientId = "" }, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        _server.Dispose();
        _listener.Dispose();
        _stopping.Dispose();
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
            case PublishRight.Time when string.Equals(e.ApplicationMessage.ResponseTopic, HubTopic.CommandTopic(municipality!, slug!, "time"), StringComparison.Ordinal):
                e.ProcessPublish = false;
                await TellTimeAsync(e.ApplicationMessage).ConfigureAwait(false);
                break;
            case PublishRight.Time:
                Refuse(e, MqttPubAckReasonCode.TopicNameInvalid);
                break;
            case PublishRight.State when e.ApplicationMessage.Payload.Length > _options.RetainedBytesMax:
                Refuse(e, MqttPubAckReasonCode.QuotaExceeded);
                break;
            case PublishRight.State:
                break;
            default:
                _instruments.TopicRefused(Transport);
                _logger.PublishRefused(user, topic);
                Refuse(e, MqttPubAckReasonCode.NotAuthorized);
                break;
        }
    }

    /// <summary>Answers a station that asks for the time.</summary>
    private async Task TellTimeAsync(MqttApplicationMessage question)
    {
        var seconds = (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / (decimal)TimeSpan.TicksPerSecond;
        var answer = new MqttApplicationMessage
        {
            Topic = question.ResponseTopic,
            CorrelationData = question.CorrelationData,
            Payload = new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(seconds.ToString("0.000000", CultureInfo.InvariantCulture))),
        };
        await _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(answer) { SenderClientId = "" }, _stopping.Token).ConfigureAwait(false);
    }

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
            var receipt = await _pipeline.AcceptAsync(new ArrivedPack(station, format, bytes, _time.GetUtcNow().UtcDateTime, Transport), _stopping.Token).ConfigureAwait(false);
            if (receipt.Quarantined > 0)
            {
                Tell(e.Response, receipt);
            }

            if (receipt is { AllRefused: true, Complete: false })
            {
                // Part of it could not be kept, so it must not count as delivered. MQTT 3.1.1 has no word for that and gets a plain acknowledgement: closing the connection
                // would make the station send the same bad pack for ever, and nothing after it.
                e.Response.ReasonCode = MqttPubAckReasonCode.PayloadFormatInvalid;
            }
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

    /// <summary>Tells an MQTT 5 sender what became of a pack that was not taken as a whole.</summary>
    private static void Tell(PublishResponse response, in PackReceipt receipt)
    {
        var first = receipt.Refusals.Count > 0 ? receipt.Refusals[0] : null;
        response.ReasonString = $"{receipt.Quarantined} of {receipt.Received} records are in the quarantine; the first: {first?.Reason}: {first?.Detail}";
        response.UserProperties =
        [
            Property("received", receipt.Received),
            Property("stored", receipt.Stored),
            Property("corrected", receipt.Corrected),
            Property("duplicate", receipt.Duplicate),
            Property("quarantined", receipt.Quarantined),
        ];

        static MqttUserProperty Property(string name, int value) => new(name, Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
    }

    private Task OnSubscribeAsync(InterceptingSubscriptionEventArgs e)
    {
        var filter = e.TopicFilter.Topic ?? "";
        if (!_logins.MaySubscribe(e.UserName, filter))
        {
            e.ProcessSubscription = false;
            e.Response.ReasonCode = MqttSubscribeReasonCode.NotAuthorized;
            _instruments.TopicRefused(Transport);
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
