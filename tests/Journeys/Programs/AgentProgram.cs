using System.Globalization;
using System.Text.Json;

namespace Hub.Tests.Journeys.Programs;

/// <summary>The real agent of one station, with its own folder; it can be killed and started again on it.</summary>
/// <param name="station">Slug of the station.</param>
/// <param name="stationFile">Its station file.</param>
/// <param name="data">Its folder.</param>
/// <param name="secret">Its secret.</param>
/// <param name="mqttPort">Where its hub is on this machine.</param>
/// <param name="anchor">Where its replays begin.</param>
/// <param name="history">How far back their backlog goes.</param>
/// <param name="program">How the agent is called; null for the one on the .NET runtime.</param>
public sealed class AgentProgram(
    string station, string stationFile, string data, string secret, int mqttPort, string anchor, string history, IReadOnlyList<string>? program = null) : IAsyncDisposable
{
    private readonly IReadOnlyList<string> _program = program ?? ["dotnet", HubProgram.AgentExecutable];
    private RunningProgram? _running;

    /// <summary>What the agent says of its outbox; it survives restarts.</summary>
    public sealed record Counters(long Taken, long Released, long Held, long Dropped);

    public string Station => station;

    public string Output => _running?.Output ?? "";

    public bool HasExited => _running?.HasExited ?? false;

    public void Start() => _running = new RunningProgram(
        _program[0],
        [
            .. _program.Skip(1), "run", "--station-file", stationFile, "--data", data, "--hub", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{mqttPort}"),
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
        return new Counters(Of("taken"), Of("released"), Of("held"), Of("droppedFull") + Of("droppedAge") + Of("droppedDamaged") + Of("droppedExpired"));
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
            await _running.ExitAsync();
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
