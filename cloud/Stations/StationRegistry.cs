using System.Diagnostics.CodeAnalysis;
using Hub.Edge.Contract.Quantities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Stations;

/// <summary>
/// Stations in memory for whoever reads, and in the database for whoever changes them. Readers take no lock; changes go one at a time, are committed first and
/// seen second, so that nothing is ever read that a crash could take back.
/// </summary>
internal sealed partial class StationRegistry : IStations, IStationHistory, IStationCredentials, IDisposable
{
    private readonly IDbContextFactory<StationsDatabase> databases;
    private readonly StationsOptions options;
    private readonly TimeProvider time;
    private readonly StationsInstruments instruments;
    private readonly ILogger<StationRegistry> logger;
    private readonly SemaphoreSlim change = new(1, 1);

    private volatile StationSnapshot snapshot = StationSnapshot.Empty;

    // Slot i holds datastream i: identifiers come from the database in order, so the array stays dense. Slots are only ever filled, under the change lock.
    private Datastream?[] datastreams = new Datastream?[64];
    private int datastreamCount;

    public StationRegistry(
        IDbContextFactory<StationsDatabase> databases,
        IOptions<StationsOptions> options,
        TimeProvider time,
        StationsInstruments instruments,
        ILogger<StationRegistry> logger)
    {
        this.databases = databases;
        this.options = options.Value;
        this.time = time;
        this.instruments = instruments;
        this.logger = logger;
        instruments.Observe(() => snapshot.All.Count, () => Volatile.Read(ref datastreamCount));
    }

    public event Action? Changed;

    public IReadOnlyList<Station> All => snapshot.All;

    public IReadOnlyList<StationCredential> Current
    {
        get
        {
            var now = snapshot;
            List<StationCredential> credentials = new(now.All.Count);
            foreach (var station in now.All)
            {
                if (now.TryGet(station.Id, out var entry) && entry!.State.Credentials is { } held)
                {
                    credentials.Add(new StationCredential(station.Municipality, station.Slug, held.CurrentHash));
                }
            }

            return credentials;
        }
    }

    public IReadOnlyList<Datastream> DatastreamsOf(int stationId) =>
        snapshot.TryGet(stationId, out var entry) ? entry!.State.Datastreams.Ordered : [];

    public bool TryGet(string municipality, string station, [NotNullWhen(true)] out Station? found)
    {
        ArgumentNullException.ThrowIfNull(municipality);
        ArgumentNullException.ThrowIfNull(station);
        found = snapshot.TryGet(municipality, station, out var entry) ? entry!.State.Station : null;
        return found is not null;
    }

    public bool TryGetDatastream(int id, [NotNullWhen(true)] out Datastream? found)
    {
        var slots = Volatile.Read(ref datastreams);
        found = id > 0 && id < slots.Length ? Volatile.Read(ref slots[id]) : null;
        return found is not null;
    }

    public bool Authenticate(string municipality, string station, ReadOnlySpan<byte> secretUtf8, [NotNullWhen(true)] out Station? authenticated)
    {
        ArgumentNullException.ThrowIfNull(municipality);
        ArgumentNullException.ThrowIfNull(station);
        var state = snapshot.TryGet(municipality, station, out var entry) ? entry!.State : null;
        var credentials = state?.Credentials;
        authenticated = Verify(credentials, secretUtf8) ? state!.Station : null;
        return authenticated is not null;
    }

    /// <summary>Whether a secret is one of these; takes the same time whatever the answer, null (nothing to compare with) included.</summary>
    private bool Verify(StationCredentials? credentials, ReadOnlySpan<byte> secretUtf8)
    {
        var previous = credentials?.PreviousUntil > time.GetUtcNow().UtcDateTime ? credentials.Previous : null;

        // Always two derivations, of a decoy where there is nothing to compare with: the time taken tells neither whether the station exists nor whether it is
        // in the middle of a rotation.
        var isCurrent = (credentials?.Current ?? StationSecret.Decoy).Verify(secretUtf8) & credentials is not null;
        var isPrevious = (previous ?? StationSecret.Decoy).Verify(secretUtf8) & previous is not null;
        if (credentials is not null && (isCurrent | isPrevious))
        {
            credentials.LastUse = isCurrent ? SecretUse.Current : SecretUse.Previous;
        }

        if (isCurrent)
        {
            instruments.LoginAccepted();
        }
        else if (isPrevious)
        {
            instruments.LoginAcceptedWithPreviousSecret();
        }
        else
        {
            instruments.LoginRefused();
        }

        return isCurrent | isPrevious;
    }

