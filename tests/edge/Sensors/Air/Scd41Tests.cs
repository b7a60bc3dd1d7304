using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Air.Scd41;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;

namespace Hub.Edge.Sensors.Tests.Air;

public sealed class Scd41Tests
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private readonly WaitedClock clock = new(Noon);
    private readonly SimulatedScd41 part;
    private readonly SimulatedBuses buses;

    public Scd41Tests()
    {
        part = new SimulatedScd41(clock);
        buses = new SimulatedBuses(clock);
        buses.I2c[(1, 0x62)] = part;
    }

    [Fact]
    public void The_data_sheets_measurement_is_read()
    {
        var data = new byte[6];
        Assert.True(SensirionWords.TryDecode(Convert.FromHexString("01F4336667A25EB93C"), data));
        var measurement = Scd41Measurement.Parse(data);
        Assert.Equal(500, measurement.Ppm);
        Assert.Equal(25.00, measurement.Celsius, 2);
        Assert.Equal(37.00, measurement.RelativeHumidity, 2);

        // The data sheet's table prints 7B for the first word; its own polynomial says 33.
        Assert.False(SensirionWords.TryDecode(Convert.FromHexString("01F47B6667A25EB93C"), data));
    }

    [Fact]
    public async Task Each_measurement_is_given_once()
    {
        await using Scd41Device device = Device();
        Sample first = Assert.Single(await DeviceRun.LookAsync(device, clock));
        Assert.Equal(("co2", 500.0, Quality.Good), (first.Property, first.Value, first.Quality));
        part.Ppm = 650;
        Assert.Equal(650, (await DeviceRun.LookAsync(device, clock, start: false))[0].Value);
        Assert.Equal(part.Measurements, part.Reads);
        Assert.Equal(TimeSpan.FromSeconds(60), device.WarmUp);
    }

    [Fact]
    public async Task One_that_was_left_measuring_is_stopped_set_and_started()
    {
        (part.Measuring, part.Automatic, part.Altitude) = (true, 1, 0);
        Scd41Device device = Device(new Scd41Options { AutomaticCalibration = false, Altitude = 450 });
        await DeviceRun.LookAsync(device, clock);
        Assert.Equal((0, 450, true), (part.Automatic, part.Altitude, part.Measuring));
        await device.DisposeAsync();
        Assert.False(part.Measuring);

        // What already is as wanted is not written.
        part.Commands.Clear();
        await using Scd41Device again = Device(new Scd41Options { AutomaticCalibration = false, Altitude = 450 });
        await DeviceRun.LookAsync(again, clock);
        Assert.DoesNotContain(0x2416, part.Commands);
        Assert.DoesNotContain(0x3615, part.Commands);
    }

    [Theory]
    [InlineData(0x1440, 5000, Quality.Good)]
    [InlineData(0x1440, 5001, Quality.OutOfRange)]
    [InlineData(0x0440, 2001, Quality.OutOfRange)]
    [InlineData(0x5440, 2001, Quality.Good)]
    [InlineData(0x1440, 399, Quality.OutOfRange)]
    public async Task Outside_the_range_of_its_variant_a_value_is_flagged(int variant, int ppm, Quality quality)
    {
        (part.Variant, part.Ppm) = (variant, ppm);
        await using Scd41Device device = Device();
        Assert.Equal(quality, (await DeviceRun.LookAsync(device, clock))[0].Quality);
    }

    [Fact]
    public async Task Outside_its_climate_a_value_is_flagged_and_zero_is_none()
    {
        await using Scd41Device device = Device();
        await DeviceRun.LookAsync(device, clock);
        part.Humidity = 0xFFFF;
        Assert.Equal(Quality.OutOfRange, (await DeviceRun.LookAsync(device, clock, start: false))[0].Quality);
        part.Ppm = 0;
        Assert.Equal("not measured", (await Assert.ThrowsAsync<NoSampleException>(() => DeviceRun.LookAsync(device, clock, start: false))).Reason);
    }

    [Fact]
    public async Task Another_variant_or_another_part_is_named()
    {
        part.Variant = 0x3440;
        await using Scd41Device unknown = Device();
        Assert.Contains("0x3000", (await Assert.ThrowsAsync<SensorException>(() => DeviceRun.LookAsync(unknown, clock))).Message, StringComparison.Ordinal);
        buses.I2c[(1, 0x62)] = new OtherPart();
        await using Scd41Device other = Device();
        Assert.Contains("I2C bus 1, address 0x62", (await Assert.ThrowsAsync<SensorException>(() => DeviceRun.LookAsync(other, clock))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_old_firmware_that_does_not_know_its_variant_is_taken_as_it_is()
    {
        part.Variant = -1;
        await using Scd41Device device = Device();
        Assert.Equal(500, (await DeviceRun.LookAsync(device, clock))[0].Value);
    }

    [Fact]
    public async Task A_wrong_CRC_or_no_measurement_is_no_value_and_no_old_one()
    {
        await using Scd41Device device = Device();
        await DeviceRun.LookAsync(device, clock);
        part.Damaged = true;
        Assert.Equal("checksum", (await Assert.ThrowsAsync<NoSampleException>(() => DeviceRun.LookAsync(device, clock, start: false))).Reason);
        (part.Damaged, part.Stalled) = (false, true);
        part.Drop();
        Assert.Equal("nothing new", (await Assert.ThrowsAsync<NoSampleException>(() => DeviceRun.LookAsync(device, clock, start: false))).Reason);
        (part.Stalled, part.Ppm) = (false, 777);
        Assert.Equal(777, (await DeviceRun.LookAsync(device, clock, start: false))[0].Value);
    }

    [Fact]
    public async Task Unplugged_or_with_the_bus_busy_it_fails_and_comes_back()
    {
        await using (Scd41Device device = Device())
        {
            await DeviceRun.LookAsync(device, clock);
            part.Unplugged = true;
            await Assert.ThrowsAsync<IOException>(() => DeviceRun.LookAsync(device, clock, start: false));
        }

        (part.Unplugged, part.Busy) = (false, true);
        await using (Scd41Device busy = Device())
        {
            await Assert.ThrowsAsync<IOException>(() => DeviceRun.LookAsync(busy, clock));
        }

        part.Busy = false;
        part.PowerOn();
        await using Scd41Device again = Device();
        Assert.Equal(500, (await DeviceRun.LookAsync(again, clock))[0].Value);
    }

    [Fact]
    public void What_is_missing_or_wrong_in_the_station_file_is_named()
    {
        var options = new SensorOptions { Name = "a", Kind = "scd41", Bus = new BusOptions { I2c = 1 } };
        Assert.Empty(DeviceRun.Failures(options));
        options.Scd41 = new Scd41Options { Altitude = 3001 };
        Assert.Contains("Agent:Sensors:0:Scd41:Altitude is 3001", Assert.Single(DeviceRun.Failures(options)), StringComparison.Ordinal);
        Assert.Contains("Agent:Sensors:0:Bus:I2c is missing", Assert.Single(DeviceRun.Failures(new SensorOptions { Name = "a", Kind = "scd41" })), StringComparison.Ordinal);
        Assert.False(DeviceRun.Sensor(new SensorOptions { Name = "a", Kind = "scd41", Bus = new BusOptions { I2c = 1 } }, buses, clock).IsOptical);
    }

    private Scd41Device Device(Scd41Options? options = null) => new(() => buses.OpenI2c(1, 0x62), "I2C bus 1, address 0x62", options ?? new Scd41Options(), clock);
}

/// <summary>A SCD41: a measurement every 5 s, given once; measuring it refuses what may only be said at rest.</summary>
internal sealed class SimulatedScd41(TimeProvider time) : SimulatedSensirionPart
{
    private DateTimeOffset next = DateTimeOffset.MaxValue;
    private bool ready;

    public bool Measuring { get; set; }

    public bool Stalled { get; set; }

    public int Ppm { get; set; } = 500;

    public int Temperature { get; set; } = 0x6667;

    public int Humidity { get; set; } = 0x5EB9;

    public int Automatic { get; set; } = 1;

    public int Altitude { get; set; }

    /// <summary>Negative: does not know the question.</summary>
    public int Variant { get; set; } = 0x1440;

    public int Measurements { get; private set; }

    public int Reads { get; private set; }

    public void Drop() => ready = false;

    public void PowerOn() => (Measuring, ready) = (false, false);

    protected override byte[]? OnCommand(int command, ushort[] words)
    {
        while (Measuring && time.GetUtcNow() >= next)
        {
            next += TimeSpan.FromSeconds(5);
            if (!Stalled)
            {
                Measurements += ready ? 0 : 1;
                ready = true;
            }
        }

        if (Measuring && command is not (0x3F86 or 0xEC05 or 0xE4B8 or 0xE000))
        {
            throw new IOException("Error 121 performing I2C data transfer.");
        }

        switch (command)
        {
            case 0x36F6:
                // Awake it does not know the word.
                throw new IOException("Error 121 performing I2C data transfer.");
            case 0x3F86:
                (Measuring, ready) = (false, false);
                return null;
            case 0x21B1:
                (Measuring, next) = (true, time.GetUtcNow().AddSeconds(5));
                return null;
            case 0xE4B8:
                return Words(ready ? 0x8006 : 0x8000);
            case 0xEC05 when ready:
                ready = false;
                Reads++;
                return Words(Ppm, Temperature, Humidity);
            case 0x3682:
                return Words(0xF896, 0x9F07, 0x3BBE);
            case 0x202F when Variant >= 0:
                return Words(Variant);
            case 0x2313:
                return Words(Automatic);
            case 0x2416:
                Automatic = words[0];
                return null;
            case 0x2427:
                Altitude = words[0];
                return null;
            default:
                throw new IOException("Error 121 performing I2C data transfer.");
        }
    }
}
