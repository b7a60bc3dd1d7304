using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Noise.Microphone;

// No sample ever stands in a log line.
internal sealed partial class CaptureThread
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Sensor {Sensor}: microphone open, {Rate} samples a second.")]
    private static partial void LogOpened(ILogger logger, string sensor, int rate);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sensor {Sensor}: {Seconds:0.###} s of sound lost; the intervals it belongs to say so in their coverage.")]
    private static partial void LogLost(ILogger logger, string sensor, double seconds);
}
