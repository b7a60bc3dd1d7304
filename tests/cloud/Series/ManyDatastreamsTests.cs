using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>One question about many datastreams, over stores of every shape: the same as one by one.</summary>
public sealed class ManyDatastreamsTests
{
    private static readonly DateTime Midnight = new(2026, 10, 25, 0, 0, 0, DateTimeKind.Utc);

    private static readonly Gen<Shape> SomeShape = Gen.Select(
        Gen.Int[1, 400], Gen.Int[1, 60], Among(7, 900, 1_000_000), Among(1, 3, 16), Among(0, 0, 0, 3), Gen.Int[0, int.MaxValue],
        (datastreams, minutes, flush, parts, late, seed) => new Shape(datastreams, minutes, flush, parts, late, seed));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Same_as_one_by_one_whatever_is_in_memory_and_in_parts() => await SomeShape.SampleAsync(
        async shape =>
        {
            var random = new Random(shape.Seed);
            await using var store = await Store.OpenAsync(options =>
                (options.FlushObservationsMax, options.PartsPerDayMax, options.OpenPartsMax, options.QueriesMax) = (shape.Flush, shape.Parts, 1 + random.Next(3), 1 + random.Next(5)));
            for (var minute = 0; minute < shape.Minutes; minute += 10)
            {
                await store.Series.AppendAsync(Batch(shape, random, minute), Cancel);
                if (random.Next(4) == 0)
                {
                    await store.Series.FlushAsync(Cancel);
                }
            }

            foreach (var statistic in new[] { Statistic.Mean, Statistic.Percentile, Statistic.EnergyMean })
            {
                var asked = Enumerable.Range(1, shape.Datastreams + 20).Where(_ => random.Next(3) > 0).ToArray();
                random.Shuffle(asked);
                await SameAsync(store.Series, asked, new AggregateQuery(0, Midnight.AddMinutes(random.Next(-30, 10)), Midnight.AddMinutes(random.Next(0, 60)), new BucketWidth(TimeSpan.FromMinutes(1 + random.Next(40))), statistic)
                {
                    Cadence = TimeSpan.FromMinutes(random.Next(2)),
                });
            }
        },
        iter: 30,
        threads: 1);

    [Fact]
    public async Task Bundles_shared_and_datastreams_longer_than_one()
    {
        await using var store = await Store.OpenAsync(options => options.FlushObservationsMax = 1_000_000);

        // Datastream 30 has more rows a day than a bundle and than a step; the others share bundles with their neighbours. All go on after midnight.
        var from = Midnight.AddHours(-20);
        for (var datastream = 1; datastream <= 60; datastream++)
        {
            var (rows, step) = datastream == 30 ? (200_000, TimeSpan.FromMilliseconds(400)) : (1_300, TimeSpan.FromMinutes(1));
            await store.Series.AppendAsync(Enumerable.Range(0, rows).Select(i => new Observation(datastream, from + (step * i), (i % 97) / 10.0, Quality.Good)).ToArray(), Cancel);
        }

        await store.Series.FlushAsync(Cancel);
        await store.Series.AppendAsync(Enumerable.Range(1, 60).Select(datastream => new Observation(datastream, Midnight.AddHours(-1), 7, Quality.Good) { Revision = 1 }).ToArray(), Cancel);
        var hours = new AggregateQuery(0, from, Midnight.AddHours(-2), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Mean) { Cadence = TimeSpan.FromMinutes(1) };
        int[] some = [.. Enumerable.Range(1, 70).Where(datastream => datastream % 3 != 1)];
        await SameAsync(store.Series, some, hours);
        await SameAsync(store.Series, some, hours with { To = DateTime.MaxValue, Statistic = Statistic.Last });
        await SameAsync(store.Series, [30, 31, 32], hours with { To = DateTime.MaxValue });
        await SameAsync(store.Series, [30], hours with { From = Midnight.AddHours(-15), Statistic = Statistic.Percentile });
    }

    [Fact]
    public async Task More_buckets_in_all_than_allowed_are_refused()
    {
        await using var store = await Store.OpenAsync(options => options.BucketsMax = 100);
        await store.Series.AppendAsync(Enumerable.Range(0, 110).Select(i => new Observation(1 + (i % 11), Midnight.AddMinutes(i / 11), i, Quality.Good)).ToArray(), Cancel);
        var question = new AggregateQuery(0, Midnight, Midnight.AddDays(1), new BucketWidth(TimeSpan.FromMinutes(1)), Statistic.Mean);
        Assert.Equal(10, (await store.Series.AggregateManyAsync([.. Enumerable.Range(1, 10)], question, Cancel)).Count);
        var error = await Assert.ThrowsAsync<ArgumentException>(async () => await store.Series.AggregateManyAsync([.. Enumerable.Range(1, 11)], question, Cancel));
        Assert.Contains("Hub:Series:BucketsMax", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.Series.AggregateManyAsync([.. Enumerable.Range(1, 11)], question with { Statistic = Statistic.Percentile }, Cancel));
    }

