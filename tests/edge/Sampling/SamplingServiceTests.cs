using System.Collections.Concurrent;
using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Hub.Edge.Sensors;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Edge.Sampling.Tests;

public sealed class SamplingServiceTests : IAsyncDisposable
{
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 22, 15, 0, 0, TimeSpan.Zero));
    private readonly FakeOutbox outbox = new();

    public ValueTask DisposeAsync() => outbox.DisposeAsync();

    [Fact]
    public async Task Readings_and_position_go_in_one_write()
    {
        ScriptedSensor air = new ScriptedSensor("air").Gives(1, new Measurement("pm10", 20), new Measurement("pm2_5", 10)).Gives(2, new Measurement("pm10", 21));
        await using Running provider = await StartAsync([air]);
        await Eventually.TrueAsync(() => State(provider, 0).Taken == 3, "three readings are in the outbox and counted");
        Assert.Equal((3, 2), (outbox.Readings.Length, outbox.Appends));
        Assert.Equal([2], outbox.Cursor("air").ToArray());
        SensorState state = Assert.Single(provider.Sampling.Sensors);
        Assert.Equal(("air", SensorCondition.Running, 3L, 0L, 0L), (state.Name, state.Condition, state.Taken, state.Refused, state.Failures));
        Assert.Equal(time.GetUtcNow().UtcDateTime, state.TakenAt);
    }

    [Fact]
    public async Task Failing_sensor_is_started_again_behind_its_last_durable_position_and_hurts_nobody()
    {
        ScriptedSensor broken = new ScriptedSensor("broken").Gives(1, new Measurement("no2", 1)).Fails(new SensorException("The bus is stuck.")).Gives(2, new Measurement("no2", 2));
        ScriptedSensor well = new("well");
        await using Running provider = await StartAsync([broken, well]);
        await Eventually.TrueAsync(() => State(provider, 0).Condition == SensorCondition.Failing, "the broken sensor is failing");
        Assert.Equal("The bus is stuck.", State(provider, 0).Failure);
        well.Gives(new Measurement("laeq", 50));
        await Eventually.TrueAsync(() => State(provider, 1).Taken == 1, "the neighbour goes on");
        await AdvanceUntilAsync(() => State(provider, 0).Taken == 2, TimeSpan.FromSeconds(1), "the broken sensor is well again");
        Assert.Equal(2, broken.Starts);
        Assert.Equal([[], [1]], broken.Cursors);
        Assert.Equal(SensorCondition.Running, State(provider, 0).Condition);
        Assert.Null(State(provider, 0).Failure);
    }

    [Fact]
    public async Task Any_exception_and_an_ended_stream_are_failures_too()
    {
        ScriptedSensor sensor = new ScriptedSensor("odd").Fails(new InvalidOperationException("A bug.")).Ends().Fails(new OperationCanceledException("Nobody asked for it.")).Gives(new Measurement("no2", 2));
        await using Running provider = await StartAsync([sensor]);
        await AdvanceUntilAsync(() => State(provider, 0).Taken == 1, TimeSpan.FromSeconds(1), "the sensor gives a value after three failures");
        Assert.Equal(3, State(provider, 0).Failures);
        Assert.Equal(4, sensor.Starts);
    }

    [Fact]
    public async Task What_is_taken_while_the_clock_waits_for_one_that_stepped_back_is_called_uncertain_and_no_sensor_dies_of_a_step()
    {
        var machine = new Hub.Edge.Outbox.Tests.FakeMachine(time.GetUtcNow()) { IsSynchronised = true };
        using var clock = new StationClock(machine, machine.Timers);
        ScriptedSensor sensor = new ScriptedSensor("air").Gives(1, new Measurement("pm10", 1));
        await using Running provider = await StartAsync([sensor], clock: clock);
        await Eventually.TrueAsync(() => outbox.Readings.Length == 1, "the first value is taken");
        machine.Wall -= TimeSpan.FromHours(1);
        _ = clock.GetUtcNow();
        sensor.Gives(2, new Measurement("pm10", 2));
        await Eventually.TrueAsync(() => outbox.Readings.Length == 2, "the second value is taken");
        machine.Wall += TimeSpan.FromDays(400);
        machine.Pass(TimeSpan.FromMinutes(2));
        sensor.Gives(3, new Measurement("pm10", 3));
        await Eventually.TrueAsync(() => outbox.Readings.Length == 3, "the third value is taken");
        Assert.Equal([Quality.Good, Quality.ClockUncertain, Quality.Good], outbox.Readings.Select(reading => reading.Quality));
        Assert.Equal(SensorCondition.Running, State(provider, 0).Condition);
    }

    [Fact]
    public async Task Particles_counted_in_moist_air_are_flagged_where_light_counts_them()
    {
        var weather = new ScriptedSensor("weather");
        var optical = new ScriptedSensor("optical") { IsOptical = true };
        var gravimetric = new ScriptedSensor("gravimetric");
        await using Running provider = await StartAsync([weather, optical, gravimetric]);
        weather.Gives(new Measurement("relative_humidity", 92));
        await Eventually.TrueAsync(() => State(provider, 0).Taken == 1, "the humidity is taken");
        optical.Gives(new Measurement("pm10", 40), new Measurement("co2", 420));
        gravimetric.Gives(new Measurement("pm10", 30));
        await Eventually.TrueAsync(() => outbox.Readings.Length == 4, "all are in the outbox");
        Assert.Equal(
            [("gravimetric", "pm10", Quality.Good), ("optical", "co2", Quality.Good), ("optical", "pm10", Quality.SuspectHumidity)],
            outbox.Readings.Where(reading => reading.Sensor != "weather").Select(reading => (reading.Sensor, reading.Property, reading.Quality)).Order());
    }

    [Fact]
    public void Pause_doubles_up_to_its_limit()
    {
        var options = new SamplingOptions();
        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300], Enumerable.Range(1, 11).Select(failures => SamplingDecisions.RestartPause(failures, options).TotalSeconds));
        Gen.Int[1, int.MaxValue].Sample(failures => Assert.InRange(SamplingDecisions.RestartPause(failures, options), options.RestartPauseMin, options.RestartPauseMax));
    }

    [Fact]
    public async Task Disk_that_refuses_makes_the_source_wait_and_loses_nothing()
    {
        outbox.Refuses = () => true;
        var sensor = new ScriptedSensor("air");
        for (byte position = 1; position <= 50; position++)
        {
            sensor.Gives(position, new Measurement("pm10", position));
        }

        await using Running provider = await StartAsync([sensor]);
        await Eventually.TrueAsync(() => sensor.Pulled == 1, "the first batch is offered");
        int refused = 0;
        outbox.Refuses = () => ++refused < 5;
        await AdvanceUntilAsync(() => outbox.Readings.Length == 50, TimeSpan.FromSeconds(1), "all is written once the disk takes it");
        Assert.Equal(Enumerable.Range(1, 50).Select(value => (double)value), outbox.Readings.Select(reading => reading.Value));
        Assert.Equal(0, State(provider, 0).Failures);
    }

    [Fact]
    public async Task While_the_disk_refuses_no_further_batch_is_pulled()
    {
        outbox.Refuses = () => true;
        ScriptedSensor first = new ScriptedSensor("first").Gives(new Measurement("no2", 1)).Gives(new Measurement("no2", 2));
        ScriptedSensor second = new ScriptedSensor("second").Gives(new Measurement("no2", 1)).Gives(new Measurement("no2", 2));
        await using Running provider = await StartAsync([first, second]);
        await Eventually.TrueAsync(() => first.Pulled == 1 && second.Pulled == 1, "each sensor offers one batch");
        for (int step = 0; step < 20; step++)
        {
            time.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.Equal((1, 1), (first.Pulled, second.Pulled));
        Assert.Empty(outbox.Readings);
    }

    [Fact]
    public async Task Outbox_has_one_writer_however_many_sensors_there_are()
    {
        ScriptedSensor[] sensors = [.. Enumerable.Range(0, 8).Select(number => new ScriptedSensor($"s{number}"))];
        foreach (ScriptedSensor sensor in sensors)
        {
            for (byte position = 0; position < 100; position++)
            {
                sensor.Gives(position, new Measurement("pm10", position));
            }
        }

        await using Running provider = await StartAsync(sensors);
        await Eventually.TrueAsync(() => outbox.Readings.Length == 800, "all readings are in the outbox");
        Assert.False(outbox.TwoWriters);
        Assert.All(sensors, sensor => Assert.Equal(Enumerable.Range(0, 100), outbox.Readings.Where(reading => reading.Sensor == sensor.Name).Select(reading => (int)reading.Value)));
    }

    [Fact]
    public async Task Silent_sensor_is_reported_dead_and_found_again()
    {
        var hung = new ScriptedSensor("hung");
        ScriptedSensor allowed = new("allowed");
        await using Running provider = await StartAsync([hung, allowed], "Agent:Sensors:1:DeadAfter=00:00:00");
        await Eventually.TrueAsync(() => hung.Starts == 1, "the sensor is being read");
        await AdvanceUntilAsync(() => State(provider, 0).Condition == SensorCondition.Dead, TimeSpan.FromMinutes(10), "the hung sensor is dead");
        Assert.Equal(SensorCondition.Starting, State(provider, 1).Condition);
        hung.Gives(new Measurement("no2", 1));
        await Eventually.TrueAsync(() => State(provider, 0).Condition == SensorCondition.Running, "it is alive again");
    }

    [Fact]
    public void Dead_is_a_matter_of_time_alone()
    {
        Assert.False(SamplingDecisions.IsDead(TimeSpan.FromMinutes(119), TimeSpan.FromHours(2)));
        Assert.True(SamplingDecisions.IsDead(TimeSpan.FromMinutes(120), TimeSpan.FromHours(2)));
        Assert.False(SamplingDecisions.IsDead(TimeSpan.FromDays(365), TimeSpan.Zero));
    }

    [Fact]
    public async Task Refused_values_are_counted_and_their_position_is_kept()
    {
        ScriptedSensor sensor = new ScriptedSensor("odd").Gives(7, new Measurement("pm10", double.NaN), new Measurement("joy", 1)).Gives(8, new Measurement("pm10", double.NaN), new Measurement("pm10", 3));
        await using Running provider = await StartAsync([sensor]);
        await Eventually.TrueAsync(() => State(provider, 0).Taken == 1, "the good value is taken");
        Assert.Equal(3, State(provider, 0).Refused);
        Assert.Equal([8], outbox.Cursor("odd").ToArray());
        Assert.Equal(3, Assert.Single(outbox.Readings).Value);
    }

    /// <summary>Agents that stop at any moment, disks that refuse and sensors that fail: every value is taken exactly once, in order.</summary>
    [Fact]
    public async Task Stops_failures_and_refusals_lose_and_double_nothing()
    {
        await Gen.Select(Gen.Int[1, 40].Array[1, 5], Gen.Int[2, 7]).SampleAsync(
            async (stops, refusedEach) =>
            {
                var clock = new FakeTimeProvider(time.GetUtcNow());
                var box = new FakeOutbox();
                int offered = 0;
                box.Refuses = () => ++offered % refusedEach == 0;
                foreach (int stop in stops)
                {
                    await using Running provider = await StartAsync([], "Agent:Sensors:0:Name=made-up|Agent:Sensors:0:Kind=simulated|Agent:Sensors:0:Simulated:History=10.00:00:00|Agent:Sensors:0:Simulated:Interval=00:05:00", box, clock);
                    int until = box.Appends + Math.Min(stop, 5);
                    await AdvanceUntilAsync(() => box.Appends >= until, TimeSpan.FromSeconds(2), "some batches are taken", clock);
                }

                DateTime[] times = [.. box.Readings.Where(reading => reading.Property == "pm10").Select(reading => reading.PhenomenonTime)];
                Assert.NotEmpty(times);
                Assert.All(times.Zip(times.Skip(1)), pair => Assert.Equal(TimeSpan.FromMinutes(5), pair.Second - pair.First));
                Assert.Equal(5 * times.Length, box.Readings.Length);
            },
            iter: 15,
            threads: 1);
    }

    [Fact]
    public async Task Whoever_looks_on_sees_every_reading_before_the_disk_and_cannot_hurt_it()
    {
        var watch = new Watch();
        ScriptedSensor air = new ScriptedSensor("air").Gives(1, new Measurement("pm10", 20), new Measurement("pm2_5", double.NaN)).Gives(2, new Measurement("pm10", 30));
        bool full = true;
        outbox.Refuses = () => full;
        await using Running provider = await StartAsync([air], watch: watch);
        await Eventually.TrueAsync(() => watch.Seen.Count == 1, "the first reading is seen while the disk is full");
        Assert.Empty(outbox.Readings);
        full = false;
        await AdvanceUntilAsync(() => outbox.Readings.Length == 2, TimeSpan.FromSeconds(1), "both readings are in the outbox");
        Assert.Equal([20.0, 30.0], watch.Seen);
        Assert.Equal((SensorCondition.Running, 0L), (State(provider, 0).Condition, State(provider, 0).Failures));
    }

    [Fact]
    public async Task The_date_of_a_calibration_passes_while_the_agent_runs()
    {
        ScriptedSensor gas = new ScriptedSensor("gas").Gives(new Measurement("no2", 10));
        await using Running provider = await StartAsync(
            [gas],
            "Agent:Sensors:0:Name=gas|Agent:Sensors:0:Kind=simulated|Agent:Sensors:0:CalibrationDue=30.00:00:00|Agent:Sensors:0:Calibrations:0:Quantity=no2|Agent:Sensors:0:Calibrations:0:Version=4|Agent:Sensors:0:Calibrations:0:Offset=-1|Agent:Sensors:0:Calibrations:0:Date=2026-10-23T15:00:01Z");
        await Eventually.TrueAsync(() => outbox.Readings.Length == 1, "the first reading is there");
        time.Advance(TimeSpan.FromSeconds(1));
        gas.Gives(new Measurement("no2", 10));
        await Eventually.TrueAsync(() => outbox.Readings.Length == 2, "the second reading is there");
        Assert.Equal([Quality.Good, Quality.CalibrationDue], outbox.Readings.Select(reading => reading.Quality));
        Assert.All(outbox.Readings, reading => Assert.Equal((9.0, 10.0, 4), (reading.Value, reading.Raw!.Value, reading.Calibration)));
    }

    public static TheoryData<string, string> Mistakes => new()
    {
        { "Agent:Sampling:RestartPauseMin=00:00:00", "Agent:Sampling:RestartPauseMin" },
        { "Agent:Sampling:RestartPauseMin=00:00:10|Agent:Sampling:RestartPauseMax=00:00:05", "Agent:Sampling:RestartPauseMax" },
        { "Agent:Sampling:OutboxPause=1.00:00:00", "Agent:Sampling:OutboxPause" },
        { "Agent:Sampling:DeadAfter=-00:00:01", "Agent:Sampling:DeadAfter" },
        { "Agent:Sampling:StuckAfter=100.00:00:00", "Agent:Sampling:StuckAfter" },
        { "Agent:Sampling:StuckCountMin=1", "Agent:Sampling:StuckCountMin" },
        { "Agent:Sampling:SuspectHumidityAbove=101", "Agent:Sampling:SuspectHumidityAbove" },
        { "Agent:Sensors:0:StuckAfter=-00:00:01", "Agent:Sensors:0:StuckAfter" },
        { "Agent:Sensors:0:DeadAfter=-00:00:01", "Agent:Sensors:0:DeadAfter" },
        { "Agent:Sensors:0:Calibrations:0:Quantity=joy|Agent:Sensors:0:Calibrations:0:Version=1", "Agent:Sensors:0:Calibrations:0:Quantity" },
        { "Agent:Sensors:0:Calibrations:0:Quantity=no2|Agent:Sensors:0:Calibrations:0:Gain=0|Agent:Sensors:0:Calibrations:0:Version=1", "Agent:Sensors:0:Calibrations:0:Gain" },
        { "Agent:Sensors:0:Calibrations:0:Quantity=no2", "Agent:Sensors:0:Calibrations:0:Version" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Each_mistake_is_refused_at_start_with_its_key(string changes, string key)
    {
        using ServiceProvider provider = Build([], "Agent:Sensors:0:Name=a|Agent:Sensors:0:Kind=simulated|" + changes, outbox, time);
        Exception failure = Assert.ThrowsAny<Exception>(() => provider.GetRequiredService<IStartupValidator>().Validate());
        Assert.Contains(key, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_settings_stop_and_start_only_the_sensors_they_are_about()
    {
        const string Before = "Agent:Sensors:0:Name=a|Agent:Sensors:0:Kind=simulated|Agent:Sensors:0:Simulated:Interval=00:00:10|Agent:Sensors:1:Name=b|Agent:Sensors:1:Kind=simulated|Agent:Sensors:1:Simulated:Interval=00:00:10|Agent:Sensors:2:Name=c|Agent:Sensors:2:Kind=simulated";
        await using Running provider = await StartAsync([], Before);
        await AdvanceUntilAsync(() => State(provider, 0).Taken >= 20 && State(provider, 1).Taken >= 20, TimeSpan.FromSeconds(1), "both give values");
        long taken = State(provider, 0).Taken;

        // Another order, another cadence for b, c goes, d comes, and other limits for all.
        SamplingChange change = await provider.Sampling.ApplyAsync(
            Settings(
                "Agent:Sensors:0:Name=b|Agent:Sensors:0:Kind=simulated|Agent:Sensors:0:Simulated:Interval=00:00:01|Agent:Sensors:1:Name=d|Agent:Sensors:1:Kind=simulated|"
                + "Agent:Sensors:2:Name=a|Agent:Sensors:2:Kind=simulated|Agent:Sensors:2:Simulated:Interval=00:00:10|Agent:Sampling:StuckAfter=00:00:00"),
            TestContext.Current.CancellationToken);
        Assert.Equal(["b", "c"], change.Stopped.Order());
        Assert.Equal(["b", "d"], change.Started);
        Assert.Equal(["a"], change.Kept);
        Assert.Equal(["b", "d", "a"], provider.Sampling.Sensors.Select(sensor => sensor.Name));
        Assert.True(State(provider, 2).Taken >= taken, "the counters of a sensor that goes on go on");
        await AdvanceUntilAsync(() => State(provider, 0).Taken >= 100, TimeSpan.FromSeconds(1), "the faster one is fast");

        // No second twice, none left out: neither by what went on nor by what was started anew behind its position.
        foreach (string name in (string[])["a", "b"])
        {
            DateTime[] times = [.. outbox.Readings.Where(reading => reading.Sensor == name && reading.Property == "pm10").Select(reading => reading.PhenomenonTime)];
            Assert.Equal(times.Distinct(), times);
            Assert.Equal(times.Order(), times);
        }

        change = await provider.Sampling.ApplyAsync(Settings(Before), TestContext.Current.CancellationToken);
        Assert.Equal(["a"], change.Kept);
        Assert.Equal(["a", "b", "c"], provider.Sampling.Sensors.Select(sensor => sensor.Name));
    }

    [Fact]
    public async Task A_sensor_whose_settings_are_the_same_is_not_even_touched()
    {
        ScriptedSensor kept = new("kept"), gone = new("gone");
        await using Running provider = await StartAsync([kept, gone]);
        await Eventually.TrueAsync(() => kept.Starts == 1 && gone.Starts == 1, "both are being read");
        SamplingChange change = await provider.Sampling.ApplyAsync(Settings("Agent:Sensors:0:Name=kept|Agent:Sampling:DeadAfter=00:10:00"), TestContext.Current.CancellationToken);
        Assert.Equal(["gone"], change.Stopped);
        Assert.Empty(change.Started);
        Assert.Equal(["kept"], change.Kept);
        kept.Gives(1, new Measurement("pm10", 20));
        await Eventually.TrueAsync(() => State(provider, 0).Taken == 1, "it goes on");
        Assert.Equal(1, kept.Starts);
        Assert.Equal("pm10", Assert.Single(provider.Sampling.Newest("kept")).Property);

        // The new limit holds for it all the same.
        await AdvanceUntilAsync(() => State(provider, 0).Condition == SensorCondition.Dead, TimeSpan.FromMinutes(1), "it is dead after ten minutes, not two hours");
        Assert.Equal(1, kept.Starts);
    }

    [Fact]
    public async Task Without_a_sensor_that_was_dead_none_is_dead()
    {
        ScriptedSensor hung = new("hung");
        await using Running provider = await StartAsync([hung]);
        await Eventually.TrueAsync(() => hung.Starts == 1, "the sensor is being read");
        await AdvanceUntilAsync(() => State(provider, 0).Condition == SensorCondition.Dead, TimeSpan.FromMinutes(10), "the hung sensor is dead");
        await provider.Sampling.ApplyAsync(Settings("Agent:Sampling:DeadAfter=01:00:00"), TestContext.Current.CancellationToken);
        Assert.Empty(provider.Sampling.Sensors);
    }

    private static IConfiguration Settings(string settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Split('|').Select(setting => setting.Split('=', 2)).Select(parts => KeyValuePair.Create(parts[0], (string?)parts[1]))).Build();

    private static SensorState State(Running running, int sensor) => running.Sampling.Sensors[sensor];

    private static ServiceProvider Build(ScriptedSensor[] sensors, string settings, FakeOutbox outbox, TimeProvider time, IReadingWatch? watch = null)
    {
        Dictionary<string, string?> values = sensors.Select((sensor, index) => ($"Agent:Sensors:{index}:Name", (string?)sensor.Name)).ToDictionary();
        foreach (string setting in settings.Split('|', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = setting.Split('=', 2);
            values[parts[0]] = parts[1];
        }

        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        IServiceCollection services = new ServiceCollection().AddLogging().AddSingleton(time).AddSingleton<IOutbox>(outbox);
        if (watch is not null)
        {
            services.AddSingleton(watch);
        }

        if (sensors.Length == 0)
        {
            services.AddHubSensors(configuration);
        }
        else
        {
            services.AddOptions<SensorsOptions>().Bind(configuration.GetSection(SensorsOptions.Section));
            foreach (ScriptedSensor sensor in sensors)
            {
                services.AddSingleton<ISensor>(sensor);
            }
        }

        return services.AddHubSampling(configuration).AddHubSampling(configuration).BuildServiceProvider();
    }

    private async Task<Running> StartAsync(ScriptedSensor[] sensors, string settings = "", FakeOutbox? box = null, TimeProvider? clock = null, IReadingWatch? watch = null)
    {
        var running = new Running(Build(sensors, settings, box ?? outbox, clock ?? time, watch));
        await running.Service.StartAsync(CancellationToken.None);
        return running;
    }

    private Task AdvanceUntilAsync(Func<bool> state, TimeSpan step, string what, FakeTimeProvider? clock = null) => Eventually.TrueAsync(
        () =>
        {
            if (state())
            {
                return true;
            }

            (clock ?? time).Advance(step);
            return false;
        },
        what);

    /// <summary>Sees readings, and fails each time.</summary>
    private sealed class Watch : IReadingWatch
    {
        private readonly ConcurrentQueue<double> seen = new();

        public ConcurrentQueue<double> Seen => seen;

        public void Taken(in Reading reading)
        {
            seen.Enqueue(reading.Value);
            throw new InvalidOperationException("A bug.");
        }
    }

    /// <summary>Sampling as a host runs it: started, and stopped before it is disposed.</summary>
    private sealed class Running(ServiceProvider provider) : IAsyncDisposable
    {
        public IHostedService Service { get; } = Assert.Single(provider.GetServices<IHostedService>());

        public ISampling Sampling { get; } = provider.GetRequiredService<ISampling>();

        public async ValueTask DisposeAsync()
        {
            await Service.StopAsync(CancellationToken.None);
            await provider.DisposeAsync();
        }
    }
}
