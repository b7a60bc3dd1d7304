namespace Hub.Cloud.Stations;

/// <summary>Which of its secrets a station proved itself with last.</summary>
public enum SecretUse
{
    /// <summary>None, since the hub started or the secrets changed.</summary>
    None = 0,

    /// <summary>The one in force.</summary>
    Current = 1,

    /// <summary>The one before it, during its overlap.</summary>
    Previous = 2,
}

/// <summary>Changes of a station's own secret that begin at the station, or may have to be undone. Changes are durable when the task completes. Safe for concurrent callers.</summary>
public interface IStationSecrets
{
    /// <summary>Fewest characters of a secret that a station brings.</summary>
    const int CharactersMin = 32;

    /// <summary>Most characters of a secret that a station brings.</summary>
    const int CharactersMax = 256;

    /// <summary>Puts a secret of the station's own making in force and ends every one before at once; stored as the hub's own are, only as a hash.</summary>
    /// <param name="stationId">The station.</param>
    /// <param name="secret">32 to 256 printable ASCII characters without spaces, made of 256 random bits or more: it is hashed with few iterations, so nobody may have chosen it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KeyNotFoundException">There is no such station.</exception>
    /// <exception cref="ArgumentException">The secret breaks its rule; the message does not repeat it.</exception>
    ValueTask TakeAsync(int stationId, string secret, CancellationToken cancellationToken);

    /// <summary>Names the secret in force without telling it: other after every change. Null for a station that is not there.</summary>
    string? MarkOf(int stationId);

    /// <summary>
    /// Undoes a rotation: the previous secret is in force again, without end, even where its overlap has passed, and the current one ends at once. False, and nothing changed, when the secret in
    /// force is not the one that <paramref name="mark"/> names (somebody has changed it since), or there is none before it.
    /// </summary>
    /// <param name="stationId">The station.</param>
    /// <param name="mark">Names the secret that the rotation made.</param>
    /// <param name="sent">Whether the station may have been told that secret. If not, what was known of its use before the rotation is known again.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KeyNotFoundException">There is no such station.</exception>
    ValueTask<bool> TakeBackAsync(int stationId, string mark, bool sent, CancellationToken cancellationToken);

    /// <summary>Which secret the station used last, since the hub started or its secrets changed; from memory.</summary>
    SecretUse LastUse(int stationId);
}
