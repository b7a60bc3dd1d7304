using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Tests.Benchmarks.Series;

/// <summary>
/// How long a commit takes at most while everything else goes on: late readings scattered over all days, large flushes, merges, deletions as retention makes them, and a backup. In front of it
/// callers that append little and often, as stations do; their latency is what is asked for.
/// </summary>
internal static class StallBenchmark
{
    private const int Batch = 20_000;
    private const int LiveCallers = 4;
    private const int LiveBatch = 100;
    private const int LateBatch = 5_000;
    private const double Goal = 250;

    /// <summary>A live caller sends so often: 10,000 readings a second in all.</summary>
    private static readonly TimeSpan LiveEvery = TimeSpan.FromMilliseconds(40);

    /// <summary>Runs it and prints the figures; 1 when the goal is missed.</summary>
    /// <param name="stations">Stations, of five series each.</param>
    /// <param name="days">Settled days.</param>
    /// <param name="seconds">Seconds that are measured.</param>
    /// <param name="output">Where the figures go.</param>
    public static async Task<int> RunAsync(int stations, int days, int seconds, TextWriter output)
    {
        var workload = new CityWorkload(stations, days * 1_440);
        var report = new Report(output);
        report.Heading($"Series, stalls: {workload.Readings / 1e6:0} million readings in {workload.SeriesCount} series over {days} days, then {seconds} s of everything at once");
        await using var store = new EmbeddedContender(workload);
        await store.OpenAsync();
        var write = store.Writer();
        var visits = new Visit[Batch / CityWorkload.Quantities];
        for (int taken; (taken = workload.Take(visits)) > 0;)
        {
            await write(visits.AsMemory(0, taken));
        }

        await store.SettleAsync();
        using var counted = new Counted();
        var run = new Running(store, workload, days);
        var quiet = await run.LiveAsync(TimeSpan.FromSeconds(Math.Max(5, seconds / 6)));
        counted.Clear();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        Task[] others = [run.LateAsync(stop.Token), run.BulkAsync(stop.Token), run.DeleteAsync(stop.Token), run.BackUpAsync(stop.Token), run.ProbeAsync(stop.Token)];
        var busy = await run.LiveAsync(TimeSpan.FromSeconds(seconds));
        await Task.WhenAll(others);
        report.Table(
            ["milliseconds", "calls", "p50", "p99", "p99.9", "most"],
            [
                Row("append of 100, alone", quiet), Row("append of 100, beside all of it", busy), Row("append of 5,000 late ones", run.Late),
                Row("the machine: 4 KiB written and flushed", run.Machine),
                Row("append of 20,000", run.Bulk), Row("group commit, beside all of it", [.. counted.Commits]),
            ]);
        report.Line($"meanwhile: {counted["hub.series.flushes"]} flushes, {counted["hub.series.compactions"]} merges, {run.Deletions} deletions of a day, {run.Backups} backups, {run.Late.Count * LateBatch} late readings, {run.Bulk.Count * Batch} in bulk; waited for a flush {counted.WaitedMilliseconds:0} ms in all");
        report.AtMost("p99.9 of a group commit", At(Sorted([.. counted.Commits]), 0.999), Goal, "ms");
        report.AtMost("p99.9 of a live append", At(Sorted(busy), 0.999), Goal, "ms");
        report.End();
        return report.ExitCode;
    }

    private static IReadOnlyList<string> Row(string name, IReadOnlyCollection<double> times)
    {
        var sorted = Sorted(times);
        return [name, Report.Figure(sorted.Length), .. new[] { 0.5, 0.99, 0.999, 1 }.Select(share => Report.Figure(At(sorted, share)))];
    }

    private static double[] Sorted(IReadOnlyCollection<double> times) => [.. times.Order()];

    private static double At(double[] sorted, double share) => sorted.Length == 0 ? double.NaN : sorted[Math.Clamp((int)Math.Ceiling(sorted.Length * share) - 1, 0, sorted.Length - 1)];

    /// <summary>What goes on at once. Each of it is run by one task.</summary>
    private sealed class Running(EmbeddedContender store, CityWorkload workload, int days)
    {
        private readonly ISeries _series = store.Store;
        private long _live;

        public List<double> Late { get; } = [];

        public List<double> Bulk { get; } = [];

        public List<double> Machine { get; } = [];

        public int Deletions { get; private set; }

        public int Backups { get; private set; }

        /// <summary>Stations that speak in the present; latencies of their calls.</summary>
        public async Task<IReadOnlyCollection<double>> LiveAsync(TimeSpan length)
        {
            var times = new ConcurrentBag<double>();
            var end = TimeProvider.System.GetTimestamp() + (long)(length.TotalSeconds * TimeProvider.System.TimestampFrequency);
            await Task.WhenAll(Enumerable.Range(0, LiveCallers).Select(caller => Task.Run(async () =>
            {
                using var timer = new PeriodicTimer(LiveEvery);
                while (TimeProvider.System.GetTimestamp() < end && await timer.WaitForNextTickAsync())
                {
                    var at = workload.End.AddMilliseconds(Interlocked.Add(ref _live, LiveBatch));
                    times.Add(await TimeAsync(Enumerable.Range(0, LiveBatch).Select(i => new Observation(1 + ((caller * LiveBatch) + i) % workload.SeriesCount, at.AddMilliseconds(i), i / 10.0, Quality.Good)).ToArray()));
                }
            })));
            return times;
        }

