using Hub.Cloud.Database;
using Hub.Cloud.QualityControl.Storage;
using Hub.Cloud.Series;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.QualityControl;

/// <summary>Registration of the QualityControl stage.</summary>
public static class QualityControlExtensions
{
    /// <summary>
    /// Registers <see cref="IQualityControl"/> and <see cref="IFindings"/>, with tables in the hub's database: whoever asks for the series now sees them with the flags found. Needs the front doors of Municipalities,
    /// Stations and Series. Call <see cref="MigrateQualityControlAsync"/> before use. A hub that serves adds <see cref="AddHubQualityControlRunner"/>. Safe to call twice.
    /// </summary>
    public static IServiceCollection AddHubQualityControl(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(QualityRunner)))
        {
            return services;
        }

        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<QualityOptions>().Bind(configuration.GetSection(QualityOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<QualityOptions>, QualityOptionsValidator>();
        services.AddDbContextFactory<QualityContext>(database => database.UseHubDatabase(configuration, QualityContext.HistoryTable));
        services.AddSingleton<QualityInstruments>();
        services.AddSingleton<ParameterBook>();
        services.AddSingleton<FindingsBook>();
        services.AddSingleton<IFindings>(provider => provider.GetRequiredService<FindingsBook>());
        services.AddSingleton<JudgeTurn>();
        services.AddSingleton<IFindingsRemoval, FindingsRemoval>();
        services.AddSingleton<QualityRunner>();
        services.AddSingleton<QualityDesk>();
        services.AddSingleton<IQualityControl>(provider => provider.GetRequiredService<QualityDesk>());
        return services;
    }

    /// <summary>Judges what is committed and declared, in the process that serves.</summary>
    public static IServiceCollection AddHubQualityControlRunner(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddHostedService(provider => provider.GetRequiredService<QualityRunner>());
        return services;
    }

    /// <summary>Brings the stage's tables up to date and reads declarations and findings. Call it before the hosted services start; safe to call again.</summary>
    /// <exception cref="SqliteException">The database cannot be opened or written; the message says why.</exception>
    public static async Task MigrateQualityControlAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(services);
        await using var db = await services.GetRequiredService<IDbContextFactory<QualityContext>>().CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await db.Database.MigrateHubAsync(services.GetRequiredService<TimeProvider>(), cancellationToken).ConfigureAwait(false);
        var declarations = await db.Declarations.AsNoTracking().OrderBy(row => row.Version).ToListAsync(cancellationToken).ConfigureAwait(false);
        services.GetRequiredService<ParameterBook>().Add(declarations.Select(row => row.ToDeclaration()));
        var book = services.GetRequiredService<FindingsBook>();
        var held = new List<Finding>();
        await foreach (var row in db.Findings.AsNoTracking().OrderBy(row => row.Datastream).AsAsyncEnumerable().WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (held.Count > 0 && held[^1].Datastream != row.Datastream)
            {
                book.Load(held[0].Datastream, held);
                held.Clear();
            }

            held.Add(row.ToFinding());
        }

        if (held.Count > 0)
        {
            book.Load(held[0].Datastream, held);
        }
    }
}
