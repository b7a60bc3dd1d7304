using System.Globalization;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Air.Scd41;

/// <summary>Kind <c>scd41</c>, on I2C (0x62).</summary>
internal sealed class Scd41Kind() : DeviceKind("scd41", new DeviceTiming(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1)))
{
    private const int StandardAddress = 0x62;
    private const int AltitudeMax = 3000;

    /// <inheritdoc/>
    public override IReadOnlyList<int> Addresses => [StandardAddress];

    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key)
    {
        foreach (string failure in I2cFailures(bus, StandardAddress, key))
        {
            yield return failure;
        }

        if (sensor.Scd41 is { Altitude: < 0 or > AltitudeMax } options)
        {
            yield return $"{key}:Scd41:Altitude is {options.Altitude}: give metres above the sea, 0 to {AltitudeMax}.";
        }
    }

    /// <inheritdoc/>
    protected override IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context)
    {
        int address = Address(bus, StandardAddress);
        return new Scd41Device(
            () => context.Buses.OpenI2c(bus.I2c!.Value, address), string.Create(CultureInfo.InvariantCulture, $"I2C bus {bus.I2c}, address 0x{address:x2}"),
            sensor.Scd41 ?? new Scd41Options(), context.Time);
    }
}
