using System.Globalization;
using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Outbox.Tests;

/// <summary>What a kill takes, which is nothing, and what a power cut takes, which is what was not on disk.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class JournalTests : IDisposable
{
    private static readonly TimeSpan Delay = TimeSpan.FromMinutes(15);
    private readonly TempFolder _folder = new();
    private readonly MemoryTemp _memory = new();
    private readonly FakeTimeProvider _time = new(Sample.Start);
    private int _copies;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _folder.Dispose();
        _memory.Dispose();
    }

    [Fact]
    public async Task By_default_readings_are_gathered_for_a_quarter_of_an_hour_and_a_kill_takes_none_of_them()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Open(folder);
        await outbox.AppendAsync(Sample.Numbered(0, 5), Sample.Cursor(5), Cancel);
        await outbox.AppendAsync(Sample.Numbered(5, 4), Sample.Cursor(9), Cancel);
        await outbox.ReleaseAsync(0, 3, 1, Cancel);
        await outbox.ReleaseAsync(6, 7, 0, Cancel);
        Assert.Empty(Files.Segments(folder));
        Assert.Equal(5, outbox.Counters.Unwritten);

        await using (var killed = Open(Kill(folder)))
        {
            Assert.Equal(outbox.Counters with { Unwritten = 0 }, killed.Counters);
            Assert.Equal(new OutboxCounters(9, 4, 5, 0, 0, 0, 1), killed.Counters);
            Assert.Equal(9, Sample.Number(killed.Cursor("air")));
            Assert.Equal([3, 4, 5, 7, 8], (await Sample.DrainAsync(killed)).Select(r => (int)r.Sequence));
        }

        // A power cut: the journal is gone, and nothing was on disk yet.
        await using (var cut = Open(PowerCut(folder)))
        {
            Assert.Equal(default, cut.Counters);
            Assert.True(cut.Cursor("air").IsEmpty);
        }

        _time.Advance(Delay);
        await Eventually.TrueAsync(() => outbox.Counters.Unwritten == 0, "what was gathered is on disk");
        await Eventually.TrueAsync(() => _memory.ReadJournal(folder, _time).Length == 0, "the journal begins anew");
        await using var after = Open(PowerCut(folder));
        Assert.Equal(new OutboxCounters(9, 4, 5, 0, 0, 0, 1), after.Counters);
    }

    [Fact]
    public async Task What_is_released_survives_a_kill_also_when_nothing_else_happened()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Open(folder);
        await outbox.AppendAsync(Sample.Numbered(0, 9), null, Cancel);
        await outbox.FlushAsync(Cancel);
        await outbox.ReleaseAsync(0, 9, 0, Cancel);
        var once = Kill(folder);
        await using (var killed = Open(once))
        {
            Assert.Equal(new OutboxCounters(9, 9, 0, 0, 0, 0, 0), killed.Counters);

            // Killed again before anything else: the journal has begun anew, and the disk knows.
            await using var again = Open(PowerCut(once));
            Assert.Equal(new OutboxCounters(9, 9, 0, 0, 0, 0, 0), again.Counters);
        }
    }

    [Fact]
    public async Task An_orderly_end_leaves_no_journal_and_needs_none()
    {
        var folder = _folder.File("outbox");
        await using (var outbox = Open(folder))
        {
            await outbox.AppendAsync(Sample.Numbered(0, 5), Sample.Cursor(5), Cancel);
            Assert.True(_memory.Bytes > 0);
        }

        Assert.Empty(Directory.GetFiles(_memory.Own));
        await using var again = Files.Open(folder, time: _time);
        Assert.Equal(new OutboxCounters(5, 0, 5, 0, 0, 0, 0), again.Counters);
    }

    [Fact]
    public async Task A_station_set_to_write_at_once_still_takes_what_an_earlier_journal_holds()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Open(folder);
        await outbox.AppendAsync(Sample.Numbered(0, 5), Sample.Cursor(5), Cancel);
        var killed = Kill(folder);
        await using var again = Files.OpenWithJournal(killed, _memory.Path, _time, TimeSpan.Zero);
        Assert.Equal(new OutboxCounters(5, 0, 5, 0, 0, 0, 0), again.Counters);
        Assert.False(File.Exists(_memory.JournalOf(killed, _time)));
        await again.AppendAsync(Sample.Numbered(5, 2), Sample.Cursor(7), Cancel);
        await using var cut = Open(PowerCut(killed));
        Assert.Equal(new OutboxCounters(7, 0, 7, 0, 0, 0, 0), cut.Counters);
        Assert.Equal(Sample.Numbered(0, 7), (await Sample.DrainAsync(cut)).Select(r => r.Reading));
    }

    [Fact]
    public async Task A_kill_in_the_middle_of_writing_to_disk_at_any_byte_loses_nothing_and_doubles_nothing()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Open(folder);
        await outbox.AppendAsync(Sample.Numbered(0, 3), Sample.Cursor(3), Cancel);
        await outbox.FlushAsync(Cancel);
        var before = Files.SegmentBytes(folder);
        for (var i = 3; i < 12; i += 3)
        {
            await outbox.AppendAsync(Sample.Numbered(i, 3), Sample.Cursor(i + 3), Cancel);
        }

        await outbox.ReleaseAsync(6, 9, 0, Cancel);
        var journal = _memory.ReadJournal(folder, _time);
        await outbox.FlushAsync(Cancel);
        var after = Files.SegmentBytes(folder);
        Assert.True(after > before + 50, "The test wants something to cut.");
        for (var cut = before; cut <= after; cut++)
        {
            var killed = Copy();
            _memory.Kill(folder, killed, _time, journal);
            using (var file = File.OpenWrite(Assert.Single(Files.Segments(killed))))
            {
                file.SetLength(cut);
            }

            await using var again = Open(killed);
            Assert.Equal(new OutboxCounters(12, 3, 9, 0, 0, 0, 0), again.Counters);
            Assert.Equal([.. Sample.Numbered(0, 6), .. Sample.Numbered(9, 3)], (await Sample.DrainAsync(again)).Select(r => r.Reading));
            Assert.Equal(12, Sample.Number(again.Cursor("air")));
        }
    }

    [Fact]
    public async Task A_journal_cut_at_any_byte_loses_only_what_was_cut_and_service_goes_on()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Open(folder);
        await outbox.AppendAsync(Sample.Numbered(0, 3), Sample.Cursor(3), Cancel);
        await outbox.FlushAsync(Cancel);
        var ends = new List<(long Bytes, int Taken)> { (0, 3) };
        for (var i = 3; i < 15; i += 3)
        {
            await outbox.AppendAsync(Sample.Numbered(i, 3), Sample.Cursor(i + 3), Cancel);
            ends.Add((_memory.ReadJournal(folder, _time).Length, i + 3));
        }

        var whole = _memory.ReadJournal(folder, _time);
        for (var cut = 0; cut <= whole.Length; cut++)
        {
            var killed = Copy();
            _memory.Kill(folder, killed, _time, whole[..cut]);
            var kept = ends.Last(end => end.Bytes <= cut).Taken;
            await using (var again = Open(killed))
            {
                Assert.Equal(new OutboxCounters(kept, 0, kept, 0, 0, 0, 0), again.Counters);
                Assert.Equal(kept, Sample.Number(again.Cursor("air")));
                await again.AppendAsync(Sample.Numbered(kept, 2), Sample.Cursor(kept + 2), Cancel);
                Assert.Equal(Sample.Numbered(0, kept + 2), (await Sample.DrainAsync(again)).Select(r => r.Reading));
            }

            Directory.Delete(killed, recursive: true);
        }
    }

    [Fact]
    public async Task A_flipped_byte_anywhere_in_the_journal_gives_no_exception_no_wrong_reading_and_counters_that_add_up()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Open(folder);
        await outbox.AppendAsync(Sample.Numbered(0, 3), Sample.Cursor(3), Cancel);
        await outbox.FlushAsync(Cancel);
        for (var i = 3; i < 15; i += 3)
        {
            await outbox.AppendAsync(Sample.Numbered(i, 3), Sample.Cursor(i + 3), Cancel);
            await outbox.ReleaseAsync(i - 3, i - 2, 0, Cancel);
        }

        var whole = _memory.ReadJournal(folder, _time);
        for (var at = 0; at < whole.Length; at += Repeats.Of(5, 1))
        {
            var killed = Copy();
            var flipped = (byte[])whole.Clone();
            flipped[at] ^= (byte)(1 << (at % 8));
            _memory.Kill(folder, killed, _time, flipped);
            await using (var again = Open(killed))
            {
                Sample.AddUp(again.Counters);
                Assert.Equal(15, again.Counters.Taken);
                Assert.InRange(again.Counters.DroppedDamaged, 0, 3);
                Assert.InRange(again.Counters.Released, 3, 4);
                Assert.All(await Sample.DrainAsync(again, 100), r => Assert.Equal(Sample.Numbered(r.Sequence), r.Reading));
            }

            Directory.Delete(killed, recursive: true);
        }
    }

    /// <summary>Appends, releases, flushes, orderly ends, kills and power cuts in any order: a kill changes nothing at all, a power cut takes at most what was not flushed.</summary>
    [Fact]
    public async Task Any_sequence_of_work_kills_and_power_cuts_keeps_what_it_must()
    {
        var step = Gen.Select(Gen.Int[0, 11], Gen.Int[1, 30]);
        await step.Array[5, 60].SampleAsync(
            async steps =>
            {
                var folder = Copy();
                var outbox = Open(folder, 4096);
                long taken = 0, flushed = 0;
                var held = new SortedSet<long>();
                var flushedHeld = new HashSet<long>();
                try
                {
                    foreach (var (kind, n) in steps)
                    {
                        switch (kind)
                        {
                            case 0 or 1 or 2 or 3:
                                await outbox.AppendAsync(Sample.Numbered(taken, n), Sample.Cursor(taken + n), CancellationToken.None);
                                for (var i = 0; i < n; i++)
                                {
                                    held.Add(taken++);
                                }

                                break;
                            case 4 or 5:
                                var from = kind == 4 || held.Count == 0 ? outbox.Head : held.Skip(held.Count / 2).First();
                                if (await outbox.TryReadAsync(from, taken, n, CancellationToken.None) is { } batch)
                                {
                                    await outbox.ReleaseAsync(batch.From, batch.Until, 0, CancellationToken.None);
                                    held.RemoveWhere(s => s >= batch.From && s < batch.Until);
                                }

                                break;
                            case 6:
                                await outbox.FlushAsync(CancellationToken.None);
                                (flushed, flushedHeld) = (taken, [.. held]);
                                break;
                            case 7:
                                await outbox.DisposeAsync();
                                outbox = Open(folder, 4096);
                                (flushed, flushedHeld) = (taken, [.. held]);
                                break;
                            case 8 or 9 or 10:
                                await Sample.StillAsync(outbox);
                                var killed = Kill(folder);
                                await outbox.DisposeAsync();
                                outbox = Open(folder = killed, 4096);
                                (flushed, flushedHeld) = (taken, [.. held]);
                                break;
                            default:
                                await Sample.StillAsync(outbox);
                                var cut = PowerCut(folder);
                                await outbox.DisposeAsync();
                                outbox = Open(folder = cut, 4096);
                                Assert.InRange(outbox.Counters.Taken, flushed, taken);
                                Assert.Equal(0, outbox.Counters.DroppedDamaged);
                                var found = (await Sample.DrainAsync(outbox, 100)).Select(r => r.Sequence).ToHashSet();
                                Assert.Subset(found, held.Where(s => s < flushed).ToHashSet());
                                Assert.Subset(flushedHeld.Union(held).ToHashSet(), found);
                                taken = outbox.Counters.Taken;
                                held = [.. found];
                                (flushed, flushedHeld) = (taken, found);
                                break;
                        }

                        Sample.AddUp(outbox.Counters);
                        Assert.Equal((taken, (long)held.Count, 0L), (outbox.Counters.Taken, outbox.Counters.Held, outbox.Counters.DroppedDamaged));
                        Assert.Equal(taken, Sample.Number(outbox.Cursor("air")));
                    }

                    var all = await Sample.DrainAsync(outbox, 50);
                    Assert.Equal(held, all.Select(r => r.Sequence));
                    Assert.All(all, r => Assert.Equal(Sample.Numbered(r.Sequence), r.Reading));
                }
                finally
                {
                    await outbox.DisposeAsync();
                }
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public async Task When_the_journal_cannot_be_written_readings_go_to_disk_at_once_until_it_can()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Open(folder);
        await outbox.AppendAsync(Sample.Numbered(0, 3), Sample.Cursor(3), Cancel);
        await outbox.FlushAsync(Cancel);
        Directory.Delete(_memory.Own, recursive: true);
        await outbox.FlushAsync(Cancel);
        for (var i = 3; i < 9; i += 3)
        {
            // The first may still go into a file that nobody can find: a flush finds out, not an append.
            await outbox.AppendAsync(Sample.Numbered(i, 3), Sample.Cursor(i + 3), Cancel);
            await outbox.ReleaseAsync(i, i + 1, 0, Cancel);
            await outbox.FlushAsync(Cancel);
        }

        await outbox.AppendAsync(Sample.Numbered(9, 3), Sample.Cursor(12), Cancel);
        Assert.Equal(0, outbox.Counters.Unwritten);
        await using (var cut = Open(PowerCut(folder)))
        {
            Assert.Equal((12L, 12L - 2), (cut.Counters.Taken, cut.Counters.Held));
        }

        Directory.CreateDirectory(_memory.Own, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await outbox.ReleaseAsync(9, 10, 0, Cancel);
        await outbox.FlushAsync(Cancel);
        await outbox.AppendAsync(Sample.Numbered(12, 3), Sample.Cursor(15), Cancel);
        Assert.Equal(3, outbox.Counters.Unwritten);
        await using var killed = Open(Kill(folder));
        Assert.Equal((15L, 12L), (killed.Counters.Taken, killed.Counters.Held));
    }

    [Fact]
    public async Task A_journal_stays_within_its_measure_while_the_disk_refuses_and_all_is_there_after_a_kill()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Open(folder, 4096);
        Directory.Move(folder, folder + "-away");
        var taken = 0;
        IOException? failure = null;
        while (failure is null)
        {
            try
            {
                await outbox.AppendAsync(Sample.Numbered(taken, 100), Sample.Cursor(taken + 100), Cancel);
                taken += 100;
            }
            catch (IOException e)
            {
                failure = e;
            }
        }

        Assert.InRange(_memory.Bytes, 500_000, Journal.BytesMax);
        Directory.Move(folder + "-away", folder);
        await using var killed = Open(Kill(folder), 4096);
        Assert.Equal(new OutboxCounters(taken, 0, taken, 0, 0, 0, 0), killed.Counters);
        Assert.Equal(Sample.Numbered(0, taken), (await Sample.DrainAsync(killed, 1000)).Select(r => r.Reading));
    }

    [Fact]
    public async Task Killed_before_the_time_is_known_readings_get_the_time_of_the_same_start_of_the_machine()
    {
        var machine = new FakeMachine(new DateTimeOffset(1970, 1, 1, 0, 0, 0, TimeSpan.Zero));
        using var clock = new StationClock(machine, machine.Timers);
        var folder = _folder.File("outbox");
        await using var outbox = Files.OpenWithJournal(folder, _memory.Path, clock);
        machine.Pass(TimeSpan.FromMinutes(1));
        await outbox.AppendAsync(new[] { new Reading("air", "no2", clock.GetUtcNow().UtcDateTime, 7) }, null, Cancel);
        var killed = Copy();
        _memory.Kill(folder, killed, clock);

        // Another start of the machine finds no journal: memory does not outlive the power.
        var other = new FakeMachine(Sample.Start, "boot-2") { IsSynchronised = true };
        using var otherClock = new StationClock(other, other.Timers);
        var rebooted = Copy();
        _memory.Kill(folder, rebooted, clock);
        await using (var after = Files.OpenWithJournal(rebooted, _memory.Path, otherClock))
        {
            Assert.Equal(default, after.Counters);
            Assert.Single(Directory.GetFiles(_memory.Own, MemoryFolder.IdentityOf(killed) + "_*"));
            Assert.Empty(Directory.GetFiles(_memory.Own, MemoryFolder.IdentityOf(rebooted) + "_boot-1*"));
        }

        await using var again = Files.OpenWithJournal(killed, _memory.Path, clock);
        machine.Pass(TimeSpan.FromMinutes(1));
        Assert.True(clock.Offer(clock.SinceBoot, Sample.Start, clock.SinceBoot));
        var reading = Assert.Single((await again.ReadAsync(0, 10, Cancel)).Readings);
        Assert.Equal(Sample.Start.AddMinutes(-1).UtcDateTime, reading.PhenomenonTime);
        Assert.Equal(Quality.Good, reading.Quality);
    }

    [Fact]
    public async Task A_folder_that_is_not_safe_or_not_in_memory_is_refused_and_readings_are_on_disk_at_once()
    {
        Assert.True(MemoryFolder.TryOpen(_memory.Path, out var why) is { } own && own == _memory.Own && why.Length == 0);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_memory.Own));

        await RefusedAsync("is no folder", _memory.Path + "-missing");
        await RefusedAsync("is not in memory", _folder.Path);

        File.SetUnixFileMode(_memory.Own, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead);
        await RefusedAsync("mode 704 instead of 700", _memory.Path);
        Directory.Delete(_memory.Own, recursive: true);

        var elsewhere = Directory.CreateDirectory(Path.Combine(_memory.Path, "elsewhere"));
        Directory.CreateSymbolicLink(_memory.Own, elsewhere.FullName);
        await RefusedAsync("is a link or a file", _memory.Path);
        Directory.Delete(_memory.Own);
        await File.WriteAllTextAsync(_memory.Own, "", Cancel);
        await RefusedAsync("cannot be made", _memory.Path);
        File.Delete(_memory.Own);

        var open = Directory.CreateDirectory(Path.Combine(_memory.Path, "open")).FullName;
        File.SetUnixFileMode(open, (UnixFileMode)0b111_111_111);
        await RefusedAsync("every user can rename", open);
        File.SetUnixFileMode(open, (UnixFileMode)0b111_111_111 | UnixFileMode.StickyBit);
        Assert.NotNull(MemoryFolder.TryOpen(open, out _));
    }

    [Fact]
    public async Task A_folder_of_another_user_is_refused()
    {
        Directory.CreateDirectory(_memory.Own, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var chown = System.Diagnostics.Process.Start("chown", ["54321", _memory.Own]);
        await chown.WaitForExitAsync(Cancel);
        Assert.SkipUnless(chown.ExitCode == 0, "Only root can give a folder to another user.");
        await RefusedAsync("belongs to user 54321", _memory.Path);
    }

    private async Task RefusedAsync(string why, string memory)
    {
        var folder = Copy();
        Assert.Null(MemoryFolder.TryOpen(memory, out var said));
        Assert.Contains(why, said, StringComparison.Ordinal);
        await using var outbox = Files.OpenWithJournal(folder, memory, _time);
        await outbox.AppendAsync(Sample.Numbered(0, 2), null, Cancel);
        Assert.Equal(0, outbox.Counters.Unwritten);
        Assert.True(Files.SegmentBytes(folder) > 0);
    }

    private FileOutbox Open(string folder, int segmentBytesMax = 4 << 20) => Files.OpenWithJournal(folder, _memory.Path, _time, segmentBytesMax: segmentBytesMax);

    private string Copy() => _folder.File("copy-" + (_copies++).ToString(CultureInfo.InvariantCulture));

    private string Kill(string folder)
    {
        var copy = Copy();
        _memory.Kill(folder, copy, _time);
        return copy;
    }

    private string PowerCut(string folder)
    {
        var copy = Copy();
        Sample.CopyFolder(folder, copy);
        return copy;
    }
}
