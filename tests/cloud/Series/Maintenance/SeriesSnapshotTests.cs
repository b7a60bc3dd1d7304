using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The store's files held, copied and checked while the store works.</summary>
public sealed class SeriesSnapshotTests : IDisposable
{
    private const int Appenders = 3;
    private const int Rounds = 6;

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Copy_taken_while_the_store_works_has_all_that_was_acknowledged_before_and_nothing_twice()
    {
        await using var store = await Store.OpenAsync(options => (options.FlushObservationsMax, options.PartsPerDayMax) = (150, 2));
        using var stop = new CancellationTokenSource();
        var acknowledged = new int[Appenders];
        var appending = Enumerable.Range(0, Appenders).Select(appender => Task.Run(
            async () =>
            {
                for (var position = 0; !stop.IsCancellationRequested; position += 5)
                {
                    await store.Series.AppendAsync(Rows(appender, position, 5), CancellationToken.None);
                    Volatile.Write(ref acknowledged[appender], position + 5);
                }
            },
            Cancel)).ToArray();
        var manifests = new HashSet<long>();
        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                var least = 200 * (round + 1);
                await Eventually.TrueAsync(() => acknowledged.All(count => count >= least) || appending.Any(task => task.IsCompleted), "the appenders get on");
                var before = acknowledged.Select((_, appender) => Volatile.Read(ref acknowledged[appender])).ToArray();
                var copy = _folder.File($"copy-{round}");
                using (var snapshot = SeriesSnapshot.Take(store.Options.Folder))
                {
                    manifests.Add(snapshot.Manifest.NextFile);

                    // What the snapshot holds may be merged, flushed and deleted meanwhile.
                    var then = acknowledged[0];
                    await Eventually.TrueAsync(() => acknowledged[0] > then + 60 || appending.Any(task => task.IsCompleted), "the store goes on");
                    Copy(snapshot, copy);
                }

                var live = new SeriesCheck(new SeriesFolder(store.Options.Folder), _ => { }).Run(Cancel);
                Assert.Empty(live.Problems);
                Assert.True(live.IsInUse);
                var copied = new SeriesCheck(new SeriesFolder(copy), _ => { }).Run(Cancel);
                Assert.Empty(copied.Problems);
                Assert.False(copied.IsInUse);
                Assert.Equal(0, copied.LogBytesBehind);
                await VerifyAsync(copy, before);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(appending);
        }

