using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using MQTTnet;
using MQTTnet.Protocol;

namespace Hub.Tests.Journeys.Programs;

/// <summary>
/// A station that publishes packs over MQTT 5 with QoS 1, one after the other, as fast as they are acknowledged, and sends one again until it is. Each reading has a time and a value of its own; what
/// was acknowledged is remembered.
/// </summary>
public sealed class PackPublisher : IAsyncDisposable
{
    private const int RecordsPerPack = 40;

    /// <summary>A client's manners towards a hub that has closed the connection.</summary>
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(50);

    private static readonly DateTime Start = new(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly MqttClientOptions _options;
    private readonly string _topic;
    private readonly string _sensor;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, int> _refusals = new();
    private readonly Task _running;
    private long _packs;
    private long _failed;

    /// <param name="hub">Where the hub takes MQTT: mqtt://host:port, or ws://host:port/mqtt.</param>
    /// <param name="station">municipality/station.</param>
    /// <param name="secret">Its secret.</param>
    /// <param name="sensor">Its sensor, of its own.</param>
    public PackPublisher(Uri hub, string station, string secret, string sensor)
    {
        (_topic, _sensor) = ($"hub/v1/{station}/readings", sensor);
        var options = new MqttClientOptionsBuilder();
        _options = (hub.Scheme == "mqtt" ? options.WithTcpServer(hub.Host, hub.Port) : options.WithWebSocketServer(server => server.WithUri(hub.AbsoluteUri)))
            .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500)
            .WithCredentials(station, secret)
            .WithClientId($"{station}/{sensor}")
            .WithCleanStart()
            .WithTimeout(TimeSpan.FromSeconds(20))
            .Build();
        _running = Task.Run(RunAsync);
    }

    public string Sensor => _sensor;

    /// <summary>Packs acknowledged.</summary>
    public long Acknowledged => Interlocked.Read(ref _packs);

    /// <summary>Attempts that ended without an acknowledgement.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>What ended them, and how often.</summary>
    public IReadOnlyDictionary<string, int> Refusals => _refusals;

    /// <summary>Every reading that was acknowledged.</summary>
    public IEnumerable<(DateTime Time, double Value)> Readings => Enumerable.Range(0, (int)Acknowledged * RecordsPerPack).Select(Reading);

    /// <summary>Readings of one pack.</summary>
    public static int PerPack => RecordsPerPack;

    /// <summary>Ends after the pack that is on its way.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    /// <summary>Values without a pattern, so that they take room.</summary>
    private static (DateTime Time, double Value) Reading(int number) => (Start.AddMilliseconds(number * 100L), Math.Round(number * 0.6180339887498949 % 1 * 900, 6));

    private async Task RunAsync()
    {
        IMqttClient? client = null;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (client is not { IsConnected: true })
                {
                    client?.Dispose();
                    client = new MqttClientFactory().CreateMqttClient();
                    client.DisconnectedAsync += args =>
                    {
                        _refusals.AddOrUpdate($"disconnected: {args.Reason}", 1, static (_, count) => count + 1);
                        return Task.CompletedTask;
                    };
                    await client.ConnectAsync(_options, CancellationToken.None);
                }

                var answer = await client.PublishAsync(new MqttApplicationMessageBuilder()
                    .WithTopic(_topic).WithPayload(Pack((int)Acknowledged * RecordsPerPack)).WithContentType("application/senml+json")
                    .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build());
                if (answer.ReasonCode != MqttClientPublishReasonCode.Success)
                {
                    throw new InvalidOperationException($"PUBACK {answer.ReasonCode}");
                }

                Interlocked.Increment(ref _packs);
            }
            catch (Exception exception) when (exception is not InvalidOperationException { Message: ['P', 'U', 'B', ..] })
            {
                // Any end of the connection: the pack was not acknowledged and is sent again. Nothing depends on the pause.
                Interlocked.Increment(ref _failed);
                await Task.Delay(BetweenAttempts);
            }
        }

        if (client is { IsConnected: true })
        {
            await client.DisconnectAsync();
        }

        client?.Dispose();
    }

    private byte[] Pack(int first)
    {
        var pack = new StringBuilder().Append(CultureInfo.InvariantCulture, $$"""[{"bver":26,"bn":"{{_sensor}}/","bu":"ug/m3"}""");
        for (var i = first; i < first + RecordsPerPack; i++)
        {
            var (time, value) = Reading(i);
            pack.Append(CultureInfo.InvariantCulture, $$""",{"n":"pm2_5","t":{{(time - DateTime.UnixEpoch).TotalSeconds:F1}},"v":{{value:R}}}""");
        }

        return Encoding.UTF8.GetBytes(pack.Append(']').ToString());
    }
}
