using Microsoft.Extensions.Logging;

namespace Hub.Edge.Commands;

internal static partial class CommandsLog
{
    [LoggerMessage(1, LogLevel.Warning, "Commands: the light that was blinking failed.")]
    public static partial void LightFailed(this ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Error, "Commands: a new secret could not be written.")]
    public static partial void SecretFailed(this ILogger logger, Exception exception);
}
