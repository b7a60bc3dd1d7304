using Hub.Edge.Sensors.Kinds;
using Hub.Edge.Sensors.Replay;

namespace Hub.Edge.Sensors.Simulated;

/// <summary>Kind <c>simulated</c>: values made up.</summary>
internal sealed class SimulatedKind() : SensorKind(SensorOptions.KindSimulated)
{
    /// <inheritdoc/>
    public override IEnumerable<string> Failures(SensorOptions sensor, SensorsOptions agent, string key) => Failures(sensor.Simulated ?? new SimulatedSensorOptions(), $"{key}:Simulated");

    /// <inheritdoc/>
    public override ISensor Create(SensorOptions sensor, SensorContext context) => new SimulatedSensor(sensor.Name, sensor.Simulated ?? new SimulatedSensorOptions(), context.Time);

    private static IEnumerable<string> Failures(SimulatedSensorOptions options, string key)
    {
        foreach (string quantity in options.Quantities.Where(quantity => !SimulatedProfile.All.ContainsKey(quantity)))
        {
            yield return $"{key}:Quantities has '{quantity}', which cannot be simulated: {string.Join(", ", SimulatedProfile.All.Keys.Order(StringComparer.Ordinal))}.";
        }

        if (options.Interval < TimeSpan.FromSeconds(1) || options.Interval > TimeSpan.FromDays(1) || options.Interval.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            yield return $"{key}:Interval is {options.Interval}: give whole seconds, 00:00:01 to 1.00:00:00.";
        }

        if (options.History < TimeSpan.Zero || options.History > TimeSpan.FromDays(366))
        {
            yield return $"{key}:History is {options.History}: give zero to 366 days.";
        }

        if (!ReplayZone.TryFind(options.Zone, out _))
        {
            yield return ReplayZone.Failure($"{key}:Zone", options.Zone);
        }
    }
}
