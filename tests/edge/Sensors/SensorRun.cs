using Hub.Edge.Sensors.Replay;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Sensors.Tests;

/// <summary>A clock that stands still and tells when somebody begins to wait for it.</summary>
internal sealed class WaitedClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    private volatile TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset due = DateTimeOffset.MaxValue;

    /// <summary>Completes when a timer runs that has not fired.</summary>
    public Task Waiting => waiting.Task;

    public void Watch() => waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets time pass; if that wakes the waiter, <see cref="Waiting"/> means its next wait.</summary>
    public void Pass(TimeSpan time)
    {
        if (GetUtcNow() + time >= due)
        {
            Watch();
        }

        Advance(time);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        due = GetUtcNow() + dueTime;
        ITimer timer = base.CreateTimer(callback, state, dueTime, period);
        waiting.TrySetResult();
        return timer;
    }
}

/// <summary>Reads a sensor as Sampling does, batch after batch.</summary>
internal sealed class SensorRun : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly WaitedClock clock;
    private readonly IAsyncEnumerator<MeasurementBatch> batches;
    private Task<bool>? pending;

    public SensorRun(ISensor sensor, WaitedClock clock, ReadOnlyMemory<byte> cursor = default)
    {
        this.clock = clock;
        batches = sensor.MeasureAsync(cursor, stop.Token).GetAsyncEnumerator(stop.Token);
    }

    /// <summary>The next batch, or null when the sensor waits for the clock.</summary>
    public async Task<MeasurementBatch?> NextAsync()
    {
        if (pending is null)
        {
            clock.Watch();
            pending = batches.MoveNextAsync().AsTask();
        }

        await Task.WhenAny(pending, clock.Waiting);
        if (!pending.IsCompleted && clock.Waiting.IsCompleted)
        {
            return null;
        }

        Task<bool> done = pending;
        pending = null;
        return await done ? batches.Current : throw new InvalidOperationException("A sensor's stream never ends.");
    }

    /// <summary>Lets time pass in steps, and gives what comes meanwhile.</summary>
    public async Task<List<Measurement>> AdvanceAsync(TimeSpan time, TimeSpan step)
    {
        List<Measurement> all = [];
        for (TimeSpan passed = TimeSpan.Zero; passed < time; passed += step)
        {
            clock.Pass(step);
            all.AddRange(await AllAsync());
        }

        return all;
    }

    /// <summary>Everything until the sensor waits for the clock.</summary>
    public async Task<List<Measurement>> AllAsync()
    {
        List<Measurement> all = [];
        while (await NextAsync() is { } batch)
        {
            all.AddRange(batch.Measurements.Span);
        }

        return all;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        if (pending is not null)
        {
            try
            {
                await pending;
            }
            catch (OperationCanceledException)
            {
            }
        }

        await batches.DisposeAsync();
        stop.Dispose();
    }

    /// <summary>What a sensor gives when it is first started at an instant.</summary>
    public static async Task<List<Measurement>> BacklogAsync(SensorOptions options, ReplayOptions replay, DateTimeOffset now)
    {
        var clock = new WaitedClock(now);
        await using ISensor sensor = Demo.Factory(clock).Create(options, new SensorsOptions { Replay = replay });
        await using var run = new SensorRun(sensor, clock);
        return await run.AllAsync();
    }
}
