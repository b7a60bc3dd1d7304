using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sampling;

internal sealed partial class SensorRunner
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Sensor {Sensor} failed, {InARow} in a row; it is started again in {Pause}.")]
    private static partial void LogFailed(ILogger logger, string sensor, int inARow, TimeSpan pause, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Sensor {Sensor} is dead: no value for {Silence}. Last failure: {Failure}.")]
    private static partial void LogDead(ILogger logger, string sensor, TimeSpan silence, string failure);

    [LoggerMessage(Level = LogLevel.Information, Message = "Sensor {Sensor} gives values again.")]
    private static partial void LogRevived(ILogger logger, string sensor);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sensor {Sensor} said {Value} for {Property}, which is no reading ({Reason}); further ones of this kind are only counted.")]
    private static partial void LogRefused(ILogger logger, string sensor, string property, double value, RefusedReason reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Sensors changed: stopped {Stopped}; started {Started}; {Kept} go on undisturbed.")]
    public static partial void LogChanged(ILogger logger, string stopped, string started, int kept);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Watch} failed at a reading of {Sensor}; the reading goes its way. Further failures are only counted.")]
    private static partial void LogWatchFailed(ILogger logger, string watch, string sensor, Exception exception);
}
