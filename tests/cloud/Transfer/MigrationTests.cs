using CsCheck;
using Hub.Cloud.Series;
using Hub.Cloud.Transfer.Migration;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;

namespace Hub.Cloud.Transfer.Tests;

public sealed class MigrationTests
{
    /// <summary>Two days before the end of a month.</summary>
    private static readonly DateTime Spring = new(2026, 3, 30, 0, 0, 0, DateTimeKind.Utc);

    private static readonly Gen<Observation> SomeObservation = Gen.Select(
        Gen.Int[1, 5], Gen.Int[0, 30].Select(i => new DateTime(2026, 3, 29, 0, 0, 0, DateTimeKind.Utc).AddMinutes(i)), Gen.Int[0, 3], Gen.Int[0, 1], Gen.Int[0, 2],
        (stream, time, result, revision, raw) => new Observation(stream, time, result, Quality.Good) { Revision = revision, Raw = raw == 0 ? double.NaN : raw });

    [Fact]
    public async Task Everything_arrives_with_its_history_wherever_it_is_interrupted() =>
        await Gen.Select(SomeObservation.Array[0, 200], SomeObservation.Array[0, 10], Gen.Int[1, 60], Gen.Int[1, 8]).SampleAsync(
            async (set, there, batch, commit) =>
            {
                using var folder = new TempFolder();
                using var from = new MemorySeries();
                using var to = new MemorySeries();
                await from.AppendAsync(set, CancellationToken.None);
                await to.AppendAsync(there, CancellationToken.None);
                var before = await ContentAsync(from);
                var request = new MigrationRequest(from, to, folder.File("cursors")) { BatchObservations = batch };
                var commits = 0;
                to.BeforeCommit = _ => ++commits == commit ? throw new OperationCanceledException() : Task.CompletedTask;
                try
                {
                    await new MigrationRun().MigrateAsync(request, null, CancellationToken.None);
                }
                catch (OperationCanceledException)
                {
                    // As meant.
                }

                to.BeforeCommit = null;
                if (commits % 2 == 0 && File.Exists(request.CursorFile))
                {
                    // What a power cut leaves of the last line.
                    await File.AppendAllTextAsync(request.CursorFile, "3,9");
                }

                var summary = await new MigrationRun().MigrateAsync(request, null, CancellationToken.None);
                Assert.Empty(summary.Differences);
                Assert.Equal(before, await ContentAsync(from));
                using var expected = new MemorySeries();
                await expected.AppendAsync(there, CancellationToken.None);
                await expected.AppendAsync(set, CancellationToken.None);
                Assert.Equal(await ContentAsync(expected), await ContentAsync(to));
                Assert.Equal(before.Count, summary.Observations + summary.History);
                Assert.False(File.Exists(request.CursorFile));
            },
            iter: 300, threads: 1);

    [Fact]
    public async Task A_target_that_lost_something_is_found_out()
    {
        using var folder = new TempFolder();
        using var from = new MemorySeries();
        using var to = new MemorySeries();
        var noon = new DateTime(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc);
        await from.AppendAsync(Enumerable.Range(0, 100).Select(i => new Observation(1 + (i % 2), noon.AddMinutes(i), i, Quality.Good)).ToArray(), CancellationToken.None);

        // All of datastream 2 is noted as copied, and is not there.
        await File.WriteAllTextAsync(folder.File("cursors"), "2,done\n", TestContext.Current.CancellationToken);
        var summary = await new MigrationRun().MigrateAsync(new MigrationRequest(from, to, folder.File("cursors")), null, TestContext.Current.CancellationToken);

        Assert.Equal(1, summary.Resumed);
        Assert.StartsWith("Datastream 2: 50 values of the source are not in the target.", Assert.Single(summary.Differences), StringComparison.Ordinal);
        Assert.True(File.Exists(folder.File("cursors")));
    }

