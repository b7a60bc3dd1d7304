using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors;

internal static partial class SensorsLog
{
    [LoggerMessage(LogLevel.Warning, "{Sensor} gave no value: {Reason}")]
    public static partial void Empty(this ILogger logger, string sensor, string reason);
}
