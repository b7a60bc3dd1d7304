using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Alerts.Handling;
using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Database;
using Hub.Cloud.Notifications;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Alerts;

/// <summary>Adds the Alerts stage to a program.</summary>
public static class AlertsExtensions
{
    /// <summary>
    /// Adds rules, alarms and their evaluation. Needs the stages Stations, Series and Notifications and an <see cref="IMunicipalityDirectory"/>. Safe to call twice.
    /// </summary>
    /// <param name="services">Services of the program.</param>
    /// <param name="configuration">Holds <c>Hub:Alerts</c> and <c>Hub:Database</c> (a path or a connection string; default <c>hub.db</c> in <c>Hub:Data</c>).</param>
    public static IServiceCollection AddHubAlerts(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(IAlerts)))
        {
            return services;
        }

        services.AddOptions<AlertsOptions>().Bind(configuration.GetSection(AlertsOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AlertsOptions>, AlertsOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddDbContextFactory<AlertsContext>(db => db.UseHubDatabase(configuration, AlertsContext.HistoryTable));
        services.AddSingleton<AlertsInstruments>();
        services.AddSingleton<PlaceBook>();
        services.AddSingleton<RuleRehearsal>();
        services.AddSingleton<AlarmBook>();
        services.AddSingleton<IAlerts>(provider => provider.GetRequiredService<AlarmBook>());
        services.AddSingleton<IAlarmCourses, AlarmCourses>();
        services.AddSingleton<IDutyHours, DutyHours>();
        services.AddSingleton<HandlingBook>();
        services.AddSingleton<IAlarmHandling>(provider => provider.GetRequiredService<HandlingBook>());
        services.AddSingleton<Evaluator>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<Evaluator>());
        return services;
    }

    /// <summary>Brings the tables of this stage up to date and reads its rules. Called once, before hosted services start.</summary>
    public static async Task MigrateAlertsAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        var contexts = services.GetRequiredService<IDbContextFactory<AlertsContext>>();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await db.Database.MigrateHubAsync(services.GetRequiredService<TimeProvider>(), cancellationToken).ConfigureAwait(false);
        await services.GetRequiredService<AlarmBook>().LoadAsync(cancellationToken).ConfigureAwait(false);
        await services.GetRequiredService<HandlingBook>().LoadAsync(cancellationToken).ConfigureAwait(false);
    }
}
