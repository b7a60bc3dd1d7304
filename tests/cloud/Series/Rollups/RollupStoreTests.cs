using CsCheck;
using DuckDB.NET.Data;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The embedded store with rollups: the same figures, to the last bit, as a fold of the observations in memory, whatever happened and whatever is rolled up by now.</summary>
public sealed class RollupStoreTests(ITestOutputHelper output)
{
    private const int Streams = 4;

    /// <summary>The 30th of a month, so that the days of the histories lie in two months, and a change of the clock in Lisbon is among them.</summary>
    private static readonly DateTime Midnight = new(2026, 10, 30, 0, 0, 0, DateTimeKind.Utc);

    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    private static readonly BucketWidth[] Widths =
    [
        new(TimeSpan.FromHours(1)), new(TimeSpan.FromDays(1), Lisbon), new(TimeSpan.FromDays(1)), new(TimeSpan.FromMinutes(15)), new(TimeSpan.FromMinutes(5)), new(TimeSpan.FromDays(7), Lisbon),
        new(TimeSpan.FromDays(1), TimeZoneInfo.FindSystemTimeZoneById("Asia/Kathmandu")), new(TimeSpan.FromMinutes(7)),
    ];

    /// <summary>Decimals and numbers without end, levels and what is none, zeros of both signs.</summary>
    private static readonly Gen<double> SomeResult = Gen.Frequency(
        (6, Gen.Int[-300, 1_200].Select(i => i / 10.0)), (2, Gen.Double[-40, 130]), (1, Gen.Const(-0.0)), (1, Gen.Double[1e5, 1e6]));

    /// <summary>Times on both sides of midnights, of a month's end and of hours; the same ones often, so that there are corrections.</summary>
    private static readonly Gen<Observation> SomeObservation = Gen.Select(
        Gen.Int[1, Streams], Gen.Int[0, 3], Gen.Int[0, 200].Select(i => i * 9 % 1_440), SomeResult, Gen.Select(Gen.Int[0, 1], Gen.Int[0, 11], Gen.Int[0, 5]),
        (stream, day, minute, result, rest) => new Observation(stream, Midnight.AddDays(day).AddMinutes(minute), result, rest.Item2 == 0 ? Quality.Stuck : Quality.Good)
        {
            Revision = rest.Item1,
            Coverage = rest.Item3 == 0 ? 0.75 : double.NaN,
        });

