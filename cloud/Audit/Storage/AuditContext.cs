using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Hub.Cloud.Audit.Storage;

/// <summary>An entry.</summary>
internal sealed class EntryRow
{
    public long Id { get; init; }

    public DateTime At { get; init; }

    public required string Municipality { get; init; }

    public required string Action { get; init; }

    public required string Subject { get; init; }

    public required string By { get; init; }

    public required string Details { get; init; }
}

/// <summary>The table of the Audit stage in the hub's relational database.</summary>
internal sealed class AuditContext(DbContextOptions<AuditContext> options) : DbContext(options)
{
    public const string HistoryTable = "__migrations_audit";

    public DbSet<EntryRow> Entries => Set<EntryRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<EntryRow>(entry =>
    {
        entry.ToTable("audit_entry");
        entry.HasIndex(row => new { row.Municipality, row.Id });
    });

    /// <summary>Instants are stored as whole microseconds since 1970 and come back as UTC.</summary>
    private sealed class UtcConverter() : ValueConverter<DateTime, long>(
        value => (value - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
        stored => DateTime.UnixEpoch.AddTicks(stored * TimeSpan.TicksPerMicrosecond));
}

/// <summary>Lets the migration tool build the context.</summary>
internal sealed class AuditDesignTimeFactory : IDesignTimeDbContextFactory<AuditContext>
{
    public AuditContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<AuditContext>()
            .UseSqlite("Data Source=design-time.db", sqlite => sqlite.MigrationsHistoryTable(AuditContext.HistoryTable))
            .Options);
}
