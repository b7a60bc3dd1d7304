using System.Globalization;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The hub is killed, the server is killed, and both; what was acknowledged is there afterwards, once.</summary>
public sealed class InfluxCrashTests(InfluxServer server) : IClassFixture<InfluxServer>
{
    private static readonly int Rounds = Repeats.Of(3, 24);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_nothing_is_there_twice_whichever_is_killed()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        using var folder = new TempFolder();
        var database = server.NextDatabase();
        var random = new Random(20261126);
        var acknowledged = Enumerable.Range(0, InfluxChild.Appenders).Select(_ => new HashSet<long>()).ToArray();
        var serverKills = 0;
        for (var round = 0; round < Rounds; round++)
        {
            using var child = InfluxChild.Run("influx-child", folder.File("series"), server.Address, database, round.ToString(CultureInfo.InvariantCulture));
            var (lines, killServerAt, killChildAt) = (0, round % 3 == 0 ? int.MaxValue : 1 + random.Next(100), 100 + random.Next(300));
            var isDown = false;
            while (lines < killChildAt && await child.StandardOutput.ReadLineAsync(Cancel) is { } line)
            {
                var words = line.Split(' ');
                var position = long.Parse(words[2], CultureInfo.InvariantCulture);
                acknowledged[int.Parse(words[1], CultureInfo.InvariantCulture)].UnionWith(Enumerable.Range(0, InfluxChild.PerCall).Select(i => position + i));
                lines++;
                if (lines == killServerAt)
                {
                    await server.KillAsync();
                    (isDown, serverKills) = (true, serverKills + 1);
                }
                else if (isDown && lines > killServerAt + 40 && round % 3 == 1)
                {
                    // It comes back while the hub runs; in other rounds only after the hub was killed too.
                    await server.StartAsync();
                    isDown = false;
                }
            }

            Assert.False(child.HasExited, lines == 0 ? await child.StandardError.ReadToEndAsync(Cancel) : "the child works until it is killed");
            child.Kill();
            foreach (var words in (await child.StandardOutput.ReadToEndAsync(Cancel)).Split('\n')[..^1].Select(line => line.Split(' ')))
            {
                var position = long.Parse(words[2], CultureInfo.InvariantCulture);
                acknowledged[int.Parse(words[1], CultureInfo.InvariantCulture)].UnionWith(Enumerable.Range(0, InfluxChild.PerCall).Select(i => position + i));
            }

            await child.WaitForExitAsync(Cancel);
            if (isDown)
            {
                await server.StartAsync();
            }

            if (round % 4 == 3)
            {
                await CheckAsync(folder.File("series"), database, acknowledged);
            }
        }

        Assert.True(serverKills > 0, "the server was killed");
        Assert.All(acknowledged, positions => Assert.True(positions.Count > 100, "the children did work"));
    }

    private async Task CheckAsync(string folder, string database, HashSet<long>[] acknowledged)
    {
        await using var services = InfluxChild.Services(InfluxChild.Settings(folder, server.Address, database));
        await services.OpenSeriesAsync(Cancel);
        var series = services.GetRequiredService<InfluxSeries>();
        await Eventually.TrueAsync(() => series.IsSettled, "everything is handed over");
        for (var appender = 0; appender < InfluxChild.Appenders; appender++)
        {
            var missing = new HashSet<long>(acknowledged[appender]);
            var (before, count) = (DateTime.MinValue, 0);
            await foreach (var observation in series.RangeAsync(appender + 1, DateTime.MinValue, DateTime.MaxValue, Cancel))
            {
                Assert.True(observation.PhenomenonTime > before, "in order and none twice");
                before = observation.PhenomenonTime;
                var position = (long)(observation.PhenomenonTime - InfluxChild.At(appender, 0).PhenomenonTime).TotalMilliseconds;
                Assert.Equal(InfluxChild.At(appender, position), observation);
                missing.Remove(position);
                count++;
            }

            Assert.Empty(missing);

            // Also for those who ask the server itself: nothing of it is the hub's doing.
            Assert.Equal([$"[0,{count}]"], await server.AskAsync(database, $"SELECT count(result) FROM observation WHERE datastream='{appender + 1}'"));
            Assert.True(series.TryGetLatest(appender + 1, out var latest));
            Assert.Equal(before, latest.PhenomenonTime);
        }

        Assert.Empty(await server.AskAsync(database, "SELECT * FROM observation_history"));
    }
}
