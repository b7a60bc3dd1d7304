using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Kinds;

/// <summary>A kind of sensor that is a device on a bus, looked at every so often.</summary>
/// <param name="name">The word in the station file.</param>
/// <param name="standard">Its shortest time between looks, which is also the default, and its default averaging interval.</param>
internal abstract class DeviceKind(string name, DeviceTiming standard) : SensorKind(name)
{
    /// <inheritdoc/>
    public override IEnumerable<string> Failures(SensorOptions sensor, SensorsOptions agent, string key) =>
        DeviceTiming.Failures(sensor, standard, key).Concat(Failures(sensor, sensor.Bus ?? new BusOptions(), key));

    /// <inheritdoc/>
    public override ISensor Create(SensorOptions sensor, SensorContext context) => new DeviceSensor(
        sensor.Name, DeviceTiming.Of(sensor, standard), () => Open(sensor, sensor.Bus ?? new BusOptions(), context), context.Time, context.Instruments,
        context.Logs.CreateLogger(typeof(DeviceSensor).FullName!)) { IsOptical = IsOptical };

    /// <summary>True for instruments that count particles by the light they scatter (see <see cref="ISensor.IsOptical"/>).</summary>
    protected virtual bool IsOptical => false;

    /// <summary>All that is wrong with the bus and the kind's own settings.</summary>
    protected abstract IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key);

    /// <summary>Makes the device; it opens its bus when started. Called again after each failure.</summary>
    protected abstract IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context);
}
