using System.Globalization;
using CsCheck;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Outbox.Tests;

/// <summary>What stands in memory first: what is written, when, and what a power cut takes.</summary>
public sealed class WriteDelayTests : IDisposable
{
    private static readonly TimeSpan Delay = TimeSpan.FromMinutes(5);
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Sample.Start);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_taken_can_be_read_at_once_and_is_on_disk_after_the_delay()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Files.Open(folder, time: _time, writeDelay: Delay);
        await outbox.AppendAsync(Sample.Numbered(0, 5), Sample.Cursor(5), Cancel);
        Assert.Equal(Sample.Numbered(0, 5), (await outbox.ReadAsync(0, 10, Cancel)).Readings);
        Assert.Equal(new OutboxCounters(5, 0, 5, 0, 0, 0, 0) { Unwritten = 5 }, outbox.Counters);
        Assert.Empty(Files.Segments(folder));

        _time.Advance(Delay);
        await Eventually.TrueAsync(() => outbox.Counters.Unwritten == 0, "the readings were written");
        await using var image = Files.Open(Image(folder), time: _time);
        Assert.Equal(new OutboxCounters(5, 0, 5, 0, 0, 0, 0), image.Counters);
        Assert.Equal(5, Sample.Number(image.Cursor("air")));
        Assert.Equal(Sample.Numbered(0, 5), (await Sample.DrainAsync(outbox)).Select(r => r.Reading));
    }

    [Fact]
    public async Task What_the_hub_has_acknowledged_before_is_never_written_and_a_day_of_it_costs_few_bytes()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Files.Open(folder, time: _time, writeDelay: Delay);
        const int Minutes = 24 * 60;
        for (var minute = 0; minute < Minutes; minute++)
        {
            await outbox.AppendAsync(Sample.Numbered(minute * 40, 40), Sample.Cursor((minute + 1) * 40), Cancel);
            await outbox.ReleaseAsync(minute * 40, (minute + 1) * 40, 0, Cancel);
            if (minute % 5 == 4)
            {
                await outbox.FlushAsync(Cancel);
            }
        }

        Assert.InRange(Files.SegmentBytes(folder), 1, Minutes * 40 / 2);
        await using var image = Files.Open(Image(folder), time: _time);
        Assert.Equal(new OutboxCounters(Minutes * 40, Minutes * 40, 0, 0, 0, 0, 0), image.Counters);
        Assert.Equal(Minutes * 40, Sample.Number(image.Cursor("air")));
    }

    [Fact]
    public async Task Many_waiting_readings_and_an_orderly_end_do_not_wait_for_the_delay()
    {
        var folder = _folder.File("outbox");
        await using (var outbox = Files.Open(folder, time: _time, writeDelay: Delay))
        {
            await outbox.AppendAsync(Sample.Numbered(0, 159), null, Cancel);
            Assert.Equal(159, outbox.Counters.Unwritten);
            await outbox.AppendAsync(Sample.Numbered(159, 1), null, Cancel);
            await Eventually.TrueAsync(() => outbox.Counters.Unwritten == 0, "160 readings were written at once");
            await outbox.AppendAsync(Sample.Numbered(160, 3), Sample.Cursor(163), Cancel);
            await outbox.ReleaseAsync(160, 162, 0, Cancel);
        }

        await using var again = Files.Open(folder, time: _time);
        Assert.Equal(new OutboxCounters(163, 2, 161, 0, 0, 0, 0), again.Counters);
        Assert.Equal(163, Sample.Number(again.Cursor("air")));
        Assert.Equal([.. Sample.Numbered(0, 160), Sample.Numbered(162)], (await Sample.DrainAsync(again)).Select(r => r.Reading));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(3, true)]
    public async Task A_supply_found_too_low_has_everything_written_at_once(double undervoltage, bool written)
    {
        await using var outbox = Files.Open(_folder.File("outbox"), time: _time, writeDelay: Delay);
        await outbox.AppendAsync(Sample.Numbered(0, 5), null, Cancel);
        await outbox.AppendAsync(new[] { Sample.Numbered(5) with { Property = "undervoltage", Value = undervoltage } }, null, Cancel);
        if (written)
        {
            await Eventually.TrueAsync(() => outbox.Counters.Unwritten == 0, "what waited is on disk");
        }
        else
        {
            Assert.Equal(6, outbox.Counters.Unwritten);
        }
    }

    [Fact]
    public async Task Readings_of_many_small_appends_take_at_most_16_bytes_each()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Files.Open(folder, time: _time, writeDelay: Delay);
        for (var i = 0; i < 200; i++)
        {
            await outbox.AppendAsync(Sample.Numbered(i, 1), Sample.Cursor(i + 1, $"sensor-{i % 8}"), Cancel);
        }

        await outbox.FlushAsync(Cancel);
        Assert.InRange(Files.SegmentBytes(folder) / 200.0, 1, 16);
    }

    [Fact]
    public async Task A_disk_that_refuses_keeps_them_in_memory_until_that_is_full_and_then_the_caller_hears_it()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Files.Open(folder, segmentBytesMax: 4096, time: _time, writeDelay: Delay);
        Directory.Move(folder, folder + "-away");
        await Assert.ThrowsAsync<DirectoryNotFoundException>(async () =>
        {
            await outbox.AppendAsync(Sample.Numbered(0, 1), null, Cancel);
            await outbox.FlushAsync(Cancel);
        });
        var taken = 1;
        IOException? failure = null;
        while (failure is null)
        {
            try
            {
                await outbox.AppendAsync(Sample.Numbered(taken, 100), null, Cancel);
                taken += 100;
            }
            catch (IOException e)
            {
                failure = e;
            }
        }

        Assert.InRange(taken, 10_000, 100_000);
        Assert.Equal(taken, outbox.Counters.Taken);
        Directory.Move(folder + "-away", folder);
        await outbox.AppendAsync(Sample.Numbered(taken, 3), null, Cancel);
        await outbox.FlushAsync(Cancel);
        Assert.Equal(Sample.Numbered(0, taken + 3), (await Sample.DrainAsync(outbox, 1000)).Select(r => r.Reading));
        await using var image = Files.Open(Image(folder), time: _time);
        Assert.Equal(new OutboxCounters(taken + 3, 0, taken + 3, 0, 0, 0, 0), image.Counters);
    }

    [Fact]
    public async Task A_live_range_released_ahead_of_a_backlog_survives_a_power_cut_and_its_files_are_deleted()
    {
        var folder = _folder.File("outbox");
        await using var outbox = Files.Open(folder, segmentBytesMax: 4096, time: _time, writeDelay: Delay);
        await outbox.AppendAsync(Sample.Numbered(0, 1000), null, Cancel);
        await outbox.FlushAsync(Cancel);
        var before = Files.Segments(folder).Length;
        var live = outbox.Live;
        Assert.Equal(1000, live);
        await outbox.AppendAsync(Sample.Numbered(1000, 2000), null, Cancel);
        await outbox.FlushAsync(Cancel);
        for (var n = live; n < 3000; n += 100)
        {
            await outbox.ReleaseAsync(n, n + 100, 0, Cancel);
        }

        await outbox.FlushAsync(Cancel);
        Assert.Equal(0, outbox.Head);
        Assert.InRange(Files.Segments(folder).Length, before, before + 3);
        await using var image = Files.Open(Image(folder), time: _time);
        Assert.Equal(new OutboxCounters(3000, 2000, 1000, 0, 0, 0, 0), image.Counters);
        Assert.Equal(Sample.Numbered(0, 1000), (await Sample.DrainAsync(image)).Select(r => r.Reading));
        await image.ReleaseAsync(0, 1000, 0, Cancel);
        Assert.Equal(3000, image.Head);
    }

    [Fact]
    public async Task Ranges_ahead_of_the_head_are_bounded()
    {
        await using var outbox = Files.Open(_folder.File("outbox"), time: _time, writeDelay: Delay);
        await outbox.AppendAsync(Sample.Numbered(0, 10), null, Cancel);
        var lives = new List<long>();
        for (var i = 0; i < 60; i++)
        {
            await outbox.AppendAsync(Sample.Numbered(10 + (i * 10), 10), null, Cancel);
            var live = outbox.Live;
            await outbox.AppendAsync(ReadOnlyMemory<Contract.Readings.Reading>.Empty, Sample.Cursor(i), Cancel);
            lives.Add(live);
            if (live > outbox.Head && live < outbox.Counters.Taken)
            {
                // The 33rd goes on where the 32nd ended.
                await outbox.ReleaseAsync(live, outbox.Counters.Taken, 0, Cancel);
            }
            else
            {
                await outbox.ReleaseAsync(live - 5, live, 0, Cancel);
            }
        }

        Assert.Equal(lives.Order(), lives);
        await outbox.FlushAsync(Cancel);
        await using var image = Files.Open(Image(_folder.File("outbox")), time: _time);
        Assert.Equal(outbox.Counters, image.Counters);
        Assert.Equal(outbox.Head, image.Head);
    }

    /// <summary>
    /// Appends, releases from the head and from the live end, flushes, orderly ends, and power cuts that leave any part of the last write: nothing that was flushed and not
    /// released is lost, nothing comes back that was released before a flush, and the counters always add up.
    /// </summary>
    [Fact]
    public async Task Any_sequence_of_work_and_power_cuts_loses_nothing_that_was_flushed()
    {
        var step = Gen.Select(Gen.Int[0, 9], Gen.Int[1, 30], Gen.Double[0, 1]);
        await step.Array[5, 60].SampleAsync(
            async steps =>
            {
                var folder = _folder.File("run-" + Guid.NewGuid().ToString("n"));
                var outbox = Files.Open(folder, segmentBytesMax: 4096, time: _time, writeDelay: Delay);
                var model = new Model();
                try
                {
                    foreach (var (kind, n, where) in steps)
                    {
                        switch (kind)
                        {
                            case 0 or 1 or 2 or 3:
                                await outbox.AppendAsync(Sample.Numbered(model.Taken, n), Sample.Cursor(model.Taken + n), CancellationToken.None);
                                model.Append(n);
                                break;
                            case 4:
                                await ReleaseAsync(outbox, model, outbox.Head, n);
                                break;
                            case 5:
                                await ReleaseAsync(outbox, model, Math.Max(outbox.Head, model.LiveFrom), n);
                                break;
                            case 6:
                                model.LiveFrom = outbox.Live;
                                break;
                            case 7:
                                await outbox.FlushAsync(CancellationToken.None);
                                model.Flush();
                                break;
                            case 8:
                                await outbox.DisposeAsync();
                                model.Flush();
                                outbox = Files.Open(folder, segmentBytesMax: 4096, time: _time, writeDelay: Delay);
                                break;
                            default:
                                // The power goes in the middle of a write: what was flushed before is there, of this one any part from its front.
                                await Sample.StillAsync(outbox);
                                var lengths = Files.Segments(folder).ToDictionary(path => path, path => new FileInfo(path).Length);
                                var whole = where < 0.3;
                                if (!whole)
                                {
                                    await outbox.FlushAsync(CancellationToken.None);
                                }

                                var cut = Image(folder);
                                if (!whole && Files.Segments(cut).LastOrDefault() is { } last)
                                {
                                    using var file = File.OpenWrite(last);
                                    var kept = lengths.GetValueOrDefault(Path.Combine(folder, Path.GetFileName(last)));
                                    file.SetLength(kept + (long)((file.Length - kept) * where));
                                }

                                await outbox.DisposeAsync();
                                folder = cut;
                                outbox = Files.Open(folder, segmentBytesMax: 4096, time: _time, writeDelay: Delay);
                                model.LiveFrom = 0;
                                Sample.AddUp(outbox.Counters);
                                Assert.Equal(0, outbox.Counters.DroppedDamaged);
                                var held = (await Sample.DrainAsync(outbox, 100)).Select(r => r.Sequence).ToHashSet();
                                model.Crash(held, outbox.Counters, Sample.Number(outbox.Cursor("air")));
                                break;
                        }

                        Sample.AddUp(outbox.Counters);
                        Assert.Equal((model.Taken, (long)model.Held.Count), (outbox.Counters.Taken, outbox.Counters.Held));
                    }

                    Assert.All(await Sample.DrainAsync(outbox, 50), r => Assert.Equal(Sample.Numbered(r.Sequence), r.Reading));
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
    public async Task What_was_acknowledged_before_it_was_written_is_no_damage_when_the_first_record_of_a_file_is_torn()
    {
        var folder = _folder.File("torn");
        await using (var outbox = Files.Open(folder, segmentBytesMax: 4096, time: _time, writeDelay: Delay))
        {
            await outbox.AppendAsync(Sample.Numbered(0, 6), Sample.Cursor(6), CancellationToken.None);
            await outbox.ReleaseAsync(0, 6, 0, CancellationToken.None);
            await outbox.FlushAsync(CancellationToken.None);
            var cut = Image(folder);
            using (var file = File.OpenWrite(Assert.Single(Files.Segments(cut))))
            {
                file.SetLength(28);
            }

            await using var again = Files.Open(cut, segmentBytesMax: 4096, time: _time, writeDelay: Delay);
            Sample.AddUp(again.Counters);
            Assert.Equal((6L, 6L, 0L), (again.Counters.Taken, again.Counters.Released, again.Counters.DroppedDamaged));
        }
    }

    private static async Task ReleaseAsync(FileOutbox outbox, Model model, long from, int count)
    {
        if (await outbox.TryReadAsync(from, model.Taken, count, CancellationToken.None) is { } batch)
        {
            await outbox.ReleaseAsync(batch.From, batch.Until, 0, CancellationToken.None);
            model.Release(batch.From, batch.Until);
        }
    }

    private string Image(string folder)
    {
        var image = _folder.File("image-" + Guid.NewGuid().ToString("n", CultureInfo.InvariantCulture));
        Sample.CopyFolder(folder, image);
        return image;
    }

    /// <summary>What must be true, kept as sets.</summary>
    private sealed class Model
    {
        private HashSet<long> _flushedHeld = [];
        private long _flushedTaken;

        public long Taken { get; private set; }

        public HashSet<long> Held { get; private set; } = [];

        public long LiveFrom { get; set; }

        public void Append(int count)
        {
            for (var i = 0; i < count; i++)
            {
                Held.Add(Taken++);
            }
        }

        public void Release(long from, long until)
        {
            for (var n = from; n < until; n++)
            {
                Held.Remove(n);
            }
        }

        public void Flush() => (_flushedHeld, _flushedTaken) = ([.. Held], Taken);

        public void Crash(HashSet<long> held, OutboxCounters counters, long cursor)
        {
            // Lost: at most what was taken since; back again: at most what was released since.
            Assert.Subset(held, Held.Where(n => n < _flushedTaken).ToHashSet());
            Assert.Subset(_flushedHeld.Concat(Enumerable.Range((int)_flushedTaken, (int)(Taken - _flushedTaken)).Select(n => (long)n)).ToHashSet(), held);
            Assert.InRange(counters.Taken, _flushedTaken, Taken);
            Assert.True(cursor <= counters.Taken, $"The source would go on at {cursor}, but only {counters.Taken} readings are there.");
            (Held, Taken) = (held, counters.Taken);
            Flush();
        }
    }
}
