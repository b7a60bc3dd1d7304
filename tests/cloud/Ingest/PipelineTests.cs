using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

public sealed class PipelineTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_bad_record_of_five_is_quarantined_and_four_are_stored()
    {
        await using var host = await IngestHost.StartAsync();
        var receipt = await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.FourGoodOneBad()), Cancel);
        Assert.Equal((5, 4, 0, 0, 1), (receipt.Received, receipt.Stored, receipt.Corrected, receipt.Duplicate, receipt.Quarantined));
        Assert.Equal(4, (await host.StoredAsync(host.Air, "bme280", "temperature")).Count);
        var entry = Assert.Single(await host.Quarantine.ListAsync("braga", "air-1", null, null, 10, Cancel));
        Assert.Equal((2, RefusalReason.UnknownQuantity), (entry.Refusal.RecordIndex, entry.Refusal.Reason));
        Assert.Contains("happiness", System.Text.Encoding.UTF8.GetString(entry.Payload), StringComparison.Ordinal);
        Assert.Equal((5, 4, 1), (host.Counters.Received, host.Counters.Stored, host.Counters.Quarantined));
        Assert.Equal(entry.Refusal, Assert.Single(receipt.Refusals));
    }

    [Fact]
    public async Task The_same_pack_again_is_all_duplicates_and_no_second_quarantine_entry()
    {
        await using var host = await IngestHost.StartAsync();
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.FourGoodOneBad()), Cancel);
        var again = await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.FourGoodOneBad()), Cancel);
        Assert.Equal((5, 0, 4, 1), (again.Received, again.Stored, again.Duplicate, again.Quarantined));
        var entry = Assert.Single(await host.Quarantine.ListAsync(null, null, null, null, 10, Cancel));
        Assert.Contains("2 times", entry.Refusal.Detail, StringComparison.Ordinal);
        IngestHost.AssertAddUp(host.Counters);
    }

    [Fact]
    public async Task A_value_with_a_larger_revision_corrects()
    {
        await using var host = await IngestHost.StartAsync();
        var old = Packs.Bytes($$"""[{"n":"bme280/temperature","u":"Cel","t":{{Packs.Start}},"v":20}]""");
        var better = Packs.Bytes($$"""[{"n":"bme280/temperature","u":"Cel","t":{{Packs.Start}},"v":19,"hn":1}]""");
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, old), Cancel);
        var receipt = await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, better), Cancel);
        Assert.Equal((1, 1), (receipt.Received, receipt.Corrected));
        Assert.Equal(19, Assert.Single(await host.StoredAsync(host.Air, "bme280", "temperature")).Result);
        IngestHost.AssertAddUp(host.Counters);
    }

    [Fact]
    public async Task A_pack_without_a_known_format_is_quarantined_whole()
    {
        await using var host = await IngestHost.StartAsync();
        var receipt = await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Bytes("temp=20"), format: null), Cancel);
        Assert.True(receipt is { Received: 1, Quarantined: 1, AllRefused: true, Complete: true });
        var entry = Assert.Single(await host.Quarantine.ListAsync(null, null, RefusalReason.Malformed, null, 10, Cancel));
        Assert.Null(entry.Format);
        Assert.Equal(Packs.Bytes("temp=20"), entry.Payload);
    }

    [Fact]
    public async Task An_unregistered_station_is_quarantined_and_can_be_released_once_registered()
    {
        await using var host = await IngestHost.StartAsync();
        var stranger = new Station(0, "evora", "air-9", "air-9", 0, 0, false, "");
        var receipt = await host.Ingest.AcceptAsync(Packs.Arrived(stranger, Packs.Temperatures(3)), Cancel);
        Assert.Equal((1, 1), (receipt.Received, receipt.Quarantined));
        var entry = Assert.Single(await host.Quarantine.ListAsync("evora", null, RefusalReason.Station, null, 10, Cancel));

        var early = await host.Quarantine.ReleaseAsync(entry.Id, Cancel);
        Assert.True(early.AllRefused);
        Assert.NotNull(await host.Quarantine.FindAsync(entry.Id, Cancel));

        var station = host.Stations.Add("evora", "air-9", "x");
        var released = await host.Quarantine.ReleaseAsync(entry.Id, Cancel);
        Assert.Equal((3, 3, 0), (released.Received, released.Stored, released.Quarantined));
        Assert.Null(await host.Quarantine.FindAsync(entry.Id, Cancel));
        Assert.Equal(3, (await host.StoredAsync(station, "bme280", "temperature")).Count);
        IngestHost.AssertAddUp(host.Counters);
    }

    [Fact]
    public async Task Over_the_limit_of_datastreams_records_wait_in_the_quarantine_and_are_released_when_it_is_raised()
    {
        await using var host = await IngestHost.StartAsync();
        host.Stations.DatastreamsMax = 1;
        var pack = Packs.Bytes($"[{Packs.Temperature(0)},{Packs.Temperature(0, "second")},{Packs.Temperature(1, "second")},{Packs.Temperature(1)},{Packs.Temperature(0, "third")}]");
        var receipt = await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, pack), Cancel);
        Assert.Equal((5, 2, 3), (receipt.Received, receipt.Stored, receipt.Quarantined));
        var entries = await host.Quarantine.ListAsync("braga", "air-1", RefusalReason.Station, null, 10, Cancel);
        Assert.Equal([4, 2, 1], entries.Select(e => e.Refusal.RecordIndex));

        var refused = await host.Quarantine.ReleaseAsync(entries[0].Id, Cancel);
        Assert.Equal((0, 1), (refused.Stored, refused.Quarantined));
        Assert.Equal(3, (await host.Quarantine.ListAsync("braga", "air-1", null, null, 10, Cancel)).Count);

        host.Stations.DatastreamsMax = 10;
        foreach (var entry in entries)
        {
            Assert.Equal(1, (await host.Quarantine.ReleaseAsync(entry.Id, Cancel)).Stored);
        }

        Assert.Empty(await host.Quarantine.ListAsync(null, null, null, null, 10, Cancel));
        Assert.Equal([10d, 11d], (await host.StoredAsync(host.Air, "second", "temperature")).Select(o => o.Result));
        IngestHost.AssertAddUp(host.Counters);
    }

    [Fact]
    public async Task While_the_store_is_away_nothing_happens_and_the_same_pack_is_taken_once_afterwards()
    {
        await using var host = await IngestHost.StartAsync();
        host.Series.UnavailableBecause = "the disk is full";
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.FourGoodOneBad()), Cancel));
        }

        Assert.Empty(await host.Quarantine.ListAsync(null, null, null, null, 10, Cancel));
        Assert.Equal((0, 3), (host.Counters.Received, host.Counters.Unavailable));
        host.Series.UnavailableBecause = null;
        var receipt = await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.FourGoodOneBad()), Cancel);
        Assert.Equal((4, 1), (receipt.Stored, receipt.Quarantined));
        IngestHost.AssertAddUp(host.Counters);
    }

    [Fact]
    public async Task When_the_quarantine_cannot_be_written_nothing_is_acknowledged_and_the_retry_adds_up()
    {
        await using var host = await IngestHost.StartAsync();
        host.ErrorsExpected = true;
        await using (var blocker = Hub.Tests.Kit.PostgreSql.OnPostgreSql.Connection(host.Database))
        {
            await blocker.OpenAsync(Cancel);
            await using var command = blocker.CreateCommand();
            command.CommandText = "ALTER TABLE ingest_quarantine RENAME TO elsewhere";
            await command.ExecuteNonQueryAsync(Cancel);
            await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.FourGoodOneBad()), Cancel));
            command.CommandText = "ALTER TABLE elsewhere RENAME TO ingest_quarantine";
            await command.ExecuteNonQueryAsync(Cancel);
        }

        // As after a crash between the append and the quarantine: the readings are there, the refused record not yet.
        Assert.Equal(4, (await host.StoredAsync(host.Air, "bme280", "temperature")).Count);
        var receipt = await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.FourGoodOneBad()), Cancel);
        Assert.Equal((4, 1), (receipt.Duplicate, receipt.Quarantined));
        Assert.Single(await host.Quarantine.ListAsync(null, null, null, null, 10, Cancel));
        IngestHost.AssertAddUp(host.Counters);
    }

    [Fact]
    public async Task When_datastreams_cannot_be_written_nothing_is_acknowledged()
    {
        await using var host = await IngestHost.StartAsync();
        host.Stations.ResolveFailure = new IOException("disk");
        await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Temperatures(1)), Cancel));
        host.Stations.ResolveFailure = null;
        Assert.Equal(1, (await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Temperatures(1)), Cancel)).Stored);
    }

    [Fact]
    public async Task A_pack_that_the_store_refuses_is_quarantined_rather_than_sent_for_ever()
    {
        await using var host = await IngestHost.StartAsync();
        host.ErrorsExpected = true;
        host.Series.BeforeCommit = _ => throw new ArgumentException("the value is odd");
        var receipt = await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Temperatures(2)), Cancel);
        Assert.True(receipt is { Received: 1, AllRefused: true });
        host.Series.BeforeCommit = null;
        var entry = Assert.Single(await host.Quarantine.ListAsync(null, null, RefusalReason.Value, null, 10, Cancel));
        Assert.Equal(2, (await host.Quarantine.ReleaseAsync(entry.Id, Cancel)).Stored);
        IngestHost.AssertAddUp(host.Counters);
    }

    [Fact]
    public async Task The_receipt_comes_after_the_commit()
    {
        await using var host = await IngestHost.StartAsync();
        var held = new TaskCompletionSource();
        var reached = new TaskCompletionSource();
        host.Series.BeforeCommit = token =>
        {
            reached.TrySetResult();
            return held.Task.WaitAsync(token);
        };
        var taking = host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Temperatures(2)), Cancel).AsTask();
        await reached.Task.WaitAsync(Eventually.Limit, Cancel);
        Assert.False(taking.IsCompleted);
        held.SetResult();
        Assert.Equal(2, (await taking).Stored);
    }

    [Fact]
    public async Task More_packs_than_places_wait_their_turn()
    {
        await using var host = await IngestHost.StartAsync(new() { ["Hub:Ingest:PacksInFlightMax"] = "2" });
        var held = new TaskCompletionSource();
        host.Series.BeforeCommit = token => held.Task.WaitAsync(token);
        var taking = Enumerable.Range(0, 5).Select(i => host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.Temperatures(1, i)), Cancel).AsTask()).ToArray();
        await Eventually.TrueAsync(() => host.Pipeline.IsFull, "both places are taken");
        Assert.Equal(2, host.Pipeline.InFlight);
        held.SetResult();
        Assert.Equal(5, (await Task.WhenAll(taking)).Sum(r => r.Stored));
        Assert.False(host.Pipeline.IsFull);
    }

    [Fact]
    public async Task The_instruments_say_the_same_as_the_counters()
    {
        await using var host = await IngestHost.StartAsync();
        const string transport = "instruments-test";
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.FourGoodOneBad(), transport), Cancel);
        await host.Ingest.AcceptAsync(Packs.Arrived(host.Air, Packs.FourGoodOneBad(), transport), Cancel);
        Assert.Equal(2, host.Metrics[$"hub.ingest.packs transport={transport}"]);
        Assert.Equal(4, host.Metrics[$"hub.ingest.records transport={transport} outcome=stored"]);
        Assert.Equal(4, host.Metrics[$"hub.ingest.records transport={transport} outcome=duplicate"]);
        Assert.Equal(2, host.Metrics[$"hub.ingest.records transport={transport} outcome=quarantined"]);
    }
}
