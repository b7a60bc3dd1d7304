using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Notifications.SignUp;

/// <summary>Log lines of the messages that answer requests. No address is in them.</summary>
internal static partial class LetterWorkerLog
{
    [LoggerMessage(EventId = 7011, Level = LogLevel.Warning, Message = "Requests of people who sign up could not be looked at; nothing is lost, it is tried again in {Delay}.")]
    public static partial void PassFailed(ILogger logger, Exception exception, TimeSpan delay);

    [LoggerMessage(EventId = 7012, Level = LogLevel.Warning, Message = "The message that answers request {Request} is given up after {Attempts} attempts.")]
    public static partial void GivenUp(ILogger logger, int request, int attempts);
}
