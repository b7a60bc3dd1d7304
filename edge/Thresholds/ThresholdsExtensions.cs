using Hub.Edge.Sampling;
using Hub.Edge.Sensors;
using Hub.Edge.Sensors.Buses;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Thresholds;

/// <summary>Registers Thresholds.</summary>
public static class ThresholdsExtensions
{
    /// <summary>Sensor name of what the agent reports on itself.</summary>
    private const string AgentSensor = "agent";

    /// <summary>
    /// Watches every reading that Sampling takes, with <c>Agent:Thresholds</c>, checked at start. Offers <see cref="IThresholds"/>. Uses a registered <see cref="IHubLink"/> and <see cref="IBuses"/> where
    /// there are such. Needs a <see cref="TimeProvider"/> and logging. Add it before Sampling: its outputs then go off after the last reading. A second call does nothing.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The settings.</param>
    /// <param name="file">File of the alarms that are on; its folder exists when the host starts.</param>
    public static IServiceCollection AddHubThresholds(this IServiceCollection services, IConfiguration configuration, string file)
    {
        if (services.Any(service => service.ServiceType == typeof(IThresholds)))
        {
            return services;
        }

        services.AddOptions<ThresholdsOptions>().Bind(configuration.GetSection(ThresholdsOptions.Section)).Configure(options =>
        {
            options.Municipality = configuration["Agent:Municipality"] ?? "";
            options.Station = configuration["Agent:Station"] ?? "";
        }).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ThresholdsOptions>, ThresholdsOptionsValidator>());
        services.AddSingleton<ThresholdsInstruments>();
        services.AddSingleton(provider => new ThresholdsService(
            provider.GetRequiredService<IOptions<ThresholdsOptions>>().Value, new AlarmFile(file), Fitted(provider, configuration), provider.GetService<IBuses>() ?? SensorFactory.MachineBuses(provider.GetRequiredService<TimeProvider>()),
            provider.GetService<IHubLink>(), provider.GetRequiredService<ThresholdsInstruments>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<ThresholdsService>>()));
        services.AddSingleton<IThresholds>(provider => provider.GetRequiredService<ThresholdsService>());
        services.AddSingleton<IReadingWatch>(provider => provider.GetRequiredService<ThresholdsService>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<ThresholdsService>());
        return services;
    }

    // Names that readings can bear: those of the station file, and the agent's own.
    private static HashSet<string>? Fitted(IServiceProvider provider, IConfiguration configuration) =>
        configuration.GetSection($"{SensorsOptions.Section}:Sensors").Exists()
            ? [.. provider.GetRequiredService<IOptions<SensorsOptions>>().Value.Sensors.SelectMany(SensorFactory.Names), AgentSensor]
            : null;
}
