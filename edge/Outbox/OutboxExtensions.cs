using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Outbox;

/// <summary>Registers the outbox.</summary>
public static class OutboxExtensions
{
    /// <summary>
    /// Adds <see cref="IOutbox"/> on the files named in section <c>Agent:Outbox</c>. The folder is opened, repaired and locked when the service is first asked for.
    /// Safe to call twice.
    /// </summary>
    /// <exception cref="OutboxUnavailableException">When first asked for: the folder is in use or cannot be written.</exception>
    public static IServiceCollection AddHubOutbox(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<OutboxOptions>().Bind(configuration.GetSection(OutboxOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<OutboxOptions>, OutboxOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IOutbox>(provider => FileOutbox.Open(
            provider.GetRequiredService<IOptions<OutboxOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>().CreateLogger("Hub.Edge.Outbox")));
        return services;
    }
}
