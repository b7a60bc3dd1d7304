using System.Diagnostics;
using System.Text.RegularExpressions;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The log in a process of its own, seen from outside.</summary>
public sealed partial class LogProcessTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_group_is_written_and_then_flushed_before_it_is_acknowledged()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Watches system calls the way Linux shows them.");
        using var folder = new TempFolder();
        var trace = folder.File("trace");
        var said = await RunAsync("strace", ["-ff", "-y", "-s", "64", "-e", "trace=pwrite64,pwritev,fdatasync,fsync,write", "-o", trace, Environment.ProcessPath!, "log-child", "acknowledge", folder.File("log")]);
        Assert.Equal(Enumerable.Range(1, LogChild.Groups).Select(commit => $"acknowledged {commit}"), said.Split('\n', StringSplitOptions.RemoveEmptyEntries));

        // One thread did all of it: its calls stand in one file, in order.
        var calls = Directory.GetFiles(folder.Path, "trace.*").Select(File.ReadAllLines).Single(lines => lines.Any(line => line.StartsWith("pwrite64(", StringComparison.Ordinal)));
        var dirty = new HashSet<string>();
        var flushes = 0;
        var acknowledged = 0;
        var rolls = 0;
        var newNames = new HashSet<string>();
        var knownNames = new HashSet<string>();
        foreach (var line in calls)
        {
            if (Call().Match(line) is not { Success: true } call)
            {
                continue;
            }

            var path = call.Groups["path"].Value;
            switch (call.Groups["name"].Value)
            {
                case "pwrite64" when path.EndsWith(".log", StringComparison.Ordinal):
                    dirty.Add(path);
                    if (knownNames.Add(path))
                    {
                        newNames.Add(path);
                        rolls++;
                    }

                    break;
                case "fdatasync":
                    Assert.Equal("0", call.Groups["result"].Value);
                    Assert.True(dirty.Remove(path), "nothing is flushed for nothing");
                    flushes++;
                    break;
                case "fsync":
                    Assert.Equal("0", call.Groups["result"].Value);
                    if (Directory.Exists(path))
                    {
                        newNames.Clear();
                    }

                    break;
                case "write" when line.Contains("\"acknowledged ", StringComparison.Ordinal):
                    Assert.True(dirty.Count == 0, $"'{line}' came before {string.Join(", ", dirty)} was flushed");
                    Assert.True(newNames.Count == 0, $"'{line}' came before the name of {string.Join(", ", newNames)} was flushed");
                    acknowledged++;
                    break;
                default:
                    break;
            }
        }

        Assert.Equal(LogChild.Groups, acknowledged);
        Assert.InRange(rolls, 2, LogChild.Groups);
        Assert.Equal(LogChild.Groups + rolls, flushes);
    }

    [Fact]
    public async Task Full_disk_refuses_groups_and_spoils_none()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits the size of files the way Linux does.");
        using var folder = new TempFolder();
        Assert.EndsWith("ok\n", await RunAsync(Environment.ProcessPath!, ["log-child", "full", folder.File("log")]), StringComparison.Ordinal);
    }

    private static async Task<string> RunAsync(string program, string[] args)
    {
        using var child = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = child.StandardOutput.ReadToEndAsync(Cancel);
        var complained = child.StandardError.ReadToEndAsync(Cancel);
        await child.WaitForExitAsync(Cancel);
        Assert.True(child.ExitCode == 0, await complained);
        return await said;
    }

    [GeneratedRegex("^(?<name>[a-z0-9]+)\\([0-9]+<(?<path>[^>]*)>.*= (?<result>-?[0-9]+)")]
    private static partial Regex Call();
}
