using System.Diagnostics;
using System.Globalization;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>A process that appends is killed; what it had acknowledged is there afterwards.</summary>
public sealed class CrashTests
{
    private const int Kills = 24;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_nothing_is_there_twice_whenever_it_is_killed()
    {
        await using var store = new Store();
        await store.Series.DisposeAsync();
        var random = new Random(20261001);
        var acknowledged = Enumerable.Range(0, Child.Appenders).Select(_ => new HashSet<long>()).ToArray();
        long commitsSeen = 0;
        for (var round = 0; round < Kills; round++)
        {
            // Some are killed while they start, most in the middle of their work.
            var lines = await RunAndKillAsync(store.Options.Folder, round, round % 8 == 7 ? 0 : 1 + random.Next(300));
            long opened = -1;
            foreach (var words in lines.Select(line => line.Split(' ')))
            {
                var commit = long.Parse(words[^1], CultureInfo.InvariantCulture);
                if (words[0] == "open")
                {
                    Assert.True(commit >= commitsSeen, "commit numbers go on after a crash");
                    opened = commit;
                }
                else
                {
                    // A call that repeats only what is stored makes no commit.
                    Assert.True(commit >= opened && opened >= 0);
                    var position = long.Parse(words[2], CultureInfo.InvariantCulture);
                    acknowledged[int.Parse(words[1], CultureInfo.InvariantCulture)].UnionWith(Enumerable.Range(0, Child.PerCall).Select(i => position + i));
                }

                commitsSeen = Math.Max(commitsSeen, commit);
            }

            if (round % 4 == 3)
            {
                await CheckAsync(store, acknowledged, commitsSeen);
            }
        }

        Assert.All(acknowledged, positions => Assert.True(positions.Count > 100, "the children did work"));
    }

    [Fact]
    public async Task Full_disk_stops_the_acknowledgements_and_nothing_else()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits the size of files the way Linux does.");
        using var folder = new TempFolder();
        using var child = Start("full", folder.File("series"));
        var said = child.StandardOutput.ReadToEndAsync(Cancel);
        var complained = child.StandardError.ReadToEndAsync(Cancel);
        await child.WaitForExitAsync(Cancel);
        Assert.True(child.ExitCode == 0, await complained);
        Assert.EndsWith("ok\n", await said, StringComparison.Ordinal);
        Assert.Contains("cannot commit", await said, StringComparison.Ordinal);
    }

    private static async Task CheckAsync(Store store, HashSet<long>[] acknowledged, long commitsSeen)
    {
        await store.ReopenAsync();
        Assert.True(store.Series.LastCommit >= commitsSeen);
        for (var appender = 0; appender < Child.Appenders; appender++)
        {
            var missing = new HashSet<long>(acknowledged[appender]);
            var before = DateTime.MinValue;
            await foreach (var observation in store.Series.RangeAsync(appender + 1, DateTime.MinValue, DateTime.MaxValue, Cancel))
            {
                Assert.True(observation.PhenomenonTime > before, "in order and none twice");
                before = observation.PhenomenonTime;
                var position = (long)(observation.PhenomenonTime - Child.At(appender, 0).PhenomenonTime).TotalMilliseconds;
                Assert.Equal(Child.At(appender, position), observation);
                missing.Remove(position);
            }

            Assert.Empty(missing);
            Assert.Equal(before != DateTime.MinValue, store.Series.TryGetLatest(appender + 1, out var latest));
            Assert.Equal(before, latest.PhenomenonTime);
        }

        await store.Series.DisposeAsync();
    }

    private static async Task<List<string>> RunAndKillAsync(string folder, int round, int linesBefore)
    {
        using var child = Start("append", folder, round.ToString(CultureInfo.InvariantCulture));
        var lines = new List<string>();
        var text = new System.Text.StringBuilder();
        var buffer = new char[4096];
        var killed = linesBefore == 0;
        if (killed)
        {
            child.Kill();
        }

        int read;
        while ((read = await child.StandardOutput.ReadAsync(buffer, Cancel)) > 0)
        {
            text.Append(buffer, 0, read);
            lines = [.. text.ToString().Split('\n')[..^1]];
            if (!killed && lines.Count >= linesBefore)
            {
                killed = true;
                child.Kill();
            }
        }

        await child.WaitForExitAsync(Cancel);
        Assert.True(killed, await child.StandardError.ReadToEndAsync(Cancel));

        // A last line without its end was not said.
        return lines;
    }

    private static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var arg in args.Prepend("child"))
        {
            start.ArgumentList.Add(arg);
        }

        return Process.Start(start)!;
    }
}
