using System.Globalization;

namespace Hub.Tests.Benchmarks.Ingest;

/// <summary>
/// From a station's publish to a reading that can be asked for, with the real hub program: MQTT on loopback, credentials and topic rights on, each PUBACK after the commit is on disk. The load generator
/// runs on the same processors, and so does the peer, in the same minutes.
/// </summary>
internal static class IngestBenchmark
{
    private const int Window = 16;
    private const int FewConnections = 50;
    private const int ManyConnections = 500;
    private const long PeerPacks = 200_000;
    private const double QueryableGoal = 500_000;
    private const double TimesPeerGoal = 4;
    private const double AcknowledgedGoal = 1_000_000;
    private const double ProcessorGoal = 3;
    private const double MemoryGoal = 600;
    private const int PacksPerSecondLight = 2_000;
    private const double LightMedianGoal = 1;
    private const double LightTailGoal = 5;
    private const double LightProcessorGoal = 25;
    private const int EverythingReaders = 4;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan HubWarmUp = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LightWarmUp = TimeSpan.FromSeconds(40);

    /// <summary>As much as the hub takes; 1 when a goal is missed.</summary>
    /// <param name="seconds">How long is published, at each number of connections.</param>
    /// <param name="output">Where the figures go.</param>
    public static async Task<int> SaturateAsync(int seconds, TextWriter output)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(seconds, 2);
        await LoadGenerator.CostLittleAsync();
        var report = new Report(output);
        report.Heading($"Ingest end to end: closed loop, {Window} packs in flight a connection, packs of {PackWriter.Readings} readings, {seconds} s");
        var lasting = TimeSpan.FromSeconds(seconds);
        var rows = new List<IReadOnlyList<string>>();
        var seen = new List<Seen>();
        double everything;
        await using (var hub = await HubUnderLoad.StartAsync(ManyConnections + FewConnections))
        {
            report.Line($"hub: {hub.Stations.Count} stations registered, {hub.Figures.ResidentMiB:0} MiB resident at rest");
            long before = 0;
            foreach (var (connections, skip) in new[] { (FewConnections, 0), (ManyConnections, FewConnections) })
            {
                using var load = new LoadGenerator([.. hub.Stations.Skip(skip).Take(connections)], Yesterday());
                await load.ConnectAsync(hub.MqttPort);
                await load.FirstSightAsync();

                // So long the runtime compiles what it runs; a hub runs for months.
                await load.SaturateAsync(Window, HubWarmUp);
                await hub.UntilQueryableAsync(load);
                hub.ResetPeak();
                var processor = hub.Figures.Processor;
                var outcome = await load.SaturateAsync(Window, lasting);
                await hub.UntilQueryableAsync(load);
                var elapsed = TimeProvider.System.GetElapsedTime(outcome.Began);
                var figures = hub.Figures;
                seen.Add(new Seen($"Hub, {connections} x {Window}", outcome, outcome.Readings / elapsed.TotalSeconds, (figures.Processor - processor).TotalSeconds / (outcome.Readings / 1e6), figures.PeakMiB));
                before += load.Packs * PackWriter.Readings;
                await CheckAsync(report, hub, load, before);
            }

            // The same load again while others read all there is.
            // Of stations whose readings end earlier: after a long run those of the first phase would come a second time, and a hub that compares each with what it has is another measurement.
            using var again = new LoadGenerator([.. hub.Stations.Skip(FewConnections).Take(FewConnections)], Yesterday() + (24 * 3_600));
            await again.ConnectAsync(hub.MqttPort);
            hub.ResetPeak();
            using var enough = new CancellationTokenSource();
            var reading = hub.ReadEverythingAsync(EverythingReaders, enough.Token);
            var beside = await again.SaturateAsync(Window, TimeSpan.FromSeconds(Math.Min(seconds, 10)));
            await enough.CancelAsync();
            var bytes = await reading;
            everything = hub.Figures.PeakMiB;
            report.Line($"while {EverythingReaders} clients read everything ({bytes / 1e6:0} MB came): {beside.AcknowledgedPerSecond:0} readings/s acknowledged, p99 {beside.Latencies.Milliseconds(0.99):0.0} ms, peak {everything:0} MiB");
        }

