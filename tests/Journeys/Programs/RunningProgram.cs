using System.Collections.Concurrent;
using System.Diagnostics;
using Hub.Tests.Kit;

namespace Hub.Tests.Journeys.Programs;

/// <summary>A real program as a child process, with everything it says kept for the failure message.</summary>
public sealed class RunningProgram : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _output = new();

    public RunningProgram(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Repository.Root,
        };

        // A journey's own variables (HUB_JOURNEY_...) and a developer's settings are not for the programs, which refuse what they do not know.
        foreach (var key in start.Environment.Keys.Where(key => key.StartsWith("HUB_", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(key);
        }

        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        Process = Process.Start(start)!;
        Process.OutputDataReceived += (_, line) => Keep(line.Data);
        Process.ErrorDataReceived += (_, line) => Keep(line.Data);
        Process.BeginOutputReadLine();
        Process.BeginErrorReadLine();
    }

    public Process Process { get; }

    public string Output => string.Join('\n', _output);

    public bool HasExited => Process.HasExited;

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        Process.Kill();
        await Process.WaitForExitAsync();
    }

    /// <summary>Sends a signal and waits for the end; the exit code.</summary>
    public async Task<int> SignalAsync(string signal, TimeSpan limit)
    {
        using (var kill = Process.Start("kill", [$"-{signal}", $"{Process.Id}"]))
        {
            await kill.WaitForExitAsync();
        }

        return await ExitAsync(limit);
    }

    public async Task<int> ExitAsync(TimeSpan limit)
    {
        using var patience = new CancellationTokenSource(limit);
        try
        {
            await Process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The program did not end. It said:\n{Output}");
        }

        return Process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited)
        {
            Process.Kill(entireProcessTree: true);
            await Process.WaitForExitAsync();
        }

        Process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _output.Enqueue(line);
            while (_output.Count > 2_000)
            {
                _output.TryDequeue(out _);
            }
        }
    }
}
