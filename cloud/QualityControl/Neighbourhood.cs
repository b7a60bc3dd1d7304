using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Stations;

namespace Hub.Cloud.QualityControl;

/// <summary>
/// Which datastreams are compared with which: by where stations stood at the time that is judged. Used by one worker; <see cref="ReadAsync"/> when stations change. An era is the time between two moves of
/// stations of a group; stations that are there now are there in all of them.
/// </summary>
internal sealed class Neighbourhood(IStations stations, IStationHistory history)
{
    private const string Humidity = "relative_humidity";

    /// <summary>Neighbours of a station in an era that are remembered, of one group.</summary>
    private const int RememberedMax = 100_000;

    /// <summary>Eras of a group whose witnesses are remembered: those of today and of late readings.</summary>
    private const int WitnessErasMax = ErasMax * 2;

    /// <summary>Past so many eras everybody of the group counts as a neighbour of somebody in one of them: more is judged, never less.</summary>
    private const int ErasMax = 8;

    private readonly Dictionary<(string Municipality, string Property), Group> _groups = [];
    private readonly Dictionary<(string Municipality, string Property), Group> _former = [];
    private Dictionary<int, Place[]> _places = [];
    private Dictionary<string, Station[]> _municipalities = [];

    /// <summary>What is known of places is read anew. Distances are measured again only where places changed.</summary>
    /// <returns>All places of the stations that have had more than one, in order of their numbers.</returns>
    public async ValueTask<IReadOnlyList<StationPlace>> ReadAsync(CancellationToken cancellationToken)
    {
        // Stations first: one that moves in between is in the history by then, and a place that is not in the history yet is not taken for the one it has always had.
        var all = stations.All;
        var moved = await history.MovedAsync(cancellationToken).ConfigureAwait(false);
        _places = moved.GroupBy(place => place.StationId).ToDictionary(
            station => station.Key,
            station => station.OrderBy(place => place.Location.Since).ThenBy(place => place.Number).Select(place => new Place(Instants.Micros(place.Location.Since), place.Location.Latitude, place.Location.Longitude)).ToArray());
        foreach (var station in all)
        {
            _places.TryAdd(station.Id, [new Place(long.MinValue, station.Latitude, station.Longitude)]);
        }

        foreach (var (key, group) in _groups)
        {
            _former[key] = group;
        }

        _groups.Clear();
        _municipalities = all.GroupBy(station => station.Municipality).ToDictionary(group => group.Key, group => group.ToArray());
        return moved;
    }

    /// <summary>Datastreams of a property in a municipality, in order.</summary>
    public IReadOnlyList<Datastream> Of(string municipality, string property) => GroupOf(municipality, property).Streams;

    /// <summary>A datastream with what it is compared with on a UTC day.</summary>
    public StreamPlace On(Datastream datastream, int day)
    {
        var group = GroupOf(datastream.Station.Municipality, datastream.Quantity.Id);
        var station = datastream.Station.Id;
        var (first, last) = (group.Era(Instants.Begin(day)), group.Era(Instants.Begin(day + 1) - 1));
        return new StreamPlace(
            datastream.Id,
            datastream.Quantity.Averaging,
            datastream.Sensor,
            group.Neighbours(station, first),
            [.. stations.DatastreamsOf(station).Where(other => other.Quantity.Id == Humidity).Select(other => other.Id).Order()],
            slug => Reference(group, datastream, slug))
        {
            Later = [.. Enumerable.Range(first + 1, last - first).Select(era => (group.Begin(era), group.Neighbours(station, era)))],
        };
    }

    /// <summary>Datastreams that have this one's station among their neighbours within a distance, metres, at any time from &lt;= time &lt;= to, microseconds since 1970 UTC.</summary>
    public IEnumerable<Datastream> Witnessed(Datastream datastream, double metres, long from, long to)
    {
        var group = GroupOf(datastream.Station.Municipality, datastream.Quantity.Id);
        var (first, last) = (group.Era(from), group.Era(to));
        return last - first >= ErasMax
            ? group.Streams.Where(other => other.Station.Id != datastream.Station.Id)
            : Enumerable.Range(first, last - first + 1).SelectMany(era => group.Witnesses(datastream.Station.Id, era)).Where(witness => witness.Metres <= metres).Select(witness => witness.Stream).DistinctBy(stream => stream.Id);
    }

    /// <summary>Datastreams of a property in a municipality whose station ever stood within a distance, metres, of a point: whoever may have it, or have had it, for a neighbour.</summary>
    public IEnumerable<Datastream> Near(string municipality, string property, double latitude, double longitude, double metres) =>
        GroupOf(municipality, property).Streams.Where(
            stream => _places.TryGetValue(stream.Station.Id, out var places) && places.Any(place => Distance.Metres(place.Latitude, place.Longitude, latitude, longitude) <= metres));

    /// <summary>Other datastreams of the station, when this one measures the humidity that they depend on.</summary>
    public IEnumerable<Datastream> Moistened(Datastream datastream) =>
        datastream.Quantity.Id == Humidity ? stations.DatastreamsOf(datastream.Station.Id).Where(other => other.Quantity.Id != Humidity) : [];