    [Fact]
    public async Task Rollups_without_observations_arrive_wherever_it_is_interrupted() =>
        await Gen.Select(Gen.Select(Gen.Int[1, 3], Gen.Int[0, 95], Gen.Int[0, 3], (stream, hour, result) => new Observation(stream, Spring.AddHours(hour), result, (Quality)(result & 1))).Array[0, 120], Gen.Int[1, 3].Array[1, 3], Gen.Int[1, 3], Gen.Int[0, 5]).SampleAsync(
            async (set, condensed, days, commit) =>
            {
                using var folder = new TempFolder();
                using var from = new MemorySeries();
                using var to = new MemorySeries();
                await from.AppendAsync(set.AsMemory(set.Length / 4), CancellationToken.None);
                await from.CondenseAsync(condensed, Spring, Spring.AddDays(days), CancellationToken.None);

                // Late ones for days that are condensed, and some that the target had before, for days of which it takes nothing therefore.
                await from.AppendAsync(set.AsMemory(0, set.Length / 4), CancellationToken.None);
                Observation[] there = [.. set.Take(set.Length / 40).Select(o => o with { PhenomenonTime = o.PhenomenonTime.AddMinutes(1) })];
                await to.AppendAsync(there, CancellationToken.None);
                var (before, kept, held) = (await ContentAsync(from), await KeptAsync(from), await ContentAsync(to));
                var request = new MigrationRequest(from, to, folder.File("cursors")) { BatchObservations = 7 };
                var commits = 0;
                to.BeforeCommit = _ => ++commits == commit ? throw new OperationCanceledException() : Task.CompletedTask;
                try
                {
                    await new MigrationRun().MigrateAsync(request, null, CancellationToken.None);
                }
                catch (OperationCanceledException)
                {
                    // As meant.
                }

                to.BeforeCommit = null;
                var summary = await new MigrationRun().MigrateAsync(request, null, CancellationToken.None);
                Assert.Empty(summary.Differences);
                Assert.Equal(before, await ContentAsync(from));
                Assert.Equal(kept.Select(Text), (await KeptAsync(from)).Select(Text));
                var own = there.Select(o => (o.Datastream, o.PhenomenonTime.Date)).ToHashSet();
                var carried = kept.Where(day => !own.Contains((day.Datastream, day.Day))).ToList();
                Assert.Equal(carried.Select(Text), (await KeptAsync(to)).Select(Text));
                Assert.Equal((carried.Count, kept.Count - carried.Count, 0), (summary.Condensed, summary.CondensedOwn, summary.CondensedOutside));
                Assert.Superset(before.Concat(held).ToHashSet(), (await ContentAsync(to)).ToHashSet());
                for (var stream = 1; stream <= 3; stream++)
                {
                    var hours = new AggregateQuery(stream, Spring, Spring.AddDays(4), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Sum);
                    if (own.All(day => day.Datastream != stream))
                    {
                        Assert.Equal(await from.AggregateAsync(hours, CancellationToken.None), await to.AggregateAsync(hours, CancellationToken.None));
                    }
                }

                Assert.False(File.Exists(request.CursorFile));
            },
            iter: 200, threads: 1);

