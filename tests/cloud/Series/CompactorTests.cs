using System.Collections.Concurrent;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>What the compactor tells of a part that it cannot read, and how it gives way to appends.</summary>
public sealed class CompactorTests
{
    private static readonly DateTime Noon = new(2026, 3, 10, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Two parts that would be merged, or one that would be rolled up: nobody asks about the day, and the health says so all the same.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public async Task A_damaged_part_that_it_meets_is_in_the_warning_of_the_health(int parts)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Noon.AddDays(10)));
        await using var store = await Store.OpenAsync(time: time);
        for (var part = 0; part < parts; part++)
        {
            await store.Series.AppendAsync(new[] { At(1, part), At(2, part) }, Cancel);
            await store.Series.FlushAsync(Cancel);
        }

        var path = store.Series.Parts.Folder.Part(store.Series.Parts.Manifest.Parts[^1]);
        var whole = await File.ReadAllBytesAsync(path, Cancel);
        var damaged = whole.ToArray();
        damaged[^20] ^= 0x55;
        await store.ReopenAsync(() => File.WriteAllBytes(path, damaged));
        Assert.Null(store.Series.Warning);
        await TickUntilAsync(() => store.Series.Warning is not null, "the compactor has met it");
        Assert.Contains(path, store.Series.Warning, StringComparison.Ordinal);
        Assert.Contains("Questions about 2026-03-10", store.Series.Warning, StringComparison.Ordinal);
        Assert.Contains("hub check", store.Series.Warning, StringComparison.Ordinal);
        Assert.Contains("hub restore", store.Series.Warning, StringComparison.Ordinal);

        // It is a warning: readings are taken.
        Assert.Null(store.Series.Problem);
        Assert.Equal(AppendOutcome.Stored, Assert.Single((await store.Series.AppendAsync(new[] { At(1, 60 * 24) }, Cancel)).Outcomes));

        // A question about the day says the same words, and is no second damage.
        Assert.Equal(store.Series.Warning, (await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.CountAsync(1, Noon, Noon.AddHours(1), Cancel))).Message);

        // Put back, the day is merged and rolled up, and there is nothing to warn of.
        await store.ReopenAsync(() => File.WriteAllBytes(path, whole));
        await TickUntilAsync(() => store.Series.Parts.Manifest.Parts.Any(part => part.Kind == PartKind.Rollups), "the day is rolled up");
        Assert.Null(store.Series.Warning);

        Task TickUntilAsync(Func<bool> isReached, string state) => Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(1));
                return isReached();
            },
            state);
    }

    [Theory]
    [InlineData(10, false, false, 0)]
    [InlineData(10, false, true, 0)]
    [InlineData(10, true, false, 90)]
    [InlineData(10, true, true, 10)]
    [InlineData(0, true, false, 0)]
    [InlineData(11, true, false, 99)]
    [InlineData(12, true, false, 100)]
    [InlineData(99, true, true, 99)]
    [InlineData(101, true, true, 100)]
    [InlineData(1e14, true, false, 100)]
    public void It_rests_nine_times_its_work_while_appends_wait_and_as_long_where_it_is_urgent(double workedMilliseconds, bool appendsWait, bool isUrgent, double restMilliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(restMilliseconds), CompactionPace.Rest(TimeSpan.FromMilliseconds(workedMilliseconds), appendsWait, isUrgent));

    /// <summary>The thread asks the rule with what it worked since it rested last, by a clock that takes ten milliseconds between two looks.</summary>
    [Fact]
    public async Task Its_thread_rests_by_that_rule()
    {
        await using var store = await Store.OpenAsync();
        foreach (var part in Enumerable.Range(0, 3))
        {
            var rows = Enumerable.Range(0, PartFiles.RowsAtOnce * 2).Select(at => At(1, 0) with { PhenomenonTime = Noon.AddMilliseconds((3 * at) + part) }).ToArray();
            foreach (var call in rows.Chunk(10_000))
            {
                await store.Series.AppendAsync(call, Cancel);
            }

            await store.Series.FlushAsync(Cancel);
        }

        await store.Series.DisposeAsync();
        Assert.Empty(await RestsAsync(store, appendsWait: false, partsPerDayMax: 16));
        var rests = await RestsAsync(store, appendsWait: true, partsPerDayMax: 16);
        Assert.NotEmpty(rests);
        Assert.All(rests, rest => Assert.Equal(TimeSpan.FromMilliseconds(90), rest));

        // Far more parts than a day should have: it hurries.
        rests = await RestsAsync(store, appendsWait: true, partsPerDayMax: 1);
        Assert.NotEmpty(rests);
        Assert.All(rests, rest => Assert.Equal(TimeSpan.FromMilliseconds(10), rest));
    }

    /// <summary>Merges the parts of a copy of the store and returns how long it rested each time.</summary>
    private static async Task<IReadOnlyCollection<TimeSpan>> RestsAsync(Store store, bool appendsWait, int partsPerDayMax)
    {
        using var folder = new TempFolder();
        var options = new SeriesOptions { Folder = folder.File("series"), PartsPerDayMax = partsPerDayMax, Rollups = "" };
        foreach (var file in Directory.EnumerateFiles(store.Options.Folder, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(options.Folder, Path.GetRelativePath(store.Options.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var (time, rests) = (new TickingClock(new DateTimeOffset(DateTime.UtcNow.AddDays(10))), new ConcurrentQueue<TimeSpan>());
        using var instruments = new SeriesInstruments();
        using var parts = new PartStore(new SeriesFolder(options.Folder), time, options.OpenPartsMax, options.FlushObservationsMax);
        parts.Open();
        Assert.Equal(3, parts.Manifest.Parts.Length);
        using var compactor = new Compactor(parts, options, time, instruments, NullLogger.Instance, () => appendsWait, new PartDamage(instruments, NullLogger.Instance), pause: rests.Enqueue);
        compactor.Start();
        await Eventually.TrueAsync(() => parts.Manifest.Parts.Length == 1, "the day is one part");
        compactor.Stop();
        await compactor.Ended;
        return rests;
    }

    private static Observation At(int datastream, int minute) => new(datastream, Noon.AddMinutes(minute), minute, Quality.Good);

    /// <summary>Every look at its timestamp takes ten milliseconds; its timers never ring.</summary>
    private sealed class TickingClock(DateTimeOffset now) : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => now;

        public override long GetTimestamp() => Interlocked.Add(ref _ticks, 10 * TimeSpan.TicksPerMillisecond);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Silent();

        private sealed class Silent : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
