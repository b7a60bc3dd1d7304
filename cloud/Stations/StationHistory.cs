namespace Hub.Cloud.Stations;

/// <summary>Where a station has stood since an instant (until the next one's).</summary>
/// <param name="Since">UTC.</param>
/// <param name="Latitude">WGS 84, degrees.</param>
/// <param name="Longitude">WGS 84, degrees.</param>
public sealed record StationLocation(DateTime Since, double Latitude, double Longitude);

/// <summary>One place of a station.</summary>
/// <param name="Number">Counts up over all stations in the order in which places were told, 1 or more; the first of a station is where it was registered.</param>
/// <param name="StationId">The station.</param>
/// <param name="Location">The place and since when.</param>
public sealed record StationPlace(long Number, int StationId, StationLocation Location);

/// <summary>The places of a station over time. Safe for concurrent callers; reads the database.</summary>
public interface IStationHistory
{
    /// <summary>All places a station has had, removed stations included, oldest first; empty for a station that never was.</summary>
    ValueTask<IReadOnlyList<StationLocation>> LocationsAsync(int stationId, CancellationToken cancellationToken);

    /// <summary>All places of those stations that have had more than one, removed stations included, in order of number: whoever knows the last number finds the moves since.</summary>
    ValueTask<IReadOnlyList<StationPlace>> MovedAsync(CancellationToken cancellationToken);
}

/// <summary>A station's login on an external broker.</summary>
/// <param name="Municipality">Slug of the municipality.</param>
/// <param name="Station">Slug of the station.</param>
/// <param name="Hash">Current secret, hashed, as a Mosquitto password file holds it.</param>
public sealed record StationCredential(string Municipality, string Station, string Hash);

/// <summary>The hashed secrets, for an external broker. For the composition root and tools; nothing here may reach a page or the API.</summary>
public interface IStationCredentials
{
    /// <summary>The current credential of every station, in order of municipality and slug; from memory.</summary>
    IReadOnlyList<StationCredential> Current { get; }
}
