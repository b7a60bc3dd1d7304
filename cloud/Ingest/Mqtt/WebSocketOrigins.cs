using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// Which web pages may open a WebSocket to the broker. Credentials travel inside MQTT and no cookie is ever looked at, so a page from elsewhere has no rights of its visitor here. It could
/// still use its visitors' browsers to try secrets from inside their networks, where the hub may be reachable and the page is not: that is what this prevents. Pure functions.
/// </summary>
internal static class WebSocketOrigins
{
    /// <summary>
    /// Whether a request may go on. Without an Origin it is no browser. Otherwise the page must come from the hub itself (the address it was asked under, or <c>Hub:PublicUrl</c>, for a proxy
    /// may have rewritten the former), or from a site of the list.
    /// </summary>
    /// <param name="origins">Values of the header Origin.</param>
    /// <param name="host">Host of the request. Its scheme is not compared: behind a proxy that ends TLS it is not the page's.</param>
    /// <param name="publicUrl">Where people reach the hub's pages; empty when unknown.</param>
    /// <param name="allowed">Further origins, checked by <see cref="TryParse"/>.</param>
    public static bool Allow(IReadOnlyList<string?> origins, HostString host, string publicUrl, IEnumerable<string> allowed)
    {
        if (origins.Count == 0)
        {
            return true;
        }

        return origins is [{ } text] && TryParse(text, out var origin)
            && (IsHost(origin, host) || IsSame(origin, publicUrl) || allowed.Any(site => IsSame(origin, site)));
    }

    /// <summary>Reads an origin: scheme, host and port if it is not the scheme's own, and nothing else.</summary>
    public static bool TryParse(string text, out Uri origin) =>
        Uri.TryCreate(text, UriKind.Absolute, out origin!)
        && (origin.Scheme == Uri.UriSchemeHttp || origin.Scheme == Uri.UriSchemeHttps)
        && origin.Host.Length > 0 && origin.UserInfo.Length == 0 && origin.PathAndQuery == "/" && origin.Fragment.Length == 0;

    private static bool IsHost(Uri origin, HostString host) =>
        host.HasValue && string.Equals(origin.Host, host.Host, StringComparison.OrdinalIgnoreCase) && (host.Port ?? (origin.Scheme == Uri.UriSchemeHttps ? 443 : 80)) == origin.Port;

    private static bool IsSame(Uri origin, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var site) && origin.Scheme == site.Scheme && origin.Port == site.Port && string.Equals(origin.Host, site.Host, StringComparison.OrdinalIgnoreCase);
}
