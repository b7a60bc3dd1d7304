using CsCheck;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Tests.Kit;

public abstract partial class SeriesConformance
{
    private static readonly Gen<(Statistic Statistic, int Width, DateTime From, DateTime To, Quality Without, TimeSpan Cadence)> SomeFigure = Gen.Select(
        Gen.Enum<Statistic>(),
        Among(2, 60, 1_440, 100_000),
        Among(DateTime.MinValue, Utc(2026, 10, 24, 22, 59), Utc(2026, 10, 25, 1)),
        Among(DateTime.MaxValue, Utc(2026, 10, 25), Utc(2026, 10, 25, 1, 2)),
        Among(Quality.Good, Quality.Stuck),
        Among(TimeSpan.Zero, TimeSpan.FromSeconds(90)));

    [Fact]
    public async Task Many_datastreams_at_once_are_answered_as_one_by_one()
    {
        var series = await OpenAsync();
        var used = 0;
        await Gen.Select(SomeDelivery, SomeFigure, Gen.Bool).SampleAsync(
            async (delivery, figure, isLocal) =>
            {
                // A sample uses every second datastream of its own, so that what is not asked for stands between.
                var first = 1 + used;
                used += 2 * Streams;
                foreach (var batch in delivery.Batches(delivery.Seed))
                {
                    await series.AppendAsync(batch.SelectMany(o => new[] { o with { Datastream = first + (2 * o.Datastream) }, o with { Datastream = first + (2 * o.Datastream) + 1 } }).ToArray(), Cancel);
                }

                var zone = isLocal ? TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon") : null;
                var question = new AggregateQuery(0, figure.From, figure.To, new BucketWidth(TimeSpan.FromMinutes(figure.Width), zone), figure.Statistic, figure.Without)
                {
                    Percent = 30,
                    Cadence = figure.Cadence,
                };
                await SameAsOneByOne(series, [.. Enumerable.Range(0, Streams).Select(stream => first + (2 * stream))], question);
            },
            iter: Repeats.Of(20, 120),
            threads: 1);

        // And all of them, among ids that nobody has used.
        var everyOne = new AggregateQuery(0, DateTime.MinValue, DateTime.MaxValue, new BucketWidth(TimeSpan.FromDays(1)), Statistic.Mean) { Cadence = TimeSpan.FromMinutes(1) };
        await SameAsOneByOne(series, [.. Enumerable.Range(-3, used + 10).Reverse()], everyOne);
        await SameAsOneByOne(series, [.. Enumerable.Range(1, used), 1, 2, used], everyOne with { Statistic = Statistic.Percentile });
    }

    [Fact]
    public async Task Many_datastreams_that_cannot_be_answered_are_refused()
    {
        var series = await OpenAsync();
        var question = Question(Statistic.Mean, TimeSpan.FromHours(1));
        await series.AppendAsync(new[] { At(1, 0, 1) }, Cancel);
        Assert.Empty(await series.AggregateManyAsync([], question, Cancel));
        Assert.Empty(await series.AggregateManyAsync([2, 3], question, Cancel));
        Assert.Equal(1, Assert.Single(await series.AggregateManyAsync(Enumerable.Repeat(1, 1_000).ToArray(), question, Cancel)).Key);
        await Assert.ThrowsAsync<ArgumentException>(async () => await series.AggregateManyAsync(Enumerable.Range(1, 100_001).ToArray(), question, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(async () => await series.AggregateManyAsync([1], Question(Statistic.Mean, TimeSpan.Zero), Cancel));
        await Assert.ThrowsAsync<ArgumentException>(async () => await series.AggregateManyAsync([], question with { Percent = 101 }, Cancel));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await series.AggregateManyAsync([1, 2], question, new CancellationToken(canceled: true)));
    }

    /// <summary>Both ways of asking give the same, to the last bit.</summary>
    protected static async Task SameAsOneByOne(ISeries series, IReadOnlyCollection<int> datastreams, AggregateQuery question)
    {
        var answers = await series.AggregateManyAsync(datastreams, question, Cancel);
        var found = 0;
        foreach (var datastream in datastreams.Distinct())
        {
            var wanted = await series.AggregateAsync(question with { Datastream = datastream }, Cancel);
            Assert.Equal(wanted.Count > 0, answers.TryGetValue(datastream, out var buckets));
            Assert.Equal(wanted.Select(Exactly), (buckets ?? []).Select(Exactly));
            found += wanted.Count > 0 ? 1 : 0;
        }

        Assert.Equal(found, answers.Count);
    }

    private static (Bucket, string, string, string, string) Exactly(Bucket bucket) => (bucket, Word(bucket.Value), Word(bucket.Coverage), Word(bucket.Min), Word(bucket.Max));
}
