using System.Globalization;
using System.Net;
using Hub.Cloud.Ingest;
using Hub.Edge.Contract.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Hub.Cloud.Fleet.Claims;

/// <summary><c>POST /claim/v1</c>: a new station says whose it is (FORMAT.md, Claiming).</summary>
internal sealed class ClaimEndpoint(ClaimDesk desk, IHubBroker broker, IOptions<PublicOptions> options, IOptions<FleetOptions> limits, FleetInstruments instruments, TimeProvider time, ILogger<ClaimEndpoint> logger)
{
    /// <summary>What a claimant gets that has no place to go to; the code is not used up.</summary>
    private const string NoBroker =
        "This hub's broker can only be reached from its own machine. Let it listen with TLS (Hub:Mqtt:Tls:Endpoint), or say where it is reached (Hub:Public:Mqtt).";

    private readonly ClaimGate gate = new(limits.Value.ClaimFailuresPerAddressMax, limits.Value.ClaimsPerMinuteMax, time);
    private readonly string? authority = options.Value.AuthorityFile.Length > 0 ? PublicOptionsValidator.Authorities(options.Value.AuthorityFile) : null;

    public async Task<IResult> PostAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var remote = context.Connection.RemoteIpAddress;
        var isLocal = remote is not null && IPAddress.IsLoopback(remote);
        if (!context.Request.IsHttps && !isLocal)
        {
            return Problem(400, "plain", "A claim carries a secret: send it over HTTPS.");
        }

        if (!gate.TryEnter(remote, out var wait))
        {
            instruments.Claimed("limited");
            context.Response.Headers[HeaderNames.RetryAfter] = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return Problem(429, "limited", "Too many claims. Check the code, and try again later.");
        }

        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || !string.Equals(type.MediaType.Value, "application/json", StringComparison.OrdinalIgnoreCase))
        {
            instruments.Claimed("wrong");
            return Problem(400, "wrong", "The body of a claim is application/json.");
        }

        var (body, isWhole) = await ReadAsync(context.Request.Body, context.RequestAborted).ConfigureAwait(false);
        if (!isWhole)
        {
            instruments.Claimed("wrong");
            return Problem(400, "wrong", $"A claim has at most {ClaimRequest.BytesMax} bytes.");
        }

        if (!ClaimRequest.TryRead(body.Span, out var request, out var mistake))
        {
            instruments.Claimed("wrong");
            return Problem(400, "wrong", mistake);
        }

        if (ClaimAddress.Of(options.Value, broker.Endpoints, context.Request.Host.Host, isLocal) is not { } endpoint)
        {
            logger.ClaimWithoutBroker();
            return Problem(503, "no-broker", NoBroker);
        }

        if (await desk.ClaimAsync(request, context.RequestAborted).ConfigureAwait(false) is not { } claim)
        {
            return Problem(404, "unknown", "This code is not known here, has been used, or is over. Ask an operator for a new one.");
        }

        gate.Succeeded(remote);
        var station = claim.Station;
        var reply = new ClaimReply(
            station.Municipality, station.Slug, station.Name, station.Latitude, station.Longitude, endpoint.Host, endpoint.Port, endpoint.Tls, endpoint.Tls ? authority : null, claim.Profile);
        context.Response.StatusCode = claim.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK;
        return Results.Bytes(reply.ToUtf8(), "application/json");
    }

    private static async Task<(ReadOnlyMemory<byte> Body, bool IsWhole)> ReadAsync(Stream body, CancellationToken cancellationToken)
    {
        var buffer = new byte[ClaimRequest.BytesMax + 1];
        var length = 0;
        int read;
        while (length < buffer.Length && (read = await body.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false)) > 0)
        {
            length += read;
        }

        return (buffer.AsMemory(0, Math.Min(length, ClaimRequest.BytesMax)), length <= ClaimRequest.BytesMax);
    }

    private static IResult Problem(int status, string code, string detail)
    {
        var problem = new ProblemDetails
        {
            Type = $"urn:hub:problem:claim:{code}",
            Title = status switch { 404 => "No such claim", 429 => "Too many claims", 503 => "No broker to go to", _ => "Wrong claim" },
            Status = status,
            Detail = detail,
        };
        problem.Extensions["code"] = $"claim.{code}";
        return Results.Problem(problem);
    }
}
