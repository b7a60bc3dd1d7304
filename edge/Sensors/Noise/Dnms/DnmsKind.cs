using System.Globalization;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Noise.Dnms;

/// <summary>Kind <c>dnms</c>, on I2C (0x55). Each look is a second, whose levels combine to the minute by energy.</summary>
internal sealed class DnmsKind() : DeviceKind("dnms", new DeviceTiming(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)))
{
    private const int StandardAddress = 0x55;

    /// <inheritdoc/>
    public override IReadOnlyList<int> Addresses => [StandardAddress];

    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key) => I2cFailures(bus, StandardAddress, key);

    /// <inheritdoc/>
    protected override IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context)
    {
        int address = Address(bus, StandardAddress);
        return new DnmsDevice(
            () => context.Buses.OpenI2c(bus.I2c!.Value, address), string.Create(CultureInfo.InvariantCulture, $"I2C bus {bus.I2c}, address 0x{address:x2}"), context.Time);
    }
}
