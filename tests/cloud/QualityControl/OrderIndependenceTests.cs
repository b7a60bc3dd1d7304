using CsCheck;
using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.QualityControl.Tests;

/// <summary>
/// Promise 2: the findings are a function of the set of observations. Each case makes a set, delivers it shuffled, duplicated and in batches, with declarations, stops, starts and crashes in between, and
/// compares the findings with one pass over the set in order.
/// </summary>
public sealed class OrderIndependenceTests
{
    private const int Days = 4;

    private static readonly CheckParameters First = new() { Range = new RangeParameters(0, 60) };

    private static readonly CheckParameters Second = new()
    {
        Range = new RangeParameters(0, 90),
        Step = new StepParameters(Change: 25, PerHour: 10, GapSeconds: 2 * 3_600),
        FlatLine = new FlatLineParameters(ForSeconds: 5 * 3_600, Tolerance: 1, GapSeconds: 3 * 3_600, NaturalBelow: 2),
        Spike = new SpikeParameters(Floor: 15, Deviations: 2, WithinSeconds: 3 * 3_600),
        Humidity = new HumidityParameters(85, 3_600, ["sds011"]),
        Drift = new DriftParameters("e", Difference: 8, Days: 2),
    };

    private static readonly Gen<Observation> AnyObservation =
        from datastream in Gen.Int[1, 7]
        from quarter in Gen.OneOf(Gen.Int[0, (Days * 96) - 1], Gen.Int[80, 130])
        from value in Gen.Frequency((3, Gen.Const(20.0)), (3, Gen.Const(21.0)), (2, Gen.Double[0, 100]), (1, Gen.Const(1.0)))
        from quality in Gen.Frequency((15, Gen.Const(Quality.Good)), (1, Gen.Const(Quality.WarmingUp)))
        from revision in Gen.Frequency((5, Gen.Const(0)), (1, Gen.Const(1)))
        select new Observation(datastream, QualityBench.T0.AddMinutes(quarter * 15), datastream == 7 ? value + 60 : value, quality) { Revision = revision };

    /// <summary>Stations that move while it is delivered, told in this order: away and back within a day, to where the far one was, and the far one to the others; the last is told after it was overtaken.</summary>
    private static readonly (string Station, int Metres, int Hours)[] Moves = [("b", 40_000, 24), ("b", 200, 33), ("far", 450, 50), ("c", 20_100, 62), ("e", 21_000, 58)];

    /// <summary>What happens between two batches.</summary>
    private enum Between
    {
        Nothing,
        CatchUp,
        Restart,
        Remember,
        Crash,
        Wait,
        Declare,
        Move,
    }

    private static readonly Gen<(Observation[] Delivery, int[] Sizes, Between[] Betweens)> AnyDelivery =
        from set in AnyObservation.Array[50, 700]
        from order in Gen.Int[0, 3]
        from shuffled in Gen.Shuffle(set)
        from again in Gen.Int[0, set.Length - 1].Array[0, 30]
        from sizes in Gen.Int[1, 200].Array[1, 12]
        from betweens in Gen.Frequency(
            (4, Gen.Const(Between.Nothing)), (6, Gen.Const(Between.CatchUp)), (1, Gen.Const(Between.Restart)), (2, Gen.Const(Between.Remember)), (2, Gen.Const(Between.Crash)), (2, Gen.Const(Between.Wait)), (1, Gen.Const(Between.Declare)), (2, Gen.Const(Between.Move))).Array[1, 12]
        select ((Observation[])[.. Ordered(set, shuffled, order), .. again.Select(index => set[index])], sizes, betweens);

    /// <summary>In order of time, in none, or one datastream after the other: what a verdict was compared with then comes long after it.</summary>
    private static IEnumerable<Observation> Ordered(Observation[] set, Observation[] shuffled, int order) => order switch
    {
        0 => set.OrderBy(o => o.PhenomenonTime),
        1 => shuffled,
        2 => shuffled.OrderBy(o => o.Datastream),
        _ => shuffled.OrderByDescending(o => o.Datastream),
    };

    [Fact]
    public async Task Any_delivery_of_the_same_observations_ends_in_the_same_findings() => await AnyDelivery.SampleAsync(CheckAsync, iter: 150, threads: 2);