        /// <summary>A station after a long outage: what it sends is known already, or loses against what is.</summary>
        public Task LateAsync(CancellationToken stop) => Task.Run(async () =>
        {
            var random = new Random(20261126);
            while (!stop.IsCancellationRequested)
            {
                Late.Add(await TimeAsync(Enumerable.Range(0, LateBatch).Select(_ => new Observation(
                    1 + random.Next(workload.SeriesCount), CityWorkload.Start.AddMinutes(random.Next(days * 1_440)).AddSeconds(random.Next(60)), random.Next(1_000) / 10.0, Quality.Good) { Revision = -1 }).ToArray()));
            }
        }, CancellationToken.None);

        /// <summary>An import of another datastream for each day: large commits and flushes.</summary>
        public Task BulkAsync(CancellationToken stop) => Task.Run(async () =>
        {
            for (long sent = 0; !stop.IsCancellationRequested; sent += Batch)
            {
                var from = sent;
                Bulk.Add(await TimeAsync(Enumerable.Range(0, Batch).Select(i => new Observation(
                    workload.SeriesCount + 1 + (i % 50), workload.End.AddMilliseconds((from + i) * 20), (from + i) % 997 / 10.0, Quality.Good)).ToArray()));
            }
        }, CancellationToken.None);

        public Task DeleteAsync(CancellationToken stop) => Task.Run(async () =>
        {
            int[] all = [.. Enumerable.Range(1, workload.SeriesCount)];
            for (var day = 0; day < days / 2 && !stop.IsCancellationRequested; day++)
            {
                await _series.DeleteAsync(all, CityWorkload.Start.AddDays(day), CityWorkload.Start.AddDays(day + 1).AddHours(-6), CancellationToken.None);
                Deletions++;
            }
        }, CancellationToken.None);

        /// <summary>What the same disk and processors do at the same time to a write that knows nothing of the store.</summary>
        public Task ProbeAsync(CancellationToken stop) => Task.Run(async () =>
        {
            using var folder = new Kit.TempFolder();
            await using var file = File.Create(folder.File("probe"));
            var block = new byte[4096];
            using var timer = new PeriodicTimer(LiveEvery);
            while (!stop.IsCancellationRequested && await timer.WaitForNextTickAsync(CancellationToken.None))
            {
                var began = TimeProvider.System.GetTimestamp();
                await Task.Run(
                    () =>
                    {
                        file.Write(block);
                        file.Flush(flushToDisk: true);
                    },
                    CancellationToken.None);
                Machine.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
            }
        }, CancellationToken.None);

        public Task BackUpAsync(CancellationToken stop) => Task.Run(() =>
        {
            var buffer = new byte[1024 * 1024];
            while (!stop.IsCancellationRequested)
            {
                using var folder = new Kit.TempFolder();
                using var snapshot = SeriesFiles.Hold(store.Settings)!;
                foreach (var (file, number) in snapshot.Files.Select((file, number) => (file, number)))
                {
                    using var copy = File.Create(folder.File($"{number}"));
                    for (long at = 0; file.Read(buffer, at) is > 0 and var read; at += read)
                    {
                        copy.Write(buffer, 0, read);
                    }

                    copy.Flush(flushToDisk: true);
                }

                Backups++;
            }
        }, CancellationToken.None);

        private async Task<double> TimeAsync(Observation[] observations)
        {
            var began = TimeProvider.System.GetTimestamp();
            await _series.AppendAsync(observations, CancellationToken.None);
            return TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
        }
    }

    /// <summary>The store's own counters, and the duration of each group commit in milliseconds.</summary>
    private sealed class Counted : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentDictionary<string, long> _counts = new();

        public Counted()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Hub.Cloud.Series" && !instrument.IsObservable)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => _counts.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value));
            _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) =>
            {
                if (instrument.Name == "hub.series.commit.duration")
                {
                    Commits.Add(value * 1_000);
                }
                else if (instrument.Name == "hub.series.flush.wait")
                {
                    WaitedMilliseconds += value * 1_000;
                }
            });
            _listener.Start();
        }

        public ConcurrentBag<double> Commits { get; private set; } = [];

        /// <summary>Committer only.</summary>
        public double WaitedMilliseconds { get; private set; }

        public long this[string name] => _counts.GetValueOrDefault(name);

        public void Clear()
        {
            _counts.Clear();
            (Commits, WaitedMilliseconds) = ([], 0);
        }

        public void Dispose() => _listener.Dispose();
    }
}
