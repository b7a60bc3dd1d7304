using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Calls with late observations scattered over many days: their keys are looked up ahead of their commit, nobody waits for them, and the answers are those of a commit that looked for itself.</summary>
public sealed class LateCallsTests
{
    private const int Days = 120;

    private static readonly DateTime First = new(2026, 3, 1, 6, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Others_commit_while_its_keys_are_looked_up()
    {
        await using var store = await SettledAsync();
        using var held = new Held(store);
        var late = store.Series.AppendAsync(Late(revision: 1), Cancel).AsTask();
        await held.ReachedAsync();
        Assert.Equal(Days, store.Gauges()["hub.series.queue.aside"]);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(AppendOutcome.Stored, Assert.Single((await store.Series.AppendAsync(new[] { At(2, i) }, Cancel)).Outcomes));
        }

        // A few late ones wait for nobody either.
        Assert.Equal([AppendOutcome.Duplicate, AppendOutcome.Corrected], (await store.Series.AppendAsync(new[] { At(1, 3), At(1, 4) with { Revision = 1 } }, Cancel)).Outcomes);
        Assert.False(late.IsCompleted);
        held.LetGo();
        var outcomes = (await late).Outcomes;
        Assert.Equal(Enumerable.Range(0, Days).Select(day => day == 4 ? AppendOutcome.Duplicate : AppendOutcome.Corrected), outcomes);
        Assert.Equal(0, store.Gauges()["hub.series.queue.aside"]);
        Assert.Equal(Enumerable.Range(0, Days).Select(day => At(1, day) with { Revision = 1 }), await AllAsync(store.Series));
        Assert.Equal(Enumerable.Range(0, Days).Select(day => At(1, day)), await HistoryAsync(store.Series));
    }

    [Fact]
    public async Task What_came_and_was_written_as_parts_since_the_look_up_counts()
    {
        await using var store = await SettledAsync();
        using var held = new Held(store, after: true);
        var late = store.Series.AppendAsync(Late(revision: 1), Cancel).AsTask();
        await held.ReachedAsync();

        // The first look-up is over, the call is on its way back: a better value for ten of its keys arrives, and goes into parts.
        await store.Series.AppendAsync(Late(revision: 2)[..10], Cancel);
        await store.Series.FlushAsync(Cancel);
        held.LetGo();
        Assert.Equal(Enumerable.Range(0, Days).Select(day => day < 10 ? AppendOutcome.Duplicate : AppendOutcome.Corrected), (await late).Outcomes);
        Assert.Equal(Enumerable.Range(0, Days).Select(day => At(1, day) with { Revision = day < 10 ? 2 : 1 }), await AllAsync(store.Series));
        Assert.Equal(Enumerable.Range(0, Days + 10).Select(i => i < 20 ? At(1, i / 2) with { Revision = 1 - (i % 2) } : At(1, i - 10)), await HistoryAsync(store.Series));
    }

    [Fact]
    public async Task A_deletion_in_between_makes_its_answers_worthless()
    {
        await using var store = await SettledAsync();
        using var held = new Held(store, after: true);
        var late = store.Series.AppendAsync(Late(revision: 0), Cancel).AsTask();
        await held.ReachedAsync();
        await store.Series.DeleteAsync([1], First.AddDays(10), First.AddDays(20), Cancel);
        held.LetGo();

        // Ten were deleted: they are new again.
        Assert.Equal(Enumerable.Range(0, Days).Select(day => day is >= 10 and < 20 ? AppendOutcome.Stored : AppendOutcome.Duplicate), (await late).Outcomes);
        Assert.Equal(Late(revision: 0).ToArray(), await AllAsync(store.Series));
    }

    [Fact]
    public async Task Losers_are_in_the_history_once_however_often_they_come()
    {
        await using var store = await SettledAsync();
        for (var i = 0; i < 3; i++)
        {
            var outcomes = (await store.Series.AppendAsync(Late(revision: -1), Cancel)).Outcomes;
            Assert.All(outcomes, outcome => Assert.Equal(AppendOutcome.Duplicate, outcome));
            Assert.Equal(Late(revision: -1).ToArray(), await HistoryAsync(store.Series));
            await store.Series.FlushAsync(Cancel);
        }

        // Only the first time was there anything to write.
        Assert.Equal(Days, store.Series.Parts.Manifest.Parts.Where(part => part.Kind == PartKind.History).Sum(part => part.Summary.Rows));
    }

    [Fact]
    public async Task A_stop_commits_what_was_set_aside_or_refuses_it()
    {
        await using var store = await SettledAsync();
        using (var held = new Held(store))
        {
            var late = store.Series.AppendAsync(Late(revision: 1), Cancel).AsTask();
            await held.ReachedAsync();
            var stop = store.Series.DisposeAsync().AsTask();
            held.LetGo();
            await stop;
            Assert.All((await late).Outcomes, outcome => Assert.Equal(AppendOutcome.Corrected, outcome));
        }

        store.Options.StopWithin = TimeSpan.Zero;
        await store.ReopenAsync();
        using (var held = new Held(store))
        {
            var late = store.Series.AppendAsync(Late(revision: 2), Cancel).AsTask();
            await held.ReachedAsync();
            await store.Series.DisposeAsync();
            held.LetGo();
            await Assert.ThrowsAsync<SeriesUnavailableException>(() => late);
        }
    }

