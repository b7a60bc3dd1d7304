using System.Text;
using Hub.Edge.Contract.Topics;

namespace Hub.Cloud.Stations;

/// <summary>
/// Password file and access list with which an external Mosquitto 2 admits the same stations under the same rules as the embedded broker.
/// Mosquitto knows one secret per user: on an external broker a rotated secret has no overlap.
/// </summary>
/// <param name="Passwords">Text for <c>password_file</c>: one line <c>user:$7$...</c> per station, and the hub's own.</param>
/// <param name="Acl">Text for <c>acl_file</c>: one <c>user</c> section per station, and the hub's own.</param>
public sealed record MosquittoFiles(string Passwords, string Acl)
{
    /// <summary>Writes both texts. A function of its arguments, but for the salt of the hub's own secret.</summary>
    /// <param name="stations">The stations, from <see cref="IStationCredentials.Current"/>.</param>
    /// <param name="hubUser">User name of the hub itself, without <c>/</c>, so that it cannot be a station's; 1 to 64 of <c>a-z 0-9 -</c>.</param>
    /// <param name="hubSecret">The hub's own secret: 256 random bits as text, never chosen by a person (it is hashed with few iterations).</param>
    /// <exception cref="ArgumentException">The user name breaks its rule, or the secret has under 32 characters.</exception>
    public static MosquittoFiles Write(IEnumerable<StationCredential> stations, string hubUser, string hubSecret)
    {
        ArgumentNullException.ThrowIfNull(stations);
        ArgumentNullException.ThrowIfNull(hubUser);
        ArgumentNullException.ThrowIfNull(hubSecret);
        if (!HubTopic.IsSlug(hubUser))
        {
            throw new ArgumentException("The hub's user name must be 1 to 64 of a-z 0-9 - and begin and end with a letter or digit.", nameof(hubUser));
        }

        if (hubSecret.Length < 32)
        {
            throw new ArgumentException("The hub's secret must be 256 random bits as text: at least 32 characters.", nameof(hubSecret));
        }

        // Line feeds on every system: Mosquitto reads a carriage return as part of the line.
        var passwords = new StringBuilder();
        var acl = new StringBuilder();
        passwords.Append(hubUser).Append(':').Append(StationSecret.Hash(hubSecret)).Append('\n');
        acl.Append("# Written by the hub; changes made here are lost.\n")
            .Append("user ").Append(hubUser).Append('\n')
            .Append("topic readwrite ").Append(HubTopic.Root).Append("/#\n")
            // Mosquitto checks what is delivered, not the subscription; a broker that checks subscriptions needs this line as well.
            .Append("topic read $share/").Append(hubUser).Append('/').Append(HubTopic.Root).Append("/+/+/readings\n")
            .Append("topic read $share/").Append(hubUser).Append('/').Append(HubTopic.Root).Append("/+/+/time\n");

        foreach (var station in stations)
        {
            var user = $"{station.Municipality}/{station.Station}";
            var root = $"{HubTopic.Root}/{user}";
            passwords.Append(user).Append(':').Append(station.Hash).Append('\n');
            acl.Append("\nuser ").Append(user).Append('\n')
                .Append("topic write ").Append(root).Append("/readings\n")
                .Append("topic write ").Append(root).Append("/status\n")
                .Append("topic write ").Append(root).Append("/config/reported\n")
                .Append("topic write ").Append(root).Append("/reply\n")
                .Append("topic write ").Append(root).Append("/time\n")
                .Append("topic read ").Append(root).Append("/config/desired\n")
                .Append("topic read ").Append(root).Append("/command/#\n");
        }

        return new MosquittoFiles(passwords.ToString(), acl.ToString());
    }
}
