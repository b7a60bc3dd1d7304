using CsCheck;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;
using Hub.Edge.Sensors.Weather.Anemometer;
using Hub.Edge.Sensors.Weather.RainGauge;

namespace Hub.Edge.Sensors.Tests.Weather;

/// <summary>Rain gauge and cup anemometer: pulses on a GPIO line.</summary>
public sealed class PulseInstrumentTests : IDisposable
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private readonly WaitedClock clock = new(Noon);
    private readonly SimulatedGpio gpio = new();
    private readonly SimulatedBuses buses;

    public PulseInstrumentTests() => buses = new SimulatedBuses(clock) { Gpio = gpio };

    public void Dispose() => gpio.Dispose();

    [Fact]
    public async Task Each_tip_is_its_millimetres_once_and_bounce_is_none()
    {
        await using RainGaugeDevice device = new(buses.OpenGpio, 17, new RainGaugeOptions { MillimetresPerTip = 0.2794 }, clock);
        Assert.Equal(("rain", 0.0), await RainAsync(device, start: true));
        foreach (double at in new[] { 1, 1.02, 1.149, 4, 4.1 })
        {
            gpio.Pulse(17, Noon.AddSeconds(at), TimeSpan.FromMilliseconds(10));
        }

        Assert.Equal(("rain", 2 * 0.2794), await RainAsync(device));
        Assert.Equal(("rain", 0.0), await RainAsync(device));
    }

    [Fact]
    public async Task A_minute_of_rain_is_the_sum_of_its_tips()
    {
        ISensor sensor = DeviceRun.Sensor(new SensorOptions { Name = "rain", Kind = "raingauge", Bus = new BusOptions { Pins = { 17 } } }, buses, clock);
        await using var run = new SensorRun(sensor, clock);
        int tips = 0;
        MeasurementBatch? batch;
        while ((batch = await run.NextAsync()) is null)
        {
            if (clock.GetUtcNow().Second % 7 == 3)
            {
                gpio.Pulse(17, clock.GetUtcNow().UtcDateTime.AddSeconds(0.2), TimeSpan.FromMilliseconds(50));
                tips++;
            }

            clock.Pass(TimeSpan.FromSeconds(1));
        }

        Measurement minute = batch.Value.Measurements.Span[0];

        // The tip of the last second was taken by the first look of the next minute.
        Assert.Equal(9, tips);
        Assert.Equal(("rain", Noon, TimeSpan.FromMinutes(1), 1.0), (minute.Property, minute.ObservedAt, minute.Period, minute.Coverage));
        Assert.Equal(8 * 0.2, minute.Value, 9);
    }

    [Fact]
    public void No_pulse_is_lost_or_counted_twice_whenever_it_is_asked()
    {
        Gen.Select(Gen.Int[1, 400].List[0, 200], Gen.Int[1, 20]).Sample(
            (gaps, every) =>
            {
                var chip = new SimulatedGpio();
                using var counter = new PulseCounter(new System.Device.Gpio.GpioController(chip), 5, TimeSpan.FromMilliseconds(100), clock);
                DateTime at = Noon;
                DateTime last = DateTime.MinValue;
                (long pulses, long bounces) expected = (0, 0);
                (long pulses, long bounces) taken = (0, 0);
                for (int n = 0; n < gaps.Count; n++)
                {
                    at = at.AddMilliseconds(gaps[n]);
                    chip.Pulse(5, at, TimeSpan.FromMicroseconds(100));
                    if (at - last >= TimeSpan.FromMilliseconds(100))
                    {
                        (expected.pulses, last) = (expected.pulses + 1, at);
                    }
                    else
                    {
                        expected.bounces++;
                    }

                    if (n % every == 0)
                    {
                        Add(counter.Take());
                    }
                }

                Add(counter.Take());
                Assert.Equal(expected, taken);

                void Add((long Pulses, long Bounces) more) => taken = (taken.pulses + more.Pulses, taken.bounces + more.Bounces);
            },
            iter: 200);
    }

    [Fact]
    public void Pulses_that_come_while_it_is_asked_are_not_lost()
    {
        var chip = new SimulatedGpio();
        using var counter = new PulseCounter(new System.Device.Gpio.GpioController(chip), 5, TimeSpan.FromMilliseconds(1), clock);
        long taken = 0;
        var pulsing = new Thread(() =>
        {
            for (int n = 0; n < 20_000; n++)
            {
                chip.Pulse(5, Noon.AddMilliseconds(2 * n), TimeSpan.FromMicroseconds(10));
            }
        });
        pulsing.Start();
        while (pulsing.IsAlive)
        {
            taken += counter.Take().Pulses;
        }

        Assert.Equal(20_000, taken + counter.Take().Pulses);
    }

    [Fact]
    public async Task Pulses_over_the_time_that_passed_are_the_wind_and_the_largest_three_seconds_the_gust()
    {
        ISensor sensor = DeviceRun.Sensor(
            new SensorOptions { Name = "wind", Kind = "anemometer", Bus = new BusOptions { Pins = { 17 } }, Anemometer = new AnemometerOptions { MetresPerPulse = 0.667, Offset = 0.3 } }, buses, clock);
        await using var run = new SensorRun(sensor, clock);
        MeasurementBatch? batch;
        while ((batch = await run.NextAsync()) is null)
        {
            // 10 Hz, but 30 Hz in the seconds 30 to 32 and calm in 45 to 47.
            int second = clock.GetUtcNow().Second;
            int hertz = second is >= 30 and < 33 ? 30 : second is >= 45 and < 48 ? 0 : 10;
            for (int n = 0; n < hertz; n++)
            {
                gpio.Pulse(17, clock.GetUtcNow().UtcDateTime.AddSeconds((double)n / hertz), TimeSpan.FromMilliseconds(5));
            }

            clock.Pass(TimeSpan.FromSeconds(1));
        }

        Dictionary<string, Measurement> minute = batch.Value.Measurements.ToArray().ToDictionary(m => m.Property);

        // The first look is the start itself; nineteen spans of three seconds end within the minute.
        double usual = (10 * 0.667) + 0.3;
        double gust = (30 * 0.667) + 0.3;
        Assert.Equal(((17 * usual) + gust) / 19, minute["wind_speed"].Value, 6);
        Assert.Equal(gust, minute["wind_gust"].Value, 6);
        Assert.Equal(0.95, minute["wind_speed"].Coverage!.Value, 6);
    }

    [Fact]
    public async Task A_look_too_soon_keeps_its_pulses_for_the_next_and_a_late_one_is_no_gust()
    {
        await using AnemometerDevice device = new(buses.OpenGpio, 17, new AnemometerOptions { MetresPerPulse = 1 }, clock);
        await device.StartAsync(TestContext.Current.CancellationToken);
        for (int n = 0; n < 6; n++)
        {
            gpio.Pulse(17, Noon.AddSeconds(0.1 * n), TimeSpan.FromMilliseconds(5));
        }

        clock.Advance(TimeSpan.FromSeconds(1));
        var samples = new List<Sample>();
        await Assert.ThrowsAsync<NoSampleException>(async () => await device.ReadAsync(samples, TestContext.Current.CancellationToken));
        clock.Advance(TimeSpan.FromSeconds(2));
        await device.ReadAsync(samples, TestContext.Current.CancellationToken);
        Assert.Equal([new Sample("wind_speed", 2), new Sample("wind_gust", 2)], samples);

        samples.Clear();
        gpio.Pulse(17, Noon.AddSeconds(4), TimeSpan.FromMilliseconds(5));
        clock.Advance(TimeSpan.FromSeconds(20));
        await device.ReadAsync(samples, TestContext.Current.CancellationToken);
        Assert.Equal([new Sample("wind_speed", 0.05)], samples);
    }

    [Fact]
    public async Task A_busy_line_is_named_and_free_again_it_counts()
    {
        gpio.Busy.Add(17);
        await using RainGaugeDevice busy = new(buses.OpenGpio, 17, new RainGaugeOptions(), clock);
        SensorException refused = await Assert.ThrowsAsync<SensorException>(async () => await busy.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains("GPIO line 17", refused.Message, StringComparison.Ordinal);
        gpio.Busy.Clear();
        await using RainGaugeDevice free = new(buses.OpenGpio, 17, new RainGaugeOptions(), clock);
        await RainAsync(free, start: true);
        gpio.Pulse(17, Noon.AddSeconds(1), TimeSpan.FromMilliseconds(10));
        Assert.Equal(("rain", 0.2), await RainAsync(free));
        gpio.Busy.Clear();
        buses.Gpio = null;
        await using RainGaugeDevice without = new(buses.OpenGpio, 17, new RainGaugeOptions(), clock);
        await Assert.ThrowsAsync<SensorException>(async () => await without.StartAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void What_is_missing_or_wrong_in_the_station_file_is_named()
    {
        Fails("raingauge", "Bus:Pins has 0 lines", o => o.Bus = null);
        Fails("raingauge", "RainGauge:MillimetresPerTip", o => o.RainGauge = new RainGaugeOptions { MillimetresPerTip = 0 });
        Fails("raingauge", "RainGauge:Debounce", o => o.RainGauge = new RainGaugeOptions { Debounce = TimeSpan.Zero });
        Fails("anemometer", "Bus:Pins is -1", o => o.Bus = new BusOptions { Pins = { -1 } });
        Fails("anemometer", "Every is 00:00:06", o => o.Every = TimeSpan.FromSeconds(6));
        Fails("anemometer", "Anemometer:MetresPerPulse", o => o.Anemometer = new AnemometerOptions { MetresPerPulse = double.NaN });
        Fails("anemometer", "Anemometer:Offset", o => o.Anemometer = new AnemometerOptions { Offset = -1 });
        Fails("anemometer", "Anemometer:Debounce", o => o.Anemometer = new AnemometerOptions { Debounce = TimeSpan.FromSeconds(1) });

        static void Fails(string kind, string expected, Action<SensorOptions> change)
        {
            var options = new SensorOptions { Name = "a", Kind = kind, Bus = new BusOptions { Pins = { 17 } } };
            Assert.Empty(DeviceRun.Failures(options));
            change(options);
            Assert.StartsWith($"Agent:Sensors:0:{expected}", Assert.Single(DeviceRun.Failures(options)), StringComparison.Ordinal);
        }
    }

    private async Task<(string, double)> RainAsync(RainGaugeDevice device, bool start = false)
    {
        Sample sample = Assert.Single(await DeviceRun.LookAsync(device, clock, start));
        return (sample.Property, sample.Value);
    }
}