    [Fact]
    public async Task A_part_that_cannot_be_read_is_named_and_everything_else_goes_on()
    {
        await using var store = await SettledAsync();
        var part = store.Series.Parts.Manifest.Parts.Single(part => part.Day == EventTime.Day(EventTime.Micros(At(1, 7).PhenomenonTime)));
        var path = Path.Combine(store.Options.Folder, "parts", "observations", part.File);
        var whole = await File.ReadAllBytesAsync(path, Cancel);
        var damaged = whole.ToArray();
        damaged[^20] ^= 0x55;
        await store.ReopenAsync(() => File.WriteAllBytes(path, damaged));
        Assert.Null(store.Series.Warning);

        // Readings are taken, also those of the day: what could not be compared is stored beside it.
        Assert.Equal(AppendOutcome.Duplicate, Assert.Single((await store.Series.AppendAsync(new[] { At(1, 6) }, Cancel)).Outcomes));
        Assert.Equal([AppendOutcome.Stored, AppendOutcome.Stored], (await store.Series.AppendAsync(new[] { At(1, 7) with { Revision = -1 }, At(2, 1) }, Cancel)).Outcomes);
        Assert.All((await store.Series.AppendAsync(Late(revision: 1), Cancel)).Outcomes, outcome => Assert.Equal(AppendOutcome.Corrected, outcome));
        Assert.True(store.Series.CanCommit);
        Assert.Null(store.Series.Problem);
        Assert.Contains(path, store.Series.Warning, StringComparison.Ordinal);
        Assert.Contains("2026-03-08", store.Series.Warning, StringComparison.Ordinal);
        Assert.Contains("hub restore", store.Series.Warning, StringComparison.Ordinal);

        // Questions about the day say the same; other days answer.
        var error = await Assert.ThrowsAsync<SeriesUnavailableException>(() => AllAsync(store.Series));
        Assert.Equal(store.Series.Warning, error.Message);
        var hours = new AggregateQuery(1, First.AddDays(7).Date, First.AddDays(8).Date, new BucketWidth(TimeSpan.FromHours(1)), Statistic.Mean);
        Assert.Contains(path, (await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.AggregateAsync(hours, Cancel))).Message, StringComparison.Ordinal);
        Assert.Contains(path, (await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.AggregateManyAsync([1, 2], hours, Cancel))).Message, StringComparison.Ordinal);
        Assert.Single(await store.Series.AggregateAsync(hours with { From = First.AddDays(8).Date, To = First.AddDays(9).Date }, Cancel));

        // Put back, everything is as if it had never been away.
        await store.ReopenAsync(() => File.WriteAllBytes(path, whole));
        Assert.Equal(Enumerable.Range(0, Days).Select(day => At(1, day) with { Revision = 1 }), await AllAsync(store.Series));
        Assert.Equal(
            Enumerable.Range(0, Days).SelectMany(day => day == 7 ? [At(1, day), At(1, day) with { Revision = -1 }] : new[] { At(1, day) }),
            await HistoryAsync(store.Series));
        Assert.Null(store.Series.Warning);
    }

    private static Observation At(int datastream, int day) => new(datastream, First.AddDays(day), day / 10.0, Quality.Good);

    private static ReadOnlyMemory<Observation> Late(int revision) => Enumerable.Range(0, Days).Select(day => At(1, day) with { Revision = revision }).ToArray();

    /// <summary>One observation a day, in parts, not in the memory of keys, and one later than all of them.</summary>
    private static async Task<Store> SettledAsync()
    {
        var store = await Store.OpenAsync(options => options.KnownKeysMax = 0);
        await store.Series.AppendAsync(Late(revision: 0), Cancel);
        await store.Series.FlushAsync(Cancel);
        return store;
    }

    private static async Task<List<Observation>> AllAsync(EmbeddedSeries series)
    {
        var found = new List<Observation>();
        await foreach (var observation in series.RangeAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            found.Add(observation);
        }

        return found;
    }

    private static async Task<List<Observation>> HistoryAsync(EmbeddedSeries series)
    {
        var found = new List<Observation>();
        await foreach (var observation in series.HistoryAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            found.Add(observation);
        }

        return found;
    }

    /// <summary>Holds the first look-up ahead back, before or after it.</summary>
    private sealed class Held : IDisposable
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _go = new();

        public Held(Store store, bool after = false)
        {
            void Hold()
            {
                _reached.TrySetResult();
                _go.Wait(Cancel);
            }

            store.Series.Ahead.Looking = after ? null : Hold;
            store.Series.Ahead.Looked = after ? Hold : null;
        }

        public Task ReachedAsync() => _reached.Task.WaitAsync(Cancel);

        public void LetGo() => _go.Set();

        public void Dispose()
        {
            _go.Set();
            _reached.TrySetResult();
        }
    }
}
