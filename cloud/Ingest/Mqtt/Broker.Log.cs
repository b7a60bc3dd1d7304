using System.Net;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Ingest.Mqtt;

internal static partial class BrokerLog
{
    [LoggerMessage(EventId = 3301, Level = LogLevel.Information, Message = "MQTT broker listens on {Endpoint} (with TLS: {TlsEndpoint}; over WebSockets at {Path} of the pages' address).")]
    public static partial void Listening(this ILogger logger, IPEndPoint? endpoint, object tlsEndpoint, string path);

    [LoggerMessage(EventId = 3302, Level = LogLevel.Warning, Message = "A connection could not be accepted.")]
    public static partial void AcceptFailed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 3303, Level = LogLevel.Error, Message = "A connection ended with an error that should not happen.")]
    public static partial void ConnectionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 3304, Level = LogLevel.Debug, Message = "MQTT library, {Source}: {Text}")]
    public static partial void Library(this ILogger logger, Exception? exception, string source, string text);

    [LoggerMessage(EventId = 3305, Level = LogLevel.Information, Message = "Login of '{User}' from {Remote} refused: {Reason}.")]
    public static partial void LoginRefused(this ILogger logger, string user, EndPoint? remote, string reason);

    [LoggerMessage(EventId = 3306, Level = LogLevel.Information, Message = "'{User}' may not publish on '{Topic}'.")]
    public static partial void PublishRefused(this ILogger logger, string? user, string topic);

    [LoggerMessage(EventId = 3307, Level = LogLevel.Information, Message = "'{User}' may not subscribe to '{Filter}'.")]
    public static partial void SubscriptionRefused(this ILogger logger, string? user, string filter);

    [LoggerMessage(EventId = 3308, Level = LogLevel.Error, Message = "A pack failed unexpectedly; it is not acknowledged and its connection is closed. This is a bug.")]
    public static partial void PackFailed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 3309, Level = LogLevel.Error, Message = "The retained message on '{Topic}' cannot be written; it is lost when the hub stops.")]
    public static partial void RetainedNotWritten(this ILogger logger, Exception exception, string topic);

    [LoggerMessage(EventId = 3310, Level = LogLevel.Warning, Message = "Packs were still being taken when the time to stop was over; they were not acknowledged.")]
    public static partial void StoppedBusy(this ILogger logger);

    [LoggerMessage(EventId = 3311, Level = LogLevel.Error, Message = "What station {Municipality}/{Station} said ({Kind}) could not be taken in.")]
    public static partial void ListenerFailed(this ILogger logger, Exception exception, StationMessageKind kind, string municipality, string station);

    [LoggerMessage(EventId = 3312, Level = LogLevel.Information, Message = "A page of origin '{Origin}' asked for MQTT over WebSockets at '{Host}' and was refused: add the origin to Hub:Mqtt:WebSocketOrigins if it may.")]
    public static partial void OriginRefused(this ILogger logger, string origin, string host);
}
