using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Tests.Kit;

/// <summary>
/// What every implementation of <see cref="ISeries"/> must do. Derive, say how an empty store is opened, and every test here runs on it.
/// </summary>
public abstract partial class SeriesConformance
{
    protected static readonly DateTime Noon = new(2026, 10, 1, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The earliest and the latest time the store can hold, whole microseconds. A store with less says so here, and then has to refuse what is outside.</summary>
    protected virtual (DateTime Earliest, DateTime Latest) Times => (Utc(1, 1, 1), Utc(9999, 12, 31, 23, 59).AddSeconds(59).AddMicroseconds(999_999));

    /// <summary>Opens an empty store; called once per test, and the derived class closes it.</summary>
    protected abstract Task<ISeries> OpenAsync();

    /// <summary>Everything that lost against another value for its key.</summary>
    protected static async Task<IReadOnlyList<Observation>> HistoryAsync(ISeries series)
    {
        var history = new List<Observation>();
        foreach (var datastream in await series.DatastreamsAsync(DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            await foreach (var observation in series.HistoryAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel))
            {
                history.Add(observation);
            }
        }

        return history;
    }

    [Fact]
    public async Task Empty_store_answers_with_nothing()
    {
        var series = await OpenAsync();
        Assert.Equal(0, series.LastCommit);
        Assert.False(series.TryGetLatest(1, out _));
        Assert.Empty(await All(series, 1));
        Assert.Empty(await series.AggregateAsync(Question(Statistic.Mean, TimeSpan.FromHours(1)), Cancel));
        Assert.Empty(await series.ChangedSinceAsync(0, Cancel));
        var receipt = await series.AppendAsync(ReadOnlyMemory<Observation>.Empty, Cancel);
        Assert.Equal(0, receipt.Commit);
        Assert.Empty(receipt.Outcomes);
    }

    [Fact]
    public async Task Every_field_comes_back_bit_for_bit()
    {
        var series = await OpenAsync();
        Observation[] written =
        [
            new(1, Times.Earliest, -0.0, Quality.Good),
            new(1, Noon.AddMicroseconds(-1), double.Epsilon, Quality.Stuck | Quality.UnderRange) { Raw = -0.0, Coverage = 0, Calibration = 7, Revision = -3 },
            new(1, Noon, -273.15, Quality.Good) { Raw = double.MaxValue, Coverage = 1, Calibration = int.MaxValue, Revision = int.MaxValue },
            new(1, Times.Latest, double.MinValue, (Quality)int.MaxValue) { Raw = 0.1 + 0.2, Coverage = 0.5 },
        ];
        var receipt = await series.AppendAsync(written, Cancel);
        Assert.All(receipt.Outcomes, outcome => Assert.Equal(AppendOutcome.Stored, outcome));
        var read = await All(series, 1);
        Assert.Equal(written.Select(Bits), read.Select(Bits));
        Assert.All(read, o => Assert.Equal(DateTimeKind.Utc, o.PhenomenonTime.Kind));
        Assert.True(series.TryGetLatest(1, out var latest));
        Assert.Equal(Bits(written[3]), Bits(latest));
    }

    [Fact]
    public async Task Same_value_again_is_a_duplicate_and_changes_nothing()
    {
        var series = await OpenAsync();
        Observation[] batch = [At(1, 0, 5), At(1, 1, 6) with { Raw = 6.5, Coverage = 0.5 }, At(2, 0, 7)];
        var first = await series.AppendAsync(batch, Cancel);
        var again = await series.AppendAsync(batch, Cancel);
        Assert.Equal(1, first.Commit);
        Assert.Equal(1, again.Commit);
        Assert.Equal(1, series.LastCommit);
        Assert.All(again.Outcomes, outcome => Assert.Equal(AppendOutcome.Duplicate, outcome));
        Assert.Equal(2, (await All(series, 1)).Count);
        Assert.Empty(await HistoryAsync(series));
    }

    public static readonly TheoryData<string> Fields = ["revision", "result", "negative", "zero", "quality", "calibration", "raw", "raw stated", "coverage", "revision before result"];

    [Theory]
    [MemberData(nameof(Fields))]
    public async Task Winner_does_not_depend_on_the_order_of_arrival(string field)
    {
        var series = await OpenAsync();
        var (small, large) = Pair(field);
        await series.AppendAsync(new[] { small with { Datastream = 1 } }, Cancel);
        var corrected = await series.AppendAsync(new[] { large with { Datastream = 1 } }, Cancel);
        await series.AppendAsync(new[] { large with { Datastream = 2 } }, Cancel);
        var late = await series.AppendAsync(new[] { small with { Datastream = 2 } }, Cancel);
        var together = await series.AppendAsync(new[] { small with { Datastream = 3 }, large with { Datastream = 3 }, small with { Datastream = 3 } }, Cancel);
        Assert.Equal([AppendOutcome.Corrected], corrected.Outcomes);
        Assert.Equal([AppendOutcome.Duplicate], late.Outcomes);
        Assert.Equal([AppendOutcome.Stored, AppendOutcome.Corrected, AppendOutcome.Duplicate], together.Outcomes);

        // Replaying the losers adds nothing to the history.
        await series.AppendAsync(new[] { small with { Datastream = 1 }, small with { Datastream = 2 }, small with { Datastream = 3 } }, Cancel);
        var history = await HistoryAsync(series);
        Assert.Equal(3, history.Count);
        foreach (var datastream in new[] { 1, 2, 3 })
        {
            var expected = Bits(large with { Datastream = datastream });
            Assert.Equal([expected], (await All(series, datastream)).Select(Bits));
            Assert.True(series.TryGetLatest(datastream, out var latest));
            Assert.Equal(expected, Bits(latest));
            Assert.Contains(Bits(small with { Datastream = datastream }), history.Select(Bits));
        }
    }

    [Fact]
    public async Task Latest_follows_event_time_and_corrections()
    {
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, 10, 1), At(1, 5, 2), At(2, 3, 9) }, Cancel);
        Assert.True(series.TryGetLatest(1, out var latest));
        Assert.Equal(At(1, 10, 1), latest);
        await series.AppendAsync(new[] { At(1, 9, 100) }, Cancel);
        await series.AppendAsync(new[] { At(1, 5, 200) }, Cancel);
        Assert.True(series.TryGetLatest(1, out latest));
        Assert.Equal(At(1, 10, 1), latest);
        await series.AppendAsync(new[] { At(1, 10, 0.5) with { Revision = 1 } }, Cancel);
        Assert.True(series.TryGetLatest(1, out latest));
        Assert.Equal(At(1, 10, 0.5) with { Revision = 1 }, latest);
        Assert.False(series.TryGetLatest(3, out _));
    }

    [Fact]
    public async Task Range_includes_its_start_and_excludes_its_end()
    {
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, 2, 2), At(1, 0, 0), At(1, 1, 1), At(2, 1, 9) }, Cancel);
        Assert.Equal([At(1, 0, 0), At(1, 1, 1)], await Range(series, 1, Noon, Noon.AddMinutes(2)));
        Assert.Equal([At(1, 1, 1), At(1, 2, 2)], await Range(series, 1, Noon.AddTicks(1), Noon.AddMinutes(2).AddTicks(1)));
        Assert.Empty(await Range(series, 1, Noon, Noon));
        Assert.Empty(await Range(series, 1, Noon.AddMinutes(1), Noon));
        Assert.Equal(3, (await Range(series, 1, DateTime.MinValue, DateTime.MaxValue)).Count);
    }

    [Fact]
    public async Task Long_range_comes_whole_and_in_order()
    {
        var series = await OpenAsync();
        const int count = 150_000;
        var order = Enumerable.Range(0, count).OrderBy(i => i * 7919L % count).Select(i => new Observation(1, Noon.AddSeconds(i), i, Quality.Good)).ToArray();
        foreach (var batch in order.Chunk(40_000))
        {
            await series.AppendAsync(batch, Cancel);
        }

        var expected = 0;
        await foreach (var observation in series.RangeAsync(1, Noon, DateTime.MaxValue, Cancel))
        {
            Assert.Equal(expected++, observation.Result);
        }

        Assert.Equal(count, expected);
    }

    public static readonly TheoryData<string> Faults =
        ["NaN", "infinity", "minus infinity", "datastream 0", "datastream -1", "local time", "no kind", "half a microsecond", "raw infinity", "coverage -0.1", "coverage 1.1"];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task What_is_no_observation_is_refused_with_its_whole_call(string fault)
    {
        var series = await OpenAsync();
        var good = At(1, 0, 1);
        var bad = fault switch
        {
            "NaN" => good with { Result = double.NaN },
            "infinity" => good with { Result = double.PositiveInfinity },
            "minus infinity" => good with { Result = double.NegativeInfinity },
            "datastream 0" => good with { Datastream = 0 },
            "datastream -1" => good with { Datastream = -1 },
            "local time" => good with { PhenomenonTime = DateTime.SpecifyKind(Noon, DateTimeKind.Local) },
            "no kind" => good with { PhenomenonTime = DateTime.SpecifyKind(Noon, DateTimeKind.Unspecified) },
            "half a microsecond" => good with { PhenomenonTime = Noon.AddTicks(5) },
            "raw infinity" => good with { Raw = double.PositiveInfinity },
            "coverage -0.1" => good with { Coverage = -0.1 },
            _ => good with { Coverage = 1.1 },
        };
        await Assert.ThrowsAsync<ArgumentException>(async () => await series.AppendAsync(new[] { good, bad }, Cancel));
        Assert.Equal(0, series.LastCommit);
        Assert.Empty(await All(series, 1));
        Assert.Equal([AppendOutcome.Stored], (await series.AppendAsync(new[] { good }, Cancel)).Outcomes);
    }

    [Fact]
    public async Task Times_the_store_cannot_hold_are_refused_with_their_whole_call()
    {
        var series = await OpenAsync();
        var outside = new List<DateTime>();
        if (Times.Earliest > Utc(1, 1, 1))
        {
            outside.AddRange([Utc(1, 1, 1), Times.Earliest.AddMicroseconds(-1)]);
        }

        if (Times.Latest < Utc(9999, 12, 31))
        {
            outside.AddRange([Times.Latest.AddMicroseconds(1), Utc(9999, 12, 31)]);
        }

        foreach (var time in outside)
        {
            var refusal = await Assert.ThrowsAsync<ArgumentException>(async () => await series.AppendAsync(new[] { At(1, 0, 1), At(1, 0, 1) with { PhenomenonTime = time } }, Cancel));
            Assert.Contains("times from", refusal.Message, StringComparison.Ordinal);
        }

        Assert.Empty(await All(series, 1));
        await series.AppendAsync(new[] { At(1, 0, 1) with { PhenomenonTime = Times.Earliest }, At(1, 0, 1) with { PhenomenonTime = Times.Latest } }, Cancel);
        Assert.Equal([Times.Earliest, Times.Latest], (await Range(series, 1, Times.Earliest, DateTime.MaxValue)).Select(o => o.PhenomenonTime));
        Assert.Equal([Times.Earliest], (await Range(series, 1, DateTime.MinValue, Times.Latest)).Select(o => o.PhenomenonTime));
    }

    [Fact]
    public async Task Changes_since_a_commit_name_the_earliest_time_of_each_datastream()
    {
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, 5, 1), At(2, 5, 1), At(3, 5, 1) }, Cancel);
        var mark = series.LastCommit;
        Assert.Equal([1, 2, 3], (await series.ChangedSinceAsync(0, Cancel)).Keys.Order());
        Assert.Empty(await series.ChangedSinceAsync(mark, Cancel));

        // New and late, a duplicate, a value that loses, a correction.
        await series.AppendAsync(new[] { At(1, 9, 1), At(1, 2, 1), At(2, 5, 1), At(2, 5, 0.5) }, Cancel);
        await series.AppendAsync(new[] { At(3, 5, 2) }, Cancel);
        var changed = await series.ChangedSinceAsync(mark, Cancel);
        Assert.Equal([1, 3], changed.Keys.Order());
        Assert.Equal(Noon.AddMinutes(2), changed[1]);
        Assert.Equal(DateTimeKind.Utc, changed[1].Kind);
        Assert.Equal(Noon.AddMinutes(5), changed[3]);
        Assert.Equal([3], (await series.ChangedSinceAsync(mark + 1, Cancel)).Keys);
        Assert.Empty(await series.ChangedSinceAsync(series.LastCommit, Cancel));
    }

    [Fact]
    public async Task Observers_hear_each_commit_once_in_order_with_what_it_changed()
    {
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, 0, 1) }, Cancel);
        var heard = new Recorder();
        var broken = new Recorder { Throws = true };
        using var first = series.Subscribe(broken);
        var second = series.Subscribe(heard);
        await series.AppendAsync(new[] { At(1, 0, 1), At(1, 2, 2), At(1, 1, 1), At(1, 0, 3), At(2, 0, 1), At(2, 0, 2) }, Cancel);
        await series.AppendAsync(new[] { At(1, 0, 1), At(1, 1, 1) }, Cancel);
        await series.AppendAsync(new[] { At(1, 1, 0.5) }, Cancel);
        await series.AppendAsync(new[] { At(1, 3, 3) }, Cancel);
        await Eventually.TrueAsync(() => heard.Commits.Count == 3 && broken.Commits.Count == 3, "three commits are heard by both");
        Assert.Equal([2, 3, 4], heard.Commits.Select(commit => commit.Commit));
        Assert.Equal([At(1, 2, 2), At(1, 1, 1), At(1, 0, 3), At(2, 0, 2)], heard.Commits[0].Observations);
        Assert.Empty(heard.Commits[1].Observations);
        Assert.Equal([At(1, 3, 3)], heard.Commits[2].Observations);

        second.Dispose();
        await series.AppendAsync(new[] { At(1, 4, 3) }, Cancel);
        await Eventually.TrueAsync(() => broken.Commits.Count == 4, "the one still subscribed hears the fourth");
        Assert.Equal(3, heard.Commits.Count);
    }

    [Fact]
    public async Task Cancelled_calls_do_nothing()
    {
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, 0, 1) }, Cancel);
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await series.AppendAsync(new[] { At(1, 1, 1) }, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var unused in series.RangeAsync(1, DateTime.MinValue, DateTime.MaxValue, cancelled))
            {
            }
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await series.AggregateAsync(Question(Statistic.Mean, TimeSpan.FromHours(1)), cancelled));
        Assert.Single(await All(series, 1));
        Assert.Equal(1, series.LastCommit);
    }

    [Fact]
    public async Task Many_callers_at_once_lose_nothing_and_readers_see_whole_commits()
    {
        var series = await OpenAsync();
        var heard = new Recorder();
        using var subscription = series.Subscribe(heard);
        const int callers = 20;
        const int calls = 25;
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        // Each call writes the same minute of two datastreams: a reader that looks at one and then at the other finds at least as much there.
        var reader = Task.Run(
            async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    var one = await All(series, 1);
                    var two = await All(series, 2);
                    Assert.True(two.Count >= one.Count);
                    Assert.Equal(one.Select(o => o.PhenomenonTime).Order(), one.Select(o => o.PhenomenonTime));

                    // A store in memory never waits: without this, readers keep all threads of a small machine and the appenders never begin.
                    await Task.Yield();
                }
            },
            Cancel);
        var appenders = Enumerable.Range(0, callers).Select(caller => Task.Run(
            async () =>
            {
                long last = 0;
                for (var call = 0; call < calls; call++)
                {
                    // The last call of each caller repeats what the next caller also sends: duplicates under contention.
                    var minute = call == calls - 1 ? callers * calls : (call * callers) + caller;
                    var receipt = await series.AppendAsync(new[] { At(1, minute, minute), At(2, minute, minute) }, Cancel);
                    Assert.True(receipt.Commit >= last && receipt.Commit <= series.LastCommit);
                    last = receipt.Commit;
                }
            },
            Cancel));
        await Task.WhenAll(appenders);
        await done.CancelAsync();
        await reader;
        var distinct = (callers * (calls - 1)) + 1;
        Assert.Equal(distinct, (await All(series, 1)).Count);
        Assert.Equal(distinct, (await All(series, 2)).Count);
        await Eventually.TrueAsync(() => heard.Commits.Count == series.LastCommit, "every commit is heard");
        Assert.Equal(Enumerable.Range(1, (int)series.LastCommit).Select(i => (long)i), heard.Commits.Select(commit => commit.Commit));
        Assert.Equal(2 * distinct, heard.Commits.Sum(commit => commit.Observations.Count));
    }

    protected static Observation At(int datastream, double minute, double result) => new(datastream, Noon.AddMinutes(minute), result, Quality.Good);

    protected static DateTime Utc(int year, int month, int day, int hour = 0, int minute = 0) => new(year, month, day, hour, minute, 0, DateTimeKind.Utc);

    /// <summary>An observation as text that differs when any bit does; all NaN are one.</summary>
    protected static string Bits(Observation o) => FormattableString.Invariant(
        $"{o.Datastream} {o.PhenomenonTime:O} {Word(o.Result)} {(int)o.Quality} raw {Word(o.Raw)} cal {o.Calibration} cov {Word(o.Coverage)} rev {o.Revision}");

    protected static async Task<List<Observation>> Range(ISeries series, int datastream, DateTime from, DateTime to)
    {
        var all = new List<Observation>();
        await foreach (var observation in series.RangeAsync(datastream, from, to, Cancel))
        {
            all.Add(observation);
        }

        return all;
    }

    protected static Task<List<Observation>> All(ISeries series, int datastream) => Range(series, datastream, DateTime.MinValue, DateTime.MaxValue);

    private static string Word(double value) => double.IsNaN(value) ? "NaN" : FormattableString.Invariant($"{BitConverter.DoubleToInt64Bits(value):x16}");

    private static AggregateQuery Question(Statistic statistic, TimeSpan width, TimeZoneInfo? zone = null) =>
        new(1, DateTime.MinValue, DateTime.MaxValue, new BucketWidth(width, zone), statistic);

    private static (Observation Small, Observation Large) Pair(string field)
    {
        var plain = At(1, 0, 5);
        return field switch
        {
            "revision" => (plain, plain with { Revision = 1 }),
            "result" => (plain, plain with { Result = 5.1 }),
            "negative" => (plain with { Result = -7 }, plain with { Result = -6 }),
            "zero" => (plain with { Result = -0.0 }, plain with { Result = 0.0 }),
            "quality" => (plain, plain with { Quality = Quality.Stuck }),
            "calibration" => (plain, plain with { Calibration = 2 }),
            "raw" => (plain with { Raw = -1 }, plain with { Raw = 1 }),
            "raw stated" => (plain, plain with { Raw = double.MinValue }),
            "coverage" => (plain, plain with { Coverage = 0 }),
            _ => (plain with { Result = 9, Quality = Quality.Stuck, Raw = 3 }, plain with { Revision = 1 }),
        };
    }

    private sealed class Recorder : ISeriesObserver
    {
        private readonly List<HeardCommit> _commits = [];

        public bool Throws { get; init; }

        public IReadOnlyList<HeardCommit> Commits
        {
            get
            {
                lock (_commits)
                {
                    return [.. _commits];
                }
            }
        }

        public void OnCommitted(SeriesCommit commit)
        {
            lock (_commits)
            {
                _commits.Add(HeardCommit.Of(commit));
            }

            if (Throws)
            {
                throw new InvalidOperationException("An observer that fails on purpose.");
            }
        }
    }
}
