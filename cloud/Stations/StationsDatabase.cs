using Hub.Cloud.Stations.Notebook;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Hub.Cloud.Stations;

/// <summary>A registered station; one that was removed keeps its row, because its datastreams stay for history.</summary>
internal sealed class StationRow
{
    public int Id { get; set; }

    public required string Municipality { get; set; }

    public required string Slug { get; set; }

    public required string Name { get; set; }

    public double Latitude { get; set; }

    public double Longitude { get; set; }

    public bool Public { get; set; }

    public required string Attribution { get; set; }

    /// <summary>Its tags in order, with commas; empty for none.</summary>
    public string Tags { get; set; } = "";

    public DateTime RegisteredAt { get; set; }

    public DateTime? RemovedAt { get; set; }

    public List<LocationRow> Locations { get; } = [];

    public List<CredentialRow> Credentials { get; } = [];

    public List<AdapterCredentialRow> AdapterCredentials { get; } = [];

    public List<SensorRow> Sensors { get; } = [];
}

/// <summary>Where a station has stood since an instant, until the next row's.</summary>
internal sealed class LocationRow
{
    public int Id { get; set; }

    public int StationId { get; set; }

    public DateTime Since { get; set; }

    public double Latitude { get; set; }

    public double Longitude { get; set; }
}

/// <summary>What is the same of every hashed secret. The current one has no end; the previous one lives until the end of its overlap.</summary>
internal interface ICredentialRow
{
    int Id { get; }

    string Hash { get; }

    DateTime? ValidUntil { get; }
}

/// <summary>A station's own hashed secret.</summary>
internal sealed class CredentialRow : ICredentialRow
{
    public int Id { get; set; }

    public int StationId { get; set; }

    public required string Hash { get; set; }

    public DateTime CreatedAt { get; set; }

    public DateTime? ValidUntil { get; set; }
}

/// <summary>The hashed secret of a foreign sender: opens one adapter of one station.</summary>
internal sealed class AdapterCredentialRow : ICredentialRow
{
    public int Id { get; set; }

    public int StationId { get; set; }

    public required string Adapter { get; set; }

    public required string Hash { get; set; }

    public DateTime CreatedAt { get; set; }

    public DateTime? ValidUntil { get; set; }
}

internal sealed class SensorRow
{
    public int Id { get; set; }

    public int StationId { get; set; }

    public required string Name { get; set; }

    public List<DatastreamRow> Datastreams { get; } = [];
}

internal sealed class DatastreamRow
{
    public int Id { get; set; }

    public int SensorId { get; set; }

    public required string Property { get; set; }

    public int PeriodSeconds { get; set; }

    public DateTime FirstSeenAt { get; set; }
}

/// <summary>Tables of the Stations stage, all prefixed <c>stations_</c>, in the hub's one database file.</summary>
internal sealed class StationsDatabase(DbContextOptions<StationsDatabase> options) : DbContext(options)
{
    internal const string MigrationsTable = "__migrations_stations";

    public DbSet<StationRow> Stations => Set<StationRow>();

    public DbSet<LocationRow> Locations => Set<LocationRow>();

    public DbSet<CredentialRow> Credentials => Set<CredentialRow>();

    public DbSet<AdapterCredentialRow> AdapterCredentials => Set<AdapterCredentialRow>();

    public DbSet<SensorRow> Sensors => Set<SensorRow>();

    public DbSet<DatastreamRow> Datastreams => Set<DatastreamRow>();

    public DbSet<NoteRow> Notes => Set<NoteRow>();

    public DbSet<NotePhotoRow> NotePhotos => Set<NotePhotoRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        var station = modelBuilder.Entity<StationRow>().ToTable("stations_station");
        station.Property(s => s.Municipality).HasMaxLength(64);
        station.Property(s => s.Slug).HasMaxLength(64);
        station.Property(s => s.Name).HasMaxLength(StationRules.NameMax);
        station.Property(s => s.Attribution).HasMaxLength(StationRules.AttributionMax);
        station.Property(s => s.Tags).HasMaxLength(StationTags.CountMax * (StationTags.LengthMax + 1)).HasDefaultValue("");
        // A removed station gives its slug back.
        station.HasIndex(s => new { s.Municipality, s.Slug }).IsUnique().HasFilter("\"RemovedAt\" IS NULL");
        station.HasMany(s => s.Locations).WithOne().HasForeignKey(l => l.StationId).OnDelete(DeleteBehavior.Cascade);
        station.HasMany(s => s.Credentials).WithOne().HasForeignKey(c => c.StationId).OnDelete(DeleteBehavior.Cascade);
        station.HasMany(s => s.AdapterCredentials).WithOne().HasForeignKey(c => c.StationId).OnDelete(DeleteBehavior.Cascade);
        station.HasMany(s => s.Sensors).WithOne().HasForeignKey(s => s.StationId).OnDelete(DeleteBehavior.Restrict);

        modelBuilder.Entity<LocationRow>().ToTable("stations_location").HasIndex(l => new { l.StationId, l.Since });
        modelBuilder.Entity<CredentialRow>().ToTable("stations_credential").Property(c => c.Hash).HasMaxLength(200);
        var adapter = modelBuilder.Entity<AdapterCredentialRow>().ToTable("stations_adapter_credential");
        adapter.Property(c => c.Adapter).HasMaxLength(64);
        adapter.Property(c => c.Hash).HasMaxLength(200);
        adapter.HasIndex(c => new { c.StationId, c.Adapter });

        var sensor = modelBuilder.Entity<SensorRow>().ToTable("stations_sensor");
        sensor.Property(s => s.Name).HasMaxLength(64);
        sensor.HasIndex(s => new { s.StationId, s.Name }).IsUnique();
        sensor.HasMany(s => s.Datastreams).WithOne().HasForeignKey(d => d.SensorId).OnDelete(DeleteBehavior.Restrict);

        var datastream = modelBuilder.Entity<DatastreamRow>().ToTable("stations_datastream");
        datastream.Property(d => d.Property).HasMaxLength(64);
        datastream.HasIndex(d => new { d.SensorId, d.Property, d.PeriodSeconds }).IsUnique();

        var note = modelBuilder.Entity<NoteRow>().ToTable("stations_note");
        note.Property(n => n.By).HasMaxLength(256);
        note.Property(n => n.Text).HasMaxLength(NotebookRules.TextMax);
        note.HasIndex(n => new { n.StationId, n.Id });
        note.HasOne<StationRow>().WithMany().HasForeignKey(n => n.StationId).OnDelete(DeleteBehavior.Restrict);
        note.HasMany(n => n.Photos).WithOne().HasForeignKey(p => p.NoteId).OnDelete(DeleteBehavior.Cascade);
        modelBuilder.Entity<NotePhotoRow>().ToTable("stations_note_photo").Property(p => p.ContentType).HasMaxLength(32);
    }

    /// <summary>Instants are stored in UTC and come back saying so.</summary>
    private sealed class UtcConverter() : ValueConverter<DateTime, DateTime>(v => v, v => DateTime.SpecifyKind(v, DateTimeKind.Utc));
}

/// <summary>Lets <c>dotnet ef migrations add</c> build the model without a hub.</summary>
internal sealed class StationsDatabaseDesign : IDesignTimeDbContextFactory<StationsDatabase>
{
    public StationsDatabase CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<StationsDatabase>()
            .UseSqlite("Data Source=:memory:", sqlite => sqlite.MigrationsHistoryTable(StationsDatabase.MigrationsTable))
            .Options);
}
