using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
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
    /// Registers <see cref="IStations"/>, <see cref="IStationHistory"/>, <see cref="IAdapterSecrets"/> and <see cref="IStationCredentials"/> with settings from <c>Hub:Stations</c> and the
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
        services.AddDbContextFactory<StationsDatabase>(database => database
            .UseSqlite(ConnectionString(configuration), sqlite => sqlite.MigrationsHistoryTable(StationsDatabase.MigrationsTable))
            // Every statement at Information would drown what operators need to see.
            .ConfigureWarnings(warnings => warnings.Log((RelationalEventId.CommandExecuted, LogLevel.Debug))));
        services.TryAddSingleton<StationRegistry>();
        services.AddHostedService<StationWatch>();
        services.TryAddSingleton<IStations>(provider => provider.GetRequiredService<StationRegistry>());
        services.TryAddSingleton<IStationHistory>(provider => provider.GetRequiredService<StationRegistry>());
        services.TryAddSingleton<IAdapterSecrets>(provider => provider.GetRequiredService<StationRegistry>());
        services.TryAddSingleton<IStationCredentials>(provider => provider.GetRequiredService<StationRegistry>());
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
            // Readers do not wait for the writer; set once, remembered in the file.
            await database.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL", cancellationToken);
            await ApplyMigrationsAsync(database.Database, cancellationToken);
        }

        await services.GetRequiredService<StationRegistry>().LoadAsync(cancellationToken);
    }

    /// <summary>
    /// Entity Framework Core takes a lock in the file while it migrates, even when there is nothing to do, and a process killed in that moment leaves it there for ever. So nothing is
    /// touched when nothing is pending, and a lock older than any migration of ours takes is removed.
    /// </summary>
    private static async Task ApplyMigrationsAsync(DatabaseFacade database, CancellationToken cancellationToken)
    {
        while ((await database.GetPendingMigrationsAsync(cancellationToken)).Any())
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10), TimeProvider.System);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                await database.ExecuteSqlRawAsync(
                    """
                    CREATE TABLE IF NOT EXISTS "__EFMigrationsLock" ("Id" INTEGER NOT NULL CONSTRAINT "PK___EFMigrationsLock" PRIMARY KEY, "Timestamp" TEXT NOT NULL);
                    DELETE FROM "__EFMigrationsLock" WHERE julianday("Timestamp") < julianday('now') - 9.0 / 86400
                    """,
                    cancellationToken);
                await database.MigrateAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Somebody holds the lock, or held it when it was killed: by now it is old enough to tell.
            }
        }
    }

    private static string ConnectionString(IConfiguration configuration)
    {
        var database = configuration["Hub:Database"];
        if (string.IsNullOrWhiteSpace(database))
        {
            database = Path.Combine(configuration["Hub:Data"] ?? "hub-data", "hub.db");
        }

        var builder = database.Contains('=', StringComparison.Ordinal)
            ? new SqliteConnectionStringBuilder(database)
            : new SqliteConnectionStringBuilder { DataSource = database };

        // How long a command waits while another stage writes.
        if (builder.DefaultTimeout < 30)
        {
            builder.DefaultTimeout = 30;
        }

        if (Path.GetDirectoryName(builder.DataSource) is { Length: > 0 } folder && builder.Mode != SqliteOpenMode.Memory)
        {
            Directory.CreateDirectory(folder);
        }

        return builder.ToString();
    }
}
