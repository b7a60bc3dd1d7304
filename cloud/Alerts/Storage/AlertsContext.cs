using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Hub.Cloud.Alerts.Storage;

/// <summary>Rules, alarms and how far evaluation has come, in the hub's relational database.</summary>
internal sealed class AlertsContext(DbContextOptions<AlertsContext> options) : DbContext(options)
{
    public const string HistoryTable = "__migrations_alerts";

    public DbSet<RuleRow> Rules => Set<RuleRow>();

    public DbSet<AlarmRow> Alarms => Set<AlarmRow>();

    public DbSet<TransitionRow> Transitions => Set<TransitionRow>();

    public DbSet<CheckpointRow> Checkpoints => Set<CheckpointRow>();

    public DbSet<CursorRow> Cursors => Set<CursorRow>();

    public DbSet<UnknownRow> Unknown => Set<UnknownRow>();

    public DbSet<HandlingRow> Handling => Set<HandlingRow>();

    public DbSet<ThreadRow> Threads => Set<ThreadRow>();

    public DbSet<SuppressionRow> Suppressions => Set<SuppressionRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<RuleRow>(rule =>
        {
            rule.ToTable("alerts_rules");
            rule.HasIndex(row => new { row.Municipality, row.Slug }).IsUnique();
        });
        modelBuilder.Entity<AlarmRow>(alarm =>
        {
            alarm.ToTable("alerts_alarms");
            alarm.HasKey(row => row.Id);
            alarm.Ignore(row => row.IsOpen);
            alarm.Ignore(row => row.IsBelieved);
            alarm.HasIndex(row => new { row.Municipality, row.Rule, row.Datastream, row.StartedAt });
            alarm.HasIndex(row => row.StartedAt);
            alarm.HasIndex(row => row.EndedAt);
            alarm.HasIndex(row => row.Thread);
            alarm.HasIndex(row => row.Unsettled).HasFilter("\"Unsettled\" = 1");
        });
        modelBuilder.Entity<TransitionRow>(transition =>
        {
            transition.ToTable("alerts_transitions");
            transition.HasIndex(row => row.Alarm);
            transition.HasIndex(row => row.Key).IsUnique();
            transition.HasIndex(row => row.HandedAt).HasFilter("\"Key\" IS NOT NULL AND \"HandedAt\" IS NULL");
        });
        modelBuilder.Entity<CheckpointRow>(checkpoint =>
        {
            checkpoint.ToTable("alerts_checkpoints");
            checkpoint.HasKey(row => new { row.RuleId, row.Datastream, row.Level, row.At });
        });
        modelBuilder.Entity<CursorRow>(cursor =>
        {
            cursor.ToTable("alerts_cursor");
            cursor.Property(row => row.Id).ValueGeneratedNever();
        });
        modelBuilder.Entity<UnknownRow>(unknown =>
        {
            unknown.ToTable("alerts_unknown");
            unknown.HasKey(row => row.Datastream);
            unknown.Property(row => row.Datastream).ValueGeneratedNever();
        });
        modelBuilder.Entity<HandlingRow>(handling =>
        {
            handling.ToTable("alerts_handling");
            handling.HasIndex(row => row.Thread);
            handling.HasIndex(row => new { row.Municipality, row.Station, row.EventAt });
        });
        modelBuilder.Entity<ThreadRow>(thread =>
        {
            thread.ToTable("alerts_threads");
            thread.HasKey(row => row.Thread);
            thread.HasIndex(row => row.ChangedAt);
        });
        modelBuilder.Entity<SuppressionRow>(suppression =>
        {
            suppression.ToTable("alerts_suppressions");
            suppression.HasIndex(row => new { row.Municipality, row.Station, row.Rule, row.Kind }).IsUnique();
        });
    }

    private sealed class UtcConverter() : ValueConverter<DateTime, DateTime>(value => value, value => DateTime.SpecifyKind(value, DateTimeKind.Utc));
}

/// <summary>Lets the migration tool make a context; not used at run time.</summary>
internal sealed class AlertsContextFactory : IDesignTimeDbContextFactory<AlertsContext>
{
    public AlertsContext CreateDbContext(string[] args) => new(
        new DbContextOptionsBuilder<AlertsContext>()
            .UseSqlite("Data Source=:memory:", sqlite => sqlite.MigrationsHistoryTable(AlertsContext.HistoryTable))
            .Options);
}
