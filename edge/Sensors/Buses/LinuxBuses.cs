using System.Device.Gpio;
using System.Device.I2c;
using System.Device.Spi;

namespace Hub.Edge.Sensors.Buses;

/// <summary>The machine's own buses, on Linux.</summary>
internal sealed class LinuxBuses(TimeProvider time) : IBuses
{
    /// <inheritdoc/>
    public I2cDevice OpenI2c(int bus, int address) =>
        Open($"I2C bus {bus} (/dev/i2c-{bus})", "switch the bus on (dtparam=i2c_arm=on) and let the agent's user into the group i2c", () => I2cDevice.Create(new I2cConnectionSettings(bus, address)));

    /// <inheritdoc/>
    public SpiDevice OpenSpi(SpiConnectionSettings settings) =>
        Open(
            $"SPI bus {settings.BusId} (/dev/spidev{settings.BusId}.{settings.ChipSelectLine})", "switch the bus on (dtparam=spi=on) and let the agent's user into the group spi",
            () => SpiDevice.Create(settings));

    /// <inheritdoc/>
    public GpioController OpenGpio() => Open("the GPIO chip", "install the package libgpiod2 (libgpiod3 from Debian 13 on) and let the agent's user into the group gpio", () => new GpioController());

    /// <inheritdoc/>
    public ISerialPort OpenSerial(string path, int baudRate) => TermiosPort.Open(path, baudRate, time);

    private static T Open<T>(string what, string mend, Func<T> open)
    {
        try
        {
            return open();
        }
#pragma warning disable CA1031 // The package throws IOException, GpiodException, PlatformNotSupportedException and more, by version and chip.
        catch (Exception exception)
        {
            // The runtime's words for a missing library are a screen long.
            string cause = exception.GetBaseException() is DllNotFoundException ? "its library is not installed" : exception.GetBaseException().Message.TrimEnd('.');
            throw new SensorException($"Cannot open {what}: {cause}. Check the wiring, {mend}.", exception);
        }
#pragma warning restore CA1031
    }
}
