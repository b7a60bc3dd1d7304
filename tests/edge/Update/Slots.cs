using System.Diagnostics;
using System.Globalization;
using Hub.Edge.Files;
using Hub.Tests.Kit;

namespace Hub.Edge.Update.Tests;

/// <summary>A root with slots whose programs are small scripts, and the real launcher.</summary>
internal sealed class Slots : IDisposable
{
    public const string BootNow = "/proc/sys/kernel/random/boot_id";
    private readonly TempFolder _folder = new();

    public Slots()
    {
        Root = Path.Combine(_folder.Path, "root");
        Directory.CreateDirectory(Root);
        Folders = new SlotFolders(Root);
    }

    public static string Launcher { get; } = Path.Combine(Repository.Root, "firmware-config/systemd/hub-agent-launch");

    public static string Boot { get; } = File.ReadAllText(BootNow).Trim();

    public static long Uptime => (long)double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture);

    public string Root { get; }

    public SlotFolders Folders { get; }

    public string TempPath => _folder.Path;

    /// <summary>The script of an agent that says where and with what it was started.</summary>
    public static string Script(string version, string body = "exit 0") => $"#!/bin/sh\nif [ \"$1\" = --version ]; then echo {version}; exit 0; fi\necho \"{version} $(basename \"$(dirname \"$0\")\") $*\"\n{body}\n";

    public Slots Put(string slot, string version, string? script = null)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Root, slot)).FullName;
        var program = Path.Combine(folder, "hub-agent");
        File.WriteAllText(program, script ?? Script(version));
        File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        return this;
    }

    public Slots Current(string target)
    {
        DurableFile.Link(Path.Combine(Root, "current"), target);
        return this;
    }

    public Slots Trial(TrialFile trial)
    {
        File.WriteAllBytes(Path.Combine(Root, "trial"), trial.ToUtf8());
        return this;
    }

    public static TrialFile AtoB(int starts = 0, long seconds = 300, string? boot = null, long? until = null, string? reason = null) =>
        new("a", "b", "0.0.2", new string('5', 64), seconds, boot ?? Boot, until ?? Uptime + seconds, starts, ["air"], reason);

    public string? Said(string file) => File.Exists(Path.Combine(Root, file)) ? File.ReadAllText(Path.Combine(Root, file)) : null;

    /// <summary>Starts the launcher as systemd would, and waits for the end of what it became.</summary>
    public async Task<(int Code, string Output, string Error)> LaunchAsync(IReadOnlyDictionary<string, string>? environment = null, Action<Process>? started = null)
    {
        var start = new ProcessStartInfo("/bin/sh", [Launcher, Root, "run", "--station-file", "s t.yaml"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        started?.Invoke(process);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        using var limit = new CancellationTokenSource(Eventually.Limit);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Environment in which the power goes before the launcher's step number <paramref name="step"/> on the disk (1-based).</summary>
    public Dictionary<string, string> CutBefore(int step)
    {
        var shims = Directory.CreateDirectory(Path.Combine(_folder.Path, "shims")).FullName;
        foreach (var tool in new[] { "mv", "ln", "rm", "sync" })
        {
            var shim = Path.Combine(shims, tool);
            File.WriteAllText(shim, $"#!/bin/sh\nn=$(($(cat {shims}/left) - 1))\necho $n >{shims}/left\nif [ $n -eq 0 ]; then kill -KILL $PPID; exit 1; fi\nPATH={Environment.GetEnvironmentVariable("PATH")} exec {tool} \"$@\"\n");
            File.SetUnixFileMode(shim, (UnixFileMode)0b111_101_101);
        }

        File.WriteAllText(Path.Combine(shims, "left"), step.ToString(CultureInfo.InvariantCulture));
        return new Dictionary<string, string> { ["PATH"] = $"{shims}:{Environment.GetEnvironmentVariable("PATH")}" };
    }

    public void Dispose() => _folder.Dispose();
}

/// <summary>
/// Tests that write programs and start them run one after the other: a child that is being started holds, for a moment, every file that is just being written, and a program that somebody holds for
/// writing cannot be started ("text file busy").
/// </summary>
[CollectionDefinition]
public sealed class ProgramStarts;
