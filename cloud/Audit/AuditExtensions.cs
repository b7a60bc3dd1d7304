using Hub.Cloud.Audit.Storage;
using Hub.Cloud.Database;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Hub.Cloud.Audit;

/// <summary>Registration of the Audit stage.</summary>
public static class AuditExtensions
{
    /// <summary>Registers <see cref="IAudit"/>, with its table in the hub's database. Call <see cref="MigrateAuditAsync"/> before use. Safe to call twice.</summary>
    public static IServiceCollection AddHubAudit(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(IAudit)))
        {
            return services;
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddDbContextFactory<AuditContext>(database => database.UseHubDatabase(configuration, AuditContext.HistoryTable));
        services.AddSingleton<IAudit, AuditBook>();
        return services;
    }

    /// <summary>Brings the stage's table up to date. Call it before use; safe to call again.</summary>
    /// <exception cref="SqliteException">The database cannot be opened or written; the message says why.</exception>
    public static async Task MigrateAuditAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(services);
        await using var context = await services.GetRequiredService<IDbContextFactory<AuditContext>>().CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await context.Database.MigrateHubAsync(services.GetRequiredService<TimeProvider>(), cancellationToken).ConfigureAwait(false);
    }
}
