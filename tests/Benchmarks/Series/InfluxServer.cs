using System.Globalization;
using Hub.Tests.Kit;

namespace Hub.Tests.Benchmarks.Series;

/// <summary>Debian's InfluxDB 1.6 with a configuration, folder and ports of its own. Its compactions of cold data begin after seconds, not hours, so that it settles while one waits.</summary>
internal sealed class InfluxServer : IAsyncDisposable
{
    public const string Program = "/usr/bin/influxd";

    private readonly TempFolder _folder = new();
    private ServerProcess? _process;

    public InfluxServer()
    {
        Port = FreePort.Next();
        Client = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/")), Timeout = TimeSpan.FromMinutes(2) };
    }

    public int Port { get; }

    public HttpClient Client { get; }

    public ProcessFigures Figures => _process!.Figures;

    /// <summary>The folder of data and write-ahead log.</summary>
    public string Folder => _folder.Path;

    public async Task StartAsync()
    {
        if (!File.Exists(Program))
        {
            throw new InvalidOperationException($"{Program} is not there. Install it with: apt-get install influxdb, and see that its service does not run.");
        }

        var configuration = _folder.File("influxdb.conf");
        await File.WriteAllTextAsync(configuration, $"""
            reporting-disabled = true
            bind-address = "127.0.0.1:{FreePort.Next().ToString(CultureInfo.InvariantCulture)}"
            [meta]
              dir = "{_folder.File("meta")}"
            [data]
              dir = "{_folder.File("data")}"
              wal-dir = "{_folder.File("wal")}"
              index-version = "inmem"
              query-log-enabled = false
              cache-snapshot-write-cold-duration = "3s"
              compact-full-write-cold-duration = "5s"
            [monitor]
              store-enabled = false
            [http]
              bind-address = "127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)}"
              log-enabled = false
            [continuous_queries]
              enabled = false
            """);
        _process = new ServerProcess(Program, ["-config", configuration]);
        await _process.ReadyAsync(async () => (await Client.GetAsync("ping")).IsSuccessStatusCode, "influxd");
        using var form = new FormUrlEncodedContent([new("q", "CREATE DATABASE city")]);
        (await Client.PostAsync("query", form)).EnsureSuccessStatusCode();
    }

    /// <summary>Asks in InfluxQL; the whole answer.</summary>
    public async Task<byte[]> QueryAsync(string query) => await Client.GetByteArrayAsync($"query?db=city&epoch=s&q={Uri.EscapeDataString(query)}");

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Client.Dispose();
        _folder.Dispose();
    }
}
