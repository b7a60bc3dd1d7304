using System.Net;
using Hub.Cloud.Api;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;

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
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") });
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/metrics", StringComparison.Ordinal), metrics => metrics.Use(async (context, next) =>
        {
            // Counters tell who sends how much: for the machine itself, or for an administrator.
            var local = context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address);
            if (local || settings.MetricsPublic || context.User.Holds(Role.Administrator, null))
            {
                await next(context);
                return;
            }

            context.Response.StatusCode = StatusCodes.Status404NotFound;
        }));

        app.MapHubIngest();
        app.MapHubApi();
        app.MapHubPortal();
    }
}
