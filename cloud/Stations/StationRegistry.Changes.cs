using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Stations;

internal sealed partial class StationRegistry
{
    public async ValueTask<(Station Station, string Secret)> RegisterAsync(StationRegistration registration, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(registration);
        StationRules.Check(registration.Municipality, registration.Slug, registration.Name, registration.Latitude, registration.Longitude, registration.Attribution);
        StationTags.Check(registration.Tags);
        var secret = StationSecret.Generate();
        Station station;
        await change.WaitAsync(cancellationToken);
        try
        {
            if (snapshot.TryGet(registration.Municipality, registration.Slug, out _))
            {
                throw Conflict(registration);
            }

            if (snapshot.All.Count >= options.StationsMax)
            {
                throw new StationLimitException(
                    $"The hub has reached its limit of {options.StationsMax} stations ({StationsOptions.Section}:{nameof(StationsOptions.StationsMax)}).");
            }

            var now = time.GetUtcNow().UtcDateTime;
            var row = new StationRow
            {
                Municipality = registration.Municipality,
                Slug = registration.Slug,
                Name = registration.Name,
                Latitude = registration.Latitude,
                Longitude = registration.Longitude,
                Public = registration.Public,
                Attribution = registration.Attribution,
                Tags = TagList.Of(registration.Tags).ToString(),
                RegisteredAt = now,
            };
            row.Locations.Add(new LocationRow { Since = now, Latitude = registration.Latitude, Longitude = registration.Longitude });
            row.Credentials.Add(new CredentialRow { Hash = StationSecret.Hash(secret), CreatedAt = now });
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            database.Stations.Add(row);
            try
            {
                await database.SaveChangesAsync(cancellationToken);
            }
            catch (DbUpdateException) when (SlugIsStored(registration))
            {
                // Another process with the same database was faster.
                throw Conflict(registration);
            }

            station = StationOf(row);
            snapshot = snapshot.With(new StationState(station, StationCredentials.Of(row.Credentials), DatastreamTable.Empty));
        }
        finally
        {
            change.Release();
        }

        LogRegistered(station.Municipality, station.Slug);
        RaiseChanged();
        return (station, secret);
    }

    public async ValueTask<string> RotateSecretAsync(int stationId, TimeSpan overlap, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(overlap, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(overlap, StationRules.OverlapMax);
        var secret = StationSecret.Generate();
        await change.WaitAsync(cancellationToken);
        try
        {
            var entry = Live(stationId);
            var now = time.GetUtcNow().UtcDateTime;
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var rows = await database.Set<CredentialRow>().Where(c => c.StationId == stationId).OrderBy(c => c.Id).ToListAsync(cancellationToken);

            // One previous secret at most: rotating twice in a row ends the one before at once.
            database.RemoveRange(rows.Where(c => c.ValidUntil is not null));
            var previous = rows.Single(c => c.ValidUntil is null);
            previous.ValidUntil = now + overlap;
            var current = new CredentialRow { StationId = stationId, Hash = StationSecret.Hash(secret), CreatedAt = now };
            database.Add(current);
            await database.SaveChangesAsync(cancellationToken);
            var usedBefore = entry.State.Credentials is { LastUse: SecretUse.Current };
            entry.State = entry.State with { Credentials = StationCredentials.Of([previous, current]) with { UsedBefore = usedBefore } };
            LogRotated(entry.State.Station.Municipality, entry.State.Station.Slug, now + overlap);
        }
        finally
        {
            change.Release();
        }

        return secret;
    }

    public async ValueTask<Station> UpdateAsync(Station changed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changed);
        StationRules.Check(changed.Municipality, changed.Slug, changed.Name, changed.Latitude, changed.Longitude, changed.Attribution);
        StationTags.Check(changed.Tags);
        Station station;
        await change.WaitAsync(cancellationToken);
        try
        {
            var state = Live(changed.Id).State;
            if (state.Station.Municipality != changed.Municipality || state.Station.Slug != changed.Slug)
            {
                throw new ArgumentException("Municipality and Slug of a station cannot change: they are its name on the wire.", nameof(changed));
            }

            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var row = await database.Stations.SingleAsync(s => s.Id == changed.Id, cancellationToken);
            if (row.Latitude != changed.Latitude || row.Longitude != changed.Longitude)
            {
                row.Locations.Add(new LocationRow { Since = time.GetUtcNow().UtcDateTime, Latitude = changed.Latitude, Longitude = changed.Longitude });
            }

            row.Name = changed.Name;
            row.Latitude = changed.Latitude;
            row.Longitude = changed.Longitude;
            row.Public = changed.Public;
            row.Attribution = changed.Attribution;
            row.Tags = TagList.Of(changed.Tags).ToString();
            await database.SaveChangesAsync(cancellationToken);
            station = StationOf(row);
            Replace(state with { Station = station, Datastreams = state.Datastreams.At(station) });
        }
        finally
        {
            change.Release();
        }

        RaiseChanged();
        return station;
    }

    public async ValueTask<Station> TagAsync(int stationId, IReadOnlyList<string> tags, CancellationToken cancellationToken)
    {
        StationTags.Check(tags);
        Station station;
        await change.WaitAsync(cancellationToken);
        try
        {
            var state = Live(stationId).State;
            station = state.Station with { Tags = tags };
            if (station == state.Station)
            {
                return state.Station;
            }

            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var text = TagList.Of(station.Tags).ToString();
            await database.Stations.Where(s => s.Id == stationId).ExecuteUpdateAsync(set => set.SetProperty(s => s.Tags, text), cancellationToken);
            Replace(state with { Station = station, Datastreams = state.Datastreams.At(station) });
        }
        finally
        {
            change.Release();
        }

        RaiseChanged();
        return station;
    }

    public async ValueTask RemoveAsync(int stationId, CancellationToken cancellationToken)
    {
        await change.WaitAsync(cancellationToken);
        try
        {
            var state = Live(stationId).State;
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var row = await database.Stations.Include(s => s.Credentials).Include(s => s.AdapterCredentials).SingleAsync(s => s.Id == stationId, cancellationToken);
            row.RemovedAt = time.GetUtcNow().UtcDateTime;
            row.Credentials.Clear();
            row.AdapterCredentials.Clear();
            await database.SaveChangesAsync(cancellationToken);
            Replace(state with { Credentials = null, Adapters = new Dictionary<string, StationCredentials>() });
            LogRemoved(state.Station.Municipality, state.Station.Slug);
        }
        finally
        {
            change.Release();
        }

        RaiseChanged();
    }

    private static StationConflictException Conflict(StationRegistration registration) =>
        new($"There is a station {registration.Municipality}/{registration.Slug} already.");

    private StationEntry Live(int stationId) =>
        snapshot.TryGet(stationId, out var entry) && !entry!.State.IsRemoved
            ? entry
            : throw NoStation(stationId);

    private static KeyNotFoundException NoStation(int stationId) => new($"There is no station with the identifier {stationId}; it may have been removed.");

    private void Replace(StationState state)
    {
        foreach (var datastream in state.Datastreams.Ordered)
        {
            Publish(datastream);
        }

        snapshot = snapshot.With(state);
    }

    private bool SlugIsStored(StationRegistration registration)
    {
        using var database = databases.CreateDbContext();
        return database.Stations.Any(s => s.Municipality == registration.Municipality && s.Slug == registration.Slug && s.RemovedAt == null);
    }
}
