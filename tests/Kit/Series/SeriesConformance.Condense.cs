using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Tests.Kit;

public abstract partial class SeriesConformance
{
    private static readonly Statistic[] Foldable = [.. Enum.GetValues<Statistic>().Where(statistic => statistic != Statistic.Percentile)];

    [Fact]
    public async Task Figures_stay_to_the_last_bit_when_observations_go_and_rollups_are_kept()
    {
        if (await OpenCondensingAsync() is not { } series)
        {
            return;
        }

        var day = Utc(2026, 3, 28);
        foreach (var batch in Fill(day).Chunk(5_000))
        {
            await series.AppendAsync(batch, Cancel);
        }

        var questions = Questions(day).ToList();
        var before = new List<IReadOnlyList<Bucket>>();
        foreach (var question in questions)
        {
            before.Add(await series.AggregateAsync(question, Cancel));
        }

        // Whole days: of the last one, half of which is named, nothing goes.
        Assert.Equal(2 * 2 * 1_440, await series.CondenseAsync([1, 2], day.AddHours(-3), day.AddDays(2).AddHours(12), Cancel));
        Assert.Equal([(1, 2), (2, 2)], (await series.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel)).OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value)));
        Assert.Empty(await series.CondensedAsync(day.AddDays(2), DateTime.MaxValue, Cancel));
        Assert.True(await series.IsCondensedAsync(1, day.AddHours(40), day.AddHours(41), Cancel));
        Assert.True(await series.IsCondensedAsync(2, DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.False(await series.IsCondensedAsync(1, day.AddDays(-1), day, Cancel));
        Assert.False(await series.IsCondensedAsync(1, day.AddDays(2), DateTime.MaxValue, Cancel));
        Assert.False(await series.IsCondensedAsync(3, DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Equal(1_440, (await All(series, 1)).Count);
        Assert.Equal(1_440, await series.CountAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Equal(3 * 1_440, (await All(series, 3)).Count);
        await SameAsBefore(series, questions, before);

        // Again: nothing is left to be done.
        Assert.Equal(0, await series.CondenseAsync([1, 2], day, day.AddDays(2), Cancel));
        await SameAsBefore(series, questions, before);
        await SameAsOneByOne(series, [1, 2, 3], questions[0]);
        Assert.True(series.TryGetLatest(1, out var latest) && latest.PhenomenonTime == day.AddDays(3).AddMinutes(-1));
    }

    [Fact]
    public async Task What_comes_later_for_a_day_of_kept_rollups_is_stored_and_changes_no_figure()
    {
        if (await OpenCondensingAsync() is not { } series)
        {
            return;
        }

        var day = Utc(2026, 3, 28);
        await series.AppendAsync(Fill(day), Cancel);
        var questions = Questions(day).ToList();
        await series.CondenseAsync([1], day, day.AddDays(1), Cancel);
        var before = new List<IReadOnlyList<Bucket>>();
        foreach (var question in questions)
        {
            before.Add(await series.AggregateAsync(question, Cancel));
        }

        var late = new Observation(1, day.AddHours(5), 1_000, Quality.Good);
        Assert.Equal(AppendOutcome.Stored, (await series.AppendAsync(new[] { late }, Cancel)).Outcomes[0]);
        await SameAsBefore(series, questions, before);
        Assert.Equal(late, (await All(series, 1))[0]);

        // Nor does it where no rollup answers.
        Assert.Empty(await series.AggregateAsync(new AggregateQuery(1, day, day.AddDays(1), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Percentile), Cancel));
        Assert.Empty(await series.AggregateAsync(new AggregateQuery(1, day, day.AddDays(1), new BucketWidth(TimeSpan.FromMinutes(7)), Statistic.Mean), Cancel));
        Assert.Empty(await series.AggregateManyAsync([1], new AggregateQuery(0, day, day.AddDays(1), new BucketWidth(TimeSpan.FromMinutes(1)), Statistic.Mean), Cancel));
        Assert.Equal(1, await series.CondenseAsync([1], day, day.AddDays(1), Cancel));
        Assert.Equal(2 * 1_440, (await All(series, 1)).Count);
        await SameAsBefore(series, questions, before);
    }

    [Fact]
    public async Task Kept_rollups_answer_without_the_flagged_and_not_in_part()
    {
        if (await OpenCondensingAsync() is not { } series)
        {
            return;
        }

        var day = Utc(2026, 5, 1);
        await series.AppendAsync(
            new[]
            {
                new Observation(1, day, 1, Quality.Good), new Observation(1, day.AddMinutes(1), 5, Quality.Stuck), new Observation(1, day.AddMinutes(2), 9, Quality.WarmingUp),
                new Observation(1, day.AddHours(1), 7, Quality.Stuck), new Observation(1, day.AddHours(2), 8, Quality.Good),
            },
            Cancel);
        Assert.Equal(5, await series.CondenseAsync([1], day, day.AddDays(1), Cancel));
        var hours = new AggregateQuery(1, day, day.AddDays(1), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Sum);
        Assert.Equal([(15, 3L), (7, 1L), (8, 1L)], (await series.AggregateAsync(hours, Cancel)).Select(bucket => (bucket.Value, bucket.Count)));

        // All flagged ones go from a cell in which one must.
        Assert.Equal([(1, 1L), (8, 1L)], (await series.AggregateAsync(hours with { WithoutQuality = Quality.Stuck }, Cancel)).Select(bucket => (bucket.Value, bucket.Count)));
        Assert.Equal([(1, 1L), (7, 1L), (8, 1L)], (await series.AggregateAsync(hours with { WithoutQuality = Quality.WarmingUp }, Cancel)).Select(bucket => (bucket.Value, bucket.Count)));

        // A cell that the question divides has no answer, a finer one that it does not has.
        Assert.Equal([7.0], (await series.AggregateAsync(hours with { From = day.AddMinutes(1), To = day.AddMinutes(150) }, Cancel)).Select(bucket => bucket.Value));
        var quarters = hours with { From = day.AddMinutes(1), To = day.AddMinutes(150), Every = new BucketWidth(TimeSpan.FromMinutes(15)) };
        Assert.Equal([7.0, 8], (await series.AggregateAsync(quarters, Cancel)).Select(bucket => bucket.Value));
    }

    [Fact]
    public async Task Deletion_takes_kept_rollups_of_whole_hours_and_then_observations_count_again()
    {
        if (await OpenCondensingAsync() is not { } series)
        {
            return;
        }

        var day = Utc(2026, 5, 1);
        Observation[] rows = [.. Enumerable.Range(0, 12).Select(i => new Observation(1, day.AddMinutes(20 * i), i, Quality.Good))];
        await series.AppendAsync(rows, Cancel);
        await series.CondenseAsync([1], day, day.AddDays(1), Cancel);
        Assert.Equal(0, await series.DeleteAsync([1], day.AddMinutes(70), day.AddMinutes(71), Cancel));
        var quarters = new AggregateQuery(1, day, day.AddDays(1), new BucketWidth(TimeSpan.FromMinutes(15)), Statistic.Sum);
        Assert.Equal([0.0, 1, 2, 6, 7, 8, 9, 10, 11], (await series.AggregateAsync(quarters, Cancel)).Select(bucket => bucket.Value));
        await series.DeleteAsync([2], DateTime.MinValue, DateTime.MaxValue, Cancel);
        Assert.Single(await series.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
        await series.DeleteAsync([1], day, day.AddDays(1), Cancel);
        Assert.Empty(await series.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Empty(await series.AggregateAsync(quarters, Cancel));
        await series.AppendAsync(rows, Cancel);
        Assert.Equal(12, (await series.AggregateAsync(quarters, Cancel)).Count);
    }

    [Fact]
    public async Task A_store_that_keeps_no_rollups_alone_says_so()
    {
        var series = await OpenAsync();
        if (!series.CanCondense)
        {
            var error = await Assert.ThrowsAsync<NotSupportedException>(async () => await series.CondenseAsync([1], DateTime.MinValue, DateTime.MaxValue, Cancel));
            Assert.Contains("Hub:Series:Store", error.Message, StringComparison.Ordinal);
            Assert.Empty(await series.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
        }

        await series.AppendAsync(new[] { At(1, 0, 1), At(1, 5, 1) }, Cancel);
        Assert.Equal(1, await series.CountAsync(1, Noon.AddMinutes(1), DateTime.MaxValue, Cancel));
    }

    private async Task<ISeries?> OpenCondensingAsync() => await OpenAsync() is { CanCondense: true } series ? series : null;

    /// <summary>Three datastreams, three days, an observation a minute; a change of the clock in Lisbon is on the second day.</summary>
    private static Observation[] Fill(DateTime day) =>
    [
        .. Enumerable.Range(0, 3 * 1_440).SelectMany(minute => Enumerable.Range(1, 3).Select(
            stream => new Observation(stream, day.AddMinutes(minute), (minute * 37 % 991 / 10.0) + (stream / 3.0), Quality.Good) { Coverage = minute % 50 == 0 ? 0.5 : double.NaN })),
    ];

    private static IEnumerable<AggregateQuery> Questions(DateTime day)
    {
        var lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");
        BucketWidth[] widths = [new(TimeSpan.FromHours(1)), new(TimeSpan.FromMinutes(15)), new(TimeSpan.FromDays(1)), new(TimeSpan.FromDays(1), lisbon), new(TimeSpan.FromMinutes(30), lisbon), new(TimeSpan.FromDays(30))];
        return widths.SelectMany(every => Foldable.Select(statistic => new AggregateQuery(1, day.AddDays(-1), day.AddDays(5), every, statistic) { Cadence = TimeSpan.FromMinutes(1) }));
    }

    private static async Task SameAsBefore(ISeries series, List<AggregateQuery> questions, List<IReadOnlyList<Bucket>> before)
    {
        for (var i = 0; i < questions.Count; i++)
        {
            Assert.Equal(before[i].Select(Exactly), (await series.AggregateAsync(questions[i], Cancel)).Select(Exactly));
        }
    }
}
