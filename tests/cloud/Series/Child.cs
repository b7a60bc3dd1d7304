using System.Globalization;
using System.Runtime.InteropServices;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>What the tests run in a process of its own: one to be killed, one whose disk is full. It uses the stage as a program does, by its front door.</summary>
internal static partial class Child
{
    public const int Appenders = 8;
    public const int PerCall = 5;

    /// <summary>Observations of one appender in one round never reach this number.</summary>
    public const int PerRound = 1_000_000;

    /// <summary>From one observation to the next: rounds go over several days.</summary>
    public const long StepTicks = 50 * TimeSpan.TicksPerMillisecond;

    /// <summary>Observations of a datastream that is deleted as a whole.</summary>
    public const int PerDatastream = 40;

    private static readonly DateTime Start = new(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly Lock Output = new();

    public static async Task<int> RunAsync(string[] args)
    {
        switch (args)
        {
            case ["append", var folder, var round, var rows]:
                await AppendAsync(folder, int.Parse(round, CultureInfo.InvariantCulture), rows);
                return 0;
            case ["delete", var folder, var first]:
                await DeleteAsync(folder, int.Parse(first, CultureInfo.InvariantCulture));
                return 0;
            case ["take", var folder, var first]:
                await TakeAsync(folder, int.Parse(first, CultureInfo.InvariantCulture));
                return 0;
            case ["room", var folder]:
                await RoomAsync(folder);
                Say("ok");
                return 0;
            case ["condense", var folder, var first]:
                await CondenseAsync(folder, int.Parse(first, CultureInfo.InvariantCulture));
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
    public static Observation At(int appender, long position) => new(appender + 1, Start.AddTicks(position * StepTicks), position % 1000 / 10.0, Quality.Good);

    /// <summary>Appends until killed; says each call that was acknowledged: appender, first position, commit.</summary>
    private static async Task AppendAsync(string folder, int round, string rows)
    {
        // Tables of a few rows: it is always writing parts and merging them. Each round is an hour later, so what the ones before wrote has settled and is rolled up.
        await using var services = Services(folder, new() { ["Hub:Series:FlushObservationsMax"] = rows, ["Hub:Series:PartsPerDayMax"] = "3", ["Hub:Series:Rollups"] = "00:01:00,00:15:00,01:00:00" }, new Later(TimeSpan.FromHours(round)));
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

    /// <summary>Appends one datastream after the other and deletes each some later, until killed; says what is in and what is out.</summary>
    private static async Task DeleteAsync(string folder, int first)
    {
        const int kept = 3;
        await using var services = Services(folder, new() { ["Hub:Series:FlushObservationsMax"] = "150", ["Hub:Series:PartsPerDayMax"] = "2" });
        await services.OpenSeriesAsync(CancellationToken.None);
        var series = services.GetRequiredService<ISeries>();
        for (var datastream = first; ; datastream++)
        {
            await series.AppendAsync(Enumerable.Range(0, PerDatastream).Select(i => At(datastream - 1, i * 1_000_000L)).ToArray(), CancellationToken.None);
            Say(FormattableString.Invariant($"in {datastream}"));
            if (datastream >= first + kept)
            {
                await series.DeleteAsync([datastream - kept], DateTime.MinValue, DateTime.MaxValue, CancellationToken.None);
                Say(FormattableString.Invariant($"out {datastream - kept}"));
            }
        }
    }

    /// <summary>Appends one datastream after the other and condenses each some later, until killed; says what is in and what is condensed. Beside it another one says each append, so that a kill may come at any time.</summary>
    private static async Task CondenseAsync(string folder, int first)
    {
        const int whole = 3;
        await using var services = Services(folder, new() { ["Hub:Series:FlushObservationsMax"] = "150", ["Hub:Series:PartsPerDayMax"] = "2" });
        await services.OpenSeriesAsync(CancellationToken.None);
        var series = services.GetRequiredService<ISeries>();
        _ = Task.Run(async () =>
        {
            for (var position = 0; ; position++)
            {
                await series.AppendAsync(new[] { At(PerRound, position) }, CancellationToken.None);
                Say(FormattableString.Invariant($"beside {position}"));
            }
        });
        for (var datastream = first; ; datastream++)
        {
            await series.AppendAsync(Enumerable.Range(0, PerDatastream).Select(i => At(datastream - 1, i * 1_000_000L)).ToArray(), CancellationToken.None);
            Say(FormattableString.Invariant($"in {datastream}"));
            if (datastream >= first + whole)
            {
                await series.CondenseAsync([datastream - whole], DateTime.MinValue, DateTime.MaxValue, CancellationToken.None);
                Say(FormattableString.Invariant($"condensed {datastream - whole}"));
            }
        }
    }

    /// <summary>Takes rollups of one datastream after the other, some days of two months, until killed; says what was taken.</summary>
    private static async Task TakeAsync(string folder, int first)
    {
        await using var services = Services(folder, []);
        await services.OpenSeriesAsync(CancellationToken.None);
        var series = services.GetRequiredService<ISeries>();
        Say("open");
        for (var datastream = first; ; datastream++)
        {
            await series.TakeCondensedAsync(Kept(datastream), CancellationToken.None);
            Say(FormattableString.Invariant($"taken {datastream}"));
        }
    }

    /// <summary>The rollups that are taken of a datastream: always the same.</summary>
    public static CondensedDay[] Kept(int datastream) =>
    [
        .. Enumerable.Range(0, 4).Select(day => Start.AddDays(day - 2)).Select(day => new CondensedDay(datastream, day, [.. new[] { TimeSpan.FromHours(1), TimeSpan.FromMinutes(15) }.SelectMany(width => Enumerable.Range(0, 3).Select(
            hour => new CondensedCell(day.AddHours(hour), width, false) { Count = 4, Covered = 3.5, Sum = datastream / 3.0, Min = -1, Max = datastream, First = 0.1, Last = 0.3, EnergySum = datastream * 1e9 / 7 }))])),
    ];

    /// <summary>Files may not grow past a limit: the same error path as a full disk, without needing one.</summary>
    private static async Task FullAsync(string folder)
    {
        const int signalFileTooLarge = 25;
        Signal(signalFileTooLarge, 1);
        await using var services = Services(folder, new() { ["Hub:Series:RetryAfter"] = "00:00:00.100", ["Hub:Series:StopWithin"] = "00:01:00" });
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
            // From now on no file takes anything, a new one of the log neither.
            Limit(0);
            Say(e.Message);
        }

        // It may have begun another file before there was no room for one: that one takes nothing.
        for (var i = 0; i < 5; i++)
        {
            await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await series.AppendAsync(Batch(acknowledged), CancellationToken.None));
        }

        Check(!health.CanCommit && health.Problem is not null && health.Since is not null, "the health says so");
        await Eventually.TrueAsync(async () => await TryCountAsync(series) is { } count && count >= acknowledged, "what was acknowledged can be read while the disk is full");
        Limit(-1);
        await Eventually.TrueAsync(() => health.CanCommit, "it commits again without being asked");
        Check(health.Problem is null && health.Since is null, "the problem is gone");
        var receipt = await series.AppendAsync(Batch(acknowledged), CancellationToken.None);
        Check(receipt.Outcomes.Length == 5_000 && receipt.Commit == series.LastCommit, "the refused batch goes in");
        Check(await TryCountAsync(series) == acknowledged + 5_000, "nothing is missing and nothing there twice");
    }

    /// <summary>On a small disk of its own that it fills itself: deletion gives room back where there is none, or says what to do.</summary>
    private static async Task RoomAsync(string folder)
    {
        var series = Path.Combine(folder, "series");
        var filler = Path.Combine(folder, "filler");

        // Between the filling and the deletion no time passes: the store does not try whether there is room again, and use up what is kept for deletions.
        var clock = new FakeTimeProvider(Start.AddDays(30));
        await using var services = Services(series, new() { ["Hub:Series:FlushObservationsMax"] = "50000" }, clock);
        await services.OpenSeriesAsync(CancellationToken.None);
        var store = services.GetRequiredService<ISeries>();
        var health = services.GetRequiredService<ISeriesHealth>();
        const int perDay = 24 * 60 * 60 * 20;
        for (var day = 0; day < 8; day++)
        {
            for (var i = 0; i < 10; i++)
            {
                await store.AppendAsync(Batch((day * (long)perDay) + (i * 5_000)), CancellationToken.None);
                await store.AppendAsync(Batch((day * (long)perDay) + (i * 5_000)).Select(o => o with { Datastream = 2 }).ToArray(), CancellationToken.None);
            }
        }

        await DeleteAsync(9, 9);
        Check(File.Exists(Path.Combine(series, "reserve")), "room is kept");

        // Whole days go: nothing has to be rewritten.
        await FillAsync(store, health, filler);
        var next = 8L * perDay;
        Check(await DeleteAsync(3, 1, 2) == 300_000, "three days are deleted on a full disk");
        await CommitsAsync("the room that was given back lets it commit again");
        await store.AppendAsync(Batch(next), CancellationToken.None);

        // One datastream of two goes: the parts are rewritten.
        File.Delete(filler);
        await CommitsAsync("it commits");
        await DeleteAsync(9, 9);
        Check(File.Exists(Path.Combine(series, "reserve")), "room is kept again");
        await FillAsync(store, health, filler);
        Check(await DeleteAsync(6, 2) == 150_000, "a datastream is cut out of three days on a full disk");
        await CommitsAsync("the room that was given back lets it commit again");
        await store.AppendAsync(Batch(next), CancellationToken.None);

        // Somebody has taken the room that was kept: it says what to do, and has lost nothing.
        await FillAsync(store, health, filler);
        File.Delete(Path.Combine(series, "reserve"));
        Fill(filler);
        var refused = await Assert.ThrowsAsync<SeriesUnavailableException>(() => DeleteAsync(6, 1, 2));
        Check(refused.Message.Contains("cannot delete", StringComparison.Ordinal) && refused.Message.Contains("MiB", StringComparison.Ordinal), $"the refusal says what to do: {refused.Message}");
        Check(await TryCountAsync(store) is >= 250_000, "nothing was deleted");
        File.Delete(filler);
        await CommitsAsync("it commits again");
        Check(await DeleteAsync(6, 1, 2) == 150_000, "with room it is deleted");

        async Task<long> DeleteAsync(int untilDay, params int[] datastreams)
        {
            var deleting = store.DeleteAsync(datastreams, DateTime.MinValue, Start.AddDays(untilDay), CancellationToken.None).AsTask();
            await Eventually.TrueAsync(() => Pass(deleting.IsCompleted), "the deletion ends");
            return await deleting;
        }

        async Task CommitsAsync(string what) => await Eventually.TrueAsync(() => Pass(health.CanCommit), what);

        bool Pass(bool isReached)
        {
            if (!isReached)
            {
                clock.Advance(TimeSpan.FromSeconds(5));
            }

            return isReached;
        }
    }

    /// <summary>Fills the disk and appends until that is refused.</summary>
    private static async Task FillAsync(ISeries store, ISeriesHealth health, string filler)
    {
        Fill(filler);
        await Assert.ThrowsAsync<SeriesUnavailableException>(async () =>
        {
            for (var more = 20_000_000L; more < 30_000_000; more += 5_000)
            {
                await store.AppendAsync(Batch(more).Select(o => o with { Datastream = 3 }).ToArray(), CancellationToken.None);
            }
        });
        Check(!health.CanCommit, "the health says so");
        Fill(filler);
    }

    private static void Fill(string filler)
    {
        using var file = new FileStream(filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4096];
        try
        {
            while (true)
            {
                file.Write(block);
            }
        }
        catch (IOException)
        {
            // Full.
        }
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

    private static ServiceProvider Services(string folder, Dictionary<string, string?> settings, TimeProvider? time = null)
    {
        settings["Hub:Series:Folder"] = folder;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        return new ServiceCollection().AddLogging().AddSingleton(time ?? TimeProvider.System).AddHubSeries(configuration).BuildServiceProvider();
    }

    /// <summary>The system's clock, some time ahead.</summary>
    private sealed class Later(TimeSpan later) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + later;
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
