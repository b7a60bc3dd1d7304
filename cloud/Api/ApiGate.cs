using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Hub.Cloud.Series;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Api;

/// <summary>What every request passes through: open to other sites for reading, only known parameters, an ended token told so, problems instead of exceptions.</summary>
internal sealed partial class ApiGate(ApiInstruments instruments, ILogger<ApiGate> logger) : IEndpointFilter
{
    /// <summary>Names and rules of JSON as the framework's, with letters written as they are: these documents are never part of a page.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Longest detail of a problem: what a stage refuses it may quote, however long that is.</summary>
    private const int DetailLengthMax = 1_000;

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        ArgumentNullException.ThrowIfNull(invocation);
        ArgumentNullException.ThrowIfNull(next);
        var context = invocation.HttpContext;
        var headers = context.Response.Headers;
        var reads = HttpMethods.IsGet(context.Request.Method);
        if (reads)
        {
            // Any page may read what anybody may read. No credentials: the browser sends no cookie of ours from elsewhere.
            headers.AccessControlAllowOrigin = "*";
            headers.AccessControlExposeHeaders = $"Link, ETag, Last-Modified, Retry-After, {ObservationWriter.ResolutionHeader}, {ObservationWriter.StatisticHeader}";
        }

        headers.Vary = "Accept, Authorization, Cookie";
        headers.CacheControl = "no-cache";
        headers.XContentTypeOptions = "nosniff";
        try
        {
            var bearer = context.Request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase);
            if (bearer && context.User.Identity?.IsAuthenticated != true)
            {
                // Answering as to a stranger would quietly leave out what the caller came for.
                throw new ProblemException(Problems.SignInNeeded, "The token sent is not ours, has expired, or was ended by a change of password or roles.");
            }

            if (!reads && !bearer && context.Request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site")
            {
                throw new ProblemException(Problems.NotAllowed, "A page of another site may not change anything with this browser's session.");
            }

            if (context.GetEndpoint()?.Metadata.GetMetadata<QueryParameters>() is { } parameters)
            {
                new Query(context).Demand(parameters);
            }

            return await next(invocation);
        }
        catch (ProblemException problem)
        {
            if (problem.RetryAfter is { } wait)
            {
                headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            }

            return Answer(problem.Kind, problem.Message, problem.Parameter);
        }
        catch (SeriesUnavailableException unavailable) when (!context.Response.HasStarted)
        {
            LogUnavailable(unavailable);
            return Answer(Problems.SeriesUnavailable, "The store of observations cannot be reached at this moment.", null);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone: nobody reads an answer.
            return Results.Empty;
        }
    }

    private IResult Answer(ProblemKind kind, string detail, string? parameter)
    {
        instruments.Problem(kind.Code);
        detail = detail.Length <= DetailLengthMax ? detail : detail[..DetailLengthMax] + "...";
        return Results.Json(
            new ProblemDocument($"urn:hub:problem:{kind.Code}", kind.Title, kind.Status, detail, kind.Code, parameter), Json, "application/problem+json", kind.Status);
    }
}
