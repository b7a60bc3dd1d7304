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
    /// <c>Agent:Uplink</c>. Uses what is registered of <see cref="IStationSelf"/> (or <see cref="StationBirth"/>), <see cref="ITwinLink"/>,
    /// <see cref="ICommandLink"/>, <see cref="AnsweredCommands"/> and <see cref="CredentialsFolder"/>. Safe to call twice. Add it before Sampling: it then stops last.
    /// </summary>
    public static IServiceCollection AddHubUplink(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(UplinkService)))
        {
            return services;
        }

        services.AddOptions<HubOptions>().Bind(configuration.GetSection(HubOptions.Section)).Configure(options => Name(options, configuration)).ValidateOnStart();
        services.AddOptions<UplinkOptions>().Bind(configuration.GetSection(UplinkOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<HubOptions>, HubOptionsValidator>();
        services.AddSingleton<IValidateOptions<UplinkOptions>, UplinkOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<UplinkInstruments>();
        services.AddSingleton(provider =>
        {
            var time = provider.GetRequiredService<TimeProvider>();
            var settings = UplinkSettings.Read(configuration);
            var instruments = provider.GetRequiredService<UplinkInstruments>();
            var logger = provider.GetRequiredService<ILoggerFactory>().CreateLogger("Hub.Edge.Uplink");
            var self = provider.GetService<IStationSelf>()
                ?? new UnchangingSelf(provider.GetService<StationBirth>() ?? new StationBirth("hub-agent", time.GetUtcNow(), null, null, null, null, []));
            var downlink = new Downlink(
                settings.Hub.Municipality, settings.Hub.Station, provider.GetService<ITwinLink>(), provider.GetService<ICommandLink>(), provider.GetService<AnsweredCommands>() ?? new AnsweredCommands(), instruments,
                time, logger);
            return new UplinkService(
                provider.GetRequiredService<IOutbox>(), settings, self, downlink,
                new Credentials(provider.GetService<CredentialsFolder>(), logger), instruments, time, logger);
        });
        services.AddSingleton<IUplink>(provider => provider.GetRequiredService<UplinkService>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<UplinkService>());
        return services;
    }

    internal static void Name(HubOptions options, IConfiguration configuration)
    {
        options.Municipality = configuration["Agent:Municipality"] ?? options.Municipality;
        options.Station = configuration["Agent:Station"] ?? options.Station;
    }

    private sealed class UnchangingSelf(StationBirth birth) : IStationSelf
    {
        public StationBirth Birth => birth;
    }
}
