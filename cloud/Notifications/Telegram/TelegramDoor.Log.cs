using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Notifications.Telegram;

internal static partial class TelegramDoorLog
{
    [LoggerMessage(EventId = 7041, Level = LogLevel.Information, Message = "People can sign up for alerts with the Telegram bot @{Bot}.")]
    public static partial void Open(ILogger logger, string bot);

    [LoggerMessage(EventId = 7042, Level = LogLevel.Warning, Message = "What people write to the Telegram bot could not be heard: {Reason} Tried again in {Wait}.")]
    public static partial void NotHeard(ILogger logger, Exception? exception, string reason, TimeSpan wait);

    [LoggerMessage(EventId = 7043, Level = LogLevel.Warning, Message = "A person who wrote to the Telegram bot could not be answered: {Reason}")]
    public static partial void NotAnswered(ILogger logger, string reason);
}
