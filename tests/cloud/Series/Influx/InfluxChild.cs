using System.Diagnostics;
using System.Globalization;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Cloud.Series.Tests;

/// <summary>Appends to a store on InfluxDB until it is killed, in a process of its own, by the stage's front door.</summary>
internal static class InfluxChild
{
    public const int Appenders = 4;
    public const int PerCall = 5;
    public const int PerRound = 1_000_000;

    private static readonly DateTime Start = new(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly Lock Output = new();

    public static Observation At(int appender, long position) => new(appender + 1, Start.AddMilliseconds(position), position % 1000 / 10.0, Quality.Good);

    public static Dictionary<string, string?> Settings(string folder, string address, string database) => new()
    {
        ["Hub:Series:Store"] = "Influx",
        ["Hub:Series:Folder"] = folder,
        ["Hub:Series:Influx:Address"] = address,
        ["Hub:Series:Influx:Database"] = database,
        ["Hub:Series:Influx:RequestTimeout"] = "00:01:00",
        ["Hub:Series:Influx:RetryMin"] = "00:00:00.020",
        ["Hub:Series:Influx:RetryMax"] = "00:00:00.100",
    };

    public static ServiceProvider Services(Dictionary<string, string?> settings) =>
        new ServiceCollection().AddLogging().AddHubSeries(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).BuildServiceProvider();

    public static async Task<int> RunAsync(string[] args)
    {
        var (folder, address, database, round) = (args[0], args[1], args[2], int.Parse(args[3], CultureInfo.InvariantCulture));
        await using var services = Services(Settings(folder, address, database));
        await services.OpenSeriesAsync(CancellationToken.None);
        var series = services.GetRequiredService<ISeries>();
        await Task.WhenAll(Enumerable.Range(0, Appenders).Select(appender => Task.Run(async () =>
        {
            // Begins inside the round before: what was and what was not acknowledged there is sent again.
            for (var position = Math.Max(0, (round - 1) * (long)PerRound); ; position += PerCall)
            {
                if (position == ((round - 1) * (long)PerRound) + (20 * PerCall))
                {
                    position = round * (long)PerRound;
                }

                await AppendAsync(series, appender, position);
            }
        })));
        return 0;
    }

    /// <summary>Appends one datastream after the other and condenses each two later, until killed; says what is in and what is condensed.</summary>
    public static async Task<int> CondenseAsync(string[] args)
    {
        const int whole = 2;
        var first = 1 + int.Parse(args[3], CultureInfo.InvariantCulture);
        await using var services = Services(Settings(args[0], args[1], args[2]));
        await services.OpenSeriesAsync(CancellationToken.None);
        var series = services.GetRequiredService<ISeries>();
        for (var datastream = first; ; datastream++)
        {
            await series.AppendAsync(Enumerable.Range(0, Child.PerDatastream).Select(i => Child.At(datastream - 1, i * 1_000_000L)).ToArray(), CancellationToken.None);
            Say(FormattableString.Invariant($"in {datastream}"));
            if (datastream >= first + whole)
            {
                await series.CondenseAsync([datastream - whole], DateTime.MinValue, DateTime.MaxValue, CancellationToken.None);
                Say(FormattableString.Invariant($"condensed {datastream - whole}"));
            }
        }
    }

    public static Process Run(params string[] args)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var arg in args)
        {
            start.ArgumentList.Add(arg);
        }

        return Process.Start(start)!;
    }

    private static void Say(string line)
    {
        lock (Output)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }

    private static async Task AppendAsync(ISeries series, int appender, long position)
    {
        // As a sender does: not acknowledged, so once more. The pauses keep the machine for the server that is to come back.
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    var receipt = await series.AppendAsync(Enumerable.Range(0, PerCall).Select(i => At(appender, position + i)).ToArray(), CancellationToken.None);
                    Say(FormattableString.Invariant($"ack {appender} {position} {receipt.Commit}"));
                    return true;
                }
                catch (SeriesUnavailableException)
                {
                    return false;
                }
            },
            "the append is acknowledged");
    }
}
