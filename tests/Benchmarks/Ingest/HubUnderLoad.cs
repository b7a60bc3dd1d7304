using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Stations;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Tests.Benchmarks.Ingest;

/// <summary>The real hub program, built as this one is (Release), with its own data folder and default settings; its stations are registered before it starts. Stopped by its process id.</summary>
internal sealed class HubUnderLoad : IAsyncDisposable
{
    private const string Municipality = "load";

    private static readonly string Program = Path.Combine(Repository.Root, "cloud", "Server", "bin", Configuration, "net10.0", "hub.dll");

    private readonly TempFolder _folder = new();
    private readonly int _http = FreePort.Next();
    private readonly HttpClient _client;
    private readonly HubReader _reader;
    private ServerProcess? _process;

    private HubUnderLoad()
    {
        _client = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_http}/")), Timeout = TimeSpan.FromMinutes(5) };
        _reader = new HubReader(_client);
    }

    /// <summary>Address of its pages and its API.</summary>
    public Uri Http => _client.BaseAddress!;

    /// <summary>Port of its broker.</summary>
    public int MqttPort { get; } = FreePort.Next();

    /// <summary>Its stations, with the secrets they were given.</summary>
    public IReadOnlyList<LoadStation> Stations { get; private set; } = [];

    /// <summary>What the process needs.</summary>
    public ProcessFigures Figures => _process!.Figures;

    private static string Configuration =>
#if DEBUG
        "Debug";
#else
        "Release";
