using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Hub.Tests.Kit;

namespace Hub.Tests.Journeys.Programs;

/// <summary>The real hub on free ports and its own data folder; it can be killed and started again on the same ones.</summary>
public sealed class HubProgram : IAsyncDisposable
{
    /// <summary>Seconds are enough on an idle machine; only a busy one needs minutes.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);
    private readonly Dictionary<string, string> _settings = [];
    private RunningProgram? _running;

    private readonly string[] _dotnet;

    /// <param name="data">Its data folder.</param>
    /// <param name="disk">The disk this folder is on, when only programs that are started in a certain way see it.</param>
    public HubProgram(string data, SmallDisk? disk = null)
    {
        Data = data;
        _dotnet = [.. disk?.Prefix ?? [], "dotnet"];
        HttpPort = FreePort.Next();
        MqttPort = FreePort.Next();
        Client = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{HttpPort}/")), Timeout = StartLimit };
    }

    public static string Executable { get; } = Path.Combine(Repository.Root, "cloud", "Server", "bin", Configuration, "net10.0", "hub.dll");

    public static string AgentExecutable { get; } = Path.Combine(Repository.Root, "edge", "Agent", "bin", Configuration, "net10.0", "hub-agent.dll");

    public string Data { get; }

    public int HttpPort { get; }

    public int MqttPort { get; }

    /// <summary>Where a station speaks MQTT straight over TCP.</summary>
    public Uri Mqtt => new(string.Create(CultureInfo.InvariantCulture, $"mqtt://127.0.0.1:{MqttPort}"));

    /// <summary>Where it speaks MQTT in WebSockets, through the door of the pages.</summary>
    public Uri MqttOverWebSockets => new(string.Create(CultureInfo.InvariantCulture, $"ws://127.0.0.1:{HttpPort}/mqtt"));

    public HttpClient Client { get; }

    public string Output => _running?.Output ?? "";

    public bool HasExited => _running?.HasExited ?? true;

    private static string Configuration =>
#if DEBUG
        "Debug";
#else
        "Release";
#endif

    /// <summary>A setting for the next start, e.g. <c>Hub:Mqtt:Mode</c>.</summary>
    public void Set(string key, string value) => _settings[key] = value;

    /// <summary>Settings in <c>hub.json</c> of the data folder, which hold for the tools as well.</summary>
    public Task WriteSettingsAsync(string json)
    {
        Directory.CreateDirectory(Data);
        return File.WriteAllTextAsync(Path.Combine(Data, "hub.json"), json);
    }

    /// <summary>Runs a tool verb on this hub's data folder and returns what it printed.</summary>
    public async Task<string> ToolAsync(params string[] arguments)
    {
        await using var tool = new RunningProgram(_dotnet[0], [.. _dotnet[1..], Executable, .. arguments, "--data", Data]);
        var code = await tool.ExitAsync(StartLimit);
        await tool.Process.WaitForExitAsync();
        return code == 0 ? tool.Output : throw new InvalidOperationException($"hub {string.Join(' ', arguments)} ended with {code}:\n{tool.Output}");
    }

    /// <summary>Adds a municipality and a station and returns the station's secret.</summary>
    public async Task<string> AddStationAsync(string municipality, string station)
    {
        await ToolAsync("municipality", "add", municipality, "--name", municipality);
        var output = await ToolAsync("station", "add", $"{municipality}/{station}", "--name", station, "--latitude", "41.55", "--longitude", "-8.42");
        return output.Split('\n').Single(line => line.StartsWith("secret", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1].Trim();
    }

    public async Task StartAsync(bool wait = true)
    {
        string[] arguments =
        [
            .. _dotnet[1..], Executable, "serve", "--data", Data, "--http", $"127.0.0.1:{HttpPort}", "--mqtt", $"127.0.0.1:{MqttPort}",
            .. _settings.SelectMany(pair => (string[])["--set", $"{pair.Key}={pair.Value}"]),
        ];
        _running = new RunningProgram(_dotnet[0], arguments);
        if (wait)
        {
            await ReadyAsync();
        }
    }

    public Task ReadyAsync() => Eventually.TrueAsync(
        async () =>
        {
            if (_running!.HasExited)
            {
                throw new InvalidOperationException($"The hub ended:\n{_running.Output}");
            }

            try
            {
                using var answer = await Client.GetAsync("health/ready");
                return answer.IsSuccessStatusCode;
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
                return false;
            }
        },
        "the hub is ready",
        StartLimit);

    public async Task KillAsync()
    {
        if (_running is not null)
        {
            await _running.KillAsync();
            await _running.DisposeAsync();
            _running = null;
        }
    }

    /// <summary>Stops it in order, as its service does.</summary>
    public async Task StopAsync()
    {
        if (_running is not null)
        {
            await _running.SignalAsync("TERM");
            await _running.DisposeAsync();
            _running = null;
        }
    }

    /// <summary>It does nothing until <see cref="GoOnAsync"/>, as on a machine that sleeps.</summary>
    public Task PauseAsync() => _running!.SendAsync("STOP");

    public Task GoOnAsync() => _running!.SendAsync("CONT");

    /// <summary>Waits until it has ended by itself; the exit code.</summary>
    public Task<int> ExitAsync() => _running!.ExitAsync();

    public Task<JsonElement> GetAsync(string path) => Client.GetFromJsonAsync<JsonElement>(path);

    public async ValueTask DisposeAsync()
    {
        if (_running is not null)
        {
            await _running.DisposeAsync();
        }

        Client.Dispose();
    }
}
