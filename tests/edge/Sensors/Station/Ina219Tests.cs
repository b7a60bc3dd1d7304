using System.Buffers.Binary;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Station.Ina219;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;

namespace Hub.Edge.Sensors.Tests.Station;

public sealed class Ina219Tests
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private readonly WaitedClock clock = new(Noon);
    private readonly SimulatedIna219 part = new();
    private readonly SimulatedBuses buses;

    public Ina219Tests()
    {
        buses = new SimulatedBuses(clock);
        buses.I2c[(1, 0x40)] = part;
    }

    /// <summary>Data sheet SBOS448, programming example: 2 milliohms, 1 mA a count, calibration 5000h; 5D98h is 11.98 V, 07D0h 20 mV, 2710h 10 A, 1766h 119.8 W.</summary>
    [Fact]
    public void The_data_sheets_worked_example_comes_out()
    {
        Ina219Calibration calibration = Ina219Calibration.For(0.002, 0.001 * 32768)!.Value;
        Assert.Equal(0x5000, calibration.Register);
        Assert.Equal(0.001, calibration.CurrentLsb, 12);
        Assert.Equal(11.98, Ina219Calibration.BusVolts(0x5D98), 9);
        Assert.Equal(0.02, Ina219Calibration.ShuntVolts(0x07D0), 9);
        Assert.Equal(10, calibration.Amperes(0x2710), 9);
        Assert.Equal(119.8, calibration.Watts(0x1766), 9);
    }

    [Theory]
    [InlineData(0.1, 2, 3)]
    [InlineData(0.1, 0.4, 0)]
    [InlineData(0.1, 0.8, 1)]
    [InlineData(0.01, 16, 2)]
    public void Any_shunt_is_calibrated_within_its_range(double ohms, double amperes, int gain)
    {
        Ina219Calibration calibration = Ina219Calibration.For(ohms, amperes)!.Value;
        Assert.Equal(gain, calibration.Gain);
        Assert.Equal(0, calibration.Register & 1);

        // The part computes current = shunt counts x calibration / 4096: 5 mV must come out as 5 mV over the shunt.
        int counts = 500 * calibration.Register / 4096;
        Assert.Equal(0.005 / ohms, calibration.Amperes((ushort)counts), calibration.CurrentLsb * 1.01);
        Assert.True(calibration.Amperes(0x7FFF) >= amperes * 0.999);
    }

    [Fact]
    public void What_does_not_fit_the_part_is_refused()
    {
        Assert.Null(Ina219Calibration.For(0.1, 3.3));
        Assert.Null(Ina219Calibration.For(0.1, 0.1));
        Assert.Null(Ina219Calibration.For(0.1, double.NaN));
        Assert.Null(Ina219Calibration.For(0.1, 0));
    }

    [Fact]
    public async Task A_battery_is_volts_amperes_and_watts_and_charging_is_negative()
    {
        await using IDevice device = Device();
        (part.Volts, part.Amperes) = (12.6, 0.5);
        List<Sample> samples = await DeviceRun.LookAsync(device, clock);
        Assert.Equal(["battery", "supply_current", "supply_power"], samples.Select(s => s.Property));
        Assert.Equal((12.6, 0.5, 6.3), (Math.Round(samples[0].Value, 3), Math.Round(samples[1].Value, 3), Math.Round(samples[2].Value, 2)));

        part.Amperes = -1.2;
        samples = await DeviceRun.LookAsync(device, clock, start: false);
        Assert.Equal(-1.2, samples[1].Value, 3);
        Assert.Equal(-15.12, samples[2].Value, 0.01);
        Assert.All(samples, s => Assert.Equal(Quality.Good, s.Quality));
    }

    [Fact]
    public async Task More_than_the_shunt_can_show_is_flagged()
    {
        await using IDevice device = Device();
        part.Amperes = 4;
        List<Sample> samples = await DeviceRun.LookAsync(device, clock);
        Assert.Equal([Quality.Good, Quality.Saturated, Quality.Saturated], samples.Select(s => s.Quality));
    }

    [Fact]
    public async Task A_part_that_was_reset_or_is_another_or_never_ready_is_said()
    {
        await using IDevice device = Device();
        await DeviceRun.LookAsync(device, clock);
        part.Hanging = true;
        Assert.Equal("not measured", (await Assert.ThrowsAsync<NoSampleException>(() => DeviceRun.LookAsync(device, clock, start: false))).Reason);
        part.Hanging = false;
        await DeviceRun.LookAsync(device, clock, start: false);
        part.Restart();
        Assert.Contains("was reset", (await Assert.ThrowsAsync<SensorException>(() => DeviceRun.LookAsync(device, clock, start: false))).Message, StringComparison.Ordinal);
        part.Unplugged = true;
        await Assert.ThrowsAsync<IOException>(() => DeviceRun.LookAsync(device, clock));
        part.Unplugged = false;
        await using IDevice again = Device();
        await DeviceRun.LookAsync(again, clock);
        part.ResetValue = 0x4127;
        await using IDevice other = Device();
        Assert.Contains("no INA219", (await Assert.ThrowsAsync<SensorException>(() => DeviceRun.LookAsync(other, clock))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_or_wrong_in_the_station_file_is_named()
    {
        Fails("Bus:I2c is missing", o => o.Bus = null);
        Fails("Supply:ShuntOhms is 0", o => o.Supply = new Ina219Options { ShuntOhms = 0 });
        Fails("Supply:CurrentMax is 5: with a shunt of 0.1 ohms give 0.2133 to 3.2 amperes", o => o.Supply = new Ina219Options { CurrentMax = 5 });

        static void Fails(string expected, Action<SensorOptions> change)
        {
            var options = new SensorOptions { Name = "battery", Kind = "ina219", Bus = new BusOptions { I2c = 1 } };
            Assert.Empty(DeviceRun.Failures(options));
            change(options);
            Assert.StartsWith($"Agent:Sensors:0:{expected}", Assert.Single(DeviceRun.Failures(options)), StringComparison.Ordinal);
        }
    }

    private Ina219Device Device() => new(() => buses.OpenI2c(1, 0x40), "I2C bus 1, address 0x40", Ina219Calibration.For(0.1, 2)!.Value, clock);
}

/// <summary>A register map that behaves as an INA219 with a shunt of 0.1 ohm: a triggered conversion puts what flows into its registers.</summary>
internal sealed class SimulatedIna219 : SimulatedI2cPart
{
    private readonly ushort[] registers = new ushort[6];
    private byte pointer;

    public ushort ResetValue { get; set; } = 0x399F;

    public double Volts { get; set; } = 12;

    public double Amperes { get; set; }

    public bool Hanging { get; set; }

    public void Restart()
    {
        Array.Clear(registers);
        registers[0] = ResetValue;
    }

    public override void OnWrite(ReadOnlySpan<byte> bytes)
    {
        pointer = bytes[0];
        if (bytes.Length != 3)
        {
            return;
        }

        ushort value = BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]);
        if (pointer == 0 && (value & 0x8000) != 0)
        {
            Restart();
            return;
        }

        registers[pointer] = pointer == 5 ? (ushort)(value & 0xFFFE) : value;
        if (pointer == 0 && (value & 7) == 3)
        {
            Convert();
        }
    }

    public override void OnRead(Span<byte> bytes) => BinaryPrimitives.WriteUInt16BigEndian(bytes, registers[pointer]);

    private void Convert()
    {
        int range = 4000 << ((registers[0] >> 11) & 3);
        int shunt = Math.Clamp((int)Math.Round(Amperes * 0.1 / 0.00001), -range, range);
        long current = (long)shunt * registers[5] / 4096;
        bool overflow = current is > short.MaxValue or < short.MinValue;
        int bus = (int)Math.Round(Volts / 0.004);
        registers[1] = (ushort)(short)shunt;
        registers[2] = (ushort)((bus << 3) | (Hanging ? 0 : 2) | (overflow ? 1 : 0));
        registers[4] = (ushort)(short)Math.Clamp(current, short.MinValue, short.MaxValue);
        registers[3] = (ushort)(Math.Abs((short)registers[4]) * bus / 5000);
    }
}
