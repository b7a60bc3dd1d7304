using System.Diagnostics.Metrics;
using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.QualityControl.Tests;

public sealed class QualityRunnerTests
{
    private static readonly CheckParameters Bounds = new() { Range = new RangeParameters(0, 50) };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Changes_are_gathered_and_judged_without_being_asked()
    {
        await using var bench = await StartAsync();
        await bench.CaughtUpAsync();
        await bench.AppendAsync(At(1, 0, 60));
        await Eventually.TrueAsync(
            () =>
            {
                bench.Time.Advance(TimeSpan.FromSeconds(10));
                return bench.Book.At(1, QualityBench.T0) == Quality.OutOfRange;
            },
            "the value is flagged");
    }

    [Fact]
    public async Task A_correction_takes_the_finding_back_and_others_keep_their_numbers()
    {
        await using var bench = await StartAsync();
        await bench.AppendAsync(At(1, 0, 60), At(1, 1, 10), At(1, 2, 70));
        await bench.CaughtUpAsync();
        var before = await NumbersAsync(bench);
        await bench.AppendAsync(At(1, 2, 10) with { Revision = 1 });
        await bench.CaughtUpAsync();
        Assert.Equal([before[0]], await NumbersAsync(bench));
        Assert.Equal(Quality.Good, bench.Book.At(1, QualityBench.T0.AddMinutes(30)));
    }

    [Fact]
    public async Task A_declaration_judges_what_was_before_it_and_its_end_too()
    {
        await using var bench = await StartAsync();
        await bench.AppendAsync([.. Enumerable.Range(0, 400).Select(quarter => At(1, quarter, quarter % 50))]);
        await bench.CaughtUpAsync();
        Assert.Empty(await bench.FindingsAsync());
        var declared = await bench.Quality.DeclareAsync("braga", "pm10", QualityBench.T0.AddDays(1), new CheckParameters { Range = new RangeParameters(0, 48) }, "ana", Cancel);
        await bench.CaughtUpAsync();
        Assert.Equal(2, declared.Version);
        var found = await bench.FindingsAsync();
        Assert.Equal(7, found.Count);
        Assert.All(found, finding => Assert.Equal((QualityCheck.Range, 49.0, 48.0, 2, 1), (finding.Check, finding.Value, finding.Limit, finding.Version, finding.Count)));

        // The hub's own: nothing tighter than the catalogue.
        await bench.Quality.DeclareAsync("braga", "pm10", null, null, "ana", Cancel);
        await bench.CaughtUpAsync();
        Assert.Empty(await bench.FindingsAsync());
        Assert.Equal([1, 2, 3], bench.Quality.Declarations("braga").Select(declaration => declaration.Version));
        Assert.Equal(0, bench.Book.Count);
        Assert.Equal(3, bench.Quality.InForce("braga", "pm10", QualityBench.T0).Version);
    }

    [Fact]
    public async Task A_declaration_survives_a_stop_before_it_is_taken_up()
    {
        await using var bench = await StartAsync();
        await bench.AppendAsync(At(1, 0, 45));
        await bench.CaughtUpAsync();
        await bench.Runner.StopAsync(Cancel);
        await bench.Quality.DeclareAsync("braga", "pm10", null, new CheckParameters { Range = new RangeParameters(0, 40) }, "ana", Cancel);
        await bench.StopRunnerAsync();
        await bench.StartRunnerAsync();
        await bench.CaughtUpAsync();
        Assert.Equal(40, Assert.Single(await bench.FindingsAsync()).Limit);
    }

    [Fact]
    public async Task A_datastream_that_stations_do_not_know_yet_is_judged_when_they_do()
    {
        await using var bench = await StartAsync();
        await bench.AppendAsync(At(9, 0, 60));
        await bench.CaughtUpAsync();
        await bench.StopRunnerAsync();
        await bench.StartRunnerAsync();
        await bench.CaughtUpAsync();
        Assert.Empty(await bench.FindingsAsync());
        await bench.AppendAsync(At(9, 1, 60));
        await bench.CaughtUpAsync();
        bench.Stations.Add(9, "b", "pm10", "sds011");
        await bench.CaughtUpAsync();
        Assert.Equal(2, Assert.Single(await bench.FindingsAsync()).Count);
    }

