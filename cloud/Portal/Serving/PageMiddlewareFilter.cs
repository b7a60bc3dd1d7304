using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Portal.Serving;

/// <summary>Puts the error page around requests of people. Programs' requests (the API) keep their own answers.</summary>
internal sealed partial class PageMiddlewareFilter(PageKeeping keeping, ILogger<PageMiddlewareFilter> logger) : IStartupFilter
{
    private static readonly PathString[] Programs = ["/api", "/ingest", "/claim", "/agents", "/openapi", "/docs", "/health", "/metrics", "/assets", "/map", "/pulse", "/query", "/ping"];

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseWhen(
            static context => !Array.Exists(Programs, prefix => context.Request.Path.StartsWithSegments(prefix, StringComparison.OrdinalIgnoreCase)),
            branch =>
            {
                branch.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandlingPath = "/error", AllowStatusCode404Response = true, SuppressDiagnosticsCallback = static _ => true });
                branch.Use((context, following) => Watch(context, following));
                keeping.Use(branch);
            });
        next(app);
    };

    private async Task Watch(HttpContext context, RequestDelegate following)
    {
        try
        {
            await following(context);
        }
        catch (Exception exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            PageFailed(exception, context.Request.Path, context.TraceIdentifier);
            context.RequestServices.GetRequiredService<PortalInstruments>().PageFailed();
            throw;
        }
    }
}
