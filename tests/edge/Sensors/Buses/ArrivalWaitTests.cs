using Hub.Edge.Sensors.Buses;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Sensors.Tests.Buses;

public sealed class ArrivalWaitTests
{
    private readonly FakeTimeProvider time = new();
    private readonly Lock gate = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_ends_by_arrival_by_patience_and_by_cancellation_again_and_again()
    {
        using var wait = new ArrivalWait(gate, time);
        for (int round = 0; round < 3; round++)
        {
            Task arrives = Begin(wait, TimeSpan.FromSeconds(5), Cancel);
            Assert.False(arrives.IsCompleted);
            End(wait);
            await arrives;

            // What comes when nobody waits ends no later wait.
            End(wait);
            Task patient = Begin(wait, TimeSpan.FromSeconds(5), Cancel);
            time.Advance(TimeSpan.FromSeconds(4.999));
            Assert.False(patient.IsCompleted);
            time.Advance(TimeSpan.FromMilliseconds(1));
            await patient;

            using var stop = new CancellationTokenSource();
            Task cancelled = Begin(wait, TimeSpan.FromSeconds(5), stop.Token);
            await stop.CancelAsync();
            var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
            Assert.Equal(stop.Token, thrown.CancellationToken);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Begin(wait, TimeSpan.FromSeconds(5), stop.Token));
        }

        Assert.True(Begin(wait, TimeSpan.Zero, Cancel).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task The_timer_of_an_earlier_wait_ends_no_later_one()
    {
        using var wait = new ArrivalWait(gate, time);
        Task first = Begin(wait, TimeSpan.FromSeconds(1), Cancel);
        time.Advance(TimeSpan.FromSeconds(0.9));
        End(wait);
        await first;
        Task second = Begin(wait, TimeSpan.FromSeconds(1), Cancel);
        time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.False(second.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        await second;
    }

    [Fact]
    public void Two_readers_are_one_too_many()
    {
        using var wait = new ArrivalWait(gate, time);
        _ = Begin(wait, TimeSpan.FromSeconds(1), Cancel);
        Assert.Throws<InvalidOperationException>(() => { _ = Begin(wait, TimeSpan.FromSeconds(1), Cancel); });
    }

    [Fact]
    public async Task Arrivals_and_cancellations_from_all_sides_end_each_wait_once()
    {
        using var wait = new ArrivalWait(gate, TimeProvider.System);
        using var done = new CancellationTokenSource();
        Task ringing = Task.Run(
            () =>
            {
                while (!done.IsCancellationRequested)
                {
                    End(wait);
                }
            },
            TestContext.Current.CancellationToken);
        (int arrived, int cancelled) = (0, 0);
        for (int round = 0; round < 3000; round++)
        {
            using var stop = new CancellationTokenSource();
            Task canceling = round % 3 == 0 ? stop.CancelAsync() : Task.CompletedTask;
            try
            {
                await Begin(wait, TimeSpan.FromMilliseconds(1 + (round % 2 * 10_000)), stop.Token);
                arrived++;
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }

            await canceling;
        }

        await done.CancelAsync();
        await ringing;
        Assert.Equal(3000, arrived + cancelled);
        Assert.True(cancelled <= 1000);
    }

    private Task Begin(ArrivalWait wait, TimeSpan patience, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            return wait.BeginAsync(patience, cancellationToken).AsTask();
        }
    }

    private void End(ArrivalWait wait)
    {
        lock (gate)
        {
            wait.End();
        }
    }
}

/// <summary>Alone in the test program, so that what others allocate is not counted.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;

[Collection(typeof(Alone))]
public sealed class PortAllocationTests
{
    /// <summary>Bytes a wait may cost: a work item of the thread pool and what the kernel's side needs. A task, a timer and state machines of its own for each wait took several times as much.</summary>
    private const int BytesMax = 200;

    [Fact]
    public async Task Waiting_for_a_port_a_hundred_times_a_second_costs_the_collector_next_to_nothing()
    {
        using var pty = new Pty();
        using TermiosPort port = TermiosPort.Open(pty.Path, 115200, TimeProvider.System);
        await TalkAsync(pty, port, 500);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        await TalkAsync(pty, port, 1000);
        long each = (GC.GetTotalAllocatedBytes(precise: true) - before) / 1000;
        Assert.InRange(each, 0, BytesMax);
    }

    private static async Task TalkAsync(Pty pty, TermiosPort port, int rounds)
    {
        byte[] said = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        var heard = new byte[16];
        using var stop = new CancellationTokenSource();
        for (int round = 0; round < rounds; round++)
        {
            for (int count = 0; count < said.Length;)
            {
                // Already waiting when the bytes come, as a driver is.
                ValueTask<int> read = port.ReadAsync(heard, TimeSpan.FromSeconds(30), stop.Token);
                if (count == 0)
                {
                    pty.Say(said);
                }

                count += await read.ConfigureAwait(false);
            }
        }
    }
}
