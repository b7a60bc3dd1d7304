using Hub.Cloud.Alerts.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Alerts;

/// <summary>Adds the Alerts stage to a program.</summary>
public static class AlertsExtensions
{
    /// <summary>
    /// Adds rules, alarms and their evaluation. Needs the stages Stations, Series and Notifications and an <see cref="IMunicipalityDirectory"/>. Safe to call twice.
    /// </summary>
    /// <param name="services">Services of the program.</param>
    /// <param name="configuration">Holds <c>Hub:Alerts</c> and <c>Hub:Database</c> (a path or a connection string; default <c>hub.db</c> in <c>Hub:Data</c>).</param>
    public static IServiceCollection AddHubAlerts(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(IAlerts)))
        {
            return services;
        }

        services.AddOptions<AlertsOptions>().Bind(configuration.GetSection(AlertsOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AlertsOptions>, AlertsOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        var connection = ConnectionString(configuration);
        services.AddDbContextFactory<AlertsContext>(db => db.UseSqlite(connection, sqlite => sqlite.MigrationsHistoryTable(AlertsContext.HistoryTable)));
        services.AddSingleton<AlertsInstruments>();
        services.AddSingleton<AlarmBook>();
        services.AddSingleton<IAlerts>(provider => provider.GetRequiredService<AlarmBook>());
        services.AddSingleton<Evaluator>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<Evaluator>());
        return services;
    }

    /// <summary>Brings the tables of this stage up to date and reads its rules. Called once, before hosted services start.</summary>
    public static async Task MigrateAlertsAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        var contexts = services.GetRequiredService<IDbContextFactory<AlertsContext>>();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        // Migrating takes a lock in the file even when there is nothing to do, and a process killed in that moment would leave it there.
        if ((await db.Database.GetPendingMigrationsAsync(cancellationToken).ConfigureAwait(false)).Any())
        {
            await db.Database.MigrateAsync(cancellationToken).ConfigureAwait(false);
        }
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL", cancellationToken).ConfigureAwait(false);
        await services.GetRequiredService<AlarmBook>().LoadAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Connection string of the hub's relational database, which all stages share.</summary>
    private static string ConnectionString(IConfiguration configuration)
    {
        var database = configuration["Hub:Database"] is { Length: > 0 } given ? given : Path.Combine(configuration["Hub:Data"] ?? "hub-data", "hub.db");
        var builder = database.Contains('=', StringComparison.Ordinal) ? new SqliteConnectionStringBuilder(database) : new SqliteConnectionStringBuilder { DataSource = database };
        builder.DefaultTimeout = 30;
        return builder.ConnectionString;
    }
}
