using System.Globalization;
using System.Text.Json;

namespace Hub.Tests.Journeys.Programs;

/// <summary>The real agent of one station, with its own folder; it can be killed and started again on it.</summary>
public sealed class AgentProgram(string station, string stationFile, string data, string secret, int mqttPort, string anchor, string history) : IAsyncDisposable
{
    private RunningProgram? _running;

    /// <summary>What the agent says of its outbox; it survives restarts.</summary>
    public sealed record Counters(long Taken, long Released, long Held, long Dropped);

    public string Station => station;

    public string Output => _running?.Output ?? "";

    public void Start() => _running = new RunningProgram(
        "dotnet",
        [
            HubProgram.AgentExecutable, "run", "--station-file", stationFile, "--data", data, "--hub", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{mqttPort}"),
            "--anchor", anchor, "--history", history, "--exit-with-stdin",
        ],
        new Dictionary<string, string> { ["HUB_AGENT_SECRET"] = secret, ["HUB_AGENT_report__statusInterval"] = "00:00:05" });

    /// <summary>The counters as the agent last wrote them: every few seconds, and at an orderly stop.</summary>
    public async Task<Counters> CountersAsync()
    {
        if (_running is { HasExited: true })
        {
            throw new InvalidOperationException($"The agent of {station} ended:\n{Output}");
        }

        var file = Path.Combine(data, "status.json");
        if (!File.Exists(file))
        {
            return new Counters(0, 0, 0, 0);
        }

        using var status = JsonDocument.Parse(await File.ReadAllBytesAsync(file));
        var outbox = status.RootElement.GetProperty("outbox");
        long Of(string name) => outbox.GetProperty(name).GetInt64();
        return new Counters(Of("taken"), Of("released"), Of("held"), Of("droppedFull") + Of("droppedAge") + Of("droppedDamaged"));
    }

    public async Task KillAsync()
    {
        if (_running is not null)
        {
            await _running.KillAsync();
            await _running.DisposeAsync();
            _running = null;
        }
    }

    /// <summary>An orderly stop, as when the parent closes its standard input.</summary>
    public async Task StopAsync()
    {
        if (_running is not null)
        {
            _running.Process.StandardInput.Close();
            await _running.ExitAsync(TimeSpan.FromMinutes(1));
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
