using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Ingest.Mqtt;

internal static partial class ExternalBrokerLog
{
    [LoggerMessage(EventId = 3401, Level = LogLevel.Information, Message = "Connected to the broker at {Address}; it kept our session: {SessionPresent}.")]
    public static partial void BrokerJoined(this ILogger logger, string address, bool sessionPresent);

    [LoggerMessage(EventId = 3402, Level = LogLevel.Warning, Message = "The connection to the broker at {Address} has ended.")]
    public static partial void BrokerLeft(this ILogger logger, string address);

    [LoggerMessage(EventId = 3403, Level = LogLevel.Warning, Message = "The broker at {Address} cannot be used; trying again in about {Wait}.")]
    public static partial void BrokerNotReached(this ILogger logger, Exception exception, string address, TimeSpan wait);

    [LoggerMessage(EventId = 3404, Level = LogLevel.Warning, Message = "A message could not be acknowledged; the broker will send it again.")]
    public static partial void NotAcknowledged(this ILogger logger, Exception exception);
}
