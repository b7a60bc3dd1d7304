using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Hub.Edge.Claiming;

/// <summary>Registers Claiming.</summary>
public static class ClaimingExtensions
{
    /// <summary>Offers <see cref="IClaiming"/>. Needs a <see cref="TimeProvider"/>. A second call does nothing.</summary>
    public static IServiceCollection AddHubClaiming(this IServiceCollection services)
    {
        services.TryAddSingleton<IClaiming>(provider => new StationClaim(provider.GetRequiredService<TimeProvider>(), new MachineName("/")));
        return services;
    }
}