    /// <summary>A value stands out at 06:00 of each of four days. Three neighbours say so; when one of them moves away, two are too few from then on.</summary>
    [Fact]
    public async Task Days_since_a_station_moved_are_judged_anew_and_no_others()
    {
        await using var bench = await SpikesAsync();
        Assert.Equal([0, 1, 2, 3], await DaysAsync(bench));

        // In the morning of the third day, after six: told days later, while nothing is running. What is missing of the first day shows that it is not judged again.
        await StopWithoutAsync(0);
        bench.Stations.Move("d", 30_000, QualityBench.T0.AddDays(2).AddHours(7));
        await bench.StartRunnerAsync();
        await bench.CaughtUpAsync();
        Assert.Equal([1, 2], await DaysAsync(bench));

        // It is taken up once.
        await StopWithoutAsync(2);
        await bench.StartRunnerAsync();
        await bench.CaughtUpAsync();
        Assert.Equal([1], await DaysAsync(bench));

        // A crash before it is stored what is to be judged: it is taken up again. A dry run asks where they stood, too.
        var cursor = await bench.CursorAsync();
        bench.Stations.Move("d", 600, QualityBench.T0.AddDays(3).AddHours(1));
        await bench.CrashAsync(cursor);
        await bench.CaughtUpAsync();
        Assert.Equal([1, 3], await DaysAsync(bench));
        bench.Stations.Move("d", 30_000, QualityBench.T0.AddDays(3).AddHours(2));
        var trial = Assert.Single(await bench.Quality.TryAsync("braga", "pm10", "a", QualityBench.T0, QualityBench.T0.AddDays(4), null, Cancel));
        Assert.Equal(3, trial.Flagged[QualityCheck.Spike]);
        await Eventually.TrueAsync(
            () =>
            {
                bench.Time.Advance(TimeSpan.FromSeconds(10));
                return bench.Book.At(1, QualityBench.T0.AddDays(3).AddHours(6)) == Quality.Good;
            },
            "it is judged without being asked");

        async Task StopWithoutAsync(int day)
        {
            var number = Instants.Day(Instants.Micros(QualityBench.T0)) + day;
            await bench.Runner.StopAsync(Cancel);
            await using (var db = await bench.Contexts.CreateDbContextAsync(Cancel))
            {
                await db.Findings.Where(row => row.Day == number).ExecuteDeleteAsync(Cancel);
            }

            await bench.StopRunnerAsync();
        }

        static async Task<QualityBench> SpikesAsync()
        {
            var bench = await QualityBench.StartAsync(bench =>
            {
                foreach (var (id, station, metres) in new[] { (1, "a", 0), (2, "b", 200), (3, "c", 400), (4, "d", 600) })
                {
                    bench.Stations.Add(id, station, "pm10", "sds011", metres);
                }
            });
            await bench.Quality.DeclareAsync("braga", "pm10", null, new CheckParameters { Spike = new SpikeParameters(Floor: 15, WithinSeconds: 3_600) }, "ana", Cancel);
            await bench.AppendAsync([.. Enumerable.Range(1, 4).SelectMany(id => Enumerable.Range(0, 4 * 96).Select(quarter => At(id, quarter, id == 1 && quarter % 96 == 24 ? 90 : 20 + (quarter % 3))))]);
            await bench.CaughtUpAsync();
            return bench;
        }

        static async Task<List<int>> DaysAsync(QualityBench bench) => [.. (await bench.FindingsAsync()).Select(finding => (int)(finding.From - QualityBench.T0).TotalDays)];
    }

    [Fact]
    public async Task A_failing_store_is_tried_again_and_nothing_is_lost()
    {
        await using var bench = await StartAsync();
        await bench.CaughtUpAsync();
        await using (var db = await bench.Contexts.CreateDbContextAsync(Cancel))
        {
            await db.Database.ExecuteSqlRawAsync("ALTER TABLE quality_finding RENAME TO away", Cancel);
            await bench.AppendAsync(At(1, 0, 60));
            var caughtUp = bench.CaughtUpAsync();
            var failures = 0L;
            using var listener = Listen(bench, "hub.quality.failures", (value, _) => Interlocked.Add(ref failures, value));
            await Eventually.TrueAsync(
                () =>
                {
                    bench.Time.Advance(TimeSpan.FromSeconds(5));
                    return Interlocked.Read(ref failures) > 1;
                },
                "it fails again");
            Assert.False(caughtUp.IsCompleted);
            Assert.Equal(Quality.Good, bench.Book.At(1, QualityBench.T0));
            await db.Database.ExecuteSqlRawAsync("ALTER TABLE away RENAME TO quality_finding", Cancel);
            await Eventually.TrueAsync(
                () =>
                {
                    bench.Time.Advance(TimeSpan.FromSeconds(30));
                    return caughtUp.IsCompleted;
                },
                "it succeeds");
        }

        Assert.Single(await bench.FindingsAsync());
        Assert.Equal(Quality.OutOfRange, bench.Book.At(1, QualityBench.T0));
    }

