using Hub.Edge.Calibrations;
using Hub.Edge.Sensors;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Sampling;

/// <summary>Registers Sampling.</summary>
public static class SamplingExtensions
{
    /// <summary>
    /// Runs every registered <see cref="ISensor"/> into the registered outbox while the host runs, with <c>Agent:Sampling</c>, checked at start.
    /// Offers <see cref="ISampling"/>. Needs an outbox, a <see cref="TimeProvider"/> and logging. Without registered <see cref="ICalibrations"/> those of the station file hold; every registered
    /// <see cref="IReadingWatch"/> sees each reading. A second call does nothing.
    /// </summary>
    public static IServiceCollection AddHubSampling(this IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(service => service.ServiceType == typeof(ISampling)))
        {
            return services;
        }

        services.AddOptions<SamplingOptions>().Bind(configuration.GetSection(SamplingOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SamplingOptions>, SamplingOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SensorsOptions>, SamplingOptionsValidator>());
        services.AddSingleton<SamplingInstruments>();
        services.AddSingleton(SensorSettings.Of(configuration));
        services.AddSingleton(provider => new OutboxDoor(
            provider.GetRequiredService<Outbox.IOutbox>(), provider.GetRequiredService<IOptions<SamplingOptions>>().Value, provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<SamplingInstruments>(), provider.GetRequiredService<Microsoft.Extensions.Logging.ILogger<OutboxDoor>>()));
        services.AddSingleton(provider => new SamplingService(
            provider.GetServices<ISensor>(), provider.GetRequiredService<IOptions<SensorsOptions>>(), provider.GetRequiredService<IOptions<SamplingOptions>>(),
            provider.GetRequiredService<SensorSettings>(),
            provider.GetService<ICalibrations>() ?? CalibrationsExtensions.OfStationFile(provider.GetRequiredService<IOptions<SensorsOptions>>().Value), provider.GetServices<IReadingWatch>(),
            provider.GetRequiredService<OutboxDoor>(), provider.GetRequiredService<SamplingInstruments>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<Microsoft.Extensions.Logging.ILogger<SensorRunner>>(), provider.GetService<SensorFactory>()));
        services.AddSingleton<ISampling>(provider => provider.GetRequiredService<SamplingService>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<SamplingService>());
        return services;
    }
}
