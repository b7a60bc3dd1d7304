using Hub.Edge.Sensors.Noise.Microphone;
using Hub.Edge.Sensors.Replay;
using Hub.Edge.Sensors.Simulated;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Sensors;

/// <summary>Makes sensors from their options. Safe for concurrent callers.</summary>
/// <param name="time">Clock of everything the sensors do.</param>
/// <param name="logs">Where they log.</param>
public sealed class SensorFactory(TimeProvider time, ILoggerFactory logs)
{
    private readonly SensorsInstruments instruments = new();
    private readonly MicrophoneInstruments microphones = new();

    /// <summary>Makes one sensor; it does nothing until <see cref="ISensor.MeasureAsync"/> is read.</summary>
    /// <param name="options">The sensor; not changed afterwards.</param>
    /// <param name="replay">What all replays of the agent share.</param>
    /// <exception cref="OptionsValidationException">The options are wrong; the message names each key.</exception>
    public ISensor Create(SensorOptions options, ReplayOptions replay)
    {
        IEnumerable<string> failures = SensorsOptionsValidator.Failures(options, replay, $"{SensorsOptions.Section}:Sensors:{options.Name}");
        if (options.Kind == SensorOptions.KindReplay)
        {
            failures = failures.Concat(SensorsOptionsValidator.Failures(replay, $"{SensorsOptions.Section}:Replay"));
        }

        List<string> found = [.. failures];
        if (found.Count > 0)
        {
            throw new OptionsValidationException(options.Name, typeof(SensorOptions), found);
        }

        if (options.Kind == SensorOptions.KindMicrophone)
        {
            return MicrophoneSensor.Create(options.Name, options.Microphone!, time, microphones, logs);
        }

        return options.Kind == SensorOptions.KindReplay
            ? new ReplaySensor(options.Name, options.Replay!, replay, time, instruments, logs.CreateLogger<ReplaySensor>())
            : new SimulatedSensor(options.Name, options.Simulated ?? new SimulatedSensorOptions(), time);
    }
}
