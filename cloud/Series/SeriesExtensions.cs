using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Series;

/// <summary>Adds the Series stage to a program.</summary>
public static class SeriesExtensions
{
    /// <summary>
    /// Registers <see cref="ISeries"/> and <see cref="ISeriesHealth"/> as one embedded store with settings from <c>Hub:Series</c>. Safe to call twice; logging is the program's. Call
    /// <see cref="OpenSeriesAsync"/> before traffic starts; disposing the provider stops the store cleanly.
    /// </summary>
    public static IServiceCollection AddHubSeries(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(EmbeddedSeries)))
        {
            return services;
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<SeriesOptions>().Bind(configuration.GetSection(SeriesOptions.Section)).ValidateOnStart();
        services.AddSingleton<IPostConfigureOptions<SeriesOptions>>(new SeriesFolderSetup(configuration));
        services.AddSingleton<IValidateOptions<SeriesOptions>, SeriesOptionsValidator>();
        services.AddSingleton<SeriesInstruments>();
        services.AddSingleton<EmbeddedSeries>();
        services.AddInfluxSeries(configuration);
        services.AddSingleton<ISeries>(provider =>
        {
            ISeries stored = provider.IsOnInflux() ? provider.GetRequiredService<InfluxSeries>() : provider.GetRequiredService<EmbeddedSeries>();

            // In a program that finds flags, everybody sees them without knowing.
            return provider.GetService<IFindings>() is { } findings ? new FlaggedSeries(stored, findings) : stored;
        });
        services.AddSingleton<ISeriesHealth>(provider => provider.IsOnInflux() ? provider.GetRequiredService<InfluxSeries>() : provider.GetRequiredService<EmbeddedSeries>());
        return services;
    }

    /// <summary>Opens the store: takes the folder, replays what a crash left, rebuilds the latest values. Call once, before anything appends; further calls do nothing.</summary>
    /// <exception cref="IOException">The folder cannot be used, or another hub uses it; the message is one line for the operator.</exception>
    /// <exception cref="InvalidDataException">The folder holds something this version cannot read.</exception>
    /// <exception cref="OptionsValidationException">A setting is out of range.</exception>
    public static Task OpenSeriesAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.IsOnInflux() ? services.GetRequiredService<InfluxSeries>().OpenAsync(cancellationToken) : services.GetRequiredService<EmbeddedSeries>().OpenAsync(cancellationToken);
    }
}
