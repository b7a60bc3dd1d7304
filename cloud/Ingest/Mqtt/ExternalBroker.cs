using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// The hub as a client of a broker elsewhere: connects, stays connected, and takes the readings of a shared subscription. The broker keeps a session for us, so what
/// arrives while we are away, and what we received without acknowledging it, comes when we are back.
/// </summary>
internal sealed class ExternalBroker : BackgroundService, IHubPublisher, IHubBroker
{
    public const string Transport = "mqtt-client";

    /// <summary>How long a publish waits for a connection and for its acknowledgement.</summary>
    private static readonly TimeSpan PublishPatience = TimeSpan.FromSeconds(10);

    /// <summary>How often it is looked whether the backlog is through.</summary>
    private static readonly TimeSpan RenewalPause = TimeSpan.FromMilliseconds(250);

    private readonly MqttExternalOptions _options;
    private readonly IngestPipeline _pipeline;
    private readonly IStations _stations;
    private readonly StationMessageBoard _board;
    private readonly IngestInstruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger<ExternalBroker> _logger;
    private readonly Lock _gate = new();
    private TaskCompletionSource<IMqttClient> _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ExternalBroker(IOptions<MqttOptions> options, IngestPipeline pipeline, IStations stations, StationMessageBoard board, IngestInstruments instruments, TimeProvider time, ILogger<ExternalBroker> logger)
    {
        _options = options.Value.External;
        _pipeline = pipeline;
        _stations = stations;
        _board = board;
        _instruments = instruments;
        _time = time;
        _logger = logger;
    }

    /// <summary>True while connected and subscribed.</summary>
    public bool IsConnected
    {
        get
        {
            lock (_gate)
            {
                return _connected.Task.IsCompletedSuccessfully;
            }
        }
    }

    /// <inheritdoc/>
    public bool ChecksSecrets => false;

    /// <inheritdoc/>
    public IReadOnlyList<BrokerEndpoint> Endpoints => MqttOptionsValidator.TryHost(_options.Address, out var host, out var port) ? [new BrokerEndpoint(host, port, _options.Tls)] : [];

