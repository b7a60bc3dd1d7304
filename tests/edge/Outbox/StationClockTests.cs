using System.Runtime.Versioning;
using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;

namespace Hub.Edge.Outbox.Tests;

/// <summary>A station that wakes up in 1970 or yesterday, whose clock steps, slews, or is only ever told by the hub.</summary>
public sealed class StationClockTests : IDisposable
{
    private static readonly DateTimeOffset Truth = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Year1970 = DateTimeOffset.UnixEpoch.AddSeconds(20);
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    public static TheoryData<DateTimeOffset> Wakings => [Year1970, Truth.AddDays(-1), Truth.AddHours(3)];

    [Theory]
    [MemberData(nameof(Wakings))]
    public async Task What_is_taken_before_the_time_is_known_waits_and_is_stamped_with_the_time_it_had(DateTimeOffset wall)
    {
        var machine = new FakeMachine(wall);
        using var clock = new StationClock(machine, machine.Timers);
        await using var outbox = Open("outbox", clock);
        for (var i = 0; i < 5; i++)
        {
            machine.Pass(TimeSpan.FromMinutes(1));
            await TakeAsync(outbox, clock, i);
        }

        Assert.False(clock.IsTrusted);
        Assert.Null(await outbox.TryReadAsync(0, 10, 10, Cancel));
        var waiting = outbox.ReadAsync(0, 10, Cancel).AsTask();
        Assert.False(waiting.IsCompleted);

        // Five minutes after the start NTP comes, and with it the truth; the first reading was four minutes ago.
        machine.Wall = Truth;
        machine.IsSynchronised = true;
        machine.Pass(TimeSpan.FromSeconds(1));
        var readings = (await waiting.WaitAsync(Eventually.Limit, Cancel)).Readings;
        Assert.Equal(Enumerable.Range(-4, 5).Select(minute => Truth.AddMinutes(minute).UtcDateTime), readings.Select(r => r.PhenomenonTime));
        Assert.All(readings, r => Assert.Equal(Quality.Good, r.Quality));
        await TakeAsync(outbox, clock, 5);
        Assert.Equal(Truth.AddSeconds(1).UtcDateTime, (await outbox.ReadAsync(5, 1, Cancel)).Readings[0].PhenomenonTime);
    }

    [Fact]
    public async Task The_hub_alone_can_give_the_time_and_half_of_the_round_trip_has_passed()
    {
        var machine = new FakeMachine(Year1970);
        using var clock = new StationClock(machine, machine.Timers);
        await using var outbox = Open("outbox", clock);
        machine.Pass(TimeSpan.FromMinutes(1));
        await TakeAsync(outbox, clock, 0);
        var asked = clock.SinceBoot;
        machine.Pass(TimeSpan.FromSeconds(6));
        Assert.False(clock.Offer(asked, Truth, clock.SinceBoot), "A round trip of six seconds says too little.");
        Assert.False(clock.Offer(clock.SinceBoot, Year1970, clock.SinceBoot), "A hub in 1970 is no help.");
        Assert.False(clock.IsTrusted);
        asked = clock.SinceBoot;
        machine.Pass(TimeSpan.FromSeconds(2));
        Assert.True(clock.Offer(asked, Truth, clock.SinceBoot));
        Assert.Equal(Truth.AddSeconds(1), clock.GetUtcNow());
        Assert.Equal(Truth.AddSeconds(-7).UtcDateTime, (await outbox.ReadAsync(0, 1, Cancel)).Readings[0].PhenomenonTime);

        // NTP comes later and corrects a little; what was stamped stays as it is.
        machine.Wall = Truth.AddSeconds(1.4);
        machine.IsSynchronised = true;
        machine.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(Truth.AddSeconds(2.4), clock.GetUtcNow());
        Assert.Equal(Truth.AddSeconds(-7).UtcDateTime, (await outbox.ReadAsync(0, 1, Cancel)).Readings[0].PhenomenonTime);
    }

    [Fact]
    public void A_step_forward_is_followed_at_once_and_one_back_is_waited_for_at_half_speed()
    {
        var machine = new FakeMachine(Truth) { IsSynchronised = true };
        using var clock = new StationClock(machine, machine.Timers);
        Assert.True(clock.IsTrusted);
        machine.Wall += TimeSpan.FromHours(1);
        Assert.Equal(Truth.AddHours(1), clock.GetUtcNow());
        Assert.False(clock.IsUncertain);

        machine.Wall -= TimeSpan.FromHours(1);
        Assert.Equal(Truth.AddHours(1), clock.GetUtcNow());
        Assert.True(clock.IsUncertain);
        machine.Pass(TimeSpan.FromHours(1));
        Assert.Equal(Truth.AddHours(1.5), clock.GetUtcNow());
        Assert.True(clock.IsUncertain);
        machine.Pass(TimeSpan.FromHours(1));
        Assert.Equal(Truth.AddHours(2), clock.GetUtcNow());
        Assert.False(clock.IsUncertain);
        machine.Pass(TimeSpan.FromHours(1));
        Assert.Equal(machine.Wall, clock.GetUtcNow());
    }

