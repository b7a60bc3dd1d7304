using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Ingest.Adapters;

internal static partial class AdapterIngestLog
{
    [LoggerMessage(EventId = 3411, Level = LogLevel.Error, Message = "A push of {Municipality}/{Station} failed in the adapter {Adapter} and is quarantined whole. This is a bug.")]
    public static partial void TranslationFailed(this ILogger logger, Exception exception, string municipality, string station, string adapter);
}
