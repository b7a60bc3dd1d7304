using System.Globalization;
using Hub.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>
/// One store killed with -9 again and again while it appends, flushes, merges, deletes and is backed up, the end of its log torn after half of the kills. After each: a clean check, and everything
/// that was acknowledged is there once, with the value that must win; nothing that was deleted comes back; a backup that was completed holds what it must. HUB_SERIES_KILLS says how often (default
/// 6, in the long run 300), HUB_SERIES_SEED repeats a schedule.
/// </summary>
public sealed class KillCampaignTests(ITestOutputHelper output)
{
    private static readonly int Kills = Number("HUB_SERIES_KILLS", Repeats.Of(4, 300));
    private static readonly int Seed = Number("HUB_SERIES_SEED", Environment.ProcessId);

    private readonly Dictionary<string, int> _counted = [];
    private readonly CampaignModel _model = new();
    private readonly Random _draw = new(Seed);
    private string _what = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whenever_it_is_killed_nothing_acknowledged_is_missing_twice_or_back()
    {
        output.WriteLine($"{Kills} kills, HUB_SERIES_SEED={Seed}");
        using var folder = new TempFolder();
        var epoch = TimeProvider.System.GetUtcNow().UtcTicks;
        var kills = 0;
        try
        {
            for (var round = 0; kills < Kills; round++)
            {
                kills += await RoundAsync(folder, round, epoch);
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"HUB_SERIES_SEED={Seed}, after {kills} kills, {_what}", e);
        }
        finally
        {
            output.WriteLine($"{kills} kills: {string.Join(", ", _counted.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Value} {pair.Key}"))}");
            output.WriteLine($"{_model.Acknowledged} observations acknowledged in {_model.LastCommit} commits, {_model.Lost} values seen that had lost, {_model.Deletions} deletions acknowledged, {_model.DeletionsCutOff} cut off of which {_model.DeletionsThatTookPlaceUnsaid} had taken place");
        }

        Assert.True(_model.Acknowledged > Kills * 100, "the processes did work");
        Assert.True(Kills < 200 || new[] { "files of broken-off work found", "backups killed", "backups completed", "logs torn" }.All(_counted.ContainsKey), "kills met everything they are for");
    }

    /// <summary>Starts the store, kills it at some moment, checks; the number of kills.</summary>
    private async Task<int> RoundAsync(TempFolder folder, int round, long epoch)
    {
        var series = folder.File("series");
        var moment = Moment();
        _what = FormattableString.Invariant($"round {round}: killed {moment}");
        var backups = new List<Backup>();
        using (var store = new CampaignProcess("store", series, Text(Seed), Text(round), epoch.ToString(CultureInfo.InvariantCulture)))
        using (var watch = Watch(series, moment, store))
        {
            var (lines, deletions) = (0, 0);
            await store.ReadAsync(
                line =>
                {
                    _model.Hear(line);
                    lines++;
                    deletions += line.StartsWith("deleting", StringComparison.Ordinal) ? 1 : 0;
                    if (moment.Backup && backups.Count == 0 && lines >= moment.BackupAfter)
                    {
                        backups.Add(Begin(folder, series, round));
                    }

                    if (moment.IsReached(lines, deletions))
                    {
                        store.Kill();
                    }
                },
                Cancel);
            Assert.True(store.IsKilled, "the store ran out of work before its kill");
        }

        var kills = 1;
        Count($"{moment.Name}");
        Count("files of broken-off work found", Leftovers(series));
        if (_draw.Next(2) == 0 && TornTail.Tear(Path.Combine(series, "log"), Math.Max(_model.LastCommit, Manifest.Read(Path.Combine(series, "manifest")).LastCommit), _draw) is { } torn)
        {
            _what += $", torn {torn}";
            Count("logs torn");
        }

        foreach (var backup in backups)
        {
            kills += await EndAsync(backup, folder);
        }

        await CheckAsync(series, folder.File("look"), _model);
        return kills;
    }

    private Moment Moment()
    {
        var (lines, backupAfter) = (_draw.Next(1, 200), _draw.Next(2, 120));
        return _draw.Next(8) switch
        {
            0 => new Moment("at the start", Lines: _draw.Next(1, 3)),
            1 or 2 => new Moment("in the middle of commits", Lines: lines),
            3 => new Moment("after a deletion began", Deletions: _draw.Next(1, 20), Lines: 600),
            4 => new Moment("when a part appeared", Parts: _draw.Next(1, 60), Lines: 600),
            5 => new Moment("when the manifest was being replaced", Manifests: _draw.Next(1, 30), Lines: 600),
            _ => new Moment("during a backup", Lines: backupAfter + _draw.Next(1, 100)) { Backup = true, BackupAfter = backupAfter },
        };
    }

    /// <summary>Kills when the wanted file appears: what writes it is then in the middle of its work.</summary>
    private static FileSystemWatcher Watch(string series, Moment moment, CampaignProcess store)
    {
        Directory.CreateDirectory(series);
        var watcher = new FileSystemWatcher(series) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName };
        var (parts, manifests) = (0, 0);
        watcher.Created += (_, created) =>
        {
            parts += created.Name!.EndsWith(".parquet", StringComparison.Ordinal) && created.Name.StartsWith("parts", StringComparison.Ordinal) ? 1 : 0;
            manifests += created.Name == "manifest.new" ? 1 : 0;
            if ((moment.Parts > 0 && parts >= moment.Parts) || (moment.Manifests > 0 && manifests >= moment.Manifests))
            {
                store.Kill();
            }
        };
        watcher.EnableRaisingEvents = true;
        return watcher;
    }

    private Backup Begin(TempFolder folder, string series, int round)
    {
        var target = folder.File(FormattableString.Invariant($"backup-{round}"));
        var must = _model.Copy();
        return new Backup(target, must, new CampaignProcess("backup", series, target));
    }

    /// <summary>Half of them are killed at some line of theirs; one that said that it is complete must hold what it has to.</summary>
    private async Task<int> EndAsync(Backup backup, TempFolder folder)
    {
        var killAt = _draw.Next(6);
        var (lines, complete) = (0, false);
        using (backup.Process)
        {
            if (killAt == 0)
            {
                backup.Process.Kill();
            }

            await backup.Process.ReadAsync(
                line =>
                {
                    complete |= line.StartsWith("copied", StringComparison.Ordinal);
                    if (++lines == killAt)
                    {
                        backup.Process.Kill();
                    }
                },
                Cancel);
        }

        if (complete)
        {
            Count("backups completed");
            backup.Must.AlsoOpen(_model);
            _what += ", its backup";
            await CheckAsync(backup.Target, folder.File("look"), backup.Must);
        }

        if (Directory.Exists(backup.Target))
        {
            Directory.Delete(backup.Target, recursive: true);
        }

        Count("backups killed", complete ? 0 : 1);
        return complete ? 0 : 1;
    }

    /// <summary>A clean check of the folder as it lies there, and a look into a copy of it, so that the next process meets what the killed one left.</summary>
    private static async Task CheckAsync(string series, string look, CampaignModel must)
    {
        var result = SeriesFiles.Check(CampaignChild.Settings(series), static _ => { }, Cancel);
        Assert.True(result is null || result.Problems.Count == 0, string.Join('\n', result?.Problems ?? []));
        Copy(series, look);
        using var instruments = new SeriesInstruments();
        await using (var store = new EmbeddedSeries(Options.Create(new SeriesOptions { Folder = look, StopWithin = TimeSpan.FromMinutes(5) }), TimeProvider.System, NullLogger<EmbeddedSeries>.Instance, instruments))
        {
            await store.OpenAsync(Cancel);
            await must.VerifyAsync(store, Cancel);
        }

        Directory.Delete(look, recursive: true);
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        Directory.CreateDirectory(to);
    }

    /// <summary>Part files the manifest does not name: of flushes, merges and deletions that were cut off.</summary>
    private static int Leftovers(string folder)
    {
        var parts = Path.Combine(folder, "parts");
        if (!Directory.Exists(parts))
        {
            return 0;
        }

        var named = Manifest.Read(Path.Combine(folder, "manifest")).Parts.Select(part => part.File).ToHashSet();
        return Directory.GetFiles(parts, "*", SearchOption.AllDirectories).Count(file => !named.Contains(Path.GetFileName(file)));
    }

    private void Count(string what, int more = 1)
    {
        if (more > 0)
        {
            _counted[what] = _counted.GetValueOrDefault(what) + more;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Number(string variable, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : standard;

    private sealed record Backup(string Target, CampaignModel Must, CampaignProcess Process);
}

/// <summary>When a store is killed: at whichever of these comes first; zero is never.</summary>
internal sealed record Moment(string Name, int Lines = 0, int Deletions = 0, int Parts = 0, int Manifests = 0)
{
    public bool Backup { get; init; }

    /// <summary>Lines before a backup is begun.</summary>
    public int BackupAfter { get; init; }

    public bool IsReached(int lines, int deletions) => lines == Lines || (Deletions > 0 && deletions == Deletions);
}