    [Fact]
    public void It_says_what_holds_it_since_when_and_by_how_much_it_stepped()
    {
        var machine = new FakeMachine(Year1970, sinceBoot: TimeSpan.FromMinutes(2));
        using var clock = new StationClock(machine, machine.Timers);
        machine.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(new ClockState(ClockSource.None, TimeSpan.FromMinutes(3), TimeSpan.Zero), clock.State);

        Assert.True(clock.Offer(clock.SinceBoot, Truth, clock.SinceBoot));
        machine.Pass(TimeSpan.FromMinutes(4));
        Assert.Equal(new ClockState(ClockSource.Hub, TimeSpan.FromMinutes(4), TimeSpan.Zero), clock.State);

        // NTP finds the hub 30 s behind.
        (machine.IsSynchronised, machine.Wall) = (true, Truth.AddMinutes(4).AddSeconds(30));
        machine.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(new ClockState(ClockSource.Ntp, TimeSpan.Zero, TimeSpan.FromSeconds(30)), clock.State);
        for (var minute = 0; minute < 60; minute++)
        {
            machine.Pass(TimeSpan.FromMinutes(1), 1 + 500e-6);
            Assert.Equal(TimeSpan.FromSeconds(30), clock.State.Stepped);
        }

        // It is lost again, and later the clock is put back by hand.
        machine.IsSynchronised = false;
        machine.Pass(TimeSpan.FromHours(2));
        Assert.Equal((ClockSource.Ntp, TimeSpan.FromHours(2)), (clock.State.Source, clock.State.SinceConfirmed));
        machine.Wall -= TimeSpan.FromSeconds(50);
        machine.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.FromSeconds(-20), clock.State.Stepped);
        machine.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.FromSeconds(-20), clock.State.Stepped);

        var desk = new FakeMachine(Truth) { IsSynchronised = true, Ntp = false };
        using var believed = new StationClock(desk, desk.Timers);
        Assert.Equal(ClockSource.Machine, believed.State.Source);
    }

    [Theory]
    [InlineData(1 + 500e-6)]
    [InlineData(1 - 500e-6)]
    [InlineData(1 - (1.0 / 86400))]
    public void A_slew_and_a_smeared_leap_second_are_followed_without_a_word(double rate)
    {
        var machine = new FakeMachine(Truth) { IsSynchronised = true };
        using var clock = new StationClock(machine, machine.Timers);
        var last = clock.GetUtcNow();
        for (var minute = 0; minute < 24 * 60; minute++)
        {
            machine.Pass(TimeSpan.FromMinutes(1), rate);
            var now = clock.GetUtcNow();
            Assert.True(now > last);
            Assert.Equal(machine.Wall, now);
            Assert.False(clock.IsUncertain);
            last = now;
        }
    }

    [Fact]
    public void A_leap_second_inserted_by_a_step_back_is_absorbed_in_two_seconds()
    {
        var machine = new FakeMachine(Truth) { IsSynchronised = true };
        using var clock = new StationClock(machine, machine.Timers);
        machine.Wall -= TimeSpan.FromSeconds(1);
        for (var i = 1; i <= 4; i++)
        {
            machine.Pass(TimeSpan.FromMilliseconds(500));
            Assert.Equal(Truth.AddMilliseconds(250 * i), clock.GetUtcNow());
        }

        Assert.Equal(machine.Wall, clock.GetUtcNow());
        Assert.False(clock.IsUncertain);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_reboot_what_was_taken_before_the_time_was_known_is_placed_as_late_as_can_be_and_called_uncertain(bool orderly)
    {
        var first = new FakeMachine(Year1970, "boot-1");
        using (var clock = new StationClock(first, first.Timers))
        {
            var outbox = Open("first", clock);
            for (var i = 0; i < 4; i++)
            {
                first.Pass(TimeSpan.FromMinutes(1));
                await TakeAsync(outbox, clock, i);
            }

            if (!orderly)
            {
                await outbox.FlushAsync(Cancel);
                Sample.CopyFolder(_folder.File("first"), _folder.File("second"));
            }

            await outbox.DisposeAsync();
            if (orderly)
            {
                Sample.CopyFolder(_folder.File("first"), _folder.File("second"));
            }
        }

        // The next start is told the time ten minutes after it began.
        var second = new FakeMachine(Year1970, "boot-2");
        using (var clock = new StationClock(second, second.Timers))
        {
            await using var outbox = Open("second", clock);
            second.Pass(TimeSpan.FromMinutes(10));
            await TakeAsync(outbox, clock, 4);
            Assert.True(clock.Offer(clock.SinceBoot, Truth, clock.SinceBoot));
            var readings = await Sample.DrainAsync(outbox);
            var start = Truth.AddMinutes(-10).UtcDateTime;
            Assert.Equal([-3, -2, -1, 0, 10], readings.Select(r => (int)(r.Reading.PhenomenonTime - start).TotalMinutes));
            Assert.Equal([64, 64, 64, 64, 0], readings.Select(r => (int)r.Reading.Quality));
            Sample.CopyFolder(_folder.File("second"), _folder.File("third"));
        }

        // A third start, whatever it thinks the time is, stamps them the same.
        var third = new FakeMachine(Truth.AddDays(1), "boot-3") { IsSynchronised = true };
        using (var clock = new StationClock(third, third.Timers))
        {
            await using var outbox = Open("third", clock);
            var start = Truth.AddMinutes(-10).UtcDateTime;
            Assert.Equal([-3, -2, -1, 0], (await Sample.DrainAsync(outbox)).Take(4).Select(r => (int)(r.Reading.PhenomenonTime - start).TotalMinutes));
        }
    }

    [Fact]
    public async Task A_jump_from_1970_to_now_makes_nothing_too_old_and_a_full_outbox_drops_the_oldest_and_counts_it()
    {
        var machine = new FakeMachine(Year1970);
        using var clock = new StationClock(machine, machine.Timers);
        await using var outbox = Files.Open(_folder.File("outbox"), bytesMax: 64 * 1024, segmentBytesMax: 8 * 1024, time: clock, writeDelay: TimeSpan.FromMinutes(5));
        for (var i = 0; i < 60; i++)
        {
            machine.Pass(TimeSpan.FromMinutes(1));
            await outbox.AppendAsync(Enumerable.Range(i * 200, 200).Select(n => Taken(clock, n) with { Value = Math.Sin(n) }).ToArray(), null, Cancel);
            await outbox.FlushAsync(Cancel);
        }

        var full = outbox.Counters;
        Sample.AddUp(full);
        Assert.True(full.DroppedFull > 0, $"{full}");
        machine.IsSynchronised = true;
        machine.Wall = Truth;
        machine.Pass(TimeSpan.FromMinutes(1));
        await TakeAsync(outbox, clock, 12_000);
        await outbox.FlushAsync(Cancel);
        Assert.Equal(0, outbox.Counters.DroppedAge);
        var all = await Sample.DrainAsync(outbox, 100);
        Assert.Equal(outbox.Counters.Held, all.Count);
        Assert.All(all, r => Assert.InRange(r.Reading.PhenomenonTime, Truth.AddHours(-1.1).UtcDateTime, Truth.AddMinutes(1).UtcDateTime));
    }

    /// <summary>
    /// Any sequence of readings, waking up wrong, NTP coming, answers of the hub, steps, slews, restarts of the agent and of the machine: no reading is lost, none doubled, each
    /// has one time for ever, and within a start of the machine their times have the order in which they were taken.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [UnsupportedOSPlatform("windows")]
    public async Task Whatever_clocks_do_no_reading_is_lost_doubled_or_out_of_order(bool killed)
    {
        using var memory = killed ? new MemoryTemp() : null;
        var step = Gen.Select(Gen.Int[0, killed ? 10 : 9], Gen.Int[1, 5000], Gen.Double[-1, 1]);
        await step.Array[5, 60].SampleAsync(
            async steps =>
            {
                var name = "run-" + Guid.NewGuid().ToString("n");
                var truth = Truth;
                var boots = 1;
                var starts = 1;
                var taken = 0;
                var startOf = new List<int>();
                var machine = new FakeMachine(Year1970, "boot-1");
                var clock = new StationClock(machine, machine.Timers);
                var outbox = OpenThis();
                var seen = new Dictionary<int, DateTime>();
                try
                {
                    foreach (var (kind, n, where) in steps)
                    {
                        switch (kind)
                        {
                            case 0 or 1 or 2 or 3:
                                Pass(TimeSpan.FromMilliseconds(n));
                                startOf.Add(starts);
                                await outbox.AppendAsync(new[] { Taken(clock, taken++) }, null, CancellationToken.None);
                                break;
                            case 4:
                                machine.Wall = truth;
                                machine.IsSynchronised = true;
                                Pass(TimeSpan.FromMilliseconds(n));
                                break;
                            case 5:
                                var asked = clock.SinceBoot;
                                Pass(TimeSpan.FromMilliseconds(n));
                                clock.Offer(asked, truth - TimeSpan.FromMilliseconds(n / 2.0), clock.SinceBoot);
                                break;
                            case 6:
                                machine.Wall += TimeSpan.FromHours(where);
                                Pass(TimeSpan.FromMilliseconds(n));
                                break;
                            case 7:
                                Pass(TimeSpan.FromSeconds(n), 1 + (where * 500e-6));
                                break;
                            case 8:
                                await outbox.DisposeAsync();
                                clock.Dispose();
                                truth = truth.AddSeconds(60);
                                machine = new FakeMachine(where < 0 ? Year1970 : truth.AddDays(-where), $"boot-{++boots}");
                                clock = new StationClock(machine, machine.Timers);
                                outbox = OpenThis();
                                starts++;
                                break;
                            case 10:
                                // A kill of the agent: nothing is flushed, the machine and its memory go on.
                                await Sample.StillAsync(outbox);
                                var copy = "run-" + Guid.NewGuid().ToString("n");
                                memory!.Kill(_folder.File(name), _folder.File(copy), clock);
                                name = copy;
                                await outbox.DisposeAsync();
                                clock.Dispose();
                                clock = new StationClock(machine, machine.Timers);
                                outbox = OpenThis();
                                starts++;
                                break;
                            default:
                                await ReadAsync();
                                break;
                        }
                    }

                    if (!clock.IsTrusted)
                    {
                        Assert.True(clock.Offer(clock.SinceBoot, truth, clock.SinceBoot));
                    }

                    await ReadAsync();
                    Assert.Equal(Enumerable.Range(0, taken), seen.Keys.Order());
                    Assert.All(seen.Values, at => Assert.True(at.Year >= 2025, $"{at:O} was never stamped."));
                    for (var i = 1; i < taken; i++)
                    {
                        Assert.True(startOf[i] != startOf[i - 1] || seen[i] > seen[i - 1], $"{i}: {seen[i]:O} after {seen[i - 1]:O}");
                    }
                }
                finally
                {
                    await outbox.DisposeAsync();
                    clock.Dispose();
                }

                FileOutbox OpenThis() => memory is null ? Open(name, clock) : Files.OpenWithJournal(_folder.File(name), memory.Path, clock);

                void Pass(TimeSpan time, double rate = 1)
                {
                    truth += time;
                    machine.Pass(time, rate);
                }

                async Task ReadAsync()
                {
                    for (long from = 0; await outbox.TryReadAsync(from, taken, 7, CancellationToken.None) is { } batch; from = batch.Until)
                    {
                        foreach (var reading in batch.Readings)
                        {
                            // Read again it is the same: what is sent twice is stored once.
                            Assert.Equal(seen.GetValueOrDefault((int)reading.Value, reading.PhenomenonTime), reading.PhenomenonTime);
                            seen[(int)reading.Value] = reading.PhenomenonTime;
                        }
                    }
                }
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public void The_machine_says_how_long_it_runs_and_which_start_it_is()
    {
        var machine = new MachineTime(ClockTrust.System, TimeProvider.System);
        var first = machine.SinceBoot;
        Assert.True(first > TimeSpan.Zero);
        Assert.True(machine.SinceBoot >= first);
        Assert.Equal(machine.BootId, new MachineTime(ClockTrust.Auto, TimeProvider.System).BootId);
        Assert.NotEqual("", machine.BootId);
        Assert.True(machine.IsSynchronised);

        // Whatever the kernel says here, it can be asked.
        _ = new MachineTime(ClockTrust.Synchronised, TimeProvider.System).IsSynchronised;
    }

    private static Reading Taken(StationClock clock, int n)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        return new Reading("air", "no2", new DateTime(now.Ticks - (now.Ticks % TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc), n);
    }

    private static Task TakeAsync(FileOutbox outbox, StationClock clock, int n) => outbox.AppendAsync(new[] { Taken(clock, n) }, null, Cancel).AsTask();

    private FileOutbox Open(string name, StationClock clock) => Files.Open(_folder.File(name), time: clock, writeDelay: TimeSpan.FromMinutes(5));
}
