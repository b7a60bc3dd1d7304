using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

public sealed class QuarantineTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_station_keeps_its_newest_entries_and_its_neighbour_is_not_touched()
    {
        await using var host = await IngestHost.StartAsync(new() { ["Hub:Ingest:QuarantineEntriesMax"] = "5", ["Hub:Ingest:QuarantinePackEntriesMax"] = "5" });
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Noise, Packs.Bytes("neighbour")), Cancel);
        for (var i = 0; i < 12; i++)
        {
            await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Bytes($"bad {i}")), Cancel);
        }

        var kept = await host.Quarantine.ListAsync("braga", "air-1", null, null, 100, Cancel);
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"bad {11 - i}"), kept.Select(e => System.Text.Encoding.UTF8.GetString(e.Payload)));
        Assert.Single(await host.Quarantine.ListAsync("braga", "noise-1", null, null, 100, Cancel));
        Assert.Equal(13, host.Counters.Quarantined);
    }

    [Fact]
    public async Task A_station_keeps_no_more_bytes_than_its_share_over_a_restart_too()
    {
        using var folder = new TempFolder();
        var stations = new FakeStations();
        var station = stations.Add("braga", "air-1", IngestHost.Secret);
        var settings = new Dictionary<string, string?> { ["Hub:Ingest:QuarantineBytesMax"] = "1048576" };
        for (var run = 0; run < 2; run++)
        {
            await using var host = await IngestHost.StartAsync(settings, folder, stations: stations);
            for (var i = 0; i < 20; i++)
            {
                await host.Ingest.AcceptAsync(Packs.Arrived(station, Packs.Bytes($"{run} {i} " + new string('x', 65_000))), Cancel);
            }

            var kept = await host.Quarantine.ListAsync(null, null, null, null, 1000, Cancel);
            Assert.InRange(kept.Sum(e => (long)e.Payload.Length), 15 * 65_000, 1_048_576);
            Assert.StartsWith($"{run} 19 ", System.Text.Encoding.UTF8.GetString(kept[0].Payload), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Unknown_stations_share_one_limit_however_many_names_they_have()
    {
        await using var host = await IngestHost.StartAsync(new() { ["Hub:Ingest:QuarantineEntriesMax"] = "5", ["Hub:Ingest:QuarantinePackEntriesMax"] = "5" });
        for (var i = 0; i < 20; i++)
        {
            await host.Ingest.AcceptAsync(Packs.Arrived(new Station(0, "nowhere", $"s{i}", "", 0, 0, false, ""), Packs.Temperatures(1)), Cancel);
        }

        Assert.Equal(5, (await host.Quarantine.ListAsync("nowhere", null, null, null, 100, Cancel)).Count);
    }

    [Fact]
    public async Task A_flood_in_one_pack_leaves_few_entries_and_everything_can_still_be_released()
    {
        await using var host = await IngestHost.StartAsync(new() { ["Hub:Ingest:QuarantinePackEntriesMax"] = "10" });
        host.Stations.DatastreamsMax = 0;
        var receipt = await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Temperatures(500)), Cancel);
        Assert.Equal((500, 500, true, 20), (receipt.Received, receipt.Quarantined, receipt.Complete, receipt.Refusals.Count));
        var entries = await host.Quarantine.ListAsync(null, null, null, null, 100, Cancel);
        Assert.Equal(11, entries.Count);
        Assert.Contains("490 more", entries[0].Refusal.Detail, StringComparison.Ordinal);

        host.Stations.DatastreamsMax = 10;
        foreach (var entry in entries)
        {
            Assert.Equal(0, (await host.Quarantine.ReleaseAsync(entry.Id, Cancel)).Quarantined);
        }

        Assert.Equal(500, (await host.StoredAsync(host.Air, "bme280", "temperature")).Count);
        Assert.Empty(await host.Quarantine.ListAsync(null, null, null, null, 100, Cancel));
        IngestHost.AssertAddUp(host.Counters);
    }

    [Fact]
    public async Task A_pack_that_is_cut_says_so_and_cannot_be_released()
    {
        await using var host = await IngestHost.StartAsync();
        var receipt = await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Bytes(new string('x', 70_000))), Cancel);
        Assert.False(receipt.Complete);
        var entry = Assert.Single(await host.Quarantine.ListAsync(null, null, null, null, 10, Cancel));
        Assert.Equal((65_536, 70_000), (entry.Payload.Length, entry.PayloadLength));
        var released = await host.Quarantine.ReleaseAsync(entry.Id, Cancel);
        Assert.Equal(RefusalReason.TooLarge, Assert.Single(released.Refusals).Reason);
        Assert.NotNull(await host.Quarantine.FindAsync(entry.Id, Cancel));
    }

    [Fact]
    public async Task A_reading_from_the_future_is_taken_when_its_time_has_come()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(Packs.Start));
        await using var host = await IngestHost.StartAsync(time: time);
        var now = time.GetUtcNow().UtcDateTime;
        var receipt = await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Temperatures(1, first: 60 * 24 * 10), at: now), Cancel);
        Assert.Equal(RefusalReason.Time, Assert.Single(receipt.Refusals).Reason);
        var entry = Assert.Single(await host.Quarantine.ListAsync(null, null, RefusalReason.Time, null, 10, Cancel));
        Assert.Equal(1, (await host.Quarantine.ReleaseAsync(entry.Id, Cancel)).Quarantined);
        time.Advance(TimeSpan.FromDays(11));
        Assert.Equal(1, (await host.Quarantine.ReleaseAsync(entry.Id, Cancel)).Stored);
    }

    [Fact]
    public async Task A_relative_time_released_later_means_the_moment_of_arrival()
    {
        await using var host = await IngestHost.StartAsync();
        host.Stations.DatastreamsMax = 0;
        var arrival = DateTime.UnixEpoch.AddSeconds(Packs.Start);
        var pack = Packs.Bytes("""[{"bn":"bme280/","n":"temperature","u":"Cel","t":-30,"v":21}]""");
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, pack, at: arrival), Cancel);
        host.Stations.DatastreamsMax = 1;
        var entry = Assert.Single(await host.Quarantine.ListAsync(null, null, null, null, 10, Cancel));
        await host.Quarantine.ReleaseAsync(entry.Id, Cancel);
        Assert.Equal(arrival.AddSeconds(-30), Assert.Single(await host.StoredAsync(host.Air, "bme280", "temperature")).PhenomenonTime);
    }

    [Fact]
    public async Task Entries_are_listed_newest_first_page_by_page_and_survive_a_restart()
    {
        using var folder = new TempFolder();
        var stations = new FakeStations();
        var station = stations.Add("braga", "air-1", IngestHost.Secret);
        var at = new DateTime(2024, 7, 1, 12, 30, 15, 123, DateTimeKind.Utc).AddMicroseconds(456);
        await using (var host = await IngestHost.StartAsync(folder: folder, stations: stations))
        {
            for (var i = 0; i < 7; i++)
            {
                await host.Ingest.AcceptAsync(Packs.Arrived(station, Packs.Bytes($"bad {i}"), at: at), Cancel);
            }
        }

        await using var again = await IngestHost.StartAsync(folder: folder, stations: stations);
        var first = await again.Quarantine.ListAsync("braga", "air-1", RefusalReason.Malformed, null, 4, Cancel);
        var second = await again.Quarantine.ListAsync("braga", "air-1", RefusalReason.Malformed, first[^1].Id, 4, Cancel);
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"bad {6 - i}"), first.Concat(second).Select(e => System.Text.Encoding.UTF8.GetString(e.Payload)));
        Assert.All(first, e => Assert.Equal((at, DateTimeKind.Utc), (e.ReceivedAt, e.ReceivedAt.Kind)));
        Assert.Empty(await again.Quarantine.ListAsync("aveiro", null, null, null, 4, Cancel));
        Assert.True(await again.Quarantine.DiscardAsync(first[0].Id, Cancel));
        Assert.False(await again.Quarantine.DiscardAsync(first[0].Id, Cancel));
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await again.Quarantine.ReleaseAsync(first[0].Id, Cancel));
    }

    [Fact]
    public async Task Many_bad_packs_at_once_are_all_kept_once()
    {
        await using var host = await IngestHost.StartAsync();
        var packs = Enumerable.Range(0, 200).Select(i => Packs.Arrived(host.Air, Packs.Bytes($"bad {i % 50}")));
        await Task.WhenAll(packs.Select(p => host.Ingest.AcceptAsync(p, Cancel).AsTask()));
        Assert.Equal(50, (await host.Quarantine.ListAsync(null, null, null, null, 1000, Cancel)).Count);
        Assert.Equal(200, host.Counters.Quarantined);
    }

    [Fact]
    public async Task What_is_held_is_summed_by_station_and_reason()
    {
        await using var host = await IngestHost.StartAsync();
        var at = DateTime.UnixEpoch.AddSeconds(Packs.Start);
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Bytes("bad"), at: at), Cancel);
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Bytes("bad"), at: at.AddMinutes(3)), Cancel);
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Bytes("worse"), at: at.AddMinutes(1)), Cancel);
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.FourGoodOneBad(), at: at.AddMinutes(5)), Cancel);
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Noise, Packs.Bytes("bad"), at: at), Cancel);
        await host.Ingest.AcceptAsync(Packs.Arrived(new Station(0, "aveiro", "x", "", 0, 0, false, ""), Packs.Bytes("bad"), at: at), Cancel);
        var groups = await host.Quarantine.SummaryAsync("braga", Cancel);
        Assert.Equal(
            [("air-1", RefusalReason.UnknownQuantity, 1L, 1L, at.AddMinutes(5)), ("air-1", RefusalReason.Malformed, 2, 3, at.AddMinutes(3)), ("noise-1", RefusalReason.Malformed, 1, 1, at)],
            groups.Select(g => (g.Station, g.Reason, g.Entries, g.Arrivals, g.LastAt)));
        Assert.Equal((at, 8L), (groups[1].FirstAt, groups[1].Bytes));
        Assert.Equal(4, (await host.Quarantine.SummaryAsync(null, Cancel)).Count);
        Assert.Empty(await host.Quarantine.SummaryAsync("evora", Cancel));
    }

    [Fact]
    public async Task Many_are_released_once_and_what_is_still_wrong_stays_with_the_reason()
    {
        await using var host = await IngestHost.StartAsync();
        host.Stations.DatastreamsMax = 0;
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Temperatures(40)), Cancel);
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Bytes("never any good")), Cancel);
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Noise, Packs.Temperatures(1)), Cancel);
        var upTo = (await host.Quarantine.ListAsync("braga", "air-1", null, null, 1, Cancel))[0].Id;
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Temperatures(1, first: 100)), Cancel);
        host.Stations.DatastreamsMax = 10;
        var scope = new QuarantineScope("braga", "air-1", null, 0, upTo);
        var first = await host.Quarantine.ReleaseAllAsync(scope, 30, Cancel);
        Assert.Equal((30, 30, 30, 11L, null), (first.Tried, first.Released, first.Receipt.Stored, first.Left, first.Stopped));
        var rest = await host.Quarantine.ReleaseAllAsync(scope with { After = first.LastId }, 30, Cancel);
        Assert.Equal((11, 10, 10, 0L), (rest.Tried, rest.Released, rest.Receipt.Stored, rest.Left));
        Assert.Equal(KeyValuePair.Create(RefusalReason.Malformed, 1), Assert.Single(rest.Kept));

        // What came in after somebody looked, and the neighbour's, are still there.
        Assert.Equal(3, (await host.Quarantine.ListAsync(null, null, null, null, 100, Cancel)).Count);
        Assert.Equal(40, (await host.StoredAsync(host.Air, "bme280", "temperature")).Count);
        Assert.Equal(0, (await host.Quarantine.ReleaseAllAsync(scope with { After = upTo }, 30, Cancel)).Tried);
    }

    [Fact]
    public async Task A_release_that_stops_half_way_loses_nothing_and_stores_nothing_twice()
    {
        await using var host = await IngestHost.StartAsync();
        host.Stations.DatastreamsMax = 0;
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Temperatures(60)), Cancel);
        host.Stations.DatastreamsMax = 10;
        var commits = 0;
        host.Series.BeforeCommit = _ =>
        {
            host.Series.UnavailableBecause = ++commits > 20 ? "The disk is full." : null;
            return Task.CompletedTask;
        };
        var scope = new QuarantineScope("braga", null, null, 0, long.MaxValue);
        var stopped = await host.Quarantine.ReleaseAllAsync(scope, 1_000, Cancel);
        Assert.NotNull(stopped.Stopped);
        var stored = (await host.StoredAsync(host.Air, "bme280", "temperature")).Count;
        var held = (await host.Quarantine.ListAsync("braga", null, null, null, 100, Cancel)).Count;
        Assert.InRange(stopped.Released, 1, 59);
        Assert.Equal(60, stopped.Released + held);
        Assert.Equal((long)held, stopped.Left);
        Assert.True(stored >= stopped.Released);
        host.Series.BeforeCommit = null;
        host.Series.UnavailableBecause = null;
        var rest = await host.Quarantine.ReleaseAllAsync(scope with { After = stopped.LastId }, 1_000, Cancel);
        Assert.Equal((held, held, 0L, null), (rest.Tried, rest.Released, rest.Left, rest.Stopped));
        Assert.Empty(await host.Quarantine.ListAsync(null, null, null, null, 100, Cancel));
        Assert.Equal(60, (await host.StoredAsync(host.Air, "bme280", "temperature")).Count);
    }

    [Fact]
    public async Task Many_are_discarded_together_and_the_station_has_their_room_again()
    {
        await using var host = await IngestHost.StartAsync(new() { ["Hub:Ingest:QuarantineEntriesMax"] = "5", ["Hub:Ingest:QuarantinePackEntriesMax"] = "5" });
        for (var i = 0; i < 5; i++)
        {
            await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Bytes($"bad {i}")), Cancel);
        }

        await host.Ingest.AcceptAsync(Packs.Arrived(host.Noise, Packs.Bytes("neighbour")), Cancel);
        var ids = (await host.Quarantine.ListAsync("braga", "air-1", null, null, 10, Cancel)).Select(e => e.Id).Order().ToArray();
        Assert.Equal(0, await host.Quarantine.DiscardAllAsync(new("aveiro", null, null, 0, long.MaxValue), Cancel));
        Assert.Equal(0, await host.Quarantine.DiscardAllAsync(new("braga", "air-1", RefusalReason.Unit, 0, long.MaxValue), Cancel));
        Assert.Equal(3, await host.Quarantine.DiscardAllAsync(new("braga", "air-1", RefusalReason.Malformed, ids[0], ids[3]), Cancel));
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Bytes("bad 5")), Cancel);
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Bytes("bad 6")), Cancel);
        Assert.Equal(["bad 6", "bad 5", "bad 4", "bad 0"], (await host.Quarantine.ListAsync("braga", "air-1", null, null, 10, Cancel)).Select(e => System.Text.Encoding.UTF8.GetString(e.Payload)));
        Assert.Single(await host.Quarantine.ListAsync("braga", "noise-1", null, null, 10, Cancel));
    }
}
