using System.Globalization;
using Hub.Cloud.Alerts;
using Hub.Cloud.Ingest;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Topics;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Demo;

/// <summary>What the demonstration says on the terminal: where to look, one progress line while the backlog drains, and a line per alarm of now.</summary>
internal static class DemoTerminal
{
    private static readonly Lock Terminal = new();
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RedirectedInterval = TimeSpan.FromSeconds(10);
    private static bool _progressShown;

    /// <summary>Writes a line above the progress line.</summary>
    public static void Say(string line)
    {
        lock (Terminal)
        {
            Clear();
            Console.WriteLine(line);
        }
    }

    /// <summary>Where to look and how to sign in.</summary>
    public static void Welcome(WebApplication app, IConfiguration configuration, DemoState state, DemoFiles files, IEnumerable<string> people)
    {
        var address = HubHost.Address(app);
        var mqtt = configuration["Hub:Mqtt:Endpoint"] ?? "127.0.0.1:1883";
        var data = configuration["Hub:Data"]!;
        Say($"""

            Hub demonstration: Braga, Aveiro and Évora, with published measurements replayed as if they were taken now.

              City page    {address}
              Alerts       {address}/subscribe, without an account; the mail that asks to confirm is in the folder below
              API          {address}/docs
              MQTT         {mqtt}, user demo, password {state.ReaderSecret}
              Alarms at    {string.Join("  ", AlarmTopics(files.Municipalities.Select(municipality => municipality.Slug)))}
              Mail         {Path.Combine(data, "mail")}
              Webhooks     {Path.Combine(data, "demo", "webhook")}

              Sign in at {address}/login
            {string.Join(Environment.NewLine, people.Select(user => $"    {user,-16} {state.Passwords[user]}"))}

            Ctrl-C stops it; started again, it goes on where it was.

            """);
    }

    /// <summary>What the reader may subscribe to: a filter for each municipality, because the broker refuses one over all of them.</summary>
    internal static IEnumerable<string> AlarmTopics(IEnumerable<string> municipalities) => municipalities.Select(slug => $"{HubTopic.Root}/{slug}/alarms/#");

    /// <summary>Shows how far the stations' backlog has come until every station has reached the present.</summary>
    /// <param name="services">The running hub.</param>
    /// <param name="files">The stations.</param>
    /// <param name="past">Alarms reported as past until now.</param>
    /// <param name="time">Clock of the progress.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task ShowDrainAsync(IServiceProvider services, DemoFiles files, Func<long> past, TimeProvider time, CancellationToken stop)
    {
        var counters = services.GetRequiredService<IIngestCounters>();
        var series = services.GetRequiredService<ISeries>();
        var stations = services.GetRequiredService<IStations>();

        // What was stored by an earlier start is no word of this one: a station has spoken when it has something newer.
        var before = stations.All.ToDictionary(station => station.Id, station => Newest(stations, series, station));
        var reported = 0L;
        var reportedPast = 0L;
        var quiet = 0;
        var ticks = 0;
        var evaluated = false;
        try
        {
            using var timer = new PeriodicTimer(ProgressInterval, time);
            while (await timer.WaitForNextTickAsync(stop))
            {
                var stored = counters.Snapshot();
                var received = stored.Received;
                var speaking = stations.All.Count(station => Newest(stations, series, station) > before.GetValueOrDefault(station.Id));

                // The backlog is through when all stations have spoken, what still comes is what they measure now, and its alarms are told.
                var pastNow = past();
                quiet = speaking == files.Stations.Count && received - reported < 100 && pastNow == reportedPast ? quiet + 1 : 0;
                Progress(
                    string.Create(CultureInfo.InvariantCulture, $"Backlog: {speaking} of {files.Stations.Count} stations, {stored.Stored:N0} readings stored, {received - reported:N0}/s"),
                    ++ticks);
                (reported, reportedPast) = (received, pastNow);
                if (quiet >= 3 && !evaluated)
                {
                    // Alarms come after readings: once all are evaluated, their webhooks are waited for as the readings were.
                    await services.GetRequiredService<IAlerts>().CaughtUpAsync(series.LastCommit, stop);
                    (evaluated, quiet) = (true, 0);
                }

                if (quiet >= 3)
                {
                    Say(string.Create(
                        CultureInfo.InvariantCulture,
                        $"Backlog drained: {stored.Stored:N0} readings stored, {stored.Duplicate:N0} sent twice, {stored.Quarantined:N0} in quarantine, {pastNow:N0} past alarms reported as past. Live from here."));
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The demonstration stops.
        }
    }

    private static DateTime Newest(IStations stations, ISeries series, Station station) =>
        stations.DatastreamsOf(station.Id).Select(d => series.TryGetLatest(d.Id, out var latest) ? latest.PhenomenonTime : default).Append(default).Max();

    private static void Progress(string line, int ticks)
    {
        lock (Terminal)
        {
            if (Console.IsOutputRedirected)
            {
                // A file or pipe cannot take a line back: fewer of them.
                if (ticks % (int)(RedirectedInterval / ProgressInterval) == 0)
                {
                    Console.WriteLine(line);
                }

                return;
            }

            Clear();
            Console.Write(line);
            _progressShown = true;
        }
    }

    private static void Clear()
    {
        if (_progressShown)
        {
            Console.Write("\r\u001b[K");
            _progressShown = false;
        }
    }
}
