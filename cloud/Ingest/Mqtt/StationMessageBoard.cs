using System.Buffers;
using System.Collections.Immutable;
using Hub.Edge.Contract.Topics;
using Microsoft.Extensions.Logging;
using MQTTnet;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>Hands what stations say besides readings to those who listen. Posting never waits. Safe for concurrent callers.</summary>
internal sealed class StationMessageBoard(IngestInstruments instruments, ILogger<StationMessageBoard> logger) : IStationMessages
{
    /// <summary>Largest state of an external broker that is looked at, bytes; the embedded one has a setting.</summary>
    public const int StateBytesMax = 256 * 1024;

    private ImmutableArray<StationMailbox> _boxes = [];

    /// <inheritdoc/>
    public IDisposable Subscribe(IStationListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        var box = new StationMailbox(listener, instruments, logger);
        ImmutableInterlocked.Update(ref _boxes, boxes => boxes.Add(box));
        return new Subscription(this, box);
    }

    /// <summary>Gives a message to every listener.</summary>
    public void Post(StationMessage message)
    {
        foreach (var box in _boxes)
        {
            box.Post(message);
        }
    }

    /// <summary>A message as listeners see it, with a copy of its bytes.</summary>
    public static StationMessage Read(HubTopic topic, MqttApplicationMessage message, DateTime now, bool isRetained) => new(
        topic.Municipality,
        topic.Station,
        topic.Kind switch { TopicKind.Status => StationMessageKind.Status, TopicKind.ConfigReported => StationMessageKind.Reported, _ => StationMessageKind.Reply },
        message.Payload.ToArray(),
        topic.Kind == TopicKind.Reply ? message.CorrelationData ?? [] : ReadOnlyMemory<byte>.Empty,
        message.MessageExpiryInterval > 0 ? TimeSpan.FromSeconds(message.MessageExpiryInterval) : null,
        now,
        isRetained);

    private sealed class Subscription(StationMessageBoard board, StationMailbox box) : IDisposable
    {
        public void Dispose()
        {
            ImmutableInterlocked.Update(ref board._boxes, boxes => boxes.Remove(box));
            box.Dispose();
        }
    }
}

/// <summary>
/// What waits for one listener. Of states only the newest of each station and kind waits, so however slow the listener, it ends up with the truth; answers wait in order. Both are
/// bounded by count and bytes; past that the new message is dropped and counted.
/// </summary>
internal sealed class StationMailbox(IStationListener listener, IngestInstruments instruments, ILogger logger) : IDisposable
{
    /// <summary>States that wait.</summary>
    public const int StatesMax = 50_000;

    /// <summary>Answers that wait.</summary>
    public const int RepliesMax = 256;

    /// <summary>Bytes of all that waits.</summary>
    public const long BytesMax = 64L * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string, string, StationMessageKind), StationMessage> _states = [];
    private readonly Queue<(string, string, StationMessageKind)> _order = [];
    private readonly Queue<StationMessage> _replies = [];
    private readonly CancellationTokenSource _closing = new();
    private long _bytes;
    private bool _running;
    private bool _closed;

    public void Post(StationMessage message)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            var outcome = Keep(message);
            if (outcome is not null)
            {
                instruments.StationMessage(message.Kind, outcome);
            }

            if (_running || (_replies.Count == 0 && _order.Count == 0))
            {
                return;
            }

            _running = true;
        }

        _ = Task.Run(PumpAsync);
    }

    /// <summary>Forgets what waits; what is being handed over is told to stop.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            _replies.Clear();
            _states.Clear();
            _order.Clear();
        }

        _closing.Cancel();
        _closing.Dispose();
    }

    /// <summary>Null when it waits; otherwise what became of it, or of the one it replaces.</summary>
    private string? Keep(StationMessage message)
    {
        var length = message.Payload.Length;
        if (message.Kind == StationMessageKind.Reply)
        {
            if (_replies.Count >= RepliesMax || _bytes + length > BytesMax)
            {
                return "dropped";
            }

            _replies.Enqueue(message);
            _bytes += length;
            return null;
        }

        var key = (message.Municipality, message.Station, message.Kind);
        var isReplaced = _states.TryGetValue(key, out var older);
        length -= older?.Payload.Length ?? 0;
        if ((!isReplaced && _states.Count >= StatesMax) || _bytes + length > BytesMax)
        {
            return "dropped";
        }

        _states[key] = message;
        _bytes += length;
        if (!isReplaced)
        {
            _order.Enqueue(key);
        }

        return isReplaced ? "replaced" : null;
    }

    private StationMessage? Next()
    {
        lock (_gate)
        {
            StationMessage? next = null;
            if (_replies.TryDequeue(out var reply))
            {
                next = reply;
            }
            else if (_order.TryDequeue(out var key))
            {
                _states.Remove(key, out next);
            }

            _running = next is not null;
            _bytes -= next?.Payload.Length ?? 0;
            return next;
        }
    }

    private async Task PumpAsync()
    {
        CancellationToken closing;
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            closing = _closing.Token;
        }

        while (Next() is { } message)
        {
            try
            {
                await listener.OnMessageAsync(message, closing).ConfigureAwait(false);
                instruments.StationMessage(message.Kind, "handed");
            }
            catch (OperationCanceledException) when (closing.IsCancellationRequested)
            {
                // Nobody listens any more.
            }
#pragma warning disable CA1031 // One message that a listener cannot bear must not keep the next away.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                instruments.StationMessage(message.Kind, "failed");
                logger.ListenerFailed(exception, message.Kind, message.Municipality, message.Station);
            }
        }
    }
}
