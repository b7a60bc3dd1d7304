using System.Device.Spi;
using System.Globalization;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Weather.Bme280;

/// <summary>Kind <c>bme280</c>, on I2C (0x76, or 0x77 with SDO high) or SPI.</summary>
internal sealed class Bme280Kind() : DeviceKind("bme280", new DeviceTiming(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1)))
{
    private const int StandardAddress = 0x76;
    private const int SpiClockHertz = 1_000_000;

    /// <inheritdoc/>
    public override IReadOnlyList<int> Addresses => [StandardAddress, StandardAddress + 1];

    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key)
    {
        if (bus.Spi is null)
        {
            return I2cFailures(bus, StandardAddress, key);
        }

        return bus.I2c is null && bus.Spi is >= 0 and <= 9 && bus.ChipSelect is >= 0 and <= 9
            ? []
            : [$"{key}:Bus: give either i2c (and address), or spi (0 to 9) and chipSelect (0 to 9)."];
    }

    /// <inheritdoc/>
    protected override IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context)
    {
        if (bus.Spi is { } spi)
        {
            return new Bme280Device(
                () => new Bme280SpiRegisters(context.Buses.OpenSpi(SpiSettings(bus, SpiClockHertz, SpiMode.Mode0))),
                string.Create(CultureInfo.InvariantCulture, $"SPI bus {spi}, chip select {bus.ChipSelect}"), context.Time);
        }

        int address = Address(bus, StandardAddress);
        return new Bme280Device(
            () => new Bme280I2cRegisters(context.Buses.OpenI2c(bus.I2c!.Value, address)),
            string.Create(CultureInfo.InvariantCulture, $"I2C bus {bus.I2c}, address 0x{address:x2}"), context.Time);
    }
}
