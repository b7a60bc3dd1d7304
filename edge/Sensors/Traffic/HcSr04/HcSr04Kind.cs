using Hub.Edge.Sensors.Kinds;
using Hub.Edge.Sensors.Traffic.Lidar;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.HcSr04;

/// <summary>Kind <c>hcsr04</c>, on two GPIO lines: trigger, echo.</summary>
internal sealed class HcSr04Kind() : RangingKind("hcsr04")
{
    /// <inheritdoc/>
    protected override IEnumerable<string> BusFailures(BusOptions bus, string key) => PinFailures(bus, (2, 2), "trigger and echo", key);

    /// <inheritdoc/>
    protected override IVehicleDetector Open(SensorOptions sensor, BusOptions bus, SensorContext context) =>
        new HcSr04Detector(context.Buses.OpenGpio, bus.Pins[0], bus.Pins[1], sensor.Ranging ?? new RangingOptions(), context.Time);
}
