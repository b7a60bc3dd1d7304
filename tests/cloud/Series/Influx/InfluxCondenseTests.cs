using System.Collections.Concurrent;
using System.Globalization;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Rollups without their observations on a real InfluxDB: wherever it is broken off, what is refused, what a dashboard finds.</summary>
public sealed class InfluxCondenseTests(InfluxServer server) : IClassFixture<InfluxServer>
{
    private static readonly DateTime Day = new(2026, 5, 1, 0, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Broken_off_at_any_request_it_goes_on_and_comes_to_the_same(bool isDone)
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        Observation[] rows = [.. Enumerable.Range(0, 2 * 144).SelectMany(i => new[] { 1, 2 }.Select(stream => new Observation(stream, Day.AddMinutes(10 * i), (i * 37 % 91 / 10.0) + stream, i % 50 == 7 ? Quality.Stuck : Quality.Good)))];
        var breaks = 0;
        for (var isBroken = true; isBroken; breaks++)
        {
            var database = server.NextDatabase();
            await server.AskAsync(database, $"CREATE DATABASE {database}");
            using var way = new Forwarding(server.Address, database);
            await using var store = await InfluxStore.OpenAsync(way.Address, database, (_, influx) => (influx.BatchLinesMax, influx.WritesMax) = (150, 1));
            using var model = new MemorySeries();
            await store.Series.AppendAsync(rows, Cancel);
            await model.AppendAsync(rows, Cancel);
            (way.ChangesUntilBreak, way.IsDone) = (breaks, isDone);
            try
            {
                await store.Series.CondenseAsync([1, 2], Day, Day.AddDays(2), Cancel);
                isBroken = false;
            }
            catch (SeriesUnavailableException)
            {
                Assert.Equal(-1, way.ChangesUntilBreak);
            }

            way.ChangesUntilBreak = int.MaxValue;
            await Eventually.TrueAsync(() => store.Series.IsSettled, "the server is asked again");
            var sums = new AggregateQuery(1, Day, Day.AddDays(2), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Sum);
            Assert.Equal(await model.AggregateAsync(sums, Cancel), await store.Series.AggregateAsync(sums, Cancel));

            // What is deleted before it is tried again is in no cell of the attempt before.
            await store.Series.DeleteAsync([1], Day.AddHours(5), Day.AddHours(6), Cancel);
            await model.DeleteAsync([1], Day.AddHours(5), Day.AddHours(6), Cancel);
            await store.Series.CondenseAsync([1, 2], Day, Day.AddDays(2), Cancel);
            await model.CondenseAsync([1, 2], Day, Day.AddDays(2), Cancel);
            Assert.Equal(0, await ((ISeries)store.Series).CountAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel));
            Assert.Equal(await CellsAsync(model), await CellsAsync(store.Series));
            Assert.Equal(await model.AggregateAsync(sums, Cancel), await store.Series.AggregateAsync(sums, Cancel));
            Assert.Equal(await model.AggregateAsync(sums with { WithoutQuality = Quality.Stuck }, Cancel), await store.Series.AggregateAsync(sums with { WithoutQuality = Quality.Stuck }, Cancel));

            // Deleting them as a whole leaves nothing on the server.
            await store.Series.DeleteAsync([1, 2], DateTime.MinValue, DateTime.MaxValue, Cancel);
            foreach (var measurement in new[] { InfluxRollups.Measurement, InfluxRollups.UnflaggedMeasurement, InfluxRollups.DayMeasurement })
            {
                Assert.Empty(await server.AskAsync(store.Influx.Database, $"SELECT * FROM {measurement}"));
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{breaks} requests");
        Assert.True(breaks > 6, "it was broken off");
    }

    [Fact]
    public async Task Figures_asked_for_meanwhile_are_the_same_and_flags_found_since_are_kept()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        Observation[] rows = [.. Enumerable.Range(0, 30 * 48).Select(i => new Observation(1, Day.AddMinutes(30 * i), (i * 37 % 91 / 10.0) - 3, Quality.Good))];
        var findings = new ListedFindings(rows.Select((row, i) => (row, i % 97 < 3 ? Quality.Spike : Quality.Good)));
        var database = server.NextDatabase();
        await server.AskAsync(database, $"CREATE DATABASE {database}");
        using var way = new Forwarding(server.Address, database);
        await using var store = await InfluxStore.OpenAsync(way.Address, database, findings: findings);
        await store.Series.AppendAsync(rows, Cancel);
        ISeries series = new FlaggedSeries(store.Series, findings);
        var days = new AggregateQuery(1, Day, Day.AddDays(30), new BucketWidth(TimeSpan.FromDays(1)), Statistic.EnergyMean);
        var (all, without) = (await series.AggregateAsync(days, Cancel), await series.AggregateAsync(days with { WithoutQuality = Quality.Spike }, Cancel));
        Assert.NotEqual(all, without);

        // Before each of its changes, and while they go on by themselves.
        var meanwhile = new ConcurrentQueue<IReadOnlyList<Bucket>>();
        way.BeforeChange = async () => meanwhile.Enqueue(await series.AggregateAsync(days, Cancel));
        var condensing = series.CondenseAsync([1], Day, Day.AddDays(25), Cancel).AsTask();
        while (!condensing.IsCompleted)
        {
            meanwhile.Enqueue(await series.AggregateAsync(days, Cancel));
        }

        Assert.Equal(25 * 48, await condensing);
        Assert.True(meanwhile.Count >= 3 * 25 / InfluxSeries.CondenseDays, "cells, notes and a deletion for some days each");
        Assert.All(meanwhile, buckets => Assert.Equal(all.Select(bucket => (bucket.Value, bucket.Count)), buckets.Select(bucket => (bucket.Value, bucket.Count))));
        Assert.Equal(all, await series.AggregateAsync(days, Cancel));
        Assert.Equal(without, await series.AggregateAsync(days with { WithoutQuality = Quality.Spike }, Cancel));

        // Nobody has to find them again.
        await store.ReopenAsync();
        Assert.Equal(without.Take(25), (await store.Series.AggregateAsync(days with { WithoutQuality = Quality.Spike }, Cancel)).Take(25));
    }

