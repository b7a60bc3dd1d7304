using Hub.Edge.Uplink;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Hub.Edge.Twin;

/// <summary>Registers the twin.</summary>
public static class TwinExtensions
{
    /// <summary>
    /// Adds a twin that outlives these services, as <see cref="ITwin"/> and as the <see cref="ITwinLink"/> of Uplink. Has no settings of its own: where it keeps what the hub wants is the agent's
    /// data folder, and how long a trial lasts is said by the document. Safe to call twice.
    /// </summary>
    public static IServiceCollection AddHubTwin(this IServiceCollection services, StationTwin twin)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(twin);
        // As instances: the container must not dispose of them.
        services.TryAddSingleton<ITwin>(twin);
        services.TryAddSingleton<ITwinLink>(twin);
        return services;
    }
}
