using System.Net;
using Hub.Cloud.Ingest;

namespace Hub.Cloud.Fleet.Claims;

/// <summary>Where a station that has just been claimed finds the broker. Pure functions.</summary>
internal static class ClaimAddress
{
    /// <summary>The broker's address for a claimant; null when there is none that it could use.</summary>
    /// <param name="options">What was set.</param>
    /// <param name="broker">Where the broker is, as the hub knows it.</param>
    /// <param name="requestHost">Host name under which the claimant reached the hub.</param>
    /// <param name="isLocal">Whether the claimant is on the hub's own machine.</param>
    public static BrokerEndpoint? Of(PublicOptions options, IReadOnlyList<BrokerEndpoint> broker, string requestHost, bool isLocal)
    {
        if (options.Mqtt.Length > 0 && PublicOptionsValidator.TryHost(options.Mqtt, out var host, out var port))
        {
            return new BrokerEndpoint(host, port, options.MqttTls);
        }

        foreach (var endpoint in broker.OrderByDescending(e => e.Tls))
        {
            var loopback = IsLoopback(endpoint.Host);
            if (isLocal && (loopback || endpoint.Host.Length == 0))
            {
                return endpoint with { Host = loopback ? endpoint.Host : requestHost };
            }

            // Without TLS nothing leaves the machine, and what listens to the machine alone helps nobody else.
            if (!loopback && endpoint.Tls)
            {
                return endpoint.Host.Length == 0 ? endpoint with { Host = requestHost } : endpoint;
            }
        }

        return null;
    }

    private static bool IsLoopback(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
