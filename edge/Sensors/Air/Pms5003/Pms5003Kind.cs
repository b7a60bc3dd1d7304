using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Air.Pms5003;

/// <summary>Kind <c>pms5003</c>, on a serial port; also for PMS5003T, PMS5003ST and PMS7003.</summary>
internal sealed class Pms5003Kind() : DeviceKind("pms5003", new DeviceTiming(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1)))
{
    private const int StandardBaudRate = 9600;

    /// <inheritdoc/>
    public override bool IsSerial => true;

    /// <inheritdoc/>
    protected override bool IsOptical => true;

    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key) => SerialFailures(bus, key);

    /// <inheritdoc/>
    protected override IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context) =>
        new Pms5003Device(() => context.Buses.OpenSerial(bus.Serial!, bus.BaudRate ?? StandardBaudRate), bus.Serial!, context.Time);
}
