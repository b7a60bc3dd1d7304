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

    [LoggerMessage(7, LogLevel.Error, "{Watch} failed at the agent's report on itself; the report goes its way.")]
    public static partial void WatchFailed(this ILogger logger, string watch, Exception exception);

    [LoggerMessage(5, LogLevel.Warning, "The status file could not be written.")]
    public static partial void StatusFailed(this ILogger logger, Exception exception);

    [LoggerMessage(6, LogLevel.Information, "Stopped.")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(20, LogLevel.Information, "Other settings (version {Version} of the hub) take: {Parts}.")]
    public static partial void Applies(this ILogger logger, long version, string parts);

    [LoggerMessage(21, LogLevel.Warning, "Other settings could not be put in force while the agent runs; the stages are built anew.")]
    public static partial void AppliesAnew(this ILogger logger, Exception exception);

    [LoggerMessage(22, LogLevel.Error, "The stages failed with settings that are on trial.")]
    public static partial void StagesFailed(this ILogger logger, Exception exception);

    [LoggerMessage(23, LogLevel.Information, "Stopped in order to begin again: {How}.")]
    public static partial void Again(this ILogger logger, string how);
    [LoggerMessage(7, LogLevel.Critical, "Nothing moves: {What}. The service manager gets no more signs of life and starts the agent again.")]
    public static partial void NothingMoves(this ILogger logger, string what);

    [LoggerMessage(8, LogLevel.Warning, "It moves again.")]
    public static partial void MovesAgain(this ILogger logger);

    [LoggerMessage(9, LogLevel.Warning, "The service manager could not be told that the agent lives.")]
    public static partial void SignFailed(this ILogger logger, Exception exception);
}
