using Hub.Edge.Sensors.Buses;
using Hub.Edge.Uplink;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Commands;

/// <summary>Registers the commands.</summary>
public static class CommandsExtensions
{
    /// <summary>Where Linux shows the lights of a board.</summary>
    public const string LedsFolder = "/sys/class/leds";

    /// <summary>
    /// Does the hub's commands, with <c>Agent:Identify</c>, checked at start. Needs an <see cref="IAgentDesk"/>, Sampling, Uplink, a <see cref="TimeProvider"/> and logging; an
    /// <see cref="IBuses"/> that is registered takes the place of the machine's own. Safe to call twice.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The settings.</param>
    /// <param name="leds">The kernel's lights; another folder in tests.</param>
    public static IServiceCollection AddHubCommands(this IServiceCollection services, IConfiguration configuration, string leds = LedsFolder)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(ICommands)))
        {
            return services;
        }

        services.AddOptions<IdentifyOptions>().Bind(configuration.GetSection(IdentifyOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<IdentifyOptions>, IdentifyOptionsValidator>();
        services.AddSingleton<CommandsInstruments>();
        services.AddSingleton(provider =>
        {
            var time = provider.GetRequiredService<TimeProvider>();
            var lights = new Lights(provider.GetRequiredService<IOptions<IdentifyOptions>>().Value, provider.GetService<IBuses>() ?? MachineBuses.Of(time), leds);
            return new Identify(lights, time, provider.GetRequiredService<ILogger<Identify>>());
        });
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<Identify>());

        // Made when first needed: what it refers to refers to the uplink, which refers to it.
        services.AddSingleton(provider => new CommandDoor(() => new CommandDesk(
            provider.GetRequiredService<IAgentDesk>(), provider.GetRequiredService<Sampling.ISampling>(), provider.GetRequiredService<IUplink>(), provider.GetRequiredService<Identify>(),
            provider.GetRequiredService<CommandsInstruments>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<CommandDesk>>())));
        services.AddSingleton<ICommandLink>(provider => provider.GetRequiredService<CommandDoor>());
        services.AddSingleton<ICommands>(provider => provider.GetRequiredService<CommandDoor>());
        return services;
    }

    private sealed class CommandDoor(Func<CommandDesk> make) : ICommandLink, ICommands
    {
        private readonly Lazy<CommandDesk> _desk = new(make);

        public CommandsState State => _desk.Value.State;

        public Task<CommandAnswer> CommandAsync(string name, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) => _desk.Value.CommandAsync(name, payload, cancellationToken);
    }
}
