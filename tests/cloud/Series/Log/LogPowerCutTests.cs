using CsCheck;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Any sequence of appends, rolls and releases on a disk that fails and whose power is cut, with restarts between: what was acknowledged is read back exactly once, in order.</summary>
public sealed class LogPowerCutTests
{
    private static int s_runs;
    private static int s_failed;
    private static int s_cuts;
    private static int s_torn;
    private static int s_survived;

    [Fact]
    public void What_was_acknowledged_is_read_back_exactly_once_in_order()
    {
        Gen.Int.Sample(Run, iter: 80, threads: 1);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{s_runs} runs: {s_cuts} kills and power cuts in the middle of an operation, {s_failed} appends refused by the disk, {s_torn} torn tails cut off, {s_survived} groups that nobody was promised came back whole.");
        Assert.All([s_failed, s_cuts, s_torn, s_survived], count => Assert.True(count > 20));
    }

    private static void Run(int seed)
    {
        s_runs++;
        var random = new Random(seed);
        using var folder = new TempFolder();
        var acknowledged = new List<(long Segment, long Commit, Observation[] Rows)>();
        List<(long Commit, Observation[] Rows)> promisedToNobody = [];
        long released = 0;
        var size = random.Next(4) switch { 0 => 300, 1 => 2_000, _ => 100_000 };
        var path = folder.File("0");
        var disk = new LossyDisk(path, random);

        // Killed or without power six times, in the middle of an operation or between two.
        for (var round = 1; round <= 6; round++)
        {
            disk.Failures = 0;
            disk.OperationsBeforeCut = random.Next(3) == 0 ? random.Next(12) : random.Next(80);
            try
            {
                using var opened = OpenedLog.Open(path, size, disk);
                Check(opened, acknowledged, promisedToNobody, released);
                promisedToNobody.Clear();
                Work(opened.Log, disk, random, acknowledged, promisedToNobody, ref released);
            }
            catch (PowerCutException)
            {
                s_cuts++;
            }

            if (random.Next(2) == 0)
            {
                disk.Kill();
                continue;
            }

            path = folder.File($"{round}");
            disk.CutPower(path);
            disk = new LossyDisk(path, random);
        }
    }

    private static void Work(
        WriteAheadLog log, LossyDisk disk, Random random, List<(long, long Commit, Observation[])> acknowledged, List<(long Commit, Observation[])> promisedToNobody, ref long released)
    {
        for (var i = random.Next(40); i >= 0; i--)
        {
            disk.Failures = random.Next(6) == 0 ? 1 + random.Next(4) : 0;
            try
            {
                switch (random.Next(10))
                {
                    case 0:
                        log.Roll();
                        break;
                    case 1 when log.CurrentSegment > 1:
                        // Noted before: what is half released may be gone or not.
                        released = Math.Max(released, random.NextInt64(1, log.CurrentSegment));
                        log.Release(released);
                        break;
                    default:
                        var commit = (acknowledged.Count > 0 ? acknowledged[^1].Commit : 0) + 1;
                        var rows = LogRows.City(random.Next(100_000), random.Next(5) == 0 ? random.Next(400) : random.Next(8));
                        promisedToNobody.Add((commit, rows));
                        var flushes = disk.Flushes;
                        var segment = log.Append(commit, rows);
                        Assert.True(disk.Flushes > flushes, "flushed before it was acknowledged");
                        acknowledged.Add((segment, commit, rows));

                        // What failed before it was cut off again before this could be written.
                        promisedToNobody.Clear();
                        break;
                }
            }
            catch (IOException)
            {
                s_failed++;
            }
        }
    }

    private static void Check(OpenedLog opened, List<(long Segment, long Commit, Observation[] Rows)> acknowledged, List<(long Commit, Observation[] Rows)> promisedToNobody, long released)
    {
        s_torn += opened.Log.BytesCut > 0 ? 1 : 0;
        var found = opened.Groups;
        if (found.Count > 0 && (acknowledged.Count == 0 || found[^1].Commit > acknowledged[^1].Commit))
        {
            // At most one group more: one that was being written.
            Assert.Contains(promisedToNobody, group => group.Commit == found[^1].Commit && LogRows.Same(group.Rows, found[^1].Rows));
            s_survived++;
            acknowledged.Add(found[^1]);
        }

        Assert.True(found.Count <= acknowledged.Count);
        for (var i = 1; i <= found.Count; i++)
        {
            Assert.Equal(acknowledged[^i].Commit, found[^i].Commit);
            Assert.Equal(acknowledged[^i].Segment, found[^i].Segment);
            Assert.True(LogRows.Same(acknowledged[^i].Rows, found[^i].Rows));
        }

        Assert.All(acknowledged.SkipLast(found.Count), group => Assert.True(group.Segment <= released, "only what was released may be missing"));
    }
}
