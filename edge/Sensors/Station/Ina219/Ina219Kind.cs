using System.Globalization;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Station.Ina219;

/// <summary>Kind <c>ina219</c>, on I2C (0x40 to 0x4F by its two address pins).</summary>
internal sealed class Ina219Kind() : DeviceKind("ina219", new DeviceTiming(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1)))
{
    private const int StandardAddress = 0x40;

    /// <inheritdoc/>
    public override IReadOnlyList<int> Addresses => [.. Enumerable.Range(StandardAddress, 16)];

    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key)
    {
        foreach (string failure in I2cFailures(bus, StandardAddress, key))
        {
            yield return failure;
        }

        Ina219Options supply = sensor.Supply ?? new Ina219Options();
        if (supply.ShuntOhms is not (>= 0.0001 and <= 10))
        {
            yield return $"{key}:Supply:ShuntOhms is {supply.ShuntOhms}: give 0.0001 to 10 ohms; R100 on the board is 0.1.";
        }
        else if (Ina219Calibration.For(supply.ShuntOhms, supply.CurrentMax) is null)
        {
            double most = Ina219Calibration.ShuntVoltsMax / supply.ShuntOhms;
            yield return string.Create(
                CultureInfo.InvariantCulture, $"{key}:Supply:CurrentMax is {supply.CurrentMax}: with a shunt of {supply.ShuntOhms} ohms give {most / 15:0.####} to {most:0.####} amperes.");
        }
    }

    /// <inheritdoc/>
    protected override IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context)
    {
        Ina219Options supply = sensor.Supply ?? new Ina219Options();
        int address = Address(bus, StandardAddress);
        return new Ina219Device(
            () => context.Buses.OpenI2c(bus.I2c!.Value, address), string.Create(CultureInfo.InvariantCulture, $"I2C bus {bus.I2c}, address 0x{address:x2}"),
            Ina219Calibration.For(supply.ShuntOhms, supply.CurrentMax)!.Value, context.Time);
    }
}
