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
}
