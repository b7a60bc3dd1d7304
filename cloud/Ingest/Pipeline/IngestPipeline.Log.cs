using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Ingest.Pipeline;

internal static partial class IngestPipelineLog
{
    [LoggerMessage(EventId = 3101, Level = LogLevel.Warning, Message = "A pack ({Transport}) is not acknowledged because it cannot be committed.")]
    public static partial void StoreUnavailable(this ILogger logger, Exception exception, string transport);

    [LoggerMessage(EventId = 3102, Level = LogLevel.Error, Message = "A pack of {Municipality}/{Station} failed in the decoder and is quarantined whole. This is a bug.")]
    public static partial void DecoderFailed(this ILogger logger, Exception exception, string municipality, string station);

    [LoggerMessage(EventId = 3103, Level = LogLevel.Error, Message = "A pack of {Municipality}/{Station} is refused by the store and quarantined whole. This is a bug.")]
    public static partial void StoreRefused(this ILogger logger, Exception exception, string municipality, string station);
}