#endif

    /// <summary>Registers the stations and starts the hub.</summary>
    public static async Task<HubUnderLoad> StartAsync(int stations)
    {
        var hub = new HubUnderLoad();
        try
        {
            await hub.RegisterAsync(stations);
            await hub.StartAsync();
            return hub;
        }
        catch
        {
            await hub.DisposeAsync();
            throw;
        }
    }

    /// <summary>Begins the peak of the resident memory anew.</summary>
    public void ResetPeak() => _process!.ResetPeak();

    /// <summary>Stops it, lets something be done to its series' folder by the identifiers of its datastreams, and starts it again.</summary>
    public async Task RestartAsync(Action<string, int[]> between)
    {
        var datastreams = (await LatestAsync()).Select(latest => latest.Datastream).Order().ToArray();
        await _process!.DisposeAsync();
        _process = null;
        between(_folder.File("series"), datastreams);
        await StartAsync();
    }

    /// <summary>Asks its API for the latest of all until the last pack of every connection is there.</summary>
    public async Task UntilQueryableAsync(LoadGenerator load)
    {
        var from = TimeProvider.System.GetTimestamp();
        var last = load.Connections.ToDictionary(connection => connection.Station.Slug, connection => DateTime.UnixEpoch.AddSeconds(connection.Packs.LastSeconds), StringComparer.Ordinal);
        while (true)
        {
            var there = (await LatestAsync()).Where(latest => last.TryGetValue(latest.Station, out var time) && latest.Time == time).Count();
            if (there == last.Count * PackWriter.Readings)
            {
                return;
            }

            if (TimeProvider.System.GetElapsedTime(from) > TimeSpan.FromMinutes(1))
            {
                throw new TimeoutException($"{there} of {last.Count * PackWriter.Readings} series show their last reading a minute after its acknowledgement.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5));
        }
    }

    /// <summary>Readings the hub says it has stored.</summary>
    public async Task<long> StoredAsync() => (long)await _reader.CounterAsync("hub_ingest_records", "outcome=\"stored\"");

    /// <summary>Readings it counts in the series of some stations, over its API.</summary>
    /// <param name="load">Whose stations.</param>
    /// <param name="stations">How many of them.</param>
    /// <returns>What it counts and what these stations published.</returns>
    public async Task<(long Counted, long Published)> CountAsync(LoadGenerator load, int stations)
    {
        var published = load.Connections.Take(stations).ToDictionary(connection => connection.Station.Slug, connection => connection.Packs.Packs, StringComparer.Ordinal);
        long counted = 0;
        foreach (var latest in (await LatestAsync()).Where(latest => published.ContainsKey(latest.Station)))
        {
            counted += await _reader.CountAsync(latest.Datastream);
        }

        return (counted, published.Values.Sum() * PackWriter.Readings);
    }

    /// <summary>
    /// Clients that ask for everything, over and over: every observation of a series as CSV or JSON in the largest pages, or its hourly means of all time, and read slowly; how many answers were given and
    /// how many were refused as too much or too busy.
    /// </summary>
    public async Task<(long Answers, long Refused, long Bytes)> AskForEverythingAsync(int readers, TimeSpan pause, CancellationToken stop)
    {
        var datastreams = (await LatestAsync()).Select(latest => latest.Datastream).ToArray();
        string[] questions = ["limit=100000&format=csv", "limit=100000", "every=PT1H&stat=mean", "every=P1D&stat=max"];
        long answers = 0, refused = 0, bytes = 0;
        await Task.WhenAll(Enumerable.Range(0, readers).Select(reader => Task.Run(async () =>
        {
            var buffer = new byte[256 * 1024];
            for (var i = reader; !stop.IsCancellationRequested; i += readers)
            {
                var path = string.Create(CultureInfo.InvariantCulture, $"api/v1/datastreams/{datastreams[i % datastreams.Length]}/observations?from=2016-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&{questions[reader % questions.Length]}");
                using var answer = await _client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
                if (!answer.IsSuccessStatusCode)
                {
                    Interlocked.Increment(ref refused);
                    await Task.Delay(pause, CancellationToken.None);
                    continue;
                }

                await using var body = await answer.Content.ReadAsStreamAsync(CancellationToken.None);
                for (int count; (count = await body.ReadAsync(buffer, CancellationToken.None)) > 0 && !stop.IsCancellationRequested;)
                {
                    Interlocked.Add(ref bytes, count);
                    await Task.Delay(pause, CancellationToken.None);
                }

                Interlocked.Increment(ref answers);
            }
        })));
        return (answers, refused, bytes);
    }

    /// <summary>Reads everything of every series, several at once, until told to stop; how many bytes came.</summary>
    public async Task<long> ReadEverythingAsync(int readers, CancellationToken stop)
    {
        var datastreams = (await LatestAsync()).Select(latest => latest.Datastream).ToArray();
        long bytes = 0;
        await Task.WhenAll(Enumerable.Range(0, readers).Select(reader => Task.Run(async () =>
        {
            var buffer = new byte[64 * 1024];
            for (var i = reader; !stop.IsCancellationRequested; i += readers)
            {
                var path = string.Create(CultureInfo.InvariantCulture, $"api/v1/datastreams/{datastreams[i % datastreams.Length]}/observations?from=2016-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&limit=100000");
                using var answer = await _client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
                answer.EnsureSuccessStatusCode();
                await using var body = await answer.Content.ReadAsStreamAsync(CancellationToken.None);
                for (int count; (count = await body.ReadAsync(buffer, CancellationToken.None)) > 0;)
                {
                    Interlocked.Add(ref bytes, count);
                }
            }
        })));
        return bytes;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _client.Dispose();
        _folder.Dispose();
    }

    private async Task StartAsync()
    {
        _process = new ServerProcess("dotnet", [Program, "serve", "--data", _folder.Path, "--http", Port(_http), "--mqtt", Port(MqttPort)]);
        await _process.ReadyAsync(async () => (await _client.GetAsync("health/ready")).IsSuccessStatusCode, "The hub");
    }

    private static string Port(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    private async Task RegisterAsync(int count)
    {
        // The hub's own tool makes the data folder and the municipality. Stations by the stage's front door: one program start each would take minutes.
        await using (var tool = new RunningProgram("dotnet", [Program, "municipality", "add", Municipality, "--name", "Load", "--data", _folder.Path]))
        {
            if (await tool.ExitAsync(TimeSpan.FromMinutes(2)) != 0)
            {
                throw new InvalidOperationException($"hub municipality add failed:\n{tool.Output}");
            }
        }

        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Data", _folder.Path), new("Hub:Database", _folder.File("hub.db"))]).Build();
        await using var services = new ServiceCollection().AddLogging().AddMetrics().AddHubStations(configuration).BuildServiceProvider();
        await services.MigrateStationsAsync(CancellationToken.None);
        var stations = services.GetRequiredService<IStations>();
        var registered = new List<LoadStation>(count);
        for (var i = 0; i < count; i++)
        {
            var slug = string.Create(CultureInfo.InvariantCulture, $"st{i:0000}");
            var (station, secret) = await stations.RegisterAsync(new StationRegistration(Municipality, slug, slug, 41.5 + (i * 0.001), -8.4), CancellationToken.None);
            registered.Add(new LoadStation(station.Municipality, station.Slug, secret));
        }

        Stations = registered;
    }

    private async Task<IReadOnlyList<(int Datastream, string Station, DateTime Time)>> LatestAsync()
    {
        using var document = JsonDocument.Parse(await _client.GetByteArrayAsync("api/v1/observations/latest?limit=100000"));
        return [.. document.RootElement.GetProperty("items").EnumerateArray().Select(item =>
            (item.GetProperty("datastream").GetInt32(), item.GetProperty("station").GetString()!, item.GetProperty("phenomenonTime").GetDateTime()))];
    }
}
