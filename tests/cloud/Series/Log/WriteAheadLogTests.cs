using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

public sealed class WriteAheadLogTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Folder => _folder.File("log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Groups_come_back_in_order_with_their_segments_and_it_goes_on_behind_them()
    {
        using (var opened = OpenedLog.Open(Folder))
        {
            Assert.Empty(opened.Groups);
            Assert.Equal(1, opened.Log.CurrentSegment);
            Assert.Equal(1, opened.Log.Append(5, LogRows.City(0, 10)));
            Assert.Equal(1, opened.Log.Append(6, []));
            Assert.Equal(1, opened.Log.Roll());
            Assert.Equal(2, opened.Log.Append(7, LogRows.City(10, 3)));
        }

        using (var opened = OpenedLog.Open(Folder))
        {
            Assert.Equal([(1, 5, 10), (1, 6, 0), (2, 7, 3)], opened.Groups.Select(group => (group.Segment, group.Commit, group.Rows.Length)));
            Assert.Equal(LogRows.City(0, 10), opened.Groups[0].Rows);
            Assert.Equal(0, opened.Log.BytesCut);
            Assert.Throws<ArgumentOutOfRangeException>(() => opened.Log.Append(7, []));
            Assert.Equal(2, opened.Log.Append(8, LogRows.City(13, 2)));
        }

        using (var opened = OpenedLog.Open(Folder))
        {
            Assert.Equal([5L, 6, 7, 8], opened.Groups.Select(group => group.Commit));
        }
    }

    [Fact]
    public void Next_segment_begins_when_one_is_full_and_a_large_group_has_its_own()
    {
        using (var opened = OpenedLog.Open(Folder, segmentBytesMax: 1_000))
        {
            Assert.Equal(1, opened.Log.Append(1, LogRows.City(0, 50)));
            Assert.Equal(2, opened.Log.Append(2, LogRows.City(50, 50)));
            Assert.Equal(3, opened.Log.Append(3, LogRows.City(0, 5_000)));
            Assert.Equal(4, opened.Log.Append(4, LogRows.City(0, 1)));
            Assert.Equal(4, opened.Log.CurrentSegment);
        }

        using (var opened = OpenedLog.Open(Folder, segmentBytesMax: 1_000))
        {
            Assert.Equal([1L, 2, 3, 4], opened.Groups.Select(group => group.Segment));
        }
    }

    [Fact]
    public void Released_segments_are_gone_with_their_bytes_and_the_current_one_cannot_be_released()
    {
        using (var opened = OpenedLog.Open(Folder))
        {
            var bytes = new List<long>();
            for (var i = 1; i <= 4; i++)
            {
                opened.Log.Append(i, LogRows.City(i, 10 * i));
                bytes.Add(opened.Log.Bytes);
                opened.Log.Roll();
            }

            Assert.Throws<ArgumentOutOfRangeException>(() => opened.Log.Release(opened.Log.CurrentSegment));
            var before = opened.Log.Bytes;
            Assert.Equal(bytes[3] + LogCodec.SegmentHeadBytes, before);
            opened.Log.Release(2);
            Assert.Equal(before - bytes[1], opened.Log.Bytes);
            opened.Log.Release(2);
            opened.Log.Release(1);
            Assert.Equal(before - bytes[1], opened.Log.Bytes);
        }

        using (var opened = OpenedLog.Open(Folder))
        {
            Assert.Equal([3L, 4], opened.Groups.Select(group => group.Segment));
            Assert.Equal(["00000003.log", "00000004.log", "00000005.log"], Names());
            Assert.Equal(Names().Sum(name => new FileInfo(Path.Combine(Folder, name)).Length), opened.Log.Bytes);
        }
    }

    [Fact]
    public async Task Segments_may_be_released_while_others_are_appended()
    {
        const int commits = 400;
        using (var opened = OpenedLog.Open(Folder, segmentBytesMax: 500))
        {
            var log = opened.Log;
            var released = Task.Run(async () =>
            {
                for (long done = 0; done < commits / 8;)
                {
                    var ended = log.CurrentSegment - 1;
                    if (ended > done)
                    {
                        log.Release(done = ended);
                    }

                    await Task.Yield();
                }
            }, TestContext.Current.CancellationToken);
            for (var commit = 1; commit <= commits; commit++)
            {
                log.Append(commit, LogRows.City(commit, 5));
            }

            await released;
            var left = log.CurrentSegment;
            log.Release(left - 1);
            Assert.Equal([Path.GetFileName(LogSegment.PathOf(Folder, left))], Names());
        }

        using (var opened = OpenedLog.Open(Folder))
        {
            Assert.Equal(commits, opened.Groups[^1].Commit);
            Assert.Equal(Names().Sum(name => new FileInfo(Path.Combine(Folder, name)).Length), opened.Log.Bytes);
        }
    }

    [Fact]
    public async Task Reader_beside_the_writer_sees_whole_groups_and_all_that_was_acknowledged_before_it_began()
    {
        using var opened = OpenedLog.Open(Folder, segmentBytesMax: 200_000);
        var log = opened.Log;
        long acknowledged = 0;
        var ended = false;
        var writing = Task.Run(() =>
        {
            for (var commit = 1; commit <= 1_500; commit++)
            {
                log.Append(commit, LogRows.City(commit, commit % 40 == 0 ? 3_000 : 5));
                Volatile.Write(ref acknowledged, commit);
            }

            Volatile.Write(ref ended, true);
        }, TestContext.Current.CancellationToken);
        var walks = 0;
        for (; !Volatile.Read(ref ended) || walks == 0; walks++)
        {
            var before = Volatile.Read(ref acknowledged);
            var readers = LogWalk.Open(Folder);
            var walk = new LogWalk();
            long expected = 0;
            walk.Run(readers, (_, group) => Assert.Equal(++expected, group.Commit));
            LogWalk.Close(readers);
            Assert.Equal(expected, walk.LastCommit);
            Assert.InRange(walk.LastCommit, before, Volatile.Read(ref acknowledged) + 1);
        }

        await writing;
        TestContext.Current.TestOutputHelper!.WriteLine($"{walks} walks while 1,500 groups were appended.");
    }

    [Fact]
    public void Cut_at_any_byte_the_last_segment_keeps_its_whole_groups()
    {
        var (ends, whole) = Write([3, 0, 1, 20]);
        for (var length = 0; length < whole.Length; length += Repeats.Of(5, 1))
        {
            Set(whole.AsSpan(0, length));
            using (var opened = OpenedLog.Open(Folder))
            {
                var kept = ends.Count(end => end <= length);
                Assert.Equal(Enumerable.Range(1, kept).Select(commit => (long)commit), opened.Groups.Select(group => group.Commit));
                var tail = whole.AsSpan(0, length)[Math.Min(length, kept == 0 ? LogCodec.SegmentHeadBytes : ends[kept - 1])..];
                Assert.Equal(tail.LastIndexOfAnyExcept((byte)0) + 1, opened.Log.BytesCut);
                opened.Log.Append(kept + 1, LogRows.City(99, 2));
            }

            using (var opened = OpenedLog.Open(Folder))
            {
                Assert.Equal(LogRows.City(99, 2), opened.Groups[^1].Rows);
            }
        }
    }

    [Fact]
    public void Flipped_at_any_byte_it_is_cut_at_the_last_group_and_refused_before_it()
    {
        var (ends, whole) = Write([3, 1, 20]);
        var lastBegins = ends[^2];
        for (var at = 0; at < whole.Length; at += Repeats.Of(5, 1))
        {
            foreach (byte mask in (byte[])[0x01, 0x80, 0xff])
            {
                var bytes = whole.ToArray();
                bytes[at] ^= mask;
                Set(bytes);
                if (at < lastBegins)
                {
                    var offset = at < LogCodec.SegmentHeadBytes ? 0 : ends.Prepend(LogCodec.SegmentHeadBytes).Last(end => end <= at);
                    var error = Assert.Throws<InvalidDataException>(() => OpenedLog.Open(Folder));
                    Assert.Contains("00000001.log", error.Message, StringComparison.Ordinal);
                    Assert.True(at == 7 || error.Message.Contains(FormattableString.Invariant($"at byte {offset}:"), StringComparison.Ordinal), error.Message);
                    Assert.Equal(bytes, File.ReadAllBytes(LogSegment.PathOf(Folder, 1)));
                }
                else
                {
                    using var opened = OpenedLog.Open(Folder);
                    Assert.Equal([1L, 2], opened.Groups.Select(group => group.Commit));
                    Assert.InRange(opened.Log.BytesCut, 1, whole.Length - lastBegins);
                }
            }
        }
    }

    [Fact]
    public void Damage_says_what_is_lost_and_what_to_do_and_that_helps()
    {
        var (ends, whole) = Write([3, 4, 5, 6]);
        whole[ends[0] + 40] ^= 1;
        Set(whole);
        var error = Assert.Throws<InvalidDataException>(() => OpenedLog.Open(Folder));
        var offset = ends[0].ToString(CultureInfo.InvariantCulture);
        Assert.Contains($"{LogSegment.PathOf(Folder, 1)} at byte {offset}: the record there is damaged", error.Message, StringComparison.Ordinal);
        Assert.Contains("2 later groups with 11 observations (commits 3 to 4)", error.Message, StringComparison.Ordinal);
        Assert.Contains($"truncate -s {offset} ", error.Message, StringComparison.Ordinal);
        Set(whole.AsSpan(0, ends[0]));
        using var opened = OpenedLog.Open(Folder);
        Assert.Equal([1L], opened.Groups.Select(group => group.Commit));
    }

    [Fact]
    public void Lost_sector_that_reads_as_zeros_in_front_of_whole_groups_is_damage()
    {
        var (ends, whole) = Write([3, 4, 5]);
        whole.AsSpan(ends[0], ends[1] - ends[0]).Clear();
        Set(whole);
        Assert.Throws<InvalidDataException>(() => OpenedLog.Open(Folder));
    }

    [Fact]
    public void Two_groups_behind_one_another_that_are_damaged_are_no_torn_tail()
    {
        // The second was begun, so the first had been on the disk.
        var (ends, whole) = Write([3, 4, 5]);
        whole[ends[0] + 30] ^= 1;
        whole[^1] ^= 1;
        Set(whole);
        var error = Assert.Throws<InvalidDataException>(() => OpenedLog.Open(Folder));
        Assert.Contains("1 later groups with 5 observations", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_torn_tail_with_bytes_of_itself_behind_it_is_torn_and_no_later_group()
    {
        // What blocks hold that were used before: also the head of the very group that was being written.
        var (ends, whole) = Write([3, 4, 400]);
        Set([.. whole[..(ends[1] + 60)], .. new byte[ends[2] - ends[1] - 60], .. whole[ends[0]..(ends[1] + 60)]]);
        using var opened = OpenedLog.Open(Folder);
        Assert.Equal([1L, 2L], opened.Groups.Select(group => group.Commit));
        Assert.True(opened.Log.BytesCut > 0);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("zeroed")]
    [InlineData("flipped")]
    [InlineData("gone")]
    [InlineData("another's")]
    public void Damage_in_a_segment_with_others_behind_it_is_refused(string how)
    {
        for (var commit = 1; commit <= 3; commit++)
        {
            using var opened = OpenedLog.Open(Folder);
            opened.Log.Append((2 * commit) - 1, LogRows.City(commit, 5));
            opened.Log.Append(2 * commit, LogRows.City(commit, 5));
            opened.Log.Roll();
        }

        var path = LogSegment.PathOf(Folder, 2);
        var bytes = File.ReadAllBytes(path);
        switch (how)
        {
            case "cut":
                File.WriteAllBytes(path, bytes[..(LogCodec.SegmentHeadBytes + ((bytes.Length - LogCodec.SegmentHeadBytes) / 2))]);
                break;
            case "zeroed":
                bytes.AsSpan(LogCodec.SegmentHeadBytes + ((bytes.Length - LogCodec.SegmentHeadBytes) / 2)).Clear();
                File.WriteAllBytes(path, bytes);
                break;
            case "flipped":
                bytes[^1] ^= 4;
                File.WriteAllBytes(path, bytes);
                break;
            case "gone":
                File.Delete(path);
                break;
            default:
                File.Copy(LogSegment.PathOf(Folder, 1), path, overwrite: true);
                break;
        }

        var names = Names();
        var error = Assert.Throws<InvalidDataException>(() => OpenedLog.Open(Folder));
        Assert.Contains(Path.Combine(Folder, "0000000"), error.Message, StringComparison.Ordinal);
        Assert.Equal(names, Names());
    }

    [Fact]
    public void Segment_whose_making_was_interrupted_is_made_again()
    {
        using (var opened = OpenedLog.Open(Folder))
        {
            opened.Log.Append(1, LogRows.City(0, 5));
        }

        var head = new byte[LogCodec.SegmentHeadBytes];
        LogCodec.WriteSegmentHead(head, new LogSegmentHead(2, 1, 9));
        foreach (var length in Enumerable.Range(0, head.Length))
        {
            File.WriteAllBytes(LogSegment.PathOf(Folder, 2), head[..length]);
            using var opened = OpenedLog.Open(Folder);
            Assert.Single(opened.Groups);
            Assert.Equal(1, opened.Log.CurrentSegment);
            Assert.Equal(["00000001.log"], Names());
        }
    }

    [Fact]
    public void Log_of_a_later_layout_is_left_alone()
    {
        var (_, whole) = Write([3]);
        whole[7] = 2;
        Set(whole);
        var error = Assert.Throws<InvalidDataException>(() => OpenedLog.Open(Folder));
        Assert.Contains("has layout 2; this hub reads layout 1", error.Message, StringComparison.Ordinal);
        Assert.Equal(whole, File.ReadAllBytes(LogSegment.PathOf(Folder, 1)));
    }

    [Fact]
    public void Files_with_other_names_are_not_touched()
    {
        Directory.CreateDirectory(Folder);
        foreach (var name in (string[])["1.log", "00000000.log", "notes.log", "00000001.log.bak"])
        {
            File.WriteAllText(Path.Combine(Folder, name), "mine");
        }

        using var opened = OpenedLog.Open(Folder);
        opened.Log.Append(1, LogRows.City(0, 5));
        Assert.Equal(["00000000.log", "00000001.log", "00000001.log.bak", "1.log", "notes.log"], Names());
    }

    [Theory]
    [InlineData(5)]
    [InlineData(500)]
    [InlineData(5_000)]
    public void Append_allocates_nothing_and_says_what_it_costs(int count)
    {
        using var opened = OpenedLog.Open(Folder, segmentBytesMax: 1 << 30);
        var rows = LogRows.City(0, count);
        var took = new double[400];
        var commit = 0;
        for (; commit < 100; commit++)
        {
            opened.Log.Append(commit + 1, rows);
        }

        using var process = Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < took.Length; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            opened.Log.Append(++commit, rows);
            took[i] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        process.Refresh();
        cpu = process.TotalProcessorTime - cpu;
        Array.Sort(took);
        TestContext.Current.TestOutputHelper!.WriteLine(FormattableString.Invariant(
            $"{count} rows: append and flush p50 {took[took.Length / 2]:F3} ms, p99 {took[^(took.Length / 100)]:F3} ms, max {took[^1]:F3} ms, processor of the whole test program {cpu.TotalMilliseconds / took.Length:F3} ms a group."));
    }

    [Fact]
    public void Group_larger_than_any_is_refused_before_anything_is_written()
    {
        using var opened = OpenedLog.Open(Folder);
        var bytes = opened.Log.Bytes;
        var row = LogRows.City(0, 1)[0];
        Assert.Throws<ArgumentException>(() => opened.Log.Append(1, MemoryMarshal.CreateReadOnlySpan(in row, LogCodec.RowsMax + 1)));
        Assert.Equal(bytes, opened.Log.Bytes);
        opened.Log.Append(1, LogRows.City(0, 300_000));
        Assert.Equal(1, opened.Log.CurrentSegment);
    }

    /// <summary>Writes groups of so many rows into a new log; says where each ends and what the file is.</summary>
    private (int[] Ends, byte[] Whole) Write(int[] counts)
    {
        var ends = new List<int>();
        using (var opened = OpenedLog.Open(Folder))
        {
            for (var i = 0; i < counts.Length; i++)
            {
                opened.Log.Append(i + 1, LogRows.City(i, counts[i]));
                ends.Add((int)opened.Log.Bytes);
            }
        }

        var whole = File.ReadAllBytes(LogSegment.PathOf(Folder, 1));
        Assert.Equal(ends[^1], whole.Length);
        return ([.. ends], whole);
    }

    /// <summary>Makes these bytes all there is of the log.</summary>
    private void Set(ReadOnlySpan<byte> bytes)
    {
        foreach (var path in Directory.GetFiles(Folder))
        {
            File.Delete(path);
        }

        File.WriteAllBytes(LogSegment.PathOf(Folder, 1), bytes);
    }

    private string[] Names() => [.. Directory.GetFiles(Folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
