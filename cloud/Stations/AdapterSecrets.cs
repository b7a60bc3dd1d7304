using System.Diagnostics.CodeAnalysis;

namespace Hub.Cloud.Stations;

/// <summary>
/// Secrets with which foreign senders speak for a station through an adapter (a sensor.community box, a network's webhook): one per station and adapter, made,
/// hashed and rotated like the station's own. Such a secret opens its adapter and nothing else: neither the broker nor packs nor another adapter. Reads come from memory;
/// changes are durable when the task completes. Safe for concurrent callers.
/// </summary>
public interface IAdapterSecrets
{
    /// <summary>Verifies a secret in constant time, as <see cref="IStations.Authenticate"/> does; the previous one is valid while a rotation is under way. No database access.</summary>
    /// <param name="municipality">Slug of the municipality.</param>
    /// <param name="station">Slug of the station.</param>
    /// <param name="adapter">Name of the adapter.</param>
    /// <param name="secretUtf8">The secret as sent.</param>
    /// <param name="authenticated">The station; null when the result is false.</param>
    bool Authenticate(string municipality, string station, string adapter, ReadOnlySpan<byte> secretUtf8, [NotNullWhen(true)] out Station? authenticated);

    /// <summary>The adapters that may speak for a station, in order of name; empty for a station that is not there.</summary>
    IReadOnlyList<string> AdaptersOf(int stationId);

    /// <summary>Gives a station its secret for an adapter, or a new one: 256 random bits, shown once, stored only as a hash. An old one stays valid for <paramref name="overlap"/>, 0 to 90 days.</summary>
    /// <param name="stationId">The station.</param>
    /// <param name="adapter">Name of the adapter, 1 to 64 of <c>a-z 0-9 -</c>.</param>
    /// <param name="overlap">For how long an old secret stays valid.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KeyNotFoundException">There is no such station.</exception>
    /// <exception cref="ArgumentException">The name breaks its rule.</exception>
    ValueTask<string> IssueAsync(int stationId, string adapter, TimeSpan overlap, CancellationToken cancellationToken);

    /// <summary>Takes an adapter's secrets away at once; false when it had none.</summary>
    /// <exception cref="KeyNotFoundException">There is no such station.</exception>
    ValueTask<bool> RevokeAsync(int stationId, string adapter, CancellationToken cancellationToken);
}
