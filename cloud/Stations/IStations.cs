using System.Diagnostics.CodeAnalysis;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Stations;

/// <summary>A place with an agent.</summary>
/// <param name="Id">Surrogate identifier, 1 or more.</param>
/// <param name="Municipality">Slug of the municipality that owns it.</param>
/// <param name="Slug">Slug within the municipality.</param>
/// <param name="Name">Name shown to people.</param>
/// <param name="Latitude">WGS 84, degrees, -90 to 90.</param>
/// <param name="Longitude">WGS 84, degrees, -180 to 180.</param>
/// <param name="Public">Whether anonymous visitors may see it and its observations.</param>
/// <param name="Attribution">Whose data it shows and how they came here (publisher, licence, replay), Markdown-free text; empty when it is the municipality's own.</param>
public sealed record Station(int Id, string Municipality, string Slug, string Name, double Latitude, double Longitude, bool Public, string Attribution)
{
    private readonly TagList tags = TagList.None;

    /// <summary>Its tags in order, each once: words by which the municipality groups its stations (<see cref="StationTags"/>); at most 20.</summary>
    public IReadOnlyList<string> Tags
    {
        get => tags;
        init => tags = TagList.Of(value);
    }

    /// <summary>Whether it has a tag.</summary>
    public bool HasTag(string tag) => tags.Holds(tag);
}

/// <summary>One observed property of one sensor at one station, with its averaging period: a series.</summary>
/// <param name="Id">Surrogate identifier, 1 or more: the key of the Series stage.</param>
/// <param name="Station">The station.</param>
/// <param name="Sensor">Name of the instrument at the station.</param>
/// <param name="Quantity">What is observed.</param>
/// <param name="Period">Averaging period; zero for instantaneous values.</param>
public sealed record Datastream(int Id, Station Station, string Sensor, Quantity Quantity, TimeSpan Period);

/// <summary>What is needed to register a station.</summary>
/// <param name="Municipality">Slug of an existing municipality.</param>
/// <param name="Slug">Slug within the municipality; unique there; not <c>alarms</c>.</param>
/// <param name="Name">Name shown to people, 1 to 200 characters.</param>
/// <param name="Latitude">WGS 84, degrees.</param>
/// <param name="Longitude">WGS 84, degrees.</param>
/// <param name="Public">Whether anonymous visitors may see it.</param>
/// <param name="Attribution">See <see cref="Station.Attribution"/>.</param>
public sealed record StationRegistration(string Municipality, string Slug, string Name, double Latitude, double Longitude, bool Public = true, string Attribution = "")
{
    /// <summary>See <see cref="Station.Tags"/>; none by default.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>
/// Who may speak: stations, their credentials, places over time, sensors and datastreams. Reads come from memory; changes are durable when the task completes.
/// Safe for concurrent callers.
/// </summary>
public interface IStations
{
    /// <summary>All stations, in order of municipality and slug.</summary>
    IReadOnlyList<Station> All { get; }

    /// <summary>All datastreams of a station, in order of sensor and quantity.</summary>
    IReadOnlyList<Datastream> DatastreamsOf(int stationId);

    /// <summary>Finds a station by its two slugs.</summary>
    bool TryGet(string municipality, string station, [NotNullWhen(true)] out Station? found);

    /// <summary>Finds a datastream by identifier.</summary>
    bool TryGetDatastream(int id, [NotNullWhen(true)] out Datastream? found);

    /// <summary>Verifies a station's secret in constant time against its stored hash (and the previous secret while a rotation is under way). No database access.</summary>
    bool Authenticate(string municipality, string station, ReadOnlySpan<byte> secretUtf8, [NotNullWhen(true)] out Station? authenticated);

    /// <summary>Finds the datastream of a known station without allocating; false when it has not been seen yet.</summary>
    bool TryResolve(int stationId, ReadOnlySpan<byte> sensorUtf8, Quantity quantity, int periodSeconds, out int datastream);

    /// <summary>Finds the datastream, creating sensor and datastream on first sight. Idempotent under concurrency.</summary>
    /// <exception cref="StationLimitException">The station has reached its limit of datastreams (default 1,000).</exception>
    /// <exception cref="KeyNotFoundException">There is no such station any more.</exception>
    /// <exception cref="ArgumentException">The sensor's name or the period breaks its rule.</exception>
    ValueTask<int> ResolveAsync(int stationId, string sensor, Quantity quantity, int periodSeconds, CancellationToken cancellationToken);

    /// <summary>Registers a station and returns it with its new secret: 256 random bits, shown once, stored only as a hash.</summary>
    /// <exception cref="StationConflictException">The slug is taken.</exception>
    /// <exception cref="ArgumentException">A field breaks its rule; the message names it.</exception>
    ValueTask<(Station Station, string Secret)> RegisterAsync(StationRegistration registration, CancellationToken cancellationToken);

    /// <summary>Replaces a station's secret and returns the new one; the old one stays valid for <paramref name="overlap"/>, 0 to 90 days.</summary>
    /// <exception cref="KeyNotFoundException">There is no such station.</exception>
    ValueTask<string> RotateSecretAsync(int stationId, TimeSpan overlap, CancellationToken cancellationToken);

    /// <summary>Changes name, place (a new Location with its time), visibility, attribution or tags.</summary>
    /// <exception cref="KeyNotFoundException">There is no such station.</exception>
    /// <exception cref="ArgumentException">A field breaks its rule, or municipality or slug differ; the message names it.</exception>
    ValueTask<Station> UpdateAsync(Station changed, CancellationToken cancellationToken);

    /// <summary>Gives a station these tags instead of those it has, whatever else changes meanwhile; the same ones change nothing.</summary>
    /// <exception cref="KeyNotFoundException">There is no such station.</exception>
    /// <exception cref="ArgumentException">A tag is none, or there are too many; the message says which.</exception>
    ValueTask<Station> TagAsync(int stationId, IReadOnlyList<string> tags, CancellationToken cancellationToken);

    /// <summary>
    /// Removes a station and its credentials; its datastreams stay for history (found by identifier and by <see cref="DatastreamsOf"/>) but accept nothing any more. The slug is free again.
    /// </summary>
    /// <exception cref="KeyNotFoundException">There is no such station.</exception>
    ValueTask RemoveAsync(int stationId, CancellationToken cancellationToken);

    /// <summary>Raised after a station or datastream was added, changed or removed; handlers return at once.</summary>
    event Action? Changed;
}

/// <summary>A slug is already taken.</summary>
public sealed class StationConflictException(string message) : Exception(message);

/// <summary>A station has reached a limit; the message names it.</summary>
public sealed class StationLimitException(string message) : Exception(message);
