using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hub.Edge.Contract.Quantities;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Hub.Edge.Thresholds;

/// <summary>What is published. Others read it: never rename.</summary>
/// <param name="Municipality">Slug of the municipality.</param>
/// <param name="Station">Slug of the station.</param>
/// <param name="Rule">Slug of the rule.</param>
/// <param name="On">Whether the alarm is on.</param>
/// <param name="At">Event time of the reading that changed it, UTC; null when none did yet.</param>
/// <param name="Sensor">Its sensor.</param>
/// <param name="Property">Its property.</param>
/// <param name="Value">Its value.</param>
/// <param name="Unit">Unit of the value (SenML).</param>
/// <param name="Stopped">True when it is off because the agent stops.</param>
internal sealed record AlarmMessage(string Municipality, string Station, string Rule, bool On, DateTime? At, string? Sensor, string? Property, double? Value, string? Unit, bool Stopped);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AlarmMessage))]
internal sealed partial class AlarmMessageJson : JsonSerializerContext;

/// <summary>A retained message on a broker nearby. Keeps its connection, so that a broker that comes back without its memory is told again. MQTT 3.1.1: every broker speaks it.</summary>
internal sealed class MqttOutput(ThresholdMqttOptions options, string rule, string clientId, ThresholdsOptions station) : IOutput
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30);

    private readonly IMqttClient client = new MqttClientFactory().CreateMqttClient();

    /// <inheritdoc/>
    public string What { get; } = $"topic {options.Topic} at {options.Address}:{options.Port}";

    /// <inheritdoc/>
    public bool Holds => client.IsConnected;

    /// <inheritdoc/>
    public async Task SetAsync(AlarmWord word, bool stopping, CancellationToken cancellationToken)
    {
        try
        {
            if (!client.IsConnected)
            {
                MqttClientConnectResult result = await client.ConnectAsync(await ConnectOptionsAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
                if (result.ResultCode != MqttClientConnectResultCode.Success)
                {
                    throw new IOException($"the broker refused the connection ({result.ResultCode})");
                }
            }

            var unit = word.Property is { } property && QuantityCatalogue.TryGet(property, out Quantity? quantity) ? quantity.SenmlUnit : null;
            var message = new AlarmMessage(station.Municipality, station.Station, rule, word.On, word.At, word.Sensor, word.Property, double.IsFinite(word.Value) ? word.Value : null, unit, stopping);
            MqttClientPublishResult published = await client.PublishAsync(
                new MqttApplicationMessageBuilder().WithTopic(options.Topic).WithPayload(JsonSerializer.SerializeToUtf8Bytes(message, AlarmMessageJson.Default.AlarmMessage)).WithRetainFlag()
                    .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build(),
                cancellationToken).ConfigureAwait(false);
            if (!published.IsSuccess)
            {
                throw new IOException($"the broker did not take the message ({published.ReasonCode})");
            }

            if (stopping)
            {
                await client.DisconnectAsync(new MqttClientDisconnectOptions(), cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // Whatever a connection breaks of, the next one is tried.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            throw new OutputException($"{What} cannot be told {(word.On ? "on" : "off")}: {exception.GetBaseException().Message.TrimEnd('.')}.", exception);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<MqttClientOptions> ConnectOptionsAsync(CancellationToken cancellationToken)
    {
        MqttClientOptionsBuilder builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MqttProtocolVersion.V311).WithTcpServer(options.Address, options.Port).WithClientId(clientId).WithCleanSession().WithKeepAlivePeriod(KeepAlive).WithTimeout(Patience);
        if (options.UserName is { Length: > 0 } user)
        {
            string password = "";
            if (options.PasswordFile is { Length: > 0 } file)
            {
                using var reader = new StreamReader(file);
                password = (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) ?? "").Trim();
            }

            builder.WithCredentials(user, password);
        }

        if (options.Tls)
        {
            builder.WithTlsOptions(tls =>
            {
                tls.UseTls().WithTargetHost(options.Address).WithSslProtocols(SslProtocols.Tls12 | SslProtocols.Tls13);
                if (options.CaFile is { Length: > 0 } ca)
                {
                    var authorities = new X509Certificate2Collection();
                    authorities.ImportFromPemFile(ca);
                    tls.WithTrustChain(authorities).WithRevocationMode(X509RevocationMode.NoCheck);
                }
            });
        }

        return builder.Build();
    }
}