    public bool TryResolve(int stationId, ReadOnlySpan<byte> sensorUtf8, Quantity quantity, int periodSeconds, out int datastream)
    {
        ArgumentNullException.ThrowIfNull(quantity);
        datastream = 0;
        return snapshot.TryGet(stationId, out var entry)
            && entry!.State is { IsRemoved: false } state
            && state.Datastreams.TryFind(sensorUtf8, quantity, periodSeconds, out datastream);
    }

    public async ValueTask<IReadOnlyList<StationLocation>> LocationsAsync(int stationId, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Locations.AsNoTracking()
            .Where(l => l.StationId == stationId)
            .OrderBy(l => l.Since).ThenBy(l => l.Id)
            .Select(l => new StationLocation(l.Since, l.Latitude, l.Longitude))
            .ToListAsync(cancellationToken);
    }

    public async ValueTask<IReadOnlyList<StationPlace>> MovedAsync(CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Locations.AsNoTracking()
            .Where(l => database.Locations.Any(other => other.StationId == l.StationId && other.Id != l.Id))
            .OrderBy(l => l.Id)
            .Select(l => new StationPlace(l.Id, l.StationId, new StationLocation(l.Since, l.Latitude, l.Longitude)))
            .ToListAsync(cancellationToken);
    }

    /// <summary>Reads everything from the database: before anybody asks, and again when another program has changed it.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await change.WaitAsync(cancellationToken);
        try
        {
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var rows = await database.Stations.AsNoTracking().AsSplitQuery()
                .Include(s => s.Credentials)
                .Include(s => s.AdapterCredentials)
                .Include(s => s.Sensors).ThenInclude(s => s.Datastreams)
                .OrderBy(s => s.Id)
                .ToListAsync(cancellationToken);
            List<StationState> states = new(rows.Count);
            foreach (var row in rows)
            {
                var station = StationOf(row);
                List<Datastream> found = [];
                foreach (var sensor in row.Sensors)
                {
                    foreach (var datastream in sensor.Datastreams)
                    {
                        if (QuantityCatalogue.TryGet(datastream.Property, out var quantity))
                        {
                            found.Add(new Datastream(datastream.Id, station, sensor.Name, quantity, TimeSpan.FromSeconds(datastream.PeriodSeconds)));
                        }
                        else
                        {
                            LogUnknownQuantity(datastream.Id, datastream.Property);
                        }
                    }
                }

                found.ForEach(Publish);
                var credentials = row.RemovedAt is null ? StationCredentials.Of(row.Credentials) : null;
                if (credentials is not null && snapshot.TryGet(row.Id, out var before) && before!.State.Credentials is { } held && held.CurrentHash == credentials.CurrentHash)
                {
                    credentials = credentials with { UsedBefore = held.UsedBefore };
                    credentials.LastUse = held.LastUse;
                }

                states.Add(new StationState(station, credentials, DatastreamTable.Of(found))
                {
                    Adapters = row.AdapterCredentials.GroupBy(c => c.Adapter, StringComparer.Ordinal).ToDictionary(c => c.Key, StationCredentials.Of, StringComparer.Ordinal),
                });
            }

            snapshot = StationSnapshot.Of(states);
        }
        finally
        {
            change.Release();
        }

        LogLoaded(snapshot.All.Count, datastreamCount);
        RaiseChanged();
    }

    public void Dispose() => change.Dispose();

    private static Station StationOf(StationRow row) =>
        new(row.Id, row.Municipality, row.Slug, row.Name, row.Latitude, row.Longitude, row.Public, row.Attribution) { Tags = TagList.Parse(row.Tags) };

    /// <summary>Makes a datastream visible by identifier; under the change lock.</summary>
    private void Publish(Datastream datastream)
    {
        var slots = datastreams;
        if (datastream.Id >= slots.Length)
        {
            var larger = new Datastream?[Math.Max(slots.Length * 2, datastream.Id + 1)];
            slots.CopyTo(larger, 0);
            Volatile.Write(ref datastreams, larger);
            slots = larger;
        }

        if (slots[datastream.Id] is null)
        {
            Volatile.Write(ref datastreamCount, datastreamCount + 1);
        }

        Volatile.Write(ref slots[datastream.Id], datastream);
    }

    private void RaiseChanged()
    {
        try
        {
            Changed?.Invoke();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogSubscriberFailed(exception);
        }
    }
}
