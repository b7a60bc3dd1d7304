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

    [LoggerMessage(8, LogLevel.Information, "Outbox gathers what is taken for {WriteDelay} in memory; its journal {Journal} keeps it over a kill of the agent, not over a power cut.")]
    public static partial void Gathers(this ILogger logger, TimeSpan writeDelay, string journal);

    [LoggerMessage(9, LogLevel.Warning, "Outbox has no journal in memory: {Why}. What is taken is written to disk after {WriteDelay}, at once where that is 0; a kill of the agent takes what is not.")]
    public static partial void NoJournal(this ILogger logger, string why, TimeSpan writeDelay);

    [LoggerMessage(10, LogLevel.Warning, "Outbox: the journal {Journal} cannot be written, as when memory is full; until it can, what is taken goes to disk at once.")]
    public static partial void JournalFailed(this ILogger logger, string journal);

    [LoggerMessage(11, LogLevel.Information, "Outbox: {Count} readings that were not on disk when the agent ended were found in the journal {Journal}.")]
    public static partial void Recovered(this ILogger logger, long count, string journal);

    [LoggerMessage(12, LogLevel.Warning, "Outbox: {Bytes} bytes of the journal {Journal} belong to no intact group; service goes on without them.")]
    public static partial void JournalDamaged(this ILogger logger, long bytes, string journal);
}
