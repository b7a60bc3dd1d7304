using System.Diagnostics;

namespace Hub.Cloud.Server.Demo;

/// <summary>
/// One station's agent as a child process: its output goes to a file, it is started again when it dies, and it ends with the hub, even when the hub is killed:
/// the agent stops when its standard input closes.
/// </summary>
internal sealed class AgentProcess : IAsyncDisposable
{
    private const long LogBytesMax = 1024 * 1024;
    private static readonly TimeSpan RestartPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly Func<ProcessStartInfo> _start;
    private readonly string _logFile;
    private readonly Lock _log = new();
    private readonly Task _run;

    /// <summary>Starts the agent.</summary>
    /// <param name="name">Station, for messages.</param>
    /// <param name="start">How to start the program; called at each start.</param>
    /// <param name="logFile">Receives its output; begun anew when it reaches 1 MiB.</param>
    /// <param name="time">Clock of the pause before a restart.</param>
    public AgentProcess(string name, Func<ProcessStartInfo> start, string logFile, TimeProvider time)
    {
        Name = name;
        _start = start;
        _logFile = logFile;
        _time = time;
        _run = RunAsync();
    }

    /// <summary>The station.</summary>
    public string Name { get; }

    /// <summary>Times the agent was started again after it had ended by itself.</summary>
    public int Restarts { get; private set; }

    /// <summary>Process id while it runs, otherwise null.</summary>
    public int? ProcessId { get; private set; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await LiveAsync();
            if (!_stop.IsCancellationRequested)
            {
                Restarts++;
                await Task.Delay(RestartPause, _time, _stop.Token).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }
    }

    private async Task LiveAsync()
    {
        var start = _start();
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.UseShellExecute = false;
        using var process = Start(start);
        if (process is null)
        {
            return;
        }

        ProcessId = process.Id;
        try
        {
            var output = CopyAsync(process.StandardOutput);
            var error = CopyAsync(process.StandardError);
            try
            {
                await process.WaitForExitAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                await StopAsync(process);
            }

            await Task.WhenAll(output, error);
        }
        finally
        {
            ProcessId = null;
        }
    }

    /// <summary>Null when the program is missing or may not be run; that is in its log, and it is tried again.</summary>
    private Process? Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            Log($"{start.FileName} cannot be started: {exception.Message}");
            return null;
        }
    }

    private async Task StopAsync(Process process)
    {
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(StopTimeout, _time);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            // Its outbox survives a kill: nothing is lost, it only says no goodbye.
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private async Task CopyAsync(StreamReader output)
    {
        while (await output.ReadLineAsync(CancellationToken.None) is { } line)
        {
            Log(line);
        }
    }

    private void Log(string line)
    {
        lock (_log)
        {
            try
            {
                var append = !File.Exists(_logFile) || new FileInfo(_logFile).Length < LogBytesMax;
                using var log = new StreamWriter(_logFile, append);
                log.WriteLine(line);
            }
            catch (IOException)
            {
                // A full disk costs the line, not the station.
            }
        }
    }
}
