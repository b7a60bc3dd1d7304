using DuckDB.NET.Data;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>A store of the first layout, a DuckDB file, is taken over when it is opened: nothing is lost and nothing is there twice, also when that was broken off.</summary>
public sealed class TakeoverTests
{
    private const string Columns =
        """
        (datastream INTEGER NOT NULL, "time" TIMESTAMP NOT NULL, result DOUBLE NOT NULL, quality INTEGER NOT NULL, raw DOUBLE,
         calibration INTEGER NOT NULL, coverage DOUBLE, revision INTEGER NOT NULL, "commit" BIGINT NOT NULL)
        """;

    private static readonly DateTime Noon = new(2026, 10, 1, 12, 0, 0, DateTimeKind.Utc);

    private static readonly Observation[] Stored =
    [
        new(2, Noon, 7.25, Quality.Good),
        new(1, Noon.AddMinutes(1), 0.1 + 0.2, Quality.Stuck) { Raw = -0.0, Calibration = 3, Coverage = 0.5, Revision = 2 },
        new(1, Noon, -0.0, Quality.Good),
        new(1, new DateTime(1, 1, 1, 0, 0, 0, DateTimeKind.Utc), 1, Quality.Good),
        new(1, new DateTime(1969, 12, 31, 23, 59, 59, DateTimeKind.Utc).AddMicroseconds(999_999), 5, Quality.Good),
        new(3, new DateTime(9999, 12, 31, 23, 59, 59, DateTimeKind.Utc).AddMicroseconds(999_999), 6, Quality.Good),
    ];

    private static readonly Observation[] Lost = [new(1, Noon, -1, Quality.Good) { Raw = 4 }, new(1, Noon, -2, Quality.Good), new(2, Noon.AddDays(-3), 1, Quality.Good)];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Old_store_is_taken_over_once_with_everything_in_it()
    {
        await using var store = new Store();
        var file = Make(store);
        await store.Series.OpenAsync(Cancel);
        await HoldsEverythingAsync(store);
        Assert.False(File.Exists(file));
        Assert.True(File.Exists(file + ".taken-over"));
        Assert.False(Directory.Exists(Path.Combine(store.Options.Folder, "spill")));
        Assert.Equal(5, store.Series.LastCommit);
        Assert.Empty(await store.Series.ChangedSinceAsync(5, Cancel));
        Assert.Equal(DateTime.MinValue, (await store.Series.ChangedSinceAsync(4, Cancel))[1]);

        // What was stored is known, what lost is known, numbers go on.
        Assert.Equal(5, (await store.Series.AppendAsync(Stored, Cancel)).Commit);
        Assert.Equal(5, (await store.Series.AppendAsync(Lost.AsMemory(..2), Cancel)).Commit);
        Assert.Equal(6, (await store.Series.AppendAsync(new[] { Stored[0] with { PhenomenonTime = Noon.AddMinutes(9) } }, Cancel)).Commit);
        await store.ReopenAsync();
        Assert.Equal(6, store.Series.LastCommit);
        Assert.True(store.Series.TryGetLatest(2, out var latest));
        Assert.Equal(Noon.AddMinutes(9), latest.PhenomenonTime);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Takeover_that_was_broken_off_goes_on(int daysDone)
    {
        await using var store = new Store();
        var file = Make(store);
        var copy = file + ".copy";
        File.Copy(file, copy);
        await store.Series.OpenAsync(Cancel);
        await store.Series.DisposeAsync();

        // As if it had stopped after some days: the manifest names those, more files lie about, the old file is there.
        var folder = new SeriesFolder(store.Options.Folder);
        Directory.Delete(folder.Log, recursive: true);
        var manifest = Manifest.Read(folder.Manifest);
        Assert.Equal(6, manifest.Parts.Length);
        (manifest with { TakingOver = true, Parts = manifest.Parts[..daysDone], LastCommit = 0, Latest = null, Changes = [] }).Write(folder.Manifest);
        File.Move(copy, file);
        await store.ReopenAsync();
        await HoldsEverythingAsync(store);
        Assert.Equal(6, Manifest.Read(folder.Manifest).Parts.Length);
        Assert.False(Manifest.Read(folder.Manifest).TakingOver);
    }

    [Fact]
    public async Task Takeover_that_was_stopped_around_the_rename_only_ends()
    {
        await using var store = new Store();
        var file = Make(store);
        File.Copy(file, file + ".copy");
        await store.Series.OpenAsync(Cancel);
        foreach (var isRenamed in new[] { false, true })
        {
            await store.Series.DisposeAsync();
            var folder = new SeriesFolder(store.Options.Folder);
            (Manifest.Read(folder.Manifest) with { TakingOver = true }).Write(folder.Manifest);
            if (!isRenamed)
            {
                File.Move(file + ".copy", file);
            }

            await store.ReopenAsync();
            await HoldsEverythingAsync(store);
            Assert.False(Manifest.Read(folder.Manifest).TakingOver);
            Assert.False(File.Exists(file));
        }
    }

    [Fact]
    public async Task Old_store_beside_a_new_one_is_refused()
    {
        await using var store = await Store.OpenAsync();
        await store.Series.AppendAsync(new[] { Stored[0] }, Cancel);
        await store.Series.DisposeAsync();
        var file = Make(store);
        var error = await Assert.ThrowsAsync<InvalidDataException>(store.ReopenAsync);
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        File.Delete(file);
        await store.ReopenAsync();
        Assert.True(store.Series.TryGetLatest(2, out _));
    }

    [Fact]
    public async Task Old_store_of_an_unknown_version_is_refused_and_left_alone()
    {
        await using var store = new Store();
        var file = Make(store, version: "7");
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => store.Series.OpenAsync(Cancel));
        Assert.Contains("version", error.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(file));
    }

