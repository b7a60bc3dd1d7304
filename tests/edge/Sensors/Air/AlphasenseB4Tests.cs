using CsCheck;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Air.AlphasenseB4;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;

namespace Hub.Edge.Sensors.Tests.Air;

public sealed class AlphasenseB4Tests
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private readonly WaitedClock clock = new(Noon);
    private readonly SimulatedAds1115 first = new();
    private readonly SimulatedAds1115 second = new();
    private readonly SimulatedBuses buses;

    public AlphasenseB4Tests()
    {
        buses = new SimulatedBuses(clock);
        buses.I2c[(1, 0x48)] = first;
        buses.I2c[(1, 0x49)] = second;

        // NO2 and OX on the first converter; the thermistor at 25 °C on the second.
        first.Millivolts = [250, 240, 400, 380];
        second.Millivolts = [0, 0, 0, 1650];
    }

    [Fact]
    public void Configuration_and_step_are_the_data_sheets()
    {
        Assert.Equal(0xC383, Ads1115.Configure(0, 4.096));
        Assert.Equal(0xF183, Ads1115.Configure(3, 6.144));
        Assert.Equal(0xDB83, Ads1115.Configure(1, 0.256));
        Assert.Equal(0.125, Ads1115.Millivolts(1, 4.096), 12);
        Assert.Equal(-4096, Ads1115.Millivolts(short.MinValue, 4.096), 9);
    }

    /// <summary>Worked by hand: WE 250 - 230 = 20 mV, AE 240 - 232 = 8 mV, zeros 6 and 4 mV, factor 1.5, 0.25 mV/ppb.</summary>
    [Theory]
    [InlineData(1, (20 - (1.5 * 8)) / 0.25)]
    [InlineData(2, (20 - (1.5 * (6.0 / 4) * 8)) / 0.25)]
    [InlineData(3, (20 - (6 - 4) - (1.5 * 8)) / 0.25)]
    [InlineData(4, (20 - 6 - 1.5) / 0.25)]
    public void The_four_formulas_are_those_of_the_note(int algorithm, double ppb) => Assert.Equal(ppb, new AlphasenseCell(No2(algorithm)).Ppb(250, 240, 20), 9);

    [Fact]
    public void Factors_lie_on_straight_lines_and_stay_beyond_the_table()
    {
        AlphasenseCellOptions options = No2();
        options.Factors.Clear();
        foreach (double factor in (double[])[1.3, 1.3, 1.2, 1, 0.6, 0.4, 0.2, -1.5, -2])
        {
            options.Factors.Add(factor);
        }

        var cell = new AlphasenseCell(options);
        Assert.Equal([1.3, 1.25, 1, 0.8, 0.4, -0.65, -2, -2, 1.3], new double[] { -30, -15, 0, 5, 20, 35, 50, 90, -60 }.Select(celsius => Math.Round(cell.Factor(celsius), 9)));
        Gen.Double[-80, 100].Sample(celsius => Assert.InRange(cell.Factor(celsius), -2, 1.3));
    }

    [Fact]
    public void Masses_of_a_ppb_are_the_directives_at_20_degrees()
    {
        // M / 24.055: molar volume at 20 °C and 1013 hPa.
        foreach ((string gas, double molar, double scale) in new[] { ("no2", 46.0055, 1.0), ("o3", 47.9982, 1), ("so2", 64.066, 1), ("co", 28.010, 1000) })
        {
            Assert.Equal(molar / 24.055 / scale, AlphasenseCell.MassOfPpb[gas], 0.001 / scale);
        }
    }

    [Theory]
    [InlineData(1650, 25.0)]
    [InlineData(2543.5, 0.0)]
    public void Thermistor_of_a_plain_divider(double millivolts, double celsius) => Assert.Equal(celsius, AlphasenseCell.Celsius(millivolts, new ThermistorOptions())!.Value, 0.1);

    [Theory]
    [InlineData(0)]
    [InlineData(3300)]
    [InlineData(-5)]
    [InlineData(3299.99)]
    public void Open_or_shorted_it_has_no_temperature(double millivolts) => Assert.Null(AlphasenseCell.Celsius(millivolts, new ThermistorOptions()));

    [Fact]
    public async Task Concentrations_voltages_and_temperature_come_out()
    {
        await using AlphasenseB4Device device = Device(Options());
        List<Sample> samples = await DeviceRun.LookAsync(device, clock);
        Assert.Equal(
            ["no2", "no2_working_electrode", "no2_auxiliary_electrode", "o3", "o3_working_electrode", "o3_auxiliary_electrode", "temperature"], samples.Select(sample => sample.Property));
        Assert.All(samples, sample => Assert.True(QuantityCatalogue.TryGet(sample.Property, out _), sample.Property));
        Assert.All(samples, sample => Assert.Equal(Quality.Good, sample.Quality));

        // NO2: (20 - 1.5 x 8) / 0.25 = 32 ppb. OX: (400 - 370) - 1 x (380 - 375) = 25 mV; less 32 ppb x 0.3 mV/ppb = 15.4 mV; by 0.35 mV/ppb = 44 ppb.
        Assert.Equal(32 * 1.9125, samples[0].Value, 9);
        Assert.Equal((25 - (32 * 0.3)) / 0.35 * 1.9953, samples[3].Value, 9);
        Assert.Equal([250.0, 240.0, 400.0, 380.0], new[] { 1, 2, 4, 5 }.Select(index => samples[index].Value));
        Assert.Equal(25, samples[6].Value, 0.1);
    }

    [Fact]
    public async Task At_the_end_of_the_range_voltage_and_all_made_of_it_are_saturated()
    {
        first.Millivolts[0] = 9000;
        await using AlphasenseB4Device device = Device(Options());
        Dictionary<string, Quality> qualities = (await DeviceRun.LookAsync(device, clock)).ToDictionary(sample => sample.Property, sample => sample.Quality);
        Assert.Equal(["no2", "no2_working_electrode", "o3"], qualities.Where(entry => entry.Value == Quality.Saturated).Select(entry => entry.Key));
    }

    [Fact]
    public async Task Beyond_the_table_of_factors_gases_are_flagged_and_without_a_temperature_there_are_none()
    {
        second.Millivolts[3] = 700;
        await using AlphasenseB4Device device = Device(Options());
        List<Sample> hot = await DeviceRun.LookAsync(device, clock);
        Assert.True(hot[^1].Value > 50);
        Assert.Equal(["no2", "o3"], hot.Where(sample => sample.Quality == Quality.OutOfRange).Select(sample => sample.Property));
        second.Millivolts[3] = 3300;
        Assert.Equal("thermistor", (await Assert.ThrowsAsync<NoSampleException>(() => DeviceRun.LookAsync(device, clock, start: false))).Reason);
    }

    [Fact]
    public async Task Another_part_one_that_hangs_and_one_that_is_gone_are_told_apart()
    {
        await using AlphasenseB4Device device = Device(Options());
        await DeviceRun.LookAsync(device, clock);
        first.Hangs = true;
        Assert.Equal("not ready", (await Assert.ThrowsAsync<NoSampleException>(() => DeviceRun.LookAsync(device, clock, start: false))).Reason);
        (first.Hangs, first.Unplugged) = (false, true);
        await Assert.ThrowsAsync<IOException>(() => DeviceRun.LookAsync(device, clock, start: false));
        first.Unplugged = false;
        first.Millivolts[0] = 255;
        Assert.Equal(255, (await DeviceRun.LookAsync(device, clock, start: false))[1].Value, 9);

        buses.I2c[(1, 0x49)] = new OtherPart();
        await using AlphasenseB4Device other = Device(Options());
        Assert.Contains("I2C bus 1, address 0x49 is no ADS1115", (await Assert.ThrowsAsync<SensorException>(() => DeviceRun.LookAsync(other, clock))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_right_station_file_is_taken() => Assert.Empty(DeviceRun.Failures(Sensor(Options())));

    public static TheoryData<string, Action<AlphasenseB4Options>> Mistakes => new()
    {
        { "AlphasenseB4:FullScale is 5", options => options.FullScale = 5 },
        { "AlphasenseB4:WarmUp", options => options.WarmUp = TimeSpan.FromDays(2) },
        { "AlphasenseB4:Cells has 0", options => options.Cells.Clear() },
        { "AlphasenseB4:Cells has 'no2' twice", options => options.Cells.Add(No2()) },
        { "AlphasenseB4:Cells:1:Gas is 'o3'", options => options.Cells.RemoveAt(0) },
        { "AlphasenseB4:Cells:0:Gas is 'no'", options => options.Cells[0].Gas = "no" },
        { "AlphasenseB4:Cells:0:Adc is '0x50'", options => options.Cells[0].Adc = "0x50" },
        { "AlphasenseB4:Cells:0:WorkingChannel", options => options.Cells[0].AuxiliaryChannel = 0 },
        { "AlphasenseB4:Cells:0:Algorithm is 5", options => options.Cells[0].Algorithm = 5 },
        { "AlphasenseB4:Cells:0:Factors has 8", options => options.Cells[0].Factors.RemoveAt(0) },
        { "AlphasenseB4:Cells:0:WorkingElectronicZero", options => options.Cells[0].WorkingElectronicZero = null },
        { "AlphasenseB4:Cells:0:AuxiliaryElectronicZero", options => options.Cells[0].AuxiliaryElectronicZero = double.NaN },
        { "AlphasenseB4:Cells:0:WorkingSensorZero", options => (options.Cells[0].Algorithm, options.Cells[0].WorkingSensorZero) = (4, null) },
        { "AlphasenseB4:Cells:0:AuxiliarySensorZero is missing", options => (options.Cells[0].Algorithm, options.Cells[0].AuxiliarySensorZero) = (3, null) },
        { "AlphasenseB4:Cells:0:AuxiliarySensorZero is 0", options => (options.Cells[0].Algorithm, options.Cells[0].AuxiliarySensorZero) = (2, 0) },
        { "AlphasenseB4:Cells:0:Sensitivity is -1", options => options.Cells[0].Sensitivity = -1 },
        { "AlphasenseB4:Cells:0:Sensitivity is missing", options => options.Cells[0].Sensitivity = null },
        { "AlphasenseB4:Cells:1:SensitivityNo2", options => options.Cells[1].SensitivityNo2 = null },
        { "AlphasenseB4:Thermistor is missing", options => options.Thermistor = null },
        { "AlphasenseB4:Thermistor:Channel is 4", options => options.Thermistor!.Channel = 4 },
        { "AlphasenseB4:Thermistor:Channel is 3, which a cell has", options => options.Thermistor!.Adc = "0x48" },
        { "AlphasenseB4:Thermistor: give", options => options.Thermistor!.Beta = 0 },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Each_mistake_is_refused_with_its_key(string expected, Action<AlphasenseB4Options> mistake)
    {
        AlphasenseB4Options options = Options();
        mistake(options);

        // Without its first cell the second one moves up.
        string key = expected.Contains("'o3'", StringComparison.Ordinal) ? expected.Replace(":1:", ":0:", StringComparison.Ordinal) : expected;
        Assert.Contains(DeviceRun.Failures(Sensor(options)), failure => failure.StartsWith($"Agent:Sensors:0:{key}", StringComparison.Ordinal));
    }

    private static SensorOptions Sensor(AlphasenseB4Options options) => new() { Name = "gas", Kind = "alphasenseb4", Bus = new BusOptions { I2c = 1 }, AlphasenseB4 = options };

    private static AlphasenseB4Options Options()
    {
        var options = new AlphasenseB4Options { Thermistor = new ThermistorOptions { Adc = "0x49", Channel = 3 } };
        options.Cells.Add(No2());
        var ozone = new AlphasenseCellOptions
        {
            Gas = "o3", WorkingChannel = 2, AuxiliaryChannel = 3, WorkingElectronicZero = 370, AuxiliaryElectronicZero = 375, Sensitivity = 0.35, SensitivityNo2 = 0.3,
        };
        options.Cells.Add(ozone);
        foreach (double _ in AlphasenseCell.FactorsAt)
        {
            ozone.Factors.Add(1);
        }

        return options;
    }

    private static AlphasenseCellOptions No2(int algorithm = 1)
    {
        var options = new AlphasenseCellOptions
        {
            Gas = "no2", WorkingChannel = 0, AuxiliaryChannel = 1, WorkingElectronicZero = 230, AuxiliaryElectronicZero = 232, WorkingSensorZero = 6, AuxiliarySensorZero = 4,
            Sensitivity = 0.25, Algorithm = algorithm,
        };
        foreach (double _ in AlphasenseCell.FactorsAt)
        {
            options.Factors.Add(1.5);
        }

        return options;
    }

    private AlphasenseB4Device Device(AlphasenseB4Options options) => new(
        address => new Ads1115(buses.OpenI2c(1, address), options.FullScale, $"I2C bus 1, address 0x{address:x2}", clock), options, adc => adc == "0x49" ? 0x49 : 0x48);
}

/// <summary>A register map that behaves as an ADS1115: writing the configuration begins a conversion, which is there at the second look.</summary>
internal sealed class SimulatedAds1115 : SimulatedI2cPart
{
    private static readonly double[] FullScales = [6144, 4096, 2048, 1024, 512, 256, 256, 256];
    private int pointer;
    private int configuration = 0x8583;
    private short conversion;
    private bool converting;

    /// <summary>At the four inputs.</summary>
    public double[] Millivolts { get; set; } = new double[4];

    public bool Hangs { get; set; }

    public override void OnWrite(ReadOnlySpan<byte> bytes)
    {
        pointer = bytes[0];
        if (bytes.Length == 3 && pointer == 1)
        {
            configuration = ((bytes[1] << 8) | bytes[2]) & 0x7FFF;
            Assert.Equal(4, (configuration >> 12) & 4);
            converting = true;
            conversion = (short)Math.Clamp(Math.Round(Millivolts[(configuration >> 12) & 3] * 32768 / FullScales[(configuration >> 9) & 7]), short.MinValue, short.MaxValue);
        }
    }

    public override void OnRead(Span<byte> bytes)
    {
        int value = pointer == 0 ? (ushort)conversion : configuration | (converting ? 0 : 0x8000);
        converting = Hangs;
        (bytes[0], bytes[1]) = ((byte)(value >> 8), (byte)value);
    }
}
