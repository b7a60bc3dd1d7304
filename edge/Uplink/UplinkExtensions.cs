using Hub.Edge.Outbox;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Uplink;

/// <summary>Registers the uplink.</summary>
public static class UplinkExtensions
{
    /// <summary>
    /// Adds the service that sends what <see cref="IOutbox"/> holds to the hub; settings from <c>Agent:Municipality</c>, <c>Agent:Station</c>, <c>Agent:Hub</c> and
    /// <c>Agent:Uplink</c>. Uses a registered <see cref="StationBirth"/> where there is one. Safe to call twice. Add it before Sampling: it then stops last.
    /// </summary>
    public static IServiceCollection AddHubUplink(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(UplinkService)))
        {
            return services;
        }

        services.AddOptions<HubOptions>().Bind(configuration.GetSection(HubOptions.Section)).Configure(options =>
        {
            options.Municipality = configuration["Agent:Municipality"] ?? options.Municipality;
            options.Station = configuration["Agent:Station"] ?? options.Station;
        }).ValidateOnStart();
        services.AddOptions<UplinkOptions>().Bind(configuration.GetSection(UplinkOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<HubOptions>, HubOptionsValidator>();
        services.AddSingleton<IValidateOptions<UplinkOptions>, UplinkOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<UplinkInstruments>();
        services.AddSingleton(provider =>
        {
            var time = provider.GetRequiredService<TimeProvider>();
            var birth = provider.GetService<StationBirth>() ?? new StationBirth("hub-agent", time.GetUtcNow(), null, null, null, null, []);
            return new UplinkService(
                provider.GetRequiredService<IOutbox>(),
                provider.GetRequiredService<IOptions<HubOptions>>().Value,
                provider.GetRequiredService<IOptions<UplinkOptions>>().Value,
                birth,
                provider.GetRequiredService<UplinkInstruments>(),
                time,
                provider.GetRequiredService<ILoggerFactory>().CreateLogger("Hub.Edge.Uplink"));
        });
        services.AddSingleton<IUplink>(provider => provider.GetRequiredService<UplinkService>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<UplinkService>());
        return services;
    }
}
