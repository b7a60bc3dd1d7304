using System.Text;
using CsCheck;
using Hub.Edge.Contract.Quantities;
using Hub.Tests.Kit;

namespace Hub.Cloud.Stations.Tests;

public sealed class DatastreamTests : IDisposable
{
    private readonly TempFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task First_sight_creates_and_every_later_sight_finds_also_after_a_restart()
    {
        int id;
        await using (var host = await StationsHost.StartAsync(folder))
        {
            var (station, _) = await host.RegisterAsync();
            Assert.False(host.Stations.TryResolve(station.Id, "air"u8, StationsHost.Quantity("pm10"), 60, out _));
            id = await host.Stations.ResolveAsync(station.Id, "air", StationsHost.Quantity("pm10"), 60, Cancel);
            Assert.Equal(id, await host.Stations.ResolveAsync(station.Id, "air", StationsHost.Quantity("pm10"), 60, Cancel));
        }

        await using var again = await StationsHost.StartAsync(folder);
        Assert.True(again.Stations.TryGet("braga", "centro", out var reloaded));
        Assert.True(again.Stations.TryResolve(reloaded.Id, "air"u8, StationsHost.Quantity("pm10"), 60, out var found));
        Assert.Equal(id, found);
        Assert.True(again.Stations.TryGetDatastream(id, out var datastream));
        Assert.Equal(new Datastream(id, reloaded, "air", StationsHost.Quantity("pm10"), TimeSpan.FromMinutes(1)), datastream);
    }

