using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Notifications.Outbox;

/// <summary>Log lines of delivery. Targets are masked.</summary>
internal static partial class DeliveryWorkerLog
{
    [LoggerMessage(EventId = 7001, Level = LogLevel.Warning, Message = "The {Channel} channel failed; nothing is lost, it is tried again in {Delay}.")]
    public static partial void PassFailed(ILogger logger, Exception exception, ChannelKind channel, TimeSpan delay);

    [LoggerMessage(EventId = 7002, Level = LogLevel.Warning, Message = "Message {Key} to {Target} by {Channel} is given up after {Attempts} attempts: {Answer}")]
    public static partial void GivenUp(ILogger logger, string key, string target, ChannelKind channel, int attempts, string answer);

    [LoggerMessage(EventId = 7003, Level = LogLevel.Warning, Message = "Subscriber {Subscriber} ({Target}) is switched off: {Answer}")]
    public static partial void SwitchedOff(ILogger logger, int subscriber, string target, string answer);

    [LoggerMessage(EventId = 7004, Level = LogLevel.Error, Message = "The {Channel} channel failed unexpectedly on message {Key}; it is tried again.")]
    public static partial void ChannelBroke(ILogger logger, Exception exception, ChannelKind channel, string key);
}