    private static int? Reference(Group group, Datastream datastream, string slug) =>
        datastream.Station.Slug == slug ? null : group.Streams.Where(other => other.Station.Slug == slug).Select(other => (int?)other.Id).FirstOrDefault();

    private Group GroupOf(string municipality, string property)
    {
        if (_groups.TryGetValue((municipality, property), out var known))
        {
            return known;
        }

        Datastream[] streams =
        [
            .. _municipalities.GetValueOrDefault(municipality, []).SelectMany(station => stations.DatastreamsOf(station.Id)).Where(stream => stream.Quantity.Id == property).OrderBy(stream => stream.Id),
        ];
        Member[] members = [.. streams.GroupBy(stream => stream.Station.Id).Select(station => new Member(station.Key, [.. station.Select(stream => stream.Id)], _places[station.Key]))];
        return _groups[(municipality, property)] = _former.Remove((municipality, property), out var former) && former.IsOf(members) ? former.With(streams) : new Group(streams, members);
    }

    /// <summary>Where a station stood from an instant on, microseconds since 1970 UTC; the first place also before.</summary>
    private readonly record struct Place(long Since, double Latitude, double Longitude);

    /// <summary>A station of a group.</summary>
    private sealed record Member(int Station, IReadOnlyList<int> Datastreams, Place[] Places)
    {
        public Place At(long time)
        {
            var at = Places.Length - 1;
            while (at > 0 && Places[at].Since > time)
            {
                at--;
            }

            return Places[at];
        }

        public bool IsAs(Member other) => Station == other.Station && Datastreams.SequenceEqual(other.Datastreams) && Places.AsSpan().SequenceEqual(other.Places);
    }

    /// <summary>Datastreams of one property in one municipality.</summary>
    private sealed class Group(IReadOnlyList<Datastream> streams, Member[] members)
    {
        private readonly long[] _begins = [.. members.SelectMany(member => member.Places.Skip(1)).Select(place => place.Since).Distinct().Order()];
        private readonly Dictionary<int, ILookup<int, (Datastream Stream, double Metres)>> _witnesses = [];
        private Dictionary<(int Station, int Era), IReadOnlyList<(IReadOnlyList<int> Datastreams, double Metres)>> _neighbours = [];

        public IReadOnlyList<Datastream> Streams { get; } = streams;

        /// <summary>Number of the era of an instant.</summary>
        public int Era(long time)
        {
            var at = Array.BinarySearch(_begins, time);
            return at < 0 ? ~at : at + 1;
        }

        /// <summary>Begin of an era that is not the first.</summary>
        public long Begin(int era) => _begins[era - 1];

        public bool IsOf(Member[] others) => members.Length == others.Length && members.Zip(others).All(pair => pair.First.IsAs(pair.Second));

        public Group With(IReadOnlyList<Datastream> streams) => new(streams, members) { _neighbours = _neighbours };

        /// <summary>The nearest other stations in an era, nearest first; none for a station that is not there.</summary>
        public IReadOnlyList<(IReadOnlyList<int> Datastreams, double Metres)> Neighbours(int station, int era)
        {
            if (_neighbours.TryGetValue((station, era), out var known))
            {
                return known;
            }

            if (Array.Find(members, member => member.Station == station) is not { } own)
            {
                return [];
            }

            if (_neighbours.Count >= RememberedMax)
            {
                _neighbours.Clear();
            }

            var time = era == 0 ? long.MinValue : Begin(era);
            var place = own.At(time);
            return _neighbours[(station, era)] =
            [
                .. members.Where(other => other.Station != station).Select(other => (other.Datastreams, Metres: Apart(place, other.At(time)), other.Station))
                    .OrderBy(other => other.Metres).ThenBy(other => other.Station).Take(SpikeCheck.NeighboursMax).Select(other => (other.Datastreams, other.Metres)),
            ];
        }

        /// <summary>Datastreams that have a station among their neighbours in an era: whoever is asked for every change cannot look through all neighbours of everybody each time.</summary>
        public IEnumerable<(Datastream Stream, double Metres)> Witnesses(int station, int era)
        {
            if (!_witnesses.TryGetValue(era, out var known))
            {
                if (_witnesses.Count >= WitnessErasMax)
                {
                    _witnesses.Clear();
                }

                var stationOf = members.SelectMany(member => member.Datastreams, (member, id) => (id, member.Station)).ToDictionary(pair => pair.id, pair => pair.Station);
                _witnesses[era] = known = Streams
                    .SelectMany(stream => Neighbours(stream.Station.Id, era), (stream, neighbour) => (Station: stationOf[neighbour.Datastreams[0]], Witness: (stream, neighbour.Metres)))
                    .ToLookup(pair => pair.Station, pair => pair.Witness);
            }

            return known[station];
        }

        private static double Apart(Place one, Place other) => Distance.Metres(one.Latitude, one.Longitude, other.Latitude, other.Longitude);
    }
}
