using System.Net.Sockets;
using Hub.Cloud.Database;
using Hub.Cloud.Ingest;
using Hub.Cloud.Series;

namespace Hub.Cloud.Server;

/// <summary>What an operator reads when a start fails: one line that says what it was and what to do. Pure; called once by whatever has failed to start.</summary>
internal static class StartFault
{
    // What .NET puts in HResult of a failed write: the system's number (ENOSPC, EDQUOT), or its own where it reserved the room itself.
    private const int NoSpace = 28;
    private const int Quota = 122;
    private const int DiskFull = unchecked((int)0x80070070);

    /// <summary>One line for what an operator can mend; null for anything else, which is a bug.</summary>
    /// <param name="exception">What ended the start.</param>
    /// <param name="configuration">Settings it was started with, for the names of addresses and files.</param>
    public static string? Explain(Exception exception, IConfiguration configuration)
    {
        var chain = new List<Exception>();
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            chain.Add(cause);
        }

        // What is known exactly comes before the general: Kestrel wraps a busy port in an IOException of its own words.
        return chain.Select(cause => ExplainExactly(cause, configuration)).FirstOrDefault(line => line is not null)
            ?? chain.FirstOrDefault(cause => cause is IOException or UnauthorizedAccessException)?.Message;
    }

    private static string? ExplainExactly(Exception cause, IConfiguration configuration) => cause switch
    {
        BrokerStartException { InnerException: SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } } when cause.Message.StartsWith("Hub:Mqtt:Endpoint", StringComparison.Ordinal) =>
            $"MQTT {configuration["Hub:Mqtt:Endpoint"] ?? "127.0.0.1:1883"} is in use by another program. Stop it, or give another address with --mqtt.",
        StartException or BrokerStartException or SeriesUnavailableException or InvalidDataException => cause.Message,
        Microsoft.Extensions.Options.OptionsValidationException options => string.Join(' ', options.Failures),
        Microsoft.AspNetCore.Connections.AddressInUseException =>
            $"HTTP {configuration["Hub:Http:Endpoint"] ?? new HttpSettings().Endpoint} is in use by another program. Stop it, or give another address with --http.",
        SocketException { SocketErrorCode: SocketError.AccessDenied } => "A port below 1024 needs rights this user does not have. Give a higher one with --http and --mqtt.",
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => "An address given with --http or --mqtt does not belong to this machine.",

        // A value that is no number, time or word of its list. The binder's own sentence names value and key.
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder" } => cause.Message,

        IOException { HResult: NoSpace or DiskFull } => $"{cause.Message.TrimEnd('.')}. Make free space on that disk and start the hub again: nothing that was acknowledged is lost.",
        IOException { HResult: Quota } => $"{cause.Message.TrimEnd('.')}. Make free space within that user's quota, or raise it, and start the hub again: nothing that was acknowledged is lost.",
        _ => DatabaseFault.Explain(cause, configuration),
    };
}
