using Microsoft.Extensions.Logging;

namespace Hub.Edge.Outbox;

internal static partial class OutboxLog
{
    [LoggerMessage(1, LogLevel.Information, "Outbox {Folder} opened: {Held} readings held in {Segments} segments.")]
    public static partial void Opened(this ILogger logger, string folder, long held, int segments);

    [LoggerMessage(2, LogLevel.Warning, "Outbox: {Bytes} unfinished bytes at the end of {File} were cut off, as after a power cut.")]
    public static partial void TailCut(this ILogger logger, long bytes, string file);

    [LoggerMessage(3, LogLevel.Warning, "Outbox: readings {From} to {Until} are lost, {File} is damaged there; service goes on behind them.")]
    public static partial void Damaged(this ILogger logger, long from, long until, string file);

    [LoggerMessage(4, LogLevel.Warning, "Outbox is at its limit of {BytesMax} bytes: the oldest {Count} readings were dropped.")]
    public static partial void DroppedFull(this ILogger logger, long bytesMax, long count);

    [LoggerMessage(5, LogLevel.Warning, "Outbox: {Count} readings had waited longer than {AgeMax} and were dropped.")]
    public static partial void DroppedAge(this ILogger logger, TimeSpan ageMax, long count);

    [LoggerMessage(6, LogLevel.Error, "Outbox: the disk refused to keep {Appends} appends; they stay in memory, or with their callers where those wait for the disk.")]
    public static partial void AppendFailed(this ILogger logger, int appends, Exception exception);

    [LoggerMessage(7, LogLevel.Warning, "Outbox: what was released could not be written down; readings may be sent again after a crash.")]
    public static partial void PositionFailed(this ILogger logger, Exception exception);
}
