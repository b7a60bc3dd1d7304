using Hub.Edge.Sensors.Kinds;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.Ops243;

/// <summary>Kind <c>ops243</c>, on a serial port (19200 baud on the UART; any on USB).</summary>
internal sealed class Ops243Kind() : VehicleKind("ops243")
{
    private const int StandardRate = 19200;

    /// <inheritdoc/>
    public override bool IsSerial => true;

    /// <inheritdoc/>
    protected override VehicleTraits Traits(SensorOptions sensor) => new([Heading.In, Heading.Out], Length: false, Occupancy: false)
    {
        // A vehicle is known when it has been gone for the gap, at the end of that second.
        Grace = (sensor.Radar ?? new RadarOptions()).Gap + TimeSpan.FromSeconds(2),
    };

    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key)
    {
        foreach (string failure in SerialFailures(bus, key))
        {
            yield return failure;
        }

        RadarOptions radar = sensor.Radar ?? new RadarOptions();
        if (radar.Angle is not (>= 0 and <= 70))
        {
            yield return $"{key}:Radar:Angle is {radar.Angle}: give 0 to 70 degrees between the beam and the way of the vehicles.";
        }

        if (radar.SpeedMin is not (>= 0.5 and <= 10))
        {
            yield return $"{key}:Radar:SpeedMin is {radar.SpeedMin}: give 0.5 to 10 m/s.";
        }

        if (radar.Gap < TimeSpan.FromSeconds(0.1) || radar.Gap > TimeSpan.FromSeconds(2))
        {
            yield return $"{key}:Radar:Gap is {radar.Gap}: give 00:00:00.1 to 00:00:02.";
        }

        if (radar.DurationMin < TimeSpan.Zero || radar.DurationMin > TimeSpan.FromSeconds(1))
        {
            yield return $"{key}:Radar:DurationMin is {radar.DurationMin}: give zero to 00:00:01.";
        }

        if (radar.ReportsMin is < 2 or > 20)
        {
            yield return $"{key}:Radar:ReportsMin is {radar.ReportsMin}: give 2 to 20.";
        }

        if (radar.Coherence is not (>= 0.05 and <= 0.5))
        {
            yield return $"{key}:Radar:Coherence is {radar.Coherence}: give 0.05 to 0.5.";
        }
    }

    /// <inheritdoc/>
    protected override IVehicleDetector Open(SensorOptions sensor, BusOptions bus, SensorContext context) => new Ops243Detector(
        () => context.Buses.OpenSerial(bus.Serial!, bus.BaudRate ?? StandardRate), bus.Serial!, sensor.Radar ?? new RadarOptions(), context.Time);
}
