using CsCheck;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The memory table keeps rows in order, of two values the better one, and the other in the history, whatever the order they come in.</summary>
public sealed class MemoryTableTests
{
    private static readonly DateTime Midnight = new(2026, 10, 2, 0, 0, 0, DateTimeKind.Utc);

    private static readonly Gen<Observation> SomeObservation = Gen.Select(
        Gen.Int[1, 3], Gen.Int[-10, 10], Gen.Int[0, 4], (datastream, minute, result) => new Observation(datastream, Midnight.AddMinutes(minute), result, Quality.Good));

    /// <summary>Memory that tables before it used means nothing.</summary>
    private static readonly MemoryRows Used = new(1_000);

    [Fact]
    public void Rows_are_a_function_of_the_set_inserted() => Gen.Select(SomeObservation.Array[0, 60], Gen.Int[1, 20]).Sample((rows, batch) =>
    {
        var table = new MemoryTable(Used);
        table.Hold();
        var commit = 7L;
        foreach (var group in rows.Chunk(batch))
        {
            table.Insert(commit++, group, []);
        }

        Assert.Equal(rows.Length, table.Rows);
        var expected = rows.GroupBy(row => (row.Datastream, row.PhenomenonTime)).ToDictionary(key => key.Key, key => key.MaxBy(row => row.Result));
        var lost = rows.Where(row => expected[(row.Datastream, row.PhenomenonTime)] != row).ToHashSet();
        for (var datastream = 1; datastream <= 3; datastream++)
        {
            var (found, losers) = (new List<Observation>(), new List<Observation>());
            foreach (var day in new[] { Midnight.AddDays(-1), Midnight })
            {
                var columns = new ObservationColumns();
                table.Read(datastream, EventTime.Micros(day), EventTime.Micros(day.AddDays(1)), columns);
                found.AddRange(Enumerable.Range(0, columns.Count).Select(i => columns.Get(i, datastream)));
                table.ReadHistory(datastream, EventTime.Micros(day), EventTime.Micros(day.AddDays(1)), losers);
            }

            Assert.Equal(expected.Values.Where(row => row.Datastream == datastream).OrderBy(row => row.PhenomenonTime), found);
            Assert.Equal(lost.Where(row => row.Datastream == datastream).ToHashSet(), losers.ToHashSet());
            Assert.Equal(found.Count == 0 ? null : found[^1], table.Latest(datastream));
        }

        table.LetGo();
    });

    [Fact]
    public void Memory_is_used_again_when_the_last_version_lets_go_and_not_read_after_that()
    {
        var pool = new MemoryRows(1_000);
        var table = new MemoryTable(pool);
        table.Hold();
        table.Hold();
        table.Insert(1, [.. Enumerable.Range(0, 40).Select(minute => At(1, minute))], []);
        table.LetGo();
        var before = pool.Kept;
        var rows = new ObservationColumns();
        table.Read(1, EventTime.Micros(Midnight), EventTime.Micros(Midnight.AddDays(1)), rows);
        Assert.Equal(40, rows.Count);
        table.LetGo();
        Assert.Equal(before + 48, pool.Kept);
        Assert.Throws<ObjectDisposedException>(() => table.Read(1, 0, 1, rows));
        Assert.Throws<ObjectDisposedException>(() => table.Insert(2, [At(1, 1)], []));
        Assert.Throws<ObjectDisposedException>(() => table.Latest(1));
        Assert.Throws<ObjectDisposedException>(() => table.Days);
        Assert.Equal(40, table.Rows);
    }

    [Fact]
    public void A_table_takes_at_once_what_the_one_before_needed_in_the_end()
    {
        var pool = new MemoryRows(1_000);
        var before = new MemoryTable(pool);
        before.Hold();
        before.Insert(1, [.. Enumerable.Range(0, 40).Select(minute => At(1, minute))], []);
        var table = new MemoryTable(pool, before);
        before.LetGo();
        var kept = pool.Kept;
        for (var minute = 40; minute < 80; minute++)
        {
            table.Insert(minute, [At(1, minute)], []);
            Assert.Equal(kept - 48, pool.Kept);
        }

        // Not of a datastream that it did not have, nor of an earlier day: four rows each, of which the pool has some once.
        table.Insert(80, [At(2, 0), At(1, -1)], []);
        Assert.Equal(kept - 48 - 4, pool.Kept);
    }

    [Fact]
    public void Memory_kept_for_the_next_table_is_bounded()
    {
        var pool = new MemoryRows(100);
        var arrays = new[] { 1, 4, 5, 33, 48, 49, 100_000 }.Select(pool.Rent).ToArray();
        Assert.Equal([4, 4, 6, 48, 48, 64, 133_333], arrays.Select(array => array.Length));
        foreach (var array in arrays)
        {
            pool.Return(array);
        }

        // 64 and the huge one have no room any more.
        Assert.Equal(4 + 4 + 6 + 48, pool.Kept);
        Assert.Same(arrays[3], pool.Rent(40));
        Assert.NotSame(arrays[3], pool.Rent(40));
        pool.Return(new MemoryRow[5]);
        Assert.Equal(14, pool.Kept);
        pool.Trim();
        Assert.Equal(0, pool.Kept);
        Assert.All(arrays, array => Assert.NotSame(array, pool.Rent(array.Length)));
    }

    [Fact]
    public void Changes_since_a_commit_are_exact()
    {
        var table = new MemoryTable(new MemoryRows(0));
        table.Insert(10, [At(1, 5), At(2, 5)], []);
        table.Insert(11, [At(1, 3), At(1, 9)], []);
        table.Insert(14, [At(2, -30)], [At(3, 1)]);
        Assert.Equal((10L, 14L), (table.FirstCommit, table.LastCommit));
        Assert.Equal([(1, 3), (2, -30)], Changed(0));
        Assert.Equal([(1, 3), (2, -30)], Changed(10));
        Assert.Equal([(2, -30)], Changed(11));
        Assert.Equal([(2, -30)], Changed(13));
        Assert.Empty(Changed(14));

        IEnumerable<(int, int)> Changed(long commit)
        {
            var into = new Dictionary<int, long>();
            table.AddChangedSince(commit, into);
            return into.OrderBy(change => change.Key).Select(change => (change.Key, (int)(EventTime.Time(change.Value) - Midnight).TotalMinutes));
        }
    }

    [Fact]
    public void Days_are_found_forwards_and_backwards()
    {
        var table = new MemoryTable(new MemoryRows(0));
        Assert.Null(table.NextDay(int.MinValue));
        Assert.Null(table.PreviousDay(int.MaxValue));
        var today = EventTime.Day(EventTime.Micros(Midnight));
        table.Insert(1, [At(1, 0), At(1, -1), At(1, 24 * 60 * 5)], []);
        Assert.Equal([today - 1, today - 1, today, today + 5, null], new[] { int.MinValue, today - 1, today, today + 1, today + 6 }.Select(table.NextDay));
        Assert.Equal([null, today - 1, today, today, today + 5], new[] { today - 2, today - 1, today, today + 4, int.MaxValue }.Select(table.PreviousDay));
    }

    private static Observation At(int datastream, int minute) => new(datastream, Midnight.AddMinutes(minute), minute, Quality.Good);
}
