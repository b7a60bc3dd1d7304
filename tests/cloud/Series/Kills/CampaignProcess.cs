using System.Diagnostics;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>A child of a campaign: its lines are handed on as they come, and it can be killed from anywhere.</summary>
internal sealed class CampaignProcess : IDisposable
{
    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly Task<string> _complained;

    public CampaignProcess(params string[] args)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var arg in args.Prepend("campaign"))
        {
            start.ArgumentList.Add(arg);
        }

        _process = Process.Start(start)!;
        _complained = _process.StandardError.ReadToEndAsync();
    }

    public bool IsKilled { get; private set; }

    /// <summary>kill -9, once.</summary>
    public void Kill()
    {
        lock (_gate)
        {
            if (!IsKilled)
            {
                IsKilled = true;
                _process.Kill();
            }
        }
    }

    /// <summary>Reads to the end. A last line without its end was not said.</summary>
    /// <returns>Whether it ended by itself, well.</returns>
    public async Task<bool> ReadAsync(Action<string> hear, CancellationToken cancel)
    {
        var pending = "";
        var buffer = new char[16 * 1024];
        int read;
        while ((read = await _process.StandardOutput.ReadAsync(buffer, cancel)) > 0)
        {
            var lines = (pending + new string(buffer, 0, read)).Split('\n');
            pending = lines[^1];
            foreach (var line in lines[..^1])
            {
                hear(line);
            }
        }

        await _process.WaitForExitAsync(cancel);
        Assert.True(IsKilled || _process.ExitCode == 0, $"a process of the campaign ended by itself: {await _complained}");
        return _process.ExitCode == 0;
    }

    public void Dispose()
    {
        Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
