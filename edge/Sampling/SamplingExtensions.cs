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
    /// Offers <see cref="ISampling"/>. Needs an outbox, a <see cref="TimeProvider"/> and logging. A second call does nothing.
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
        services.AddSingleton(provider => new OutboxDoor(
            provider.GetRequiredService<Outbox.IOutbox>(), provider.GetRequiredService<IOptions<SamplingOptions>>().Value, provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<SamplingInstruments>(), provider.GetRequiredService<Microsoft.Extensions.Logging.ILogger<OutboxDoor>>()));
        services.AddSingleton<SamplingService>();
        services.AddSingleton<ISampling>(provider => provider.GetRequiredService<SamplingService>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<SamplingService>());
        return services;
    }
}
