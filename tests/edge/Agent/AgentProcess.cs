using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Hub.Tests.Kit;

namespace Hub.Edge.Agent.Tests;

/// <summary>The real program, as a user starts it.</summary>
internal sealed class AgentProcess : IDisposable
{
    private readonly Process _process;

    public AgentProcess(IReadOnlyDictionary<string, string> environment, params string[] arguments)
        : this(Managed, environment, arguments)
    {
    }

    /// <summary>Another program that is the agent, or that starts it.</summary>
    public AgentProcess(string program, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Output.Enqueue(e.Data ?? "");
        _process.ErrorDataReceived += (_, e) => Error.Enqueue(e.Data ?? "");
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The agent that runs on the .NET runtime, where it was built: beside these tests, which serve pages, libraries are missing that it needs and they have from elsewhere.</summary>
    public static string Managed { get; } = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/')) is var built ? Path.Combine(Repository.Root, $"edge/Agent/bin/{built.Parent!.Name}/{built.Name}/hub-agent") : "";

    public int Id => _process.Id;

    public ConcurrentQueue<string> Output { get; } = new();

    public ConcurrentQueue<string> Error { get; } = new();

    public bool HasExited => _process.HasExited;

    public string Said => string.Join(Environment.NewLine, Output.Concat(Error));

    /// <summary>Regular files the program has open for writing now. Only what is mapped and has no name is left out.</summary>
    public IReadOnlyList<string> FilesOpenForWriting()
    {
        var paths = new List<string>();
        foreach (var handle in Directory.GetFiles($"/proc/{_process.Id}/fd"))
        {
            try
            {
                var target = new FileInfo(handle).LinkTarget ?? "";
                var flags = File.ReadAllLines(handle.Replace("/fd/", "/fdinfo/", StringComparison.Ordinal)).First(line => line.StartsWith("flags:", StringComparison.Ordinal));
                var writes = (Convert.ToInt32(flags["flags:".Length..].Trim(), 8) & 3) != 0;
                if (writes && target.StartsWith('/') && !target.StartsWith("/dev/", StringComparison.Ordinal) && !target.StartsWith("/memfd:", StringComparison.Ordinal))
                {
                    paths.Add(target);
                }
            }
            catch (IOException)
            {
                // Closed meanwhile.
            }
        }

        return paths;
    }

    /// <summary>As a power cut would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public Task<int> TerminateAsync() => SignalAsync("-TERM");

    public Task<int> CloseInputAsync()
    {
        _process.StandardInput.Close();
        return ExitAsync();
    }

    public async Task<int> ExitAsync(TimeSpan? within = null)
    {
        using var limit = new CancellationTokenSource(within ?? Eventually.Limit);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private async Task<int> SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        return await ExitAsync();
    }
}
