using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Hub.Cloud.Municipalities;

/// <summary>Somebody who can sign in.</summary>
internal sealed class Person : IdentityUser<int>
{
    public DateTime AddedAt { get; set; }

    /// <summary>End of a lock-out. Our own column, because SQLite cannot compare the DateTimeOffset of Identity's.</summary>
    public DateTime? LockedUntil { get; set; }
}

/// <summary>One role of one person: in a municipality, or in the whole hub (<c>*</c>).</summary>
internal sealed class RoleRow
{
    public int PersonId { get; set; }

    /// <summary>Slug, or <c>*</c> for the whole hub: a key cannot hold null.</summary>
    public required string Municipality { get; set; }

    public Role Role { get; set; }
}

internal sealed class MunicipalityRow
{
    public required string Slug { get; set; }

    public required string Name { get; set; }

    public required string Region { get; set; }

    public required string Code { get; set; }

    public double Latitude { get; set; }

    public double Longitude { get; set; }

    public required string Zone { get; set; }
}

/// <summary>Tables of the Municipalities stage, all prefixed <c>municipalities_</c>, in the hub's one database file.</summary>
internal sealed class MunicipalitiesDatabase(DbContextOptions<MunicipalitiesDatabase> options) : IdentityUserContext<Person, int>(options)
{
    internal const string MigrationsTable = "__migrations_municipalities";

    public DbSet<MunicipalityRow> Municipalities => Set<MunicipalityRow>();

    public DbSet<RoleRow> Roles => Set<RoleRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();
    }

    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        var person = builder.Entity<Person>().ToTable("municipalities_person");
        // Identity's own index names carry no prefix; index names are shared by all stages of the file.
        person.HasIndex(p => p.NormalizedUserName).IsUnique().HasDatabaseName("IX_municipalities_person_NormalizedUserName");
        person.HasIndex(p => p.NormalizedEmail).HasDatabaseName("IX_municipalities_person_NormalizedEmail");
        builder.Entity<IdentityUserClaim<int>>().ToTable("municipalities_person_claim");
        builder.Entity<IdentityUserLogin<int>>().ToTable("municipalities_person_login");
        builder.Entity<IdentityUserToken<int>>().ToTable("municipalities_person_token");

        var role = builder.Entity<RoleRow>().ToTable("municipalities_role");
        role.HasKey(r => new { r.PersonId, r.Municipality });
        role.Property(r => r.Municipality).HasMaxLength(64);
        role.HasOne<Person>().WithMany().HasForeignKey(r => r.PersonId).OnDelete(DeleteBehavior.Cascade);

        var municipality = builder.Entity<MunicipalityRow>().ToTable("municipalities_municipality");
        municipality.HasKey(m => m.Slug);
        municipality.Property(m => m.Slug).HasMaxLength(64);
        municipality.Property(m => m.Name).HasMaxLength(200);
        municipality.Property(m => m.Region).HasMaxLength(100);
        municipality.Property(m => m.Code).HasMaxLength(4);
        municipality.Property(m => m.Zone).HasMaxLength(100);
    }

    /// <summary>Instants are stored in UTC and come back saying so.</summary>
    private sealed class UtcConverter() : ValueConverter<DateTime, DateTime>(v => v, v => DateTime.SpecifyKind(v, DateTimeKind.Utc));
}

/// <summary>Lets <c>dotnet ef migrations add</c> build the model without a hub.</summary>
internal sealed class MunicipalitiesDatabaseDesign : IDesignTimeDbContextFactory<MunicipalitiesDatabase>
{
    public MunicipalitiesDatabase CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<MunicipalitiesDatabase>()
            .UseSqlite("Data Source=:memory:", sqlite => sqlite.MigrationsHistoryTable(MunicipalitiesDatabase.MigrationsTable))
            .Options);
}
