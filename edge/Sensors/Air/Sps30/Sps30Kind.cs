using System.Globalization;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Air.Sps30;

/// <summary>Kind <c>sps30</c>, on a serial port or on I2C (0x69).</summary>
internal sealed class Sps30Kind() : DeviceKind("sps30", new DeviceTiming(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(1)))
{
    private const int StandardAddress = 0x69;
    private const int StandardBaudRate = 115200;

    /// <inheritdoc/>
    public override IReadOnlyList<int> Addresses => [StandardAddress];

    /// <inheritdoc/>
    public override bool IsSerial => true;

    /// <inheritdoc/>
    protected override bool IsOptical => true;

    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key) => (bus.Serial, bus.I2c) switch
    {
        (not null, not null) => [$"{key}:Bus: give either serial or i2c."],
        (null, not null) => I2cFailures(bus, StandardAddress, key),
        _ => SerialFailures(bus, key),
    };

    /// <inheritdoc/>
    protected override IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context)
    {
        ILogger logger = context.Logs.CreateLogger(typeof(Sps30Device).FullName!);
        if (bus.Serial is { } port)
        {
            return new Sps30Device(() => new Sps30Serial(context.Buses.OpenSerial(port, bus.BaudRate ?? StandardBaudRate), port, context.Time), port, logger);
        }

        int address = Address(bus, StandardAddress);
        string where = string.Create(CultureInfo.InvariantCulture, $"I2C bus {bus.I2c}, address 0x{address:x2}");
        return new Sps30Device(() => new Sps30I2c(context.Buses.OpenI2c(bus.I2c!.Value, address), where, context.Time), where, logger);
    }
}
