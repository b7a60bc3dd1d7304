using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>Short forms for real MQTT clients.</summary>
internal static class MqttTest
{
    public const string AirTopic = "hub/v1/braga/air-1/readings";

    public static async Task<IMqttClient> ConnectAsync(
        int port,
        string? user = "braga/air-1",
        string secret = IngestHost.Secret,
        string? clientId = null,
        MqttProtocolVersion version = MqttProtocolVersion.V500,
        Action<MqttClientOptionsBuilder>? more = null)
    {
        var client = new MqttClientFactory().CreateMqttClient();
        var result = await client.ConnectAsync(Options(port, user, secret, clientId, version, more));
        if (result.ResultCode != MqttClientConnectResultCode.Success)
        {
            client.Dispose();
            throw new InvalidOperationException($"refused: {result.ResultCode}");
        }

        return client;
    }

    /// <summary>The code with which a login is answered.</summary>
    public static async Task<MqttClientConnectResultCode> LoginAsync(
        int port,
        string? user,
        string secret,
        string? clientId = null,
        MqttProtocolVersion version = MqttProtocolVersion.V500,
        Action<MqttClientOptionsBuilder>? more = null)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        return (await client.ConnectAsync(Options(port, user, secret, clientId, version, more))).ResultCode;
    }

    public static MqttApplicationMessage Message(string topic, byte[] payload, MqttQualityOfServiceLevel qos = MqttQualityOfServiceLevel.AtLeastOnce, string? type = "application/senml+json", bool retain = false)
    {
        var builder = new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(payload).WithQualityOfServiceLevel(qos).WithRetainFlag(retain);
        return (type is null ? builder : builder.WithContentType(type)).Build();
    }

    public static MqttApplicationMessage Message311(string topic, byte[] payload, MqttQualityOfServiceLevel qos = MqttQualityOfServiceLevel.AtLeastOnce) => Message(topic, payload, qos, type: null);

    public static string Property(this IReadOnlyCollection<MqttUserProperty> properties, string name) =>
        Encoding.UTF8.GetString(properties.Single(p => p.Name == name).ValueBuffer.Span);

    private static MqttClientOptions Options(int port, string? user, string secret, string? clientId, MqttProtocolVersion version, Action<MqttClientOptionsBuilder>? more)
    {
        var builder = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", port)
            .WithProtocolVersion(version)
            .WithClientId(clientId ?? user ?? "nobody")
            .WithTimeout(TimeSpan.FromSeconds(30));
        if (user is not null)
        {
            builder.WithCredentials(user, secret);
        }

        more?.Invoke(builder);
        return builder.Build();
    }
}
