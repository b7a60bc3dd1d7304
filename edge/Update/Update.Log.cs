using Microsoft.Extensions.Logging;

namespace Hub.Edge.Update;

internal static partial class UpdateLog
{
    [LoggerMessage(1, LogLevel.Information, "Update: {Version} is wanted ({Bytes} bytes from {Host}); {Running} runs.")]
    public static partial void Wanted(this ILogger logger, string version, long bytes, string host, string running);

    [LoggerMessage(2, LogLevel.Warning, "Update: {Version} cannot be fetched yet: {Problem} Trying again in {Seconds:0} s.")]
    public static partial void WillRetry(this ILogger logger, string version, string problem, double seconds);

    [LoggerMessage(3, LogLevel.Error, "Update: {Version} is refused: {Problem} {Running} runs on.")]
    public static partial void Refused(this ILogger logger, string version, string problem, string running);

    [LoggerMessage(4, LogLevel.Information, "Update: {Version} is in place in slot {Slot}; this agent stops so that it can be started.")]
    public static partial void Switched(this ILogger logger, string version, string slot);

    [LoggerMessage(5, LogLevel.Information, "Update: {Version} is on trial, start {Starts}: it has {Seconds:0} s to reach the hub.")]
    public static partial void OnTrial(this ILogger logger, string version, int starts, double seconds);

    [LoggerMessage(6, LogLevel.Information, "Update: {Version} has passed its trial and stays.")]
    public static partial void Passed(this ILogger logger, string version);

    [LoggerMessage(7, LogLevel.Error, "Update: {Version} has failed its trial: {Reason} This agent stops so that the one before can be started.")]
    public static partial void Failed(this ILogger logger, string version, string reason);

    [LoggerMessage(8, LogLevel.Error, "Update: {Version} was taken back: {Reason} {Running} runs again.")]
    public static partial void RolledBack(this ILogger logger, string version, string reason, string running);

    [LoggerMessage(9, LogLevel.Error, "Update: {What} in {Root} failed.")]
    public static partial void DiskFailed(this ILogger logger, string what, string root, Exception exception);

    [LoggerMessage(10, LogLevel.Warning, "Update: {Root}/update.json is damaged; what was refused before is forgotten.")]
    public static partial void NotesDamaged(this ILogger logger, string root);

    [LoggerMessage(11, LogLevel.Error, "Update: the trial of {Version} failed ({Reason}), but the agent before it cannot be started either: this one runs on.")]
    public static partial void NoWayBack(this ILogger logger, string version, string reason);

    [LoggerMessage(12, LogLevel.Error, "Update: a fault of this agent with {Version}; it runs on.")]
    public static partial void Fault(this ILogger logger, string version, Exception exception);
}
