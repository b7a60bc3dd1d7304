using Microsoft.AspNetCore.HostFiltering;

namespace Hub.Cloud.Server;

/// <summary>What is looked at before any page or API: the name a client asks for, and that browsers come back over HTTPS.</summary>
internal static class HttpGuard
{
    private static readonly TimeSpan HstsMaxAgeMax = TimeSpan.FromDays(730);

    /// <summary>The names that are served; empty for any.</summary>
    /// <exception cref="StartException">One is no name, or the time of HSTS is out of its range.</exception>
    public static IReadOnlyList<string> Hosts(HubSettings settings)
    {
        if (settings.Http.HstsMaxAge < TimeSpan.Zero || settings.Http.HstsMaxAge > HstsMaxAgeMax)
        {
            throw new StartException($"Hub:Http:HstsMaxAge is {settings.Http.HstsMaxAge}: it must be between 0 and {HstsMaxAgeMax.Days} days.");
        }

        foreach (var host in settings.Http.Hosts)
        {
            var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
            if (Uri.CheckHostName(name) == UriHostNameType.Unknown)
            {
                throw new StartException($"Hub:Http:Hosts has '{host}', which is no name of a host: write it like hub.example.org or *.example.org, without https:// and without a port.");
            }
        }

        if (settings.Http.Hosts.Length == 0)
        {
            return [];
        }

        return Uri.TryCreate(settings.PublicUrl, UriKind.Absolute, out var address)
            ? [.. settings.Http.Hosts.Append(address.IdnHost).Distinct(StringComparer.OrdinalIgnoreCase)]
            : settings.Http.Hosts;
    }

    /// <summary>Registers what <see cref="UseHttpGuard"/> needs.</summary>
    public static void AddHttpGuard(this IServiceCollection services, HubSettings settings, IReadOnlyList<string> hosts)
    {
        services.Configure<HostFilteringOptions>(filter => (filter.AllowedHosts, filter.AllowEmptyHosts) = ([.. hosts], false));
        services.AddHsts(hsts => hsts.MaxAge = settings.Http.HstsMaxAge);
    }

    /// <summary>Comes first of all in the way of a request.</summary>
    public static void UseHttpGuard(this WebApplication app, HubSettings settings, IReadOnlyList<string> hosts, bool isHttps)
    {
        if (hosts.Count > 0)
        {
            app.UseHostFiltering();
        }

        // Only where the hub itself speaks TLS: a proxy in front of it says for itself what it promises. Never for localhost.
        if (isHttps && settings.Http.HstsMaxAge > TimeSpan.Zero)
        {
            app.UseHsts();
        }
    }
}
