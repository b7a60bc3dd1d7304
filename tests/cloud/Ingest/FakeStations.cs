using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>Stations in memory: just enough of the seam for the ingest stage.</summary>
internal sealed class FakeStations : IStations, IAdapterSecrets
{
    private readonly ConcurrentDictionary<(int Station, string Adapter), byte[]> _adapters = new();
    private readonly ConcurrentDictionary<(string, string), (Station Station, byte[] Secret)> _stations = new();
    private readonly ConcurrentDictionary<(int, string, string, int), int> _datastreams = new();
    private readonly Lock _gate = new();
    private int _nextStation;
    private int _nextDatastream;

    public event Action? Changed;

    /// <summary>Most datastreams of all stations together.</summary>
    public int DatastreamsMax { get; set; } = 100_000;

    /// <summary>While set, no datastream can be created.</summary>
    public Exception? ResolveFailure { get; set; }

    /// <summary>All datastreams: station, sensor, property, period and identifier.</summary>
    public IEnumerable<(int Station, string Sensor, string Property, int Period, int Id)> Datastreams => _datastreams.Select(d => (d.Key.Item1, d.Key.Item2, d.Key.Item3, d.Key.Item4, d.Value));

    public void AddAdapter(Station station, string adapter, string secret) => _adapters[(station.Id, adapter)] = Encoding.UTF8.GetBytes(secret);

    public bool Authenticate(string municipality, string station, string adapter, ReadOnlySpan<byte> secretUtf8, [NotNullWhen(true)] out Station? authenticated)
    {
        authenticated = TryGet(municipality, station, out var found) && _adapters.TryGetValue((found.Id, adapter), out var secret) && CryptographicOperations.FixedTimeEquals(secret, secretUtf8) ? found : null;
        return authenticated is not null;
    }

    public IReadOnlyList<string> AdaptersOf(int stationId) => throw new NotSupportedException();

    public ValueTask<string> IssueAsync(int stationId, string adapter, TimeSpan overlap, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<bool> RevokeAsync(int stationId, string adapter, CancellationToken cancellationToken) => throw new NotSupportedException();

    public int DatastreamCount => _datastreams.Count;

    public IReadOnlyList<Station> All => [.. _stations.Values.Select(s => s.Station)];

    public Station Add(string municipality, string slug, string secret)
    {
        var station = new Station(Interlocked.Increment(ref _nextStation), municipality, slug, slug, 41.5, -8.4, true, "");
        _stations[(municipality, slug)] = (station, Encoding.UTF8.GetBytes(secret));
        Changed?.Invoke();
        return station;
    }

    public int Datastream(Station station, string sensor, string quantity, int period = 0) => _datastreams[(station.Id, sensor, quantity, period)];

    public bool TryDatastream(Station station, string sensor, string quantity, out int id) => _datastreams.TryGetValue((station.Id, sensor, quantity, 0), out id);

    public bool TryGet(string municipality, string station, [NotNullWhen(true)] out Station? found)
    {
        found = _stations.TryGetValue((municipality, station), out var entry) ? entry.Station : null;
        return found is not null;
    }

    public bool Authenticate(string municipality, string station, ReadOnlySpan<byte> secretUtf8, [NotNullWhen(true)] out Station? authenticated)
    {
        authenticated = _stations.TryGetValue((municipality, station), out var entry) && CryptographicOperations.FixedTimeEquals(entry.Secret, secretUtf8) ? entry.Station : null;
        return authenticated is not null;
    }

    public bool TryResolve(int stationId, ReadOnlySpan<byte> sensorUtf8, Quantity quantity, int periodSeconds, out int datastream) =>
        _datastreams.TryGetValue((stationId, Encoding.UTF8.GetString(sensorUtf8), quantity.Id, periodSeconds), out datastream);

    public ValueTask<int> ResolveAsync(int stationId, string sensor, Quantity quantity, int periodSeconds, CancellationToken cancellationToken)
    {
        if (ResolveFailure is { } failure)
        {
            throw failure;
        }

        lock (_gate)
        {
            var key = (stationId, sensor, quantity.Id, periodSeconds);
            if (!_datastreams.TryGetValue(key, out var id))
            {
                if (_datastreams.Count >= DatastreamsMax)
                {
                    throw new StationLimitException($"The station has its limit of {DatastreamsMax} datastreams.");
                }

                id = _datastreams[key] = ++_nextDatastream;
            }

            return ValueTask.FromResult(id);
        }
    }

    public ValueTask RemoveAsync(int stationId, CancellationToken cancellationToken)
    {
        foreach (var (key, entry) in _stations)
        {
            if (entry.Station.Id == stationId)
            {
                _stations.TryRemove(key, out _);
            }
        }

        return ValueTask.CompletedTask;
    }

    public IReadOnlyList<Datastream> DatastreamsOf(int stationId) => throw new NotSupportedException();

    public bool TryGetDatastream(int id, [NotNullWhen(true)] out Datastream? found) => throw new NotSupportedException();

    public ValueTask<(Station Station, string Secret)> RegisterAsync(StationRegistration registration, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<string> RotateSecretAsync(int stationId, TimeSpan overlap, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> UpdateAsync(Station changed, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> TagAsync(int stationId, IReadOnlyList<string> tags, CancellationToken cancellationToken) => throw new NotSupportedException();
}
