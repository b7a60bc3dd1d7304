using Microsoft.Extensions.Logging;

namespace Hub.Edge.Agent;

internal static partial class AgentLog
{
    [LoggerMessage(1, LogLevel.Information, "{Agent} for {Municipality}/{Station}; settings: {Settings}")]
    public static partial void Starting(this ILogger logger, string agent, string municipality, string station, string settings);

    [LoggerMessage(2, LogLevel.Warning, "{Warning}")]
    public static partial void Suspicious(this ILogger logger, string warning);

    [LoggerMessage(3, LogLevel.Information, "Standard input has closed: stopping.")]
    public static partial void InputClosed(this ILogger logger);

    [LoggerMessage(4, LogLevel.Warning, "The agent's report on itself could not be kept.")]
    public static partial void ReportFailed(this ILogger logger, Exception exception);

    [LoggerMessage(5, LogLevel.Warning, "The status file could not be written.")]
    public static partial void StatusFailed(this ILogger logger, Exception exception);

    [LoggerMessage(6, LogLevel.Information, "Stopped.")]
    public static partial void Stopped(this ILogger logger);
}
