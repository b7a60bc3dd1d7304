using System.Diagnostics;
using System.Globalization;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>A process that appends is killed; what it had acknowledged is there afterwards.</summary>
public sealed class CrashTests
{
    private static readonly int Kills = Repeats.Of(3, 32);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_nothing_is_there_twice_whenever_it_is_killed()
    {
        await using var store = new Store();
        await store.Series.DisposeAsync();
        var random = new Random(20261001);
        var acknowledged = Enumerable.Range(0, Child.Appenders).Select(_ => new HashSet<long>()).ToArray();
        long commitsSeen = 0;
        var (brokenOff, rolledUp, served) = (0, 0, 0L);
        using var cells = new Served(store);
        for (var round = 0; round < Kills; round++)
        {
            // Some are killed while they start, most in the middle of their work: in a group commit alone, or with parts being written and merged beside it all the time.
            var rows = round % 4 == 0 ? "1000000" : "60";
            var lines = await RunAndKillAsync(round % 8 == 7 ? 0 : 1 + random.Next(600), "append", store.Options.Folder, round.ToString(CultureInfo.InvariantCulture), rows);
            var (parts, rollups) = Leftovers(store.Options.Folder);
            (brokenOff, rolledUp) = (brokenOff + parts, rolledUp + rollups);
            long opened = -1;
            foreach (var words in lines.Select(line => line.Split(' ')))
            {
                var commit = long.Parse(words[^1], CultureInfo.InvariantCulture);
                if (words[0] == "open")
                {
                    Assert.True(commit >= commitsSeen, "commit numbers go on after a crash");
                    opened = commit;
                }
                else
                {
                    // A call that repeats only what is stored makes no commit.
                    Assert.True(commit >= opened && opened >= 0);
                    var position = long.Parse(words[2], CultureInfo.InvariantCulture);
                    acknowledged[int.Parse(words[1], CultureInfo.InvariantCulture)].UnionWith(Enumerable.Range(0, Child.PerCall).Select(i => position + i));
                }

                commitsSeen = Math.Max(commitsSeen, commit);
            }

            if (round % 4 == 3)
            {
                await CheckAsync(store, acknowledged, commitsSeen);
                served += cells.Take();
            }
        }

        Assert.All(acknowledged, positions => Assert.True(positions.Count > 100, "the children did work"));
        TestContext.Current.TestOutputHelper?.WriteLine($"{acknowledged.Sum(positions => positions.Count)} observations acknowledged, {brokenOff} files of broken-off flushes and merges found, {rolledUp} of rollups; {served} cells served from rollups");
        Assert.True(!Repeats.AreMany || brokenOff > 0, "kills met parts being written");
        Assert.True(!Repeats.AreMany || served > 0, "rollups answered");
    }

    [Fact]
    public async Task Deletion_that_is_killed_took_place_or_did_not()
    {
        await using var store = new Store();
        await store.Series.DisposeAsync();
        var random = new Random(20261002);
        var first = 1;
        for (var round = 0; round < Repeats.Of(2, 12); round++)
        {
            var lines = await RunAndKillAsync(1 + random.Next(40), "delete", store.Options.Folder, first.ToString(CultureInfo.InvariantCulture));
            var (ins, outs) = (Said(lines, "in"), Said(lines, "out"));
            await store.ReopenAsync();
            foreach (var datastream in ins)
            {
                var count = 0;
                await foreach (var observation in store.Series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel))
                {
                    Assert.Equal(Child.At(datastream - 1, count++ * 1_000_000L), observation);
                }

                var mayBeOut = datastream == outs.DefaultIfEmpty(first - 1).Max() + 1;
                Assert.True(count == (outs.Contains(datastream) ? 0 : Child.PerDatastream) || (mayBeOut && count == 0), $"{count} of datastream {datastream}");
                Assert.Equal(count > 0, store.Series.TryGetLatest(datastream, out _));
            }

            Verify(store);
            await store.Series.DisposeAsync();
            first += 1_000;
        }

