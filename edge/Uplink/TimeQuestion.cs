using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using Hub.Edge.Contract.Topics;
using Hub.Edge.Outbox;
using MQTTnet;

namespace Hub.Edge.Uplink;

/// <summary>Asks the hub for the time over a connection, until the station's clock has it. Created before the connection is opened.</summary>
internal sealed class TimeQuestion
{
    /// <summary>Pause between questions.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly IMqttClient _client;
    private readonly StationClock _clock;
    private readonly TimeProvider _time;
    private readonly string _topic;
    private readonly string _answers;
    private readonly Lock _gate = new();
    private byte[] _correlation = [];
    private TimeSpan _asked;

    public TimeQuestion(IMqttClient client, StationClock clock, HubOptions hub, TimeProvider time)
    {
        (_client, _clock, _time) = (client, clock, time);
        _topic = HubTopic.Time(hub.Municipality, hub.Station);
        _answers = HubTopic.CommandTopic(hub.Municipality, hub.Station, "time");
        client.ApplicationMessageReceivedAsync += OnMessageAsync;
    }

    /// <summary>Reads an answer: seconds since 1970, with a fraction.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, out DateTimeOffset instant)
    {
        instant = default;
        if (payload.Length is 0 or > 32 || !Utf8Parser.TryParse(payload, out decimal seconds, out var read) || read != payload.Length || seconds is < 0 or > 4_102_444_799)
        {
            return false;
        }

        instant = DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond));
        return true;
    }

    /// <summary>Asks every few seconds until the clock is trusted, by an answer or otherwise.</summary>
    public async Task AskAsync(CancellationToken cancellationToken)
    {
        await _client.SubscribeAsync(new MqttClientSubscribeOptionsBuilder().WithTopicFilter(_answers).Build(), cancellationToken).ConfigureAwait(false);
        while (!_clock.IsTrusted)
        {
            var correlation = RandomNumberGenerator.GetBytes(8);
            lock (_gate)
            {
                (_correlation, _asked) = (correlation, _clock.SinceBoot);
            }

            var question = new MqttApplicationMessageBuilder().WithTopic(_topic).WithResponseTopic(_answers).WithCorrelationData(correlation)
                .WithMessageExpiryInterval((uint)Interval.TotalSeconds).Build();
            await _client.PublishAsync(question, cancellationToken).ConfigureAwait(false);
            await Task.WhenAny(_clock.Trusted, Task.Delay(Interval, _time, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private Task OnMessageAsync(MqttApplicationMessageReceivedEventArgs e)
    {
        var answered = _clock.SinceBoot;
        var message = e.ApplicationMessage;
        lock (_gate)
        {
            // An answer to an earlier question, of this connection or another, says nothing of now.
            if (message.Topic == _answers && _correlation.Length > 0 && message.CorrelationData is { } correlation && correlation.AsSpan().SequenceEqual(_correlation)
                && TryRead(message.Payload.ToArray(), out var instant))
            {
                _correlation = [];
                _clock.Offer(_asked, instant, answered);
            }
        }

        return Task.CompletedTask;
    }
}
