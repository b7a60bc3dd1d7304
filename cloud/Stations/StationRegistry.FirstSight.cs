using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Text;
using Hub.Edge.Contract.Quantities;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Stations;

/// <summary>Datastreams that are seen for the first time. Many come at once when a town's stations are switched on, so all that wait are stored together.</summary>
internal sealed partial class StationRegistry
{
    /// <summary>Datastreams stored in one transaction at most: a fraction of a second in which nothing else changes.</summary>
    private const int FirstSightsAtOnce = 500;

    private readonly ConcurrentQueue<FirstSight> firstSights = new();

    public async ValueTask<int> ResolveAsync(int stationId, string sensor, Quantity quantity, int periodSeconds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sensor);
        ArgumentNullException.ThrowIfNull(quantity);
        StationRules.Sensor(sensor);
        ArgumentOutOfRangeException.ThrowIfNegative(periodSeconds);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(periodSeconds, StationRules.PeriodSecondsMax);
        if (TryResolve(stationId, Encoding.UTF8.GetBytes(sensor), quantity, periodSeconds, out var known))
        {
            return known;
        }

        var sight = new FirstSight(new DatastreamKey(stationId, sensor, quantity, periodSeconds));
        firstSights.Enqueue(sight);
        try
        {
            await change.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            sight.IsAbandoned = true;
            throw;
        }

        var created = 0;
        try
        {
            // Whoever had its turn before may have settled it; who has it now settles what others wait for, and so is not broken off.
            while (!sight.IsSettled)
            {
                created += await SettleAsync();
            }
        }
        finally
        {
            change.Release();
        }

        if (created > 0)
        {
            RaiseChanged();
        }

        return sight.Result();
    }

    /// <summary>Settles the first of those that wait, every one that it takes; under the change lock.</summary>
    /// <returns>Number of datastreams created.</returns>
    private async Task<int> SettleAsync()
    {
        var taken = new List<FirstSight>();
        try
        {
            return await SettleAsync(taken);
        }
#pragma warning disable CA1031 // It belongs to all who wait for one of these.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            taken.FindAll(static sight => !sight.IsSettled).ForEach(sight => sight.Fail(exception));
            return 0;
        }
    }

    private async Task<int> SettleAsync(List<FirstSight> taken)
    {
        var fresh = new Dictionary<DatastreamKey, List<FirstSight>>();
        while (fresh.Count < FirstSightsAtOnce && firstSights.TryDequeue(out var sight))
        {
            if (sight.IsAbandoned)
            {
                continue;
            }

            taken.Add(sight);
            var key = sight.Key;
            if (TryResolve(key.StationId, Encoding.UTF8.GetBytes(key.Sensor), key.Quantity, key.PeriodSeconds, out var known))
            {
                sight.Settle(known);
            }
            else if (fresh.TryGetValue(key, out var same))
            {
                same.Add(sight);
            }
            else if (RefusalOf(key, fresh.Keys) is { } refusal)
            {
                sight.Fail(refusal);
            }
            else
            {
                fresh.Add(key, [sight]);
            }
        }

        if (fresh.Count == 0)
        {
            return 0;
        }

        var stored = await StoreDatastreamsAsync(fresh.Keys);
        foreach (var (key, same) in fresh)
        {
            Add(stored[key], key);
            same.ForEach(sight => sight.Settle(stored[key]));
        }

        return fresh.Count;
    }

    private Exception? RefusalOf(DatastreamKey key, IReadOnlyCollection<DatastreamKey> alsoNew)
    {
        if (!snapshot.TryGet(key.StationId, out var entry) || entry!.State.IsRemoved)
        {
            return NoStation(key.StationId);
        }

        var state = entry.State;
        if (state.Datastreams.Count + alsoNew.Count(other => other.StationId == key.StationId) < options.DatastreamsMax)
        {
            return null;
        }

        instruments.DatastreamRefused();
        return new StationLimitException(
            $"Station {state.Station.Municipality}/{state.Station.Slug} has reached its limit of {options.DatastreamsMax} datastreams ({StationsOptions.Section}:{nameof(StationsOptions.DatastreamsMax)}).");
    }

    private void Add(int id, DatastreamKey key)
    {
        var entry = Live(key.StationId);
        var state = entry.State;
        var datastream = new Datastream(id, state.Station, key.Sensor, key.Quantity, TimeSpan.FromSeconds(key.PeriodSeconds));
        Publish(datastream);
        entry.State = state with { Datastreams = state.Datastreams.With(datastream) };
        instruments.DatastreamCreated();
        LogDatastreamCreated(id, state.Station.Municipality, state.Station.Slug, key.Sensor, key.Quantity.Id, key.PeriodSeconds);
    }

    /// <summary>Finds or adds the rows. Two processes with one database may do this at once: the unique indexes let one of them win, and the other finds its rows.</summary>
    private async Task<Dictionary<DatastreamKey, int>> StoreDatastreamsAsync(IReadOnlyCollection<DatastreamKey> keys)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var database = await databases.CreateDbContextAsync(CancellationToken.None);
            int[] stations = [.. keys.Select(static key => key.StationId).Distinct()];
            string[] names = [.. keys.Select(static key => key.Sensor).Distinct()];
            var sensors = (await database.Sensors.Where(s => stations.Contains(s.StationId) && names.Contains(s.Name)).ToListAsync()).ToDictionary(static s => (s.StationId, s.Name));
            int[] sensorIds = [.. sensors.Values.Select(static s => s.Id)];
            var rows = (await database.Datastreams.Where(d => sensorIds.Contains(d.SensorId)).ToListAsync()).ToDictionary(static d => (d.SensorId, d.Property, d.PeriodSeconds));
            var found = new Dictionary<DatastreamKey, DatastreamRow>();
            foreach (var key in keys)
            {
                if (!sensors.TryGetValue((key.StationId, key.Sensor), out var sensor))
                {
                    sensor = new SensorRow { StationId = key.StationId, Name = key.Sensor };
                    sensors.Add((key.StationId, key.Sensor), sensor);
                    database.Sensors.Add(sensor);
                }

                if (sensor.Id == 0 || !rows.TryGetValue((sensor.Id, key.Quantity.Id, key.PeriodSeconds), out var row))
                {
                    row = new DatastreamRow { Property = key.Quantity.Id, PeriodSeconds = key.PeriodSeconds, FirstSeenAt = time.GetUtcNow().UtcDateTime };
                    sensor.Datastreams.Add(row);
                }

                found.Add(key, row);
            }

            try
            {
                await database.SaveChangesAsync();
                return found.ToDictionary(static pair => pair.Key, static pair => pair.Value.Id);
            }
            catch (DbUpdateException) when (attempt < 3)
            {
                // Lost the race: look again.
            }
        }
    }

    /// <summary>What tells a datastream apart.</summary>
    private readonly record struct DatastreamKey(int StationId, string Sensor, Quantity Quantity, int PeriodSeconds);

    /// <summary>One caller that waits for a datastream. Settled under the change lock.</summary>
    private sealed class FirstSight(DatastreamKey key)
    {
        private int _id;
        private ExceptionDispatchInfo? _error;

        public DatastreamKey Key { get; } = key;

        /// <summary>Its caller has gone.</summary>
        public volatile bool IsAbandoned;

        public bool IsSettled => _id != 0 || _error is not null;

        public void Settle(int id) => _id = id;

        public void Fail(Exception error) => _error = ExceptionDispatchInfo.Capture(error);

        public int Result()
        {
            _error?.Throw();
            return _id;
        }
    }
}
