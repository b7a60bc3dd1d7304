using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Hub.Tests.Benchmarks.Series;
using Hub.Tests.Kit;

namespace Hub.Tests.Benchmarks.Ingest;

/// <summary>
/// What people build today: Mosquitto, a bridge and InfluxDB, set for speed. Mosquitto keeps nothing on disk and lets nobody log in, so its PUBACK promises nothing.
/// </summary>
internal sealed class PeerChain : IAsyncDisposable
{
    private const string Mosquitto = "/usr/sbin/mosquitto";

    private readonly TempFolder _folder = new();
    private readonly InfluxServer _influx = new();
    private ServerProcess? _mosquitto;
    private ServerProcess? _bridge;

    /// <summary>Port of Mosquitto.</summary>
    public int MqttPort { get; } = FreePort.Next();

    /// <summary>Processor time of all that run.</summary>
    public TimeSpan Processor => Running.Aggregate(TimeSpan.Zero, (sum, figures) => sum + figures.Processor);

    /// <summary>Peaks of the resident memory, together.</summary>
    public double PeakMiB => Running.Sum(figures => figures.PeakMiB);

    private IEnumerable<ProcessFigures> Running => _bridge is null ? [_mosquitto!.Figures] : [_mosquitto!.Figures, _bridge.Figures, _influx.Figures];

    /// <summary>Starts Mosquitto and, when asked for, the chain behind it.</summary>
    public async Task StartAsync(bool brokerOnly)
    {
        if (!File.Exists(Mosquitto))
        {
            throw new InvalidOperationException($"{Mosquitto} is not there. Install it with: apt-get install mosquitto, and see that its service does not run.");
        }

        var configuration = _folder.File("mosquitto.conf");
        await File.WriteAllTextAsync(configuration, $"""
            listener {MqttPort.ToString(CultureInfo.InvariantCulture)} 127.0.0.1
            allow_anonymous true
            persistence false
            max_queued_messages 0
            max_inflight_messages 0
            set_tcp_nodelay true
            log_dest none
            user {Environment.UserName}

            """);
        _mosquitto = new ServerProcess(Mosquitto, ["-c", configuration]);
        await _mosquitto.ReadyAsync(
            async () =>
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", MqttPort);
                return true;
            },
            "mosquitto");
        if (brokerOnly)
        {
            return;
        }

        await _influx.StartAsync();
        _bridge = new ServerProcess(
            Environment.ProcessPath!,
            [.. Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet" ? [typeof(PeerChain).Assembly.Location] : Array.Empty<string>(), "bridge", MqttPort.ToString(CultureInfo.InvariantCulture), _influx.Port.ToString(CultureInfo.InvariantCulture)]);
        await _bridge.ReadyAsync(() => Task.FromResult(_bridge.Output.Contains(Bridge.Ready, StringComparison.Ordinal)), "The bridge");
    }

    /// <summary>Asks InfluxDB until it counts so many packs.</summary>
    public async Task UntilQueryableAsync(long packs)
    {
        var (seen, since) = (-1L, TimeProvider.System.GetTimestamp());
        while (true)
        {
            using var answer = JsonDocument.Parse(await _influx.QueryAsync("SELECT count(pm2_5) FROM city"));
            var now = answer.RootElement.GetProperty("results")[0].TryGetProperty("series", out var series) ? series[0].GetProperty("values")[0][1].GetInt64() : 0;
            if (now == packs)
            {
                return;
            }

            if (now != seen)
            {
                (seen, since) = (now, TimeProvider.System.GetTimestamp());
            }
            else if (TimeProvider.System.GetElapsedTime(since) > TimeSpan.FromSeconds(30))
            {
                throw new TimeoutException($"InfluxDB has {now} of {packs} packs, and none came for 30 s. The bridge said:\n{_bridge!.Output}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in new[] { _bridge, _mosquitto })
        {
            if (process is not null)
            {
                await process.DisposeAsync();
            }
        }

        await _influx.DisposeAsync();
        _folder.Dispose();
    }
}
