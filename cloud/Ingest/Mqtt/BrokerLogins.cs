using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Hub.Cloud.Stations;
using Microsoft.Extensions.Logging;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>Who is logged in to the embedded broker, and what that allows. Safe for concurrent callers.</summary>
internal sealed class BrokerLogins(MqttOptions options, IStations stations, IngestInstruments instruments, ILogger logger)
{
    /// <summary>Different filters one session may be subscribed to.</summary>
    private const int FiltersMax = 64;

    private readonly ReaderAccounts _readers = new(options.Readers);
    private readonly ConcurrentDictionary<string, BrokerConnection> _connections = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, HashSet<string>> _filters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _perUser = new(StringComparer.Ordinal);

    /// <summary>Reads <c>{municipality}/{station}</c>, the user name of a station.</summary>
    public static bool TryStation(string? user, [NotNullWhen(true)] out string? municipality, [NotNullWhen(true)] out string? station)
    {
        (municipality, station) = (null, null);
        var slash = user?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash <= 0 || slash == user!.Length - 1)
        {
            return false;
        }

        (municipality, station) = (user[..slash], user[(slash + 1)..]);
        return true;
    }

    /// <summary>Decides a login and sets the answer's reason code.</summary>
    public void Login(ValidatingConnectionEventArgs e, BrokerConnection connection)
    {
        var (code, reason) = Judge(e, connection);
        e.ReasonCode = code;
        if (code != MqttConnectReasonCode.Success)
        {
            instruments.LoginRefused(connection.Transport, reason);
            logger.LoginRefused(e.UserName ?? "", e.RemoteEndPoint, reason);
            return;
        }

        connection.User = e.UserName;
        connection.Closed = () => Left(connection);
        _connections[connection.SessionKey] = connection;
    }

    /// <summary>True when the client can be told no without closing its connection.</summary>
    public bool CanRefuse(string sessionKey) => _connections.TryGetValue(sessionKey, out var connection) && connection.CanRefuse;

    /// <summary>What carries a session's connection.</summary>
    public string TransportOf(string sessionKey) => _connections.TryGetValue(sessionKey, out var connection) ? connection.Transport : EmbeddedBroker.Transport;

    /// <summary>True when a user may subscribe to a filter.</summary>
    public bool MaySubscribe(string? user, string filter)
    {
        if (user is null)
        {
            return false;
        }

        return TryStation(user, out var municipality, out var station)
            ? stations.TryGet(municipality, station, out _) && BrokerRules.StationMaySubscribe(municipality, station, filter)
            : _readers.TryGet(user, out var account) && account.Municipalities.Any(m => BrokerRules.ReaderMaySubscribe(m, filter));
    }

    /// <summary>Notes a filter of a session; false when it has too many.</summary>
    public bool AddFilter(string sessionKey, string filter)
    {
        var filters = _filters.GetOrAdd(sessionKey, _ => new HashSet<string>(StringComparer.Ordinal));
        lock (filters)
        {
            return filters.Contains(filter) || (filters.Count < FiltersMax && filters.Add(filter));
        }
    }

    /// <summary>Forgets a filter of a session.</summary>
    public void RemoveFilter(string sessionKey, string filter)
    {
        if (_filters.TryGetValue(sessionKey, out var filters))
        {
            lock (filters)
            {
                filters.Remove(filter);
            }
        }
    }

    /// <summary>Forgets a session.</summary>
    public void ForgetFilters(string sessionKey) => _filters.TryRemove(sessionKey, out _);

    private (MqttConnectReasonCode Code, string Reason) Judge(ValidatingConnectionEventArgs e, BrokerConnection connection)
    {
        if (e.AuthenticationMethod is not null)
        {
            return (MqttConnectReasonCode.BadAuthenticationMethod, "authentication method");
        }

        var proven = connection.Certificate.Name;
        var secret = e.RawPassword ?? [];
        if (string.IsNullOrEmpty(e.UserName) || (secret.Length == 0 && proven is null))
        {
            return (MqttConnectReasonCode.NotAuthorized, connection.Certificate.Problem is null ? "anonymous" : "certificate");
        }

        if (proven is not null && !string.Equals(proven, e.UserName, StringComparison.Ordinal))
        {
            // Even with the right secret: whoever shows another's certificate is not who they say.
            return (MqttConnectReasonCode.NotAuthorized, "certificate of another");
        }

        if (TryStation(e.UserName, out var municipality, out var slug))
        {
            if (!(proven is not null ? stations.TryGet(municipality, slug, out _) : stations.Authenticate(municipality, slug, secret, out _)))
            {
                return (MqttConnectReasonCode.BadUserNameOrPassword, connection.Certificate.Problem is null ? "credentials" : "certificate");
            }

            if (connection.WillTopic is { } will && BrokerRules.Publish(municipality, slug, will) != PublishRight.State)
            {
                return (MqttConnectReasonCode.NotAuthorized, "will topic");
            }
        }
        else if (!_readers.Authenticate(e.UserName, secret))
        {
            return (MqttConnectReasonCode.BadUserNameOrPassword, "credentials");
        }
        else if (connection.WillTopic is not null)
        {
            return (MqttConnectReasonCode.NotAuthorized, "will topic");
        }

        lock (_perUser)
        {
            var count = _perUser.GetValueOrDefault(e.UserName);
            if (count >= options.ConnectionsPerUserMax)
            {
                // MQTT 3.1.1 knows no such code; "server unavailable" is the nearest it has.
                return (connection.CanRefuse ? MqttConnectReasonCode.QuotaExceeded : MqttConnectReasonCode.ServerUnavailable, "connections of the user");
            }

            _perUser[e.UserName] = count + 1;
        }

        return (MqttConnectReasonCode.Success, "");
    }

    private void Left(BrokerConnection connection)
    {
        _connections.TryRemove(new KeyValuePair<string, BrokerConnection>(connection.SessionKey, connection));
        lock (_perUser)
        {
            var count = _perUser.GetValueOrDefault(connection.User!) - 1;
            if (count > 0)
            {
                _perUser[connection.User!] = count;
            }
            else
            {
                _perUser.Remove(connection.User!);
            }
        }
    }
}
