using System.Buffers;
using System.Globalization;
using System.Text;
using Hub.Edge.Contract.Topics;
using MQTTnet;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>The answer to a station that asks for the time; FORMAT.md, Asking for the time. Pure functions.</summary>
internal static class TimeAnswer
{
    /// <summary>True when the question names the station's own topic for the answer: nobody makes the hub write elsewhere.</summary>
    public static bool IsFair(MqttApplicationMessage question, string municipality, string station) =>
        string.Equals(question.ResponseTopic, HubTopic.CommandTopic(municipality, station, "time"), StringComparison.Ordinal);

    /// <summary>The answer as of now; sent with QoS 0, since an answer that comes late is worth nothing.</summary>
    public static MqttApplicationMessage Of(MqttApplicationMessage question, TimeProvider time)
    {
        var seconds = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / (decimal)TimeSpan.TicksPerSecond;
        return new MqttApplicationMessage
        {
            Topic = question.ResponseTopic,
            CorrelationData = question.CorrelationData,
            Payload = new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(seconds.ToString("0.000000", CultureInfo.InvariantCulture))),
        };
    }
}
