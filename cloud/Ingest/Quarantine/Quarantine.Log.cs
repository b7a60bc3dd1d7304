using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Ingest.Quarantine;

internal static partial class QuarantineLog
{
    [LoggerMessage(EventId = 3201, Level = LogLevel.Error, Message = "The quarantine cannot be written; {Packs} packs are not acknowledged.")]
    public static partial void WriteFailed(this ILogger logger, Exception exception, int packs);

    [LoggerMessage(EventId = 3202, Level = LogLevel.Warning, Message = "{Entries} oldest quarantine entries were evicted because a station is at its limit.")]
    public static partial void Evicted(this ILogger logger, long entries);
}
