using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Kinds;
using Hub.Edge.Sensors.Replay;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Sensors;

/// <summary>Makes sensors from their options. Safe for concurrent callers.</summary>
/// <param name="buses">The machine's buses; null for those of Linux.</param>
/// <param name="time">Clock of everything the sensors do.</param>
/// <param name="logs">Where they log.</param>
public sealed class SensorFactory(TimeProvider time, ILoggerFactory logs, IBuses? buses = null)
{
    private readonly SensorsInstruments instruments = new();
    private readonly IBuses buses = buses ?? new LinuxBuses(time);

    /// <summary>Names that the readings of one entry of the station file bear: its own, or one for each of its parts.</summary>
    /// <param name="sensor">The entry.</param>
    public static IReadOnlyList<string> Names(SensorOptions sensor) => SensorKinds.Find(sensor.Kind)?.Names(sensor) ?? [sensor.Name];

    /// <summary>Every word that <c>kind:</c> of a sensor may be, in the order of the documentation.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [.. SensorKinds.All.Select(kind => kind.Name)];

    /// <summary>The machine's own buses, on Linux.</summary>
    /// <param name="time">Clock of their waits.</param>
    public static IBuses MachineBuses(TimeProvider time) => new LinuxBuses(time);

    /// <summary>Makes one sensor; it does nothing until <see cref="ISensor.MeasureAsync"/> is read.</summary>
    /// <param name="sensor">The sensor; not changed afterwards.</param>
    /// <param name="agent">What all sensors of the agent share.</param>
    /// <exception cref="OptionsValidationException">The options are wrong; the message names each key.</exception>
    public ISensor Create(SensorOptions sensor, SensorsOptions agent)
    {
        IEnumerable<string> failures = SensorsOptionsValidator.Failures(sensor, agent, $"{SensorsOptions.Section}:Sensors:{sensor.Name}");
        if (sensor.Kind == SensorOptions.KindReplay)
        {
            failures = failures.Concat(ReplayKind.Failures(agent.Replay, $"{SensorsOptions.Section}:Replay"));
        }

        List<string> found = [.. failures];
        return found.Count > 0
            ? throw new OptionsValidationException(sensor.Name, typeof(SensorOptions), found)
            : SensorKinds.Find(sensor.Kind)!.Create(sensor, new SensorContext(agent, buses, time, instruments, logs));
    }
}
