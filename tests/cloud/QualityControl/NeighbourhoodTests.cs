using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Stations;

namespace Hub.Cloud.QualityControl.Tests;

public sealed class NeighbourhoodTests
{
    private static readonly int Day = Instants.Day(Instants.Micros(QualityBench.T0));

    private static readonly long Noon = Instants.Begin(Day) + (12 * Instants.PerHour);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Neighbours_are_other_stations_with_the_same_property_nearest_first()
    {
        var stations = new FakeStations();
        stations.Add(1, "a", "pm10", "sds011");
        stations.Add(2, "a", "pm10", "sps30");
        stations.Add(3, "c", "pm10", "sds011", 900);
        stations.Add(4, "b", "pm10", "sds011", -300);
        stations.Add(5, "d", "pm2_5", "sds011", 100);
        stations.Add(6, "b", "relative_humidity", "bme280");
        stations.Add(7, "b", "pm10", "sps30");
        var places = new Neighbourhood(stations, stations);
        await places.ReadAsync(Cancel);
        var place = places.On(stations.DatastreamsOf(1)[0], Day);
        Assert.Equal([[4, 7], [3]], place.Neighbours.Select(neighbour => neighbour.Datastreams));
        Assert.Equal([300, 900], place.Neighbours.Select(neighbour => Math.Round(neighbour.Metres)));
        Assert.Empty(place.Humidity);
        Assert.Equal([6], places.On(stations.DatastreamsOf(3)[0], Day).Humidity);
        Assert.Equal(3, place.Reference("c"));
        Assert.Null(place.Reference("a"));
        Assert.Null(place.Reference("nowhere"));
        Assert.Equal([1, 2], places.Witnessed(stations.DatastreamsOf(3)[0], 500, Noon, Noon).Select(stream => stream.Id).Order());
        Assert.Equal([4, 7], places.Moistened(stations.DatastreamsOf(3)[1]).Select(stream => stream.Id).Order());
        Assert.Empty(places.Moistened(stations.DatastreamsOf(3)[0]));

        // What is new is seen once it is told.
        stations.Add(8, "e", "pm10", "sds011", 100);
        Assert.Equal(2, places.On(stations.DatastreamsOf(1)[0], Day).Neighbours.Count);
        await places.ReadAsync(Cancel);
        Assert.Equal([[8], [4, 7], [3]], places.On(stations.DatastreamsOf(1)[0], Day).Neighbours.Select(neighbour => neighbour.Datastreams));
        await places.ReadAsync(Cancel);
        Assert.Equal(3, places.On(stations.DatastreamsOf(1)[0], Day).Neighbours.Count);
    }

    [Fact]
    public async Task Only_the_nearest_sixteen_count()
    {
        var stations = new FakeStations();
        for (var id = 1; id <= 30; id++)
        {
            stations.Add(id, $"s{id}", "pm10", "sds011", id * 10);
        }

        var places = new Neighbourhood(stations, stations);
        await places.ReadAsync(Cancel);
        var neighbours = places.On(stations.DatastreamsOf(1)[0], Day).Neighbours;
        Assert.Equal(Enumerable.Range(2, 16), neighbours.Select(neighbour => Assert.Single(neighbour.Datastreams)));
    }

    [Fact]
    public async Task Neighbours_are_those_that_stood_there_at_the_time()
    {
        var stations = new FakeStations();
        foreach (var (id, station, metres) in new[] { (1, "a", 0), (2, "b", 300), (3, "c", 900), (4, "d", 20_000) })
        {
            stations.Add(id, station, "pm10", "sds011", metres);
        }

        // The nearest goes far away on the second day at noon; the day after the far one comes, at midnight; then the first goes where it was and back.
        stations.Move("b", 30_000, QualityBench.T0.AddHours(36));
        stations.Move("d", 100, QualityBench.T0.AddHours(48));
        var places = new Neighbourhood(stations, stations);
        await places.ReadAsync(Cancel);
        var own = stations.DatastreamsOf(1)[0];
        Assert.Equal([2, 3, 4], Ids(places.On(own, Day).Neighbours));
        Assert.Empty(places.On(own, Day).Later);
        var second = places.On(own, Day + 1);
        Assert.Equal([2, 3, 4], Ids(second.Neighbours));
        Assert.Equal((Instants.Micros(QualityBench.T0.AddHours(36)), "3 4 2"), second.Later.Select(later => (later.From, string.Join(' ', Ids(later.Neighbours)))).Single());
        Assert.Equal([4, 3, 2], Ids(places.On(own, Day + 2).Neighbours));
        Assert.Empty(places.On(own, Day + 2).Later);
        Assert.Equal([2, 3, 4], Ids(places.On(own, Day - 400).Neighbours));

        // Who had or has it, by the time asked about.
        var (b, d) = (stations.DatastreamsOf(2)[0], stations.DatastreamsOf(4)[0]);
        Assert.Equal([1, 3], Witnesses(b, 0, 35));
        Assert.Equal([1, 3], Witnesses(b, 0, 400));
        Assert.Empty(Witnesses(b, 36, 400));
        Assert.Empty(Witnesses(d, 0, 47));
        Assert.Equal([1, 3], Witnesses(d, 47, 48));
        Assert.Equal([1, 2, 3, 4], places.Near("braga", "pm10", own.Station.Latitude, own.Station.Longitude, 1_000).Select(stream => stream.Id).Order());
        Assert.Equal([1, 2, 3], places.Near("braga", "pm10", own.Station.Latitude, own.Station.Longitude, 99).Concat([b, stations.DatastreamsOf(3)[0]]).Select(stream => stream.Id).Distinct().Order());

        // After many moves within the time asked about everybody counts.
        for (var move = 0; move < 10; move++)
        {
            stations.Move("c", 900 + move, QualityBench.T0.AddHours(100 + move));
        }

        await places.ReadAsync(Cancel);
        Assert.Equal([1, 3, 4], Witnesses(b, 90, 400));
        Assert.Empty(Witnesses(b, 36, 100));
        Assert.Equal(10, places.On(own, Day + 4).Later.Count);

        List<int> Witnesses(Datastream stream, int fromHour, int toHour) =>
            [.. places.Witnessed(stream, 1_000, Instants.Begin(Day) + (fromHour * Instants.PerHour), Instants.Begin(Day) + (toHour * Instants.PerHour)).Select(other => other.Id).Order()];

        static List<int> Ids(IReadOnlyList<(IReadOnlyList<int> Datastreams, double Metres)> neighbours) => [.. neighbours.Select(neighbour => Assert.Single(neighbour.Datastreams))];
    }
}
