using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Server.Tests;

/// <summary>When the heap is put together, and how seldom.</summary>
public sealed class HeapCompactionTests
{
    private const long MiB = 1L << 20;

    private readonly FakeTimeProvider _time = new();
    private (long Room, long Heap) _seen;
    private TimeSpan _takes;
    private int _compacted;

    [Theory]
    [InlineData(63, 100, false)]
    [InlineData(64, 100, true)]
    [InlineData(64, 320, true)]
    [InlineData(64, 330, false)]
    [InlineData(500, 4_000, false)]
    [InlineData(800, 4_000, true)]
    public void Little_room_and_a_small_part_of_a_large_heap_are_not_worth_a_stop(int room, int heap, bool isWorthIt) => Assert.Equal(isWorthIt, HeapCompaction.IsWorthIt(room * MiB, heap * MiB));

    [Fact]
    public async Task It_looks_twice_a_second_and_stops_the_hub_a_small_part_of_the_time_only()
    {
        using var compaction = new HeapCompaction(_time, () => _seen, Compact);
        await compaction.StartAsync(TestContext.Current.CancellationToken);
        _seen = (10 * MiB, 200 * MiB);
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(0, _compacted);

        // There is always room again: after one that took long the next comes late.
        _seen = (100 * MiB, 300 * MiB);
        _takes = TimeSpan.FromMilliseconds(125);
        Pass(TimeSpan.FromMilliseconds(500));
        Assert.Equal(1, _compacted);
        Pass(_takes * HeapCompaction.TimeBetween - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _compacted);
        _takes = TimeSpan.Zero;
        Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal(2, _compacted);
        Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(4, _compacted);

        await compaction.StopAsync(TestContext.Current.CancellationToken);
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(4, _compacted);
    }

    private void Compact()
    {
        _compacted++;
        _time.Advance(_takes);
    }

    private void Pass(TimeSpan span)
    {
        for (var passed = TimeSpan.Zero; passed < span; passed += TimeSpan.FromMilliseconds(1))
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }
    }
}
