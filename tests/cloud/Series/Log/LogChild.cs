using System.Runtime.InteropServices;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>What the log's tests run in a process of its own: one that is watched, one whose disk is full.</summary>
internal static partial class LogChild
{
    public const int Groups = 40;

    public static int Run(string[] args)
    {
        switch (args)
        {
            case ["acknowledge", var folder]:
                Acknowledge(folder);
                return 0;
            case ["full", var folder]:
                Full(folder);
                return 0;
            default:
                return 2;
        }
    }

    /// <summary>Appends groups over several segments and says each when it was acknowledged.</summary>
    private static void Acknowledge(string folder)
    {
        using var opened = OpenedLog.Open(folder, segmentBytesMax: 20_000);
        for (var commit = 1; commit <= Groups; commit++)
        {
            opened.Log.Append(commit, LogRows.City(commit, 100));
            Console.Out.WriteLine($"acknowledged {commit}");
            Console.Out.Flush();
        }
    }

    /// <summary>Files may not grow past a limit: the same error path as a full disk, without needing one.</summary>
    private static void Full(string folder)
    {
        const int signalFileTooLarge = 25;
        Signal(signalFileTooLarge, 1);
        var commit = 0;
        using (var opened = OpenedLog.Open(folder, segmentBytesMax: long.MaxValue))
        {
            foreach (var limit in (long[])[400_000, 1_000_003, 1_000_003, 2_000_000])
            {
                Limit(limit);
                Assert.Throws<IOException>(() =>
                {
                    while (commit < 10_000)
                    {
                        opened.Log.Append(commit + 1, LogRows.City(commit, 800));
                        commit++;
                    }
                });

                // A smaller group may fit in what is left; a larger one is refused, again and again, and leaves no trace.
                var bytes = opened.Log.Bytes;
                for (var i = 0; i < 5; i++)
                {
                    Assert.Throws<IOException>(() => opened.Log.Append(commit + 1, LogRows.City(commit, 800)));
                    Assert.Equal(bytes, opened.Log.Bytes);
                    Assert.True(new FileInfo(LogSegment.PathOf(folder, 1)).Length <= limit);
                }

                Console.Out.WriteLine($"full at {bytes} bytes, {commit} groups");
            }

            // No new file can be begun either: the current one goes on.
            Limit(10);
            Assert.Throws<IOException>(() => opened.Log.Roll());
            Assert.Equal(1, opened.Log.CurrentSegment);
            Assert.Equal(LogSegment.PathOf(folder, 1), Assert.Single(Directory.GetFiles(folder)));
            Limit(-1);
            opened.Log.Append(++commit, LogRows.City(commit - 1, 800));
            Assert.Equal(1, opened.Log.Roll());
            opened.Log.Append(++commit, LogRows.City(commit - 1, 800));
        }

        using var again = OpenedLog.Open(folder);
        Assert.Equal(Enumerable.Range(1, commit).Select(i => (long)i), again.Groups.Select(group => group.Commit));
        Assert.All(again.Groups, group => Assert.True(LogRows.Same(group.Rows, LogRows.City((int)group.Commit - 1, 800))));
        Console.Out.WriteLine("ok");
    }

    private static void Limit(long bytes)
    {
        const int fileSize = 1;
        Assert.Equal(0, SetLimit(fileSize, [bytes, -1]));
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, [In] long[] limits);
}
