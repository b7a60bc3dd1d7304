using System.Text.Json;
using Hub.Cloud.QualityControl.Checks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Hub.Cloud.QualityControl.Storage;

/// <summary>A declaration; never changed but for the mark that it has been taken up.</summary>
internal sealed class DeclarationRow
{
    public long Id { get; init; }

    public required string Municipality { get; init; }

    public required string Property { get; init; }

    public int Version { get; init; }

    public DateTime From { get; init; }

    /// <summary>JSON; null for the hub's own.</summary>
    public string? Parameters { get; init; }

    public required string By { get; init; }

    public DateTime At { get; init; }

    /// <summary>True until the days it concerns are among those pending.</summary>
    public bool Untaken { get; set; }

    public CheckDeclaration ToDeclaration() =>
        new(Municipality, Property, Version, From, Parameters is null ? null : JsonSerializer.Deserialize<CheckParameters>(Parameters), By, At);
}

/// <summary>A finding.</summary>
internal sealed class FindingRow
{
    public long Id { get; init; }

    public int Datastream { get; init; }

    /// <summary>UTC day since 1970-01-01 that holds it.</summary>
    public int Day { get; init; }

    public DateTime From { get; init; }

    public DateTime To { get; init; }

    public QualityCheck Check { get; init; }

    public int Count { get; init; }

    public double Value { get; init; }

    public double Limit { get; init; }

    public int Version { get; init; }

    public Finding ToFinding() => new(Datastream, From, To, Check, Count, Value, Limit, Version);

    public static FindingRow Of(Finding finding) => new()
    {
        Datastream = finding.Datastream,
        Day = Instants.Day(Instants.Micros(finding.From)),
        From = finding.From,
        To = finding.To,
        Check = finding.Check,
        Count = finding.Count,
        Value = finding.Value,
        Limit = finding.Limit,
        Version = finding.Version,
    };
}

/// <summary>How far the commits of the series are taken up.</summary>
internal sealed class CursorRow
{
    public int Id { get; init; }

    public long Commit { get; set; }

    /// <summary>Number of the last place of a station that is taken up (<see cref="Stations.StationPlace"/>).</summary>
    public long Place { get; set; }

    /// <summary>Edition of the defaults that everything was judged by.</summary>
    public int Edition { get; set; }
}

/// <summary>Days taken up and not yet judged when the cursor was stored.</summary>
internal sealed class PendingRow
{
    public int Datastream { get; init; }

    public int FromDay { get; init; }

    public int ToDay { get; init; }
}

/// <summary>Tables of the QualityControl stage, all prefixed <c>quality_</c>, in the hub's relational database.</summary>
internal sealed class QualityContext(DbContextOptions<QualityContext> options) : DbContext(options)
{
    public const string HistoryTable = "__migrations_quality";

    public DbSet<DeclarationRow> Declarations => Set<DeclarationRow>();

    public DbSet<FindingRow> Findings => Set<FindingRow>();

    public DbSet<CursorRow> Cursors => Set<CursorRow>();

    public DbSet<PendingRow> Pending => Set<PendingRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<DeclarationRow>(declaration =>
        {
            declaration.ToTable("quality_declaration");
            declaration.HasIndex(row => new { row.Municipality, row.Property, row.Version }).IsUnique();
        });
        modelBuilder.Entity<FindingRow>(finding =>
        {
            finding.ToTable("quality_finding");
            finding.HasIndex(row => new { row.Datastream, row.Day });
        });
        modelBuilder.Entity<CursorRow>(cursor =>
        {
            cursor.ToTable("quality_cursor");
            cursor.Property(row => row.Id).ValueGeneratedNever();
        });
        modelBuilder.Entity<PendingRow>(pending =>
        {
            pending.ToTable("quality_pending");
            pending.HasKey(row => new { row.Datastream, row.FromDay });
        });
    }

    /// <summary>Instants are stored as whole microseconds since 1970 and come back as UTC.</summary>
    private sealed class UtcConverter() : ValueConverter<DateTime, long>(
        value => (value - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
        stored => DateTime.UnixEpoch.AddTicks(stored * TimeSpan.TicksPerMicrosecond));
}

/// <summary>Lets the migration tool build the context.</summary>
internal sealed class QualityDesignTimeFactory : IDesignTimeDbContextFactory<QualityContext>
{
    public QualityContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<QualityContext>()
            .UseSqlite("Data Source=design-time.db", sqlite => sqlite.MigrationsHistoryTable(QualityContext.HistoryTable))
            .Options);
}