        var peer = await PeerAsync(report);
        seen.Add(peer);
        report.Line($"");
        report.Line($"Until queryable: from the first publish until a question finds the last reading of every station (hub: latest of all over the API; peer: a count over all). CPU: all servers, without the generator.");
        report.Line($"");
        report.Table(
            ["", "readings acknowledged/s", "PUBACK p50 ms", "p99 ms", "PUBACK durable", "readings/s until queryable", "CPU s/M", "generator CPU s/M", "peak RSS MiB"],
            [.. seen.Select(one => (IReadOnlyList<string>)[one.Name, Report.Figure(one.Outcome.AcknowledgedPerSecond), Report.Figure(one.Outcome.Latencies.Milliseconds(0.5)), Report.Figure(one.Outcome.Latencies.Milliseconds(0.99)), one == peer ? "no" : "yes", Report.Figure(one.Queryable), Report.Figure(one.Processor), Report.Figure(one.Outcome.Processor.TotalSeconds / (one.Outcome.Readings / 1e6)), Report.Figure(one.PeakMiB)]),
             ["hub 50 x 16 / peer", Ratio(seen[0].Outcome.AcknowledgedPerSecond / peer.Outcome.AcknowledgedPerSecond), Ratio(seen[0].Outcome.Latencies.Milliseconds(0.5) / peer.Outcome.Latencies.Milliseconds(0.5)), Ratio(seen[0].Outcome.Latencies.Milliseconds(0.99) / peer.Outcome.Latencies.Milliseconds(0.99)), "", Ratio(seen[0].Queryable / peer.Queryable), Ratio(seen[0].Processor / peer.Processor), "", Ratio(seen[0].PeakMiB / peer.PeakMiB)]]);
        report.AtLeast("until queryable, 50 x 16", seen[0].Queryable, QueryableGoal, "readings/s");
        report.AtLeast("until queryable, times Mosquitto + bridge + InfluxDB", seen[0].Queryable / peer.Queryable, TimesPeerGoal, "x");
        foreach (var one in seen.Take(2))
        {
            report.AtLeast($"{one.Name}, durable acknowledgements", one.Outcome.AcknowledgedPerSecond, AcknowledgedGoal, "readings/s");
            report.AtMost($"{one.Name}, processor", one.Processor, ProcessorGoal, "CPU s per million readings");
            report.AtMost($"{one.Name}, peak resident memory", one.PeakMiB, MemoryGoal, "MiB");
        }

