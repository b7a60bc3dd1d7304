using System.Globalization;

namespace Hub.Tests.Journeys.Programs;

/// <summary>The real agent of one station, with its own folder; it can be killed and started again on it.</summary>
public sealed class AgentProgram(string stationFile, string data, string secret, int mqttPort, string anchor, string history) : IAsyncDisposable
{
    private RunningProgram? _running;

    public string Data => data;

    public string Output => _running?.Output ?? "";

    public void Start() => _running = new RunningProgram(
        "dotnet",
        [
            HubProgram.AgentExecutable, "run", stationFile, "--data", data, "--hub", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{mqttPort}"),
            "--anchor", anchor, "--history", history, "--exit-with-stdin",
        ],
        new Dictionary<string, string> { ["HUB_AGENT_SECRET"] = secret });

    public async Task KillAsync()
    {
        if (_running is not null)
        {
            await _running.KillAsync();
            await _running.DisposeAsync();
            _running = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_running is not null)
        {
            await _running.DisposeAsync();
        }
    }
}
