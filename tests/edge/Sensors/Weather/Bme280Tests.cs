using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;
using Hub.Edge.Sensors.Weather.Bme280;

namespace Hub.Edge.Sensors.Tests.Weather;

public sealed class Bme280Tests
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private readonly WaitedClock clock = new(Noon);
    private readonly SimulatedBme280 part = new();
    private readonly SimulatedBuses buses;

    public Bme280Tests()
    {
        buses = new SimulatedBuses(clock);
        buses.I2c[(1, 0x76)] = part;
        buses.Spi[(0, 0)] = new SimulatedSpiBme280(part);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_data_sheets_example_comes_out_over_I2C_and_SPI(bool i2c)
    {
        await using IDevice device = Device(i2c);
        List<Sample> samples = await DeviceRun.LookAsync(device, clock);

        Assert.Equal(["temperature", "pressure", "relative_humidity"], samples.Select(s => s.Property));
        Assert.Equal(25.08, samples[0].Value, 2);
        Assert.Equal(1006.5326, samples[1].Value, 3);
        Assert.InRange(samples[2].Value, 1, 99);
        Assert.Equal(1, part.Measurements);
    }

    [Fact]
    public void Fine_temperature_and_pressure_are_the_data_sheets()
    {
        var trim = Trim();
        Assert.Equal(25.08, trim.Celsius(519888, out double fine), 2);
        Assert.Equal(128422, fine, 0);
        Assert.Equal(100653.265, trim.Pascals(415148, fine)!.Value, 0.005);
        Assert.Null((trim with { P1 = 0 }).Pascals(415148, fine));
    }

    [Fact]
    public void Humidity_agrees_with_Boschs_integer_arithmetic_for_any_trim()
    {
        var trim = Trim() with { H1 = 75, H2 = 362, H3 = 0, H4 = 313, H5 = 50, H6 = 30 };
        trim.Celsius(519888, out double fine);
        CsCheck.Check.Sample(
            CsCheck.Gen.Select(CsCheck.Gen.Int[15_000, 50_000], CsCheck.Gen.Int[-400, 400], CsCheck.Gen.Int[-100, 100]),
            t =>
            {
                Bme280Calibration with = trim with { H4 = (short)t.Item2, H5 = (short)t.Item3 };
                Assert.Equal(Integer(with, t.Item1, (int)fine), with.RelativeHumidity(t.Item1, fine), 0.05);
            },
            iter: 1000);
    }

    [Fact]
    public async Task Negative_humidity_coefficients_keep_their_sign()
    {
        part.SetHumidityTrim(h4: -20, h5: -3, h6: 30);
        await using IDevice device = Device(i2c: true);
        double humidity = (await DeviceRun.LookAsync(device, clock))[2].Value;
        Bme280Calibration trim = Trim() with { H1 = 75, H2 = 362, H3 = 0, H4 = -20, H5 = -3, H6 = 30 };
        trim.Celsius(519888, out double fine);
        Assert.Equal(trim.RelativeHumidity(27000, fine), humidity, 9);
    }

    [Fact]
    public async Task Counts_of_a_part_that_has_not_measured_are_no_values()
    {
        await using IDevice device = Device(i2c: true);
        await DeviceRun.LookAsync(device, clock);
        part.Temperature = 0x80000;
        Assert.Equal("not measured", (await Assert.ThrowsAsync<NoSampleException>(() => DeviceRun.LookAsync(device, clock, start: false))).Reason);
        part.Temperature = 519888;
        Assert.Equal(25.08, (await DeviceRun.LookAsync(device, clock, start: false))[0].Value, 2);
    }

    [Theory]
    [InlineData(0x58, "BMP280")]
    [InlineData(0x00, "no BME280")]
    public async Task Another_part_is_named(byte chip, string expected)
    {
        part[0xD0] = chip;
        await using IDevice device = Device(i2c: true);
        var refused = await Assert.ThrowsAsync<SensorException>(() => DeviceRun.LookAsync(device, clock));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.Contains("I2C bus 1, address 0x76", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_part_that_never_gets_ready_is_said()
    {
        await using IDevice device = Device(i2c: true);
        await DeviceRun.LookAsync(device, clock);
        part[0xF3] = 0x08;
        Assert.Contains("does not finish a measurement", (await Assert.ThrowsAsync<SensorException>(() => DeviceRun.LookAsync(device, clock, start: false))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unplugged_and_back_it_goes_on_and_repeats_nothing()
    {
        ISensor sensor = DeviceRun.Sensor(Options(new BusOptions { I2c = 1 }), buses, clock);
        await using (var run = new SensorRun(sensor, clock))
        {
            await Assert.ThrowsAsync<SensorException>(async () =>
            {
                while (true)
                {
                    part.Unplugged = clock.GetUtcNow() > Noon.AddSeconds(30);
                    await run.NextAsync();
                    clock.Pass(TimeSpan.FromMilliseconds(500));
                }
            });
        }

        part.Unplugged = false;
        int before = part.Measurements;
        part.Temperature = 600000;
        await using var again = new SensorRun(sensor, clock);
        MeasurementBatch? batch;
        while ((batch = await again.NextAsync()) is null)
        {
            clock.Pass(TimeSpan.FromMilliseconds(500));
        }

        // The minute holds what was measured before and after, each once.
        Measurement minute = batch.Value.Measurements.Span[0];
        int looks = (int)Math.Round(minute.Coverage!.Value * 6);
        Assert.Equal(Noon, minute.ObservedAt);
        Assert.InRange(looks, before + 1, 6);
        Assert.Equal(((before * 25.0825) + ((looks - before) * Trim().Celsius(600000, out _))) / looks, minute.Value, 0.01);
    }

    [Fact]
    public void What_is_missing_or_wrong_in_the_station_file_is_named()
    {
        Assert.Empty(DeviceRun.Failures(Options(new BusOptions { I2c = 1 })));
        Assert.Empty(DeviceRun.Failures(Options(new BusOptions { I2c = 1, Address = "0x77" })));
        Assert.Empty(DeviceRun.Failures(Options(new BusOptions { Spi = 0, ChipSelect = 1 })));
        Assert.Contains("Agent:Sensors:0:Bus:I2c is missing", Assert.Single(DeviceRun.Failures(Options(null))), StringComparison.Ordinal);
        Assert.Contains("Agent:Sensors:0:Bus:Address is '0x80'", Assert.Single(DeviceRun.Failures(Options(new BusOptions { I2c = 1, Address = "0x80" }))), StringComparison.Ordinal);
        Assert.Contains("Agent:Sensors:0:Bus", Assert.Single(DeviceRun.Failures(Options(new BusOptions { I2c = 1, Spi = 0 }))), StringComparison.Ordinal);
        SensorOptions slow = Options(new BusOptions { I2c = 1 });
        slow.Every = TimeSpan.FromSeconds(7);
        Assert.Contains("Agent:Sensors:0:Every", Assert.Single(DeviceRun.Failures(slow)), StringComparison.Ordinal);
        slow.Every = TimeSpan.FromMinutes(5);
        Assert.Empty(DeviceRun.Failures(slow));
    }

    private static SensorOptions Options(BusOptions? bus) => new() { Name = "weather", Kind = "bme280", Bus = bus };

    private static Bme280Calibration Trim() => new(27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000, 0, 0, 0, 0, 0, 0);

    private Bme280Device Device(bool i2c) => i2c
        ? new Bme280Device(() => new Bme280I2cRegisters(buses.OpenI2c(1, 0x76)), "I2C bus 1, address 0x76", clock)
        : new Bme280Device(() => new Bme280SpiRegisters(buses.OpenSpi(new(0, 0))), "SPI bus 0, chip select 0", clock);

    // Bosch's 32-bit integer compensation (data sheet section 4.2.3), an independent form of the same formula; %RH.
    private static double Integer(Bme280Calibration trim, int raw, int fine)
    {
        long v = fine - 76800;
        v = ((((raw << 14) - ((long)trim.H4 << 20) - (trim.H5 * v)) + 16384) >> 15)
            * ((((((v * trim.H6) >> 10) * (((v * trim.H3) >> 11) + 32768)) >> 10) + 2097152) * trim.H2 + 8192 >> 14);
        v -= ((((v >> 15) * (v >> 15)) >> 7) * trim.H1) >> 4;
        v = Math.Clamp(v, 0, 419430400);
        return (v >> 12) / 1024.0;
    }
}
