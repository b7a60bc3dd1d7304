using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Ingest.Adapters.Telraam;

internal static partial class TelraamPollerLog
{
    [LoggerMessage(EventId = 3401, Level = LogLevel.Warning, Message = "Telraam segment {Segment} of {Station} could not be fetched; the next try is in {Wait}. Nothing is lost: it goes on from the newest stored row.")]
    public static partial void PollFailed(this ILogger logger, Exception exception, string station, long segment, TimeSpan wait);

    [LoggerMessage(EventId = 3402, Level = LogLevel.Warning, Message = "Telraam segment {Segment} is not fetched: there is no station {Station}. Register it with: hub station add {Station}")]
    public static partial void StationUnknown(this ILogger logger, string station, long segment);

    [LoggerMessage(EventId = 3403, Level = LogLevel.Warning, Message = "{Count} values of Telraam segment {Segment} of {Station} are in the quarantine; the first: {Detail}")]
    public static partial void RowsRefused(this ILogger logger, string station, long segment, int count, string detail);
}
