using System.Runtime;

namespace Hub.Cloud.Server;

/// <summary>
/// Gives room between objects back to the machine. Readings on their way outlive the youngest generations by the thousand, and the garbage collector's background collections free them where they lie and never
/// move what is between: at full load a third of the heap is such room (measured: tests/Benchmarks). When there is much of it, one collection that stops the hub puts everything together: 50 to 150 ms for
/// 200 MiB, and never more than one part in <see cref="TimeBetween"/> of the time.
/// </summary>
/// <param name="time">Clock and timer.</param>
/// <param name="look">Room between objects, and the heap with it, bytes, as the last collection left them.</param>
/// <param name="compact">Puts together what there is; returns when it is done.</param>
internal sealed class HeapCompaction(TimeProvider time, Func<(long Room, long Heap)> look, Action compact) : IHostedService, IDisposable
{
    /// <summary>Less room than this is not worth a stop.</summary>
    private const long RoomMin = 64L << 20;

    /// <summary>Nor is less than one part in so many of the heap: the larger it is, the longer the stop.</summary>
    private const int HeapShare = 5;

    /// <summary>So many times as long as the last one took passes before the next: 3 % of the time at most.</summary>
    internal const int TimeBetween = 32;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private ITimer? _timer;
    private volatile bool _stopped;

    /// <summary>Of this process.</summary>
    public HeapCompaction(TimeProvider time)
        : this(time, LookAtHeap, CompactHeap)
    {
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = time.CreateTimer(_ => Look(), null, LookEvery, Timeout.InfiniteTimeSpan);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stopped = true;
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    /// <summary>Whether so much room is worth a stop. Pure.</summary>
    /// <param name="room">Bytes between objects.</param>
    /// <param name="heap">Bytes of the heap, that room with it.</param>
    internal static bool IsWorthIt(long room, long heap) => room >= RoomMin && room >= heap / HeapShare;

    private static (long Room, long Heap) LookAtHeap()
    {
        var last = GC.GetGCMemoryInfo(GCKind.Any);
        return (last.FragmentedBytes, last.HeapSizeBytes);
    }

    private static void CompactHeap()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
    }

    private void Look()
    {
        if (_stopped)
        {
            return;
        }

        var wait = LookEvery;
        var (room, heap) = look();
        if (IsWorthIt(room, heap))
        {
            var began = time.GetTimestamp();
            compact();
            var paused = time.GetElapsedTime(began) * TimeBetween;
            wait = paused > wait ? paused : wait;
        }

        _timer!.Change(wait, Timeout.InfiniteTimeSpan);
    }
}
