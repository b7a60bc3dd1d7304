using Hub.Edge.Contract.Encoding;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Hub.Cloud.Ingest.Quarantine;

/// <summary>One quarantine entry as stored. Rows with the same station and hash are one entry seen several times.</summary>
internal sealed class QuarantineRow
{
    public long Id { get; set; }

    public string Municipality { get; set; } = "";

    public string Station { get; set; } = "";

    /// <summary>Whose limits the row counts against: the station, or all unknown stations together.</summary>
    public string Pool { get; set; } = "";

    public DateTime ReceivedAt { get; set; }

    /// <summary>Arrival of the same bytes again; equals <see cref="ReceivedAt"/> for one arrival.</summary>
    public DateTime LastReceivedAt { get; set; }

    /// <summary>How often the same bytes arrived, 1 or more.</summary>
    public long Times { get; set; }

    public string Transport { get; set; } = "";

    public PackFormat? Format { get; set; }

    public int RecordIndex { get; set; }

    public RefusalReason Reason { get; set; }

    public string Detail { get; set; } = "";

    public byte[] Payload { get; set; } = [];

    public long PayloadLength { get; set; }

    /// <summary>True when the payload is one record whose time no longer depends on the moment of arrival.</summary>
    public bool Pinned { get; set; }

    /// <summary>First 16 bytes of the SHA-256 of format, kind and uncut payload.</summary>
    public byte[] Hash { get; set; } = [];
}

/// <summary>One retained message of the embedded broker.</summary>
internal sealed class RetainedRow
{
    public string Topic { get; set; } = "";

    public byte[] Payload { get; set; } = [];

    public string? ContentType { get; set; }

    public int Qos { get; set; }
}

/// <summary>The tables of the ingest stage.</summary>
internal sealed class IngestDbContext(DbContextOptions<IngestDbContext> options) : DbContext(options)
{
    public const string HistoryTable = "__migrations_ingest";

    public DbSet<QuarantineRow> Quarantine => Set<QuarantineRow>();

    public DbSet<RetainedRow> Retained => Set<RetainedRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<QuarantineRow>(row =>
        {
            row.ToTable("ingest_quarantine");
            row.HasKey(r => r.Id);
            row.Property(r => r.Id).ValueGeneratedOnAdd();
            row.Property(r => r.Reason).HasConversion<string>();
            row.Property(r => r.Format).HasConversion<string>();
            row.HasIndex(r => new { r.Municipality, r.Station, r.Hash }).IsUnique();
            row.HasIndex(r => new { r.Municipality, r.Station, r.Id });
            row.HasIndex(r => new { r.Pool, r.Id });
        });
        modelBuilder.Entity<RetainedRow>(row =>
        {
            row.ToTable("ingest_retained");
            row.HasKey(r => r.Topic);
        });
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();

    /// <summary>Instants are stored as whole microseconds since 1970 and come back as UTC.</summary>
    private sealed class UtcConverter() : ValueConverter<DateTime, long>(
        value => (value - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
        stored => DateTime.UnixEpoch.AddTicks(stored * TimeSpan.TicksPerMicrosecond));
}

/// <summary>Lets the migration tool build the context.</summary>
internal sealed class IngestDesignTimeFactory : IDesignTimeDbContextFactory<IngestDbContext>
{
    public IngestDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<IngestDbContext>()
            .UseSqlite("Data Source=design-time.db", sqlite => sqlite.MigrationsHistoryTable(IngestDbContext.HistoryTable))
            .Options);
}
