using System.Buffers;
using System.Threading.Channels;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Topics;
using Microsoft.Extensions.Logging;
using MQTTnet;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// Takes what one connection receives: messages are committed side by side and acknowledged in the order they came, each only when it is on disk. While the store
/// cannot commit, a message stays here and is tried again; the receive maximum then stops the broker from sending more. After the connection has ended nothing of it
/// is acknowledged any more: the broker sends it again.
/// </summary>
internal sealed class ExternalConsumer : IAsyncDisposable
{
    private readonly IngestPipeline _pipeline;
    private readonly IStations _stations;
    private readonly StationMessageBoard _board;
    private readonly IMqttClient _client;
    private readonly IngestInstruments _instruments;
    private readonly MqttExternalOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<(Task Taken, MqttApplicationMessageReceivedEventArgs Message)> _order;
    private readonly CancellationTokenSource _ending = new();
    private readonly CancellationToken _ended;
    private readonly Task _acknowledging;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _disposed;

    public ExternalConsumer(
        IngestPipeline pipeline, IStations stations, StationMessageBoard board, IMqttClient client, MqttExternalOptions options, IngestInstruments instruments, TimeProvider time, ILogger logger)
    {
        _pipeline = pipeline;
        _stations = stations;
        _board = board;
        _client = client;
        _instruments = instruments;
        _options = options;
        _time = time;
        _logger = logger;
        _ended = _ending.Token;
        _order = Channel.CreateBounded<(Task, MqttApplicationMessageReceivedEventArgs)>(
            new BoundedChannelOptions(options.ReceiveMaximum) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _acknowledging = Task.Run(AcknowledgeAsync);
    }

    /// <summary>Completes when an acknowledgement could not be sent: the connection is of no more use.</summary>
    public Task Failed => _failed.Task;

    /// <summary>True when nothing that was received waits for its acknowledgement.</summary>
    public bool IsIdle => _order.Reader.Count == 0;

    /// <summary>Called by the client for one message after the other.</summary>
    public async Task OnReceivedAsync(MqttApplicationMessageReceivedEventArgs e)
    {
        e.AutoAcknowledge = false;
        try
        {
            // A broker that minds the receive maximum never fills this; messages without acknowledgement (QoS 0) can, and then wait in turn.
            if (!await _order.Writer.WaitToWriteAsync(_ended).ConfigureAwait(false))
            {
                return;
            }

            await _order.Writer.WriteAsync((TakeAsync(e.ApplicationMessage), e), _ended).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is OperationCanceledException or ChannelClosedException)
        {
            // Not ours any more: it comes again.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _order.Writer.TryComplete();
        await _ending.CancelAsync().ConfigureAwait(false);
        await _acknowledging.ConfigureAwait(false);
        // The first one given up ends the acknowledging; the others are still being given up, and what they use goes when the hub stops.
        while (_order.Reader.TryRead(out var begun))
        {
            await begun.Taken.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _ending.Dispose();
    }

    /// <summary>Completes when a message may be acknowledged: readings when they are on disk; the rest at once, since the broker keeps what it says (retained) or nobody waits longer (answers).</summary>
    private Task TakeAsync(MqttApplicationMessage message)
    {
        if (message.Topic.EndsWith("/readings", StringComparison.Ordinal))
        {
            return TakeReadingsAsync(message);
        }

        if (!HubTopic.TryParse(message.Topic, out var topic) || !_stations.TryGet(topic.Municipality, topic.Station, out _))
        {
            _instruments.TopicRefused(ExternalBroker.Transport);
            return Task.CompletedTask;
        }

        switch (topic.Kind)
        {
            case TopicKind.Time when TimeAnswer.IsFair(message, topic.Municipality, topic.Station):
                return TellTimeAsync(message);
            case TopicKind.Status or TopicKind.ConfigReported when message.Payload.Length <= StationMessageBoard.StateBytesMax:
            case TopicKind.Reply when message.Payload.Length <= CommandReply.BytesMax && message.CorrelationData is { Length: > 0 and <= CommandReply.CorrelationBytesMax }:
                // A retained message that comes because we have subscribed says so; one that comes as it is said is new, whatever its flag.
                _board.Post(StationMessageBoard.Read(topic, message, _time.GetUtcNow().UtcDateTime, isRetained: message.Retain));
                return Task.CompletedTask;
            default:
                _instruments.TopicRefused(ExternalBroker.Transport);
                return Task.CompletedTask;
        }
    }

    private async Task TellTimeAsync(MqttApplicationMessage question)
    {
        try
        {
            await _client.PublishAsync(TimeAnswer.Of(question, _time), _ended).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The station asks again.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _logger.TimeNotTold(exception);
        }
    }

    private async Task TakeReadingsAsync(MqttApplicationMessage message)
    {
        var payload = message.Payload.IsSingleSegment ? message.Payload.First : message.Payload.ToArray();
        var format = PackFormats.TryParse(message.ContentType, payload.Span, out var known) ? known : null;
        var pack = new ArrivedPack(StationOf(message.Topic), format, payload, _time.GetUtcNow().UtcDateTime, ExternalBroker.Transport);
        var wait = _options.RetryMin;
        while (true)
        {
            try
            {
                await _pipeline.AcceptAsync(pack, _ended).ConfigureAwait(false);
                return;
            }
            catch (SeriesUnavailableException)
            {
                // Counted and logged where it happened.
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                _logger.PackFailed(exception);
            }

            await Task.Delay(wait, _time, _ended).ConfigureAwait(false);
            wait = wait * 2 < _options.RetryMax ? wait * 2 : _options.RetryMax;
        }
    }

    /// <summary>The station a topic names. The broker's access list has seen to it that the sender is that station; unknown ones get the identifier 0.</summary>
    private Station StationOf(string topic)
    {
        if (!HubTopic.TryParse(topic, out var parsed) || parsed.Kind != TopicKind.Readings)
        {
            // Names that are no slugs can come through the subscription too; they share one entry, so that they cannot fill the quarantine with names.
            return new Station(0, "unknown", "unknown", topic, 0, 0, false, "");
        }

        return _stations.TryGet(parsed.Municipality, parsed.Station, out var station)
            ? station
            : new Station(0, parsed.Municipality, parsed.Station, parsed.Station, 0, 0, false, "");
    }

    private async Task AcknowledgeAsync()
    {
        try
        {
            await foreach (var (taken, message) in _order.Reader.ReadAllAsync(_ended).ConfigureAwait(false))
            {
                await taken.ConfigureAwait(false);
                await message.AcknowledgeAsync(_ended).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The connection has ended.
        }
#pragma warning disable CA1031 // Any failure to acknowledge ends this connection; the next one starts afresh.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _logger.NotAcknowledged(exception);
        }
        finally
        {
            _failed.TrySetResult();
        }
    }
}
