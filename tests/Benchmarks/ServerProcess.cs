using System.Diagnostics;
using System.Globalization;
using Hub.Tests.Journeys.Programs;

namespace Hub.Tests.Benchmarks;

/// <summary>A real program as a child process, and what the kernel says it needed. Stopped by its process id on dispose.</summary>
internal sealed class ServerProcess(string file, IEnumerable<string> arguments) : IAsyncDisposable
{
    private readonly RunningProgram _running = new(file, arguments);

    /// <summary>What it needs, up to now.</summary>
    public ProcessFigures Figures => ProcessFigures.Of(_running.Process.Id);

    /// <summary>What it has said.</summary>
    public string Output => _running.Output;

    /// <summary>Waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message holds what it said.</exception>
    public async Task ReadyAsync(Func<Task<bool>> answers, string what)
    {
        var from = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (_running.HasExited)
            {
                throw new InvalidOperationException($"{what} ended:\n{Output}");
            }

            try
            {
                if (await answers())
                {
                    return;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or System.Net.Sockets.SocketException)
            {
                // It does not listen yet.
            }

            if (TimeProvider.System.GetElapsedTime(from) > TimeSpan.FromMinutes(3))
            {
                throw new TimeoutException($"{what} was not ready within 3 minutes. It said:\n{Output}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    /// <summary>Begins the peak of the resident memory anew.</summary>
    public void ResetPeak() => ProcessFigures.ResetPeak(_running.Process.Id);

    public async ValueTask DisposeAsync()
    {
        if (!_running.HasExited)
        {
            try
            {
                await _running.SignalAsync("TERM");
            }
            catch (TimeoutException)
            {
                // RunningProgram kills it.
            }
        }

        await _running.DisposeAsync();
    }
}

/// <summary>What the kernel says of a process.</summary>
/// <param name="Processor">Processor time, user and system.</param>
/// <param name="ResidentMiB">VmRSS.</param>
/// <param name="PeakMiB">VmHWM: the most resident memory since its start or since <see cref="ResetPeak"/>.</param>
internal readonly record struct ProcessFigures(TimeSpan Processor, double ResidentMiB, double PeakMiB)
{
    /// <summary>Of another process, or of this one.</summary>
    public static ProcessFigures Of(int process)
    {
        using var handle = Process.GetProcessById(process);
        var lines = File.ReadAllLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/status"));
        return new ProcessFigures(handle.TotalProcessorTime, Number("VmRSS"), Number("VmHWM"));

        double Number(string name) =>
            double.Parse(lines.First(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>Begins the peak of the resident memory of a process anew.</summary>
    public static void ResetPeak(int process) => File.WriteAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/clear_refs"), "5");
}
