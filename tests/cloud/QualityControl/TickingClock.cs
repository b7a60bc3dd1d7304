using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.QualityControl.Tests;

/// <summary>A clock of the test in which every look at the timestamp takes ten milliseconds, and which keeps for how long it was asked to ring.</summary>
internal sealed class TickingClock() : FakeTimeProvider(QualityBench.T0.AddDays(5))
{
    private long _ticks;

    public ConcurrentQueue<TimeSpan> Asked { get; } = [];

    public override long GetTimestamp() => Interlocked.Add(ref _ticks, TimestampFrequency / 100);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Asked.Enqueue(dueTime);
        return base.CreateTimer(callback, state, dueTime, period);
    }
}