    /// <summary>Twenty datastreams over four days, a reading each half an hour; first from observations, then from cells of an hour, then from cells that are all that is left.</summary>
    [Fact]
    public async Task A_question_that_reads_too_much_is_refused_whether_from_observations_or_cells()
    {
        var time = new FakeTimeProvider(Midnight.AddDays(20));
        await using var store = await Store.OpenAsync(time: time);
        int[] all = [.. Enumerable.Range(1, 20)];
        for (var day = 0; day < 4; day++)
        {
            await store.Series.AppendAsync(
                all.SelectMany(datastream => Enumerable.Range(0, 48).Select(half => new Observation(datastream, Midnight.AddDays(day).AddMinutes(30 * half), half, Quality.Good))).ToArray(), Cancel);
        }

        await store.Series.FlushAsync(Cancel);
        var question = new AggregateQuery(0, Midnight, Midnight.AddDays(4), new BucketWidth(TimeSpan.FromDays(4)), Statistic.Mean);
        await CostsAsync(all, 20 * 4 * 48);
        await CostsAsync(all[..10], 10 * 4 * 48);
        await CostsAsync(all, 20 * 48, question with { To = Midnight.AddDays(1) });
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(1));
                using var version = store.Series.Parts.Take();
                return Enumerable.Range(0, 4).All(day => version.HasRollups(EventTime.Day(EventTime.Micros(Midnight.AddDays(day))), TimeSpan.FromHours(1)));
            },
            "the days are rolled up");
        await CostsAsync(all, 20 * 4 * 24 * QuestionCost.Cell);
        await CostsAsync(all, 20 * 4 * 48, question with { Statistic = Statistic.Percentile });
        await store.Series.CondenseAsync(all, Midnight, Midnight.AddDays(4), Cancel);
        await CostsAsync(all, 20 * 4 * 24 * QuestionCost.Cell);

        async Task CostsAsync(int[] asked, long cost, AggregateQuery? other = null)
        {
            store.Options.QuestionRowsMax = cost;
            Assert.Equal(asked.Length, (await store.Series.AggregateManyAsync(asked, other ?? question, Cancel)).Count);
            store.Options.QuestionRowsMax = cost - 1;
            var error = await Assert.ThrowsAsync<ArgumentException>(async () => await store.Series.AggregateManyAsync(asked, other ?? question, Cancel));
            Assert.Contains("Hub:Series:QuestionRowsMax", error.Message, StringComparison.Ordinal);
            Assert.Contains(FormattableString.Invariant($"about {cost} observations"), error.Message, StringComparison.Ordinal);
        }
    }

    private static Observation[] Batch(Shape shape, Random random, int minute)
    {
        var batch = new List<Observation>();
        for (var datastream = 1; datastream <= shape.Datastreams; datastream++)
        {
            for (var i = 0; i < 10 && random.Next(8) > 0; i++)
            {
                // Some come late or once more, into minutes that are in parts already.
                var late = shape.Late > 0 && random.Next(10) == 0 ? random.Next(30) : 0;
                batch.Add(new Observation(datastream, Midnight.AddMinutes(minute + i - 30 - late), random.Next(200) / 10.0, random.Next(9) == 0 ? Quality.Stuck : Quality.Good)
                {
                    Coverage = random.Next(5) == 0 ? 0.5 : double.NaN,
                });
            }
        }

        return [.. batch];
    }

    private static async Task SameAsync(EmbeddedSeries series, int[] datastreams, AggregateQuery question)
    {
        var answers = await series.AggregateManyAsync(datastreams, question, Cancel);
        var expected = new Dictionary<int, IReadOnlyList<Bucket>>();
        foreach (var datastream in datastreams)
        {
            if (await series.AggregateAsync(question with { Datastream = datastream }, Cancel) is { Count: > 0 } buckets)
            {
                expected.Add(datastream, buckets);
            }
        }

        Assert.Equal(expected.Keys.Order(), answers.Keys.Order());
        Assert.All(expected, one => Assert.Equal(one.Value.Select(Exactly), answers[one.Key].Select(Exactly)));
    }

    private static (Bucket, long, long) Exactly(Bucket bucket) => (bucket, BitConverter.DoubleToInt64Bits(bucket.Value), BitConverter.DoubleToInt64Bits(bucket.Coverage));

    private static Gen<int> Among(params int[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private sealed record Shape(int Datastreams, int Minutes, int Flush, int Parts, int Late, int Seed);
}
