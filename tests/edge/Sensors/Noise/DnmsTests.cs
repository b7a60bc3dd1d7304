using System.Buffers.Binary;
using System.Text;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Noise.Dnms;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;

namespace Hub.Edge.Sensors.Tests.Noise;

public sealed class DnmsTests
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private readonly WaitedClock clock = new(Noon);
    private readonly SimulatedDnms part = new();
    private readonly SimulatedBuses buses;

    public DnmsTests()
    {
        buses = new SimulatedBuses(clock);
        buses.I2c[(1, 0x55)] = part;
    }

    [Fact]
    public async Task Levels_since_the_last_look_come_out_and_those_before_the_start_do_not()
    {
        part.Levels.Enqueue([80, 30, 99]);
        part.Levels.Enqueue([55.5f, 40.25f, 70.75f]);
        part.Levels.Enqueue([60, 41, 71]);
        await using DnmsDevice device = Device();
        Assert.Equal([("laeq", 55.5), ("lafmax", 70.75), ("lafmin", 40.25)], (await DeviceRun.LookAsync(device, clock)).Select(sample => (sample.Property, sample.Value)));
        Assert.Equal([60.0, 71, 41], (await DeviceRun.LookAsync(device, clock, start: false)).Select(sample => sample.Value));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(float.NaN, 40, 70)]
    [InlineData(55, 60, 70)]
    [InlineData(75, 40, 70)]
    [InlineData(55, 40, 200)]
    public async Task Levels_that_cannot_be_are_no_values(float equivalent, float min, float max)
    {
        await using DnmsDevice device = Device();
        await DeviceRun.LookAsync(device, clock);
        part.Levels.Enqueue([equivalent, min, max]);
        Assert.Equal("not measured", (await Assert.ThrowsAsync<NoSampleException>(() => DeviceRun.LookAsync(device, clock, start: false))).Reason);
    }

    [Fact]
    public async Task A_wrong_CRC_or_no_answer_in_time_is_no_value_and_no_old_one()
    {
        await using DnmsDevice device = Device();
        await DeviceRun.LookAsync(device, clock);
        part.Damaged = true;
        Assert.Equal("checksum", (await Assert.ThrowsAsync<NoSampleException>(() => DeviceRun.LookAsync(device, clock, start: false))).Reason);
        (part.Damaged, part.Hangs) = (false, true);
        Assert.Equal("not ready", (await Assert.ThrowsAsync<NoSampleException>(() => DeviceRun.LookAsync(device, clock, start: false))).Reason);
        part.Hangs = false;
        part.Levels.Enqueue([61, 51, 71]);
        Assert.Equal(61, (await DeviceRun.LookAsync(device, clock, start: false))[0].Value);
    }

    [Fact]
    public async Task Unplugged_or_with_the_bus_busy_it_fails_and_comes_back()
    {
        await using (DnmsDevice device = Device())
        {
            await DeviceRun.LookAsync(device, clock);
            part.Unplugged = true;
            await Assert.ThrowsAsync<IOException>(() => DeviceRun.LookAsync(device, clock, start: false));
            (part.Unplugged, part.Busy) = (false, true);
            await Assert.ThrowsAsync<IOException>(() => DeviceRun.LookAsync(device, clock, start: false));
        }

        part.Busy = false;
        await using DnmsDevice again = Device();
        Assert.Equal(3, (await DeviceRun.LookAsync(again, clock)).Count);
    }

    [Fact]
    public async Task Somebody_else_is_named()
    {
        part.Version = "EEPROM 1.0        ";
        await using DnmsDevice device = Device();
        Assert.Contains("it calls itself 'EEPROM 1.0", (await Assert.ThrowsAsync<SensorException>(() => DeviceRun.LookAsync(device, clock))).Message, StringComparison.Ordinal);
        buses.I2c[(1, 0x55)] = new OtherPart();
        await using DnmsDevice other = Device();
        Assert.Contains("I2C bus 1, address 0x55", (await Assert.ThrowsAsync<SensorException>(() => DeviceRun.LookAsync(other, clock))).Message, StringComparison.Ordinal);
    }

    /// <summary>Sixty looks a minute combine by energy, the extremes as extremes.</summary>
    [Fact]
    public async Task A_minute_is_the_energy_mean_of_its_seconds()
    {
        ISensor sensor = DeviceRun.Sensor(new SensorOptions { Name = "noise", Kind = "dnms", Bus = new BusOptions { I2c = 1 } }, buses, clock);
        part.Next = n => n % 2 == 0 ? [50, 45, 65] : [70, 48, 80];
        await using var run = new SensorRun(sensor, clock);
        MeasurementBatch? batch;
        while ((batch = await run.NextAsync()) is null || batch.Value.Measurements.Span[0].Coverage < 0.95)
        {
            clock.Pass(TimeSpan.FromMilliseconds(10));
        }

        Dictionary<string, double> values = batch.Value.Measurements.ToArray().ToDictionary(measurement => measurement.Property, measurement => measurement.Value);
        Assert.Equal(10 * Math.Log10((1e5 + 1e7) / 2), values["laeq"], 0.2);
        Assert.Equal((80, 45), (values["lafmax"], values["lafmin"]));
    }

    [Fact]
    public void What_is_missing_in_the_station_file_is_named() =>
        Assert.Contains("Agent:Sensors:0:Bus:I2c is missing", Assert.Single(DeviceRun.Failures(new SensorOptions { Name = "a", Kind = "dnms" })), StringComparison.Ordinal);

    private DnmsDevice Device() => new(() => buses.OpenI2c(1, 0x55), "I2C bus 1, address 0x55", clock);
}

/// <summary>A DNMS: its levels are there at the second look after it was told to calculate them.</summary>
internal sealed class SimulatedDnms : SimulatedSensirionPart
{
    private float[] levels = [0, 0, 0];
    private int calculated;
    private int polls;

    public string Version { get; set; } = "DNMS Version 5.0  ";

    public bool Hangs { get; set; }

    /// <summary>Levels of the next intervals: LAeq, smallest, largest.</summary>
    public Queue<float[]> Levels { get; } = [];

    public Func<int, float[]> Next { get; set; } = _ => [50, 40, 60];

    protected override byte[]? OnCommand(int command, ushort[] words)
    {
        switch (command)
        {
            case 0x0002:
                return Encoding.ASCII.GetBytes(Version);
            case 0x0003:
                levels = Levels.Count > 0 ? Levels.Dequeue() : Next(calculated++);
                polls = 0;
                return null;
            case 0x0004:
                return Words(!Hangs && polls++ > 0 ? 1 : 0);
            case 0x0005:
                var bytes = new byte[12];
                for (int index = 0; index < 3; index++)
                {
                    BinaryPrimitives.WriteSingleBigEndian(bytes.AsSpan(4 * index), levels[index]);
                }

                return bytes;
            default:
                throw new IOException("Error 121 performing I2C data transfer.");
        }
    }
}
