using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.InfluxQl;

/// <summary>Registration of the InfluxQl stage.</summary>
public static class InfluxQlExtensions
{
    /// <summary>
    /// Registers the stage with settings from <c>Hub:InfluxQl</c>. Needs the front doors of Municipalities (<c>AddHubMunicipalities</c> brings the sign-in), Stations, Series and Alerts beside it. Safe to call twice.
    /// </summary>
    public static IServiceCollection AddHubInfluxQl(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(s => s.ServiceType == typeof(InfluxQlInstruments)))
        {
            return services;
        }

        services.AddOptions<InfluxQlOptions>().Bind(configuration.GetSection(InfluxQlOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<InfluxQlOptions>, InfluxQlOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<InfluxQlInstruments>();
        services.AddSingleton<Turns>();
        services.AddSingleton<Visitors>();
        services.AddSingleton<InfluxQlEndpoints>();
        return services;
    }

    /// <summary>Maps <c>/query</c> and <c>/ping</c>, where the stage is enabled.</summary>
    public static IEndpointRouteBuilder MapHubInfluxQl(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        if (routes.ServiceProvider.GetRequiredService<IOptions<InfluxQlOptions>>().Value.Enabled)
        {
            var endpoints = routes.ServiceProvider.GetRequiredService<InfluxQlEndpoints>();

            // A form from elsewhere can ask, but neither change anything nor read the answer.
            routes.MapMethods("/query", [HttpMethods.Get, HttpMethods.Post], endpoints.QueryAsync).DisableAntiforgery().ExcludeFromDescription();
            routes.MapMethods("/ping", [HttpMethods.Get, HttpMethods.Head], InfluxQlEndpoints.PingAsync).ExcludeFromDescription();
        }

        return routes;
    }
}
