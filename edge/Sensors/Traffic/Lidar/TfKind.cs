using Hub.Edge.Sensors.Kinds;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.Lidar;

/// <summary>Kind <c>tfluna</c>: Benewake TF-Luna or TFmini-S, on a serial port (115200 baud).</summary>
internal sealed class TfKind() : RangingKind("tfluna")
{
    private const int StandardRate = 115200;

    /// <inheritdoc/>
    public override bool IsSerial => true;

    /// <inheritdoc/>
    protected override IEnumerable<string> BusFailures(BusOptions bus, string key) => SerialFailures(bus, key);

    /// <inheritdoc/>
    protected override IVehicleDetector Open(SensorOptions sensor, BusOptions bus, SensorContext context) => new TfDetector(
        () => context.Buses.OpenSerial(bus.Serial!, bus.BaudRate ?? StandardRate), bus.Serial!, sensor.Ranging ?? new RangingOptions(), context.Time);
}
