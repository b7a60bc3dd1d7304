using CsCheck;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Tests.Kit;

public abstract partial class SeriesConformance
{
    private const int Streams = 3;

    /// <summary>Few keys and few values, so that duplicates and conflicts are the rule; times on both sides of midnight, of 1970 and of a change of the clock.</summary>
    private static readonly Gen<Observation> SomeObservation =
        Gen.Select(
            Gen.Int[0, Streams - 1],
            Gen.OneOf(Gen.Int[0, 5].Select(i => Utc(2026, 10, 25, 0, 58).AddMinutes(i)), Gen.Int[0, 5].Select(i => Utc(2026, 10, 24, 22, 57).AddMinutes(i)), Among(Utc(1969, 12, 31, 23), Utc(1970, 1, 1), Utc(2050, 6, 1))),
            Among(-1.5, -0.0, 0.0, 2.0, 0.1, 61.7),
            Among(Quality.Good, Quality.Stuck, Quality.WarmingUp | Quality.Incomplete),
            Gen.Int[0, 1],
            Gen.Select(Among(double.NaN, 1.0, -0.0), Among(double.NaN, 0.5), Gen.Int[0, 1]))
        .Select((stream, time, result, quality, revision, rest) =>
            new Observation(stream, time, result, quality) { Revision = revision, Raw = rest.Item1, Coverage = rest.Item2, Calibration = rest.Item3 });

    private static readonly Gen<Delivery> SomeDelivery =
        SomeObservation.Array[0, 60].SelectMany(set => Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[0, int.MaxValue], (one, other) => new Delivery(set, one, other)));

    [Fact]
    public async Task Replay_equals_live_whatever_the_order_the_repeats_and_the_batches()
    {
        var series = await OpenAsync();
        using var model = new MemorySeries();
        var used = 0;
        await SomeDelivery.SampleAsync(
            async delivery =>
            {
                // Each sample has datastreams of its own, so one store serves all of them.
                var (live, replay) = (1 + used, 1 + used + Streams);
                used += 2 * Streams;
                foreach (var (store, start, seed) in new[] { (series, live, delivery.Seed), (series, replay, delivery.OtherSeed), (model, live, delivery.Seed), (model, replay, delivery.Seed) })
                {
                    foreach (var batch in delivery.Batches(seed))
                    {
                        await store.AppendAsync(batch.Select(o => o with { Datastream = o.Datastream + start }).ToArray(), Cancel);
                    }
                }

                for (var stream = 0; stream < Streams; stream++)
                {
                    await SameRows(series, live + stream, replay + stream, model);
                }

                // One of the streams is enough for the figures: they are the slow part.
                var chosen = delivery.Seed % Streams;
                await SameFigures(series, live + chosen, replay + chosen, model);
            },
            iter: Repeats.Of(20, 120),
            threads: 1);
        var history = await HistoryAsync(series);
        Assert.NotEmpty(history);
        Assert.Equal(model.History.Select(Bits).Order(), history.Select(Bits).Order());
    }

    private static async Task SameRows(ISeries series, int live, int replay, MemorySeries model)
    {
        var expected = (await All(model, live)).ConvertAll(Bits);
        Assert.Equal(expected, (await All(series, live)).Select(Bits));
        Assert.Equal(expected, (await All(series, replay)).Select(o => Bits(o with { Datastream = live })));
        Assert.Equal(model.TryGetLatest(live, out var latest), series.TryGetLatest(live, out var liveLatest));
        series.TryGetLatest(replay, out var replayLatest);
        Assert.Equal(Bits(latest), Bits(liveLatest));
        Assert.Equal(Bits(latest), Bits(replayLatest with { Datastream = latest.Datastream }));
    }

    private static async Task SameFigures(ISeries series, int live, int replay, MemorySeries model)
    {
        foreach (var every in new[] { new BucketWidth(TimeSpan.FromMinutes(3)), new BucketWidth(TimeSpan.FromSeconds(150)), new BucketWidth(TimeSpan.FromDays(1), TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon")) })
        {
            foreach (var statistic in Enum.GetValues<Statistic>())
            {
                var question = new AggregateQuery(live, DateTime.MinValue, DateTime.MaxValue, every, statistic, Quality.WarmingUp) { Percent = 30, Cadence = TimeSpan.FromSeconds(75) };
                var figures = await series.AggregateAsync(question, Cancel);
                Assert.Equal(figures.Select(b => (b, Word(b.Value), Word(b.Coverage))), (await series.AggregateAsync(question with { Datastream = replay }, Cancel)).Select(b => (b, Word(b.Value), Word(b.Coverage))));
                var wanted = await model.AggregateAsync(question, Cancel);
                Assert.Equal(wanted.Select(b => b with { Value = 0, Coverage = 0 }), figures.Select(b => b with { Value = 0, Coverage = 0 }));
                Assert.All(wanted.Zip(figures), pair => Assert.Equal(pair.First.Coverage, pair.Second.Coverage, 1e-12));
                Assert.All(wanted.Zip(figures), pair => Assert.Equal(pair.First.Value, pair.Second.Value, 1e-9));
                if (statistic is Statistic.Sum or Statistic.Mean or Statistic.EnergyMean)
                {
                    // The order of the additions is promised, so that stores agree to the last bit whatever rollups they keep.
                    Assert.Equal(wanted.Select(b => Word(b.Value)), figures.Select(b => Word(b.Value)));
                }
            }
        }
    }

    private static Gen<T> Among<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>A set of observations and two ways of delivering it.</summary>
    private sealed record Delivery(Observation[] Set, int Seed, int OtherSeed)
    {
        /// <summary>The whole set in some order, some of it twice, cut into batches.</summary>
        public IEnumerable<Observation[]> Batches(int seed)
        {
            var random = new Random(seed);
            var order = Set.Concat(Set.Where(_ => random.Next(3) == 0)).ToArray();
            random.Shuffle(order);
            for (var at = 0; at < order.Length;)
            {
                var count = Math.Min(order.Length - at, 1 + random.Next(1 + random.Next(40)));
                yield return order[at..(at + count)];
                at += count;
            }
        }
    }
}
