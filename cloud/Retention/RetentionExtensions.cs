using Hub.Cloud.Database;
using Hub.Cloud.Retention.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Hub.Cloud.Retention;

/// <summary>Registration of the Retention stage.</summary>
public static class RetentionExtensions
{
    /// <summary>
    /// Registers <see cref="IRetention"/>, with its tables in the hub's database. Needs the front doors of Municipalities, Stations and Series. Call <see cref="MigrateRetentionAsync"/> before use. A hub that
    /// serves adds <see cref="AddHubRetentionKeeper"/>. Safe to call twice.
    /// </summary>
    public static IServiceCollection AddHubRetention(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(RetentionDesk)))
        {
            return services;
        }

        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddDbContextFactory<RetentionContext>(database => database.UseHubDatabase(configuration, RetentionContext.HistoryTable));
        services.AddSingleton<RetentionInstruments>();
        services.AddSingleton<RetentionDesk>();
        services.AddSingleton<IRetention>(provider => provider.GetRequiredService<RetentionDesk>());
        return services;
    }

    /// <summary>Deletes every day what is no longer to be kept, in the process that serves.</summary>
    public static IServiceCollection AddHubRetentionKeeper(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<RetentionKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<RetentionKeeper>());
        return services;
    }

    /// <summary>Brings the stage's tables up to date. Call it before the hosted services start; safe to call again.</summary>
    /// <exception cref="SqliteException">The database cannot be opened or written; the message says why.</exception>
    public static async Task MigrateRetentionAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(services);
        await using var context = await services.GetRequiredService<IDbContextFactory<RetentionContext>>().CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await context.Database.MigrateHubAsync(services.GetRequiredService<TimeProvider>(), cancellationToken).ConfigureAwait(false);
    }
}
