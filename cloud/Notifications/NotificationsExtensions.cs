using Hub.Cloud.Database;
using Hub.Cloud.Notifications.Cap;
using Hub.Cloud.Notifications.Duty;
using Hub.Cloud.Notifications.Mail;
using Hub.Cloud.Notifications.Mqtt;
using Hub.Cloud.Notifications.Off;
using Hub.Cloud.Notifications.Outbox;
using Hub.Cloud.Notifications.Roles;
using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Notifications.Sms;
using Hub.Cloud.Notifications.Storage;
using Hub.Cloud.Notifications.Telegram;
using Hub.Cloud.Notifications.Webhook;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Notifications;

/// <summary>Adds the Notifications stage to a program.</summary>
public static class NotificationsExtensions
{
    /// <summary>Adds the outbox of notifications and its channels. Needs an <see cref="IAlarmTopic"/>. Safe to call twice.</summary>
    /// <param name="services">Services of the program.</param>
    /// <param name="configuration">
    /// Holds <c>Hub:Notifications</c>, <c>Hub:PublicUrl</c>, <c>Hub:Data</c> and <c>Hub:Database</c> (a path or a connection string; default <c>hub.db</c> in <c>Hub:Data</c>).
    /// </param>
    public static IServiceCollection AddHubNotifications(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(INotifications)))
        {
            return services;
        }

        services.AddOptions<NotificationsOptions>().Bind(configuration.GetSection(NotificationsOptions.Section)).Configure(options =>
        {
            options.PublicUrl = configuration["Hub:PublicUrl"] ?? "";
            options.DataFolder = configuration["Hub:Data"] is { Length: > 0 } folder ? folder : "hub-data";
        }).ValidateOnStart();
        services.AddSingleton<IValidateOptions<NotificationsOptions>, NotificationsOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddDbContextFactory<NotificationsContext>(db => db.UseHubDatabase(configuration, NotificationsContext.HistoryTable));
        services.AddSingleton<NotificationsInstruments>();
        services.AddSingleton<CapAlerts>();
        services.AddSingleton<ICapAlerts>(provider => provider.GetRequiredService<CapAlerts>());
        services.AddSingleton<RoleMembers>();
        services.AddSingleton<NotificationOutbox>();
        services.AddSingleton<INotifications>(provider => provider.GetRequiredService<NotificationOutbox>());
        services.AddSingleton<SignUpKey>();
        services.AddSingleton<SignUpDesk>();
        services.AddSingleton<ISignUp>(provider => provider.GetRequiredService<SignUpDesk>());
        services.AddSingleton<MailTransport>();
        services.AddSingleton<LetterWorker>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<LetterWorker>());
        services.AddSingleton<SmsGateway>();
        services.AddSingleton<TelegramBot>();
        services.AddSingleton<TelegramDoor>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<TelegramDoor>());
        services.AddSingleton<INotificationChannel, MailChannel>();
        services.AddSingleton<INotificationChannel, WebhookChannel>();
        services.AddSingleton<INotificationChannel, MqttChannel>();
        services.AddSingleton<INotificationChannel, OffChannel>();
        services.AddSingleton<INotificationChannel, SmsChannel>();
        services.AddSingleton<INotificationChannel, TelegramChannel>();
        services.AddSingleton<DigestMaker>();
        services.AddSingleton<DutyBook>();
        services.AddSingleton<IDuty>(provider => provider.GetRequiredService<DutyBook>());
        services.AddSingleton<DutyCalls>();
        services.AddSingleton<DutyWorker>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<DutyWorker>());
        services.AddSingleton<DeliveryWorker>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<DeliveryWorker>());
        return services;
    }

    /// <summary>Brings the tables of this stage up to date. Called once, before hosted services start.</summary>
    public static async Task MigrateNotificationsAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        var contexts = services.GetRequiredService<IDbContextFactory<NotificationsContext>>();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await db.Database.MigrateHubAsync(services.GetRequiredService<TimeProvider>(), cancellationToken).ConfigureAwait(false);
    }
}
