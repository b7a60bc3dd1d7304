using Hub.Cloud.Database;
using Hub.Cloud.Stations.Notebook;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Stations;

/// <summary>Registration of the Stations stage.</summary>
public static class StationsExtensions
{
    /// <summary>
    /// Registers <see cref="IStations"/>, <see cref="IStationHistory"/>, <see cref="IAdapterSecrets"/>, <see cref="IStationSecrets"/>, <see cref="IStationCredentials"/> and <see cref="IStationNotebook"/> with settings from <c>Hub:Stations</c> and the
    /// database from <c>Hub:Database</c> (default <c>hub.db</c> in <c>Hub:Data</c>). Safe to call twice. Call <see cref="MigrateStationsAsync"/> before use.
    /// </summary>
    public static IServiceCollection AddHubStations(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<StationsOptions>().Bind(configuration.GetSection(StationsOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<StationsOptions>, StationsOptionsValidator>());
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<StationsInstruments>();
        services.AddDbContextFactory<StationsDatabase>(database => database.UseHubDatabase(configuration, StationsDatabase.MigrationsTable));
        services.TryAddSingleton<StationRegistry>();
        services.AddHostedService<StationWatch>();
        services.TryAddSingleton<IStations>(provider => provider.GetRequiredService<StationRegistry>());
        services.TryAddSingleton<IStationHistory>(provider => provider.GetRequiredService<StationRegistry>());
        services.TryAddSingleton<IAdapterSecrets>(provider => provider.GetRequiredService<StationRegistry>());
        services.TryAddSingleton<IStationSecrets>(provider => provider.GetRequiredService<StationRegistry>());
        services.TryAddSingleton<IStationCredentials>(provider => provider.GetRequiredService<StationRegistry>());
        services.TryAddSingleton<IStationNotebook, StationNotebook>();
        return services;
    }

    /// <summary>Brings the stage's tables up to date and loads all stations into memory. The server calls it once, before it starts anything else.</summary>
    /// <exception cref="SqliteException">The database cannot be opened or written; the message says why.</exception>
    public static async Task MigrateStationsAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(services);
        var databases = services.GetRequiredService<IDbContextFactory<StationsDatabase>>();
        await using (var database = await databases.CreateDbContextAsync(cancellationToken))
        {
            await database.Database.MigrateHubAsync(services.GetRequiredService<TimeProvider>(), cancellationToken);
        }

        await services.GetRequiredService<StationRegistry>().LoadAsync(cancellationToken);
    }
}
