using Hub.Cloud.Database;
using Hub.Cloud.Ingest.Adapters;
using Hub.Cloud.Ingest.Adapters.Airrohr;
using Hub.Cloud.Ingest.Adapters.Telraam;
using Hub.Cloud.Ingest.Adapters.ThingsStack;
using Hub.Cloud.Ingest.Http;
using Hub.Cloud.Ingest.Mqtt;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Cloud.Ingest.Quarantine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Ingest;

/// <summary>Puts the ingest stage into a host.</summary>
public static class IngestExtensions
{
    /// <summary>
    /// Registers <see cref="IIngest"/>, <see cref="IQuarantine"/>, <see cref="IHubPublisher"/>, <see cref="IHubBroker"/>, <see cref="IStationMessages"/>, <see cref="IIngestCounters"/> and the broker as a hosted service. Needs
    /// <see cref="Series.ISeries"/>, <see cref="Stations.IStations"/> and <see cref="Stations.IAdapterSecrets"/>; they must outlive it, so register them first. Safe to call twice.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">Root of the configuration: <c>Hub:Ingest</c>, <c>Hub:Mqtt</c>, <c>Hub:Database</c> and <c>Hub:Data</c> are read.</param>
    public static IServiceCollection AddHubIngest(this IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(s => s.ServiceType == typeof(IngestPipeline)))
        {
            return services;
        }

        services.AddOptions<IngestOptions>().Bind(configuration.GetSection(IngestOptions.Section)).ValidateOnStart();
        services.AddOptions<MqttOptions>().Bind(configuration.GetSection(MqttOptions.Section)).PostConfigure(options => options.PublicUrl = configuration["Hub:PublicUrl"] ?? "").ValidateOnStart();
        services.AddSingleton<IValidateOptions<IngestOptions>, IngestOptionsValidator>();
        services.AddSingleton<IValidateOptions<MqttOptions>, MqttOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddDbContextFactory<IngestDbContext>(options => options
            .UseHubDatabase(configuration, IngestDbContext.HistoryTable)
            .AddInterceptors(new DurableSqlite()));

        services.AddSingleton<IngestInstruments>();
        services.AddSingleton<IIngestCounters>(s => s.GetRequiredService<IngestInstruments>());
        services.AddSingleton<QuarantineWriter>();
        services.AddSingleton<IngestPipeline>();
        services.AddSingleton<IIngest>(s => s.GetRequiredService<IngestPipeline>());
        services.AddSingleton<IQuarantine, QuarantineStore>();
        services.AddSingleton<HttpIngest>();
        services.AddSingleton<IStationAdapter, AirrohrAdapter>();
        services.AddSingleton<IStationAdapter, ThingsStackAdapter>();
        services.AddSingleton<IStationAdapter, TelraamAdapter>();
        services.AddSingleton<AdapterSet>();
        services.AddSingleton<AdapterIngest>();
        services.AddOptions<TelraamOptions>().Bind(configuration.GetSection(TelraamOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TelraamOptions>, TelraamOptionsValidator>();
        services.AddSingleton<TelraamPoller>();
        services.AddSingleton<IHostedService>(s => s.GetRequiredService<TelraamPoller>());
        services.AddSingleton<StationMessageBoard>();
        services.AddSingleton<IStationMessages>(s => s.GetRequiredService<StationMessageBoard>());
        services.AddSingleton<EmbeddedBroker>();
        services.AddSingleton<ExternalBroker>();
        services.AddSingleton<IHubPublisher>(s => IsExternal(s) ? s.GetRequiredService<ExternalBroker>() : s.GetRequiredService<EmbeddedBroker>());
        services.AddSingleton<IHubBroker>(s => IsExternal(s) ? s.GetRequiredService<ExternalBroker>() : s.GetRequiredService<EmbeddedBroker>());
        services.AddSingleton<IHostedService>(s => IsExternal(s) ? s.GetRequiredService<ExternalBroker>() : s.GetRequiredService<EmbeddedBroker>());
        return services;
    }

    /// <summary>Brings the stage's tables up to date. Call it before the hosted services start; safe to call again.</summary>
    public static async Task MigrateIngestAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        await using var context = await services.GetRequiredService<IDbContextFactory<IngestDbContext>>().CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await context.Database.MigrateHubAsync(services.GetRequiredService<TimeProvider>(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Maps <c>POST /ingest/v1/{municipality}/{station}</c>, and below it one address for each adapter. Needs no authentication middleware: it checks the station's own
    /// credentials. With the embedded broker also <c>Hub:Mqtt:WebSocketPath</c>.
    /// </summary>
    public static IEndpointConventionBuilder MapHubIngest(this IEndpointRouteBuilder endpoints)
    {
        MapWebSockets(endpoints);
        foreach (var name in StationAdapters.Names)
        {
            endpoints.MapPost($"/ingest/v1/{{municipality}}/{{station}}/{name}", (string municipality, string station, HttpContext context, AdapterIngest ingest) => ingest.PostAsync(municipality, station, name, context))
                .WithName($"PostForeign-{name}")
                .WithTags("Ingest")
                .WithSummary($"Send readings of a station others made ({name})")
                .WithDescription("Body: what such stations send, as JSON. Credentials: the secret of this station and adapter, Basic or Bearer. The answer comes when the readings, and what is refused, are on disk.")
                .Accepts<object>("application/json")
                .Produces<AdapterReceipt>()
                .Produces<AdapterReceipt>(StatusCodes.Status201Created)
                .Produces<AdapterReceipt>(StatusCodes.Status202Accepted)
                .ProducesProblem(StatusCodes.Status401Unauthorized)
                .ProducesProblem(StatusCodes.Status403Forbidden)
                .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
                .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
                .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
                .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
                .AllowAnonymous()
                .DisableAntiforgery();
        }

        return endpoints.MapPost("/ingest/v1/{municipality}/{station}", (string municipality, string station, HttpContext context, HttpIngest ingest) => ingest.PostAsync(municipality, station, context))
            .WithName("PostReadings")
            .WithTags("Ingest")
            .WithSummary("Send readings of a station")
            .WithDescription("Body: a SenML pack (RFC 8428) as application/senml+json or application/senml+cbor. Credentials: Basic, user name {municipality}/{station}, the station's secret. The answer comes when the readings are on disk.")
            .Produces<HttpReceipt>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .AllowAnonymous()
            .DisableAntiforgery();
    }

    private static void MapWebSockets(IEndpointRouteBuilder endpoints)
    {
        var options = endpoints.ServiceProvider.GetRequiredService<IOptions<MqttOptions>>().Value;
        if (options.Mode != MqttMode.Embedded || options.WebSocketPath.Length == 0)
        {
            return;
        }

        // By any method: WebSockets over HTTP/2 come with CONNECT. The middleware is for this address only.
        var pipeline = endpoints.CreateApplicationBuilder();
        pipeline.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        pipeline.Run(context => context.RequestServices.GetRequiredService<EmbeddedBroker>().EnterAsync(context));
        endpoints.Map(options.WebSocketPath, pipeline.Build()).WithDisplayName("MQTT over WebSockets").ExcludeFromDescription().AllowAnonymous().DisableAntiforgery();
    }

    private static bool IsExternal(IServiceProvider services) => services.GetRequiredService<IOptions<MqttOptions>>().Value.Mode == MqttMode.External;
}
