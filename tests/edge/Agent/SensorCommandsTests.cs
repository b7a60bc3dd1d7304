using System.Collections;
using Hub.Edge.Sensors.Buses;
using Hub.Tests.Kit;

namespace Hub.Edge.Agent.Tests;

/// <summary>What an installer asks before there is a hub or a secret.</summary>
public sealed class SensorCommandsTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Test_prints_values_with_units_and_ends_after_the_looks_asked_for()
    {
        Assert.Equal(0, await TestAsync("- { name: air, kind: simulated, simulated: { quantities: [pm10, temperature], interval: 00:00:01 } }", "--sensor", "air", "--count", "2"));
        var lines = _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length >= 4, _output.ToString());
        Assert.Matches(@"^\d\d:\d\d:\d\dZ  air/pm10  -?[\d.]+ µg/m³", lines[0]);
        Assert.Matches(@"^\d\d:\d\d:\d\dZ  air/temperature  -?[\d.]+ °C", lines[1]);
        Assert.Empty(_error.ToString());
        Assert.False(Directory.Exists(_folder.File("agent-data")), "nothing is stored");
    }

    [Fact]
    public async Task A_device_that_is_not_there_is_one_line_and_code_1()
    {
        Assert.Equal(1, await TestAsync("- { name: dust, kind: sds011, bus: { serial: /dev/no-such-port } }"));
        var line = Assert.Single(_error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("/dev/no-such-port", line, StringComparison.Ordinal);
        Assert.Contains("hub-agent sensors", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("- { name: air, kind: simulated }", "The station file has: air", "--sensor", "noise")]
    [InlineData("[]", "has no sensors")]
    [InlineData("- { name: air, kind: simulatd }", "Kind")]
    public async Task A_sensor_there_is_not_or_cannot_be_is_code_2(string sensors, string expected, params string[] more)
    {
        Assert.Equal(2, await TestAsync(sensors, more));
        Assert.Contains(expected, _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("air-basic", "", "i2c:bme280", "serial:sds011,pms5003,sps30", "gpio:raingauge")]
    [InlineData("air-basic", "sds011", "i2c:bme280")]
    [InlineData("traffic-radar", "", "serial:ops243,tfluna")]
    [InlineData("noise-mems", "", "sound:microphone")]
    [InlineData("", "")]
    [InlineData("", "", "i2c:")]
    public void The_profile_that_fits_is_named(string expected, string lacks, params string[] buses)
    {
        var found = buses.Select(bus => bus.Split(':')).Select(part => new FoundInstrument(
            part[0] == "serial" ? BusInventory.SerialPort : part[0], "", "", part[1].Split(',', StringSplitOptions.RemoveEmptyEntries), "")).ToList();
        var profiles = StationProfile.Of(Path.Combine(Repository.Root, "firmware-config", "stations"));
        Assert.Equal(7, profiles.Count);
        var ranked = ProfileFit.Rank(profiles, found);
        if (expected.Length == 0)
        {
            Assert.Empty(ranked);
            return;
        }

        Assert.Contains(ranked.TakeWhile(profile => profile.Lacks.Count == ranked[0].Lacks.Count), profile => profile.Profile == expected && string.Join(",", profile.Lacks) == lacks);
    }

    [Fact]
    public void One_serial_port_is_one_instrument()
    {
        StationProfile[] profiles = [new("two", ["sps30", "ops243", "board"]), new("one", ["sps30"])];
        FoundInstrument[] port = [new(BusInventory.SerialPort, "/dev/serial0", "", ["sps30", "ops243"], "")];
        Assert.Equal(["one: ", "two: ops243"], ProfileFit.Rank(profiles, port).Select(profile => $"{profile.Profile}: {string.Join(",", profile.Lacks)}"));
        Assert.Equal(["two: ", "one: "], ProfileFit.Rank(profiles, [.. port, .. port.Select(one => one with { Where = "/dev/ttyUSB0" })]).Select(profile => $"{profile.Profile}: {string.Join(",", profile.Lacks)}"));
    }

    [Fact]
    public void A_machine_without_buses_is_told_where_to_switch_them_on()
    {
        Assert.Equal(0, SensorCommands.List(new BusInventory(new NoBuses(), _folder.Path), [], _output, Cancel));
        Assert.Contains("raspi-config", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_found_is_said_with_what_to_write()
    {
        Directory.CreateDirectory(_folder.File("dev"));
        File.WriteAllText(_folder.File("dev/ttyUSB0"), "");
        Assert.Equal(0, SensorCommands.List(new BusInventory(new NoBuses(), _folder.Path), [], _output, Cancel));
        Assert.Contains("/dev/ttyUSB0", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("sds011", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("station file: bus: { serial: /dev/ttyUSB0 }", _output.ToString(), StringComparison.Ordinal);
    }

    private async Task<int> TestAsync(string sensors, params string[] more)
    {
        var file = _folder.File("station.yaml");
        var list = sensors == "[]" ? " []" : $"\n  {sensors}";
        await File.WriteAllTextAsync(file, $"municipality: braga\nstation: avenida\nsensors:{list}\n", Cancel);
        return await AgentCommands.InvokeAsync(["test", "--station-file", file, .. more], new Hashtable(), _output, _error, Cancel);
    }

    private sealed class NoBuses : IBuses
    {
        public System.Device.I2c.I2cDevice OpenI2c(int bus, int address) => throw new Hub.Edge.Sensors.SensorException("none");

        public System.Device.Spi.SpiDevice OpenSpi(System.Device.Spi.SpiConnectionSettings settings) => throw new Hub.Edge.Sensors.SensorException("none");

        public System.Device.Gpio.GpioController OpenGpio() => throw new Hub.Edge.Sensors.SensorException("none");

        public ISerialPort OpenSerial(string path, int baudRate) => throw new Hub.Edge.Sensors.SensorException("none");
    }
}
