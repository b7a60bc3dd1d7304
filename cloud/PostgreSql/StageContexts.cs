using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Audit.Storage;
using Hub.Cloud.Database;
using Hub.Cloud.Fleet.Storage;
using Hub.Cloud.Ingest.Quarantine;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications.Storage;
using Hub.Cloud.QualityControl.Storage;
using Hub.Cloud.Retention.Storage;
using Hub.Cloud.Stations;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.PostgreSql;

/// <summary>The contexts of the stages, without a hub.</summary>
internal static class StageContexts
{
    /// <summary>Enough for the migration tool, which asks no server.</summary>
    private static readonly IConfiguration Nowhere = new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Database", "Host=localhost;Database=hub;Username=hub")]).Build();

    /// <summary>A context of every stage that has tables, on the database of the settings, whichever it is; whoever asks disposes of them.</summary>
    public static IReadOnlyList<DbContext> All(IConfiguration configuration) =>
    [
        new AlertsContext(Options<AlertsContext>(AlertsContext.HistoryTable, configuration)),
        new AuditContext(Options<AuditContext>(AuditContext.HistoryTable, configuration)),
        new FleetContext(Options<FleetContext>(FleetContext.HistoryTable, configuration)),
        new IngestDbContext(Options<IngestDbContext>(IngestDbContext.HistoryTable, configuration)),
        new MunicipalitiesDatabase(Options<MunicipalitiesDatabase>(MunicipalitiesDatabase.MigrationsTable, configuration)),
        new NotificationsContext(Options<NotificationsContext>(NotificationsContext.HistoryTable, configuration)),
        new QualityContext(Options<QualityContext>(QualityContext.HistoryTable, configuration)),
        new RetentionContext(Options<RetentionContext>(RetentionContext.HistoryTable, configuration)),
        new StationsDatabase(Options<StationsDatabase>(StationsDatabase.MigrationsTable, configuration)),
    ];

    /// <summary>Options of one of them.</summary>
    public static DbContextOptions<T> Options<T>(string historyTable, IConfiguration? configuration = null)
        where T : DbContext
    {
        var options = new DbContextOptionsBuilder<T>();
        options.UseHubDatabase(configuration ?? Nowhere, historyTable);
        return options.Options;
    }
}

internal sealed class AlertsFactory : IDesignTimeDbContextFactory<AlertsContext>
{
    public AlertsContext CreateDbContext(string[] args) => new(StageContexts.Options<AlertsContext>(AlertsContext.HistoryTable));
}

internal sealed class AuditFactory : IDesignTimeDbContextFactory<AuditContext>
{
    public AuditContext CreateDbContext(string[] args) => new(StageContexts.Options<AuditContext>(AuditContext.HistoryTable));
}

internal sealed class FleetFactory : IDesignTimeDbContextFactory<FleetContext>
{
    public FleetContext CreateDbContext(string[] args) => new(StageContexts.Options<FleetContext>(FleetContext.HistoryTable));
}

internal sealed class IngestFactory : IDesignTimeDbContextFactory<IngestDbContext>
{
    public IngestDbContext CreateDbContext(string[] args) => new(StageContexts.Options<IngestDbContext>(IngestDbContext.HistoryTable));
}

internal sealed class MunicipalitiesFactory : IDesignTimeDbContextFactory<MunicipalitiesDatabase>
{
    public MunicipalitiesDatabase CreateDbContext(string[] args) => new(StageContexts.Options<MunicipalitiesDatabase>(MunicipalitiesDatabase.MigrationsTable));
}

internal sealed class NotificationsFactory : IDesignTimeDbContextFactory<NotificationsContext>
{
    public NotificationsContext CreateDbContext(string[] args) => new(StageContexts.Options<NotificationsContext>(NotificationsContext.HistoryTable));
}

internal sealed class QualityFactory : IDesignTimeDbContextFactory<QualityContext>
{
    public QualityContext CreateDbContext(string[] args) => new(StageContexts.Options<QualityContext>(QualityContext.HistoryTable));
}

internal sealed class RetentionFactory : IDesignTimeDbContextFactory<RetentionContext>
{
    public RetentionContext CreateDbContext(string[] args) => new(StageContexts.Options<RetentionContext>(RetentionContext.HistoryTable));
}

internal sealed class StationsFactory : IDesignTimeDbContextFactory<StationsDatabase>
{
    public StationsDatabase CreateDbContext(string[] args) => new(StageContexts.Options<StationsDatabase>(StationsDatabase.MigrationsTable));
}
