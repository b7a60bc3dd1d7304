using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Air.Sds011;

/// <summary>Kind <c>sds011</c>, on a serial port.</summary>
internal sealed class Sds011Kind() : DeviceKind("sds011", Standard)
{
    private const int StandardBaudRate = 9600;
    private static readonly DeviceTiming Standard = new(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(1));
    private static readonly TimeSpan SleepingEveryMin = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public override bool IsSerial => true;

    /// <inheritdoc/>
    protected override bool IsOptical => true;

    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key)
    {
        foreach (string failure in SerialFailures(bus, key))
        {
            yield return failure;
        }

        if (sensor.Sds011 is { Sleep: true } && DeviceTiming.Of(sensor, Standard).Every < SleepingEveryMin)
        {
            yield return $"{key}:Every is {DeviceTiming.Of(sensor, Standard).Every}: with {key}:Sds011:Sleep give {SleepingEveryMin} or more, e.g. 00:05:00; waking up and measuring takes 40 s.";
        }
    }

    /// <inheritdoc/>
    protected override IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context) => new Sds011Device(
        () => context.Buses.OpenSerial(bus.Serial!, bus.BaudRate ?? StandardBaudRate), bus.Serial!, sensor.Sds011 is { Sleep: true }, context.Time);
}
