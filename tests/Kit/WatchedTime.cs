using Microsoft.Extensions.Time.Testing;

namespace Hub.Tests.Kit;

/// <summary>
/// Fake time that knows who waits for it. Time that a test lets pass in steps must not run ahead of the work it wakes, or a busy machine sees a deadline before it has done what the deadline is for.
/// </summary>
public sealed class WatchedTime(DateTimeOffset start) : FakeTimeProvider(start)
{
    private readonly Lock _gate = new();
    private readonly List<TimeSpan> _begun = [];
    private long _fired;
    private int _begunBefore = -1;

    /// <summary>True while somebody whom <see cref="TryPass"/> has woken has not yet begun to wait again.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_gate)
            {
                return _begun.Count == _begunBefore;
            }
        }
    }

    /// <summary>How many waits of this length have begun so far. A wait that is counted is ended by the time that passes from now on.</summary>
    public int Begun(TimeSpan length)
    {
        lock (_gate)
        {
            return _begun.Count(wait => wait == length);
        }
    }

    /// <summary>Lets time pass, unless those whom the last step has woken are still at work; for one caller that asks again and again.</summary>
    public bool TryPass(TimeSpan step)
    {
        if (IsBusy)
        {
            return false;
        }

        int before;
        lock (_gate)
        {
            before = _begun.Count;
        }

        var fired = Interlocked.Read(ref _fired);
        Advance(step);
        lock (_gate)
        {
            _begunBefore = Interlocked.Read(ref _fired) == fired ? -1 : before;
        }

        return true;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = base.CreateTimer(
            given =>
            {
                Interlocked.Increment(ref _fired);
                callback(given);
            },
            state,
            dueTime,
            period);
        Note(dueTime);
        return new WatchedTimer(timer, this);
    }

    // After the wait has begun: who counts it may let time pass at once.
    private void Note(TimeSpan dueTime)
    {
        if (dueTime > TimeSpan.Zero)
        {
            lock (_gate)
            {
                _begun.Add(dueTime);
            }
        }
    }

    private sealed class WatchedTimer(ITimer timer, WatchedTime time) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = timer.Change(dueTime, period);
            time.Note(dueTime);
            return changed;
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
