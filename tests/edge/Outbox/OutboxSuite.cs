using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;

namespace Hub.Edge.Outbox.Tests;

/// <summary>What every outbox promises, whatever it is made of.</summary>
public abstract class OutboxSuite
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public abstract IOutbox Open();

    [Fact]
    public async Task Readings_come_back_as_they_were_taken()
    {
        await Sample.Any.Array[1, 20].SampleAsync(
            async readings =>
            {
                await using var outbox = Open();
                await outbox.AppendAsync(readings, null, CancellationToken.None);
                var batch = await outbox.ReadAsync(0, readings.Length, CancellationToken.None);
                Assert.Equal(readings, batch.Readings);
                Assert.All(batch.Readings, reading => Assert.Equal(DateTimeKind.Utc, reading.PhenomenonTime.Kind));
            },
            iter: 100,
            threads: 1);
    }

    [Fact]
    public async Task Any_sequence_of_calls_agrees_with_a_list()
    {
        var step = Gen.OneOf(
            Gen.Int[0, 9].Select(n => (Kind: 'a', N: n)), Gen.Int[1, 9].Select(n => (Kind: 'r', N: n)), Gen.Int[0, 12].Select(n => (Kind: 'x', N: n)));
        await step.Array[1, 60].SampleAsync(
            async steps =>
            {
                await using var outbox = Open();
                long taken = 0, released = 0;
                foreach (var (kind, n) in steps)
                {
                    if (kind == 'a')
                    {
                        await outbox.AppendAsync(Sample.Numbered(taken, n), Sample.Cursor(taken + n), CancellationToken.None);
                        taken += n;
                        Assert.Equal(taken, Sample.Number(outbox.Cursor("air")));
                    }
                    else if (kind == 'x')
                    {
                        var until = Math.Min(taken, released + n);
                        await outbox.ReleaseAsync(0, until, 0, CancellationToken.None);
                        released = until;
                    }
                    else if (released < taken)
                    {
                        var from = released + (n % (taken - released));
                        var batch = await outbox.ReadAsync(from, n, CancellationToken.None);
                        Assert.Equal(from, batch.From);
                        Assert.InRange(batch.Readings.Count, 1, n);
                        Assert.Equal(Sample.Numbered(from, batch.Readings.Count), batch.Readings);
                    }

                    Assert.Equal(released, outbox.Head);
                    Assert.Equal(new OutboxCounters(taken, released, taken - released, 0, 0, 0, 0), outbox.Counters with { Unwritten = 0 });
                }
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public async Task A_read_waits_for_readings_and_can_be_cancelled()
    {
        await using var outbox = Open();
        using var cancel = new CancellationTokenSource();
        var cancelled = outbox.ReadAsync(0, 10, cancel.Token).AsTask();
        Assert.False(cancelled.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        var waiting = outbox.ReadAsync(0, 10, Cancel).AsTask();
        Assert.False(waiting.IsCompleted);
        await outbox.AppendAsync(Sample.Numbered(0, 2), null, Cancel);
        var batch = await waiting.WaitAsync(Eventually.Limit, Cancel);
        Assert.Equal(Sample.Numbered(0, 2), batch.Readings);
    }

    [Fact]
    public async Task Released_positions_are_skipped_and_refusals_counted()
    {
        await using var outbox = Open();
        await outbox.AppendAsync(Sample.Numbered(0, 10), null, Cancel);
        await outbox.ReleaseAsync(0, 4, 3, Cancel);
        await outbox.ReleaseAsync(0, 2, 2, Cancel);
        Assert.Equal(new OutboxCounters(10, 4, 6, 0, 0, 0, 3), outbox.Counters with { Unwritten = 0 });
        var batch = await outbox.ReadAsync(1, 100, Cancel);
        Assert.Equal((4L, 10L), (batch.From, batch.Until));
        Assert.Equal(Sample.Numbered(4, 6), batch.Readings);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await outbox.ReleaseAsync(0, 11, 0, Cancel));
    }

    [Fact]
    public async Task Ranges_released_in_any_order_agree_with_a_set()
    {
        var step = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 40], Gen.Int[1, 9]);
        await step.Array[1, 60].SampleAsync(
            async steps =>
            {
                await using var outbox = Open();
                var taken = 0;
                var held = new SortedSet<long>();
                var released = 0;
                foreach (var (kind, at, n) in steps)
                {
                    switch (kind)
                    {
                        case 0:
                            await outbox.AppendAsync(Sample.Numbered(taken, n), Sample.Cursor(taken + n), CancellationToken.None);
                            held.UnionWith(Enumerable.Range(taken, n).Select(i => (long)i));
                            taken += n;
                            break;
                        case 1:
                            var from = Math.Min(at, taken);
                            var until = Math.Min(from + n, taken);
                            await outbox.ReleaseAsync(from, until, 0, CancellationToken.None);
                            released += held.RemoveWhere(i => i >= from && i < until);
                            break;
                        default:
                            var found = await outbox.TryReadAsync(at, at + (kind * 10), n, CancellationToken.None);
                            var expected = held.GetViewBetween(at, at + (kind * 10) - 1);
                            Assert.Equal(expected.Count == 0, found is null);
                            if (found is not null)
                            {
                                Assert.Equal(expected.Min, found.From);
                                Assert.InRange(found.Readings.Count, 1, n);
                                Assert.Subset(held, Enumerable.Range((int)found.From, found.Readings.Count).Select(i => (long)i).ToHashSet());
                                Assert.Equal(Sample.Numbered(found.From, found.Readings.Count), found.Readings);
                            }

                            break;
                    }

                    Assert.Equal(held.Count == 0 ? taken : held.Min, outbox.Head);
                    Assert.InRange(outbox.Live, outbox.Head, taken);
                    Assert.Equal(new OutboxCounters(taken, released, held.Count, 0, 0, 0, 0), outbox.Counters with { Unwritten = 0 });
                }
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public async Task What_was_not_sent_because_nobody_wants_it_any_more_is_dropped_and_not_released()
    {
        await using var outbox = Open();
        await outbox.AppendAsync(Sample.Numbered(0, 20), null, Cancel);
        await outbox.ReleaseAsync(0, 5, 1, 2, Cancel);
        await outbox.ReleaseAsync(10, 13, 0, 3, Cancel);
        await outbox.ReleaseAsync(10, 13, 0, 3, Cancel);
        await outbox.ReleaseAsync(4, 6, 0, 9, Cancel);
        Assert.Equal(new OutboxCounters(20, 3, 11, 0, 0, 0, 1) { DroppedExpired = 6 }, outbox.Counters with { Unwritten = 0 });
        Sample.AddUp(outbox.Counters);
    }

    [Fact]
    public async Task Cursors_are_kept_per_source_and_may_come_without_readings()
    {
        await using var outbox = Open();
        Assert.True(outbox.Cursor("air").IsEmpty);
        await outbox.AppendAsync(Sample.Numbered(0, 1), Sample.Cursor(1), Cancel);
        await outbox.AppendAsync(ReadOnlyMemory<Reading>.Empty, Sample.Cursor(7, "noise"), Cancel);
        await outbox.AppendAsync(ReadOnlyMemory<Reading>.Empty, Sample.Cursor(8, "noise"), Cancel);
        Assert.Equal((1, 8), (Sample.Number(outbox.Cursor("air")), Sample.Number(outbox.Cursor("noise"))));
        Assert.Equal(1, outbox.Counters.Taken);
    }

    [Fact]
    public async Task Concurrent_appends_are_all_kept_each_in_one_piece()
    {
        await using var outbox = Open();
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(
            async () => await outbox.AppendAsync(Sample.Numbered(i * 5, 5), Sample.Cursor(i, $"source-{i % 10}"), CancellationToken.None))));
        var all = await Sample.DrainAsync(outbox);
        Assert.Equal(1000, all.Count);
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (double)i), all.Select(r => r.Reading.Value).Order());
        for (var i = 0; i < all.Count; i += 5)
        {
            Assert.Equal(Sample.Numbered((long)all[i].Reading.Value, 5), all.GetRange(i, 5).Select(r => r.Reading));
        }
    }

    [Fact]
    public async Task What_cannot_be_kept_is_refused_and_harms_nothing()
    {
        await using var outbox = Open();
        Reading[] bad =
        [
            Sample.Numbered(0) with { Value = double.NaN },
            Sample.Numbered(0) with { Raw = double.PositiveInfinity },
            Sample.Numbered(0) with { PhenomenonTime = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Unspecified) },
            Sample.Numbered(0) with { Period = TimeSpan.FromMilliseconds(1500) },
            Sample.Numbered(0) with { Sensor = "" },
            Sample.Numbered(0) with { Sensor = new string('x', 256) },
        ];
        foreach (var reading in bad)
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await outbox.AppendAsync(new[] { reading }, null, Cancel));
        }

        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await outbox.AppendAsync(Sample.Numbered(0, 1), new SourceCursor("air", new byte[257]), Cancel));
        await outbox.AppendAsync(Sample.Numbered(0, 1), Sample.Cursor(1), Cancel);
        Assert.Equal(new OutboxCounters(1, 0, 1, 0, 0, 0, 0), outbox.Counters with { Unwritten = 0 });
    }
}

