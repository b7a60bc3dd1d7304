using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Devices;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hub.Edge.Sensors.Tests.Devices;

public sealed class DeviceSensorTests
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);
    private static readonly DeviceTiming Timing = new(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1));

    [Fact]
    public async Task Intervals_begin_at_whole_minutes_and_hold_the_mean_of_their_looks()
    {
        var clock = new WaitedClock(Noon.AddSeconds(25));
        await using var run = new SensorRun(Sensor(new ScriptedDevice(n => [new("temperature", n)]), clock), clock);

        MeasurementBatch first = await MinuteAsync(run, clock);
        MeasurementBatch second = await MinuteAsync(run, clock);

        // Looks at :25, :30, :40, :50 (0 to 3), then six a minute.
        Measurement began = Assert.Single(first.Measurements.ToArray());
        Assert.Equal((Noon, 1.5, TimeSpan.FromMinutes(1)), (began.ObservedAt, began.Value, began.Period));
        Assert.Equal((4.0 / 6, Quality.Incomplete), (began.Coverage, began.Quality));
        Measurement whole = Assert.Single(second.Measurements.ToArray());
        Assert.Equal((Noon.AddMinutes(1), (4 + 9) / 2.0, 1.0, Quality.Good), (whole.ObservedAt, whole.Value, whole.Coverage, whole.Quality));
    }

    [Fact]
    public async Task Asked_it_looks_at_once_gives_means_by_themselves_and_counts_the_look_for_its_interval()
    {
        var clock = new WaitedClock(Noon);
        ISensor sensor = Sensor(new ScriptedDevice(n => [new("temperature", n), new("rain", 1)]), clock);
        Assert.False(sensor.Ask());
        await using var run = new SensorRun(sensor, clock);
        Assert.Null(await run.NextAsync());
        Assert.True(sensor.Ask());

        // The second look, at :00 as the first.
        MeasurementBatch? asked = null;
        await Hub.Tests.Kit.Eventually.TrueAsync(async () => (asked = await run.NextAsync()) is not null, "it looks");
        Measurement seen = Assert.Single(asked!.Value.Measurements.ToArray());
        Assert.Equal(("temperature", 1.0, TimeSpan.Zero, Noon), (seen.Property, seen.Value, seen.Period, seen.ObservedAt));

        Dictionary<string, double> minute = (await MinuteAsync(run, clock)).Measurements.ToArray().ToDictionary(m => m.Property, m => m.Value);
        Assert.Equal(7, minute["rain"]);
        Assert.Equal((0 + 1 + 2 + 3 + 4 + 5 + 6) / 7.0, minute["temperature"], 9);
    }

    [Fact]
    public async Task Each_quantity_is_gathered_by_its_own_rule()
    {
        var clock = new WaitedClock(Noon);
        await using var run = new SensorRun(
            Sensor(new ScriptedDevice(n => [new("laeq", n == 0 ? 70 : 60), new("rain", 0.2), new("wind_direction", n % 2 == 0 ? 350 : 10), new("lafmax", 60 + n), new("lafmin", 50 - n)]), clock), clock);

        Dictionary<string, double> values = (await MinuteAsync(run, clock)).Measurements.ToArray().ToDictionary(m => m.Property, m => m.Value);

        Assert.Equal(10 * Math.Log10((1e7 + (5 * 1e6)) / 6), values["laeq"], 9);
        Assert.Equal(1.2, values["rain"], 9);
        Assert.Equal(0, Math.Min(values["wind_direction"], 360 - values["wind_direction"]), 6);
        Assert.Equal((65.0, 45.0), (values["lafmax"], values["lafmin"]));
    }

    [Fact]
    public async Task Empty_looks_lower_the_coverage_and_a_minute_without_any_gives_nothing()
    {
        var clock = new WaitedClock(Noon);
        var device = new ScriptedDevice(n => n is >= 3 and < 12 ? throw new NoSampleException("checksum", "wrong checksum") : [new("temperature", 20)]);
        await using var run = new SensorRun(Sensor(device, clock), clock);

        Measurement half = (await MinuteAsync(run, clock)).Measurements.Span[0];
        Assert.Equal((Noon, 0.5, Quality.Incomplete), (half.ObservedAt, half.Coverage, half.Quality));

        // The second minute has nothing; the next batch is the third's.
        Measurement third = (await MinuteAsync(run, clock)).Measurements.Span[0];
        Assert.Equal((Noon.AddMinutes(2), 1.0), (third.ObservedAt, third.Coverage));
        Assert.Equal(1, device.Starts);
    }

    [Fact]
    public async Task After_ten_empty_looks_it_fails_and_an_interval_survives_the_restart()
    {
        var clock = new WaitedClock(Noon);
        int made = 0;
        var devices = new List<ScriptedDevice>();
        ISensor sensor = new DeviceSensor(
            "a", new DeviceTiming(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)),
            () =>
            {
                bool broken = made++ == 0;
                devices.Add(new ScriptedDevice(n => broken && n >= 20 ? throw new NoSampleException("silent", "no frame came") : [new("temperature", broken ? 10 : 30)]));
                return devices[^1];
            },
            clock, new SensorsInstruments(), NullLogger.Instance);

        await using (var run = new SensorRun(sensor, clock))
        {
            var failed = await Assert.ThrowsAsync<SensorException>(() => MinuteAsync(run, clock));
            Assert.Contains("no frame came", failed.Message, StringComparison.Ordinal);
        }

        Assert.Equal(1, devices[0].Disposals);
        await using var again = new SensorRun(sensor, clock);
        Measurement minute = (await MinuteAsync(again, clock)).Measurements.Span[0];

        // Twenty looks of the first device (:00 to :19), ten empty (:20 to :29), and thirty-one of the second, which starts in the second of the failure.
        Assert.Equal(Noon, minute.ObservedAt);
        Assert.Equal(((20 * 10) + (31 * 30)) / 51.0, minute.Value, 9);
    }

    [Fact]
    public async Task Values_of_the_warm_up_are_given_and_flagged()
    {
        var clock = new WaitedClock(Noon);
        await using var run = new SensorRun(Sensor(new ScriptedDevice(_ => [new("pm10", 5)]) { WarmUp = TimeSpan.FromSeconds(30) }, clock), clock);

        Assert.Equal(Quality.WarmingUp, (await MinuteAsync(run, clock)).Measurements.Span[0].Quality);
        Assert.Equal(Quality.Good, (await MinuteAsync(run, clock)).Measurements.Span[0].Quality);
    }

    [Fact]
    public async Task A_bus_that_fails_ends_the_stream_with_its_words()
    {
        var clock = new WaitedClock(Noon);
        var device = new ScriptedDevice(_ => throw new IOException("Error 121 performing I2C data transfer."));
        await using (var run = new SensorRun(Sensor(device, clock), clock))
        {
            Assert.Contains("Error 121", (await Assert.ThrowsAsync<SensorException>(run.NextAsync)).Message, StringComparison.Ordinal);
        }

        Assert.Equal(1, device.Disposals);
    }

    private static DeviceSensor Sensor(ScriptedDevice device, TimeProvider time) => new("a", Timing, () => device, time, new SensorsInstruments(), NullLogger.Instance);

    /// <summary>Lets time pass until the sensor gives something.</summary>
    private static async Task<MeasurementBatch> MinuteAsync(SensorRun run, WaitedClock clock)
    {
        while (true)
        {
            if (await run.NextAsync() is { } batch)
            {
                return batch;
            }

            clock.Pass(TimeSpan.FromSeconds(1));
        }
    }
}