    [Fact]
    public async Task While_the_server_refuses_rollups_no_observation_goes()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        var database = server.NextDatabase();
        await using var store = await InfluxStore.OpenAsync(server.Address, database);
        Observation[] rows = [.. Enumerable.Range(0, 10).Select(i => new Observation(1, Day.AddHours(i), i, Quality.Good))];
        await store.Series.AppendAsync(rows, Cancel);
        await server.WriteAsync(database, $"observation_rollup,datastream=1,cell=3600 max=\"text\" {EventTime.Micros(Day.AddDays(3))}");
        await server.WriteAsync(database, $"observation_rollup,datastream=1,cell=3600 max=\"text\" {EventTime.Micros(Day)}");
        var error = await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.CondenseAsync([1], Day, Day.AddDays(1), Cancel));
        Assert.Contains("field type conflict", error.Message, StringComparison.Ordinal);
        Assert.Contains("still there", error.Message, StringComparison.Ordinal);
        Assert.Equal(rows, await store.Series.RangeAsync(1, Day, Day.AddDays(1), Cancel).ToListAsync(Cancel));
        Assert.Empty(await store.Series.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.True(store.Series.CanCommit);

        // Mended, it goes on.
        await server.AskAsync(database, "DROP MEASUREMENT observation_rollup");
        Assert.Equal(10, await store.Series.CondenseAsync([1], Day, Day.AddDays(1), Cancel));
        Assert.Single(await store.Series.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
    }

    [Fact]
    public async Task A_dashboard_finds_rollups_by_the_names_it_knows()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        var database = server.NextDatabase();
        await using var store = await InfluxStore.OpenAsync(server.Address, database, labels: new Labels());
        await store.Series.AppendAsync(Enumerable.Range(0, 8).Select(i => new Observation(7, Day.AddMinutes(15 * i), 100_000 + i, i == 5 ? Quality.Spike : Quality.Good) { Coverage = 0.5 }).ToArray(), Cancel);
        await store.Series.CondenseAsync([7], Day, Day.AddDays(1), Cancel);
        var (first, second) = (EventTime.Micros(Day), EventTime.Micros(Day.AddHours(1)));
        Assert.Equal(
            [$"[{first},100001.5]", $"[{second},100005.5]"], await server.AskAsync(database, "SELECT \"sum\"/\"count\" FROM observation_rollup WHERE station='rotunda' AND \"cell\"='3600'"));
        Assert.Equal(
            [$"[{first},4,0,2,400006,100000,100003,100000,100003,4]", $"[{second},4,{(int)Quality.Spike},2,400022,100004,100007,100004,100007,4]"],
            await server.AskAsync(database, "SELECT \"count\",quality,covered,\"sum\",\"min\",\"max\",\"first\",\"last\",infinite FROM observation_rollup WHERE datastream='7' AND \"cell\"='3600'"));
        Assert.Equal([$"[{second},3,300017]"], await server.AskAsync(database, "SELECT \"count\",\"sum\" FROM observation_rollup_unflagged WHERE datastream='7' AND \"cell\"='3600'"));
        Assert.Equal(8, (await server.AskAsync(database, "SELECT \"count\" FROM observation_rollup WHERE datastream='7' AND \"cell\"='900'")).Count);
        Assert.Equal([$"[{first},1]"], await server.AskAsync(database, "SELECT kept FROM observation_rollup_day WHERE datastream='7'"));
        Assert.Empty(await server.AskAsync(database, "SELECT * FROM observation"));
    }

    [Fact]
    public async Task Figures_are_as_they_were_whichever_is_killed_while_observations_are_condensed()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        using var folder = new TempFolder();
        var database = server.NextDatabase();
        var random = new Random(20261127);
        var (condensed, halfway) = (0, 0);
        for (var round = 0; round < Repeats.Of(2, 12); round++)
        {
            using var child = InfluxChild.Run("influx-condense", folder.File("series"), server.Address, database, (round * 1_000).ToString(CultureInfo.InvariantCulture));
            var (lines, killAt) = (new List<string>(), 3 + random.Next(12));
            while (lines.Count < killAt && await child.StandardOutput.ReadLineAsync(Cancel) is { } line)
            {
                lines.Add(line);
            }

            // Asked before the server goes: without it the child's next work fails, and the child ends by itself.
            Assert.False(child.HasExited, lines.Count == 0 ? await child.StandardError.ReadToEndAsync(Cancel) : "the child works until it is killed");
            if (round % 3 == 1)
            {
                await server.KillAsync();
            }

            child.Kill();
            lines.AddRange((await child.StandardOutput.ReadToEndAsync(Cancel)).Split('\n')[..^1]);
            await child.WaitForExitAsync(Cancel);
            if (round % 3 == 1)
            {
                await server.StartAsync();
            }

            await using var services = InfluxChild.Services(InfluxChild.Settings(folder.File("series"), server.Address, database));
            await services.OpenSeriesAsync(Cancel);
            var series = services.GetRequiredService<ISeries>();
            await Eventually.TrueAsync(() => services.GetRequiredService<InfluxSeries>().IsSettled, "everything is handed over");
            var kept = await series.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel);
            foreach (var words in lines.Select(line => line.Split(' ')))
            {
                var datastream = int.Parse(words[1], CultureInfo.InvariantCulture);
                var question = new AggregateQuery(datastream, DateTime.MinValue, DateTime.MaxValue, new BucketWidth(TimeSpan.FromHours(1)), Statistic.Sum);
                var fold = new BucketFold(question, 1_000);
                for (var i = 0; i < Child.PerDatastream; i++)
                {
                    var row = Child.At(datastream - 1, i * 1_000_000L);
                    fold.Add(EventTime.Micros(row.PhenomenonTime), row.Result, row.Quality, row.Coverage);
                }

                var wanted = fold.Complete();
                Assert.Equal(wanted, await series.AggregateAsync(question, Cancel));
                var (all, days, raw) = (wanted.Select(bucket => bucket.Start.Date).Distinct().Count(), kept.GetValueOrDefault(datastream), (await series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel).ToListAsync(Cancel)).Count);
                Assert.True(words[0] == "condensed" ? days == all && raw == 0 : days < all ? raw > 0 : true, $"{days} of {all} days are condensed, {raw} observations left");
                condensed += words[0] == "condensed" ? 1 : 0;
                halfway += words[0] == "in" && days > 0 && raw > 0 ? 1 : 0;
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{condensed} datastreams condensed, {halfway} halfway");
        Assert.True(!Repeats.AreMany || condensed > 0, "the children did work");
    }

    /// <summary>Everything that is kept, but for what the model computes its own way.</summary>
    private static async Task<List<string>> CellsAsync(ISeries series) =>
        await series.CondensedDaysAsync(null, DateTime.MinValue, DateTime.MaxValue, Cancel)
            .SelectMany(day => day.Cells.Select(cell => $"{day.Datastream} {cell with { EnergySum = 0, East = 0, North = 0 }}").ToAsyncEnumerable()).ToListAsync(Cancel);

    private sealed class Labels : IDatastreamLabels
    {
        public long Version => 1;

        public IReadOnlyCollection<KeyValuePair<string, string>> Of(int datastream) => [KeyValuePair.Create("station", "rotunda"), KeyValuePair.Create("cell", "not mine")];
    }

    /// <summary>Passes requests on to the real server and breaks off at one that changes rollups or deletes: before it is passed on, or when it is done.</summary>
    private sealed class Forwarding : IDisposable
    {
        private readonly FakeInflux _face = new();
        private readonly HttpClient _http = new();
        private int _until = int.MaxValue;

        public Forwarding(string server, string database)
        {
            _face.OnWrite = async lines => await PassAsync(
                $"{server}/write?db={database}&precision=u", new StringContent(string.Join('\n', lines) + "\n"), lines[0].StartsWith(InfluxRollups.Measurement, StringComparison.Ordinal));
            _face.OnQuery = question => PassAsync(
                $"{server}/query?db={database}&epoch=u&chunked=true", new FormUrlEncodedContent([KeyValuePair.Create("q", question)]), question.StartsWith("DELETE", StringComparison.Ordinal)).GetAwaiter().GetResult();
        }

        public string Address => _face.Address;

        /// <summary>Requests that pass before one is broken off; -1 when it was.</summary>
        public int ChangesUntilBreak
        {
            get => Volatile.Read(ref _until);
            set => Volatile.Write(ref _until, value);
        }

        public bool IsDone { get; set; }

        /// <summary>Is waited for before a change is passed on; others pass meanwhile.</summary>
        public Func<Task> BeforeChange { get; set; } = static () => Task.CompletedTask;

        public void Dispose()
        {
            _face.Dispose();
            _http.Dispose();
        }

        private async Task<(int Status, string Body)> PassAsync(string address, HttpContent content, bool isChange)
        {
            if (isChange)
            {
                await BeforeChange();
            }

            var isBroken = isChange && ChangesUntilBreak >= 0 && Interlocked.Decrement(ref _until) == -1;
            if (isBroken && !IsDone)
            {
                return (503, "");
            }

            using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content };
            using var answer = await _http.SendAsync(request, Cancel);
            var body = await answer.Content.ReadAsStringAsync(Cancel);
            return isBroken ? (503, "") : ((int)answer.StatusCode, body);
        }
    }
}
