using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Whatever is appended, deleted, flushed, merged, stopped or broken off, in whatever order: the store holds what the model in memory holds.</summary>
public sealed class EmbeddedSeriesModelTests
{
    private const int Streams = 3;

    private static readonly DateTime Midnight = new(2026, 10, 25, 0, 0, 0, DateTimeKind.Utc);

    private static readonly Gen<Observation> SomeObservation = Gen.Select(
        Gen.Int[1, Streams], Gen.Int[-4, 4], Gen.Int[0, 3], Gen.Int[0, 1], Gen.Bool,
        (stream, minute, result, revision, rare) => new Observation(stream, Midnight.AddMinutes(minute), result / 10.0, rare ? Quality.Stuck : Quality.Good)
        {
            Revision = revision,
            Raw = rare ? result : double.NaN,
        });

    private static readonly Gen<Step> SomeStep = Gen.Frequency(
        (6, SomeObservation.Array[1, 12].Select(batch => (Step)new Append(batch))),
        (2, Gen.Const((Step)new Flush())),
        (1, Gen.Const((Step)new Restart(TimeSpan.FromSeconds(30)))),
        (1, Gen.Const((Step)new Restart(TimeSpan.Zero))),
        (1, Gen.Select(Gen.Int[1, Streams], Gen.Int[-4, 4], Gen.Int[1, 6], (stream, minute, minutes) => (Step)new Delete(stream, Midnight.AddMinutes(minute), Midnight.AddMinutes(minute + minutes)))));

    private static readonly Gen<(int Rows, int Parts, int Keys, int LateDays)> SomeLimits = Gen.Select(Among(1, 5, 1_000_000), Among(1, 3, 16), Among(0, 4, 1_000_000), Among(0, 2, 64));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Same_as_the_model_through_flushes_merges_deletions_restarts_and_crashes() => await Gen.Select(SomeLimits, SomeStep.Array[1, 25]).SampleAsync(
        async (limits, steps) =>
        {
            await using var store = await Store.OpenAsync(options =>
                (options.FlushObservationsMax, options.PartsPerDayMax, options.KnownKeysMax) = (limits.Rows, limits.Parts, limits.Keys));
            store.LateDaysMax = limits.LateDays;
            using var model = new MemorySeries();
            var marks = new List<long> { 0 };
            foreach (var step in steps)
            {
                switch (step)
                {
                    case Append append:
                        var receipt = await store.Series.AppendAsync(append.Batch, Cancel);
                        var expected = await model.AppendAsync(append.Batch, Cancel);
                        Assert.Equal(expected.Outcomes, receipt.Outcomes);
                        Assert.Equal(expected.Commit, receipt.Commit);
                        marks.Add(receipt.Commit);
                        break;
                    case Flush:
                        await store.Series.FlushAsync(Cancel);
                        break;
                    case Restart restart:
                        store.Options.StopWithin = restart.StopWithin;
                        await store.ReopenAsync();
                        break;
                    case Delete delete:
                        Assert.Equal(await model.DeleteAsync([delete.Stream], delete.From, delete.To, Cancel), await store.Series.DeleteAsync([delete.Stream], delete.From, delete.To, Cancel));
                        break;
                }
            }

            await SameAsync(model, store.Series, marks);
            store.Options.StopWithin = TimeSpan.FromSeconds(30);
            await store.ReopenAsync();
            await SameAsync(model, store.Series, marks);
        },
        iter: Repeats.Of(12, 300),
        threads: 1);

    private static async Task SameAsync(MemorySeries model, EmbeddedSeries series, List<long> marks)
    {
        Assert.Equal(model.LastCommit, series.LastCommit);
        Assert.Equal(await model.DatastreamsAsync(DateTime.MinValue, DateTime.MaxValue, Cancel), await series.DatastreamsAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Equal(await model.DatastreamsAsync(Midnight, Midnight.AddMinutes(2), Cancel), await series.DatastreamsAsync(Midnight, Midnight.AddMinutes(2), Cancel));
        for (var stream = 1; stream <= Streams; stream++)
        {
            Assert.Equal(await ListAsync(model.RangeAsync(stream, DateTime.MinValue, DateTime.MaxValue, Cancel)), await ListAsync(series.RangeAsync(stream, DateTime.MinValue, DateTime.MaxValue, Cancel)));
            Assert.Equal(await ListAsync(model.RangeAsync(stream, Midnight.AddMinutes(-1), Midnight.AddMinutes(2), Cancel)), await ListAsync(series.RangeAsync(stream, Midnight.AddMinutes(-1), Midnight.AddMinutes(2), Cancel)));
            Assert.Equal(await ListAsync(model.HistoryAsync(stream, DateTime.MinValue, DateTime.MaxValue, Cancel)), await ListAsync(series.HistoryAsync(stream, DateTime.MinValue, DateTime.MaxValue, Cancel)));
            Assert.Equal(model.TryGetLatest(stream, out var latest), series.TryGetLatest(stream, out var same));
            Assert.Equal(latest, same);
        }

        foreach (var mark in marks)
        {
            var changed = await series.ChangedSinceAsync(mark, Cancel);
            foreach (var (stream, time) in await model.ChangedSinceAsync(mark, Cancel))
            {
                Assert.True(changed.TryGetValue(stream, out var named) && named <= time, "no change is missed");
            }
        }

        Assert.Empty(await series.ChangedSinceAsync(series.LastCommit, Cancel));
    }

    private static Gen<int> Among(params int[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static async Task<List<Observation>> ListAsync(IAsyncEnumerable<Observation> rows)
    {
        var list = new List<Observation>();
        await foreach (var row in rows)
        {
            list.Add(row);
        }

        return list;
    }

    private abstract record Step;

    private sealed record Append(Observation[] Batch) : Step
    {
        public override string ToString() => $"Append {string.Join("; ", Batch.Select(o => FormattableString.Invariant($"{o.Datastream} {o.PhenomenonTime:HH:mm} {o.Result} {o.Quality} r{o.Revision} {o.Raw}")))}";
    }

    private sealed record Flush : Step;

    /// <summary>A stop with no time at all leaves what is in memory to the log, as a crash does.</summary>
    private sealed record Restart(TimeSpan StopWithin) : Step;

    private sealed record Delete(int Stream, DateTime From, DateTime To) : Step;
}
