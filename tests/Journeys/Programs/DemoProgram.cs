using System.Globalization;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys.Programs;

/// <summary>README's Run command, as a new user types it, on free ports and a folder of its own, with the whole of every publisher's file as history.</summary>
public sealed class DemoProgram : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(14);
    private readonly TempFolder _folder = new();

    public DemoProgram()
    {
        HttpPort = FreePort.Next();
        MqttPort = FreePort.Next();
        Client = new HttpClient { BaseAddress = new Uri(Address), Timeout = TimeSpan.FromMinutes(2) };
    }

    public int HttpPort { get; }

    public int MqttPort { get; }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{HttpPort}/");

    public string Data => _folder.File("data");

    public HttpClient Client { get; }

    public RunningProgram Running { get; private set; } = null!;

    /// <summary>UTC midnight-aligned instant of the first start, from the demonstration's own file.</summary>
    public DateTime StartedAt { get; private set; }

    public async ValueTask InitializeAsync()
    {
        await StartAsync();
        await Eventually.TrueAsync(
            () => Running.HasExited ? throw new InvalidOperationException($"The demonstration ended:\n{Running.Output}") : Running.Output.Contains("Backlog drained", StringComparison.Ordinal),
            "the backlog has drained",
            DrainLimit);
    }

    public async Task StartAsync()
    {
        // In a process group of its own, so that Ctrl-C reaches all of it, as from a terminal.
        Running = new RunningProgram("setsid", ["bash", "-c", Readme.Command("Run")], new Dictionary<string, string>
        {
            ["HUB_DATA"] = Data,
            ["HUB_HTTP"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{HttpPort}"),
            ["HUB_MQTT"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{MqttPort}"),
            ["HUB_DEMO__HISTORY"] = "all",
        });
        await Eventually.TrueAsync(
            () => Running.HasExited ? throw new InvalidOperationException($"The demonstration ended:\n{Running.Output}") : Running.Output.Contains("City page", StringComparison.Ordinal),
            "the demonstration says where to look",
            StartLimit);
        using var state = System.Text.Json.JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(Data, "demo", "demo.json")));
        StartedAt = state.RootElement.GetProperty("startedAt").GetDateTime().ToUniversalTime();
    }

    /// <summary>Ctrl-C in the terminal: SIGINT to the whole group; the exit code.</summary>
    public async Task<int> InterruptAsync()
    {
        using (var kill = System.Diagnostics.Process.Start("kill", ["-INT", "--", $"-{Running.Process.Id}"]))
        {
            await kill.WaitForExitAsync();
        }

        return await Running.ExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!Running.HasExited)
        {
            await InterruptAsync();
        }

        await Running.DisposeAsync();
        Client.Dispose();
        _folder.Dispose();
    }
}
