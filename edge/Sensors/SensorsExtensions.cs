using Hub.Edge.Sensors.Buses;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Sensors;

/// <summary>Registers the sensors of a station.</summary>
public static class SensorsExtensions
{
    /// <summary>
    /// Registers one <see cref="ISensor"/> for each entry of <c>Agent:Sensors</c>, with <c>Agent:Replay</c> for all of them, checked at start.
    /// The number of sensors is read here; a second call does nothing. Needs a <see cref="TimeProvider"/> and logging; an <see cref="IBuses"/> that is registered takes the place of the machine's own buses.
    /// </summary>
    public static IServiceCollection AddHubSensors(this IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(service => service.ServiceType == typeof(SensorFactory)))
        {
            return services;
        }

        IConfigurationSection section = configuration.GetSection(SensorsOptions.Section);
        services.AddOptions<SensorsOptions>().Bind(section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SensorsOptions>, SensorsOptionsValidator>());
        services.AddSingleton(provider => new SensorFactory(
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILoggerFactory>(), provider.GetService<IBuses>()));
        int count = section.GetSection(nameof(SensorsOptions.Sensors)).GetChildren().Count();
        for (int index = 0; index < count; index++)
        {
            int place = index;
            services.AddSingleton(provider =>
            {
                SensorsOptions options = provider.GetRequiredService<IOptions<SensorsOptions>>().Value;
                return provider.GetRequiredService<SensorFactory>().Create(options.Sensors[place], options);
            });
        }

        return services;
    }
}
