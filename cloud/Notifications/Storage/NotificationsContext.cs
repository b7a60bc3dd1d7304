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

    public DbSet<SubscriptionRow> Subscriptions => Set<SubscriptionRow>();

    public DbSet<RequestRow> Requests => Set<RequestRow>();

    public DbSet<KeyRow> Keys => Set<KeyRow>();

    public DbSet<DutyRow> Duty => Set<DutyRow>();

    public DbSet<CallRow> Calls => Set<CallRow>();

    public DbSet<PastCallRow> PastCalls => Set<PastCallRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<SubscriberRow>(subscriber =>
        {
            subscriber.ToTable("notifications_subscribers");
            subscriber.HasIndex(row => row.Municipality);
            subscriber.HasIndex(row => row.Stamp).IsUnique();
            subscriber.HasIndex(row => new { row.TargetKey, row.Channel, row.Municipality }).IsUnique();
            subscriber.HasMany(row => row.Subscriptions).WithOne().HasForeignKey(row => row.SubscriberId).OnDelete(DeleteBehavior.Cascade);
            subscriber.HasIndex(row => new { row.MemberOf, row.Target }).IsUnique().HasFilter("MemberOf IS NOT NULL");
            subscriber.Ignore(row => row.Quiet);
            subscriber.Ignore(row => row.Entered);
        });
        modelBuilder.Entity<SubscriptionRow>(subscription =>
        {
            subscription.ToTable("notifications_subscriptions");
            subscription.HasIndex(row => row.Stamp).IsUnique();
            subscription.Ignore(row => row.Wish);
        });
        modelBuilder.Entity<RequestRow>(request =>
        {
            request.ToTable("notifications_requests");
            request.HasIndex(row => row.Stamp).IsUnique();
            request.HasIndex(row => new { row.TargetKey, row.CreatedAt });
            request.HasIndex(row => row.NextAt);
            request.HasIndex(row => row.ExpiresAt);
            request.Ignore(row => row.Wish);
            request.Ignore(row => row.Quiet);
        });
        modelBuilder.Entity<KeyRow>(key =>
        {
            key.ToTable("notifications_keys");
            key.Property(row => row.Id).ValueGeneratedNever();
        });
        modelBuilder.Entity<DutyRow>(duty =>
        {
            duty.ToTable("notifications_duty");
            duty.HasIndex(row => new { row.Municipality, row.Step });
            duty.HasOne<SubscriberRow>().WithMany().HasForeignKey(row => row.SubscriberId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<CallRow>(call =>
        {
            call.ToTable("notifications_calls");
            call.HasIndex(row => row.Alarm);
            call.HasIndex(row => row.DueAt);
        });
        modelBuilder.Entity<PastCallRow>(call =>
        {
            call.ToTable("notifications_calls_past");
            call.HasIndex(row => row.Alarm);
            call.HasIndex(row => new { row.Municipality, row.Id });
            call.HasIndex(row => row.EndedAt);
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
            delivery.HasIndex(row => new { row.Channel, row.State, row.Rank, row.NextAt });
            delivery.HasIndex(row => new { row.Channel, row.AttemptedAt });
            delivery.HasIndex(row => row.Key);
            delivery.HasIndex(row => new { row.SubscriberId, row.OrderKey, row.State });
            delivery.HasIndex(row => new { row.SubscriberId, row.Alarm });
            delivery.HasIndex(row => new { row.SubscriberId, row.CreatedAt });
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
