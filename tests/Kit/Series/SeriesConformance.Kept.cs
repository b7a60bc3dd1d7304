using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Tests.Kit;

public abstract partial class SeriesConformance
{
    [Fact]
    public async Task Kept_rollups_travel_to_other_stores_and_back_to_the_last_bit()
    {
        if (await OpenCondensingAsync() is not { } series)
        {
            return;
        }

        // Across the end of a month; the second datastream has more than two values a minute on a day, and flags of which some cells have nothing else.
        var day = Utc(2026, 3, 30);
        var fine = Enumerable.Range(0, 4_320).Select(i => new Observation(2, day.AddSeconds(20 * i), (i * 53 % 911 / 10.0) - 40, i % 100 == 0 || i / 180 == 7 ? Quality.Stuck : Quality.Good) { Coverage = i % 7 == 0 ? 0.25 : double.NaN });
        Observation[] rows = [.. Fill(day).Where(o => o.Datastream == 1 && o.PhenomenonTime.Minute % 10 == 3), .. fine, new(2, day.AddHours(60), 1_000_000, Quality.Drift)];
        foreach (var batch in rows.Chunk(5_000))
        {
            await series.AppendAsync(batch, Cancel);
        }

        Assert.Empty(await DaysAsync(series));
        await series.CondenseAsync([1, 2], day, day.AddDays(3), Cancel);
        var kept = await DaysAsync(series);
        Assert.Equal(
            [(1, day), (1, day.AddDays(1)), (2, day), (1, day.AddDays(2)), (2, day.AddDays(2))],
            kept.Select(one => (one.Datastream, one.Day)));
        var minutes = kept[2].Cells.Where(cell => cell.Width == TimeSpan.FromMinutes(1)).ToList();
        Assert.Equal((1_440, 4_320, 4_320), (minutes.Count(cell => !cell.WithoutFlagged), minutes.Where(cell => !cell.WithoutFlagged).Sum(cell => cell.Count), kept[2].Cells.Where(cell => cell.Width == TimeSpan.FromHours(1) && !cell.WithoutFlagged).Sum(cell => cell.Count)));
        Assert.Equal(23, kept[2].Cells.Count(cell => cell.Width == TimeSpan.FromHours(1) && cell.WithoutFlagged));
        Assert.Equal([(1, day.AddDays(2)), (2, day.AddDays(2))], (await DaysAsync(series, from: day.AddDays(1).AddHours(1))).Select(one => (one.Datastream, one.Day)));
        Assert.Equal([day, day.AddDays(2)], (await DaysAsync(series, [2, 3])).Select(one => one.Day));
        Assert.Empty(await DaysAsync(series, []));

        // Into a store of another kind, and from there back under other names.
        using var other = new MemorySeries();
        Assert.All(await other.TakeCondensedAsync(kept, Cancel), outcome => Assert.Equal(CondensedOutcome.Taken, outcome));
        var renamed = (await DaysAsync(other)).ConvertAll(one => one with { Datastream = one.Datastream + 10 });
        Assert.Equal(kept.Select(Exactly), (await DaysAsync(other)).Select(Exactly));
        Assert.All(await series.TakeCondensedAsync(renamed, Cancel), outcome => Assert.Equal(CondensedOutcome.Taken, outcome));
        Assert.Equal(kept.Select(one => Exactly(one with { Datastream = one.Datastream + 10 })), (await DaysAsync(series, [11, 12])).Select(Exactly));
        Assert.Equal(kept.Select(Exactly), (await DaysAsync(series, [1, 2])).Select(Exactly));
        Assert.Equal([(1, 3), (2, 2), (11, 3), (12, 2)], (await series.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel)).OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value)));
        Assert.True(await series.IsCondensedAsync(12, day.AddHours(3), day.AddHours(4), Cancel));
        Assert.False(await series.IsCondensedAsync(12, day.AddHours(30), day.AddHours(31), Cancel));
        Assert.Empty(await series.DatastreamsAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.False(series.TryGetLatest(11, out _));
        foreach (var question in Questions(day).SelectMany(question => new[] { question, question with { WithoutQuality = Quality.Stuck }, question with { From = day.AddMinutes(50), To = day.AddDays(2).AddMinutes(61) } }))
        {
            foreach (var datastream in new[] { 1, 2 })
            {
                var wanted = await series.AggregateAsync(question with { Datastream = datastream }, Cancel);
                Assert.Equal(wanted.Select(Exactly), (await series.AggregateAsync(question with { Datastream = datastream + 10 }, Cancel)).Select(Exactly));
                if (question.Statistic is not (Statistic.EnergyMean or Statistic.CircularMean))
                {
                    // The model divides for the coverage in another order, and takes logarithms and angles its own way.
                    Assert.Equal(
                        wanted.Select(bucket => Exactly(bucket with { Coverage = 0 })),
                        (await other.AggregateAsync(question with { Datastream = datastream }, Cancel)).Select(bucket => Exactly(bucket with { Coverage = 0 })));
                }
            }
        }
    }

    [Fact]
    public async Task Rollups_are_taken_once_and_never_in_place_of_observations()
    {
        if (await OpenCondensingAsync() is not { } series)
        {
            return;
        }

        var day = Utc(2026, 5, 1);
        CondensedDay one = SomeDay(1, day, 5), same = SomeDay(2, day, 6), seen = SomeDay(3, day, 7);
        Observation there = new(3, day.AddHours(20), 1, Quality.Good);
        await series.AppendAsync(new[] { there, new Observation(2, day.AddHours(3), 6, Quality.Good) }, Cancel);
        await series.CondenseAsync([2], day, day.AddDays(1), Cancel);
        var before = await DaysAsync(series);
        Assert.Equal([CondensedOutcome.Taken, CondensedOutcome.There, CondensedOutcome.Observed], await series.TakeCondensedAsync([one, same, seen], Cancel));

        // The same again, and others for the same day: nothing changes.
        Assert.Equal([CondensedOutcome.There, CondensedOutcome.Observed], await series.TakeCondensedAsync([SomeDay(1, day, 8), seen], Cancel));
        Assert.Equal(before.Append(one).OrderBy(any => any.Datastream).Select(Exactly), (await DaysAsync(series)).Select(Exactly));
        Assert.Equal([there], await All(series, 3));
        var days = new AggregateQuery(1, day, day.AddDays(1), new BucketWidth(TimeSpan.FromDays(1)), Statistic.Mean);
        Assert.Equal(5, Assert.Single(await series.AggregateAsync(days, Cancel)).Value);
        Assert.Equal(1, Assert.Single(await series.AggregateAsync(days with { Datastream = 3 }, Cancel)).Value);
        Assert.Equal([], await series.TakeCondensedAsync([], Cancel));

        // What comes later is stored and read, and counts when the rollups are gone.
        await series.AppendAsync(new[] { new Observation(1, day.AddHours(2), 100, Quality.Good) }, Cancel);
        Assert.Equal([CondensedOutcome.There], await series.TakeCondensedAsync([one], Cancel));
        Assert.Equal(5, Assert.Single(await series.AggregateAsync(days, Cancel)).Value);
        Assert.Single(await All(series, 1));
        await series.DeleteAsync([1], day.AddHours(3), day.AddHours(4), Cancel);
        Assert.Equal(100, Assert.Single(await series.AggregateAsync(days, Cancel)).Value);
        Assert.Equal([CondensedOutcome.Observed], await series.TakeCondensedAsync([one], Cancel));
        await series.DeleteAsync([1], day, day.AddDays(1), Cancel);
        Assert.Equal([CondensedOutcome.Taken], await series.TakeCondensedAsync([one], Cancel));
        Assert.Equal(5, Assert.Single(await series.AggregateAsync(days, Cancel)).Value);
    }

    [Fact]
    public async Task What_is_no_day_of_rollups_is_not_taken_and_nothing_beside_it()
    {
        if (await OpenCondensingAsync() is not { } series)
        {
            return;
        }

        var (day, good) = (Utc(2026, 5, 1), SomeDay(1, Utc(2026, 5, 1), 5));
        var hour = good.Cells[0];
        CondensedDay[] wrong =
        [
            good, good with { Datastream = 0 }, good with { Datastream = 2, Day = day.AddHours(1) }, good with { Datastream = 2, Day = day.AddDays(1) }, Of(), Of([.. good.Cells.Skip(1)]), Of([.. good.Cells.Reverse()]),
            Of([.. good.Cells, good.Cells[^1]]), Of(hour with { Width = TimeSpan.FromMinutes(7) }), Of(hour with { Start = day.AddMinutes(5) }), Of(hour with { Count = 0 }), Of(hour with { Sum = double.NaN }),
            Of(hour with { Covered = 2 }), Of(hour with { Min = 6 }), Of(hour with { Max = double.PositiveInfinity }), Of(hour with { Last = double.NaN }), Of(hour with { East = 1, North = double.NaN }), Of(hour with { EnergySum = -1 }),
            Of(hour, hour with { WithoutFlagged = true }), Of(hour with { Quality = Quality.Stuck }, hour with { WithoutFlagged = true, Quality = Quality.Stuck }),
        ];
        foreach (var any in wrong)
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await series.TakeCondensedAsync([good, any], Cancel));
        }

        Assert.Empty(await DaysAsync(series));
        Assert.Equal([CondensedOutcome.Taken], await series.TakeCondensedAsync([Of(hour with { Quality = Quality.Stuck, Sum = double.PositiveInfinity, EnergySum = double.PositiveInfinity }, hour with { WithoutFlagged = true, Sum = double.NegativeInfinity })], Cancel));
        var kept = Assert.Single(await DaysAsync(series));
        Assert.Equal((double.PositiveInfinity, double.PositiveInfinity, double.NegativeInfinity), (kept.Cells[0].Sum, kept.Cells[0].EnergySum, kept.Cells[1].Sum));

        CondensedDay Of(params CondensedCell[] cells) => new(2, day, cells);
    }

    private static async Task<List<CondensedDay>> DaysAsync(ISeries series, int[]? datastreams = null, DateTime? from = null)
    {
        var days = new List<CondensedDay>();
        await foreach (var day in series.CondensedDaysAsync(datastreams, from ?? DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            days.Add(day);
        }

        return days;
    }

    /// <summary>A day with one observation at three in the morning.</summary>
    private static CondensedDay SomeDay(int datastream, DateTime day, double value) =>
        new(datastream, day, [.. new[] { TimeSpan.FromHours(1), TimeSpan.FromMinutes(15) }.Select(width => new CondensedCell(day.AddHours(3), width, false)
        {
            Count = 1,
            Covered = 1,
            Sum = value,
            Min = value,
            Max = value,
            First = value,
            Last = value,
        })]);

    private static string Exactly(CondensedDay day) => $"{day.Datastream} {day.Day:O}\n{string.Join('\n', day.Cells.Select(cell =>
        $"{cell.Start:O} {cell.Width} {cell.WithoutFlagged} {cell.Count} {cell.Quality} {string.Join(' ', new[] { cell.Covered, cell.Sum, cell.Min, cell.Max, cell.First, cell.Last, cell.EnergySum, cell.East, cell.North }.Select(Word))}"))}";
}
