using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Topics;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Protocol;

namespace Hub.Edge.Uplink;

/// <summary>
/// Everything of one connection that is no reading, beside the readings and never in their way: subscribes, says the station's status, reports on its twin, and answers
/// commands. One message at a time, each with its acknowledgement. Made before the connection is opened, so that nothing is missed.
/// </summary>
internal sealed class Courier
{
    /// <summary>How often the station's own state is looked at; a change is said at most so often.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);

    /// <summary>An answer that the hub did not fetch by then is of no use to it.</summary>
    private static readonly TimeSpan ReplyExpiry = TimeSpan.FromMinutes(10);

    private const string Json = StatusMessages.ContentType;

    private readonly IMqttClient _client;
    private readonly HubOptions _hub;
    private readonly UplinkOptions _options;
    private readonly Func<StationBirth> _birth;
    private readonly Downlink _downlink;
    private readonly UplinkInstruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private string _said = "";
    private long _saidAt;
    private volatile bool _begins;

    public Courier(
        IMqttClient client, HubOptions hub, UplinkOptions options, Func<StationBirth> birth, Downlink downlink, UplinkInstruments instruments, TimeProvider time, ILogger logger)
    {
        (_client, _hub, _options, _birth, _downlink, _instruments, _time, _logger) = (client, hub, options, birth, downlink, instruments, time, logger);
        client.ApplicationMessageReceivedAsync += e =>
        {
            _downlink.Receive(e.ApplicationMessage);
            return Task.CompletedTask;
        };
    }

