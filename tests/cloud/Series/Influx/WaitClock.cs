using System.Runtime.CompilerServices;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Series.Tests;

/// <summary>
/// A clock that stands still until somebody waits on it for one certain time, and then lets just that time pass. So a lease is renewed when the test wants it, and no limit of time runs out while a busy
/// machine works.
/// </summary>
/// <param name="wait">The time that is waited for, whole milliseconds; nothing else on the clock takes as long.</param>
internal sealed class WaitClock(TimeSpan wait) : FakeTimeProvider(System.GetUtcNow())
{
    private int _waits;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime == wait)
        {
            Interlocked.Increment(ref _waits);
        }

        return timer;
    }

    /// <summary>Lets the time pass once, when somebody waits for it.</summary>
    public Task PassAsync() => Eventually.TrueAsync(TryPass, "somebody waits");

    /// <summary>Lets the time pass as often as somebody waits for it until a task has ended.</summary>
    public async Task<T> PassAsync<T>(Task<T> task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        await Eventually.TrueAsync(
            () =>
            {
                TryPass();
                return task.IsCompleted;
            },
            $"it has ended: {what}");
        return await task;
    }

    private bool TryPass()
    {
        if (Volatile.Read(ref _waits) == 0)
        {
            return false;
        }

        Interlocked.Decrement(ref _waits);
        Advance(wait);
        return true;
    }
}
