using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// Message expiry of the hub's own messages on the embedded broker, whose library counts none: the end stands in a user property, and the connection that is about to deliver looks at
/// it. Stations cannot forge it, as nothing they publish is delivered to anybody with an acknowledgement. Pure functions.
/// </summary>
internal static class MessageExpiry
{
    /// <summary>User property with the end, milliseconds since 1970 in decimal digits.</summary>
    private const string Until = "until";

    /// <summary>The message as it goes to a broker.</summary>
    public static MqttApplicationMessage Packet(HubMessage message) => new()
    {
        Topic = message.Topic,
        Payload = new ReadOnlySequence<byte>(message.Payload.ToArray()),
        ContentType = message.ContentType,
        QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
        Retain = message.Retain,
        ResponseTopic = message.ResponseTopic,
        CorrelationData = message.Correlation.IsEmpty ? null : message.Correlation.ToArray(),
        MessageExpiryInterval = message.Expiry is { } expiry ? (uint)Math.Clamp(Math.Ceiling(expiry.TotalSeconds), 1, uint.MaxValue) : 0,
    };

    /// <summary>Writes down when a message ends that has an expiry.</summary>
    public static void Stamp(MqttApplicationMessage message, DateTimeOffset now)
    {
        if (message.MessageExpiryInterval > 0)
        {
            var end = now.AddSeconds(message.MessageExpiryInterval).ToUnixTimeMilliseconds();
            message.UserProperties = [new MqttUserProperty(Until, Encoding.ASCII.GetBytes(end.ToString(CultureInfo.InvariantCulture)))];
        }
    }

    /// <summary>Seconds left of a message with an expiry, rounded up; 0 when it has expired.</summary>
    public static uint Left(MqttPublishPacket packet, DateTimeOffset now)
    {
        foreach (var property in packet.UserProperties ?? [])
        {
            if (property.Name == Until && Utf8Parser.TryParse(property.ValueBuffer.Span, out long end, out _))
            {
                var left = end - now.ToUnixTimeMilliseconds();
                return left <= 0 ? 0 : (uint)Math.Min(uint.MaxValue, (left + 999) / 1000);
            }
        }

        return packet.MessageExpiryInterval;
    }
}