    [Fact]
    public async Task Empty_old_store_gives_an_empty_one()
    {
        await using var store = new Store();
        Make(store, rows: false);
        await store.Series.OpenAsync(Cancel);
        Assert.Equal(0, store.Series.LastCommit);
        Assert.Equal(1, (await store.Series.AppendAsync(new[] { Stored[0] }, Cancel)).Commit);
    }

    private static async Task HoldsEverythingAsync(Store store)
    {
        var (rows, lost) = (new List<Observation>(), new List<Observation>());
        foreach (var datastream in await store.Series.DatastreamsAsync(DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            await foreach (var row in store.Series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel))
            {
                rows.Add(row);
            }

            await foreach (var row in store.Series.HistoryAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel))
            {
                lost.Add(row);
            }
        }

        Assert.Equal(Stored.OrderBy(row => row.Datastream).ThenBy(row => row.PhenomenonTime), rows);
        Assert.Equal(Lost.Length, lost.Count);
        Assert.Equal(Lost.ToHashSet(), lost.ToHashSet());
        Assert.True(store.Series.TryGetLatest(1, out var latest));
        Assert.Equal(Stored[1], latest);
        Assert.True(double.IsNegative(rows[2].Result), "bit for bit");
    }

    /// <summary>Made the way the first layout was made.</summary>
    private static string Make(Store store, string version = "1", bool rows = true)
    {
        Directory.CreateDirectory(store.Options.Folder);
        var file = Path.Combine(store.Options.Folder, "series.duckdb");
        using var connection = new DuckDBConnection($"Data Source={file}");
        connection.Open();
        foreach (var statement in new[]
        {
            "CREATE TABLE meta (name VARCHAR NOT NULL, value VARCHAR NOT NULL)", $"INSERT INTO meta VALUES ('version', '{version}')",
            $"CREATE TABLE observation {Columns}", $"CREATE TABLE history {Columns}",
        })
        {
            using var command = connection.CreateCommand();
            command.CommandText = statement;
            command.ExecuteNonQuery();
        }

        if (rows)
        {
            Fill(connection, "observation", Stored, 4);
            Fill(connection, "history", Lost, 5);
        }

        return file;
    }

    private static void Fill(DuckDBConnection connection, string table, Observation[] rows, long commit)
    {
        using var appender = connection.CreateAppender(table);
        foreach (var row in rows)
        {
            appender.AppendRow(cells =>
            {
                cells.AppendValue(row.Datastream).AppendValue(row.PhenomenonTime).AppendValue(row.Result).AppendValue((int)row.Quality);
                _ = double.IsNaN(row.Raw) ? cells.AppendNullValue() : cells.AppendValue(row.Raw);
                cells.AppendValue(row.Calibration);
                _ = double.IsNaN(row.Coverage) ? cells.AppendNullValue() : cells.AppendValue(row.Coverage);
                cells.AppendValue(row.Revision).AppendValue(commit).EndRow();
            });
        }
    }
}
