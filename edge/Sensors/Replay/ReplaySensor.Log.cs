using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Replay;

internal sealed partial class ReplaySensor
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Sensor {Sensor} replays {File}: {Rows} rows with values of {RowsRead}, {Missing} values missing, {Nowhere} rows at a time that never was, {Cut} rows behind the cycle; begins again every {CycleDays} days.")]
    private static partial void LogLoaded(ILogger logger, string sensor, string file, int rows, int rowsRead, int missing, int nowhere, int cut, double cycleDays);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sensor {Sensor}: its stored position cannot be read; it begins as at a first start, and the hub drops what it has already.")]
    private static partial void LogCursorUnreadable(ILogger logger, string sensor);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sensor {Sensor}: file, columns, anchor or cycle have changed since the stored position; it goes on behind {Due:O}.")]
    private static partial void LogChanged(ILogger logger, string sensor, DateTime due);
}
