using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;

namespace Hub.Cloud.Stations.Tests;

public sealed class RegistrationTests : IDisposable
{
    private readonly TempFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_registered_station_is_found_now_and_after_a_restart()
    {
        Station registered;
        await using (var host = await StationsHost.StartAsync(folder))
        {
            (registered, _) = await host.RegisterAsync();
            Assert.True(host.Stations.TryGet("braga", "centro", out var found));
            Assert.Equal(registered, found);
        }

        await using var again = await StationsHost.StartAsync(folder);
        Assert.True(again.Stations.TryGet("braga", "centro", out var reloaded));
        Assert.Equal(registered, reloaded);
        Assert.Equal([registered], again.Stations.All);
    }

    [Fact]
    public async Task The_same_slug_is_refused_in_one_municipality_and_taken_in_another()
    {
        await using var host = await StationsHost.StartAsync(folder);
        await host.RegisterAsync();
        await Assert.ThrowsAsync<StationConflictException>(() => host.RegisterAsync());
        await host.RegisterAsync("aveiro");
        Assert.Equal(["aveiro", "braga"], host.Stations.All.Select(s => s.Municipality));
    }

    [Theory]
    [InlineData("Braga", "centro", "Centro", 0, 0, "Municipality")]
    [InlineData("braga", "", "Centro", 0, 0, "Slug")]
    [InlineData("braga", "a/b", "Centro", 0, 0, "Slug")]
    [InlineData("braga", "+", "Centro", 0, 0, "Slug")]
    [InlineData("braga", "alarms", "Centro", 0, 0, "alarms")]
    [InlineData("braga", "centro", "  ", 0, 0, "Name")]
    [InlineData("braga", "centro", "a\nb", 0, 0, "Name")]
    [InlineData("braga", "centro", "Centro", 90.1, 0, "Latitude")]
    [InlineData("braga", "centro", "Centro", double.NaN, 0, "Latitude")]
    [InlineData("braga", "centro", "Centro", 0, -180.5, "Longitude")]
    public async Task A_field_that_breaks_its_rule_is_named(string municipality, string slug, string name, double latitude, double longitude, string named)
    {
        await using var host = await StationsHost.StartAsync(folder);
        var refused = await Assert.ThrowsAsync<ArgumentException>(async () =>
            await host.Stations.RegisterAsync(new StationRegistration(municipality, slug, name, latitude, longitude), Cancel));
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
        Assert.Empty(host.Stations.All);
    }

