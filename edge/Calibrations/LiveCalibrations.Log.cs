using Microsoft.Extensions.Logging;

namespace Hub.Edge.Calibrations;

internal sealed partial class LiveCalibrations
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Calibrations: {Records} recorded, {InForce} series are calibrated.")]
    private static partial void LogRead(ILogger logger, int records, int inForce);

    [LoggerMessage(Level = LogLevel.Error, Message = "The calibration {File} is not used, the one before it is: {Problem}")]
    private static partial void LogDamaged(ILogger logger, string file, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Calibration {Version} of {Sensor}/{Quantity} is not used: {Why}.")]
    private static partial void LogUnused(ILogger logger, string sensor, string quantity, int version, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "The calibrations cannot be read; those known stay in force.")]
    private static partial void LogUnreadable(ILogger logger, Exception exception);
}
