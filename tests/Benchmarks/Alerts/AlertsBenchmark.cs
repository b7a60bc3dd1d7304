using System.Collections.Concurrent;
using System.Globalization;
using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Benchmarks.Ingest;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Hub.Tests.Benchmarks.Alerts;

/// <summary>
/// What rules cost: 50,000 datastreams that each say something every second, two rules on every one of them, with the real store, evaluation and outbox on disk. First without rules, then with them: the difference is
/// evaluation, and it is compared with what the whole hub takes to ingest as much, in the same run. Then with alarms coming and going, for what each costs and how soon it is told.
/// </summary>
internal static class AlertsBenchmark
{
    private const int Stations = 2_000;
    private const int SensorsPerStation = 25;
    private const int Datastreams = Stations * SensorsPerStation;
    private const int Rules = 2;
    private const int Pairs = Datastreams * Rules;
    private const int BatchSize = 1_000;
    private const int BatchesPerSecond = 50;

    /// <summary>One of so many observations begins an alarm, which the next one of its datastream ends.</summary>
    private const int AlarmEvery = 2_500;

    private const double CostGoal = 15;
    private const double LatencyGoal = 250;
    private const double MemoryGoal = 1_024;
    private const int HubStations = 500;
    private const int HubPacksPerSecond = Datastreams / PackWriter.Readings;

    /// <summary>Measures it; 1 when a goal is missed.</summary>
    /// <param name="seconds">How long each part is measured.</param>
    /// <param name="output">Where the figures go.</param>
    public static async Task<int> RunAsync(int seconds, TextWriter output)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(seconds, 5);
        var report = new Report(output);
        report.Heading($"Alerts: {Pairs} pairs of rule and datastream at {Datastreams} observations/s, {seconds} s");
        using var folder = new TempFolder();
        var topic = new Topic();
        await using var services = await ServicesAsync(folder, topic);
        var (stations, series) = (services.GetRequiredService<IStations>(), services.GetRequiredService<ISeries>());
        QuantityCatalogue.TryGet("laeq", out var quantity);
        var streams = new int[Datastreams];
        for (var station = 0; station < Stations; station++)
        {
            var (registered, _) = await stations.RegisterAsync(new StationRegistration("load", string.Create(CultureInfo.InvariantCulture, $"s{station}"), $"S {station}", 41.5, -8.4), default);
            for (var sensor = 0; sensor < SensorsPerStation; sensor++)
            {
                // Turn by turn over the stations, as they would speak.
                streams[(sensor * Stations) + station] = await stations.ResolveAsync(registered.Id, string.Create(CultureInfo.InvariantCulture, $"mic{sensor}"), quantity!, 1, default);
            }
        }

        report.Line($"{Datastreams} datastreams registered");
        foreach (var hosted in services.GetServices<IHostedService>())
        {
            await hosted.StartAsync(default);
        }

        var load = new Load(series, streams, topic);
        await load.RunAsync(10, alarms: false);
        var without = await load.RunAsync(seconds, alarms: false);
        var (alerts, notifications) = (services.GetRequiredService<IAlerts>(), services.GetRequiredService<INotifications>());
        await notifications.SaveAsync(new Subscriber(0, "load", ChannelKind.Mqtt, "", "en", null, Severity.Information, ""), default);
        var heap = GC.GetTotalMemory(forceFullCollection: true);
        await alerts.SaveAsync(new Rule("load", "loud", "Ruído", "Noise", Severity.Warning, "laeq", null, null, null, Crossing.Above, 80, 75, TimeSpan.Zero), default);
        await alerts.SaveAsync(new Rule("load", "long", "Ruído longo", "Long noise", Severity.Alert, "laeq", null, null, null, Crossing.Above, 70, 65, TimeSpan.FromMinutes(10)), default);
        var began = TimeProvider.System.GetTimestamp();
        await alerts.CaughtUpAsync(series.LastCommit, default);
        report.Line($"rules saved and evaluated over what is stored in {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s");
        await load.RunAsync(10, alarms: true);
        await alerts.CaughtUpAsync(series.LastCommit, default);
        var bytes = (GC.GetTotalMemory(forceFullCollection: true) - heap) / (double)Pairs;
        var with = await load.RunAsync(seconds, alarms: false);
        await alerts.CaughtUpAsync(series.LastCommit, default);
        await UntilQuietAsync(topic);
        topic.Latencies = new LatencyHistogram();
        var storm = await load.RunAsync(seconds, alarms: true);
        await alerts.CaughtUpAsync(series.LastCommit, default);
        await UntilQuietAsync(topic);
        foreach (var hosted in services.GetServices<IHostedService>().Reverse())
        {
            await hosted.StopAsync(default);
        }

