using Hub.Cloud.Stations;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Hub.Cloud.Fleet.Storage;

/// <summary>Tables of the Fleet stage, all prefixed <c>fleet_</c>, in the hub's relational database.</summary>
internal sealed class FleetContext(DbContextOptions<FleetContext> options) : DbContext(options)
{
    public const string HistoryTable = "__migrations_fleet";

    public DbSet<WantedRow> Wanted => Set<WantedRow>();

    public DbSet<AgentRow> Agents => Set<AgentRow>();

    public DbSet<CommandRow> Commands => Set<CommandRow>();

    public DbSet<ClaimRow> Claims => Set<ClaimRow>();

    public DbSet<BundleRow> Bundles => Set<BundleRow>();

    public DbSet<CampaignRow> Campaigns => Set<CampaignRow>();

    public DbSet<CampaignPlaceRow> CampaignPlaces => Set<CampaignPlaceRow>();

    public DbSet<CampaignEventRow> CampaignEvents => Set<CampaignEventRow>();

    /// <summary>Makes the row of a station that has none. Whoever else hears of it or wants something of it in the same moment, in this process or another, there is one afterwards.</summary>
    public Task EnsureAgentAsync(Station station, CancellationToken cancellationToken) => Database.ExecuteSqlAsync(
        $"INSERT INTO fleet_agent (\"StationId\", \"Municipality\", \"Slug\") VALUES ({station.Id}, {station.Municipality}, {station.Slug}) ON CONFLICT DO NOTHING", cancellationToken);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<WantedRow>(wanted =>
        {
            wanted.ToTable("fleet_wanted");
            wanted.HasIndex(row => new { row.StationId, row.Version }).IsUnique();
        });
        modelBuilder.Entity<AgentRow>(agent =>
        {
            agent.ToTable("fleet_agent");
            agent.HasKey(row => row.StationId);
            agent.Property(row => row.StationId).ValueGeneratedNever();
        });
        modelBuilder.Entity<CommandRow>(command =>
        {
            command.ToTable("fleet_command");
            command.HasIndex(row => row.Correlation).IsUnique();
            command.HasIndex(row => new { row.StationId, row.Id });
            command.HasIndex(row => row.Step);
        });
        modelBuilder.Entity<ClaimRow>(claim =>
        {
            claim.ToTable("fleet_claim");
            claim.HasIndex(row => row.CodeHash).IsUnique();
            claim.HasIndex(row => row.StationId);
        });
        modelBuilder.Entity<BundleRow>(bundle =>
        {
            bundle.ToTable("fleet_bundle");
            bundle.HasIndex(row => row.Sha256).IsUnique();
            bundle.HasIndex(row => row.Version);
        });
        modelBuilder.Entity<CampaignRow>(campaign =>
        {
            campaign.ToTable("fleet_campaign");
            campaign.HasIndex(row => row.Settled);
            campaign.HasMany<CampaignPlaceRow>().WithOne().HasForeignKey(row => row.CampaignId);
            campaign.HasMany<CampaignEventRow>().WithOne().HasForeignKey(row => row.CampaignId);
        });
        modelBuilder.Entity<CampaignPlaceRow>(place =>
        {
            place.ToTable("fleet_campaign_place");
            place.HasKey(row => new { row.CampaignId, row.StationId });
            place.HasIndex(row => row.StationId);
        });
        modelBuilder.Entity<CampaignEventRow>().ToTable("fleet_campaign_event");
    }

    /// <summary>Instants are stored in UTC and come back saying so.</summary>
    private sealed class UtcConverter() : ValueConverter<DateTime, DateTime>(value => value, value => DateTime.SpecifyKind(value, DateTimeKind.Utc));
}

/// <summary>Lets the migration tool make a context; not used at run time.</summary>
internal sealed class FleetContextFactory : IDesignTimeDbContextFactory<FleetContext>
{
    public FleetContext CreateDbContext(string[] args) => new(
        new DbContextOptionsBuilder<FleetContext>()
            .UseSqlite("Data Source=:memory:", sqlite => sqlite.MigrationsHistoryTable(FleetContext.HistoryTable))
            .Options);
}
