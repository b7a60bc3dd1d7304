using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using MQTTnet;
using MQTTnet.Protocol;

namespace Hub.Tests.Benchmarks.Ingest;

/// <summary>
/// The program between Mosquitto and InfluxDB, as a careful person would write it: an MQTT client with QoS 1, packs to line protocol (a line of five fields each), batches of 5,000 readings or 50 ms,
/// two writers. A process of its own, so that its needs can be told from the load generator's.
/// </summary>
internal static class Bridge
{
    /// <summary>What it says once it is subscribed.</summary>
    public const string Ready = "bridge: subscribed";

    private const int BatchLines = 1_000;
    private const int Writers = 2;
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs until it is killed or a write fails.</summary>
    public static async Task<int> RunAsync(int mqtt, int influx)
    {
        using var http = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{influx}/")) };
        var batches = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(16) { FullMode = BoundedChannelFullMode.Wait });
        var gate = new SemaphoreSlim(1, 1);
        var (open, lines) = (new ArrayBufferWriter<byte>(256 * 1024), 0);
        var writers = Enumerable.Range(0, Writers).Select(_ => Task.Run(() => WriteAsync(http, batches.Reader))).ToArray();

        using var client = new MqttClientFactory().CreateMqttClient();
        client.ApplicationMessageReceivedAsync += async message =>
        {
            await gate.WaitAsync();
            try
            {
                Translate(message.ApplicationMessage.Topic, Body(message.ApplicationMessage.Payload), open);
                if (++lines == BatchLines)
                {
                    await CloseAsync();
                }
            }
            finally
            {
                gate.Release();
            }
        };
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", mqtt).WithClientId("bridge").WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500).Build());
        await client.SubscribeAsync(new MqttClientSubscribeOptionsBuilder().WithTopicFilter("hub/v1/+/+/readings", MqttQualityOfServiceLevel.AtLeastOnce).Build());
        Console.WriteLine(Ready);

        using var stop = new CancellationTokenSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            stop.Cancel();
        });
        using var tick = new PeriodicTimer(Linger, TimeProvider.System);
        var (before, failed) = (0, Task.WhenAny(writers));
        while (!stop.IsCancellationRequested && !failed.IsCompleted)
        {
            await tick.WaitForNextTickAsync(CancellationToken.None);
            await gate.WaitAsync(CancellationToken.None);
            if (lines > 0 && lines == before)
            {
                await CloseAsync();
            }

            before = lines;
            gate.Release();
        }

        batches.Writer.TryComplete();
        await Task.WhenAll(writers);
        return 0;

        async ValueTask CloseAsync()
        {
            var batch = open.WrittenSpan.ToArray();
            open.ResetWrittenCount();
            lines = 0;
            await batches.Writer.WriteAsync(batch);
        }
    }

    private static async Task WriteAsync(HttpClient http, ChannelReader<byte[]> batches)
    {
        await foreach (var batch in batches.ReadAllAsync())
        {
            using var content = new ByteArrayContent(batch);
            content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
            using var answer = await http.PostAsync("write?db=city&precision=s", content);
            if (!answer.IsSuccessStatusCode)
            {
                Console.WriteLine($"bridge: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
                answer.EnsureSuccessStatusCode();
            }
        }
    }

    private static ReadOnlySpan<byte> Body(ReadOnlySequence<byte> payload) => payload.IsSingleSegment ? payload.FirstSpan : payload.ToArray();

    /// <summary>One pack becomes one line.</summary>
    private static void Translate(string topic, ReadOnlySpan<byte> pack, ArrayBufferWriter<byte> output)
    {
        output.Write("city,station="u8);
        Encoding.ASCII.GetBytes(topic.Split('/')[3], output);
        var reader = new Utf8JsonReader(pack);
        ReadOnlySpan<byte> name = default, value = default, time = default;
        var separator = (byte)' ';
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName when reader.ValueTextEquals("n"u8):
                    reader.Read();
                    name = reader.ValueSpan;
                    break;
                case JsonTokenType.PropertyName when reader.ValueTextEquals("v"u8):
                    reader.Read();
                    value = reader.ValueSpan;
                    break;
                case JsonTokenType.PropertyName when reader.ValueTextEquals("bt"u8):
                    reader.Read();
                    time = reader.ValueSpan;
                    break;
                case JsonTokenType.EndObject:
                    output.Write<byte>([separator]);
                    separator = (byte)',';
                    output.Write(name);
                    output.Write("="u8);
                    output.Write(value);
                    break;
            }
        }

        output.Write(" "u8);
        output.Write(time);
        output.Write("\n"u8);
    }
}