        Assert.True(manifests.Count > 1, "the store flushed between the snapshots");
    }

    /// <summary>A segment of the log goes some time after the manifest that does not need it: between two of them a snapshot may see its name and not find it any more.</summary>
    [Fact]
    public async Task Segment_that_goes_while_it_is_being_held_is_not_missed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Links files.");
        await using var store = await Store.OpenAsync();
        await store.Series.AppendAsync(Rows(0, 0, 5), Cancel);
        var segment = Assert.Single(Directory.GetFiles(Path.Combine(store.Options.Folder, "log")));
        var kept = _folder.File("kept.log");
        File.Copy(segment, kept);
        await store.Series.FlushAsync(Cancel);
        Assert.False(File.Exists(segment));
        using var stop = new CancellationTokenSource();
        var shown = 0;
        var coming = Task.Run(
            () =>
            {
                for (; !stop.IsCancellationRequested; shown++)
                {
                    File.CreateSymbolicLink(segment, kept);
                    File.Delete(segment);
                }
            },
            Cancel);
        try
        {
            await Eventually.TrueAsync(() => Volatile.Read(ref shown) > 0, "the segment comes and goes");
            for (var taken = 0; taken < 300; taken++)
            {
                using var snapshot = SeriesSnapshot.Take(store.Options.Folder);
                Assert.Equal(1, snapshot.LastCommit);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await coming;
        }
    }

    [Fact]
    public async Task Check_counts_what_is_there()
    {
        var copy = await MakeAsync();
        var result = new SeriesCheck(new SeriesFolder(copy), _ => { }).Run(Cancel);
        Assert.Empty(result.Problems);
        Assert.Equal((400, 30, 1, 7), (result.Observations, result.History, (int)result.LogGroups, (int)result.LogObservations));
        Assert.True(result.Parts >= 2 && result.Bytes > 0 && result.LastCommit >= 3);
    }

    [Theory]
    [InlineData("part flipped", "parquet")]
    [InlineData("part cut", "bytes instead of")]
    [InlineData("part gone", "is missing")]
    [InlineData("history flipped", "history")]
    [InlineData("manifest flipped", "checksum")]
    [InlineData("latest gone", "is missing")]
    [InlineData("changes flipped", "is damaged")]
    [InlineData("log flipped", "at byte")]
    [InlineData("rows wrong", "but the manifest says")]
    [InlineData("day wrong", "outside its day")]
    [InlineData("latest wrong", "is not among the latest")]
    [InlineData("changes wrong", "about the commits")]
    [InlineData("part twice", "twice")]
    [InlineData("commits missing", "what was between them is missing")]
    public async Task Check_finds(string what, string says)
    {
        var copy = await MakeAsync();
        Damage(new SeriesFolder(copy), what);
        var before = Contents(copy);
        var result = new SeriesCheck(new SeriesFolder(copy), _ => { }).Run(Cancel);
        Assert.Contains(result.Problems, problem => problem.Contains(says, StringComparison.Ordinal) && problem.Contains(copy, StringComparison.Ordinal));
        Assert.Equal(before, Contents(copy));
    }

    [Fact]
    public void Where_no_store_is_there_is_nothing_to_check_and_the_first_layout_has_to_be_taken_over()
    {
        var folder = _folder.File("series");
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Hub:Data"] = _folder.Path }).Build();
        Assert.Equal(folder, SeriesFiles.Folder(configuration));
        Assert.Null(SeriesFiles.Hold(configuration));
        Assert.Null(SeriesFiles.Check(configuration, _ => { }, Cancel));
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "series.duckdb"), "");
        Assert.Contains("take it over", Assert.Throws<InvalidDataException>(() => SeriesFiles.Hold(configuration)).Message, StringComparison.Ordinal);
    }

    private static Observation[] Rows(int appender, int from, int count) =>
        [.. Enumerable.Range(from, count).Select(i => new Observation(appender + 1, new DateTime(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc).AddMinutes(9 * i), i % 131 / 10.0, Quality.Good))];

    /// <summary>A store of two flushes, with losers, and a commit in the log; not open.</summary>
    private async Task<string> MakeAsync()
    {
        await using var store = await Store.OpenAsync(options => options.SettleAfter = TimeSpan.FromDays(30));
        await store.Series.AppendAsync(Rows(0, 0, 200), Cancel);
        await store.Series.AppendAsync(Rows(0, 0, 30).Select(row => row with { Result = row.Result - 1 }).ToArray(), Cancel);
        await store.Series.FlushAsync(Cancel);
        await store.Series.AppendAsync(Rows(1, 0, 200), Cancel);
        await store.Series.FlushAsync(Cancel);
        await store.Series.AppendAsync(Rows(2, 0, 7), Cancel);
        using var snapshot = SeriesSnapshot.Take(store.Options.Folder);
        var copy = _folder.File("copy");
        Copy(snapshot, copy);
        return copy;
    }

    private static void Damage(SeriesFolder folder, string what)
    {
        var manifest = Manifest.Read(folder.Manifest);
        var part = manifest.Parts.First(part => part.Kind == PartKind.Observations);
        switch (what)
        {
            case "part flipped":
                Flip(folder.Part(part), 200);
                break;
            case "part cut":
                File.WriteAllBytes(folder.Part(part), File.ReadAllBytes(folder.Part(part))[..^10]);
                break;
            case "part gone":
                File.Delete(folder.Part(part));
                break;
            case "history flipped":
                Flip(folder.Part(manifest.Parts.First(part => part.Kind == PartKind.History)), 200);
                break;
            case "manifest flipped":
                Flip(folder.Manifest, 200);
                break;
            case "latest gone":
                File.Delete(folder.StateFile(manifest.Latest!));
                break;
            case "changes flipped":
                Flip(folder.StateFile(manifest.Changes[0].File), 10);
                break;
            case "log flipped":
                // A later record stands behind it.
                using (var log = WriteAheadLog.Open(folder.Log, 1 << 20, (_, _) => { }))
                {
                    log.Append(100, []);
                }

                Flip(Directory.GetFiles(folder.Log, "*.log").Order().Last(), LogCodec.SegmentHeadBytes + 30);
                break;
            case "rows wrong":
                (manifest with { Parts = manifest.Parts.Replace(part, part with { Summary = part.Summary with { Rows = part.Summary.Rows + 1 } }) }).Write(folder.Manifest);
                break;
            case "day wrong":
                (manifest with { Parts = manifest.Parts.Replace(part, part with { Day = part.Day + 1 }) }).Write(folder.Manifest);
                break;
            case "latest wrong":
                (manifest with { Latest = null }).Write(folder.Manifest);
                break;
            case "changes wrong":
                (manifest with { Changes = [manifest.Changes[0], .. manifest.Changes] }).Write(folder.Manifest);
                break;
            case "part twice":
                (manifest with { Parts = manifest.Parts.Add(part) }).Write(folder.Manifest);
                break;
            case "commits missing":
                (manifest with { LastCommit = manifest.LastCommit - 1 }).Write(folder.Manifest);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what));
        }
    }

    private static void Flip(string path, int at)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[Math.Min(at, bytes.Length / 2)] ^= 0x10;
        File.WriteAllBytes(path, bytes);
    }

    private static List<string> Contents(string folder) =>
        [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(path => $"{path} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)))}")];

    private static void Copy(SeriesSnapshot snapshot, string target)
    {
        var buffer = new byte[4_096];
        foreach (var file in snapshot.Files)
        {
            var path = Path.Combine(target, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var stream = File.Create(path);
            int read;
            for (long offset = 0; (read = file.Read(buffer, offset)) > 0; offset += read)
            {
                stream.Write(buffer, 0, read);
            }

            Assert.Equal(file.Bytes, stream.Length);
        }
    }

    private static async Task VerifyAsync(string folder, int[] acknowledged)
    {
        await using var copy = await Store.OpenAsync(options => options.Folder = folder);
        for (var appender = 0; appender < Appenders; appender++)
        {
            var rows = new List<Observation>();
            await foreach (var row in copy.Series.RangeAsync(appender + 1, DateTime.MinValue, DateTime.MaxValue, Cancel))
            {
                rows.Add(row);
            }

            // Calls of one appender follow one another: what is there is a beginning of them, each row once.
            Assert.True(rows.Count >= acknowledged[appender], $"{rows.Count} of {acknowledged[appender]}");
            Assert.Equal(Rows(appender, 0, rows.Count), rows);
        }
    }
}