        static HashSet<int> Said(List<string> lines, string what) =>
            [.. lines.Select(line => line.Split(' ')).Where(words => words[0] == what).Select(words => int.Parse(words[1], CultureInfo.InvariantCulture))];
    }

    [Fact]
    public async Task Condensing_that_is_killed_leaves_each_day_whole_or_condensed_and_every_figure_as_it_was()
    {
        await using var store = new Store();
        await store.Series.DisposeAsync();
        var random = new Random(20261003);
        var (first, condensed, halfway, broken) = (1, 0, 0, 0);
        for (var round = 0; round < Repeats.Of(2, 12); round++)
        {
            // The fourth datastream comes before the first is condensed, each later one after another. The lines beside say how long after that it is killed.
            var (begun, later) = (4 + random.Next(3), random.Next(400));
            var lines = await RunAndKillAsync(
                said => said.Select((line, at) => (line, at)).Where(one => one.line.StartsWith("in ", StringComparison.Ordinal)).Skip(begun - 1).Select(one => one.at).FirstOrDefault(int.MaxValue) < said.Count - later,
                "condense", store.Options.Folder, first.ToString(CultureInfo.InvariantCulture));
            broken += Leftovers(store.Options.Folder).Parts;
            await store.ReopenAsync();
            var kept = await store.Series.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel);
            foreach (var words in lines.Select(line => line.Split(' ')).Where(words => words[0] != "beside"))
            {
                var datastream = int.Parse(words[1], CultureInfo.InvariantCulture);
                var question = new AggregateQuery(datastream, DateTime.MinValue, DateTime.MaxValue, new BucketWidth(TimeSpan.FromHours(1)), Statistic.Sum);
                var fold = new BucketFold(question, 1_000);
                for (var i = 0; i < Child.PerDatastream; i++)
                {
                    var row = Child.At(datastream - 1, i * 1_000_000L);
                    fold.Add(EventTime.Micros(row.PhenomenonTime), row.Result, row.Quality, row.Coverage);
                }

                Assert.Equal(fold.Complete(), await store.Series.AggregateAsync(question, Cancel));
                var days = kept.GetValueOrDefault(datastream);
                var raw = await store.Series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel).Select(row => row.PhenomenonTime.Date).Distinct().CountAsync(Cancel);
                Assert.Equal(fold.Complete().Select(bucket => bucket.Start.Date).Distinct().Count(), days + raw);
                halfway += words[0] == "in" && days > 0 && raw > 0 ? 1 : 0;
                if (words[0] == "condensed")
                {
                    Assert.Equal(0, raw);
                    condensed++;
                }
            }

            Assert.Empty(new SeriesCheck(new SeriesFolder(store.Options.Folder), static _ => { }).Run(Cancel).Problems);
            Verify(store);
            await store.Series.DisposeAsync();
            first += 1_000;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{condensed} datastreams condensed, {halfway} halfway, {broken} files of what was broken off");
        Assert.True(!Repeats.AreMany || (condensed + halfway > 0 && broken > 0), "the children did work, and kills met it");
    }

    [Fact]
    public async Task Taking_rollups_that_is_killed_leaves_each_day_taken_or_not_and_what_was_said_is_there()
    {
        await using var store = new Store();
        await store.Series.DisposeAsync();
        var random = new Random(20261126);
        var (first, taken, others) = (1, 0, 0);
        for (var round = 0; round < Repeats.Of(2, 8); round++)
        {
            var lines = await RunAndKillAsync(2 + random.Next(20), "take", store.Options.Folder, first.ToString(CultureInfo.InvariantCulture));
            var said = lines.Count(line => line.StartsWith("taken", StringComparison.Ordinal));
            await store.ReopenAsync();
            var days = await store.Series.CondensedDaysAsync(null, DateTime.MinValue, DateTime.MaxValue, Cancel).Where(day => day.Datastream >= first).ToListAsync(Cancel);
            foreach (var day in days)
            {
                Assert.Equal(Child.Kept(day.Datastream).Single(one => one.Day == day.Day).Cells, day.Cells);
            }

            var whole = Enumerable.Range(first, said).SelectMany(datastream => Child.Kept(datastream)).Select(day => (day.Datastream, day.Day)).ToHashSet();
            Assert.Superset(whole, days.Select(day => (day.Datastream, day.Day)).ToHashSet());
            (taken, others, first) = (taken + said, others + days.Count - whole.Count, first + 1_000);

            // What a kill left out is taken when it is given again, and what is there stays.
            Assert.DoesNotContain(CondensedOutcome.Observed, await store.Series.TakeCondensedAsync(Child.Kept(first - 1_000 + said), Cancel));
            Assert.Empty(new SeriesCheck(new SeriesFolder(store.Options.Folder), static _ => { }).Run(Cancel).Problems);
            Verify(store);
            await store.Series.DisposeAsync();
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{taken} datastreams taken, {others} days of the next ones");
        Assert.True(taken > 0, "the children did work");
    }

    [Fact]
    public async Task Full_disk_stops_the_acknowledgements_and_nothing_else()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits the size of files the way Linux does.");
        using var folder = new TempFolder();
        using var child = Start("full", folder.File("series"));
        var said = child.StandardOutput.ReadToEndAsync(Cancel);
        var complained = child.StandardError.ReadToEndAsync(Cancel);
        await child.WaitForExitAsync(Cancel);
        Assert.True(child.ExitCode == 0, await complained);
        Assert.EndsWith("ok\n", await said, StringComparison.Ordinal);
        Assert.Contains("cannot commit", await said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deletion_gives_room_back_on_a_full_disk_or_says_what_to_do()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Mounts a small disk in a namespace of its own.");
        using var folder = new TempFolder();
        var start = new ProcessStartInfo(
            "unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", $"mount -t tmpfs -o size=64m tmpfs '{folder.Path}' && exec '{Environment.ProcessPath}' child room '{folder.Path}'"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var child = Process.Start(start)!;
        var said = child.StandardOutput.ReadToEndAsync(Cancel);
        var complained = child.StandardError.ReadToEndAsync(Cancel);
        await child.WaitForExitAsync(Cancel);
        Assert.True(child.ExitCode == 0, await complained);
        Assert.EndsWith("ok\n", await said, StringComparison.Ordinal);
    }

    /// <summary>Figures that may come from rollups are those of the observations.</summary>
    private static async Task SameFiguresAsync(EmbeddedSeries series, int datastream)
    {
        foreach (var minutes in new[] { 1, 15, 60, 1_440 })
        {
            var question = new AggregateQuery(datastream, DateTime.MinValue, DateTime.MaxValue, new BucketWidth(TimeSpan.FromMinutes(minutes)), Statistic.Mean);
            var fold = new BucketFold(question, 1_000_000);
            await foreach (var row in series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel))
            {
                fold.Add(EventTime.Micros(row.PhenomenonTime), row.Result, row.Quality, row.Coverage);
            }

            Assert.Equal(fold.Complete(), await series.AggregateAsync(question, Cancel));
        }
    }

    private static async Task CheckAsync(Store store, HashSet<long>[] acknowledged, long commitsSeen)
    {
        await store.ReopenAsync();
        Assert.True(store.Series.LastCommit >= commitsSeen);
        for (var appender = 0; appender < Child.Appenders; appender++)
        {
            var missing = new HashSet<long>(acknowledged[appender]);
            var before = DateTime.MinValue;
            await foreach (var observation in store.Series.RangeAsync(appender + 1, DateTime.MinValue, DateTime.MaxValue, Cancel))
            {
                Assert.True(observation.PhenomenonTime > before, "in order and none twice");
                before = observation.PhenomenonTime;
                var position = (observation.PhenomenonTime - Child.At(appender, 0).PhenomenonTime).Ticks / Child.StepTicks;
                Assert.Equal(Child.At(appender, position), observation);
                missing.Remove(position);
            }

            Assert.Empty(missing);
            Assert.Equal(before != DateTime.MinValue, store.Series.TryGetLatest(appender + 1, out var latest));
            Assert.Equal(before, latest.PhenomenonTime);
            await SameFiguresAsync(store.Series, appender + 1);
        }

        Assert.Empty(new SeriesCheck(new SeriesFolder(store.Options.Folder), static _ => { }).Run(Cancel).Problems);

        Verify(store);
        await store.Series.DisposeAsync();
    }

    /// <summary>Every live part is whole, and nothing else is there.</summary>
    private static void Verify(Store store)
    {
        using var version = store.Series.Parts.Take();
        foreach (var part in version.Parts)
        {
            using var reader = PartReader.Open(part.Path);
            reader.Verify(Cancel);
            Assert.Equal(part.Info.Summary, reader.Summary);
        }
    }

    /// <summary>Part files the manifest does not name, and how many of them are rollups.</summary>
    private static (int Parts, int Rollups) Leftovers(string folder)
    {
        var parts = Path.Combine(folder, "parts");
        if (!Directory.Exists(parts))
        {
            return (0, 0);
        }

        var named = Manifest.Read(Path.Combine(folder, "manifest")).Parts.Select(part => part.File).ToHashSet();
        var found = Directory.GetFiles(parts, "*", SearchOption.AllDirectories).Where(file => !named.Contains(Path.GetFileName(file))).ToList();
        return (found.Count, found.Count(file => Path.GetFileName(Path.GetDirectoryName(file)) == "rollups"));
    }

    private static Task<List<string>> RunAndKillAsync(int linesBefore, params string[] args) => RunAndKillAsync(said => said.Count >= linesBefore, args);

    private static async Task<List<string>> RunAndKillAsync(Func<List<string>, bool> isEnough, params string[] args)
    {
        using var child = Start(args);
        var lines = new List<string>();
        var text = new System.Text.StringBuilder();
        var buffer = new char[4096];
        var killed = isEnough(lines);
        if (killed)
        {
            child.Kill();
        }

        int read;
        while ((read = await child.StandardOutput.ReadAsync(buffer, Cancel)) > 0)
        {
            text.Append(buffer, 0, read);
            lines = [.. text.ToString().Split('\n')[..^1]];
            if (!killed && isEnough(lines))
            {
                killed = true;
                child.Kill();
            }
        }

        await child.WaitForExitAsync(Cancel);
        Assert.True(killed, await child.StandardError.ReadToEndAsync(Cancel));

        // A last line without its end was not said.
        return lines;
    }

    private static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var arg in args.Prepend("child"))
        {
            start.ArgumentList.Add(arg);
        }

        return Process.Start(start)!;
    }
}
