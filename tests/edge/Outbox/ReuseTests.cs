using System.Globalization;
using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Outbox.Tests;

/// <summary>Memory is used again and again: nothing is allocated for a reading that is gathered, and no reading, batch or cursor is ever overwritten while somebody needs it.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
[Collection(typeof(Alone))]
public sealed class ReuseTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly MemoryTemp _memory = new();
    private readonly FakeTimeProvider _time = new(Sample.Start);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _folder.Dispose();
        _memory.Dispose();
    }

    [Fact]
    public async Task Appending_allocates_nothing_while_readings_are_gathered()
    {
        await using var outbox = Files.OpenWithJournal(_folder.File("outbox"), _memory.Path, _time, TimeSpan.FromMinutes(15));
        var readings = Sample.Numbered(0, 8);
        var cursor = Sample.Cursor(1234);
        for (var round = 0; round < 4; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 15; i++)
            {
                var append = outbox.AppendAsync(readings, cursor, Cancel);
                Assert.True(append.IsCompletedSuccessfully);
                await append;
            }

            // The first rounds make the room that the others use.
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(round < 2 || allocated == 0, $"120 readings cost {allocated} bytes in round {round}.");
            await outbox.FlushAsync(Cancel);
        }

        Assert.Equal(4 * 120, outbox.Counters.Taken);
    }

    [Fact]
    public async Task Reading_and_releasing_allocate_a_few_bytes_a_reading_when_batches_are_given_back()
    {
        await using var outbox = Files.OpenWithJournal(_folder.File("outbox"), _memory.Path, _time, TimeSpan.FromMinutes(15));
        for (var round = 0; round < 4; round++)
        {
            await outbox.AppendAsync(Sample.Numbered(round * 100, 100), null, Cancel);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var batch = await outbox.ReadAsync(outbox.Head, 100, Cancel);
            Assert.Equal(100, batch.Readings.Count);
            var (from, until) = (batch.From, batch.Until);
            batch.GiveBack();
            await outbox.ReleaseAsync(from, until, 0, Cancel);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(round < 2 || allocated < 100 * 12, $"100 readings cost {allocated} bytes in round {round}.");
        }
    }

    [Fact]
    public async Task Whatever_is_held_or_given_back_every_reading_stays_what_it_was()
    {
        var steps = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 20], Gen.Int[1, 400], Gen.Bool).Array[1, 60];
        var number = 0;
        await Gen.Select(steps, Gen.Bool).SampleAsync(
            async (todo, gathers) =>
            {
                var folder = _folder.File("outbox" + Interlocked.Increment(ref number).ToString(CultureInfo.InvariantCulture));
                await using var outbox = Files.OpenWithJournal(folder, _memory.Path, _time, gathers ? TimeSpan.FromMinutes(15) : TimeSpan.Zero);
                var buffer = new Reading[400];
                var cursor = new byte[8];
                var kept = new List<OutboxBatch>();
                long next = 0, read = 0;
                foreach (var (what, small, large, gives) in todo)
                {
                    switch (what)
                    {
                        case <= 5:
                            // Few readings mostly, now and then more than a chunk has room for.
                            var count = what == 5 ? large : small;
                            Sample.Numbered(next, count).CopyTo(buffer, 0);
                            System.Text.Encoding.UTF8.GetBytes((next + count).ToString("d8", CultureInfo.InvariantCulture), cursor);
                            await outbox.AppendAsync(buffer.AsMemory(0, count), new SourceCursor("air", cursor), Cancel);

                            // The memory is the caller's again.
                            Array.Fill(buffer, Sample.Numbered(999_999));
                            cursor.AsSpan().Fill((byte)'9');
                            next += count;
                            Assert.Equal(next, Sample.Number(outbox.Cursor("air")));
                            break;
                        case 6:
                            await outbox.FlushAsync(Cancel);
                            break;
                        case 7 when outbox.Head < read:
                            await outbox.ReleaseAsync(outbox.Head, outbox.Head + ((read - outbox.Head + 1) / 2), 0, Cancel);
                            break;
                        case >= 8 when await outbox.TryReadAsync(read, long.MaxValue, large, Cancel) is { } batch:
                            Assert.Equal(Sample.Numbered(batch.From, batch.Readings.Count), batch.Readings);
                            read = batch.Until;
                            if (gives)
                            {
                                batch.GiveBack();
                                batch.GiveBack();
                                Assert.Empty(batch.Readings);
                            }
                            else
                            {
                                kept.Add(batch);
                            }

                            break;
                    }
                }

                Assert.All(kept, batch => Assert.Equal(Sample.Numbered(batch.From, (int)(batch.Until - batch.From)), batch.Readings));
                Assert.All(await Sample.DrainAsync(outbox, 90), held => Assert.Equal(Sample.Numbered(held.Sequence), held.Reading));
                Sample.AddUp(outbox.Counters);
                Assert.Equal(next, outbox.Counters.Taken);
            },
            iter: 150,
            threads: 1);
    }

    [Fact]
    public async Task A_position_given_out_stays_what_it_was_and_the_checkpoint_never_says_one_that_is_only_in_memory()
    {
        var folder = _folder.File("outbox");
        await using (var first = Files.Open(folder, segmentBytesMax: 4096, time: _time))
        {
            for (var n = 100; n <= 600; n += 100)
            {
                await first.AppendAsync(Sample.Numbered(n - 100, 100), Sample.Cursor(n), Cancel);
            }
        }

        Assert.True(Files.Segments(folder).Length >= 3, "The test wants a file to delete.");

        // Positions of one length, so that one is written over the other.
        await using var outbox = Files.OpenWithJournal(folder, _memory.Path, _time, TimeSpan.FromMinutes(15), segmentBytesMax: 4096);
        var before = outbox.Cursor("air");
        await outbox.AppendAsync(Sample.Numbered(600, 10), Sample.Cursor(700), Cancel);
        Assert.Equal(600, Sample.Number(before));
        Assert.Equal(700, Sample.Number(outbox.Cursor("air")));

        // Files that hold nothing any more are deleted, and the checkpoint is written before; what was taken last is in memory alone.
        await outbox.ReleaseAsync(0, 400, 0, Cancel);
        var (image, cursors) = new CheckpointFiles(folder).Load()!.Value;
        Assert.Equal((400, 600), (image.Position.Head, image.Position.Next));
        Assert.Equal(600, Sample.Number(Assert.Single(cursors).Value));
        Assert.Equal(10, outbox.Counters.Unwritten);

        await outbox.FlushAsync(Cancel);
        var cut = _folder.File("cut");
        Sample.CopyFolder(folder, cut);
        await using var after = Files.Open(cut, time: _time);
        Assert.Equal(700, Sample.Number(after.Cursor("air")));
    }
}

/// <summary>Alone in the test program, so that the time others take does not matter to what is counted.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;
