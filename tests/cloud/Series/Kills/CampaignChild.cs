using System.Globalization;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Cloud.Series.Tests;

/// <summary>The processes of a campaign. What was acknowledged is what they have said on standard output.</summary>
internal static class CampaignChild
{
    private static readonly Lock Output = new();

    public static async Task<int> RunAsync(string[] args)
    {
        switch (args)
        {
            case ["store", var folder, var seed, var round, var epoch]:
                Say("alive");
                await new Store(folder, Number(seed), Number(round), long.Parse(epoch, CultureInfo.InvariantCulture)).RunAsync();
                return 0;
            case ["backup", var folder, var target]:
                Say("alive");
                Backup(folder, target);
                return 0;
            default:
                return 2;
        }
    }

    public static IConfigurationRoot Settings(string folder, Dictionary<string, string?>? more = null)
    {
        var settings = more ?? [];
        settings["Hub:Series:Folder"] = folder;
        return new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static void Say(string line)
    {
        lock (Output)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }

    /// <summary>What hub backup does with the series: holds a snapshot, copies it, flushes it.</summary>
    private static void Backup(string folder, string target)
    {
        using var snapshot = SeriesFiles.Hold(Settings(folder))!;
        Say(FormattableString.Invariant($"held {snapshot.LastCommit}"));
        var buffer = new byte[64 * 1024];
        foreach (var file in snapshot.Files)
        {
            var path = Path.Combine(target, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var copy = File.Create(path);
            long at = 0;
            while (file.Read(buffer, at) is > 0 and var read)
            {
                copy.Write(buffer, 0, read);
                at += read;
            }

            copy.Flush(flushToDisk: true);
        }

        Say(FormattableString.Invariant($"copied {snapshot.LastCommit}"));
    }

    /// <summary>UTC runs 600 times as fast, on the same clock in each process: a day that settled is merged after a second of quiet.</summary>
    private sealed class FastClock(long epochTicks) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow()
        {
            var epoch = new DateTimeOffset(epochTicks, TimeSpan.Zero);
            return epoch + ((System.GetUtcNow() - epoch) * 600);
        }
    }

    /// <summary>Appends from several callers, deletes what is old, with settings that make it flush and merge all the time.</summary>
    private sealed class Store(string folder, int seed, int round, long epoch)
    {
        private readonly Random _draw = new(CampaignData.Mix(seed, round));

        public async Task RunAsync()
        {
            var configuration = Settings(folder, new()
            {
                ["Hub:Series:FlushObservationsMax"] = OneOf("60", "300", "2000", "1000000"),
                ["Hub:Series:FlushAfter"] = "00:00:01",
                ["Hub:Series:PartsPerDayMax"] = OneOf("2", "3", "16"),
                ["Hub:Series:KnownKeysMax"] = OneOf("0", "500", "2000000"),
                ["Hub:Series:KnownDaysLoadedMax"] = OneOf("0", "4", "64"),
                ["Hub:Series:GroupObservationsMax"] = OneOf("50", "50000"),
                ["Hub:Series:OpenPartsMax"] = OneOf("4", "256"),
            });
            await using var services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(new FastClock(epoch)).AddHubSeries(configuration).BuildServiceProvider();
            await services.OpenSeriesAsync(CancellationToken.None);
            var series = services.GetRequiredService<ISeries>();
            Say(FormattableString.Invariant($"open {series.LastCommit}"));
            var work = Enumerable.Range(0, CampaignData.Appenders).Select(appender => AppendAsync(series, appender, _draw.Next())).ToList();
            work.Add(RetainAsync(series));
            if (round % 2 == 0)
            {
                work.Add(PassAsync(series));
            }

            await Task.WhenAll(work);
        }

        private string OneOf(params string[] values) => values[_draw.Next(values.Length)];

        private async Task AppendAsync(ISeries series, int appender, int seedHere)
        {
            var draw = new Random(seedHere);
            var next = new int[CampaignData.PerAppender];
            await Task.Yield();
            while (next.Max() < CampaignData.PlacesMax - 100)
            {
                var mine = draw.Next(CampaignData.PerAppender);
                var datastream = (appender * CampaignData.PerAppender) + mine + 1;
                var call = Enumerable.Range(0, draw.Next(1, 21)).Select(_ => Choose(draw, datastream, ref next[mine])).ToArray();
                await SendAsync(series, datastream, call);
            }
        }

        /// <summary>Mostly something new, otherwise a value again, a correction in any order, or something late for an earlier round: also for what its kill left open.</summary>
        private (CampaignKey Key, int Revision) Choose(Random draw, int datastream, ref int next)
        {
            var kind = draw.Next(10);
            if (kind < 6 || next == 0)
            {
                return (new CampaignKey(datastream, round, next++), draw.Next(10) == 0 ? 1 : 0);
            }

            var rounds = Math.Min(round, CampaignData.RoundsKept - 1);
            return kind < 9 || rounds == 0
                ? (new CampaignKey(datastream, round, draw.Next(next)), draw.Next(CampaignData.Revisions))
                : (new CampaignKey(datastream, round - draw.Next(1, rounds + 1), draw.Next(400)), draw.Next(CampaignData.Revisions));
        }

        /// <summary>Retention: first everything that is long past, then each cell of the rounds before those that still get late observations.</summary>
        private async Task RetainAsync(ISeries series)
        {
            await Task.Yield();
            var past = round - CampaignData.RoundsKept - 1;
            if (past > 0)
            {
                await DeleteAsync(series, [.. CampaignData.Datastreams], DateTime.UnixEpoch, CampaignData.RoundStart(past), FormattableString.Invariant($"before {past}"));
            }

            for (var old = Math.Max(0, past); old <= round - CampaignData.RoundsKept; old++)
            {
                for (var block = 0; block < 2; block++)
                {
                    for (var first = 1; first <= CampaignData.PerAppender; first++)
                    {
                        int[] some = [.. Enumerable.Range(0, CampaignData.Appenders).Select(appender => first + (appender * CampaignData.PerAppender))];
                        var (from, to) = CampaignData.StretchOf(new CampaignCell(some[0], old, block));
                        await DeleteAsync(series, some, from, to, FormattableString.Invariant($"cells {old} {block} {string.Join(',', some)}"));
                    }
                }
            }
        }

        /// <summary>Appends blocks of one datastream and deletes each some later, all the time.</summary>
        private async Task PassAsync(ISeries series)
        {
            const int kept = 3;
            await Task.Yield();
            for (var block = 0; ; block++)
            {
                await SendAsync(series, CampaignData.Passing, [.. Enumerable.Range(0, CampaignData.PassingBlock).Select(i => (new CampaignKey(CampaignData.Passing, round, (block * CampaignData.PassingBlock) + i), 0))]);
                if (block >= kept)
                {
                    var cell = new CampaignCell(CampaignData.Passing, round, block - kept);
                    var (from, to) = CampaignData.StretchOf(cell);
                    await DeleteAsync(series, [CampaignData.Passing], from, to, FormattableString.Invariant($"cells {round} {cell.Block} {CampaignData.Passing}"));
                }
            }
        }

        private static async Task SendAsync(ISeries series, int datastream, (CampaignKey Key, int Revision)[] call)
        {
            var receipt = await series.AppendAsync(call.Select(one => CampaignData.At(one.Key, one.Revision)).ToArray(), CancellationToken.None);
            var said = new StringBuilder().Append(CultureInfo.InvariantCulture, $"ack {receipt.Commit} {datastream} ");
            foreach (var (key, revision) in call)
            {
                said.Append(CultureInfo.InvariantCulture, $"{key.Round}:{key.Place}:{revision},");
            }

            Say(said.ToString());
        }

        private static async Task DeleteAsync(ISeries series, int[] datastreams, DateTime from, DateTime to, string what)
        {
            Say($"deleting {what}");
            await series.DeleteAsync(datastreams, from, to, CancellationToken.None);
            Say($"deleted {what}");
        }
    }
}