/// <summary>The fake that tests of other stages use.</summary>
public sealed class MemoryOutboxTests : OutboxSuite
{
    public override IOutbox Open() => new MemoryOutbox();
}

/// <summary>The real one, with segments so small that every test crosses many.</summary>
public sealed class FileOutboxSuiteTests : OutboxSuite, IDisposable
{
    private readonly TempFolder _folder = new();
    private int _opened;

    public override IOutbox Open() => Files.Open(_folder.File($"outbox-{_opened++}"), bytesMax: 1 << 20, segmentBytesMax: 4096);

    public void Dispose() => _folder.Dispose();
}

/// <summary>The real one with a delay and no journal: what is appended stands in memory first.</summary>
public sealed class GatheringOutboxSuiteTests : OutboxSuite, IDisposable
{
    private readonly TempFolder _folder = new();
    private int _opened;

    public override IOutbox Open() =>
        Files.Open(_folder.File($"outbox-{_opened++}"), bytesMax: 1 << 20, segmentBytesMax: 4096, writeDelay: TimeSpan.FromMinutes(5));

    public void Dispose() => _folder.Dispose();
}

/// <summary>The real one as it is by default: what is appended stands in memory and in its journal first.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class JournalOutboxSuiteTests : OutboxSuite, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly MemoryTemp _memory = new();
    private int _opened;

    public override IOutbox Open() => Files.OpenWithJournal(_folder.File($"outbox-{_opened++}"), _memory.Path, TimeProvider.System, segmentBytesMax: 4096);

    public void Dispose()
    {
        _folder.Dispose();
        _memory.Dispose();
    }
}