    private static async Task CheckAsync((Observation[] Delivery, int[] Sizes, Between[] Betweens) sample)
    {
        await using var bench = await QualityBench.StartAsync(bench =>
        {
            foreach (var (id, station, metres) in new[] { (1, "a", 0), (2, "b", 300), (3, "c", 600), (4, "c", 600), (5, "e", 900), (6, "far", 20_000) })
            {
                bench.Stations.Add(id, station, "pm10", id == 5 ? "gravimetric" : "sds011", metres);
            }

            bench.Stations.Add(7, "a", "relative_humidity", "bme280");
        });
        await bench.Quality.DeclareAsync("braga", "pm10", null, First, "ana", default);
        var (isDeclared, moves) = (false, 0);
        var remembered = await bench.CursorAsync();
        for (int at = 0, batch = 0; at < sample.Delivery.Length; batch++)
        {
            var size = Math.Min(sample.Sizes[batch % sample.Sizes.Length], sample.Delivery.Length - at);
            await bench.AppendAsync(sample.Delivery[at..(at + size)]);
            at += size;
            switch (sample.Betweens[batch % sample.Betweens.Length])
            {
                case Between.CatchUp:
                    await bench.CaughtUpAsync();
                    break;
                case Between.Restart:
                    await bench.StopRunnerAsync();
                    await bench.StartRunnerAsync();
                    break;
                case Between.Remember:
                    remembered = await bench.CursorAsync();
                    break;
                case Between.Crash:
                    await bench.CrashAsync(remembered);
                    break;
                case Between.Wait:
                    bench.Time.Advance(TimeSpan.FromSeconds(40));
                    break;
                case Between.Declare when !isDeclared:
                    await DeclareAsync();

                    // A crash keeps the mark of a declaration that was not taken up; what was remembered before must not take it back.
                    await bench.CaughtUpAsync();
                    await bench.StopRunnerAsync();
                    await bench.StartRunnerAsync();
                    remembered = await bench.CursorAsync();
                    break;
                case Between.Move when moves < Moves.Length:
                    Move();
                    break;
                default:
                    break;
            }
        }

        while (moves < Moves.Length)
        {
            Move();
        }

        if (!isDeclared)
        {
            await DeclareAsync();
        }

        await bench.CaughtUpAsync();
        Assert.Empty(bench.Failures);
        var expected = await ExpectedAsync(bench);
        Assert.Equal(expected, await bench.FindingsAsync());
        CheckOverlay(bench, expected);

        // And as read back from the store.
        await bench.StopRunnerAsync();
        await bench.StartRunnerAsync();
        Assert.Equal(expected, await bench.FindingsAsync());
        CheckOverlay(bench, expected);

        void Move()
        {
            var (station, metres, hours) = Moves[moves++];
            bench.Stations.Move(station, metres, QualityBench.T0.AddHours(hours));
        }

        async Task DeclareAsync()
        {
            isDeclared = true;
            await bench.Quality.DeclareAsync("braga", "pm10", QualityBench.T0.AddHours(18), Second, "ana", default);
        }
    }

    /// <summary>Every day of every datastream judged once, in order, after everything has arrived.</summary>
    private static async Task<List<Finding>> ExpectedAsync(QualityBench bench)
    {
        var places = new Neighbourhood(bench.Stations, bench.Stations);
        await places.ReadAsync(default);
        var history = new ParameterHistory(
            [
                new CheckDeclaration("braga", "pm10", 1, Instants.Earliest, First, "ana", QualityBench.T0), new CheckDeclaration("braga", "pm10", 2, QualityBench.T0.AddHours(18), Second, "ana", QualityBench.T0),
            ],
            CheckDefaults.Of("pm10"));
        var humidity = new ParameterHistory([], CheckDefaults.Of("relative_humidity"));
        var found = new List<Finding>();
        for (var id = 1; id <= 7; id++)
        {
            Assert.True(bench.Stations.TryGetDatastream(id, out var stream));
            for (var day = Instants.Day(Instants.Micros(QualityBench.T0)); day < Instants.Day(Instants.Micros(QualityBench.T0)) + Days; day++)
            {
                var segments = (id == 7 ? humidity : history).Within(Instants.Begin(day), Instants.Begin(day + 1));
                found.AddRange((await DayJudge.JudgeAsync(places.On(stream, day), day, segments, new SeriesSource(bench.Series), default)).Findings);
            }
        }

        return [.. found.OrderBy(one => one.Datastream).ThenBy(one => one.Check).ThenBy(one => one.From)];
    }

    private static void CheckOverlay(QualityBench bench, List<Finding> findings)
    {
        for (var id = 1; id <= 7; id++)
        {
            for (var quarter = 0; quarter < Days * 96; quarter++)
            {
                var time = QualityBench.T0.AddMinutes(quarter * 15);
                var expected = findings.Where(one => one.Datastream == id && one.From <= time && time < one.To).Aggregate(Quality.Good, (flags, one) => flags | one.Flag);
                Assert.Equal(expected, bench.Book.At(id, time));
            }
        }
    }
}
