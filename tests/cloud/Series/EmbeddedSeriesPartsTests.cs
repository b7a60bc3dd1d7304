using System.Globalization;
using DuckDB.NET.Data;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The way of observations from memory into parts, and what may go wrong on it.</summary>
public sealed class EmbeddedSeriesPartsTests
{
    private static readonly DateTime Noon = new(2026, 10, 1, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_becomes_parts_when_it_is_old()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Noon));
        await using var store = await Store.OpenAsync(time: time);
        await store.Series.AppendAsync(new[] { At(1, 0), At(1, 60 * 24), At(2, 0) }, Cancel);
        Assert.Equal((3, 0), (store.Gauges()["hub.series.memory.rows"], store.Gauges()["hub.series.parts"]));
        time.Advance(store.Options.FlushAfter - TimeSpan.FromSeconds(1));
        await store.Series.AppendAsync(new[] { At(2, 1) }, Cancel);
        Assert.Equal(4, store.Gauges()["hub.series.memory.rows"]);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return store.Gauges()["hub.series.memory.rows"] == 0;
            },
            "the table is written");
        Assert.Equal(2, store.Gauges()["hub.series.parts"]);
        Assert.Equal([At(2, 0), At(2, 1)], await AllAsync(store.Series, 2));

        // The next table's age counts from its own first row.
        await store.Series.AppendAsync(new[] { At(2, 2) }, Cancel);
        time.Advance(store.Options.FlushAfter / 2);
        await store.Series.AppendAsync(new[] { At(2, 3) }, Cancel);
        Assert.Equal(2, store.Gauges()["hub.series.memory.rows"]);
    }

    [Fact]
    public async Task Log_is_given_back_when_its_content_is_in_parts()
    {
        await using var store = await Store.OpenAsync(options => options.LogMegabytesMax = 1);
        var sent = 0;
        while (store.Gauges() is var gauges && gauges["hub.series.memory.frozen"] == 0 && gauges["hub.series.parts"] == 0)
        {
            Assert.True(sent < 2_000_000, "1 MiB of log is full long before");
            await store.Series.AppendAsync(Enumerable.Range(sent, 5_000).Select(i => At(1, i) with { Result = i * 0.37 }).ToArray(), Cancel);
            sent += 5_000;
        }

        await Eventually.TrueAsync(() => store.Gauges()["hub.series.parts"] > 0, "what made the log long is in parts");
        await store.Series.FlushAsync(Cancel);
        Assert.True(store.Gauges()["hub.series.log.bytes"] < 100_000);
        Assert.Single(Directory.GetFiles(Path.Combine(store.Options.Folder, "log")));
        Assert.Equal(sent, (await AllAsync(store.Series, 1)).Count);
    }

    [Fact]
    public async Task Clean_stop_leaves_parts_and_an_empty_log()
    {
        await using var store = await Store.OpenAsync();
        await store.Series.AppendAsync(new[] { At(1, 0), At(1, 1) }, Cancel);
        await store.Series.DisposeAsync();
        var manifest = Manifest.Read(Path.Combine(store.Options.Folder, "manifest"));
        Assert.Equal(2, Assert.Single(manifest.Parts).Summary.Rows);
        Assert.Equal(1, manifest.LastCommit);
        await store.ReopenAsync();
        Assert.Equal(0, store.Gauges()["hub.series.memory.rows"]);
        Assert.Equal(1, store.Series.LastCommit);
    }

    [Fact]
    public async Task More_in_the_log_than_memory_should_hold_is_written_while_it_is_read()
    {
        await using var store = await Store.OpenAsync();
        for (var commit = 0; commit < 20; commit++)
        {
            await store.Series.AppendAsync(new[] { At(1, commit), At(2, commit) }, Cancel);
        }

        await BreakOffAsync(store, options => options.FlushObservationsMax = 5);

        // How many parts they are depends on what was merged since; their rows do not.
        Assert.True(Observations(store).Sum(part => part.Summary.Rows) >= 34);
        Assert.True(store.Gauges()["hub.series.memory.rows"] <= 6);
        Assert.Equal(20, store.Series.LastCommit);
        Assert.Equal(20, (await AllAsync(store.Series, 2)).Count);
    }

    [Fact]
    public async Task Parts_that_cannot_be_written_lose_nothing_and_stop_the_callers_before_memory_grows()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Noon));
        await using var store = await Store.OpenAsync(options => options.FlushObservationsMax = 1, time);
        var folder = Path.Combine(store.Options.Folder, "parts", "observations");
        Directory.Move(folder, folder + ".away");
        var stored = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await store.Series.AppendAsync(new[] { At(1, stored) }, Cancel);
                    stored++;
                    return false;
                }
                catch (SeriesUnavailableException)
                {
                    return true;
                }
            },
            "an append is refused");
        Assert.False(store.Series.CanCommit);
        Assert.InRange(stored, 2, 3);
        Assert.Equal(stored, (await AllAsync(store.Series, 1)).Count);
        Assert.Equal(stored, store.Gauges()["hub.series.memory.rows"]);
        Directory.Move(folder + ".away", folder);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(store.Options.RetryAfter);
                return store.Series.CanCommit && store.Gauges()["hub.series.memory.frozen"] == 0;
            },
            "the tables are written");
        await store.Series.AppendAsync(new[] { At(1, stored) }, Cancel);
        Assert.Equal(stored + 1, (await AllAsync(store.Series, 1)).Count);
        await store.ReopenAsync();
        Assert.Equal(stored + 1, (await AllAsync(store.Series, 1)).Count);
    }

    [Fact]
    public async Task Parts_of_a_settled_day_become_one_and_what_lost_goes_to_the_history()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Noon.AddDays(10)));
        await using var store = await Store.OpenAsync(time: time);
        foreach (var result in new[] { 1, 3, 2 })
        {
            await store.Series.AppendAsync(new[] { At(1, 0) with { Result = result }, At(1, result), At(2, 0) with { Result = result } }, Cancel);
            await store.Series.FlushAsync(Cancel);
        }

        Assert.Equal(3, Observations(store).Count);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(1));
                return Observations(store).Count == 1;
            },
            "the day is one part");
        Assert.Equal(5, Observations(store)[0].Summary.Rows);
        Assert.Equal([At(1, 0) with { Result = 3 }, At(1, 1), At(1, 2), At(1, 3)], await AllAsync(store.Series, 1));
        Assert.Equal([At(2, 0) with { Result = 2 }, At(2, 0) with { Result = 1 }], await HistoryAsync(store.Series, 2));
        await Eventually.TrueAsync(() => Directory.GetFiles(Path.Combine(store.Options.Folder, "parts", "observations")).Length == 1, "the old files are gone");

        // Late data makes a second part, and again one.
        await store.Series.AppendAsync(new[] { At(3, 7) }, Cancel);
        await store.Series.FlushAsync(Cancel);
        Assert.Equal(2, Observations(store).Count);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(1));
                return Observations(store).Count == 1;
            },
            "the day is one part again");
        Assert.Equal(6, Observations(store)[0].Summary.Rows);
    }

    [Fact]
    public async Task Day_with_a_damaged_part_does_not_hold_up_the_others()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Noon.AddDays(10)));
        await using var store = await Store.OpenAsync(time: time);
        for (var i = 0; i < 2; i++)
        {
            await store.Series.AppendAsync(new[] { At(1, i), At(1, i + (24 * 60)) }, Cancel);
            await store.Series.FlushAsync(Cancel);
        }

        // The last byte of a part is the end of its mark: nothing reads a part without it.
        var damaged = Path.Combine(store.Options.Folder, "parts", "observations", Observations(store)[0].File);
        var bytes = await File.ReadAllBytesAsync(damaged, Cancel);
        await File.WriteAllBytesAsync(damaged, [.. bytes[..^1], (byte)'x'], Cancel);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(1));
                return Observations(store).Count == 3;
            },
            "the other day is one part");
        await File.WriteAllBytesAsync(damaged, bytes, Cancel);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(1));
                return Observations(store).Count == 2;
            },
            "the mended day is too");
        Assert.Equal(4, (await AllAsync(store.Series, 1)).Count);
    }

    [Fact]
    public async Task Anyone_opens_the_parts_with_a_tool_of_theirs()
    {
        await using var store = await Store.OpenAsync(options => options.FlushObservationsMax = 1000);
        var rows = Enumerable.Range(0, 10_000).Select(i => At(1 + (i % 7), i) with { Result = i / 10.0 }).ToArray();
        foreach (var batch in rows.Chunk(900))
        {
            await store.Series.AppendAsync(batch, Cancel);
        }

        await store.Series.FlushAsync(Cancel);
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            $"SELECT count(*), sum(coalesce(result_double, result_scaled / pow(10, result_decimals))) FROM read_parquet('{store.Options.Folder}/parts/observations/*.parquet')";
        using var reader = command.ExecuteReader();
        Assert.True(reader.Read());
        Assert.Equal(10_000L, Convert.ToInt64(reader.GetValue(0), CultureInfo.InvariantCulture));
        Assert.Equal(rows.Sum(row => row.Result), reader.GetDouble(1), 1e-3);
    }

    [Fact]
    public async Task What_the_manifest_does_not_name_is_removed_and_what_it_names_must_be_there()
    {
        await using var store = await Store.OpenAsync();
        await store.Series.AppendAsync(new[] { At(1, 0), At(1, 60 * 24) }, Cancel);
        await store.Series.DisposeAsync();
        var parts = Directory.GetFiles(Path.Combine(store.Options.Folder, "parts", "observations"));
        Assert.Equal(2, parts.Length);
        string[] leftovers =
        [
            parts[0].Replace(".parquet", "9.parquet", StringComparison.Ordinal), parts[1] + ".new", Path.Combine(store.Options.Folder, "parts", "history", "x.parquet"),
            Path.Combine(store.Options.Folder, "state", "latest-99.parquet"), Path.Combine(store.Options.Folder, "manifest.new"),
        ];
        foreach (var leftover in leftovers)
        {
            File.Copy(parts[0], leftover);
        }

        await store.ReopenAsync();
        Assert.All(leftovers, leftover => Assert.False(File.Exists(leftover)));
        Assert.Equal(2, (await AllAsync(store.Series, 1)).Count);
        await store.Series.DisposeAsync();

        foreach (var file in parts.Concat(Directory.GetFiles(Path.Combine(store.Options.Folder, "state"))))
        {
            var away = Path.Combine(store.Options.Folder, "away");
            File.Move(file, away);
            var error = await Assert.ThrowsAsync<InvalidDataException>(store.ReopenAsync);
            Assert.Contains(file, error.Message, StringComparison.Ordinal);
            File.Move(away, file);
        }

        await store.ReopenAsync();
        Assert.Equal(2, (await AllAsync(store.Series, 1)).Count);
    }

    [Fact]
    public void Damaged_manifest_is_refused_whatever_byte_it_is()
    {
        using var folder = new TempFolder();
        var path = folder.File("manifest");
        var manifest = Manifest.Empty with
        {
            LastCommit = 7,
            NextFile = 9,
            Latest = "latest-00000003.parquet",
            Changes = [new ChangeInfo("changes-00000002", 1, 7, 3)],
            Parts = [new PartInfo("2026-10-01-00000001.parquet", PartKind.History, 20_727, new PartSummary(5, 2, -7, 9, 1234), DateTimeOffset.UnixEpoch.AddTicks(1))],
        };
        manifest.Write(path);
        var read = Manifest.Read(path);
        Assert.Equal(manifest with { Parts = [], Changes = [] }, read with { Parts = [], Changes = [] });
        Assert.Equal(manifest.Parts.AsEnumerable(), read.Parts);
        Assert.Equal(manifest.Changes.AsEnumerable(), read.Changes);
        var bytes = File.ReadAllBytes(path);
        for (var i = 0; i < bytes.Length; i++)
        {
            var damaged = bytes.ToArray();
            damaged[i] ^= 1;
            File.WriteAllBytes(path, damaged);
            Assert.Contains(path, Assert.Throws<InvalidDataException>(() => Manifest.Read(path)).Message, StringComparison.Ordinal);
            File.WriteAllBytes(path, bytes[..i]);
            Assert.Contains(path, Assert.Throws<InvalidDataException>(() => Manifest.Read(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Reader_of_a_version_keeps_its_files_while_they_are_replaced()
    {
        await using var store = await Store.OpenAsync(options => (options.FlushObservationsMax, options.PartsPerDayMax) = (1, 1));
        await store.Series.AppendAsync(new[] { At(1, 0), At(1, 1) }, Cancel);
        await store.Series.FlushAsync(Cancel);
        string file;
        using (var version = store.Series.Parts.Take())
        {
            file = Assert.Single(version.Parts).Path;
            await store.Series.AppendAsync(new[] { At(1, 2) }, Cancel);
            await store.Series.FlushAsync(Cancel);
            await Eventually.TrueAsync(() => store.Series.Parts.Manifest.Parts is [var only] && only.Summary.Rows == 3, "the parts are merged");
            var columns = new ObservationColumns();
            new RowReader(store.Series.Parts.Cache).Read(version, 1, EventTime.Micros(Noon), EventTime.Micros(Noon.AddHours(1)), columns);
            Assert.InRange(columns.Count, 2, 3);
            Assert.True(File.Exists(file));
        }

        await Eventually.TrueAsync(() => !File.Exists(file), "the file goes with its last reader");
        Assert.Equal(3, (await AllAsync(store.Series, 1)).Count);
    }

    [Fact]
    public async Task Open_parts_are_limited()
    {
        await using var store = await Store.OpenAsync(options => options.OpenPartsMax = 3);
        await store.Series.AppendAsync(Enumerable.Range(0, 50).Select(day => At(1, day * 24 * 60)).ToArray(), Cancel);
        await store.Series.FlushAsync(Cancel);
        Assert.Equal(50, store.Gauges()["hub.series.parts"]);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => AllAsync(store.Series, 1)));
        Assert.All(answers, answer => Assert.Equal(50, answer.Count));
        Assert.Equal(3, store.Gauges()["hub.series.parts.open"]);
    }

    [Fact]
    public async Task Deletion_survives_a_restart_and_gives_the_space_back()
    {
        await using var store = await Store.OpenAsync();

        // Values without any pattern, so that one of the datastreams makes up nearly all of the size.
        var random = new Random(1);
        await store.Series.AppendAsync(Enumerable.Range(0, 3 * 24 * 60).SelectMany(i => new[] { At(1, i) with { Result = random.NextDouble() }, At(2, i) }).ToArray(), Cancel);
        await store.Series.FlushAsync(Cancel);
        var before = store.Gauges()["hub.series.parts.bytes"];
        Assert.Equal(3 * 24 * 60, await store.Series.DeleteAsync([1], DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.True(store.Gauges()["hub.series.parts.bytes"] < before / 2);
        var files = Directory.GetFiles(Path.Combine(store.Options.Folder, "parts", "observations"));
        Assert.Equal(store.Gauges()["hub.series.parts.bytes"], files.Sum(file => new FileInfo(file).Length));
        await BreakOffAsync(store);
        Assert.Empty(await AllAsync(store.Series, 1));
        Assert.False(store.Series.TryGetLatest(1, out _));
        Assert.Equal(3 * 24 * 60, (await AllAsync(store.Series, 2)).Count);
        Assert.Equal(3 * 24 * 60, await store.Series.DeleteAsync([2], DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Empty(store.Series.Parts.Manifest.Parts);
        Assert.Empty(Directory.GetFiles(Path.Combine(store.Options.Folder, "parts", "observations")));
    }

    [Fact]
    public async Task Appends_go_on_while_parts_are_deleted_from()
    {
        await using var store = await Store.OpenAsync(options => (options.FlushObservationsMax, options.PartsPerDayMax) = (50, 2));
        var stop = false;
        var appended = 0;
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var appender = Task.Run(
            async () =>
            {
                for (; !Volatile.Read(ref stop); appended++)
                {
                    await store.Series.AppendAsync(new[] { At(1, appended), At(2, appended) }, Cancel);
                    begun.TrySetResult();
                }
            },
            Cancel);
        await Task.WhenAny(begun.Task, appender);
        for (var i = 0; i < 20; i++)
        {
            await store.Series.DeleteAsync([1], DateTime.MinValue, DateTime.MaxValue, Cancel);

            // Between two deletions rows only come: what was there before is found, and what was found is there after.
            var before = store.Series.TryGetLatest(1, out _);
            var found = (await AllAsync(store.Series, 1)).Count > 0;
            Assert.True(found || !before);

            // A commit is read as soon as it is in memory and told a moment later: it is told when the next one is.
            await store.Series.AppendAsync(new[] { At(3, i) }, Cancel);
            Assert.True(store.Series.TryGetLatest(1, out _) || !found);
        }

        Volatile.Write(ref stop, true);
        await appender;
        Assert.Equal(appended, (await AllAsync(store.Series, 2)).Count);
        await store.Series.DeleteAsync([1], DateTime.MinValue, DateTime.MaxValue, Cancel);
        Assert.Empty(await AllAsync(store.Series, 1));
        Assert.False(store.Series.TryGetLatest(1, out _));
        await store.ReopenAsync();
        Assert.Empty(await AllAsync(store.Series, 1));
        Assert.False(store.Series.TryGetLatest(1, out _));
        Assert.Equal(appended, (await AllAsync(store.Series, 2)).Count);
        Assert.True(store.Series.TryGetLatest(2, out var latest));
        Assert.Equal(At(2, appended - 1), latest);
    }

    private static Observation At(int datastream, double minute) => new(datastream, Noon.AddMinutes(minute), minute, Quality.Good);

    /// <summary>Stops it with no time to write anything as parts, and opens it again.</summary>
    private static async Task BreakOffAsync(Store store, Action<SeriesOptions>? set = null)
    {
        store.Options.StopWithin = TimeSpan.Zero;
        await store.ReopenAsync(() => set?.Invoke(store.Options));
    }

    private static List<PartInfo> Observations(Store store) => [.. store.Series.Parts.Manifest.Parts.Where(part => part.Kind == PartKind.Observations)];

    private static async Task<List<Observation>> AllAsync(EmbeddedSeries series, int datastream) =>
        await ListAsync(series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel));

    private static async Task<List<Observation>> HistoryAsync(EmbeddedSeries series, int datastream) =>
        await ListAsync(series.HistoryAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel));

    private static async Task<List<Observation>> ListAsync(IAsyncEnumerable<Observation> rows)
    {
        var all = new List<Observation>();
        await foreach (var observation in rows)
        {
            all.Add(observation);
        }

        return all;
    }
}
