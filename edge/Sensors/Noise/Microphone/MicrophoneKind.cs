using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>Kind <c>microphone</c>: sound levels from a microphone behind ALSA.</summary>
internal sealed class MicrophoneKind() : SensorKind(SensorOptions.KindMicrophone)
{
    private static readonly MicrophoneInstruments Instruments = new();

    /// <inheritdoc/>
    public override IEnumerable<string> Failures(SensorOptions sensor, SensorsOptions agent, string key) => sensor.Microphone is { } microphone
        ? MicrophoneChecks.Failures(microphone, $"{key}:Microphone")
        : [$"{key}:Microphone is missing: say which device to record from."];

    /// <inheritdoc/>
    public override ISensor Create(SensorOptions sensor, SensorContext context) =>
        MicrophoneSensor.Create(sensor.Name, sensor.Microphone!, context.Time, Instruments, context.Logs);
}