    private static readonly Gen<Step> SomeStep = Gen.Frequency(
        (6, SomeObservation.Array[1, 40].Select(batch => (Step)new Append(batch))),
        (2, Gen.Const((Step)new Flush())),
        (3, Gen.Const((Step)new Settle())),
        (1, Gen.Const((Step)new Ask())),
        (1, Gen.Const((Step)new Restart(TimeSpan.FromSeconds(30)))),
        (1, Gen.Const((Step)new Restart(TimeSpan.Zero))),
        (2, Gen.Select(Gen.Int[1, Streams], Gen.Int[0, 96], Gen.Int[1, 40], (stream, hour, hours) => (Step)new Condense([stream, 1 + (hour % Streams)], Midnight.AddHours(hour - 24), Midnight.AddHours(hour + hours)))),
        (1, Gen.Select(Gen.Int[1, Streams], Gen.Int[0, 96], Gen.Int[1, 40], (stream, hour, hours) => (Step)new Delete(stream, Midnight.AddHours(hour).AddMinutes(7 * stream), Midnight.AddHours(hour + hours)))));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Same_bits_as_the_model_through_flushes_merges_rollups_deletions_restarts_and_crashes()
    {
        long served = 0;
        var (asked, condensed) = (0, 0);
        await Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2], SomeStep.Array[3, 25]).SampleAsync(
            async (kept, knowing, steps) =>
            {
                var time = new FakeTimeProvider(new DateTimeOffset(Midnight.AddDays(20)));
                await using var store = new Store(
                    options =>
                    {
                        options.Rollups = new[] { "01:00:00", "00:15:00,01:00:00", "00:01:00, 00:15:00, 01:00:00", "" }[kept];
                        options.FlushObservationsMax = 100;
                    },
                    time,
                    statistics: knowing == 0 ? null : new Knowing());
                using var count = new Served(store);
                await store.Series.OpenAsync(Cancel);
                using var model = new MemorySeries();
                model.Keeps = knowing == 0 ? null : (stream, statistic) => new Knowing().Of(stream) is not { } known || statistic == known || statistic is not (Statistic.EnergyMean or Statistic.CircularMean);
                foreach (var step in steps)
                {
                    switch (step)
                    {
                        case Append append:
                            await store.Series.AppendAsync(append.Batch, Cancel);
                            await model.AppendAsync(append.Batch, Cancel);
                            break;
                        case Flush:
                            await store.Series.FlushAsync(Cancel);
                            break;
                        case Settle:
                            await SettleAsync(store, time);
                            break;
                        case Restart restart:
                            store.Options.StopWithin = restart.StopWithin;
                            await store.ReopenAsync();
                            break;
                        case Delete delete:
                            Assert.Equal(await model.DeleteAsync([delete.Stream], delete.From, delete.To, Cancel), await store.Series.DeleteAsync([delete.Stream], delete.From, delete.To, Cancel));
                            CheckDeleted(store, delete);
                            break;
                        case Condense condense:
                            Assert.Equal(await model.CondenseAsync(condense.Streams, condense.From, condense.To, Cancel), await store.Series.CondenseAsync(condense.Streams, condense.From, condense.To, Cancel));
                            condensed++;
                            break;
                        default:
                            asked += await SameAsync(model, store.Series);
                            break;
                    }
                }

                asked += await SameAsync(model, store.Series);
                await store.Series.FlushAsync(Cancel);
                await SettleAsync(store, time);
                asked += await SameAsync(model, store.Series);
                store.Options.StopWithin = TimeSpan.FromSeconds(30);
                await store.ReopenAsync();
                asked += await SameAsync(model, store.Series);
                Check(store);
                Interlocked.Add(ref served, count.Cells);
            },
            iter: Repeats.Of(12, 120),
            threads: 1);
        output.WriteLine($"{asked} questions, {condensed} condensations, {served} cells served from rollups");
        Assert.True(served > 1_000, "rollups answered");
    }

    [Fact]
    public async Task Late_data_shows_at_once_in_a_month_that_is_rolled_up_and_is_rolled_up_in_turn()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Midnight.AddDays(20)));
        await using var store = await Store.OpenAsync(time: time);
        using var count = new Served(store);
        using var model = new MemorySeries();
        for (var day = -40; day < 0; day++)
        {
            var batch = Enumerable.Range(0, 144).SelectMany(i => new[] { 1, 2 }.Select(stream => new Observation(stream, Midnight.AddDays(day).AddMinutes(10 * i), (i * 7 % 31) / 10.0, Quality.Good))).ToArray();
            await store.Series.AppendAsync(batch, Cancel);
            await model.AppendAsync(batch, Cancel);
        }

        await store.Series.FlushAsync(Cancel);
        await SettleAsync(store, time);
        Assert.Equal(2, Rollups(store).Count);
        var days = new AggregateQuery(1, Midnight.AddDays(-40), Midnight, new BucketWidth(TimeSpan.FromDays(1)), Statistic.Mean);
        await SameAsync(model, store.Series, days);
        Assert.Equal(40 * 24, count.Take());

        // In memory: that day of that datastream comes from its observations, everything else from rollups.
        await LateAsync(1, -20);
        await SameAsync(model, store.Series, days);
        Assert.Equal(39 * 24, count.Take());
        await SameAsync(model, store.Series, days with { Datastream = 2 });
        Assert.Equal(40 * 24, count.Take());

        // In a part beside the settled one: no row of that day counts.
        await store.Series.FlushAsync(Cancel);
        await SameAsync(model, store.Series, days with { Datastream = 2 });
        Assert.Equal(39 * 24, count.Take());
        await SameAsync(model, store.Series, days);
        Assert.Equal(39 * 24, count.Take());

        // Merged and rolled up again.
        var before = Rollups(store);
        await SettleAsync(store, time);
        Assert.Single(Rollups(store).Except(before));
        await SameAsync(model, store.Series, days);
        Assert.Equal(40 * 24, count.Take());

        // A whole answer of many at once, and one that cuts days and cells.
        await SameManyAsync(model, store.Series, days);
        Assert.Equal(2 * 40 * 24, count.Take());
        await SameAsync(model, store.Series, days with { From = Midnight.AddDays(-31).AddMinutes(95), To = Midnight.AddDays(-1).AddMinutes(-5) });
        Assert.Equal(22 + (28 * 24) + 23, count.Take());
        Check(store);

        async Task LateAsync(int stream, int day)
        {
            var late = new[] { new Observation(stream, Midnight.AddDays(day).AddMinutes(5), 77.7, Quality.Good) };
            await store.Series.AppendAsync(late, Cancel);
            await model.AppendAsync(late, Cancel);
        }
    }

    [Fact]
    public async Task Minutes_are_kept_only_where_observations_are_finer()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Midnight.AddDays(20)));
        await using var store = await Store.OpenAsync(options => options.Rollups = "00:01:00", time);
        using var count = new Served(store);
        using var model = new MemorySeries();
        Observation[] batch =
        [
            .. Enumerable.Range(0, 2_880).Select(i => new Observation(1, Midnight.AddSeconds(30 * i), i % 17 / 10.0, Quality.Good)),
            .. Enumerable.Range(0, 2_881).Select(i => new Observation(2, Midnight.AddSeconds(29 * i), i % 19 / 10.0, Quality.Good)),
        ];
        await store.Series.AppendAsync(batch, Cancel);
        await model.AppendAsync(batch, Cancel);
        await store.Series.FlushAsync(Cancel);
        await SettleAsync(store, time);
        var minutes = new AggregateQuery(1, Midnight.AddDays(-2), Midnight.AddDays(1), new BucketWidth(TimeSpan.FromMinutes(2)), Statistic.Sum);
        await SameAsync(model, store.Series, minutes);
        Assert.Equal(0, count.Take());
        await SameAsync(model, store.Series, minutes with { Datastream = 2 });
        Assert.InRange(count.Take(), 1_390, 1_440);
        await SameManyAsync(model, store.Series, minutes);
    }

    [Fact]
    public async Task Cells_are_asked_where_they_spare_work()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Midnight.AddDays(20)));
        await using var store = await Store.OpenAsync(time: time);
        using var count = new Served(store);
        using var model = new MemorySeries();
        var batch = Enumerable.Range(0, 5 * 144).SelectMany(i => new[] { 1, 2, 3 }.Select(stream => new Observation(stream, Midnight.AddMinutes(10 * i), i % 23 / 10.0, Quality.Good))).ToArray();
        await store.Series.AppendAsync(batch, Cancel);
        await model.AppendAsync(batch, Cancel);
        await store.Series.FlushAsync(Cancel);
        await SettleAsync(store, time);
        count.Take();

        // Two days of one datastream are sooner read than looked up in a month; three are not, nor two of many together.
        var hours = new AggregateQuery(1, Midnight, Midnight.AddDays(2), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Mean);
        await SameAsync(model, store.Series, hours);
        Assert.Equal(0, count.Take());
        await SameAsync(model, store.Series, hours with { To = Midnight.AddDays(3) });
        Assert.Equal(72, count.Take());
        await SameManyAsync(model, store.Series, hours);
        Assert.Equal(3 * 48, count.Take());

        // Where the question divides cells, many read the days at its ends themselves.
        await SameManyAsync(model, store.Series, hours with { From = Midnight.AddMinutes(30), To = Midnight.AddDays(3).AddMinutes(-20), Every = new BucketWidth(TimeSpan.FromDays(1)) });
        Assert.Equal(3 * 24, count.Take());
    }

    [Fact]
    public async Task Figures_asked_for_while_observations_are_condensed_are_the_same()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Midnight.AddDays(20)));
        using var asking = new AskedFirst();
        await using var store = new Store(options => options.Rollups = "", time, statistics: asking);
        await store.Series.OpenAsync(Cancel);
        using var model = new MemorySeries();
        var batch = Enumerable.Range(0, 60 * 96).SelectMany(i => new[] { 1, 2 }.Select(stream => new Observation(stream, Midnight.AddDays(-60).AddMinutes(15 * i), i % 31 / 10.0, Quality.Good))).ToArray();
        await store.Series.AppendAsync(batch, Cancel);
        await model.AppendAsync(batch, Cancel);
        await store.Series.FlushAsync(Cancel);
        var days = new AggregateQuery(1, Midnight.AddDays(-60), Midnight, new BucketWidth(TimeSpan.FromDays(1)), Statistic.Mean);
        var condensing = store.Series.CondenseAsync([1, 2], DateTime.MinValue, Midnight.AddDays(-5), Cancel).AsTask();
        var asked = 0;
        for (; !condensing.IsCompleted; asked++)
        {
            await SameAsync(model, store.Series, days);
            await SameManyAsync(model, store.Series, days);
            asking.Asked();
        }

        Assert.Equal(2 * 55 * 96, await condensing);
        await SameAsync(model, store.Series, days);
        output.WriteLine($"{asked} times asked meanwhile");
        Assert.True(asked > 1, "it was asked meanwhile");
        Check(store);
    }

    [Fact]
    public async Task Rollups_that_are_no_longer_wanted_are_removed()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Midnight.AddDays(20)));
        await using var store = await Store.OpenAsync(options => options.Rollups = "00:15:00,01:00:00", time);
        await store.Series.AppendAsync(new[] { new Observation(1, Midnight, 1, Quality.Good), new Observation(int.MaxValue, Midnight, 2, Quality.Good) }, Cancel);
        await store.Series.FlushAsync(Cancel);
        await SettleAsync(store, time);
        Assert.Equal([15, 60], Rollups(store).Select(part => part.Rollup!.Minutes).Order());

        // A datastream too large to have rollups is answered all the same.
        var hours = new AggregateQuery(int.MaxValue, Midnight, Midnight.AddDays(1), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Sum);
        Assert.Equal(2, Assert.Single(await store.Series.AggregateAsync(hours, Cancel)).Value);
        await store.ReopenAsync(() => store.Options.Rollups = "01:00:00");
        await SettleAsync(store, time);
        Assert.Equal(60, Assert.Single(Rollups(store)).Rollup!.Minutes);

        // What is deleted is in no rollup any more.
        await store.Series.DeleteAsync([1, int.MaxValue], DateTime.MinValue, DateTime.MaxValue, Cancel);
        Assert.Empty(store.Series.Parts.Manifest.Parts);
        Assert.Empty(Directory.GetFiles(Path.Combine(store.Options.Folder, "parts", "rollups")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Derived_rollups_that_are_damaged_or_gone_cost_time_and_no_figure(bool isGone)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Midnight.AddDays(20)));
        await using var store = await Store.OpenAsync(time: time);
        using var count = new Served(store);
        using var model = new MemorySeries();
        var batch = Enumerable.Range(0, 1_000).Select(i => new Observation(1 + (i % 2), Midnight.AddMinutes(i), i % 13 / 10.0, Quality.Good)).ToArray();
        await store.Series.AppendAsync(batch, Cancel);
        await model.AppendAsync(batch, Cancel);
        await store.Series.FlushAsync(Cancel);
        await SettleAsync(store, time);
        var path = new SeriesFolder(store.Options.Folder).Part(Assert.Single(Rollups(store)));
        await store.ReopenAsync(() =>
        {
            if (isGone)
            {
                File.Delete(path);
                return;
            }

            // The first page of the first column.
            var bytes = File.ReadAllBytes(path);
            bytes[60] ^= 4;
            File.WriteAllBytes(path, bytes);
        });
        var hours = new AggregateQuery(1, Midnight.AddDays(-2), Midnight.AddDays(1), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Mean);
        await SameAsync(model, store.Series, hours);
        await SameManyAsync(model, store.Series, hours);

        // Something new for the month: then it is written anew.
        var late = new[] { new Observation(1, Midnight.AddDays(1), 7, Quality.Good) };
        await store.Series.AppendAsync(late, Cancel);
        await model.AppendAsync(late, Cancel);
        await store.Series.FlushAsync(Cancel);
        count.Take();
        await Eventually.TrueAsync(
            async () =>
            {
                time.Advance(TimeSpan.FromMinutes(11));
                await SameAsync(model, store.Series, hours);
                return count.Take() == 17;
            },
            "the rollups are back");
        Check(store);
    }

    [Fact]
    public async Task Manifests_of_the_version_before_are_read_and_of_one_to_come_are_not()
    {
        await using var store = await Store.OpenAsync();
        await store.Series.AppendAsync(new[] { new Observation(1, Midnight, 1, Quality.Good) }, Cancel);
        await store.Series.FlushAsync(Cancel);
        await store.ReopenAsync(() =>
        {
            var path = new SeriesFolder(store.Options.Folder).Manifest;
            var text = File.ReadAllText(path);
            Assert.StartsWith("hub-series 3 sha256 ", text, StringComparison.Ordinal);
            var body = text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..];
            var sum = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(body)));
            File.WriteAllText(path, $"hub-series 4 sha256 {sum}\n{body}");
            Assert.Contains("which reads versions 2 and 3", Assert.Throws<InvalidDataException>(() => Manifest.Read(path)).Message, StringComparison.Ordinal);
            File.WriteAllText(path, $"hub-series 2 sha256 {sum}\n{body}");
        });
        Assert.Equal(1, await store.Series.CountAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel));
    }

    [Theory]
    [InlineData("flipped")]
    [InlineData("kept flipped")]
    [InlineData("other rows")]
    [InlineData("unknown day")]
    public async Task Check_finds_rollups_that_are_damaged_or_do_not_match_their_observations(string what)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Midnight.AddDays(20)));
        await using var store = await Store.OpenAsync(time: time);
        await store.Series.AppendAsync(Enumerable.Range(0, 500).Select(i => new Observation(1 + (i % 3), Midnight.AddMinutes(i - 120), i % 13 / 10.0, Quality.Good)).ToArray(), Cancel);
        await store.Series.FlushAsync(Cancel);
        if (what == "kept flipped")
        {
            await store.Series.CondenseAsync([1, 2], DateTime.MinValue, DateTime.MaxValue, Cancel);
        }

        await SettleAsync(store, time);
        await store.Series.DisposeAsync();
        Check(store);
        var folder = new SeriesFolder(store.Options.Folder);
        var manifest = Manifest.Read(folder.Manifest);
        var rollups = what == "kept flipped" ? manifest.Parts.First(part => part.Kind == PartKind.Kept) : manifest.Parts.Single(part => part.Kind == PartKind.Rollups);
        var path = folder.Part(rollups);
        switch (what)
        {
            case "flipped" or "kept flipped":
                var bytes = File.ReadAllBytes(path);
                bytes[bytes.Length / 3] ^= 4;
                File.WriteAllBytes(path, bytes);
                Assert.Contains(Problems(store), problem => problem.Contains(path, StringComparison.Ordinal) && problem.Contains("damaged", StringComparison.Ordinal));
                return;
            case "other rows":
                Rewrite(path, rows => rows.Results[^1] += 0.1);
                break;
            default:
                Rewrite(path, rows => rows.Micros[^1] += EventTime.MicrosPerDay);
                break;
        }

        using (var reader = PartReader.Open(path))
        {
            (manifest with { Parts = manifest.Parts.Replace(rollups, rollups with { Summary = reader.Summary }) }).Write(folder.Manifest);
        }

        Assert.Contains(path, Assert.Single(Problems(store), problem => problem.Contains("differ from the observations", StringComparison.Ordinal)), StringComparison.Ordinal);

        static void Rewrite(string path, Action<ObservationColumns> change)
        {
            List<(int, ObservationColumns)> all = [];
            using (var walk = new PartWalk(PartReader.Open(path)))
            {
                while (walk.Datastream is { } key)
                {
                    var copy = new ObservationColumns();
                    copy.AddRange(walk.Rows, 0, walk.Rows.Count);
                    all.Add((key, copy));
                    walk.MoveNext(key);
                }
            }

            change(all[^1].Item2);
            using var writer = new PartWriter(path);
            all.ForEach(one => writer.Add(one.Item1, one.Item2));
            writer.Complete();
        }
    }

    [Fact]
    public async Task Others_can_read_the_files_by_the_example_of_the_README()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Midnight.AddDays(20)));
        await using var store = await Store.OpenAsync(time: time);
        var batch = Enumerable.Range(0, 600).Select(i => new Observation(4_711 + (i % 2), Midnight.AddMinutes(i), 20 + (i * 7 % 13 / 10.0), Quality.Good)).ToArray();
        await store.Series.AppendAsync(batch, Cancel);
        await store.Series.FlushAsync(Cancel);
        await SettleAsync(store, time);
        var readme = Repository.Read("cloud/Series/Embedded/Rollups/README.md");
        var sql = readme[(readme.IndexOf("```sql", StringComparison.Ordinal) + 6)..].Split("```")[0].Replace("*.parquet", Path.Combine(store.Options.Folder, "parts", "rollups", "*.parquet"), StringComparison.Ordinal);
        using var database = new DuckDBConnection("DataSource=:memory:");
        database.Open();
        using var command = database.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var means = await store.Series.AggregateAsync(new AggregateQuery(4_711, Midnight, Midnight.AddDays(1), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Mean), Cancel);
        Assert.Equal(10, means.Count);
        foreach (var mean in means)
        {
            Assert.True(reader.Read());
            Assert.Equal(mean.Start, DateTime.SpecifyKind(reader.GetDateTime(0), DateTimeKind.Utc));
            Assert.Equal((mean.Count, mean.Min, mean.Max), (reader.GetInt64(1), reader.GetDouble(2), reader.GetDouble(3)));
            Assert.Equal(mean.Value, reader.GetDouble(4), 1e-9);
        }

        Assert.False(reader.Read());
    }

    /// <summary>Lets time pass until nothing is left to be merged or rolled up.</summary>
    private static async Task SettleAsync(Store store, FakeTimeProvider time) => await Eventually.TrueAsync(
        () =>
        {
            time.Advance(TimeSpan.FromMinutes(11));
            var parts = store.Series.Parts.Manifest.Parts;
            return CompactionPlan.Next(parts, time.GetUtcNow(), store.Options.PartsPerDayMax, store.Options.SettleAfter) is null
                && RollupPlan.Next(parts, store.Options.RollupResolutions, time.GetUtcNow(), store.Options.SettleAfter, new HashSet<int>()) is null;
        },
        "everything has settled");

    private static List<PartInfo> Rollups(Store store) => [.. store.Series.Parts.Manifest.Parts.Where(part => part.Kind == PartKind.Rollups)];

    /// <summary>What was deleted is in no rollup. A merge may follow at once: a rollup then names a part that is gone, so it is the rows that are looked at.</summary>
    private static void CheckDeleted(Store store, Delete delete)
    {
        using var version = store.Series.Parts.Take();
        var rows = new ObservationColumns();
        foreach (var part in version.Parts.Where(part => part.Info.Kind == PartKind.Rollups))
        {
            var cell = TimeSpan.FromMinutes(part.Info.Rollup!.Minutes).Ticks / TimeSpan.TicksPerMicrosecond;
            using var reader = PartReader.Open(part.Path);
            for (var code = 0; code < RollupCells.CodesPerDatastream; code++)
            {
                rows.Clear();
                Assert.Equal(0, reader.Read((delete.Stream * RollupCells.CodesPerDatastream) + code, EventTime.Micros(delete.From), EventTime.Micros(delete.To) - cell + 1, rows));
            }
        }
    }

    private static void Check(Store store) => Assert.Empty(Problems(store));

    private static IReadOnlyList<string> Problems(Store store) => new SeriesCheck(new SeriesFolder(store.Options.Folder), static _ => { }).Run(Cancel).Problems;

    /// <summary>Many questions, of one datastream and of all.</summary>
    private static async Task<int> SameAsync(MemorySeries model, EmbeddedSeries series)
    {
        var asked = 0;
        Assert.Equal(await model.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel), await series.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
        for (var stream = 1; stream <= Streams; stream++)
        {
            var rows = await series.RangeAsync(stream, DateTime.MinValue, DateTime.MaxValue, Cancel).ToListAsync(Cancel);
            Assert.Equal(await model.RangeAsync(stream, DateTime.MinValue, DateTime.MaxValue, Cancel).ToListAsync(Cancel), rows);
            Assert.Equal(rows.Count, await series.CountAsync(stream, DateTime.MinValue, DateTime.MaxValue, Cancel));
        }

        foreach (var every in Widths)
        {
            foreach (var statistic in Enum.GetValues<Statistic>())
            {
                var question = new AggregateQuery(
                    1 + (asked % Streams), Midnight.AddDays(-1).AddMinutes(asked * 37 % 4_000), Midnight.AddDays(5).AddMinutes(-(asked * 53 % 4_000)), every, statistic, asked % 3 == 0 ? Quality.Stuck : Quality.Good)
                {
                    Cadence = TimeSpan.FromMinutes(asked % 2),
                };
                question = asked % 4 == 0 ? question : question with { From = DateTime.MinValue, To = DateTime.MaxValue };
                await SameAsync(model, series, question);
                if (asked % 5 == 0)
                {
                    await SameManyAsync(model, series, question);
                }

                asked++;
            }
        }

        return asked;
    }

    private static async Task SameAsync(MemorySeries model, EmbeddedSeries series, AggregateQuery question) =>
        Assert.Equal(Fold(model, question).Select(Exactly), (await series.AggregateAsync(question, Cancel)).Select(Exactly));

    private static async Task SameManyAsync(MemorySeries model, EmbeddedSeries series, AggregateQuery question)
    {
        var answers = await series.AggregateManyAsync([.. Enumerable.Range(1, Streams)], question, Cancel);
        for (var stream = 1; stream <= Streams; stream++)
        {
            Assert.Equal(Fold(model, question with { Datastream = stream }).Select(Exactly), (answers.GetValueOrDefault(stream) ?? []).Select(Exactly));
        }
    }

    /// <summary>The observations of the model, folded in memory.</summary>
    private static IReadOnlyList<Bucket> Fold(MemorySeries model, AggregateQuery question)
    {
        var fold = new BucketFold(question, 1_000_000);
        foreach (var row in model.Members(question))
        {
            fold.Add(EventTime.Micros(row.PhenomenonTime), row.Result, row.Quality, row.Coverage);
        }

        return fold.Complete();
    }

    private static (Bucket, long, long, long, long) Exactly(Bucket bucket) =>
        (bucket, BitConverter.DoubleToInt64Bits(bucket.Value), BitConverter.DoubleToInt64Bits(bucket.Coverage), BitConverter.DoubleToInt64Bits(bucket.Min), BitConverter.DoubleToInt64Bits(bucket.Max));

    private abstract record Step;

    private sealed record Append(Observation[] Batch) : Step
    {
        public override string ToString() => $"Append {string.Join("; ", Batch.Select(o => FormattableString.Invariant($"{o.Datastream} {o.PhenomenonTime:dd HH:mm} {o.Result:R} {o.Quality} r{o.Revision} {o.Coverage}")))}";
    }

    private sealed record Flush : Step;

    private sealed record Settle : Step;

    private sealed record Ask : Step;

    /// <summary>A stop with no time at all leaves what is in memory to the log, as a crash does.</summary>
    private sealed record Restart(TimeSpan StopWithin) : Step;

    private sealed record Condense(int[] Streams, DateTime From, DateTime To) : Step
    {
        public override string ToString() => FormattableString.Invariant($"Condense {string.Join(',', Streams)} {From:dd HH:mm} {To:dd HH:mm}");
    }

    private sealed record Delete(int Stream, DateTime From, DateTime To) : Step;

    /// <summary>Knows nothing, and says so only when it has been asked a question twice: who condenses asks for each datastream and day, and waits here in the middle of its work.</summary>
    private sealed class AskedFirst : IDatastreamStatistics, IDisposable
    {
        private readonly CountdownEvent _left = new(2);

        public void Asked() => _ = !_left.IsSet && _left.Signal();

        public Statistic? Of(int datastream)
        {
            _left.Wait(Cancel);
            return null;
        }

        public void Dispose() => _left.Dispose();
    }

    /// <summary>Knows some of the datastreams: one of levels, one of directions, one of neither.</summary>
    private sealed class Knowing : IDatastreamStatistics
    {
        public Statistic? Of(int datastream) => datastream switch { 1 => Statistic.EnergyMean, 2 => Statistic.CircularMean, 3 => Statistic.Mean, _ => null };
    }
}