        report.AtMost("peak resident memory while everything is read", everything, MemoryGoal, "MiB");
        report.End();
        return report.ExitCode;
    }

    /// <summary>An even load of 10,000 readings a second over 500 connections; 1 when a goal is missed.</summary>
    /// <param name="seconds">How long.</param>
    /// <param name="output">Where the figures go.</param>
    public static async Task<int> LightAsync(int seconds, TextWriter output)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(seconds, 1);
        await LoadGenerator.CostLittleAsync();
        var report = new Report(output);
        report.Heading($"Ingest at light load: {PacksPerSecondLight} packs/s of {PackWriter.Readings} readings evenly over {ManyConnections} connections, {seconds} s");
        var lasting = TimeSpan.FromSeconds(seconds);
        Seen ours, peer;
        await using (var hub = await HubUnderLoad.StartAsync(ManyConnections))
        {
            using var load = new LoadGenerator(hub.Stations, Yesterday());
            await load.ConnectAsync(hub.MqttPort);
            await load.FirstSightAsync();
            await load.SaturateAsync(Window, WarmUp);
            await hub.UntilQueryableAsync(load);
            ours = await EvenlyAsync(report, "Hub", load, lasting, () => hub.Figures.Processor, () => hub.Figures.PeakMiB);
            await hub.UntilQueryableAsync(load);
            await CheckAsync(report, hub, load, load.Packs * PackWriter.Readings);
        }

        await using (var chain = new PeerChain())
        {
            await chain.StartAsync(brokerOnly: true);
            using var load = new LoadGenerator(Strangers(ManyConnections), Yesterday());
            await load.ConnectAsync(chain.MqttPort);
            peer = await EvenlyAsync(report, "Mosquitto alone (nothing stored, PUBACK not durable)", load, lasting, () => chain.Processor, () => chain.PeakMiB);
        }

        report.Line($"");
        report.Table(
            ["", "PUBACK p50 ms", "p99 ms", "p99.9 ms", "CPU s/M", "peak RSS MiB"],
            [.. new[] { ours, peer }.Select(one => (IReadOnlyList<string>)[one.Name, Report.Figure(one.Outcome.Latencies.Milliseconds(0.5)), Report.Figure(one.Outcome.Latencies.Milliseconds(0.99)), Report.Figure(one.Outcome.Latencies.Milliseconds(0.999)), Report.Figure(one.Processor), Report.Figure(one.PeakMiB)])]);
        report.AtMost("PUBACK p50", ours.Outcome.Latencies.Milliseconds(0.5), LightMedianGoal, "ms");
        report.AtMost("PUBACK p99", ours.Outcome.Latencies.Milliseconds(0.99), LightTailGoal, "ms");
        report.AtMost("processor", ours.Processor, LightProcessorGoal, "CPU s per million readings");
        report.End();
        return report.ExitCode;
    }

    private static async Task<Seen> EvenlyAsync(Report report, string name, LoadGenerator load, TimeSpan lasting, Func<TimeSpan> processor, Func<double> peak)
    {
        // At this rate it takes the runtime a while until it has compiled for good what the hub does; a hub runs for months.
        await load.EvenlyAsync(PacksPerSecondLight, LightWarmUp);

        // The two seconds before the measured ones count in the processor's time too, and so do their readings.
        var (before, packs) = (processor(), load.Packs);
        var (outcome, held) = await load.EvenlyAsync(PacksPerSecondLight, lasting);
        var needed = (processor() - before).TotalSeconds / ((load.Packs - packs) * PackWriter.Readings / 1e6);
        report.Must(held == 0 && outcome.Packs >= PacksPerSecondLight * lasting.TotalSeconds * 0.98, $"{name} was offered the load: {outcome.Packs / lasting.TotalSeconds:0} packs/s, {held} held back by 256 unacknowledged of a connection");
        return new Seen(name, outcome, double.NaN, needed, peak());
    }

    private static async Task<Seen> PeerAsync(Report report)
    {
        await using var chain = new PeerChain();
        await chain.StartAsync(brokerOnly: false);
        using var load = new LoadGenerator(Strangers(FewConnections), Yesterday());
        await load.ConnectAsync(chain.MqttPort);
        await load.SaturateAsync(Window, WarmUp, PeerPacks / 10);
        await chain.UntilQueryableAsync(load.Packs);
        var processor = chain.Processor;
        var outcome = await load.SaturateAsync(Window, TimeSpan.FromMinutes(2), PeerPacks);
        await chain.UntilQueryableAsync(load.Packs);
        var elapsed = TimeProvider.System.GetElapsedTime(outcome.Began);
        report.Line($"peer: {outcome.Readings} readings all found, payload {load.PayloadBytes:0} B");
        return new Seen(
            $"Mosquitto + bridge + InfluxDB, {FewConnections} x {Window}", outcome, outcome.Readings / elapsed.TotalSeconds, (chain.Processor - processor).TotalSeconds / (outcome.Readings / 1e6), chain.PeakMiB);
    }

    private static async Task CheckAsync(Report report, HubUnderLoad hub, LoadGenerator load, long published)
    {
        // Metrics are made anew at most every few hundred milliseconds.
        var (from, stored) = (TimeProvider.System.GetTimestamp(), 0L);
        while ((stored = await hub.StoredAsync()) != published && TimeProvider.System.GetElapsedTime(from) < TimeSpan.FromSeconds(10))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }

        report.Must(stored == published, $"published {published}, stored by the hub's own count {stored}");
        var (counted, expected) = await hub.CountAsync(load, FewConnections);
        report.Must(counted == expected, $"of {FewConnections} stations the API counts {counted} readings of {expected}");
    }

    private static IReadOnlyList<LoadStation> Strangers(int count) => [.. Enumerable.Range(0, count).Select(i => new LoadStation("load", string.Create(CultureInfo.InvariantCulture, $"st{i:0000}"), null))];

    /// <summary>Stations say one pack a second of event time, faster than the clock: so they begin two days ago and stay behind now.</summary>
    private static long Yesterday() => (long)(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(-2) - DateTime.UnixEpoch).TotalSeconds;

    private static string Ratio(double value) => string.Create(CultureInfo.InvariantCulture, $"{Report.Figure(value)} x");

    private sealed record Seen(string Name, LoadOutcome Outcome, double Queryable, double Processor, double PeakMiB);
}
