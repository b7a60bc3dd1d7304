using System.Globalization;
using Hub.Cloud.Ingest;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Bundles;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Hub.Cloud.Fleet.Updates;

/// <summary><c>GET /agents/v1/bundles/{sha256}</c>: a bundle, whole or in parts, for stations.</summary>
internal sealed class BundleEndpoint(BundleStore store, IStations stations, IOptions<FleetOptions> options, FleetInstruments instruments)
{
    /// <summary>Where bundles are.</summary>
    public const string Root = "/agents/v1/bundles";

    /// <summary>When a station that was told to wait comes back; each adds a part of its own.</summary>
    private const int RetrySeconds = 60;

    private int sending;

    public IResult Get(string sha256, HttpContext context)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (!StationLogin.TryAuthenticate(context.Request, stations, out _))
        {
            instruments.BundleAsked("credentials");
            context.Response.Headers.WWWAuthenticate = StationLogin.Challenge;
            return Problem(StatusCodes.Status401Unauthorized, "credentials", "Send the station's user name {municipality}/{station} and its secret with Basic authentication.");
        }

        // Only what can be the name of a bundle becomes part of a path.
        if (!BundleManifest.IsSha256(sha256) || !File.Exists(store.PathOf(sha256)))
        {
            instruments.BundleAsked("unknown");
            return Problem(StatusCodes.Status404NotFound, "unknown", "There is no such bundle here (any more).");
        }

        if (Interlocked.Increment(ref sending) > options.Value.DownloadsMax)
        {
            Interlocked.Decrement(ref sending);
            instruments.BundleAsked("busy");
            context.Response.Headers[HeaderNames.RetryAfter] = RetrySeconds.ToString(CultureInfo.InvariantCulture);
            return Problem(StatusCodes.Status503ServiceUnavailable, "busy", "Too many stations fetch bundles at once; come back later.");
        }

        instruments.BundleAsked("sent");

        // It can never change, but is for those who have the secret.
        context.Response.Headers.CacheControl = "private, max-age=31536000, immutable";
        var file = Results.File(store.PathOf(sha256), "application/zip", entityTag: new EntityTagHeaderValue($"\"{sha256}\""), enableRangeProcessing: true);
        return new Counted(file, () => Interlocked.Decrement(ref sending));
    }

    private static IResult Problem(int status, string code, string detail)
    {
        var problem = new ProblemDetails
        {
            Type = $"urn:hub:problem:bundle:{code}",
            Title = status switch { 401 => "Wrong or missing credentials", 404 => "No such bundle", _ => "Try again later" },
            Status = status,
            Detail = detail,
        };
        problem.Extensions["code"] = $"bundle.{code}";
        return Results.Problem(problem);
    }

    private sealed class Counted(IResult inner, Action end) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            try
            {
                await inner.ExecuteAsync(httpContext).ConfigureAwait(false);
            }
            finally
            {
                end();
            }
        }
    }
}
