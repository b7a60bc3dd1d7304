using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Hub.Cloud.Notifications.Storage;

/// <summary>Subscribers, messages, deliveries and public alerts, in the hub's relational database.</summary>
internal sealed class NotificationsContext(DbContextOptions<NotificationsContext> options) : DbContext(options)
{
    public const string HistoryTable = "__migrations_notifications";

    public DbSet<SubscriberRow> Subscribers => Set<SubscriberRow>();

    public DbSet<MessageRow> Messages => Set<MessageRow>();

    public DbSet<DeliveryRow> Deliveries => Set<DeliveryRow>();

    public DbSet<CapRow> CapAlerts => Set<CapRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<SubscriberRow>(subscriber =>
        {
            subscriber.ToTable("notifications_subscribers");
            subscriber.HasIndex(row => row.Municipality);
        });
        modelBuilder.Entity<MessageRow>(message =>
        {
            message.ToTable("notifications_messages");
            message.HasIndex(row => row.Key).IsUnique();
            message.HasIndex(row => row.CreatedAt);
        });
        modelBuilder.Entity<DeliveryRow>(delivery =>
        {
            delivery.ToTable("notifications_deliveries");
            delivery.HasOne(row => row.Message).WithMany().HasForeignKey(row => row.MessageId);
            delivery.HasIndex(row => new { row.Channel, row.State, row.NextAt });
            delivery.HasIndex(row => new { row.SubscriberId, row.OrderKey, row.State });
            delivery.HasIndex(row => new { row.SubscriberId, row.Alarm });
            delivery.HasIndex(row => new { row.Municipality, row.Id });
            delivery.HasIndex(row => new { row.Municipality, row.State, row.Id });
        });
        modelBuilder.Entity<CapRow>(alert =>
        {
            alert.ToTable("notifications_cap");
            alert.HasIndex(row => row.Identifier).IsUnique();
            alert.HasIndex(row => new { row.Municipality, row.Alarm });
            alert.HasIndex(row => new { row.Municipality, row.Id });
            alert.HasIndex(row => row.SentAt);
        });
    }

    private sealed class UtcConverter() : ValueConverter<DateTime, DateTime>(value => value, value => DateTime.SpecifyKind(value, DateTimeKind.Utc));
}

/// <summary>Lets the migration tool make a context; not used at run time.</summary>
internal sealed class NotificationsContextFactory : IDesignTimeDbContextFactory<NotificationsContext>
{
    public NotificationsContext CreateDbContext(string[] args) => new(
        new DbContextOptionsBuilder<NotificationsContext>()
            .UseSqlite("Data Source=:memory:", sqlite => sqlite.MigrationsHistoryTable(NotificationsContext.HistoryTable))
            .Options);
}
