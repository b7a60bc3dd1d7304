using System.Globalization;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Two hubs and one database of a real server: one of them writes, and the other one is told why it does not.</summary>
public sealed class InfluxLeaseTests(InfluxServer server) : IClassFixture<InfluxServer>
{
    private static readonly DateTime Noon = new(2026, 10, 1, 12, 0, 0, DateTimeKind.Utc);

    /// <summary>Time for one answer, on a machine that does much else.</summary>
    private static readonly TimeSpan Patient = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_hub_is_refused_and_may_come_when_the_first_has_stopped()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        var database = server.NextDatabase();
        var first = await InfluxStore.OpenAsync(server.Address, database);
        await first.Series.AppendAsync(new[] { At(1, 0, 1) }, Cancel);
        var refused = await Assert.ThrowsAsync<IOException>(() => InfluxStore.OpenAsync(server.Address, database));
        Assert.StartsWith($"InfluxDB at {server.Address} is used by another hub, {Environment.MachineName}:", refused.Message, StringComparison.Ordinal);
        Assert.Contains("One hub writes to a database: stop that one", refused.Message, StringComparison.Ordinal);

        // That nothing happened to the first is seen by its going on.
        Assert.Equal(2, (await first.Series.AppendAsync(new[] { At(1, 1, 2) }, Cancel)).Commit);
        Assert.Null(first.Series.Warning);
        await first.DisposeAsync();
        await using var second = await InfluxStore.OpenAsync(server.Address, database);
        Assert.Equal(3, (await second.Series.AppendAsync(new[] { At(1, 2, 3) }, Cancel)).Commit);
    }

    [Fact]
    public async Task Of_many_that_start_at_once_one_gets_it()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        for (var round = 0; round < 10; round++)
        {
            var database = server.NextDatabase();
            await server.AskAsync(database, $"CREATE DATABASE {database}");
            using var client = new InfluxClient(new InfluxOptions { Address = server.Address, Database = database, QueriesMax = 16, WritesMax = 16, RequestTimeout = Patient }, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
            var leases = Enumerable.Range(0, 8).Select(i => new InfluxLease(client, new InfluxOptions(), $"hub{i}", $"machine{i}:/hub", TimeProvider.System)).ToList();
            var taken = await Task.WhenAll(leases.Select(lease => Task.Run(async () =>
            {
                try
                {
                    await lease.TakeAsync(Cancel);
                    return true;
                }
                catch (InfluxInUseException)
                {
                    return false;
                }
            })));
            Assert.InRange(taken.Count(one => one), 0, 1);

            // Where all gave way to one that asked first and was itself too late for another, the next attempt gets it.
            if (!taken.Contains(true))
            {
                await leases[0].TakeAsync(Cancel);
            }

            Assert.Single(leases, lease => lease.IsHeldFor(TimeSpan.Zero));
            leases.ForEach(lease => lease.Dispose());
        }
    }

    [Fact]
    public async Task The_lease_of_a_hub_that_was_killed_runs_out_and_its_own_place_does_not_wait()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        var database = server.NextDatabase();
        await server.AskAsync(database, $"CREATE DATABASE {database}");
        var quick = new InfluxOptions { LeaseTime = TimeSpan.FromSeconds(9), RequestTimeout = TimeSpan.FromSeconds(2) };
        using var client = new InfluxClient(new InfluxOptions { Address = server.Address, Database = database, RequestTimeout = Patient }, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using var killed = new InfluxLease(client, quick, "killed", "a:/hub", TimeProvider.System);
        Assert.True(await killed.TakeAsync(Cancel), "it is new here and cannot know who wrote");
        using var again = new InfluxLease(client, quick, "killed", "a:/hub", TimeProvider.System);
        Assert.False(await again.TakeAsync(Cancel));
        var clock = new WaitClock(again.RenewEvery);
        using var next = new InfluxLease(client, quick, "next", "b:/hub", clock);
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    return await clock.PassAsync(next.TakeAsync(Cancel));
                }
                catch (InfluxInUseException e)
                {
                    Assert.Contains("is used by another hub, a:/hub", e.Message, StringComparison.Ordinal);
                    return false;
                }
            },
            "the lease of the killed hub has run out, and the next one knows that another has written");
        Assert.True(next.IsHeldFor(TimeSpan.Zero));
        Assert.False(again.IsHeldFor(TimeSpan.Zero), "whoever did not renew knows that it ran out, before the next one may come");
        Assert.True(await HeldAtAsync("next") - await HeldAtAsync("killed") >= quick.LeaseTime, "not before it had run out by the server's clock");

        async Task<TimeSpan> HeldAtAsync(string owner)
        {
            var last = (await server.AskAsync(database, $"SELECT state FROM observation_lease WHERE owner='{owner}' AND state=1"))[^1];
            return TimeSpan.FromMicroseconds(long.Parse(last.Split(',')[0][1..], CultureInfo.InvariantCulture));
        }
    }

    /// <summary>As when the machine slept, or the network between this hub alone and the server was cut.</summary>
    [Fact]
    public async Task A_hub_that_lost_its_lease_acknowledges_nothing_and_reads_anew_when_it_gets_it_back()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        var database = server.NextDatabase();
        var clock = new WaitClock(TimeSpan.FromMinutes(11));
        await using var store = await InfluxStore.OpenAsync(server.Address, database, static (_, influx) => (influx.LeaseTime, influx.RequestTimeout) = (TimeSpan.FromMinutes(33), TimeSpan.FromMinutes(10)), clock);
        await store.Series.AppendAsync(new[] { At(1, 0, 1) }, Cancel);

        // Another hub has asked the server's clock, and it says that it was there first.
        Task OtherAsync(int state, long began) => server.WriteAsync(
            database, string.Create(CultureInfo.InvariantCulture, $"observation_lease,owner=other state={state}i,began={began}i,lasts=3600000000i,place=\"elsewhere:/hub\""));
        await OtherAsync(1, 1);
        await clock.PassAsync();
        await Eventually.TrueAsync(() => !store.Series.CanCommit, "the next renewal finds it");
        Assert.Contains("is used by another hub, elsewhere:/hub", store.Series.Problem, StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.AppendAsync(new[] { At(1, 5, 5) }, Cancel));
        Assert.Contains("is used by another hub", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, store.Series.Waiting);

        // The other one writes, later and another value than is known here, and lets go.
        await server.WriteAsync(database, $"observation,datastream=1 result=7,quality=0i,commit=40i {EventTime.Micros(Noon.AddMinutes(9))}");
        await server.WriteAsync(database, string.Create(CultureInfo.InvariantCulture, $"observation_commit last=40i {EventTime.Micros(new DateTime(clock.GetUtcNow().Ticks / 10 * 10, DateTimeKind.Utc))}"));
        await OtherAsync(0, 1);
        await Eventually.TrueAsync(
            () =>
            {
                clock.Advance(store.Influx.RetryMax);
                return store.Series.CanCommit;
            },
            "it is taken again");
        Assert.Equal(40, store.Series.LastCommit);
        Assert.True(store.Series.TryGetLatest(1, out var latest));
        Assert.Equal(7, latest.Result);
        Assert.Equal([AppendOutcome.Duplicate, AppendOutcome.Corrected], (await store.Series.AppendAsync(new[] { At(1, 9, 7), At(1, 0, 2) }, Cancel)).Outcomes);
    }

    [Fact]
    public async Task What_waited_while_another_hub_wrote_is_compared_and_the_winner_stays()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        var database = server.NextDatabase();
        var own = new InfluxServer();
        await using (own)
        {
            await own.InitializeAsync();
            // By its own clock, which stands still, nothing takes too long; by the server's, its lease runs out soon.
            await using var store = await InfluxStore.OpenAsync(
                own.Address, database, static (_, influx) => (influx.LeaseTime, influx.RequestTimeout) = (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1)), new WaitClock(TimeSpan.FromDays(1)));
            await store.Series.AppendAsync(new[] { At(1, 0, 1) }, Cancel);
            await own.KillAsync();
            await store.Series.AppendAsync(new[] { At(1, 1, 10), At(1, 2, 20) }, Cancel);
            Assert.Equal(2, store.Series.Waiting);
            await store.Series.DisposeAsync();

            // Another hub has the database for a while: it has a larger value for one of the keys and a smaller one for the other.
            await own.StartAsync();
            await using (var other = await OpenWhenFreeAsync(own.Address, database))
            {
                await other.Series.AppendAsync(new[] { At(1, 1, 11), At(1, 2, 19) }, Cancel);
                await Eventually.TrueAsync(() => other.Series.IsSettled, "the server has it");
            }

            await store.ReopenAsync();
            await Eventually.TrueAsync(() => store.Series.IsSettled, "what waited is handed over");
            Assert.Equal([1, 11, 20], (await AllAsync(store)).Select(row => row.Result));
            var lost = new List<double>();
            await foreach (var row in store.Series.HistoryAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel))
            {
                lost.Add(row.Result);
            }

            Assert.Equal([10, 19], lost);
        }
    }

    [Fact]
    public async Task Renewals_leave_little_behind()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        var database = server.NextDatabase();
        await server.AskAsync(database, $"CREATE DATABASE {database}");
        await server.WriteAsync(database, "observation_lease,owner=old state=1i,began=1i,lasts=30000000i,place=\"x\" 1600000000000000");
        var options = new InfluxOptions { Address = server.Address, Database = database, RequestTimeout = Patient };
        using var client = new InfluxClient(options, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var clock = new WaitClock(TimeSpan.FromSeconds(10));
        using var lease = new InfluxLease(client, new InfluxOptions(), "hub", "a:/hub", clock);
        await clock.PassAsync(lease.TakeAsync(Cancel));
        await lease.RenewAsync(Cancel);
        Assert.Empty(await server.AskAsync(database, "SELECT state FROM observation_lease WHERE owner='old'"));
        Assert.Equal(3, (await server.AskAsync(database, "SELECT state FROM observation_lease WHERE owner='hub'")).Count);
        await lease.LetGoAsync(Cancel);
        Assert.False(lease.IsHeldFor(TimeSpan.Zero));
    }

    private static async Task<InfluxStore> OpenWhenFreeAsync(string address, string database)
    {
        InfluxStore? store = null;
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    store = await InfluxStore.OpenAsync(address, database, static (_, influx) => (influx.LeaseTime, influx.RequestTimeout) = (TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(5)));
                    return true;
                }
                catch (IOException)
                {
                    return false;
                }
            },
            "the lease of the hub before has run out");
        await Eventually.TrueAsync(() => store!.Series.IsSettled, "it has the database");
        return store!;
    }

    private static Observation At(int datastream, int minute, double result) => new(datastream, Noon.AddMinutes(minute), result, Quality.Good);

    private static async Task<List<Observation>> AllAsync(InfluxStore store)
    {
        var rows = new List<Observation>();
        await foreach (var row in store.Series.RangeAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            rows.Add(row);
        }

        return rows;
    }
}
