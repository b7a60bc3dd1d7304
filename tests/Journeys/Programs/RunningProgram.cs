using System.Collections.Concurrent;
using System.Diagnostics;
using Hub.Tests.Kit;

namespace Hub.Tests.Journeys.Programs;

/// <summary>A real program as a child process, with everything it says kept for the failure message.</summary>
public sealed class RunningProgram : IAsyncDisposable
{
    // A program says at its start where it is and who may come in; what it says then is kept however much comes after it.
    private const int FirstLines = 500;
    private const int LastLines = 2_000;

    private readonly ConcurrentQueue<string> _first = new();
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

    /// <summary>For a program that was asked to end: seconds on an idle machine; only a busy one needs minutes.</summary>
    public static TimeSpan EndLimit { get; } = TimeSpan.FromMinutes(5);

    public Process Process { get; }

    public string Output => string.Join('\n', _first.Concat(_output));

    public bool HasExited => Process.HasExited;

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        Process.Kill();
        await Process.WaitForExitAsync();
    }

    /// <summary>Sends a signal and waits for the end; the exit code.</summary>
    public async Task<int> SignalAsync(string signal)
    {
        await SendAsync(signal);
        return await ExitAsync();
    }

    /// <summary>Sends a signal that does not end it.</summary>
    public async Task SendAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{Process.Id}"]);
        await kill.WaitForExitAsync();
    }

    public async Task<int> ExitAsync(TimeSpan? limit = null)
    {
        using var patience = new CancellationTokenSource(limit ?? EndLimit);
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
            if (_first.Count < FirstLines)
            {
                _first.Enqueue(line);
                return;
            }

            _output.Enqueue(line);
            while (_output.Count > LastLines)
            {
                _output.TryDequeue(out _);
            }
        }
    }
}
