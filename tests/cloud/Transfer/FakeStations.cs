using System.Diagnostics.CodeAnalysis;
using System.Text;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Transfer.Tests;

/// <summary>Stations in memory: just enough of the seam for transfers.</summary>
internal sealed class FakeStations : IStations
{
    private readonly Dictionary<(string, string), Station> _stations = [];
    private readonly Dictionary<(int, string, string, int), Datastream> _datastreams = [];

    public event Action? Changed
    {
        add { }
        remove { }
    }

    /// <summary>Most datastreams of all stations together.</summary>
    public int DatastreamsMax { get; set; } = 100_000;

    public IReadOnlyList<Station> All => [.. _stations.Values];

    public IReadOnlyCollection<Datastream> Datastreams => _datastreams.Values;

    public static FakeStations With(params string[] names)
    {
        var stations = new FakeStations();
        foreach (var name in names)
        {
            stations.Add(name);
        }

        return stations;
    }

    public Station Add(string name)
    {
        var parts = name.Split('/');
        var station = new Station(_stations.Count + 1, parts[0], parts[1], name, 41.5, -8.4, true, "");
        _stations.Add((parts[0], parts[1]), station);
        return station;
    }

    /// <summary>A datastream by its names; null when nothing has made it.</summary>
    public Datastream? Find(string station, string sensor, string property, int period) =>
        _datastreams.Values.SingleOrDefault(d => $"{d.Station.Municipality}/{d.Station.Slug}" == station && d.Sensor == sensor && d.Quantity.Id == property && d.Period == TimeSpan.FromSeconds(period));

    public IReadOnlyList<Datastream> DatastreamsOf(int stationId) => [.. _datastreams.Values.Where(d => d.Station.Id == stationId)];

    public bool TryGet(string municipality, string station, [NotNullWhen(true)] out Station? found) => _stations.TryGetValue((municipality, station), out found);

    public bool TryGetDatastream(int id, [NotNullWhen(true)] out Datastream? found)
    {
        found = _datastreams.Values.FirstOrDefault(d => d.Id == id);
        return found is not null;
    }

    public bool TryResolve(int stationId, ReadOnlySpan<byte> sensorUtf8, Quantity quantity, int periodSeconds, out int datastream)
    {
        var known = _datastreams.TryGetValue((stationId, Encoding.UTF8.GetString(sensorUtf8), quantity.Id, periodSeconds), out var found);
        datastream = found?.Id ?? 0;
        return known;
    }

    public ValueTask<int> ResolveAsync(int stationId, string sensor, Quantity quantity, int periodSeconds, CancellationToken cancellationToken)
    {
        var key = (stationId, sensor, quantity.Id, periodSeconds);
        if (!_datastreams.TryGetValue(key, out var found))
        {
            if (_datastreams.Count >= DatastreamsMax)
            {
                throw new StationLimitException($"The station has its limit of {DatastreamsMax} datastreams.");
            }

            found = new Datastream(_datastreams.Count + 1, _stations.Values.Single(s => s.Id == stationId), sensor, quantity, TimeSpan.FromSeconds(periodSeconds));
            _datastreams.Add(key, found);
        }

        return ValueTask.FromResult(found.Id);
    }

    public bool Authenticate(string municipality, string station, ReadOnlySpan<byte> secretUtf8, [NotNullWhen(true)] out Station? authenticated) => throw new NotSupportedException();

    public ValueTask<(Station Station, string Secret)> RegisterAsync(StationRegistration registration, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<string> RotateSecretAsync(int stationId, TimeSpan overlap, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> UpdateAsync(Station changed, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> TagAsync(int stationId, IReadOnlyList<string> tags, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask RemoveAsync(int stationId, CancellationToken cancellationToken) => throw new NotSupportedException();
}
