using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>What the embedded store promises beyond the seam: it survives a restart, groups what waits, pushes back, stops cleanly, comes back from a failure.</summary>
public sealed class EmbeddedSeriesTests
{
    private static readonly DateTime Noon = new(2026, 10, 1, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_is_there_after_a_restart()
    {
        await using var store = await Store.OpenAsync();
        await store.Series.AppendAsync(new[] { At(1, 5, 1), At(1, 3, 2) with { Raw = 1.5, Coverage = 0.5 }, At(2, 0, 3) }, Cancel);
        await store.Series.AppendAsync(new[] { At(1, 5, 9), At(2, 0, 1) }, Cancel);
        await store.ReopenAsync();
        Assert.Equal(2, store.Series.LastCommit);
        Assert.True(store.Series.TryGetLatest(1, out var latest));
        Assert.Equal(At(1, 5, 9), latest);
        Assert.True(store.Series.TryGetLatest(2, out latest));
        Assert.Equal(At(2, 0, 3), latest);
        Assert.Equal([At(1, 3, 2) with { Raw = 1.5, Coverage = 0.5 }, At(1, 5, 9)], await AllAsync(store.Series, 1));
        Assert.Equal([At(1, 5, 1), At(2, 0, 1)], (await HistoryAsync(store.Series)).OrderBy(o => o.Datastream));

        // What is in parts is remembered by stretches of commits: never too little, perhaps too much.
        var changed = await store.Series.ChangedSinceAsync(1, Cancel);
        Assert.True(changed[1] <= Noon.AddMinutes(5));
        Assert.Empty(await store.Series.ChangedSinceAsync(2, Cancel));
        var receipt = await store.Series.AppendAsync(new[] { At(1, 3, 2) with { Raw = 1.5, Coverage = 0.5 }, At(1, 5, 1), At(1, 6, 0) }, Cancel);
        Assert.Equal([AppendOutcome.Duplicate, AppendOutcome.Duplicate, AppendOutcome.Stored], receipt.Outcomes);
        Assert.Equal(3, receipt.Commit);
        Assert.Equal(2, (await HistoryAsync(store.Series)).Count);
    }

    [Fact]
    public async Task Days_of_which_nothing_is_stored_cost_nothing_in_memory_and_in_parts()
    {
        await using var store = await Store.OpenAsync();
        var (beginning, end) = (DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc), DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc));
        Assert.Equal(TimeSpan.Zero, store.Series.HeldWithin(beginning, end));
        await store.Series.AppendAsync(new[] { At(1, 0, 1), At(2, 0, 1) with { PhenomenonTime = Noon.AddYears(-9) } }, Cancel);
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(TimeSpan.FromDays(2), store.Series.HeldWithin(beginning, end));
            Assert.Equal(TimeSpan.FromHours(7), store.Series.HeldWithin(Noon.AddHours(-1), Noon.AddHours(6)));
            Assert.Equal(TimeSpan.FromHours(12), store.Series.HeldWithin(Noon, end));
            Assert.Equal(TimeSpan.Zero, store.Series.HeldWithin(Noon.AddYears(-8), Noon.AddDays(-1)));
            Assert.Equal(TimeSpan.Zero, store.Series.HeldWithin(Noon, Noon));
            await store.ReopenAsync();
        }
    }

    [Fact]
    public async Task A_percentile_of_more_than_a_million_observations_is_refused_and_says_what_to_do()
    {
        await using var store = await Store.OpenAsync();
        await SeriesConformance.RefusesAPercentileOfMoreThanAMillionAsync(store.Series);
    }

    [Fact]
    public async Task A_caller_that_stands_still_after_its_commit_holds_up_no_later_commit()
    {
        await using var store = await Store.OpenAsync();
        using var released = new ManualResetEventSlim();
        var stuck = Task.Run(
            async () =>
            {
                await store.Series.AppendAsync(new[] { At(1, 0, 1) }, Cancel).ConfigureAwait(false);
                released.Wait(Cancel);
            },
            Cancel);
        await Eventually.TrueAsync(() => store.Series.LastCommit == 1, "its observation is committed");

        // More in a group than go on one after the other on one thread.
        await Task.WhenAll(Enumerable.Range(0, 100).Select(number => store.Series.AppendAsync(new[] { At(2, number, 1) }, Cancel).AsTask())).WaitAsync(Eventually.Limit, Cancel);
        Assert.False(stuck.IsCompleted);
        released.Set();
        await stuck;
    }

    [Fact]
    public async Task Second_hub_on_the_folder_gets_one_line()
    {
        await using var store = await Store.OpenAsync();
        await using var second = new Store(options => options.Folder = store.Options.Folder);
        var error = await Assert.ThrowsAsync<IOException>(() => second.Series.OpenAsync(Cancel));
        Assert.Contains(store.Options.Folder, error.Message, StringComparison.Ordinal);
        Assert.Contains("Hub:Series:Folder", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        await store.Series.DisposeAsync();
        await second.Series.OpenAsync(Cancel);
        Assert.True(second.Series.CanCommit);
    }

    [Theory]
    [InlineData("manifest")]
    [InlineData("series.duckdb")]
    public async Task File_that_is_no_store_is_refused_and_left_alone(string name)
    {
        await using var store = new Store();
        Directory.CreateDirectory(store.Options.Folder);
        var file = Path.Combine(store.Options.Folder, name);
        await File.WriteAllTextAsync(file, new string('x', 20_000), Cancel);
        await Assert.ThrowsAsync<InvalidDataException>(() => store.Series.OpenAsync(Cancel));
        Assert.Equal(new string('x', 20_000), await File.ReadAllTextAsync(file, Cancel));
        Assert.False(store.Series.CanCommit);
    }

    [Fact]
    public async Task Everything_that_arrives_during_a_commit_shares_the_next_one()
    {
        await using var store = await Store.OpenAsync();
        using var gate = new Gate();
        using var subscription = store.Series.Subscribe(gate);
        var first = store.Series.AppendAsync(new[] { At(1, 0, 0) }, Cancel).AsTask();
        await gate.EnteredAsync();
        var others = Enumerable.Range(1, 50).Select(i => store.Series.AppendAsync(new[] { At(1, i, i), At(2, i, i) }, Cancel).AsTask()).ToArray();
        gate.Open();
        Assert.Equal(1, (await first).Commit);
        Assert.All(await Task.WhenAll(others), receipt => Assert.Equal(2, receipt.Commit));
        Assert.Equal(51, (await AllAsync(store.Series, 1)).Count);
    }

    [Fact]
    public async Task Group_is_limited_and_one_call_is_never_divided()
    {
        await using var store = await Store.OpenAsync(options => options.GroupObservationsMax = 10);
        using var gate = new Gate();
        using var subscription = store.Series.Subscribe(gate);
        var first = store.Series.AppendAsync(new[] { At(1, 0, 0) }, Cancel).AsTask();
        await gate.EnteredAsync();
        int[] sizes = [4, 6, 1, 25, 2];
        var calls = sizes.Select((size, i) => store.Series.AppendAsync(Enumerable.Range(0, size).Select(n => At(2 + i, n, n)).ToArray(), Cancel).AsTask()).ToArray();
        gate.Open();
        await first;
        var receipts = await Task.WhenAll(calls);
        Assert.Equal([2L, 2, 3, 4, 5], receipts.Select(receipt => receipt.Commit));
    }

    [Fact]
    public async Task Callers_wait_while_the_queue_is_full_and_can_withdraw()
    {
        await using var store = await Store.OpenAsync(options => options.QueueObservationsMax = 1000);
        using var gate = new Gate();
        using var subscription = store.Series.Subscribe(gate);
        var first = store.Series.AppendAsync(new[] { At(1, 0, 0) }, Cancel).AsTask();
        await gate.EnteredAsync();
        using var impatient = new CancellationTokenSource();
        var queued = store.Series.AppendAsync(Batch(2, 900), Cancel).AsTask();
        var withdrawnQueued = store.Series.AppendAsync(Batch(3, 100), impatient.Token).AsTask();
        var waiting = store.Series.AppendAsync(Batch(4, 200), Cancel).AsTask();
        var withdrawnWaiting = store.Series.AppendAsync(Batch(5, 200), impatient.Token).AsTask();
        var large = store.Series.AppendAsync(Batch(6, 5000), Cancel).AsTask();
        var gauges = store.Gauges();
        Assert.Equal((1000, 3), (gauges["hub.series.queue.observations"], gauges["hub.series.queue.waiting"]));
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => withdrawnQueued);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => withdrawnWaiting);
        gauges = store.Gauges();
        Assert.Equal((900, 2), (gauges["hub.series.queue.observations"], gauges["hub.series.queue.waiting"]));
        gate.Open();
        await Task.WhenAll(first, queued, waiting, large);
        var counts = await Task.WhenAll(Enumerable.Range(1, 6).Select(async datastream => (await AllAsync(store.Series, datastream)).Count));
        Assert.Equal([1, 900, 0, 200, 0, 5000], counts);
        gauges = store.Gauges();
        Assert.Equal((0, 0), (gauges["hub.series.queue.observations"], gauges["hub.series.queue.waiting"]));
    }

    [Fact]
    public async Task Stop_commits_what_is_queued()
    {
        await using var store = await Store.OpenAsync();
        using var gate = new Gate();
        store.Series.Subscribe(gate);
        var calls = new List<Task<AppendReceipt>> { store.Series.AppendAsync(new[] { At(1, 0, 0) }, Cancel).AsTask() };
        await gate.EnteredAsync();
        calls.AddRange(Enumerable.Range(1, 10).Select(i => store.Series.AppendAsync(new[] { At(1, i, 0) }, Cancel).AsTask()));
        var stop = store.Series.DisposeAsync().AsTask();
        await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.AppendAsync(new[] { At(1, 99, 0) }, Cancel));
        gate.Open();
        await stop;
        await Task.WhenAll(calls);
        await store.ReopenAsync();
        Assert.Equal(11, (await AllAsync(store.Series, 1)).Count);
    }

    [Fact]
    public async Task Stop_that_takes_too_long_refuses_the_rest()
    {
        var time = new FakeTimeProvider();
        await using var store = await Store.OpenAsync(options => options.StopWithin = TimeSpan.FromSeconds(3), time);
        using var gate = new Gate();
        store.Series.Subscribe(gate);
        var first = store.Series.AppendAsync(new[] { At(1, 0, 0) }, Cancel).AsTask();
        await gate.EnteredAsync();
        var second = store.Series.AppendAsync(new[] { At(1, 1, 0) }, Cancel).AsTask();
        var stop = store.Series.DisposeAsync().AsTask();
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return stop.IsCompleted;
            },
            "the stop gives up");
        await Assert.ThrowsAsync<SeriesUnavailableException>(() => second);
        gate.Open();
        await first;
    }

    [Fact]
    public async Task Closed_store_refuses_and_says_so()
    {
        await using var store = new Store();
        await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.AppendAsync(new[] { At(1, 0, 0) }, Cancel));
        await Assert.ThrowsAsync<SeriesUnavailableException>(() => AllAsync(store.Series, 1));
        Assert.False(store.Series.CanCommit);
        Assert.NotNull(store.Series.Problem);
        await store.Series.OpenAsync(Cancel);
        await store.Series.OpenAsync(Cancel);
        Assert.True(store.Series.CanCommit);
        await store.Series.DisposeAsync();
        await store.Series.DisposeAsync();
        await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.AppendAsync(new[] { At(1, 0, 0) }, Cancel));
        await Assert.ThrowsAsync<SeriesUnavailableException>(() => AllAsync(store.Series, 1));
        Assert.False(store.Series.CanCommit);
    }

    [Fact]
    public async Task Failed_commit_promises_nothing_and_the_store_recovers_by_itself()
    {
        var time = new FakeTimeProvider();
        var disk = new BrokenDisk();
        await using var store = await Store.OpenAsync(time: time, disk: disk);
        var heard = new List<HeardCommit>();
        using var subscription = store.Series.Subscribe(new Teller(heard.Add));
        await store.Series.AppendAsync(new[] { At(1, 0, 0), At(2, 0, 0) }, Cancel);
        await store.Series.AppendAsync(new[] { At(1, -5, 0) }, Cancel);
        disk.IsBroken = true;
        var failing = new[] { At(1, 1, 1) };
        var error = await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.AppendAsync(failing, Cancel));
        Assert.IsType<IOException>(error.InnerException, exactMatch: false);
        Assert.False(store.Series.CanCommit);
        Assert.Equal(error.Message, store.Series.Problem);
        Assert.Equal(time.GetUtcNow(), store.Series.Since);
        Assert.DoesNotContain('\n', error.Message);

        // In the meantime appends are refused at once, a first attempt to recover finds the fault still there, and questions are answered.
        await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.AppendAsync(failing, Cancel));
        time.Advance(store.Options.RetryAfter);
        await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.AppendAsync(failing, Cancel));
        Assert.Equal([At(1, -5, 0), At(1, 0, 0)], await AllAsync(store.Series, 1));
        disk.IsBroken = false;
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(store.Options.RetryAfter);
                return store.Series.CanCommit;
            },
            "the store recovers without traffic");
        Assert.Null(store.Series.Problem);
        Assert.True(store.Series.TryGetLatest(1, out var latest));
        Assert.Equal(At(1, 0, 0), latest);
        Assert.Equal(3, (await store.Series.AppendAsync(failing, Cancel)).Commit);
        Assert.Equal([AppendOutcome.Duplicate], (await store.Series.AppendAsync(new[] { At(1, -5, 0) }, Cancel)).Outcomes);
        Assert.Equal([1L, 2, 3], heard.Select(commit => commit.Commit));
        await store.ReopenAsync();
        Assert.Equal([At(1, -5, 0), At(1, 0, 0), At(1, 1, 1)], await AllAsync(store.Series, 1));
    }

    [Fact]
    public async Task More_queries_than_turns_wait_and_all_are_answered()
    {
        await using var store = await Store.OpenAsync(options => options.QueriesMax = 2);
        await store.Series.AppendAsync(Batch(1, 20_000), Cancel);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AllAsync(store.Series, 1)));
        Assert.All(answers, answer => Assert.Equal(20_000, answer.Count));

        // One that is read slowly holds no turn: others are answered in between.
        await foreach (var observation in store.Series.RangeAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            if (observation.Result % 5000 == 0)
            {
                Assert.Equal(20_000, (await AllAsync(store.Series, 1)).Count);
            }
        }
    }

    [Fact]
    public async Task Question_with_too_many_buckets_is_refused()
    {
        await using var store = await Store.OpenAsync(options => options.BucketsMax = 100);
        await store.Series.AppendAsync(Batch(1, 101), Cancel);
        foreach (var zone in new[] { null, TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon") })
        {
            var question = new AggregateQuery(1, Noon, Noon.AddMinutes(100), new BucketWidth(TimeSpan.FromMinutes(1), zone), Statistic.Mean);
            Assert.Equal(100, (await store.Series.AggregateAsync(question, Cancel)).Count);
            var error = await Assert.ThrowsAsync<ArgumentException>(async () => await store.Series.AggregateAsync(question with { To = Noon.AddMinutes(101) }, Cancel));
            Assert.Contains("Hub:Series:BucketsMax", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Million_observations_go_in_and_out()
    {
        await using var store = await Store.OpenAsync();
        const int datastreams = 100;
        const int minutes = 10_000;
        for (var minute = 0; minute < minutes; minute += 500)
        {
            var from = minute;
            var receipt = await store.Series.AppendAsync(Enumerable.Range(0, 500 * datastreams).Select(i => At(1 + (i % datastreams), from + (i / datastreams), i % 7)).ToArray(), Cancel);
            Assert.DoesNotContain(AppendOutcome.Duplicate, receipt.Outcomes);
        }

        // Some of it again, from the middle and from the end.
        var again = await store.Series.AppendAsync(Enumerable.Range(0, 1000).Select(i => At(1 + (i % datastreams), (i * 37) % minutes, -9)).ToArray(), Cancel);
        Assert.All(again.Outcomes, outcome => Assert.Equal(AppendOutcome.Duplicate, outcome));
        await store.ReopenAsync();
        for (var datastream = 1; datastream <= datastreams; datastream += 33)
        {
            var days = await store.Series.AggregateAsync(new AggregateQuery(datastream, DateTime.MinValue, DateTime.MaxValue, new BucketWidth(TimeSpan.FromDays(1)), Statistic.Count), Cancel);
            Assert.Equal(minutes, days.Sum(day => day.Value));
            Assert.True(store.Series.TryGetLatest(datastream, out var latest));
            Assert.Equal(Noon.AddMinutes(minutes - 1), latest.PhenomenonTime);
        }
    }

    private static Observation At(int datastream, double minute, double result) => new(datastream, Noon.AddMinutes(minute), result, Quality.Good);

    private static Observation[] Batch(int datastream, int count) => [.. Enumerable.Range(0, count).Select(i => At(datastream, i, i))];

    private static async Task<List<Observation>> AllAsync(EmbeddedSeries series, int datastream)
    {
        var all = new List<Observation>();
        await foreach (var observation in series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            all.Add(observation);
        }

        return all;
    }

    /// <summary>A disk that refuses to write when told so.</summary>
    private sealed class BrokenDisk : LogDisk
    {
        private volatile bool _broken;

        public bool IsBroken
        {
            get => _broken;
            set => _broken = value;
        }

        public override void Write(Microsoft.Win32.SafeHandles.SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
        {
            if (_broken)
            {
                throw new IOException("No space left on device");
            }

            base.Write(file, bytes, offset);
        }
    }

    private sealed class Teller(Action<HeardCommit> tell) : ISeriesObserver
    {
        public void OnCommitted(SeriesCommit commit) => tell(HeardCommit.Of(commit));
    }

    /// <summary>Holds the committer in its first commit until opened: what an observer must never do, and so a way to fill the queue.</summary>
    private sealed class Gate : ISeriesObserver, IDisposable
    {
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _open = new();

        public Task EnteredAsync() => _entered.Task;

        public void Open() => _open.Set();

        public void OnCommitted(SeriesCommit commit)
        {
            _entered.TrySetResult();
            _open.Wait();
        }

        public void Dispose() => _open.Set();
    }

    private static async Task<List<Observation>> HistoryAsync(EmbeddedSeries series)
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
}
