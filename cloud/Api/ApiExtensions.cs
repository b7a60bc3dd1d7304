using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Scalar.AspNetCore;

namespace Hub.Cloud.Api;

/// <summary>Registration of the Api stage.</summary>
public static class ApiExtensions
{
    /// <summary>First part of the address of everything in this version.</summary>
    public const string Root = "/api/v1";

    /// <summary>
    /// Registers the API with settings from <c>Hub:Api</c>. Needs the front doors of Municipalities (<c>AddHubMunicipalities</c> brings the sign-in), Stations, Series,
    /// Alerts (rules, alarms and their handling), Notifications, Ingest and Fleet beside it. Safe to call twice.
    /// </summary>
    public static IServiceCollection AddHubApi(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(s => s.ServiceType == typeof(ApiInstruments)))
        {
            return services;
        }

        services.AddOptions<ApiOptions>().Bind(configuration.GetSection(ApiOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ApiOptions>, ApiOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ApiInstruments>();
        services.AddSingleton<ApiGate>();
        services.AddSingleton<LiveHub>();
        services.AddSingleton<QueryGuard>();
        services.AddOpenApi("v1", ApiDescription.Configure);
        return services;
    }

    /// <summary>Maps <c>/api/v1</c>, the OpenAPI document at <c>/openapi/v1.json</c> and its reader at <c>/docs</c>.</summary>
    public static IEndpointRouteBuilder MapHubApi(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var gate = routes.ServiceProvider.GetRequiredService<ApiGate>();
        var api = routes.MapGroup(Root).AddEndpointFilter(gate.InvokeAsync);
        PlaceEndpoints.Map(api);
        StationTagEndpoints.Map(api);
        ObservationEndpoints.Map(api);
        RecalibrationEndpoints.Map(api);
        RetentionEndpoints.Map(api);
        QualityEndpoints.Map(api);
        AuditEndpoints.Map(api);
        AlarmEndpoints.Map(api);
        CapEndpoints.Map(api);
        SubscriberEndpoints.Map(api);
        DutyEndpoints.Map(api);
        DeliveryEndpoints.Map(api);
        HandlingEndpoints.Map(api);
        RuleEndpoints.Map(api);
        RuleFileEndpoints.Map(api);
        QuarantineEndpoints.Map(api);
        AgentEndpoints.Map(api);
        CampaignEndpoints.Map(api);
        SessionEndpoints.Map(api);
        LiveEndpoint.Map(api);

        // A page elsewhere that sends a token is asked about first.
        api.MapMethods("/{**rest}", [HttpMethods.Options], (HttpContext context) =>
        {
            context.Response.Headers.AccessControlAllowOrigin = "*";
            context.Response.Headers.AccessControlAllowMethods = "GET";
            context.Response.Headers.AccessControlAllowHeaders = "Accept, Authorization, If-None-Match, Last-Event-ID";
            context.Response.Headers.AccessControlMaxAge = "86400";
            return Results.NoContent();
        }).ExcludeFromDescription();
        api.MapFallback("/{**rest}", Unknown).ExcludeFromDescription();

        routes.MapOpenApi("/openapi/{documentName}.json");
        routes.MapScalarApiReference("/docs", scalar =>
        {
            // Works without the internet: the script comes from this server, and nothing else is fetched or told to anybody.
            scalar.WithTitle("Hub API")
                .WithOpenApiRoutePattern("/openapi/{documentName}.json")
                .DisableDefaultFonts()
                .DisableTelemetry()
                .DisableAgent()
                .DisableMcp()
                .HideDeveloperTools()
                .HideClientButton();
        });
        return routes;
    }

    // Its return type makes it a handler like the others: a bare request delegate would go round the gate.
    private static IResult Unknown(HttpContext context)
    {
        // An address that takes a body is not found either when the body does not say what it is; curl -d, for one, says it is a form.
        var body = (HttpMethods.IsPost(context.Request.Method) || HttpMethods.IsPut(context.Request.Method)) && !context.Request.HasJsonContentType()
            ? " If the address is right, say Content-Type: application/json."
            : "";
        throw new ProblemException(Problems.UnknownAddress, $"There is nothing at {context.Request.Method} {Query.Short(context.Request.Path)}.{body}");
    }
}
