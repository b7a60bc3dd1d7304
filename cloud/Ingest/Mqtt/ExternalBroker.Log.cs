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

    [LoggerMessage(EventId = 3405, Level = LogLevel.Warning, Message = "The broker did not grant the subscription to {Filter} ({Code}); readings come in, the rest does not. Its access list may be older than this hub: see firmware-config/broker/acl.")]
    public static partial void SubscriptionNotGranted(this ILogger logger, string filter, string code);

    [LoggerMessage(EventId = 3407, Level = LogLevel.Warning, Message = "The subscriptions to what stations say besides readings could not be renewed; those of the session stay.")]
    public static partial void SubscriptionsNotRenewed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 3406, Level = LogLevel.Debug, Message = "A question for the time could not be answered.")]
    public static partial void TimeNotTold(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 3404, Level = LogLevel.Warning, Message = "A message could not be acknowledged; the broker will send it again.")]
    public static partial void NotAcknowledged(this ILogger logger, Exception exception);
}
