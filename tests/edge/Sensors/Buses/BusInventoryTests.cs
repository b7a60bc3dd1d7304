using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Tests.Weather;
using Hub.Tests.Kit;

namespace Hub.Edge.Sensors.Tests.Buses;

public sealed class BusInventoryTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Parts_ports_and_cards_are_listed_with_what_the_station_file_wants()
    {
        Touch("dev/i2c-1");
        Touch("dev/spidev0.1");
        Touch("dev/ttyUSB0");
        Touch("dev/ttyAMA0");
        Touch("dev/gpiochip0");
        Directory.CreateDirectory(folder.File("dev/serial/by-id"));
        File.CreateSymbolicLink(folder.File("dev/serial/by-id/usb-dust"), folder.File("dev/ttyUSB0"));
        Directory.CreateDirectory(folder.File("proc/asound/mic/pcm0c"));
        Directory.CreateDirectory(folder.File("proc/asound/vc4hdmi/pcm0p"));
        File.WriteAllText(folder.File("proc/asound/cards"), " 0 [vc4hdmi        ]: vc4-hdmi - vc4-hdmi\n                      vc4-hdmi\n 1 [mic            ]: simple-card - a microphone\n");
        var buses = new SimulatedBuses(TimeProvider.System);
        buses.I2c[(1, 0x76)] = new SimulatedBme280();
        buses.I2c[(1, 0x48)] = new SimulatedBme280();

        List<FoundInstrument> found = [.. new BusInventory(buses, folder.Path).Find(TestContext.Current.CancellationToken)];

        Assert.Equal(
            [
                ("I2C bus 1", "0x48", "bus: { i2c: 1, address: \"0x48\" }"), ("I2C bus 1", "0x76", "bus: { i2c: 1, address: \"0x76\" }"), ("SPI bus 0", "chip select 1", "bus: { spi: 0, chipSelect: 1 }"),
                ("serial port", "/dev/serial/by-id/usb-dust", "bus: { serial: /dev/serial/by-id/usb-dust }"), ("serial port", "/dev/ttyAMA0", "bus: { serial: /dev/ttyAMA0 }"),
                ("sound card", "hw:CARD=vc4hdmi", ""), ("sound card", "hw:CARD=mic", "microphone: { device: \"hw:CARD=mic\" }"), ("GPIO chip", "/dev/gpiochip0", "bus: { pins: [17] }"),
            ],
            found.Select(one => (one.Bus, one.Where, one.Wiring)));
        Assert.Equal(["bme280"], found[1].Kinds);
        Assert.Equal(["alphasenseb4", "ina219"], found[0].Kinds);
        Assert.Contains("sds011", found[3].Kinds);
        Assert.Equal(["microphone"], found[6].Kinds);
    }

    [Fact]
    public void A_bus_nobody_answers_on_and_one_that_may_not_be_used_say_so()
    {
        Touch("dev/i2c-0");
        FoundInstrument silent = Assert.Single(new BusInventory(new SimulatedBuses(TimeProvider.System), folder.Path).Find(TestContext.Current.CancellationToken));
        Assert.Equal(("I2C bus 0", "nothing answers"), (silent.Bus, silent.What));

        FoundInstrument forbidden = Assert.Single(new BusInventory(new ForbiddenBuses(), folder.Path).Find(TestContext.Current.CancellationToken));
        Assert.Contains("group i2c", forbidden.What, StringComparison.Ordinal);
        Assert.Empty(forbidden.Wiring);
    }

    [Fact]
    public void A_machine_without_buses_has_nothing() =>
        Assert.Empty(new BusInventory(new SimulatedBuses(TimeProvider.System), folder.Path).Find(TestContext.Current.CancellationToken));

    private void Touch(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder.File(file))!);
        File.WriteAllText(folder.File(file), "");
    }

    private sealed class ForbiddenBuses : IBuses
    {
        public System.Device.I2c.I2cDevice OpenI2c(int bus, int address) => throw new SensorException("Cannot open I2C bus 0: permission denied. Let the agent's user into the group i2c.");

        public System.Device.Spi.SpiDevice OpenSpi(System.Device.Spi.SpiConnectionSettings settings) => throw new SensorException("no");

        public System.Device.Gpio.GpioController OpenGpio() => throw new SensorException("no");

        public ISerialPort OpenSerial(string path, int baudRate) => throw new SensorException("no");
    }
}
