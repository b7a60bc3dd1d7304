using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Hub.Cloud.Retention.Storage;

/// <summary>A policy in force.</summary>
internal sealed class PolicyRow
{
    public required string Municipality { get; init; }

    /// <summary>Empty for everything else.</summary>
    public required string Property { get; init; }

    public int? Days { get; set; }

    public int? RollupDays { get; set; }

    public required string SetBy { get; set; }

    public DateTime SetAt { get; set; }
}

/// <summary>A hold, in force or released.</summary>
internal sealed class HoldRow
{
    public long Id { get; init; }

    public required string Municipality { get; init; }

    public string? Station { get; init; }

    public string? Property { get; init; }

    public DateTime? From { get; init; }

    public DateTime? To { get; init; }

    public required string Reason { get; init; }

    public required string SetBy { get; init; }

    public DateTime SetAt { get; init; }

    public string? ReleasedBy { get; set; }

    public DateTime? ReleasedAt { get; set; }

    public RetentionHold ToHold() => new(Id, Municipality, Station, Property, From, To, Reason) { SetBy = SetBy, SetAt = SetAt, ReleasedBy = ReleasedBy, ReleasedAt = ReleasedAt };
}

/// <summary>What was deleted.</summary>
internal sealed class RunRow
{
    public long Id { get; init; }

    public required string Municipality { get; init; }

    public required string Property { get; init; }

    public DateTime Before { get; init; }

    public int Datastreams { get; init; }

    public long Observations { get; init; }

    public long Condensed { get; init; }

    public long RollupDays { get; init; }

    public long Findings { get; init; }

    public DateTime At { get; init; }

    public required string By { get; init; }

    public RetentionRun ToRun() => new(Id, Municipality, Property, Before, Datastreams, Observations, At, By) { Condensed = Condensed, RollupDays = RollupDays, Findings = Findings };
}

/// <summary>Tables of the Retention stage, all prefixed <c>retention_</c>, in the hub's relational database.</summary>
internal sealed class RetentionContext(DbContextOptions<RetentionContext> options) : DbContext(options)
{
    public const string HistoryTable = "__migrations_retention";

    public DbSet<PolicyRow> Policies => Set<PolicyRow>();

    public DbSet<HoldRow> Holds => Set<HoldRow>();

    public DbSet<RunRow> Runs => Set<RunRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<PolicyRow>(policy =>
        {
            policy.ToTable("retention_policy");
            policy.HasKey(row => new { row.Municipality, row.Property });
        });
        modelBuilder.Entity<HoldRow>(hold =>
        {
            hold.ToTable("retention_hold");
            hold.HasIndex(row => row.Municipality);
        });
        modelBuilder.Entity<RunRow>(run =>
        {
            run.ToTable("retention_run");
            run.HasIndex(row => new { row.Municipality, row.Id });
        });
    }

    /// <summary>Instants are stored as whole microseconds since 1970 and come back as UTC.</summary>
    private sealed class UtcConverter() : ValueConverter<DateTime, long>(
        value => (value - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
        stored => DateTime.UnixEpoch.AddTicks(stored * TimeSpan.TicksPerMicrosecond));
}

/// <summary>Lets the migration tool build the context.</summary>
internal sealed class RetentionDesignTimeFactory : IDesignTimeDbContextFactory<RetentionContext>
{
    public RetentionContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<RetentionContext>()
            .UseSqlite("Data Source=design-time.db", sqlite => sqlite.MigrationsHistoryTable(RetentionContext.HistoryTable))
            .Options);
}