    [Fact]
    public async Task Findings_beyond_the_limit_of_a_datastream_are_refused_and_counted()
    {
        var refused = 0L;
        await using var bench = await StartAsync(bench => bench.Settings["Hub:QualityControl:FindingsPerDatastreamMax"] = "100");
        using var listener = Listen(bench, "hub.quality.findings_refused", (value, _) => Interlocked.Add(ref refused, value));

        // The declaration is taken up before there is anything to judge: else the days may be judged once for it and once for their observations, and what is refused is refused twice.
        await bench.CaughtUpAsync();
        await bench.AppendAsync([.. Enumerable.Range(0, 5 * 96).Select(quarter => At(1, quarter, quarter % 2 == 0 ? 60 : 20))]);
        await bench.CaughtUpAsync();
        var found = await bench.FindingsAsync();
        Assert.Equal(96, found.Count);
        Assert.Equal(96, bench.Book.Count);
        Assert.Equal(144, Interlocked.Read(ref refused));
        Assert.Equal(QualityBench.T0.AddDays(3), found[0].From);
    }

    [Fact]
    public async Task Series_older_than_the_findings_are_judged_anew()
    {
        await using var bench = await StartAsync();
        await bench.AppendAsync(At(1, 0, 60));
        await bench.CaughtUpAsync();
        await bench.StopRunnerAsync();
        await bench.StartRunnerAsync();
        await using (var db = await bench.Contexts.CreateDbContextAsync(Cancel))
        {
            await bench.Runner.StopAsync(Cancel);
            await db.Cursors.ExecuteUpdateAsync(set => set.SetProperty(row => row.Commit, 1_000), Cancel);
            await db.Findings.ExecuteDeleteAsync(Cancel);
        }

        await bench.StopRunnerAsync();
        await using (var again = bench)
        {
            await bench.StartRunnerAsync();
            await bench.CaughtUpAsync();
            Assert.Single(await bench.FindingsAsync());
        }
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_flagged_and_stores_nothing()
    {
        await using var bench = await StartAsync();
        await bench.AppendAsync([.. Enumerable.Range(0, 200).Select(quarter => At(1, quarter, quarter % 50))]);
        await bench.CaughtUpAsync();
        var trial = Assert.Single(await bench.Quality.TryAsync("braga", "pm10", "a", QualityBench.T0.AddHours(1), QualityBench.T0.AddDays(2), new CheckParameters { Range = new RangeParameters(0, 47) }, Cancel));
        Assert.Equal((1, 6L), (trial.Datastream, trial.Flagged[QualityCheck.Range]));
        Assert.Equal([48, 98, 148], trial.Findings.Select(finding => (int)(finding.From - QualityBench.T0).TotalMinutes / 15));
        Assert.Empty(await bench.FindingsAsync());
        Assert.Empty(Assert.Single(await bench.Quality.TryAsync("braga", "pm10", "a", QualityBench.T0, QualityBench.T0.AddDays(2), null, Cancel)).Findings);
    }

    public static TheoryData<string, string, CheckParameters?> Refused => new()
    {
        { "aveiro", "pm10", Bounds },
        { "braga", "pm11", Bounds },
        { "braga", "pm10", new CheckParameters { Range = new RangeParameters(5, 5) } },
        { "braga", "pm10", new CheckParameters { Range = new RangeParameters(double.NaN, 5) } },
        { "braga", "pm10", new CheckParameters { Step = new StepParameters(0, 1) } },
        { "braga", "pm10", new CheckParameters { Step = new StepParameters(1, -1) } },
        { "braga", "pm10", new CheckParameters { Step = new StepParameters(1, 1, 100_000) } },
        { "braga", "pm10", new CheckParameters { FlatLine = new FlatLineParameters(59) } },
        { "braga", "pm10", new CheckParameters { FlatLine = new FlatLineParameters(60, -1) } },
        { "braga", "pm10", new CheckParameters { Spike = new SpikeParameters(1, NeighboursMin: 2) } },
        { "braga", "pm10", new CheckParameters { Spike = new SpikeParameters(1, WithinMetres: 200_000) } },
        { "braga", "pm10", new CheckParameters { Humidity = new HumidityParameters(101, 60, ["x"]) } },
        { "braga", "pm10", new CheckParameters { Humidity = new HumidityParameters(85, 60, []) } },
        { "braga", "pm10", new CheckParameters { Drift = new DriftParameters("nowhere", 1) } },
        { "braga", "pm10", new CheckParameters { Drift = new DriftParameters("a", 1, Days: 32) } },
    };

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public async Task Wrong_declarations_are_refused_and_change_nothing(string municipality, string property, CheckParameters? parameters)
    {
        await using var bench = await StartAsync();
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await bench.Quality.DeclareAsync(municipality, property, null, parameters, "ana", Cancel));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await bench.Quality.TryAsync(municipality, property, null, QualityBench.T0, QualityBench.T0.AddDays(1), parameters, Cancel));
        Assert.Single(bench.Quality.Declarations("braga"));
    }

    [Theory]
    [InlineData("Hub:QualityControl:Every", "00:00:00")]
    [InlineData("Hub:QualityControl:ProcessorShare", "0")]
    [InlineData("Hub:QualityControl:ProcessorShare", "NaN")]
    [InlineData("Hub:QualityControl:FindingsMax", "1")]
    [InlineData("Hub:QualityControl:FindingsPerDatastreamMax", "1")]
    public async Task A_setting_out_of_range_is_named(string key, string value)
    {
        var refused = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => QualityBench.StartAsync(bench => bench.Settings[key] = value));
        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Days_pending_are_bounded_and_cover_everything()
    {
        var spans = new Spans(perDatastreamMax: 3, near: 1);
        var numbers = new SortedSet<long>();
        var random = new Random(5);
        for (var at = 0; at < 200; at++)
        {
            long from = random.Next(1_000);
            var to = from + random.Next(5);
            spans.Add(1, from, to);
            for (var number = from; number <= to; number++)
            {
                numbers.Add(number);
            }

            var held = spans.All.ToList();
            Assert.True(held.Count <= 3);
            Assert.Equal(held.OrderBy(span => span.From), held);
            Assert.All(numbers, number => Assert.Contains(held, span => span.From <= number && number <= span.To));
        }

        var last = spans.Last(10);
        Assert.Equal((numbers.Max, 1), (last.Number, Assert.Single(last.Datastreams)));
        while (spans.Count > 0)
        {
            spans.RemoveLast(1, spans.Last(1).Number);
        }

        Assert.Empty(spans.All);
    }

    private static async Task<QualityBench> StartAsync(Action<QualityBench>? prepare = null)
    {
        var bench = await QualityBench.StartAsync(bench =>
        {
            bench.Stations.Add(1, "a", "pm10", "sds011");
            prepare?.Invoke(bench);
        });
        await bench.Quality.DeclareAsync("braga", "pm10", null, Bounds, "ana", Cancel);
        return bench;
    }

    private static Observation At(int datastream, int quarter, double value) => new(datastream, QualityBench.T0.AddMinutes(quarter * 15), value, Quality.Good);

    private static async Task<List<long>> NumbersAsync(QualityBench bench) =>
        [.. (await bench.Quality.FindingsAsync(new FindingsQuery([1], QualityBench.T0, QualityBench.T0.AddDays(9), null, 0, 100), Cancel)).OrderBy(one => one.Finding.From).Select(one => one.Number)];

    private static MeterListener Listen(QualityBench bench, string name, Action<long, string?> heard)
    {
        var instruments = bench.Instruments;
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == name && instruments.Owns(instrument.Meter))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => heard(value, tags.Length > 0 ? tags[0].Value?.ToString() : null));
        listener.Start();
        return listener;
    }
}