        var ingest = await IngestAsync(report, seconds);
        var cost = with.ProcessorPerMillion - without.ProcessorPerMillion;
        report.Line($"");
        report.Table(
            ["", "observations/s", "CPU s/M", "alarms told", "commit to channel p50 ms", "p99 ms"],
            [
                ["store alone", Report.Figure(without.PerSecond), Report.Figure(without.ProcessorPerMillion), "-", "-", "-"],
                [$"store and {Pairs} pairs", Report.Figure(with.PerSecond), Report.Figure(with.ProcessorPerMillion), "-", "-", "-"],
                [$"the same, {Datastreams / AlarmEvery} alarms a second begin", Report.Figure(storm.PerSecond), Report.Figure(storm.ProcessorPerMillion), Report.Figure(topic.Latencies.Count), Report.Figure(topic.Latencies.Milliseconds(0.5)), Report.Figure(topic.Latencies.Milliseconds(0.99))],
                ["the whole hub, ingesting as much", Report.Figure(Datastreams), Report.Figure(ingest), "-", "-", "-"],
            ]);
        report.Must(topic.Latencies.Count >= seconds * Datastreams / AlarmEvery, $"{topic.Latencies.Count} messages about alarms were handed to the channel, at least {seconds * Datastreams / AlarmEvery} expected");
        report.Line($"an alarm, from start to end told: {(storm.ProcessorPerMillion - with.ProcessorPerMillion) * storm.PerSecond / 1e6 / (Datastreams / (double)AlarmEvery) * 1_000:0.0} ms of processor");
        report.AtMost("evaluation, of what the hub takes to ingest as much", 100 * cost / ingest, CostGoal, "%");
        report.AtMost("from commit to channel, p99", topic.Latencies.Milliseconds(0.99), LatencyGoal, "ms");
        report.AtMost("memory of a pair", bytes, MemoryGoal, "B");
        report.End();
        return report.ExitCode;
    }

    private static async Task<ServiceProvider> ServicesAsync(TempFolder folder, Topic topic)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Hub:Data"] = folder.Path, ["Hub:Database"] = folder.File("hub.db") }).Build();
        var collection = new ServiceCollection().AddLogging().AddMetrics().AddSingleton<IConfiguration>(configuration);
        collection.AddHubMunicipalities(configuration);
        collection.AddHubStations(configuration);
        collection.AddHubSeries(configuration);
        collection.AddSingleton<IAlarmTopic>(topic).AddSingleton<IMunicipalityDirectory, Directory>();
        collection.AddHubNotifications(configuration);
        collection.AddHubAlerts(configuration);
        var services = collection.BuildServiceProvider();
        await services.MigrateMunicipalitiesAsync(default);
        await services.MigrateStationsAsync(default);
        await services.OpenSeriesAsync(default);
        await services.MigrateNotificationsAsync(default);
        await services.MigrateAlertsAsync(default);
        await services.GetRequiredService<IMunicipalities>().SaveAsync(new Municipality("load", "Load", "Norte", "0303", 41.55, -8.42, "Europe/Lisbon"), default);
        return services;
    }

    /// <summary>Processor seconds of the whole hub for a million readings at the same rate.</summary>
    private static async Task<double> IngestAsync(Report report, int seconds)
    {
        await using var hub = await HubUnderLoad.StartAsync(HubStations);
        using var load = new LoadGenerator(hub.Stations, (long)(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(-2) - DateTime.UnixEpoch).TotalSeconds);
        await load.ConnectAsync(hub.MqttPort);
        await load.FirstSightAsync();
        await load.EvenlyAsync(HubPacksPerSecond, TimeSpan.FromSeconds(20));
        var (before, packs) = (hub.Figures.Processor, load.Packs);
        var (_, held) = await load.EvenlyAsync(HubPacksPerSecond, TimeSpan.FromSeconds(seconds));
        report.Line($"the whole hub: {held} packs held back");
        return (hub.Figures.Processor - before).TotalSeconds / ((load.Packs - packs) * PackWriter.Readings / 1e6);
    }

    private static async Task UntilQuietAsync(Topic topic)
    {
        long before;
        do
        {
            before = topic.Count;
            await Task.Delay(TimeSpan.FromSeconds(2));
        }
        while (topic.Count != before);
    }

    private sealed record Seen(double PerSecond, double ProcessorPerMillion);

    /// <summary>Every datastream once a second, in batches, evenly over the second; one after the other an alarm.</summary>
    private sealed class Load(ISeries series, int[] streams, Topic topic)
    {
        private readonly Observation[] batch = new Observation[BatchSize];
        private readonly HashSet<int> loud = [];
        private long count;

        public async Task<Seen> RunAsync(int seconds, bool alarms)
        {
            var (processor, from) = (Environment.CpuUsage.TotalTime, TimeProvider.System.GetTimestamp());
            var batches = seconds * BatchesPerSecond;
            for (var i = 0; i < batches; i++)
            {
                var ahead = TimeSpan.FromSeconds(i / (double)BatchesPerSecond) - TimeProvider.System.GetElapsedTime(from);
                if (ahead > TimeSpan.Zero)
                {
                    await Task.Delay(ahead);
                }

                var now = TimeProvider.System.GetUtcNow().UtcDateTime;
                now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
                for (var j = 0; j < BatchSize; j++)
                {
                    var index = (int)(count % streams.Length);
                    var starts = count++ % AlarmEvery == 0 && alarms && !loud.Contains(index);
                    if (starts)
                    {
                        loud.Add(index);
                    }
                    else
                    {
                        loud.Remove(index);
                    }

                    batch[j] = new Observation(streams[index], now, starts ? 90 : 50 + (count % 10), Quality.Good);
                }

                await series.AppendAsync(batch, default);
                topic.Committed(now);
            }

            var elapsed = TimeProvider.System.GetElapsedTime(from);
            return new Seen(batches * BatchSize / elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - processor).TotalSeconds / (batches * BatchSize / 1e6));
        }
    }

    /// <summary>The channel: notes when it is handed a message, against the commit of the observations of its time.</summary>
    private sealed class Topic : IAlarmTopic
    {
        private readonly ConcurrentDictionary<DateTime, long> committed = new();
        private readonly Lock turn = new();

        public LatencyHistogram Latencies { get; set; } = new();

        public long Count => Latencies.Count;

        public void Committed(DateTime time) => committed[time] = TimeProvider.System.GetTimestamp();

        public ValueTask PublishAsync(AlarmMessage message, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
        {
            // Handed over before the call that committed it came back: no time at all.
            var at = committed.TryGetValue(message.EndedAt ?? message.StartedAt, out var known) ? TimeProvider.System.GetElapsedTime(known) : TimeSpan.Zero;
            lock (turn)
            {
                Latencies.Add(at);
            }

            return ValueTask.CompletedTask;
        }
    }

    private sealed class Directory : IMunicipalityDirectory
    {
        public (string Name, string Zone) Of(string municipality) => ("Load", "Europe/Lisbon");
    }
}
