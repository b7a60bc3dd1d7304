using System.Net;
using Hub.Cloud.Api;
using Hub.Cloud.Fleet;
using Hub.Cloud.InfluxQl;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Server;

/// <summary>Which stage answers which path, and in which order requests pass.</summary>
internal static class HubRoutes
{
    /// <summary>Maps every stage's endpoints.</summary>
    public static void MapHub(this WebApplication app, HubSettings settings)
    {
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();

        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready"), ResponseWriter = (context, report) => WriteHealthAsync(context, report, settings) });
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/metrics", StringComparison.Ordinal), metrics => metrics.Use(async (context, next) =>
        {
            // Counters tell who sends how much: for the machine itself, or for an administrator.
            if (IsTrusted(context) || settings.MetricsPublic)
            {
                await next(context);
                return;
            }

            context.Response.StatusCode = StatusCodes.Status404NotFound;
        }));

        app.MapHubIngest();
        app.MapHubFleet();
        app.MapHubApi();
        app.MapHubInfluxQl();
        app.MapHubPortal();
        RefuseTakenPath(app);
    }

    /// <summary>A path at which there is a page already would be answered by neither. The default path is none of ours.</summary>
    private static void RefuseTakenPath(WebApplication app)
    {
        var path = app.Services.GetRequiredService<IOptions<MqttOptions>>().Value.WebSocketPath;
        if (path is not ("" or "/mqtt")
            && ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
                .Count(endpoint => string.Equals(endpoint.RoutePattern.RawText?.Trim('/'), path.Trim('/'), StringComparison.OrdinalIgnoreCase)) > 1)
        {
            throw new StartException($"Hub:Mqtt:WebSocketPath {path} is an address of the hub's pages or API already: choose another, e.g. /mqtt.");
        }
    }

    private static bool IsTrusted(HttpContext context) =>
        (context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)) || context.User.Holds(Role.Administrator, null);

    /// <summary>One word for everybody; the reasons, which name files, a line each for who may see the metrics.</summary>
    private static Task WriteHealthAsync(HttpContext context, HealthReport report, HubSettings settings)
    {
        var reasons = IsTrusted(context) || settings.MetricsPublic ? report.Entries.Where(entry => entry.Value.Description is not null).Select(entry => $"\n{entry.Key}: {entry.Value.Description}") : [];
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync($"{report.Status}{string.Concat(reasons)}", context.RequestAborted);
    }
}
