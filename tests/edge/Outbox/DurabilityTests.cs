using System.Globalization;
using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Outbox.Tests;

/// <summary>Power cuts, failing cards and kill -9, by doing to the files what those do.</summary>
public sealed class DurabilityTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Everything_survives_a_restart()
    {
        var folder = _folder.File("outbox");
        for (var start = 0; start < 3; start++)
        {
            await using var outbox = Files.Open(folder, segmentBytesMax: 4096);
            Assert.Equal(new OutboxCounters(start * 200, start * 50, start * 150, 0, 0, 0, start * 2), outbox.Counters);
            Assert.Equal(start * 200, Sample.Number(outbox.Cursor("air")));
            for (var i = 0; i < 200; i += 4)
            {
                await outbox.AppendAsync(Sample.Numbered((start * 200) + i, 4), Sample.Cursor((start * 200) + i + 4), Cancel);
            }

            await outbox.ReleaseAsync(0, (start + 1) * 50, 2, Cancel);
            Assert.Equal(
                Sample.Numbered((start + 1) * 50, (start * 150) + 150), (await Sample.DrainAsync(outbox)).Select(r => r.Reading));
        }
    }

    [Fact]
    public async Task A_killed_process_keeps_what_was_written_and_sends_at_most_the_last_releases_again()
    {
        // Time stands still: after a second of it the release would be written down.
        var time = new FakeTimeProvider(Sample.Start);
        var folder = _folder.File("outbox");
        await using var outbox = Files.Open(folder, time: time);
        await outbox.AppendAsync(Sample.Numbered(0, 9), Sample.Cursor(9), Cancel);
        await outbox.ReleaseAsync(0, 5, 1, Cancel);
        Sample.CopyFolder(folder, _folder.File("early"));
        await using (var early = Files.Open(_folder.File("early"), time: time))
        {
            Assert.Equal(new OutboxCounters(9, 0, 9, 0, 0, 0, 0), early.Counters);
        }

        await outbox.FlushAsync(Cancel);
        Sample.CopyFolder(folder, _folder.File("after-kill"));

        await using var again = Files.Open(_folder.File("after-kill"), time: time);
        Assert.Equal(new OutboxCounters(9, 5, 4, 0, 0, 0, 1), again.Counters);
        Assert.Equal(Sample.Numbered(5, 4), (await Sample.DrainAsync(again)).Select(r => r.Reading));
        Assert.Equal(9, Sample.Number(again.Cursor("air")));
    }

    [Fact]
    public async Task What_expired_is_counted_over_restarts_and_power_cuts_also_ahead_of_the_head()
    {
        var folder = _folder.File("outbox");
        var expected = new OutboxCounters(30, 4, 21, 0, 0, 0, 0) { DroppedExpired = 5 };
        await using (var outbox = Files.Open(folder))
        {
            await outbox.AppendAsync(Sample.Numbered(0, 30), null, Cancel);
            await outbox.ReleaseAsync(10, 16, 0, 4, Cancel);
            await outbox.ReleaseAsync(0, 3, 0, 1, Cancel);
            await outbox.FlushAsync(Cancel);
            Assert.Equal(expected, outbox.Counters);
            Sample.CopyFolder(folder, _folder.File("cut"));
        }

        await using (var cut = Files.Open(_folder.File("cut")))
        {
            Assert.Equal(expected, cut.Counters);
        }

        await using var again = Files.Open(folder);
        Assert.Equal(expected, again.Counters);
    }

    [Fact]
    public void A_ledger_of_an_agent_that_knew_nothing_of_expiry_is_read()
    {
        // Layout 2: version, next, head, released, refused, full, age, damaged, ranges; one range of 2 three behind the head.
        var before = LedgerImage.TryRead([2, 7, 20, 10, 9, 1, 1, 2, 0, 1, 3, 2]);
        Assert.NotNull(before);
        Assert.Equal(new Position(7, 20, 10, 9, 1, 1, 2, 0, 0), before.Position);
        Assert.Equal([new SequenceRange(13, 15)], before.Ranges);
        var now = LedgerImage.TryRead(new LedgerImage(before.Position with { Released = 5, DroppedExpired = 4 }, before.Ranges).ToBytes());
        Assert.Equal((5L, 4L), (now!.Position.Released, now.Position.DroppedExpired));
        Assert.Null(LedgerImage.TryRead([3, 7, 20, 10, 9, 1, 1, 2, 0, 1, 3, 2]));
    }

    [Fact]
    public async Task Cursors_and_counters_survive_the_release_of_everything()
    {
        var folder = _folder.File("outbox");
        await using (var outbox = Files.Open(folder, segmentBytesMax: 4096))
        {
            await outbox.AppendAsync(Sample.Numbered(0, 1), Sample.Cursor(41, "old"), Cancel);
            for (var i = 1; i < 1000; i += 3)
            {
                await outbox.AppendAsync(Sample.Numbered(i, 3), Sample.Cursor(i + 3), Cancel);
                await outbox.ReleaseAsync(0, i + 3, 0, Cancel);
            }

            Assert.Single(Files.Segments(folder));
        }

        File.Delete(Files.Segments(folder)[0]);
        await using var again = Files.Open(folder);
        Assert.Equal(new OutboxCounters(1000, 1000, 0, 0, 0, 0, 0), again.Counters);
        Assert.Equal((41, 1000), (Sample.Number(again.Cursor("old")), Sample.Number(again.Cursor("air"))));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_cut_at_any_byte_loses_only_what_was_cut(bool positionKnown)
    {
        var folder = _folder.File("outbox");
        var ends = new List<(long Bytes, long Taken)> { (0, 0) };
        await using (var outbox = Files.Open(folder))
        {
            for (var i = 0; i < 8; i++)
            {
                await outbox.AppendAsync(Sample.Numbered(i * 3, 3), Sample.Cursor((i + 1) * 3), Cancel);
                ends.Add((Files.SegmentBytes(folder), (i + 1) * 3));
            }
        }

        var segment = Files.Segments(folder)[0];
        var whole = await File.ReadAllBytesAsync(segment, Cancel);
        for (var cut = 0; cut <= whole.Length; cut++)
        {
            var broken = _folder.File("cut-" + cut.ToString(CultureInfo.InvariantCulture));
            Directory.CreateDirectory(broken);
            await File.WriteAllBytesAsync(Path.Combine(broken, Path.GetFileName(segment)), whole[..cut], Cancel);
            if (positionKnown)
            {
                File.Copy(Path.Combine(folder, "checkpoint"), Path.Combine(broken, "checkpoint"));
            }

            var kept = ends.Last(end => end.Bytes <= cut).Taken;
            var taken = positionKnown ? 24 : kept;
            await using (var outbox = Files.Open(broken))
            {
                Assert.Equal(new OutboxCounters(taken, 0, kept, 0, 0, taken - kept, 0), outbox.Counters);
                Assert.Equal(taken, Sample.Number(outbox.Cursor("air")));
                Assert.Equal(Sample.Numbered(0, (int)kept), (await Sample.DrainAsync(outbox)).Select(r => r.Reading));

                // Service goes on without a person.
                await outbox.AppendAsync(Sample.Numbered(taken, 2), Sample.Cursor(taken + 2), Cancel);
            }

            await using var again = Files.Open(broken);
            Assert.Equal(new OutboxCounters(taken + 2, 0, kept + 2, 0, 0, taken - kept, 0), again.Counters);
            Assert.Equal([.. Sample.Numbered(0, (int)kept), .. Sample.Numbered(taken, 2)], (await Sample.DrainAsync(again)).Select(r => r.Reading));
            Directory.Delete(broken, recursive: true);
        }
    }

    [Fact]
    public async Task A_flipped_byte_anywhere_gives_no_exception_no_wrong_reading_and_counters_that_add_up()
    {
        var folder = _folder.File("outbox");
        await using (var outbox = Files.Open(folder, segmentBytesMax: 600))
        {
            for (var i = 0; i < 14; i++)
            {
                await outbox.AppendAsync(Sample.Numbered(i * 3, 3), Sample.Cursor((i + 1) * 3), Cancel);
            }

            await outbox.ReleaseAsync(0, 20, 2, Cancel);
            await outbox.ReleaseAsync(30, 33, 0, Cancel);
            await outbox.FlushAsync(Cancel);
        }

        var original = Directory.GetFiles(folder).ToDictionary(path => Path.GetFileName(path), File.ReadAllBytes);
        Assert.True(original.Keys.Count(name => name.EndsWith(".seg", StringComparison.Ordinal)) >= 2, "The test wants more than one segment.");
        Assert.Contains("checkpoint.old", original.Keys);
        var broken = _folder.File("broken");
        Directory.CreateDirectory(broken);
        foreach (var (name, bytes) in original)
        {
            for (var at = 0; at < bytes.Length; at += Repeats.Of(5, 1))
            {
                foreach (var path in Directory.GetFiles(broken).Where(path => !original.ContainsKey(Path.GetFileName(path))))
                {
                    File.Delete(path);
                }

                foreach (var (other, content) in original)
                {
                    await File.WriteAllBytesAsync(Path.Combine(broken, other), content, Cancel);
                }

                var flipped = (byte[])bytes.Clone();
                flipped[at] ^= (byte)(1 << (at % 8));
                await File.WriteAllBytesAsync(Path.Combine(broken, name), flipped, Cancel);

                await using var outbox = Files.Open(broken, segmentBytesMax: 600);
                var counters = outbox.Counters;
                Sample.AddUp(counters);
                Assert.Equal(42, counters.Taken);
                Assert.InRange(counters.DroppedDamaged, 0, 3);
                Assert.All(await Sample.DrainAsync(outbox, 100), r => Assert.Equal(Sample.Numbered(r.Sequence), r.Reading));
                Assert.InRange(Sample.Number(outbox.Cursor("air")), 39, 42);
            }
        }
    }

    [Fact]
    public async Task Any_file_of_the_folder_cut_at_any_byte_or_gone_gives_no_exception_and_no_wrong_reading()
    {
        var folder = _folder.File("outbox");
        await using (var outbox = Files.Open(folder, segmentBytesMax: 600))
        {
            for (var i = 0; i < 8; i++)
            {
                await outbox.AppendAsync(Sample.Numbered(i * 3, 3), Sample.Cursor((i + 1) * 3), Cancel);
            }

            await outbox.ReleaseAsync(0, 10, 2, Cancel);
            await outbox.ReleaseAsync(15, 18, 0, Cancel);
            await outbox.FlushAsync(Cancel);
        }

        var original = Directory.GetFiles(folder).ToDictionary(path => Path.GetFileName(path), File.ReadAllBytes);
        var broken = _folder.File("broken");
        foreach (var (name, bytes) in original)
        {
            for (var cut = -1; cut < bytes.Length; cut += Repeats.Of(5, 1))
            {
                if (Directory.Exists(broken))
                {
                    Directory.Delete(broken, recursive: true);
                }

                Directory.CreateDirectory(broken);
                foreach (var (other, content) in original.Where(file => file.Key != name || cut >= 0))
                {
                    await File.WriteAllBytesAsync(Path.Combine(broken, other), other == name ? content[..cut] : content, Cancel);
                }

                await using var outbox = Files.Open(broken, segmentBytesMax: 600);
                Sample.AddUp(outbox.Counters);
                Assert.Equal(24, outbox.Counters.Taken);
                var held = await Sample.DrainAsync(outbox, 100);
                Assert.All(held, r => Assert.Equal(Sample.Numbered(r.Sequence), r.Reading));
                if (!name.EndsWith(".seg", StringComparison.Ordinal))
                {
                    // Without what says where it stood, at most something is sent again.
                    Assert.Subset(held.Select(r => r.Sequence).ToHashSet(), Enumerable.Range(10, 14).Where(n => n is < 15 or > 17).Select(n => (long)n).ToHashSet());
                }
            }
        }
    }

    [Fact]
    public async Task A_flipped_byte_anywhere_in_packed_groups_costs_at_most_one_of_them()
    {
        var folder = _folder.File("outbox");
        await using (var outbox = Files.Open(folder, writeDelay: TimeSpan.FromMinutes(5)))
        {
            for (var i = 0; i < 120; i += 40)
            {
                await outbox.AppendAsync(Sample.Numbered(i, 40), Sample.Cursor(i + 40), Cancel);
                await outbox.FlushAsync(Cancel);
            }
        }

        var whole = await File.ReadAllBytesAsync(Assert.Single(Files.Segments(folder)), Cancel);
        Assert.InRange(whole.Length, 300, 2400);
        for (var at = 0; at < whole.Length; at++)
        {
            var broken = _folder.File("broken-" + at.ToString(CultureInfo.InvariantCulture));
            Sample.CopyFolder(folder, broken);
            var flipped = (byte[])whole.Clone();
            flipped[at] ^= (byte)(1 << (at % 8));
            await File.WriteAllBytesAsync(Files.Segments(broken)[0], flipped, Cancel);
            await using (var outbox = Files.Open(broken))
            {
                Sample.AddUp(outbox.Counters);
                Assert.Equal(120, outbox.Counters.Taken);
                Assert.Contains(outbox.Counters.DroppedDamaged, (long[])[0, 40]);
                Assert.All(await Sample.DrainAsync(outbox, 100), r => Assert.Equal(Sample.Numbered(r.Sequence), r.Reading));
            }

            Directory.Delete(broken, recursive: true);
        }
    }

    [Fact]
    public async Task A_packed_group_is_smaller_says_the_same_and_hostile_ones_say_nothing()
    {
        await Sample.Any.Array[1, 200].SampleAsync(
            readings =>
            {
                var plain = GroupCodec.Encode(readings, Sample.Cursor(12), Sample.Start).ToArray();
                var packed = GroupCodec.Encode(readings, Sample.Cursor(12), Sample.Start, pack: true).ToArray();
                Assert.True(packed.Length <= plain.Length);
                GroupCodec.Seal(packed, 5);
                var content = new GroupContent();
                Assert.True(GroupCodec.TryReadHead(packed, out var head) && head.Count == readings.Length && GroupCodec.IsIntact(packed));
                Assert.True(GroupCodec.TryDecode(packed, new StringPool(), content));
                Assert.Equal(readings, content.Readings);
                Assert.Equal(12, Sample.Number(content.Cursor!.Value.Value));
                return Task.CompletedTask;
            },
            iter: 100);

        // A length that is not the body's, or promises more than a group may have, with check sums that are right.
        var group = GroupCodec.Encode(Sample.Numbered(0, 100), null, Sample.Start, pack: true).ToArray();
        Assert.Equal(2, group[3]);
        foreach (byte[] length in (byte[][])[[0x01], [0xFF, 0xFF, 0x7F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], []])
        {
            byte[] hostile = [.. group[..GroupCodec.HeadBytes], .. length, .. group[(GroupCodec.HeadBytes + 2)..]];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(hostile.AsSpan(4), hostile.Length - GroupCodec.HeadBytes);
            GroupCodec.Seal(hostile, 0);
            Assert.True(GroupCodec.IsIntact(hostile));
            Assert.False(GroupCodec.TryDecode(hostile, new StringPool(), new GroupContent()));
        }
    }

    [Fact]
    public async Task Damage_found_while_running_is_stepped_over_and_counted()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Files.Open(folder, segmentBytesMax: 4096);
        for (var i = 0; i < 200; i++)
        {
            await outbox.AppendAsync(Sample.Numbered(i * 3, 3), null, Cancel);
        }

        var path = Files.Segments(folder)[0];
        using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete))
        {
            file.Position = 500;
            file.Write(new byte[300]);
        }

        var all = await Sample.DrainAsync(outbox);
        Assert.All(all, r => Assert.Equal(Sample.Numbered(r.Sequence), r.Reading));
        Sample.AddUp(outbox.Counters);
        Assert.InRange(outbox.Counters.DroppedDamaged, 3, 30);
        Assert.Equal(600 - all.Count, outbox.Counters.DroppedDamaged);
        await outbox.ReleaseAsync(0, 600, 0, Cancel);
        Assert.Equal(new OutboxCounters(600, all.Count, 0, 0, 0, 600 - all.Count, 0), outbox.Counters);
    }

    [Fact]
    public async Task Garbage_of_any_kind_in_the_folder_never_stops_the_service()
    {
        await Gen.Select(Gen.Byte.Array[0, 400], Gen.Byte.Array[0, 400], Gen.Byte.Array[0, 200]).SampleAsync(
            async (first, second, position) =>
            {
                var folder = _folder.File("garbage-" + Guid.NewGuid().ToString("n"));
                Directory.CreateDirectory(folder);
                await File.WriteAllBytesAsync(Path.Combine(folder, "00000001-0000000000000000.seg"), first, CancellationToken.None);
                await File.WriteAllBytesAsync(Path.Combine(folder, "00000002-0000000000000010.seg"), [.. GroupCodec.Mark, .. second], CancellationToken.None);
                await File.WriteAllBytesAsync(Path.Combine(folder, "checkpoint.old"), position, CancellationToken.None);
                await File.WriteAllBytesAsync(Path.Combine(folder, "checkpoint"), second, CancellationToken.None);
                await using var outbox = Files.Open(folder);
                await outbox.AppendAsync(Sample.Numbered(0, 2), Sample.Cursor(2), CancellationToken.None);
                Assert.Equal(Sample.Numbered(0, 2), (await Sample.DrainAsync(outbox)).Select(r => r.Reading));
                Assert.Equal(new OutboxCounters(18, 0, 2, 0, 0, 16, 0), outbox.Counters);
            },
            iter: 50,
            threads: 1);
    }

    [Fact]
    public async Task A_folder_copied_at_any_moment_holds_all_that_was_acknowledged_before()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Files.Open(folder, segmentBytesMax: 4096);
        long durable = 0, released = 0;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var writer = Task.Run(
            async () =>
            {
                for (var n = 0L; !stop.IsCancellationRequested; n += 3)
                {
                    await outbox.AppendAsync(Sample.Numbered(n, 3), Sample.Cursor(n + 3), CancellationToken.None);
                    Interlocked.Exchange(ref durable, n + 3);
                    if (n % 30 == 0)
                    {
                        await outbox.ReleaseAsync(0, Math.Max(0, n - 300), 0, CancellationToken.None);
                        Interlocked.Exchange(ref released, Math.Max(0, n - 300));
                    }
                }
            },
            Cancel);

        for (var copy = 0; copy < 25; copy++)
        {
            var wanted = Interlocked.Read(ref durable) + 40;
            await Eventually.TrueAsync(() => Interlocked.Read(ref durable) > wanted, "the writer went on");
            var acknowledged = Interlocked.Read(ref durable);
            var image = _folder.File("image-" + copy.ToString(CultureInfo.InvariantCulture));
            Sample.CopyFolder(folder, image);

            // Readings released while the copy was made may be missing from it, none other.
            var gone = outbox.Head;
            await using var restored = Files.Open(image, segmentBytesMax: 4096);
            Sample.AddUp(restored.Counters);
            var held = await Sample.DrainAsync(restored, 50);
            Assert.All(held, r => Assert.Equal(Sample.Numbered(r.Sequence), r.Reading));
            var sequences = held.Select(r => r.Sequence).ToHashSet();
            for (var n = gone; n < acknowledged; n++)
            {
                Assert.Contains(n, sequences);
            }

            var cursor = Sample.Number(restored.Cursor("air"));
            Assert.True(cursor >= acknowledged, "The cursor is older than what was acknowledged.");

            // The files of a copy are not of one instant: a position (with or without its cursor) may prove readings of which the copy has no record yet. They count as damaged,
            // never as taken and lost.
            Assert.InRange(restored.Counters.Taken, cursor, cursor + restored.Counters.DroppedDamaged);
        }

        await stop.CancelAsync();
        await writer;
    }

    [Fact]
    public void The_layout_on_disk_is_the_one_of_released_agents()
    {
        Reading[] readings =
        [
            Sample.Numbered(1),
            Sample.Numbered(2) with { Raw = 1.5, Calibration = 3, Coverage = 0.5, Revision = -1, Quality = Quality.Stuck },
        ];
        var group = GroupCodec.Encode(readings, Sample.Cursor(12), Sample.Start).ToArray();
        GroupCodec.Seal(group, 1000);
        const string Expected =
            "484F42014F0000002E36010402000000E80300000000000080838ECD060303616972036E6F32046C616571010231320300018089F3DFC4FA85E301000000000000F03F01"
            + "3C3F000280897A0000000000000040043C000000000000F83F06000000000000E03F01";
        Assert.Equal(Expected, Convert.ToHexString(group));

        var content = new GroupContent();
        Assert.True(GroupCodec.IsIntact(group) && GroupCodec.TryDecode(group, new StringPool(), content));
        Assert.Equal(readings, content.Readings);
        Assert.Equal(Sample.Start, content.TakenAt);
    }
}