    [Fact]
    public async Task A_move_adds_a_place_with_its_time_and_a_new_name_does_not()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, _) = await host.RegisterAsync();
        host.Time.Advance(TimeSpan.FromDays(1));
        station = await host.Stations.UpdateAsync(station with { Name = "Centro histórico", Public = false }, Cancel);
        host.Time.Advance(TimeSpan.FromDays(1));
        var moved = await host.Stations.UpdateAsync(station with { Latitude = 41.56 }, Cancel);
        Assert.True(host.Stations.TryGet("braga", "centro", out var found));
        Assert.Equal(moved, found);
        Assert.False(found.Public);
        Assert.Equal(
            [
                new StationLocation(new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc), 41.55, -8.42),
                new StationLocation(new DateTime(2026, 3, 3, 12, 0, 0, DateTimeKind.Utc), 41.56, -8.42),
            ],
            await host.History.LocationsAsync(station.Id, Cancel));

        // Those that moved, by the number in which it was told; one that never did is not among them.
        await host.RegisterAsync(slug: "norte");
        var places = await host.History.MovedAsync(Cancel);
        Assert.Equal(await host.History.LocationsAsync(station.Id, Cancel), places.Select(place => place.Location));
        Assert.All(places, place => Assert.Equal(station.Id, place.StationId));
        await host.Stations.RemoveAsync(station.Id, Cancel);
        Assert.Equal(places, await host.History.MovedAsync(Cancel));
        Assert.True(0 < places[0].Number && places[0].Number < places[1].Number);
    }

    [Fact]
    public async Task Tags_are_kept_in_order_each_once_and_nothing_else_changes_with_them()
    {
        await using (var host = await StationsHost.StartAsync(folder))
        {
            var (station, _) = await host.RegisterAsync();
            var datastream = await host.Stations.ResolveAsync(station.Id, "air", StationsHost.Quantity("pm10"), 60, Cancel);
            Assert.Empty(station.Tags);
            await host.Stations.UpdateAsync(station with { Name = "Praça" }, Cancel);
            var changes = 0;
            host.Stations.Changed += () => changes++;
            var tagged = await host.Stations.TagAsync(station.Id, ["zona-mista", "a", "zona-mista"], Cancel);
            Assert.Equal(["a", "zona-mista"], tagged.Tags);
            Assert.Equal("Praça", tagged.Name);
            Assert.Equal((true, false, false), (tagged.HasTag("zona-mista"), tagged.HasTag("zona"), tagged.HasTag("Zona-Mista")));
            Assert.True(host.Stations.TryGetDatastream(datastream, out var found));
            Assert.True(found.Station.HasTag("a"));
            Assert.Equal(tagged, await host.Stations.TagAsync(station.Id, ["a", "zona-mista"], Cancel));
            Assert.Equal(1, changes);
            Assert.NotEqual(tagged, tagged with { Tags = ["a"] });
            Assert.Equal(tagged, tagged with { Tags = ["zona-mista", "a"] });
            await Assert.ThrowsAsync<KeyNotFoundException>(async () => await host.Stations.TagAsync(99, [], Cancel));
        }

        await using var again = await StationsHost.StartAsync(folder);
        Assert.True(again.Stations.TryGet("braga", "centro", out var reloaded));
        Assert.Equal(["a", "zona-mista"], reloaded.Tags);
        Assert.Empty((await again.Stations.TagAsync(reloaded.Id, [], Cancel)).Tags);
        var (other, _) = await again.Stations.RegisterAsync(new StationRegistration("braga", "norte", "Norte", 41.5, -8.4) { Tags = ["b"] }, Cancel);
        Assert.Equal(["b"], other.Tags);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Zona")]
    [InlineData("-a")]
    [InlineData("a_b")]
    [InlineData("a,b")]
    [InlineData("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddx")]
    public async Task What_is_no_tag_is_refused(string tag)
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, _) = await host.RegisterAsync();
        Assert.Contains("Tags", (await Assert.ThrowsAsync<ArgumentException>(async () => await host.Stations.TagAsync(station.Id, [tag], Cancel))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.Stations.UpdateAsync(station with { Tags = [tag] }, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.Stations.RegisterAsync(new StationRegistration("braga", "norte", "Norte", 41.5, -8.4) { Tags = [tag] }, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.Stations.TagAsync(station.Id, [.. Enumerable.Range(0, 21).Select(i => $"t{i}")], Cancel));
        Assert.Empty(host.Stations.All.Single().Tags);
    }

    [Fact]
    public async Task The_name_on_the_wire_cannot_change()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, _) = await host.RegisterAsync();
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.Stations.UpdateAsync(station with { Slug = "outro" }, Cancel));
    }

    [Fact]
    public async Task A_removed_station_is_gone_and_its_datastreams_stay_for_history()
    {
        int datastream;
        await using (var host = await StationsHost.StartAsync(folder))
        {
            var (station, secret) = await host.RegisterAsync();
            datastream = await host.Stations.ResolveAsync(station.Id, "air", StationsHost.Quantity("pm10"), 60, Cancel);
            await host.Stations.RemoveAsync(station.Id, Cancel);
            AssertGone(host, station, secret, datastream);
            await Assert.ThrowsAsync<KeyNotFoundException>(async () => await host.Stations.ResolveAsync(station.Id, "air", StationsHost.Quantity("pm10"), 60, Cancel));

            // The slug is free again, for a station that inherits nothing.
            var (successor, _) = await host.RegisterAsync();
            Assert.NotEqual(station.Id, successor.Id);
            Assert.Empty(host.Stations.DatastreamsOf(successor.Id));
            await host.Stations.RemoveAsync(successor.Id, Cancel);
        }

        await using var again = await StationsHost.StartAsync(folder);
        Assert.Empty(again.Stations.All);
        Assert.True(again.Stations.TryGetDatastream(datastream, out var kept));
        Assert.Equal("pm10", kept.Quantity.Id);
    }

    [Fact]
    public async Task Every_change_is_announced_and_a_subscriber_that_fails_breaks_nothing()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var changes = 0;
        host.Stations.Changed += () => changes++;
        host.Stations.Changed += () => throw new InvalidOperationException("subscriber");
        var (station, _) = await host.RegisterAsync();
        await host.Stations.ResolveAsync(station.Id, "air", StationsHost.Quantity("pm10"), 60, Cancel);
        await host.Stations.UpdateAsync(station with { Name = "Outro" }, Cancel);
        await host.Stations.RemoveAsync(station.Id, Cancel);
        Assert.Equal(4, changes);
    }

    [Fact]
    public async Task The_limit_of_stations_holds()
    {
        await using var host = await StationsHost.StartAsync(folder, null, ("Hub:Stations:StationsMax", "1"));
        await host.RegisterAsync();
        await Assert.ThrowsAsync<StationLimitException>(() => host.RegisterAsync(slug: "outro"));
    }

    private static void AssertGone(StationsHost host, Station station, string secret, int datastream)
    {
        Assert.False(host.Stations.TryGet("braga", "centro", out _));
        Assert.False(host.Stations.Authenticate("braga", "centro", System.Text.Encoding.UTF8.GetBytes(secret), out _));
        Assert.False(host.Stations.TryResolve(station.Id, "air"u8, StationsHost.Quantity("pm10"), 60, out _));
        Assert.True(host.Stations.TryGetDatastream(datastream, out _));
        Assert.Single(host.Stations.DatastreamsOf(station.Id));
        Assert.Empty(host.Credentials.Current);
    }
}