    /// <inheritdoc/>
    public async ValueTask PublishAsync(HubMessage message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        var packet = MessageExpiry.Packet(message);
        Task<IMqttClient> connected;
        lock (_gate)
        {
            connected = _connected.Task;
        }

        try
        {
            using var patience = new CancellationTokenSource(PublishPatience, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            var client = await connected.WaitAsync(either.Token).ConfigureAwait(false);
            var result = await client.PublishAsync(packet, either.Token).ConfigureAwait(false);
            if (!result.IsSuccess)
            {
                throw new BrokerUnavailableException($"The broker did not take the message: {result.ReasonCode}.");
            }
        }
        catch (Exception exception) when (exception is not BrokerUnavailableException && !cancellationToken.IsCancellationRequested)
        {
            throw new BrokerUnavailableException($"The broker at {_options.Address} cannot be used now.", exception);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wait = _options.RetryMin;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ServeAsync(() => wait = _options.RetryMin, stoppingToken).ConfigureAwait(false);
                _logger.BrokerLeft(_options.Address);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever the network does, the hub tries again.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                _logger.BrokerNotReached(exception, _options.Address, wait);
            }

            // Half to all of the wait, so that hubs which lost the same broker do not come back in step.
            var spread = wait * (0.5 + (Random.Shared.NextDouble() / 2));
            await Task.Delay(spread, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = wait * 2 < _options.RetryMax ? wait * 2 : _options.RetryMax;
        }
    }

    /// <summary>One connection, from connecting to its end. Each has a client of its own, so nothing of an old connection can be acknowledged on a new one.</summary>
    private async Task ServeAsync(Action onConnected, CancellationToken stopping)
    {
        using var client = new MqttClientFactory().CreateMqttClient(new LibraryLog(_logger));
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        client.DisconnectedAsync += _ =>
        {
            ended.TrySetResult();
            return Task.CompletedTask;
        };
        await using var consumer = new ExternalConsumer(_pipeline, _stations, _board, client, _options, _instruments, _time, _logger);
        client.ApplicationMessageReceivedAsync += consumer.OnReceivedAsync;
        using var patience = new CancellationTokenSource(PublishPatience, _time);
        using var connecting = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        var answer = await ConnectAsync(client, connecting.Token).ConfigureAwait(false);
        if (answer.ResultCode != MqttClientConnectResultCode.Success)
        {
            throw new BrokerUnavailableException($"The broker refused the login: {answer.ResultCode} {answer.ReasonString}");
        }

        await SubscribeToReadingsAsync(client, connecting.Token).ConfigureAwait(false);
        if (!answer.IsSessionPresent)
        {
            await SubscribeToStationsAsync(client, connecting.Token).ConfigureAwait(false);
        }

        onConnected();
        _logger.BrokerJoined(_options.Address, answer.IsSessionPresent);
        lock (_gate)
        {
            _connected.TrySetResult(client);
        }

        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var renewal = answer.IsSessionPresent ? RenewAsync(client, consumer, leaving.Token) : Task.CompletedTask;
        try
        {
            await Task.WhenAny(ended.Task, consumer.Failed).WaitAsync(stopping).ConfigureAwait(false);
        }
        finally
        {
            await leaving.CancelAsync().ConfigureAwait(false);
            await renewal.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_gate)
            {
                _connected = new TaskCompletionSource<IMqttClient>(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            await consumer.DisposeAsync().ConfigureAwait(false);
            await LeaveAsync(client).ConfigureAwait(false);
        }
    }

    private async Task SubscribeToReadingsAsync(IMqttClient client, CancellationToken cancellationToken)
    {
        var filter = new MqttClientSubscribeOptionsBuilder()
            .WithTopicFilter($"$share/{_options.ShareName}/{HubTopic.Root}/+/+/readings", MqttQualityOfServiceLevel.AtLeastOnce)
            .Build();
        var granted = await client.SubscribeAsync(filter, cancellationToken).ConfigureAwait(false);
        if (granted.Items.Any(item => item.ResultCode > MqttClientSubscribeResultCode.GrantedQoS2))
        {
            throw new BrokerUnavailableException($"The broker refused the subscription: {granted.Items.First().ResultCode}. Does its access list allow it?");
        }
    }

    /// <summary>
    /// A session that the broker kept has these subscriptions, unless it is that of an older hub; renewing them brings what is retained. That waits until the backlog of readings is through: a broker
    /// whose memory is full of it may end the connection over one more subscription, and nothing is to stand in the way of readings.
    /// </summary>
    private async Task RenewAsync(IMqttClient client, ExternalConsumer consumer, CancellationToken leaving)
    {
        for (var quiet = 0; quiet < 2; quiet = consumer.IsIdle ? quiet + 1 : 0)
        {
            await Task.Delay(RenewalPause, _time, leaving).ConfigureAwait(false);
        }

        try
        {
            await SubscribeToStationsAsync(client, leaving).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            _logger.SubscriptionsNotRenewed(exception);
        }
    }

    /// <summary>
    /// Besides readings. Questions for the time are shared: one hub answers. States and answers to commands come to every hub: only within one subscription do those of a station stay in
    /// order, each hub must know who is there, and the one that asked must hear the answer. What is retained comes at every connection, since a shared or an old subscription would
    /// not bring it. A broker whose access list is older than this hub must not keep the readings away, so a refusal is said and borne.
    /// </summary>
    private async Task SubscribeToStationsAsync(IMqttClient client, CancellationToken cancellationToken)
    {
        const string Every = $"{HubTopic.Root}/+/+/";
        var builder = new MqttClientSubscribeOptionsBuilder().WithTopicFilter($"$share/{_options.ShareName}/{Every}time", MqttQualityOfServiceLevel.AtMostOnce);
        foreach (var topic in (string[])["status", "config/reported", "reply"])
        {
            builder.WithTopicFilter(filter => filter.WithTopic(Every + topic).WithAtLeastOnceQoS().WithRetainHandling(MqttRetainHandling.SendAtSubscribe));
        }

        var granted = await client.SubscribeAsync(builder.Build(), cancellationToken).ConfigureAwait(false);
        foreach (var item in granted.Items)
        {
            if (item.ResultCode > MqttClientSubscribeResultCode.GrantedQoS2)
            {
                _logger.SubscriptionNotGranted(item.TopicFilter.Topic, item.ResultCode.ToString());
            }
        }
    }

    private async Task<MqttClientConnectResult> ConnectAsync(IMqttClient client, CancellationToken cancellationToken)
    {
        try
        {
            return await client.ConnectAsync(ClientOptions(), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsUntrusted(exception))
        {
            var authority = _options.CertificateAuthorityFile.Length > 0 ? $"in '{_options.CertificateAuthorityFile}'" : "that this machine trusts; name one of your own";
            throw new BrokerUnavailableException(
                $"The broker's certificate is not accepted: it must be for the host in Hub:Mqtt:External:Address and of an authority {authority} (Hub:Mqtt:External:CertificateAuthorityFile).", exception);
        }
    }

    private static bool IsUntrusted(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException!)
        {
            if (cause is AuthenticationException)
            {
                return true;
            }
        }

        return false;
    }

    private static async Task LeaveAsync(IMqttClient client)
    {
        try
        {
            await client.DisconnectAsync(new MqttClientDisconnectOptions(), CancellationToken.None).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The connection is given up either way.
        catch (Exception)
#pragma warning restore CA1031
        {
            // It has gone already.
        }
    }

    private MqttClientOptions ClientOptions()
    {
        MqttOptionsValidator.TryHost(_options.Address, out var host, out var port);
        var builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTcpServer(host, port)
            .WithClientId(_options.ClientId)
            .WithCredentials(_options.User, SecretFiles.Read(_options.SecretFile, "Hub:Mqtt:External:SecretFile"))
            .WithCleanStart(false)
            .WithSessionExpiryInterval((uint)Math.Min(uint.MaxValue, _options.SessionExpiry.TotalSeconds))
            .WithReceiveMaximum((ushort)_options.ReceiveMaximum)
            .WithKeepAlivePeriod(TimeSpan.FromSeconds(30));
        if (_options.Tls)
        {
            builder.WithTlsOptions(tls =>
            {
                tls.UseTls();
                tls.WithTargetHost(host);
                if (_options.CertificateAuthorityFile.Length > 0)
                {
                    var authorities = new X509Certificate2Collection();
                    authorities.ImportFromPemFile(_options.CertificateAuthorityFile);
                    if (authorities.Count == 0)
                    {
                        throw new BrokerUnavailableException($"Hub:Mqtt:External:CertificateAuthorityFile '{_options.CertificateAuthorityFile}' holds no certificate: give the authority's in PEM form.");
                    }

                    // An authority of one's own rarely publishes revocation lists, and one that cannot be asked would keep the hub from its broker.
                    tls.WithTrustChain(authorities).WithRevocationMode(X509RevocationMode.NoCheck);
                }
            });
        }

        return builder.Build();
    }
}
