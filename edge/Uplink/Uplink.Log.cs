using Microsoft.Extensions.Logging;

namespace Hub.Edge.Uplink;

internal static partial class UplinkLog
{
    [LoggerMessage(1, LogLevel.Information, "Uplink: connected to {Address}:{Port} as {UserName}; {Held} readings wait.")]
    public static partial void Connected(this ILogger logger, string address, int port, string userName, long held);

    [LoggerMessage(2, LogLevel.Warning, "Uplink: {Problem} Trying again in {Seconds:0.0} s.")]
    public static partial void WillRetry(this ILogger logger, string problem, double seconds);

    [LoggerMessage(3, LogLevel.Error, "Uplink: the hub at {Address}:{Port} does not accept {UserName} (code 0x{Code:X2} {Reason}): check municipality, station and secret. Readings are kept; trying again in {Seconds:0} s.")]
    public static partial void Unauthorised(this ILogger logger, string address, int port, string userName, int code, string reason, double seconds);

    [LoggerMessage(4, LogLevel.Warning, "Uplink: the hub refused {Count} readings for good (code 0x{Code:X2} {Reason}); they are released.")]
    public static partial void Refused(this ILogger logger, int count, int code, string reason);

    [LoggerMessage(5, LogLevel.Error, "Uplink: the hub does not allow {UserName} to publish on {Topic} (code 0x{Code:X2} {Reason}): a person must act. Readings are kept; trying again in {Seconds:0.0} s.")]
    public static partial void Forbidden(this ILogger logger, string userName, string topic, int code, string reason, double seconds);

    [LoggerMessage(6, LogLevel.Warning, "Uplink: the hub cannot take readings now (code 0x{Code:X2} {Reason}). They are kept; trying again in {Seconds:0.0} s.")]
    public static partial void Later(this ILogger logger, int code, string reason, double seconds);

    [LoggerMessage(7, LogLevel.Error, "Uplink: reading {Sequence} ({Sensor}/{Property}) cannot be encoded and is given up: {Why}")]
    public static partial void CannotEncode(this ILogger logger, long sequence, string sensor, string property, string why);

    [LoggerMessage(8, LogLevel.Information, "Uplink: said goodbye to the hub; {Held} readings wait for the next start.")]
    public static partial void Stopped(this ILogger logger, long held);

    [LoggerMessage(9, LogLevel.Warning, "Uplink: the hub did not take the station's status (code 0x{Code:X2} {Reason}).")]
    public static partial void StatusRefused(this ILogger logger, int code, string reason);

    [LoggerMessage(10, LogLevel.Debug, "Uplink: goodbye could not be said.")]
    public static partial void GoodbyeFailed(this ILogger logger, Exception exception);

    [LoggerMessage(11, LogLevel.Debug, "Uplink: the connection ended.")]
    public static partial void Ended(this ILogger logger, Exception exception);

    [LoggerMessage(13, LogLevel.Information, "Uplink: this station does not know the time yet; the hub is asked for it, and readings wait until NTP or the hub gives it.")]
    public static partial void AsksTime(this ILogger logger);

    [LoggerMessage(14, LogLevel.Information, "Uplink: the time is {Time:O}; readings taken before are stamped.")]
    public static partial void KnowsTime(this ILogger logger, DateTimeOffset time);

    [LoggerMessage(12, LogLevel.Error, "Uplink: another agent has connected as {UserName} and the hub let this one go (code 0x8E): two stations must not share a name. Readings are kept; trying again in {Seconds:0} s.")]
    public static partial void TakenOver(this ILogger logger, string userName, double seconds);

    [LoggerMessage(15, LogLevel.Error, "Uplink: the broker does not let this station subscribe to {Filter} (code 0x{Code:X2}): settings or commands of the hub do not arrive; readings are sent all the same.")]
    public static partial void SubscriptionRefused(this ILogger logger, string filter, int code);

    [LoggerMessage(16, LogLevel.Warning, "Uplink: the broker did not answer a subscription within {Seconds:0} s; readings are sent all the same.")]
    public static partial void SubscriptionUnanswered(this ILogger logger, double seconds);

    [LoggerMessage(17, LogLevel.Error, "Uplink: {Count} connections in a row ended when this station subscribed to its settings and commands or reported on them; none does for {Minutes:0} minutes, so that readings are sent.")]
    public static partial void SubscriptionsRest(this ILogger logger, int count, double minutes);

    [LoggerMessage(18, LogLevel.Warning, "Uplink: a message on {Topic} is not acted on: {Why}.")]
    public static partial void DownlinkIgnored(this ILogger logger, string topic, string why);

    [LoggerMessage(19, LogLevel.Error, "Uplink: what the hub wants of this station could not be taken.")]
    public static partial void DesiredFailed(this ILogger logger, Exception exception);

    [LoggerMessage(20, LogLevel.Warning, "Uplink: the command {Name} failed.")]
    public static partial void CommandFailed(this ILogger logger, string name, Exception exception);

    [LoggerMessage(21, LogLevel.Information, "Uplink: command {Name}: {Outcome}. {Problem}")]
    public static partial void Commanded(this ILogger logger, string name, string outcome, string problem);

    [LoggerMessage(22, LogLevel.Warning, "Uplink: the hub did not take the report on this station's settings (code 0x{Code:X2} {Reason}).")]
    public static partial void ReportRefused(this ILogger logger, int code, string reason);

    [LoggerMessage(23, LogLevel.Warning, "Uplink: the hub did not take the answer to a command (code 0x{Code:X2} {Reason}).")]
    public static partial void ReplyRefused(this ILogger logger, int code, string reason);

    [LoggerMessage(24, LogLevel.Warning, "Uplink: the hub does not accept the secret shown (code 0x{Code:X2} {Reason}); another one is tried at once.")]
    public static partial void OtherSecret(this ILogger logger, int code, string reason);

    [LoggerMessage(25, LogLevel.Error, "Uplink: the files of the station's secret could not be changed: is the disk full?")]
    public static partial void SecretNotKept(this ILogger logger, Exception exception);
}
