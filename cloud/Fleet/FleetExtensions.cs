using System.Text.Json;
using Hub.Cloud.Database;
using Hub.Cloud.Fleet.Claims;
using Hub.Cloud.Fleet.Commands;
using Hub.Cloud.Fleet.Storage;
using Hub.Cloud.Fleet.Twin;
using Hub.Cloud.Fleet.Updates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Fleet;

/// <summary>Registration of the Fleet stage.</summary>
public static class FleetExtensions
{
    /// <summary>
    /// Registers <see cref="IFleet"/> and <see cref="IAgentUpdates"/> with settings from <c>Hub:Fleet</c> and <c>Hub:Public</c>, and the database from <c>Hub:Database</c> (default <c>hub.db</c> in <c>Hub:Data</c>). Needs the
    /// front doors of Stations. Call <see cref="MigrateFleetAsync"/> before use. A hub that serves adds <see cref="AddHubFleetKeeper"/>; without it, as in a tool, changes are stored and the running
    /// hub carries them out. Safe to call twice.
    /// </summary>
    public static IServiceCollection AddHubFleet(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(s => s.ServiceType == typeof(FleetDesk)))
        {
            return services;
        }

        services.AddOptions<FleetOptions>().Bind(configuration.GetSection(FleetOptions.Section)).Configure(options =>
        {
            options.BundleFolder = Path.Combine(configuration["Hub:Data"] ?? "hub-data", "agent-bundles");
            options.PublicUrl = configuration["Hub:PublicUrl"] ?? "";
        }).ValidateOnStart();
        services.AddOptions<PublicOptions>().Bind(configuration.GetSection(PublicOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<FleetOptions>, FleetOptionsValidator>();
        services.AddSingleton<IValidateOptions<PublicOptions>, PublicOptionsValidator>();
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddDbContextFactory<FleetContext>(database => database.UseHubDatabase(configuration, FleetContext.HistoryTable));
        services.AddSingleton<FleetInstruments>();
        services.AddSingleton<WantedBook>();
        services.AddSingleton<AgentBook>();
        services.AddSingleton<CommandDesk>();
        services.AddSingleton<ClaimDesk>();
        services.AddSingleton<BundleStore>();
        services.AddSingleton<CampaignDesk>();
        services.AddSingleton<IAgentUpdates, UpdateDesk>();
        services.AddSingleton<FleetDesk>();
        services.AddSingleton<IFleet>(provider => provider.GetRequiredService<FleetDesk>());
        return services;
    }

    /// <summary>
    /// Lets this process carry to stations what is wanted of them, send commands, hear answers, and take claims. Add it before Ingest: it must listen when the broker starts. Needs Ingest's
    /// front doors; <see cref="IEdgeRules"/> where there are rules.
    /// </summary>
    public static IServiceCollection AddHubFleetKeeper(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<FleetKeeper>();
        services.TryAddSingleton<ClaimEndpoint>();
        services.TryAddSingleton<BundleEndpoint>();
        services.AddHostedService(provider => provider.GetRequiredService<FleetKeeper>());
        return services;
    }

    /// <summary>Brings the stage's tables up to date and reads what is known of the agents. Call it before the hosted services start; safe to call again.</summary>
    /// <exception cref="SqliteException">The database cannot be opened or written; the message says why.</exception>
    public static async Task MigrateFleetAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(services);
        await using (var context = await services.GetRequiredService<IDbContextFactory<FleetContext>>().CreateDbContextAsync(cancellationToken).ConfigureAwait(false))
        {
            await context.Database.MigrateHubAsync(services.GetRequiredService<TimeProvider>(), cancellationToken).ConfigureAwait(false);
        }

        await services.GetRequiredService<AgentBook>().LoadAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Maps <c>POST /claim/v1</c> and <c>GET /agents/v1/bundles/{sha256}</c>. Needs <see cref="AddHubFleetKeeper"/>, and no authentication middleware: the code, or the station's secret, is the credential.
    /// </summary>
    public static void MapHubFleet(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(BundleEndpoint.Root + "/{sha256}", (string sha256, HttpContext context, BundleEndpoint bundles) => bundles.Get(sha256, context))
            .WithName("GetAgentBundleFile")
            .WithTags("Agents")
            .WithSummary("Fetch an agent bundle")
            .AllowAnonymous();

        endpoints.MapPost("/claim/v1", (HttpContext context, ClaimEndpoint claims) => claims.PostAsync(context))
            .WithName("ClaimStation")
            .WithTags("Claim")
            .WithSummary("Claim a station")
            .AllowAnonymous()
            .DisableAntiforgery();
    }

    /// <summary>Reads settings somebody typed, as JSON with comments and commas at the end.</summary>
    /// <param name="text">The text.</param>
    /// <param name="settings">What it says.</param>
    /// <param name="problem">What is wrong with it, with line and column from 1; null when it can be read.</param>
    public static bool TryParseSettings(string text, out JsonElement settings, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        return SettingsRules.TryParse(text, out settings, out problem);
    }
}