    /// <summary>Says that the station is online, and how it is doing.</summary>
    public async Task SayOnlineAsync(CancellationToken cancellationToken)
    {
        var birth = _birth();
        (_said, _saidAt) = (StatusMessages.Comparable(birth), _time.GetTimestamp());
        await SayStatusAsync(StatusMessages.Online(birth, _time.GetUtcNow()), _options.AckTimeout, _options.StatusExpiry, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Says goodbye.</summary>
    public Task SayStoppedAsync(TimeSpan patience) => SayStatusAsync(StatusMessages.Stopped(_birth(), _time.GetUtcNow()), patience, default, CancellationToken.None);

    /// <summary>Works until the connection breaks (throws) or the token ends it.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        var speaks = _downlink.Guard.MaySpeak(_time);
        long? reported = null;
        if (speaks)
        {
            reported = await BeginAsync(stopping).ConfigureAwait(false);
        }

        var look = Task.Delay(LookInterval, _time, stopping);
        while (true)
        {
            stopping.ThrowIfCancellationRequested();
            if (speaks && _downlink.Twin is { } twin && twin.Reported is var report && report.Number != reported)
            {
                await ReportAsync(twin, report, stopping).ConfigureAwait(false);
                reported = report.Number;
                continue;
            }

            if (_downlink.Replies.TryPeek(out var reply))
            {
                await AnswerAsync(reply, stopping).ConfigureAwait(false);
                continue;
            }

            if (look.IsCompleted)
            {
                if (_time.GetElapsedTime(_saidAt) >= _options.StatusExpiry / 2 || StatusMessages.Comparable(_birth()) != _said)
                {
                    await SayOnlineAsync(stopping).ConfigureAwait(false);
                }

                look = Task.Delay(LookInterval, _time, stopping);
                continue;
            }

            await Task.WhenAny(
                look, speaks && _downlink.Twin is { } changing ? changing.ReportedChangedAsync(reported ?? -1) : Task.Delay(Timeout.InfiniteTimeSpan, _time, stopping), _downlink.Replies.WaitToReadAsync(stopping).AsTask())
                .ConfigureAwait(false);
        }
    }

    /// <summary>The connection has broken: if it did over the subscriptions or the first report, that is held against the broker.</summary>
    public void Lost()
    {
        if (_begins && _downlink.Guard.Lost(_time))
        {
            _instruments.SubscriptionRefused();
            _logger.SubscriptionsRest(SubscriptionGuard.LossesMax, SubscriptionGuard.Rest.TotalMinutes);
        }
    }

    /// <summary>Subscribes and makes the first report; its number, or null where nobody reports.</summary>
    private async Task<long?> BeginAsync(CancellationToken stopping)
    {
        _begins = true;
        await SubscribeAsync(stopping).ConfigureAwait(false);
        long? number = null;
        if (_downlink.Twin is { } twin)
        {
            var report = twin.Reported;
            await ReportAsync(twin, report, stopping).ConfigureAwait(false);
            number = report.Number;
        }

        _begins = false;
        _downlink.Guard.Answered();
        return number;
    }

    private async Task SubscribeAsync(CancellationToken stopping)
    {
        var filters = new[] { _downlink.DesiredTopic, _downlink.CommandFilter }.OfType<string>().ToArray();
        if (filters.Length == 0)
        {
            return;
        }

        var builder = new MqttClientSubscribeOptionsBuilder();
        foreach (var filter in filters)
        {
            builder.WithTopicFilter(filter, MqttQualityOfServiceLevel.AtLeastOnce);
        }

        using var limit = new CancellationTokenSource(_options.AckTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            var answer = await _client.SubscribeAsync(builder.Build(), either.Token).ConfigureAwait(false);
            foreach (var item in answer.Items.Where(item => (int)item.ResultCode >= 0x80))
            {
                _instruments.SubscriptionRefused();
                _logger.SubscriptionRefused(item.TopicFilter.Topic, (int)item.ResultCode);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or MqttCommunicationTimedOutException && !stopping.IsCancellationRequested && _client.IsConnected)
        {
            // Readings do not depend on it.
            _instruments.SubscriptionRefused();
            _logger.SubscriptionUnanswered(_options.AckTimeout.TotalSeconds);
        }
    }

    private async Task ReportAsync(ITwinLink twin, ReportedDocument report, CancellationToken stopping)
    {
        var message = new MqttApplicationMessageBuilder().WithTopic(HubTopic.ConfigReported(_hub.Municipality, _hub.Station)).WithPayload(report.Utf8.ToArray())
            .WithContentType(Json).WithRetainFlag().WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
        var (code, reason) = await PublishAsync(message, _options.AckTimeout, stopping).ConfigureAwait(false);
        if (code < 0x80)
        {
            twin.ReportedAcknowledged(report.Number);
        }
        else
        {
            _logger.ReportRefused(code, reason);
        }
    }

    private async Task AnswerAsync(Reply reply, CancellationToken stopping)
    {
        var message = new MqttApplicationMessageBuilder().WithTopic(_downlink.ReplyTopic).WithPayload(reply.Payload).WithCorrelationData(reply.Correlation)
            .WithContentType(Json).WithMessageExpiryInterval((uint)ReplyExpiry.TotalSeconds).WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
        var (code, reason) = await PublishAsync(message, _options.AckTimeout, stopping).ConfigureAwait(false);
        _downlink.Replies.TryRead(out _);
        reply.Settled();
        if (code >= 0x80)
        {
            _instruments.ReplyDropped();
            _logger.ReplyRefused(code, reason);
        }
    }

    private async Task SayStatusAsync(byte[] json, TimeSpan patience, TimeSpan expiry, CancellationToken cancellationToken)
    {
        var message = new MqttApplicationMessageBuilder().WithTopic(HubTopic.Status(_hub.Municipality, _hub.Station)).WithPayload(json)
            .WithContentType(Json).WithRetainFlag().WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .WithMessageExpiryInterval((uint)expiry.TotalSeconds).Build();
        var (code, reason) = await PublishAsync(message, patience, cancellationToken).ConfigureAwait(false);
        if (code >= 0x80)
        {
            _logger.StatusRefused(code, reason);
        }
    }

    /// <exception cref="TimeoutException">No acknowledgement came in time: the line is as good as broken.</exception>
    private async Task<(int Code, string Reason)> PublishAsync(MqttApplicationMessage message, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var answer = await _client.PublishAsync(message, either.Token).ConfigureAwait(false);
            return ((int)answer.ReasonCode, string.IsNullOrWhiteSpace(answer.ReasonString) ? answer.ReasonCode.ToString() : answer.ReasonString);
        }
        catch (Exception e) when ((e is OperationCanceledException && !cancellationToken.IsCancellationRequested) || e is MqttCommunicationTimedOutException)
        {
            throw new TimeoutException($"no acknowledgement within {patience.TotalSeconds:0} s", e);
        }
    }
}