    [Fact]
    public async Task Rollups_that_the_target_lost_has_of_its_own_or_cannot_keep_are_told()
    {
        using var folder = new TempFolder();
        using var from = new MemorySeries();
        using var to = new MemorySeries();
        await from.AppendAsync(Enumerable.Range(0, 96).Select(i => new Observation(1 + (i % 2), Spring.AddHours(i), i, Quality.Good)).ToArray(), CancellationToken.None);
        await from.CondenseAsync([1, 2], Spring, Spring.AddDays(4), CancellationToken.None);

        // All rollups are noted as copied, and are not there: they are copied all the same, and it is said.
        await File.WriteAllTextAsync(folder.File("cursors"), "0,done\n", TestContext.Current.CancellationToken);
        var request = new MigrationRequest(from, to, folder.File("cursors"));
        var summary = await new MigrationRun().MigrateAsync(request, null, TestContext.Current.CancellationToken);
        Assert.Equal(2, summary.Differences.Count);
        Assert.StartsWith("Datastream 1: rollups of 4 days of the source were not in the target.", summary.Differences[0], StringComparison.Ordinal);
        Assert.True(File.Exists(folder.File("cursors")));
        var told = new Progress();
        summary = await new MigrationRun().MigrateAsync(request, told, TestContext.Current.CancellationToken);
        Assert.Empty(summary.Differences);
        Assert.Equal((8, 0, 0, 0), (summary.Condensed, summary.CondensedOwn, summary.CondensedOutside, summary.Observations));

        // Others of its own, of one day; and a target that keeps none.
        using var other = new MemorySeries();
        await other.AppendAsync(new[] { new Observation(1, Spring.AddDays(1), 5, Quality.Good) }, CancellationToken.None);
        await other.CondenseAsync([1], Spring, Spring.AddDays(4), CancellationToken.None);
        var own = await KeptAsync(other);
        summary = await new MigrationRun().MigrateAsync(request with { To = other }, told, TestContext.Current.CancellationToken);
        Assert.Equal((7, 1, 0, 0), (summary.Condensed, summary.CondensedOwn, summary.CondensedOutside, summary.Differences.Count));
        Assert.Contains(Text(own[0]), (await KeptAsync(other)).Select(Text));
        Assert.Contains(told.All, one => one is { What: "rollups", Share: 1, Rows: 8 });
        using var none = new MemorySeries { CanCondense = false };
        summary = await new MigrationRun().MigrateAsync(request with { To = none }, null, TestContext.Current.CancellationToken);
        Assert.Equal((0, 0, 8, 0), (summary.Condensed, summary.CondensedOwn, summary.CondensedOutside, summary.Differences.Count));
    }

    [Fact]
    public void The_checksum_tells_apart_what_differs_in_any_field_or_order()
    {
        var noon = new DateTime(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc);
        var one = new Observation(1, noon, 1, Quality.Good);
        Observation[] others =
        [
            one with { PhenomenonTime = noon.AddTicks(10) }, one with { Result = BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(1) + 1) }, one with { Quality = Quality.Stuck },
            one with { Raw = 1 }, one with { Coverage = 1 }, one with { Calibration = 1 }, one with { Revision = 1 }, one with { Result = 0 }, one with { Result = -0.0 },
        ];
        Assert.Equal(others.Length + 1, others.Append(one).Select(o => SeriesChecksum.Of(o)).Distinct().Count());
        Assert.Equal(SeriesChecksum.Of(one), SeriesChecksum.Of(one with { Datastream = 2, Raw = BitConverter.Int64BitsToDouble(-1) }));

        var (forth, back) = (default(SeriesChecksum), default(SeriesChecksum));
        foreach (var observation in others)
        {
            forth.Add(observation);
        }

        foreach (var observation in others.Reverse())
        {
            back.Add(observation);
        }

        Assert.NotEqual(forth.Value, back.Value);
        Assert.Equal(forth.Count, back.Count);
    }

    private static string Text(CondensedDay day) => $"{day.Datastream} {day.Day:O} {string.Join("; ", day.Cells)}";

    private static async Task<List<CondensedDay>> KeptAsync(MemorySeries series) =>
        await series.CondensedDaysAsync(null, DateTime.MinValue, DateTime.MaxValue, CancellationToken.None).ToListAsync();

    private sealed class Progress : IProgress<TransferProgress>
    {
        public List<TransferProgress> All { get; } = [];

        public void Report(TransferProgress value) => All.Add(value);
    }

    private static async Task<List<string>> ContentAsync(MemorySeries series)
    {
        var (begin, end) = (DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc), DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc));
        var rows = new List<string>();
        foreach (var datastream in await series.DatastreamsAsync(begin, end, CancellationToken.None))
        {
            await foreach (var observation in series.RangeAsync(datastream, begin, end, CancellationToken.None))
            {
                rows.Add($"{observation}");
            }

            await foreach (var observation in series.HistoryAsync(datastream, begin, end, CancellationToken.None))
            {
                rows.Add($"lost {observation}");
            }
        }

        return rows;
    }
}
