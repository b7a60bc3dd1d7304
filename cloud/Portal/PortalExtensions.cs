using System.Text.Unicode;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Assets;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Read.Map;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.WebEncoders;

namespace Hub.Cloud.Portal;

/// <summary>Adds the hub's pages to a server.</summary>
public static class PortalExtensions
{
    /// <summary>
    /// Registers the pages. Needs IMunicipalities, IStations, ISeries, IAlerts and IAlarmHandling; offers to sign in when an <see cref="ISignIn"/> is registered, and alerts when an ISignUp is and offers itself, before or after. Safe to call twice.
    /// </summary>
    /// <param name="services">Where to register.</param>
    /// <param name="configuration">Root configuration; settings are under <c>Hub:Portal</c>.</param>
    public static IServiceCollection AddHubPortal(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(static service => service.ServiceType == typeof(Reader)))
        {
            return services;
        }

        services.AddOptions<PortalOptions>().Bind(configuration.GetSection(PortalOptions.Section)).PostConfigure(options => options.PublicUrl = configuration["Hub:PublicUrl"] ?? "").ValidateOnStart();
        services.AddSingleton<IValidateOptions<PortalOptions>, PortalOptionsValidator>();
        services.AddOptions<MapOptions>().Bind(configuration.GetSection(MapOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<MapOptions>, MapOptionsValidator>();
        services.AddSingleton<OwnMap>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<PortalInstruments>();
        services.AddSingleton<BuiltAssets>();
        services.AddSingleton<Reader>();
        services.AddSingleton<FleetReader>();
        services.AddSingleton<LongReads>();
        services.AddSingleton<ChartReader>();
        services.AddSingleton<StationCalibrations>();
        services.AddSingleton<StationPast>();
        services.AddSingleton<TopicSeries>();
        services.AddSingleton<AirReader>();
        services.AddSingleton<NoiseReader>();
        services.AddSingleton<TrafficReader>();
        services.AddSingleton<CityFigures>();
        services.AddSingleton<MapReader>();
        services.AddSingleton<MapEndpoints>();
        services.AddDataProtection();
        services.AddSingleton<AcknowledgeLinks>();
        services.AddSingleton<SignUpChoices>();
        services.AddSingleton<RuleDesk>();
        services.AddSingleton<PageFilter>();
        PageKeeping.Add(services);
        // Letters of the two languages are written as they are, not as entities.
        services.Configure<WebEncoderOptions>(static options =>
            options.TextEncoderSettings = new(UnicodeRanges.BasicLatin, UnicodeRanges.Latin1Supplement, UnicodeRanges.LatinExtendedA, UnicodeRanges.GeneralPunctuation, UnicodeRanges.SuperscriptsandSubscripts, UnicodeRanges.MathematicalOperators));
        services.AddHttpContextAccessor();
        services.AddScoped<PageScope>();
        services.AddTransient<IStartupFilter, PageMiddlewareFilter>();
        services.AddAntiforgery(static options =>
        {
            options.Cookie.Name = "hub-form";
            options.SuppressXFrameOptionsHeader = true;
        });
        services.AddRazorPages(static options =>
            {
                options.Conventions.AddFolderApplicationModelConvention("/", static page => page.Filters.Add(new ServiceFilterAttribute(typeof(PageFilter))));
                options.Conventions.AddPageRoute("/Index", "m/{municipality}");
            })
            .ConfigureApplicationPartManager(static parts =>
            {
                var assembly = typeof(PortalExtensions).Assembly;
                foreach (var part in new ApplicationPart[] { new AssemblyPart(assembly), new CompiledRazorAssemblyPart(assembly) })
                {
                    if (!parts.ApplicationParts.Any(one => one.GetType() == part.GetType() && one.Name == part.Name))
                    {
                        parts.ApplicationParts.Add(part);
                    }
                }
            });
        return services;
    }

    /// <summary>Maps the pages, their assets, and the page for addresses that do not exist. Call it after everything else is mapped.</summary>
    /// <param name="endpoints">Where to map.</param>
    public static IEndpointRouteBuilder MapHubPortal(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        AssetEndpoint.Map(endpoints, endpoints.ServiceProvider.GetRequiredService<BuiltAssets>());
        endpoints.MapGet("/pulse", static (HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "no-cache, no-store";
            return Results.NoContent();
        }).ExcludeFromDescription();
        OwnMapEndpoints.Map(endpoints, endpoints.ServiceProvider.GetRequiredService<OwnMap>());
        MapEndpoints.Map(endpoints, endpoints.ServiceProvider.GetRequiredService<MapEndpoints>());
        endpoints.MapGet("/favicon.ico", static () => Results.Redirect("/assets/icon.svg", permanent: true)).ExcludeFromDescription();
        endpoints.MapRazorPages();
        // Programs that ask for an address that does not exist get the API's answer, people this page.
        endpoints.MapFallbackToPage("{*path:regex(^(?!(api|ingest|claim|agents|openapi|docs|health|metrics|assets|mqtt|query|write|ping)(/|$)).*$)}", "/Missing");
        return endpoints;
    }
}