    [Fact]
    public async Task Sensor_quantity_and_period_each_tell_datastreams_apart()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, _) = await host.RegisterAsync();
        List<int> ids = [];
        foreach (var (sensor, quantity, period) in new[] { ("b", "pm10", 60), ("a", "pm10", 60), ("a", "no2", 60), ("a", "pm10", 0) })
        {
            ids.Add(await host.Stations.ResolveAsync(station.Id, sensor, StationsHost.Quantity(quantity), period, Cancel));
        }

        Assert.Equal(4, ids.Distinct().Count());
        Assert.Equal(
            ["a no2 60", "a pm10 0", "a pm10 60", "b pm10 60"],
            host.Stations.DatastreamsOf(station.Id).Select(d => $"{d.Sensor} {d.Quantity.Id} {d.Period.TotalSeconds}"));
    }

    [Fact]
    public async Task Many_callers_at_once_create_each_datastream_once()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, _) = await host.RegisterAsync();
        var quantity = StationsHost.Quantity("laeq");
        var ids = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(
            async () => (Sensor: i % 10, Id: await host.Stations.ResolveAsync(station.Id, $"s{i % 10}", quantity, 1, Cancel)), Cancel)));
        Assert.Equal(10, ids.Distinct().Count());
        Assert.Equal(10, host.Stations.DatastreamsOf(station.Id).Count);
    }

    [Fact]
    public async Task A_town_that_is_switched_on_is_stored_together_and_each_caller_gets_its_own_answer()
    {
        await using var host = await StationsHost.StartAsync(folder, null, ("Hub:Stations:DatastreamsMax", "5"));
        var stations = new List<Station>();
        for (var i = 0; i < 60; i++)
        {
            stations.Add((await host.RegisterAsync(slug: $"s{i}")).Station);
        }

        var changes = 0;
        host.Stations.Changed += () => Interlocked.Increment(ref changes);
        using var gone = new CancellationTokenSource();
        var quantity = StationsHost.Quantity("no2");
        var resolving = stations.SelectMany(station => Enumerable.Range(0, 7).Select(sensor =>
            (Station: station, Sensor: sensor, Task: Task.Run(async () => await host.Stations.ResolveAsync(station.Id, $"x{sensor}", quantity, 60, sensor == 6 ? gone.Token : Cancel), Cancel)))).ToList();
        var unknown = host.Stations.ResolveAsync(9_999, "x", quantity, 60, Cancel).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAsync<KeyNotFoundException>(() => unknown);
        await Task.WhenAll(resolving.Select(one => one.Task.ContinueWith(static _ => { }, Cancel, TaskContinuationOptions.None, TaskScheduler.Default)));
        foreach (var own in resolving.GroupBy(one => one.Station.Id))
        {
            // Five find room; of the others each hears of the limit, or had gone (if only after it was settled).
            var datastreams = host.Stations.DatastreamsOf(own.Key).ToDictionary(datastream => datastream.Sensor, datastream => datastream.Id);
            Assert.Equal(5, datastreams.Count);
            Assert.All(own.Where(one => one.Task.IsCompletedSuccessfully), one => Assert.Equal(datastreams[$"x{one.Sensor}"], one.Task.Result));
            Assert.All(own.Where(one => one.Task.IsFaulted), one => Assert.IsType<StationLimitException>(one.Task.Exception!.InnerException));
            Assert.All(own.Where(one => one.Task.IsCanceled), one => Assert.Equal(6, one.Sensor));
            Assert.InRange(own.Count(one => one.Task.IsCompletedSuccessfully), 4, 5);
        }

        Assert.InRange(changes, 1, resolving.Count - 1);
        var before = host.Stations.All.SelectMany(station => host.Stations.DatastreamsOf(station.Id)).ToList();
        await using var again = await StationsHost.StartAsync(folder);
        Assert.Equal(before, again.Stations.All.SelectMany(station => again.Stations.DatastreamsOf(station.Id)));
    }

    [Fact]
    public async Task A_database_that_fails_fails_each_caller_and_keeps_nobody_waiting()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, _) = await host.RegisterAsync();
        var quantity = StationsHost.Quantity("no2");
        await RenameAsync("stations_datastream", "elsewhere");
        var failing = Enumerable.Range(0, 20).Select(sensor => Task.Run(async () => await host.Stations.ResolveAsync(station.Id, $"x{sensor % 7}", quantity, 60, Cancel), Cancel)).ToList();
        foreach (var one in failing)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => one.WaitAsync(Eventually.Limit, Cancel));
            Assert.True(one.IsFaulted);
        }

        await RenameAsync("elsewhere", "stations_datastream");
        Assert.True(await host.Stations.ResolveAsync(station.Id, "x0", quantity, 60, Cancel) > 0);

        async Task RenameAsync(string from, string to)
        {
            await using var connection = Hub.Tests.Kit.PostgreSql.OnPostgreSql.Connection($"Data Source={folder.File("hub.db")}");
            await connection.OpenAsync(Cancel);
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The names are the test's own.
            command.CommandText = $"ALTER TABLE {from} RENAME TO {to}";
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync(Cancel);
        }
    }

    [Fact]
    public async Task Two_hubs_on_one_database_agree_on_a_datastream()
    {
        await using var one = await StationsHost.StartAsync(folder);
        var (station, _) = await one.RegisterAsync();
        await using var two = await StationsHost.StartAsync(folder);
        foreach (var sensor in new[] { "a", "b", "c" })
        {
            var ids = await Task.WhenAll(
                one.Stations.ResolveAsync(station.Id, sensor, StationsHost.Quantity("no2"), 60, Cancel).AsTask(),
                two.Stations.ResolveAsync(station.Id, sensor, StationsHost.Quantity("no2"), 60, Cancel).AsTask());
            Assert.Equal(ids[0], ids[1]);
        }
    }

    [Fact]
    public async Task The_limit_holds_and_what_exists_still_resolves()
    {
        await using var host = await StationsHost.StartAsync(folder, null, ("Hub:Stations:DatastreamsMax", "3"));
        var (station, _) = await host.RegisterAsync();
        var (neighbour, _) = await host.RegisterAsync(slug: "vizinha");
        for (var i = 0; i < 3; i++)
        {
            await host.Stations.ResolveAsync(station.Id, $"s{i}", StationsHost.Quantity("no2"), 60, Cancel);
        }

        var refused = await Assert.ThrowsAsync<StationLimitException>(async () => await host.Stations.ResolveAsync(station.Id, "s3", StationsHost.Quantity("no2"), 60, Cancel));
        Assert.Contains("Hub:Stations:DatastreamsMax", refused.Message, StringComparison.Ordinal);
        Assert.True(await host.Stations.ResolveAsync(station.Id, "s0", StationsHost.Quantity("no2"), 60, Cancel) > 0);
        Assert.True(await host.Stations.ResolveAsync(neighbour.Id, "s3", StationsHost.Quantity("no2"), 60, Cancel) > 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-air")]
    [InlineData("Air")]
    [InlineData("air/1")]
    [InlineData("ar condicionado")]
    [InlineData("número")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_sensor_name_that_breaks_the_rule_is_refused(string sensor)
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, _) = await host.RegisterAsync();
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.Stations.ResolveAsync(station.Id, sensor, StationsHost.Quantity("no2"), 60, Cancel));
        Assert.Empty(host.Stations.DatastreamsOf(station.Id));
    }

    [Fact]
    public void The_table_finds_what_a_dictionary_would_find()
    {
        var station = new Station(1, "braga", "centro", "Centro", 0, 0, true, "");
        var quantities = QuantityCatalogue.All.Take(4).ToArray();
        var key = Gen.Select(Gen.String[Gen.Char["ab-0"], 1, 3], Gen.Int[0, 3], Gen.Int[0, 2]);
        Gen.Select(key.Array[0, 60], key.Array[0, 60]).Sample((present, asked) =>
        {
            var expected = new Dictionary<(string, int, int), int>();
            var table = DatastreamTable.Empty;
            foreach (var k in present)
            {
                if (expected.TryAdd(k, expected.Count + 1))
                {
                    table = table.With(new Datastream(expected[k], station, k.Item1, quantities[k.Item2], TimeSpan.FromSeconds(k.Item3)));
                }
            }

            foreach (var k in present.Concat(asked))
            {
                var found = table.TryFind(Encoding.UTF8.GetBytes(k.Item1), quantities[k.Item2], k.Item3, out var id);
                Assert.Equal(expected.TryGetValue(k, out var wanted), found);
                Assert.Equal(wanted, id);
            }
        });
    }

    [Fact]
    public async Task Reads_allocate_nothing()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var stations = host.Stations;
        var (station, secret) = await host.RegisterAsync();
        var quantity = StationsHost.Quantity("no2");
        var id = await stations.ResolveAsync(station.Id, "air", quantity, 60, Cancel);
        var secretUtf8 = Encoding.UTF8.GetBytes(secret);
        int Round()
        {
            var good = 0;
            for (var i = 0; i < 1_000; i++)
            {
                good += stations.TryGet("braga", "centro", out _) ? 1 : 0;
                good += stations.TryGetDatastream(id, out _) ? 1 : 0;
                good += stations.TryResolve(station.Id, "air"u8, quantity, 60, out _) ? 1 : 0;
            }

            good += stations.Authenticate("braga", "centro", secretUtf8, out _) ? 1 : 0;
            return good;
        }

        Assert.Equal(3_001, Round());
        var before = GC.GetAllocatedBytesForCurrentThread();
        var counted = Round();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(3_001, counted);

        // The one login of the round may use a few bytes in the runtime's own key derivation; 3,000 look-ups may not.
        Assert.InRange(allocated, 0, 500);
    }
}
