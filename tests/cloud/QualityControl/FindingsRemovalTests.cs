using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;

namespace Hub.Cloud.QualityControl.Tests;

/// <summary>Findings go with the observations they are about, and nothing else of them does.</summary>
public sealed class FindingsRemovalTests
{
    /// <summary>Step looks back, so that a day is judged with the one before it in memory.</summary>
    private static readonly CheckParameters Checks = new() { Range = new RangeParameters(0, 50), Step = new StepParameters(1_000, 0, 2 * 3_600) };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Findings_of_removed_observations_go_and_others_keep_their_numbers()
    {
        await using var bench = await StartAsync();
        await bench.AppendAsync([.. Enumerable.Range(0, 4).SelectMany(day => new[] { At(1, day * 96, 60), At(1, (day * 96) + 20, 10), At(1, (day * 96) + 40, 70), At(2, day * 96, 80) })]);
        await bench.CaughtUpAsync();
        Assert.Equal(12, bench.Book.Count);
        var (before, to) = (await NumbersAsync(bench), QualityBench.T0.AddDays(2));
        Assert.Equal([1, 2], bench.Removal.DatastreamsBefore(to).Order());
        Assert.Empty(bench.Removal.DatastreamsBefore(QualityBench.T0));

        await bench.Series.DeleteAsync([1], DateTime.MinValue, to, Cancel);
        Assert.Equal(4, await bench.Removal.RemoveAsync([1, 9, 1], DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc), to, Cancel));
        Assert.Equal(Quality.Good, bench.Book.At(1, QualityBench.T0));
        Assert.Equal(Quality.OutOfRange, bench.Book.At(1, to));
        Assert.Equal(Quality.OutOfRange, bench.Book.At(2, QualityBench.T0));
        var left = await NumbersAsync(bench);
        Assert.Equal(8, left.Count);
        Assert.Subset(before.ToHashSet(), left.ToHashSet());
        Assert.Equal(8, bench.Book.Count);

        // Once more does nothing; all of time, and nothing is left.
        Assert.Equal(0, await bench.Removal.RemoveAsync([1], DateTime.MinValue, to, Cancel));
        await bench.Series.DeleteAsync([1, 2], DateTime.MinValue, DateTime.MaxValue, Cancel);
        Assert.Equal(8, await bench.Removal.RemoveAsync([1, 2], DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Equal(0, bench.Book.Count);
        Assert.Empty(await bench.FindingsAsync());

        // It is the same for who starts anew.
        await bench.StopRunnerAsync();
        await bench.StartRunnerAsync();
        Assert.Equal(0, bench.Book.Count);
    }

    [Fact]
    public async Task What_is_left_of_a_finding_is_kept()
    {
        await using var bench = await StartAsync();
        await bench.AppendAsync([.. Enumerable.Range(80, 16).Select(quarter => At(1, quarter, quarter == 80 ? 90 : 60))]);
        await bench.CaughtUpAsync();
        var whole = Assert.Single(await bench.FindingsAsync());
        Assert.Equal(16, whole.Count);

        // Midnight of the municipality is 23:00 UTC: four quarters of the finding stay.
        var midnight = QualityBench.T0.AddHours(23);
        await bench.Series.DeleteAsync([1], DateTime.MinValue, midnight, Cancel);
        Assert.Equal(0, await bench.Removal.RemoveAsync([1], DateTime.MinValue, midnight, Cancel));
        Assert.Equal(whole with { From = midnight, Count = 4 }, Assert.Single(await bench.FindingsAsync()));
        Assert.Equal(Quality.Good, bench.Book.At(1, midnight.AddMinutes(-15)));
        Assert.Equal(Quality.OutOfRange, bench.Book.At(1, midnight));
        Assert.Equal(1, bench.Book.Count);
    }

    [Fact]
    public async Task What_came_late_into_the_stretch_that_was_removed_keeps_its_finding()
    {
        await using var bench = await StartAsync();
        await bench.AppendAsync(At(1, 0, 60), At(1, 1, 60), At(1, 8, 10), At(1, 9, 60));
        await bench.CaughtUpAsync();
        var to = QualityBench.T0.AddDays(1);
        await bench.Series.DeleteAsync([1], DateTime.MinValue, to, Cancel);
        await bench.AppendAsync(At(1, 1, 70));
        Assert.Equal(1, await bench.Removal.RemoveAsync([1], DateTime.MinValue, to, Cancel));
        await bench.CaughtUpAsync();
        var found = Assert.Single(await bench.FindingsAsync());
        Assert.Equal((QualityBench.T0.AddMinutes(15), 1, 70), (found.From, found.Count, found.Value));
    }

    /// <summary>The worker holds the earlier day in memory, since the later one was judged with it, when the earlier day is removed.</summary>
    [Fact]
    public async Task What_the_worker_read_before_is_not_found_again()
    {
        var clock = new TickingClock();
        await using var bench = await StartAsync(clock);
        await bench.CaughtUpAsync();
        clock.Asked.Clear();
        await bench.AppendAsync(At(1, 95, 60), At(1, 96, 60));
        var caughtUp = bench.Quality.CaughtUpAsync(Cancel);
        await Eventually.TrueAsync(() => clock.Asked.Contains(TimeSpan.FromMilliseconds(30)), "the later day is judged and the worker rests");
        Assert.Equal(Quality.OutOfRange, bench.Book.At(1, QualityBench.T0.AddDays(1)));
        Assert.Equal(Quality.Good, bench.Book.At(1, QualityBench.T0.AddDays(1).AddMinutes(-15)));
        await bench.Series.DeleteAsync([1], DateTime.MinValue, QualityBench.T0.AddDays(1), Cancel);
        Assert.Equal(0, await bench.Removal.RemoveAsync([1], DateTime.MinValue, QualityBench.T0.AddDays(1), Cancel));
        await bench.CaughtUpAsync();
        await caughtUp;
        Assert.Equal(QualityBench.T0.AddDays(1), Assert.Single(await bench.FindingsAsync()).From);
    }

    private static async Task<QualityBench> StartAsync(TickingClock? clock = null)
    {
        var bench = await QualityBench.StartAsync(
            bench =>
            {
                // Judged when it is asked for, and for as long as it takes by the clock that the bench lets run.
                bench.Settings["Hub:QualityControl:Every"] = "01:00:00";
                bench.Stations.Add(1, "a", "pm10", "sds011");
                bench.Stations.Add(2, "b", "pm10", "sds011", 300);
            },
            clock);
        await bench.Quality.DeclareAsync("braga", "pm10", null, Checks, "ana", Cancel);
        return bench;
    }

    private static Observation At(int datastream, int quarter, double value) => new(datastream, QualityBench.T0.AddMinutes(quarter * 15), value, Quality.Good);

    private static async Task<List<long>> NumbersAsync(QualityBench bench) =>
        [.. (await bench.Quality.FindingsAsync(new FindingsQuery([1, 2], QualityBench.T0, QualityBench.T0.AddDays(9), null, 0, 100), Cancel)).Select(one => one.Number)];
}
