using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// Lets MQTT over WebSockets in at the hub's HTTP port: TLS, HTTP/1.1 and HTTP/2, and the time a client may take for its request are the web server's; from the accepted socket on it is a
/// connection as any other. Safe for concurrent callers.
/// </summary>
internal sealed class WebSocketDoor(MqttOptions options, BrokerListener listener, IngestInstruments instruments, ILogger logger)
{
    /// <summary>Name in counters and in the quarantine.</summary>
    public const string Transport = "mqtt-websocket";

    /// <summary>The one sub-protocol, of MQTT 3.1.1 and of 5.</summary>
    private const string SubProtocol = "mqtt";

    /// <summary>Serves one request; ends when the connection has.</summary>
    public async Task EnterAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            (context.Response.Headers.Upgrade, context.Response.Headers.SecWebSocketVersion) = ("websocket", "13");
            await RefuseAsync(context, StatusCodes.Status426UpgradeRequired, "websocket", "Here is MQTT over WebSockets (version 13) and nothing else.").ConfigureAwait(false);
            return;
        }

        if (!WebSocketOrigins.Allow(context.Request.Headers.Origin, context.Request.Host, options.PublicUrl, options.WebSocketOrigins))
        {
            logger.OriginRefused(context.Request.Headers.Origin.ToString(), context.Request.Host.ToString());
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "origin", "Pages of this origin may not connect: name it in Hub:Mqtt:WebSocketOrigins.").ConfigureAwait(false);
            return;
        }

        if (!context.WebSockets.WebSocketRequestedProtocols.Contains(SubProtocol, StringComparer.Ordinal))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "sub-protocol", "Ask for the sub-protocol mqtt (Sec-WebSocket-Protocol).").ConfigureAwait(false);
            return;
        }

        if (!listener.IsRunning || !listener.TryAdmit(Transport))
        {
            context.Response.Headers.RetryAfter = "10";
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, null, "The broker takes no more connections at the moment; try again.").ConfigureAwait(false);
            return;
        }

        try
        {
            // Not compressed: readings are small, and what is inside may be secret. No pings either: MQTT has its keep-alive.
            var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext { SubProtocol = SubProtocol, KeepAliveInterval = Timeout.InfiniteTimeSpan }).ConfigureAwait(false);
            await listener.ServeAsync(new ConnectionWire(
                new WebSocketWire(socket, context.Abort),
                Transport,
                context.Request.IsHttps,
                Of(context.Connection.LocalIpAddress, context.Connection.LocalPort),
                Of(context.Connection.RemoteIpAddress, context.Connection.RemotePort),
                new ClientCertificates())).ConfigureAwait(false);
        }
        finally
        {
            listener.Leave(Transport);
        }
    }

    private static IPEndPoint? Of(IPAddress? address, int port) => address is null ? null : new IPEndPoint(address, port);

    private async Task RefuseAsync(HttpContext context, int status, string? reason, string detail)
    {
        if (reason is not null)
        {
            instruments.ConnectionRefused(Transport, reason);
        }

        await Results.Problem(detail, statusCode: status).ExecuteAsync(context).ConfigureAwait(false);
    }
}
