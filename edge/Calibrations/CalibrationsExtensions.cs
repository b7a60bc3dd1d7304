using Hub.Edge.Sensors;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Calibrations;

/// <summary>Registers the calibrations of a station.</summary>
public static class CalibrationsExtensions
{
    /// <summary>
    /// Offers <see cref="ICalibrations"/>: what stands in the folder over what the station file says, read again while the host runs. Settings from <c>Agent:Calibrations</c>, checked at start.
    /// Needs the sensors' options, a <see cref="TimeProvider"/> and logging. A second call does nothing.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The settings.</param>
    /// <param name="folder">Folder of the journal; need not exist.</param>
    public static IServiceCollection AddHubCalibrations(this IServiceCollection services, IConfiguration configuration, string folder)
    {
        if (services.Any(service => service.ServiceType == typeof(ICalibrations)))
        {
            return services;
        }

        services.AddOptions<CalibrationsOptions>().Bind(configuration.GetSection(CalibrationsOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<CalibrationsOptions>, CalibrationsOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SensorsOptions>, CalibrationsOptionsValidator>());
        services.AddSingleton(new CalibrationJournal(folder));
        services.AddSingleton<IPostConfigureOptions<SensorsOptions>, MicrophoneLimits>();
        services.AddSingleton<CalibrationsInstruments>();
        services.AddSingleton(provider => new LiveCalibrations(
            provider.GetRequiredService<IOptions<SensorsOptions>>().Value, provider.GetRequiredService<IOptions<CalibrationsOptions>>().Value, provider.GetRequiredService<CalibrationJournal>(),
            provider.GetRequiredService<CalibrationsInstruments>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<LiveCalibrations>>()));
        services.AddSingleton<ICalibrations>(provider => provider.GetRequiredService<LiveCalibrations>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<LiveCalibrations>());
        return services;
    }

    /// <summary>The calibrations of the station file alone, for a host without a journal.</summary>
    public static ICalibrations OfStationFile(SensorsOptions sensors) => new StationFileCalibrations(sensors);
}
