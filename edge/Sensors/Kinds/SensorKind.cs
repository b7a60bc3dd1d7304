using Hub.Edge.Sensors.Buses;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Kinds;

/// <summary>What sensors are made of.</summary>
/// <param name="Agent">What all sensors of the agent share.</param>
/// <param name="Buses">The machine's buses.</param>
/// <param name="Time">Clock of everything they do.</param>
/// <param name="Instruments">Their counters.</param>
/// <param name="Logs">Where they log.</param>
internal sealed record SensorContext(SensorsOptions Agent, IBuses Buses, TimeProvider Time, SensorsInstruments Instruments, ILoggerFactory Logs);

/// <summary>One value of <c>kind:</c> in the station file: checks the options of such a sensor and makes it. Stateless; safe for concurrent callers.</summary>
/// <param name="name">The word in the station file: small letters and digits.</param>
internal abstract class SensorKind(string name)
{
    /// <summary>The word in the station file.</summary>
    public string Name => name;

    /// <summary>All that is wrong with a sensor of this kind; each line begins with the full key and says what to give.</summary>
    /// <param name="sensor">The sensor.</param>
    /// <param name="agent">What all sensors of the agent share.</param>
    /// <param name="key">Full key of the sensor, e.g. <c>Agent:Sensors:0</c>.</param>
    public abstract IEnumerable<string> Failures(SensorOptions sensor, SensorsOptions agent, string key);

    /// <summary>Makes a sensor whose options have been found good; it does nothing until it is read.</summary>
    public abstract ISensor Create(SensorOptions sensor, SensorContext context);
}
