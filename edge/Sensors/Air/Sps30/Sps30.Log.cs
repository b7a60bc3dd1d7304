using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Air.Sps30;

internal static partial class Sps30Log
{
    [LoggerMessage(LogLevel.Information, "SPS30 {Serial} at {Where}, firmware {Major}.{Minor}, cleans its fan every {Cleaning}.")]
    public static partial void Sps30Started(this ILogger logger, string where, string serial, int major, int minor, TimeSpan cleaning);

    [LoggerMessage(LogLevel.Warning, "The SPS30 at {Where} was told never to clean its fan: its values will drift low as dust settles.")]
    public static partial void Sps30NeverCleaned(this ILogger logger, string where);
}
