using System.Globalization;
using System.Runtime.InteropServices;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>What the tests run in a process of its own: one to be killed, one whose disk is full. It uses the stage as a program does, by its front door.</summary>
internal static partial class Child
{
    public const int Appenders = 8;
    public const int PerCall = 5;

    /// <summary>Observations of one appender in one round never reach this number.</summary>
    public const int PerRound = 1_000_000;

    private static readonly DateTime Start = new(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly Lock Output = new();

    public static async Task<int> RunAsync(string[] args)
    {
        switch (args)
        {
            case ["append", var folder, var round]:
                await AppendAsync(folder, int.Parse(round, CultureInfo.InvariantCulture));
                return 0;
            case ["full", var folder]:
                await FullAsync(folder);
                Say("ok");
                return 0;
            default:
                return 2;
        }
    }

    /// <summary>The observation an appender sends at a position: always the same, so that a repeated one is a duplicate.</summary>
    public static Observation At(int appender, long position) => new(appender + 1, Start.AddMilliseconds(position), position % 1000 / 10.0, Quality.Good);

    /// <summary>Appends until killed; says each call that was acknowledged: appender, first position, commit.</summary>
    private static async Task AppendAsync(string folder, int round)
    {
        await using var services = Services(folder, []);
        await services.OpenSeriesAsync(CancellationToken.None);
        var series = services.GetRequiredService<ISeries>();
        Say(FormattableString.Invariant($"open {series.LastCommit}"));
        await Task.WhenAll(Enumerable.Range(0, Appenders).Select(appender => Task.Run(async () =>
        {
            // Begins inside the round before: what was and what was not acknowledged there is sent again.
            for (var position = Math.Max(0, (round - 1) * (long)PerRound); ; position += PerCall)
            {
                if (position == ((round - 1) * (long)PerRound) + (20 * PerCall))
                {
                    position = round * (long)PerRound;
                }

                var receipt = await series.AppendAsync(Enumerable.Range(0, PerCall).Select(i => At(appender, position + i)).ToArray(), CancellationToken.None);
                Say(FormattableString.Invariant($"ack {appender} {position} {receipt.Commit}"));
            }
        })));
    }

    /// <summary>Files may not grow past a limit: the same error path as a full disk, without needing one.</summary>
    private static async Task FullAsync(string folder)
    {
        const int signalFileTooLarge = 25;
        Signal(signalFileTooLarge, 1);
        await using var services = Services(folder, new() { ["Hub:Series:RetryAfter"] = "00:00:00.100", ["Hub:Series:CheckpointMegabytes"] = "1" });
        await services.OpenSeriesAsync(CancellationToken.None);
        var series = services.GetRequiredService<ISeries>();
        var health = services.GetRequiredService<ISeriesHealth>();
        Limit(3_000_000);
        long acknowledged = 0;
        try
        {
            while (acknowledged < 2_000_000)
            {
                await series.AppendAsync(Batch(acknowledged), CancellationToken.None);
                acknowledged += 5_000;
            }

            throw new InvalidOperationException("The limit was never met.");
        }
        catch (SeriesUnavailableException e)
        {
            Say(e.Message);
        }

        Check(!health.CanCommit && health.Problem is not null && health.Since is not null, "the health says so");
        for (var i = 0; i < 5; i++)
        {
            await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await series.AppendAsync(Batch(acknowledged), CancellationToken.None));
        }

        await Eventually.TrueAsync(async () => await TryCountAsync(series) is { } count && count >= acknowledged, "what was acknowledged can be read while the disk is full");
        Limit(-1);
        await Eventually.TrueAsync(() => health.CanCommit, "it commits again without being asked");
        Check(health.Problem is null && health.Since is null, "the problem is gone");
        var receipt = await series.AppendAsync(Batch(acknowledged), CancellationToken.None);
        Check(receipt.Outcomes.Length == 5_000 && receipt.Commit == series.LastCommit, "the refused batch goes in");
        Check(await TryCountAsync(series) == acknowledged + 5_000, "nothing is missing and nothing there twice");
    }

    private static Observation[] Batch(long from)
    {
        // Values without any pattern, so that the file really grows.
        var random = new Random((int)from);
        return [.. Enumerable.Range(0, 5_000).Select(i => At(0, from + i) with { Result = random.NextDouble(), Raw = random.NextDouble() })];
    }

    private static async Task<double?> TryCountAsync(ISeries series)
    {
        try
        {
            var buckets = await series.AggregateAsync(new AggregateQuery(1, DateTime.MinValue, DateTime.MaxValue, new BucketWidth(TimeSpan.FromDays(3650)), Statistic.Count), CancellationToken.None);
            return buckets.Sum(bucket => bucket.Value);
        }
        catch (SeriesUnavailableException)
        {
            return null;
        }
    }

    private static ServiceProvider Services(string folder, Dictionary<string, string?> settings)
    {
        settings["Hub:Series:Folder"] = folder;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        return new ServiceCollection().AddLogging().AddHubSeries(configuration).BuildServiceProvider();
    }

    private static void Say(string line)
    {
        lock (Output)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }

    private static void Check(bool state, string what)
    {
        if (!state)
        {
            throw new InvalidOperationException($"It is not so that {what}.");
        }
    }

    private static void Limit(long bytes)
    {
        const int fileSize = 1;
        Check(SetLimit(fileSize, [bytes, -1]) == 0, "the limit was set");
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, [In] long[] limits);
}
