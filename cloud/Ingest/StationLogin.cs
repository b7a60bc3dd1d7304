using System.Diagnostics.CodeAnalysis;
using Hub.Cloud.Ingest.Http;
using Hub.Cloud.Ingest.Mqtt;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Ingest;

/// <summary>How a station shows over HTTP who it is: Basic, user name <c>{municipality}/{station}</c> and its secret, as over MQTT. Safe for concurrent callers.</summary>
public static class StationLogin
{
    /// <summary>What an answer 401 asks for.</summary>
    public const string Challenge = "Basic realm=\"hub\", charset=\"UTF-8\"";

    /// <summary>Whether a request comes from a station.</summary>
    /// <param name="request">The request; only its Authorization header is looked at.</param>
    /// <param name="stations">Who may speak.</param>
    /// <param name="station">The station whose secret it carries.</param>
    public static bool TryAuthenticate(HttpRequest request, IStations stations, [NotNullWhen(true)] out Station? station)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(stations);
        station = null;
        return BasicCredentials.TryParse(request.Headers.Authorization, out var credentials)
            && BrokerLogins.TryStation(credentials.User, out var municipality, out var slug)
            && stations.Authenticate(municipality, slug, credentials.Secret, out station);
    }
}
